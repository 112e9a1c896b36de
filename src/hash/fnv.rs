/// The prime of 32-bit FNV (draft-eastlake-fnv).
const FNV_32_PRIME: u32 = 0x0100_0193;

/// The offset basis of 32-bit FNV: what a hasher that was initialised starts from.
pub(crate) const FNV_32_INIT: u32 = 0x811c_9dc5;

/// 32-bit FNV-1a of `bytes`, started from `seed`.
///
/// The seed is explicit because EnyimMemcached hashes keys, and the first point of each server, with
/// a hasher that it never initialised and that therefore starts from 0; moecache copies that.
pub(crate) fn fnv1a_32(seed: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(seed, |hash, &byte| {
        (hash ^ u32::from(byte)).wrapping_mul(FNV_32_PRIME)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the test suite of the FNV draft, and the empty and one-byte cases by hand.
    #[test]
    fn known_hashes() {
        let rows: [(u32, &[u8], u32); 5] = [
            (FNV_32_INIT, b"", 0x811c_9dc5),
            (FNV_32_INIT, b"a", 0xe40c_292c),
            (FNV_32_INIT, b"foobar", 0xbf9c_f968),
            (0, b"", 0),
            (0, b"\x01", FNV_32_PRIME),
        ];
        for (seed, bytes, expected) in rows {
            assert_eq!(fnv1a_32(seed, bytes), expected, "{bytes:?}");
        }
    }
}
