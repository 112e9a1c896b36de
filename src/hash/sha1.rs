//! SHA-1.

use ::sha1::{Digest, Sha1};

pub(super) const SHA1: super::Digest<5> = super::Digest {
    words: sha1_words,
    first: |bytes| sha1_words(bytes)[0],
};

/// The five words of the digest of `bytes`, little endian, as EnyimMemcached cuts it.
fn sha1_words(bytes: &[u8]) -> [u32; 5] {
    super::le_words(&Sha1::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From RFC 3174: a9993e364706816aba3e25717850c26c9cd0d89d.
    #[test]
    fn known_hashes() {
        let words = [
            0x363e_99a9,
            0x6a81_0647,
            0x7125_3eba,
            0x6cc2_5078,
            0x9dd8_d09c,
        ];
        assert_eq!(sha1_words(b"abc"), words);
    }
}
