//! Paul Hsieh's SuperFastHash (2004).

/// SuperFastHash as libmemcached and twemproxy have it. It is not built into most libmemcached.
pub(super) fn hsieh(bytes: &[u8]) -> u32 {
    let half = |bytes: &[u8]| super::digest::le_word(&bytes[..2]);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Each kind of end, and a third byte that is negative in C. twemproxy 0.5.0 places keys by them.
    #[test]
    fn known_hashes() {
        let rows = [
            ("", 0),
            ("key1", 0x796f_3b10),
            ("key12", 0x87fe_11ec),
            ("key123", 0x7563_8dbf),
            ("key1234", 0xaf46_c3f8),
            ("key12\u{e9}", 0xba30_07b8),
        ];
        for (text, expected) in rows {
            assert_eq!(hsieh(text.as_bytes()), expected, "{text:?}");
        }
    }
}
