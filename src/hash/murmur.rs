//! Austin Appleby's MurmurHash2 and MurmurHash3 (x86, 32 bits).

/// MurmurHash2 with the seed of libmemcached, `0xdeadbeef * length`; EnyimMemcached's too.
pub(crate) fn murmur2(bytes: &[u8]) -> u32 {
    murmur2_from(seed(bytes), bytes)
}

/// MurmurHash3 with the seed of libmemcached.
pub(super) fn murmur3(bytes: &[u8]) -> u32 {
    murmur3_from(seed(bytes), bytes)
}

fn seed(bytes: &[u8]) -> u32 {
    0xdead_beef_u32.wrapping_mul(super::length(bytes))
}

fn murmur3_from(seed: u32, bytes: &[u8]) -> u32 {
    let mut hash = Murmur3::new(seed);
    for &byte in bytes {
        hash.push(byte);
    }
    hash.finish()
}

fn murmur2_from(seed: u32, bytes: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = seed ^ super::length(bytes);
    let words = bytes.chunks_exact(4);
    let rest = words.remainder();
    for word in words {
        let word = super::digest::le_word(word).wrapping_mul(M);
        let word = (word ^ (word >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ word;
    }
    if !rest.is_empty() {
        hash = (hash ^ super::digest::le_word(rest)).wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

/// MurmurHash3 of bytes as they come. A copy goes on from where it was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Murmur3 {
    hash: u32,
    /// The bytes of a word that is not complete, little endian.
    word: u32,
    length: u32,
}

impl Murmur3 {
    pub(crate) fn new(seed: u32) -> Self {
        Self {
            hash: seed,
            word: 0,
            length: 0,
        }
    }

    pub(crate) fn push(&mut self, byte: u8) {
        self.word |= u32::from(byte) << (8 * (self.length % 4));
        self.length = self.length.wrapping_add(1);
        if self.length % 4 == 0 {
            self.hash ^= Self::scrambled(self.word);
            self.hash = self.hash.rotate_left(13);
            self.hash = self.hash.wrapping_mul(5).wrapping_add(0xe654_6b64);
            self.word = 0;
        }
    }

    pub(crate) fn finish(self) -> u32 {
        // Without bytes left over the word is 0, and adds nothing.
        let mut hash = self.hash ^ Self::scrambled(self.word) ^ self.length;
        hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
        hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
        hash ^ (hash >> 16)
    }

    fn scrambled(word: u32) -> u32 {
        let word = word.wrapping_mul(0xcc9e_2d51).rotate_left(15);
        word.wrapping_mul(0x1b87_3593)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Widely published answers of SMHasher's code.
    #[test]
    fn known_murmur3() {
        let rows: [(u32, &[u8], u32); 6] = [
            (0, b"", 0),
            (1, b"", 0x514e_28b7),
            (0xffff_ffff, b"", 0x81f1_6f39),
            (0, b"test", 0xba6b_d213),
            (0x9747_b28c, b"abc", 0xc84a_62dd),
            (0x9747_b28c, b"Hello, world!", 0x2488_4cba),
        ];
        for (seed, bytes, expected) in rows {
            assert_eq!(murmur3_from(seed, bytes), expected, "{bytes:?}");
        }
    }

    /// What libmemcached 1.1.4 answers.
    #[test]
    fn known_murmur2() {
        assert_eq!(murmur2(b"hello"), 0x521b_0bff);
        assert_eq!(murmur3(b"hello"), 0x3fa6_8fd9);
    }

    /// SMHasher's verification value of a 32-bit hash: keys of 0 to 255 bytes, each hashed with its
    /// length from 256 down as the seed, and the answers hashed again.
    #[test]
    fn verification_values() {
        let verify = |hash: fn(u32, &[u8]) -> u32| {
            let key: Vec<u8> = (0..=255).collect();
            let hashes = (0..256_u32).flat_map(|n| hash(256 - n, &key[..n as usize]).to_le_bytes());
            hash(0, &hashes.collect::<Vec<u8>>())
        };
        assert_eq!(verify(murmur2_from), 0x2786_4c1e);
        assert_eq!(verify(murmur3_from), 0xb0f5_7ee3);
    }
}
