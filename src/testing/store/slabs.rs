//! Slab classes: how much memory an item takes, and which class `stats` counts it under.

use std::iter;

/// memcached's `sizeof(item)` (48) and the cas id (8).
const ITEM_HEADER: usize = 56;

/// The largest slab chunk. Larger items are chained from several chunks.
pub(crate) const CHUNK_MAX: usize = 512 * 1024;

/// What one slab page holds.
pub(crate) const PAGE: usize = 1024 * 1024;

/// `ITEM_ntotal` in memcached's `memcached.h`: the key is stored with a NUL, flags only when they
/// are not 0, and the value with its CR LF.
pub(crate) fn item_size(key: &[u8], flags: u32, length: usize) -> usize {
    let flags = if flags == 0 { 0 } else { 4 };
    ITEM_HEADER + key.len() + 1 + flags + length + 2
}

/// The class of an item of that size, counted from 1.
pub(crate) fn class_of(size: usize) -> u8 {
    let smaller = chunk_sizes().take_while(|&chunk| chunk < size && chunk < CHUNK_MAX);
    smaller.zip(2..).last().map_or(1, |(_, class)| class)
}

pub(crate) fn chunk_size(class: u8) -> usize {
    let chunk = chunk_sizes().nth(usize::from(class.saturating_sub(1)));
    chunk.unwrap_or(CHUNK_MAX)
}

/// `slabs_init` in memcached's `slabs.c`, with its default factor of 1.25.
fn chunk_sizes() -> impl Iterator<Item = usize> {
    iter::successors(Some(96), |&chunk| match chunk * 5 / 4 {
        _ if chunk == CHUNK_MAX => None,
        next if next > CHUNK_MAX * 4 / 5 => Some(CHUNK_MAX),
        next => Some(next.next_multiple_of(8)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `stats slabs` and `stats items` of memcached 1.6.18 show them.
    #[test]
    fn classes() {
        let rows = [
            (1, (1, 96)),
            (96, (1, 96)),
            (97, (2, 120)),
            (150, (3, 152)),
            (6_000, (20, 7_104)),
            (300_000, (37, 315_872)),
            (394_840, (38, 394_840)),
            (394_841, (39, 524_288)),
            (1_048_576, (39, 524_288)),
        ];
        for (size, (class, chunk)) in rows {
            assert_eq!(class_of(size), class, "{size}");
            assert_eq!(chunk_size(class), chunk, "{size}");
        }
    }
}
