//! What Java hashes: not the bytes of a string, but its units of UTF-16.

/// `String.hashCode()`.
pub(super) fn hash_code(bytes: &[u8]) -> u32 {
    utf16(bytes).fold(0, |hash: u32, unit| {
        hash.wrapping_mul(31).wrapping_add(unit.into())
    })
}

/// The string that these bytes are in UTF-8, which is how spymemcached sends it. Bytes that are not
/// UTF-8 stand for no string; they become U+FFFD, as when Java decodes them.
pub(super) fn utf16(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.utf8_chunks().flat_map(|chunk| {
        let replaced = (!chunk.invalid().is_empty()).then_some(0xfffd);
        chunk.valid().encode_utf16().chain(replaced)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the JDK prints them.
    #[test]
    fn known_hashes() {
        let rows = [
            ("", 0),
            ("hello", 99_162_322),
            ("Aa", 2112),
            ("BB", 2112),
            ("polygenelubricants", 0x8000_0000),
            ("\u{e4}", 228),
            ("\u{1f600}", 0xd83d * 31 + 0xde00),
        ];
        for (text, expected) in rows {
            assert_eq!(hash_code(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(utf16(b"a\xffb").collect::<Vec<_>>(), [0x61, 0xfffd, 0x62]);
    }
}
