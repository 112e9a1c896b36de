//! Which text is a key: simplekv's `VALID_KEY_REGEXP`, and the length up to which it promises to work.

use super::StoreError;
use crate::key::MAX_KEY_LENGTH;

/// What a key of a [`KeyValueStore`](super::KeyValueStore) may have besides ASCII letters and digits.
pub const KEY_SYMBOLS: &str = "!\"#$%&'()+,-.<=>?@[]^_`{}~";

/// Refuses what is not a key, where keys may have up to `max_length` bytes.
pub(super) fn check(key: &str, max_length: usize) -> Result<(), StoreError> {
    if key.is_empty() {
        let reason = format!("key: empty; 1 to {max_length} characters are allowed");
        return Err(StoreError::InvalidKey(reason));
    }
    check_characters("key", key)?;
    let length = key.len();
    if length > max_length {
        let behind = if max_length < MAX_KEY_LENGTH {
            " behind the prefix"
        } else {
            ""
        };
        let reason =
            format!("key: {length} characters long; 1 to {max_length} are allowed{behind}");
        return Err(StoreError::InvalidKey(reason));
    }
    Ok(())
}

/// Refuses what no key can hold; `what` it is, the error names.
pub(super) fn check_characters(what: &str, text: &str) -> Result<(), StoreError> {
    let bad = |&(_, c): &(usize, char)| !c.is_ascii_alphanumeric() && !KEY_SYMBOLS.contains(c);
    match text.char_indices().find(bad) {
        None => Ok(()),
        Some((at, c)) => Err(StoreError::InvalidKey(format!(
            "{what}: {c:?} at position {at} is not allowed; allowed are ASCII letters, digits and \
             {KEY_SYMBOLS}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows() {
        let long = "k".repeat(250);
        let all: String = ('a'..='z')
            .chain('A'..='Z')
            .chain('0'..='9')
            .chain(KEY_SYMBOLS.chars())
            .collect();
        for key in ["k", "short_key", &long, &all] {
            assert!(check(key, MAX_KEY_LENGTH).is_ok(), "{key:?}");
        }
        let rows = [
            ("", "key: empty; 1 to 250 characters are allowed"),
            (
                &*format!("{long}k"),
                "key: 251 characters long; 1 to 250 are allowed",
            ),
            ("a b", "key: ' ' at position 1 is not allowed; "),
            ("/", "key: '/' at position 0 is not allowed; "),
            ("a\n", "key: '\\n' at position 1 is not allowed; "),
            ("\0", "key: '\\0' at position 0 is not allowed; "),
            ("a*", "key: '*' at position 1 is not allowed; "),
            ("a\\", "key: '\\\\' at position 1 is not allowed; "),
            ("key\u{e4}", "key: '\u{e4}' at position 3 is not allowed; "),
        ];
        for (key, expected) in rows {
            let error = check(key, MAX_KEY_LENGTH).unwrap_err();
            assert!(matches!(error, StoreError::InvalidKey(_)));
            let error = error.to_string();
            assert!(error.starts_with(expected), "{key:?}: {error}");
        }
        // Of all ASCII, the letters, the digits and those 26.
        let taken = (0..=127_u8).filter(|&byte| check(&char::from(byte).to_string(), 250).is_ok());
        assert_eq!(taken.count(), 26 + 26 + 10 + 26);
        assert_eq!(
            check("four", 3).unwrap_err().to_string(),
            "key: 4 characters long; 1 to 3 are allowed behind the prefix"
        );
    }
}
