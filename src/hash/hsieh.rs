//! Paul Hsieh's SuperFastHash (2004).

/// SuperFastHash as libmemcached and twemproxy have it. It is not built into most libmemcached.
pub(super) fn hsieh(bytes: &[u8]) -> u32 {
    let half = |bytes: &[u8]| super::le_word(&bytes[..2]);
    let blocks = bytes.chunks_exact(4);
    let rest = blocks.remainder();
    let mut hash = blocks.fold(0, |hash: u32, block| {
        let hash = hash.wrapping_add(half(block));
        let hash = (hash << 16) ^ (half(&block[2..]) << 11) ^ hash;
        hash.wrapping_add(hash >> 11)
    });
    match *rest {
        [_, _, third] => {
            hash = hash.wrapping_add(half(rest));
            hash ^= hash << 16;
            // This byte alone is C's `char`, which is signed.
            hash ^= super::sign_extended(third) << 18;
            hash = hash.wrapping_add(hash >> 11);
        }
        [_, _] => {
            hash = hash.wrapping_add(half(rest));
            hash ^= hash << 11;
            hash = hash.wrapping_add(hash >> 17);
        }
        [byte] => {
            hash = hash.wrapping_add(byte.into());
            hash ^= hash << 10;
            hash = hash.wrapping_add(hash >> 1);
        }
        _ => {}
    }
    hash ^= hash << 3;
    hash = hash.wrapping_add(hash >> 5);
    hash ^= hash << 4;
    hash = hash.wrapping_add(hash >> 17);
    hash ^= hash << 25;
    hash.wrapping_add(hash >> 6)
}
