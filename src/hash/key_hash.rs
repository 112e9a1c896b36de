use super::crc::{CRC32_15_BITS_MAX, crc16, crc32, crc32_15_bits};
use super::digest::md5;
use super::fnv::{
    FNV_32_INIT, FNV_64_INIT, fnv1_32_of, fnv1_64_of, fnv1a_32, fnv1a_32_of, fnv1a_64_of,
};
use super::hsieh::hsieh;
use super::java::{hash_code, utf16};
use super::jenkins::{lookup3, one_at_a_time};
use super::murmur::{murmur2, murmur3};
use super::{Hash, sign_extended};

/// What a peer computes of a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyHash {
    pub(crate) of: fn(&[u8]) -> u32,
    /// The largest value; every one up to it is as likely as any other. `None` where they are not.
    pub(crate) max: Option<u32>,
}

impl KeyHash {
    /// A hash that fills all 32 bits.
    pub(crate) const fn new(of: fn(&[u8]) -> u32) -> Self {
        let max = Some(u32::MAX);
        Self { of, max }
    }

    /// CRC-32: gomemcache's, dalli's and the old python-memcached's.
    pub(crate) const CRC32: Self = Self::new(crc32);

    /// libmemcached's `crc`, which python-memcached has too.
    pub(crate) const CRC32_15_BITS: Self = Self {
        of: crc32_15_bits,
        max: Some(CRC32_15_BITS_MAX),
    };

    /// FNV-1a of 32 bits from 0: moecache's, and EnyimMemcached's by default.
    pub(crate) const FNV1A_32_UNSEEDED: Self = Self::new(|key| fnv1a_32(0, key));

    /// EnyimMemcachedCore's.
    pub(crate) const FNV1A_32: Self = Self::new(|key| fnv1a_32(FNV_32_INIT, key));

    pub(crate) const MD5: Self = Self::new(md5);

    /// libmemcached's `default`.
    pub(crate) const ONE_AT_A_TIME: Self = Self::new(|key| one_at_a_time(signed(key)));

    /// What libmemcached and twemproxy, which took its hashes over, call so. `None` for what
    /// neither has.
    ///
    /// FNV and one-at-a-time add up C's `char`, which is signed: keys in UTF-8 hash otherwise than
    /// elsewhere.
    pub(crate) fn of_libmemcached(hash: Hash) -> Option<Self> {
        Some(match hash {
            Hash::OneAtATime => Self::ONE_AT_A_TIME,
            Hash::Md5 => Self::MD5,
            Hash::Crc => Self::CRC32_15_BITS,
            Hash::Crc32a => Self::CRC32,
            Hash::Crc16 => Self {
                of: crc16,
                max: None,
            },
            Hash::Fnv1_32 => Self::new(|key| fnv1_32_of(FNV_32_INIT, signed(key))),
            Hash::Fnv1a32 => Self::new(|key| fnv1a_32_of(FNV_32_INIT, signed(key))),
            Hash::Fnv1_64 => Self::new(|key| low(fnv1_64_of(FNV_64_INIT, wide(signed(key))))),
            Hash::Fnv1a64 => Self::new(|key| low(fnv1a_64_of(FNV_64_INIT, wide(signed(key))))),
            Hash::Murmur => Self::new(murmur2),
            Hash::Murmur3 => Self::new(murmur3),
            Hash::Jenkins => Self::new(lookup3),
            Hash::Hsieh => Self::new(hsieh),
            Hash::Sha1 | Hash::Tiger | Hash::Native => return None,
        })
    }

    /// What spymemcached calls so. FNV and `NATIVE_HASH` are of units of UTF-16.
    pub(crate) fn of_spymemcached(hash: Hash) -> Option<Self> {
        Some(match hash {
            Hash::Native => Self::new(hash_code),
            Hash::Crc => Self::CRC32_15_BITS,
            Hash::Md5 => Self::MD5,
            Hash::Fnv1_32 => Self::new(|key| fnv1_32_of(FNV_32_INIT, utf16(key).map(u32::from))),
            Hash::Fnv1a32 => Self::new(|key| fnv1a_32_of(FNV_32_INIT, utf16(key).map(u32::from))),
            Hash::Fnv1_64 => {
                Self::new(|key| low(fnv1_64_of(FNV_64_INIT, utf16(key).map(u64::from))))
            }
            Hash::Fnv1a64 => {
                Self::new(|key| low(fnv1a_64_of(FNV_64_INIT, utf16(key).map(u64::from))))
            }
            _ => return None,
        })
    }
}

fn signed(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.iter().map(|&byte| sign_extended(byte))
}

/// The upper half of a sign that is extended to 64 bits is left out: only the lower half of the
/// hash is used, and nothing comes down to it.
fn wide(units: impl Iterator<Item = u32>) -> impl Iterator<Item = u64> {
    units.map(u64::from)
}

fn low(hash: u64) -> u32 {
    (hash & 0xffff_ffff) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As libmemcached 1.1.4 answers on x86-64: for a key in ASCII, and one beyond.
    #[test]
    fn known_to_libmemcached() {
        let rows = [
            (Hash::OneAtATime, 0xc8fd_181b, 0x61df_10ec, 0xa61b_d158),
            (Hash::Md5, 0x2a40_415d, 0x51e5_9c47, 0xcae3_a5b9),
            (Hash::Crc, 0x3610, 0x2b83, 0x5c14),
            (Hash::Fnv1_64, 0xbdbd_d4c7, 0xc1d7_6c4d, 0x82fe_1971),
            (Hash::Fnv1a64, 0x80aa_bd0b, 0x065f_003d, 0xa5ce_f74d),
            (Hash::Fnv1_32, 0xb6fa_7167, 0x5b8c_8a0d, 0xc4f5_85f1),
            (Hash::Fnv1a32, 0x4f9f_2cab, 0x7c99_343d, 0x8638_274d),
            (Hash::Murmur, 0x521b_0bff, 0xeb97_25d8, 0x8029_3a93),
            (Hash::Jenkins, 0x2e0c_c8f3, 0x8477_8c38, 0x158e_c6dd),
            (Hash::Murmur3, 0x3fa6_8fd9, 0xc61a_39fb, 0x9018_46df),
        ];
        for (hash, plain, german, japanese) in rows {
            let of = KeyHash::of_libmemcached(hash).unwrap().of;
            assert_eq!(of(b"hello"), plain, "{hash}");
            assert_eq!(of("k\u{e4}se".as_bytes()), german, "{hash}");
            assert_eq!(
                of("\u{65e5}\u{672c}\u{8a9e}x".as_bytes()),
                japanese,
                "{hash}"
            );
        }
    }

    /// As spymemcached 2.12.3 answers.
    #[test]
    fn known_to_spymemcached() {
        let rows = [
            (Hash::Native, 0x05e9_18d2, 0x0034_09eb, 0xcd3d_4ae4),
            (Hash::Crc, 0x3610, 0x2b83, 0x4032),
            (Hash::Fnv1_64, 0xbdbd_d4c7, 0xc8fd_1dc4, 0x8e58_ee37),
            (Hash::Fnv1a64, 0x80aa_bd0b, 0xe21e_ee7a, 0x09ff_f7f7),
            (Hash::Fnv1_32, 0xb6fa_7167, 0x88d5_cd64, 0x81e8_0757),
            (Hash::Fnv1a32, 0x4f9f_2cab, 0x276c_b73a, 0xec9e_8bd7),
            (Hash::Md5, 0x2a40_415d, 0x51e5_9c47, 0x7756_63ee),
        ];
        for (hash, plain, german, japanese) in rows {
            let of = KeyHash::of_spymemcached(hash).unwrap().of;
            assert_eq!(of(b"hello"), plain, "{hash}");
            assert_eq!(of("k\u{e4}se".as_bytes()), german, "{hash}");
            let text = "\u{65e5}\u{672c}\u{8a9e}x\u{1f600}";
            assert_eq!(of(text.as_bytes()), japanese, "{hash}");
        }
    }
}
