//! Bob Jenkins' hashes: one-at-a-time (1997) and lookup3 (2006).

/// One-at-a-time of what may be more than bytes: C's are signed.
pub(super) fn one_at_a_time(units: impl Iterator<Item = u32>) -> u32 {
    let mut hash = units.fold(0, |hash: u32, unit| {
        let hash = hash.wrapping_add(unit);
        let hash = hash.wrapping_add(hash << 10);
        hash ^ (hash >> 6)
    });
    hash = hash.wrapping_add(hash << 3);
    hash ^= hash >> 11;
    hash.wrapping_add(hash << 15)
}

/// lookup3 with libmemcached's initial value.
pub(super) fn lookup3(bytes: &[u8]) -> u32 {
    lookup3_from(13, bytes)
}

/// `hashlittle` of lookup3.
fn lookup3_from(initial: u32, bytes: &[u8]) -> u32 {
    let length = super::length(bytes);
    let start = 0xdead_beef_u32.wrapping_add(length).wrapping_add(initial);
    let mut state = [start; 3];
    // The last block goes through another mixer, a full one too. "Zero length strings require no
    // mixing."
    let mut rest = bytes;
    while rest.len() > 12 {
        let (block, after) = rest.split_at(12);
        add(&mut state, block);
        mix(&mut state);
        rest = after;
    }
    if !rest.is_empty() {
        add(&mut state, rest);
        finish(&mut state);
    }
    state[2]
}

/// Adds up to 12 bytes as three little-endian words; those that are missing count as zeros.
fn add(state: &mut [u32; 3], block: &[u8]) {
    for (word, bytes) in state.iter_mut().zip(block.chunks(4)) {
        *word = word.wrapping_add(super::digest::le_word(bytes));
    }
}

/// `mix(a, b, c)`: six rounds, each on the words in turn.
fn mix(state: &mut [u32; 3]) {
    for (round, bits) in [4, 6, 8, 16, 19, 4].into_iter().enumerate() {
        let (a, b, c) = (round % 3, (round + 1) % 3, (round + 2) % 3);
        state[a] = state[a].wrapping_sub(state[c]) ^ state[c].rotate_left(bits);
        state[c] = state[c].wrapping_add(state[b]);
    }
}

/// `final(a, b, c)`: seven rounds, the first on `c`.
fn finish(state: &mut [u32; 3]) {
    for (round, bits) in [14, 11, 25, 16, 4, 14, 24].into_iter().enumerate() {
        let (to, from) = ((round + 2) % 3, (round + 1) % 3);
        state[to] = (state[to] ^ state[from]).wrapping_sub(state[from].rotate_left(bits));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those of Jenkins' article in Dr. Dobb's, as Wikipedia has them.
    #[test]
    fn known_one_at_a_time() {
        let hash = |text: &[u8]| one_at_a_time(text.iter().map(|&byte| u32::from(byte)));
        assert_eq!(hash(b"a"), 0xca2e_9442);
        assert_eq!(
            hash(b"The quick brown fox jumps over the lazy dog"),
            0x519e_91f5
        );
    }

    /// From the self-test of lookup3.c, driver5.
    #[test]
    fn known_lookup3() {
        assert_eq!(lookup3_from(0, b""), 0xdead_beef);
        assert_eq!(lookup3_from(0xdead_beef, b""), 0xbd5b_7dde);
        let text = b"Four score and seven years ago";
        assert_eq!(lookup3_from(0, text), 0x1777_0551);
        assert_eq!(lookup3_from(1, text), 0xcd62_8161);
    }
}
