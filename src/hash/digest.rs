//! Digests in words, little endian, as ketama rings use them: MD5, SHA-1, and Tiger of `tiger.rs`.

use ::md5::{Digest as _, Md5};

/// A digest of which a ring makes several points.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digest<const WORDS: usize> {
    /// Its words, little endian.
    pub(crate) words: fn(&[u8]) -> [u32; WORDS],
    /// The first of them.
    pub(crate) first: fn(&[u8]) -> u32,
}

pub(crate) const MD5: Digest<4> = Digest {
    words: md5_words,
    first: md5,
};

/// SHA-1, as EnyimMemcached cuts it; `None` without the feature.
pub(crate) const SHA1: Option<Digest<5>> = sha1();

#[cfg(feature = "sha1")]
const fn sha1() -> Option<Digest<5>> {
    Some(Digest {
        words: sha1_words,
        first: |bytes| sha1_words(bytes)[0],
    })
}

#[cfg(not(feature = "sha1"))]
const fn sha1() -> Option<Digest<5>> {
    None
}

/// Returns the four words of MD5.
pub(crate) fn md5_words(bytes: &[u8]) -> [u32; 4] {
    le_words(&Md5::digest(bytes))
}

/// Returns the first word of MD5.
pub(crate) fn md5(bytes: &[u8]) -> u32 {
    md5_words(bytes)[0]
}

#[cfg(feature = "sha1")]
fn sha1_words(bytes: &[u8]) -> [u32; 5] {
    le_words(&::sha1::Sha1::digest(bytes))
}

/// Returns up to four bytes as a word, little endian.
pub(super) fn le_word(bytes: &[u8]) -> u32 {
    let bytes = bytes.iter().rev();
    bytes.fold(0, |word, &byte| (word << 8) | u32::from(byte))
}

/// Cuts a digest into words, little endian.
pub(super) fn le_words<const N: usize>(digest: &[u8]) -> [u32; N] {
    let mut words = [0; N];
    for (word, bytes) in words.iter_mut().zip(digest.chunks(4)) {
        *word = le_word(bytes);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the test suite of RFC 1321.
    #[test]
    fn md5_of_the_rfc() {
        // d41d8cd98f00b204e9800998ecf8427e
        let words = [0xd98c_1dd4, 0x04b2_008f, 0x9809_80e9, 0x7e42_f8ec];
        assert_eq!(md5_words(b""), words);
        // 900150983cd24fb0d6963f7d28e17f72
        assert_eq!(md5(b"abc"), 0x9850_0190);
    }

    /// From RFC 3174: a9993e364706816aba3e25717850c26c9cd0d89d.
    #[cfg(feature = "sha1")]
    #[test]
    fn sha1_of_the_rfc() {
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
