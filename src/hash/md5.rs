//! MD5, as ketama uses it: four words of a digest, little endian.

use ::md5::{Digest, Md5};

pub(crate) const MD5: super::Digest<4> = super::Digest {
    words: md5_words,
    first: md5,
};

/// The four words of the digest of `bytes`.
pub(crate) fn md5_words(bytes: &[u8]) -> [u32; 4] {
    super::le_words(&Md5::digest(bytes))
}

/// The first word.
pub(crate) fn md5(bytes: &[u8]) -> u32 {
    md5_words(bytes)[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the test suite of RFC 1321.
    #[test]
    fn known_hashes() {
        // d41d8cd98f00b204e9800998ecf8427e
        let words = [0xd98c_1dd4, 0x04b2_008f, 0x9809_80e9, 0x7e42_f8ec];
        assert_eq!(md5_words(b""), words);
        // 900150983cd24fb0d6963f7d28e17f72
        assert_eq!(md5(b"abc"), 0x9850_0190);
    }
}
