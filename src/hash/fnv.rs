//! FNV (draft-eastlake-fnv), of 32 and 64 bits.

/// The prime of 32-bit FNV.
const FNV_32_PRIME: u32 = 0x0100_0193;

/// The offset basis of 32-bit FNV: what a hasher that was initialised starts from.
pub(crate) const FNV_32_INIT: u32 = 0x811c_9dc5;

/// The prime of 64-bit FNV.
const FNV_64_PRIME: u64 = 0x0100_0000_01b3;

/// The offset basis of 64-bit FNV.
pub(crate) const FNV_64_INIT: u64 = 0xcbf2_9ce4_8422_2325;

/// 32-bit FNV-1a of `bytes`, started from `seed`.
///
/// The seed is explicit because EnyimMemcached hashes keys, and the first point of each server, with
/// a hasher that it never initialised and that therefore starts from 0; moecache copies that.
pub(crate) fn fnv1a_32(seed: u32, bytes: &[u8]) -> u32 {
    fnv1a_32_of(seed, bytes.iter().map(|&byte| u32::from(byte)))
}

/// 32-bit FNV-1 of `bytes`, started from `seed`.
pub(crate) fn fnv1_32(seed: u32, bytes: &[u8]) -> u32 {
    fnv1_32_of(seed, bytes.iter().map(|&byte| u32::from(byte)))
}

/// 64-bit FNV-1a of `bytes`, started from `seed`.
pub(crate) fn fnv1a_64(seed: u64, bytes: &[u8]) -> u64 {
    fnv1a_64_of(seed, bytes.iter().map(|&byte| u64::from(byte)))
}

/// 64-bit FNV-1 of `bytes`, started from `seed`.
pub(crate) fn fnv1_64(seed: u64, bytes: &[u8]) -> u64 {
    fnv1_64_of(seed, bytes.iter().map(|&byte| u64::from(byte)))
}

// What is hashed need not be bytes: C's are signed, and Java's are units of UTF-16.

pub(super) fn fnv1a_32_of(seed: u32, units: impl Iterator<Item = u32>) -> u32 {
    units.fold(seed, |hash, unit| (hash ^ unit).wrapping_mul(FNV_32_PRIME))
}

pub(super) fn fnv1_32_of(seed: u32, units: impl Iterator<Item = u32>) -> u32 {
    units.fold(seed, |hash, unit| hash.wrapping_mul(FNV_32_PRIME) ^ unit)
}

pub(super) fn fnv1a_64_of(seed: u64, units: impl Iterator<Item = u64>) -> u64 {
    units.fold(seed, |hash, unit| (hash ^ unit).wrapping_mul(FNV_64_PRIME))
}

pub(super) fn fnv1_64_of(seed: u64, units: impl Iterator<Item = u64>) -> u64 {
    units.fold(seed, |hash, unit| hash.wrapping_mul(FNV_64_PRIME) ^ unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the test suite of the FNV draft, and those from 0 by hand.
    #[test]
    fn known_hashes() {
        let rows: [(&[u8], u32, u32, u64, u64); 3] = [
            (
                b"",
                0x811c_9dc5,
                0x811c_9dc5,
                0xcbf2_9ce4_8422_2325,
                0xcbf2_9ce4_8422_2325,
            ),
            (
                b"a",
                0x050c_5d7e,
                0xe40c_292c,
                0xaf63_bd4c_8601_b7be,
                0xaf63_dc4c_8601_ec8c,
            ),
            (
                b"foobar",
                0x31f0_b262,
                0xbf9c_f968,
                0x340d_8765_a4dd_a9c2,
                0x8594_4171_f739_67e8,
            ),
        ];
        for (bytes, one_32, one_a_32, one_64, one_a_64) in rows {
            assert_eq!(fnv1_32(FNV_32_INIT, bytes), one_32, "{bytes:?}");
            assert_eq!(fnv1a_32(FNV_32_INIT, bytes), one_a_32, "{bytes:?}");
            assert_eq!(fnv1_64(FNV_64_INIT, bytes), one_64, "{bytes:?}");
            assert_eq!(fnv1a_64(FNV_64_INIT, bytes), one_a_64, "{bytes:?}");
        }
        assert_eq!(fnv1a_32(0, b""), 0);
        assert_eq!(fnv1a_32(0, b"\x01"), FNV_32_PRIME);
        assert_eq!(fnv1_64(0, b"\x01"), 1);
    }
}
