//! Keys: checked once, here, before anything else sees them.

use crate::error::Error;

/// The longest key that memcached takes, in bytes (`KEY_MAX_LENGTH` in its `memcached.h`).
pub const MAX_KEY_LENGTH: usize = 250;

/// The longest key that is sent in base64, in bytes: 250 characters hold no more.
const MAX_BASE64: usize = MAX_KEY_LENGTH / 4 * 3;

/// A key that is safe on the wire: 1 to 250 bytes, none of which can end a command or split it.
///
/// memcached executes the value of a storage command that it refuses as further commands, so a
/// key that is too long or holds a line break would let whoever chose the key run `flush_all`.
/// The protocol layer accepts nothing but this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key<'a> {
    bytes: &'a [u8],
    /// Whether it is only safe in base64, or with its length before it.
    is_binary: bool,
}

/// Which bytes are a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum KeyRule {
    /// That of moecache and EnyimMemcached: printable ASCII without the space, 0x21 to 0x7e.
    #[default]
    Printable,
    /// All, for a protocol of lines: base64 carries those that are not printable.
    Base64,
    /// All, for a protocol that gives the length of each key.
    Counted,
}

impl KeyRule {
    pub(crate) fn key(self, bytes: &[u8]) -> Result<Key<'_>, KeyError> {
        let length = bytes.len();
        if length == 0 {
            return Err(KeyError::Empty);
        }
        if length > MAX_KEY_LENGTH {
            return Err(KeyError::TooLong { length });
        }
        // All of them first: without a way out of the loop, several are judged at once.
        let is_good = |good: bool, byte: &u8| good & byte.is_ascii_graphic();
        let bad = if bytes.iter().fold(true, is_good) {
            None
        } else {
            bytes.iter().position(|byte| !byte.is_ascii_graphic())
        };
        match (self, bad) {
            (Self::Printable, Some(at)) => Err(KeyError::BadByte {
                at,
                byte: bytes[at],
            }),
            (Self::Base64, Some(_)) if length > MAX_BASE64 => {
                Err(KeyError::TooLongForBase64 { length })
            }
            _ => Ok(Key {
                bytes,
                is_binary: bad.is_some(),
            }),
        }
    }
}

impl<'a> Key<'a> {
    pub(crate) fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether a line cannot hold it as it is, but in base64.
    pub(crate) fn is_binary(&self) -> bool {
        self.is_binary
    }

    /// The most bytes that it takes on the wire.
    pub(crate) fn wire_length(self) -> usize {
        if self.is_binary {
            self.bytes.len().div_ceil(3) * 4
        } else {
            self.bytes.len()
        }
    }
}

/// Why some bytes are not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("key: empty; 1 to {MAX_KEY_LENGTH} bytes are allowed")]
    Empty,
    #[error("key: {length} bytes long; 1 to {MAX_KEY_LENGTH} are allowed")]
    TooLong { length: usize },
    #[error(
        "key: {length} bytes long, and not all of them printable ASCII; 1 to {MAX_BASE64} are \
         allowed then, because it is sent in base64"
    )]
    TooLongForBase64 { length: usize },
    #[error(
        "key: byte 0x{byte:02x} at position {at} is not allowed; allowed are the printable ASCII \
         characters 0x21 to 0x7e"
    )]
    BadByte { at: usize, byte: u8 },
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        Self::validation(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_key(rule: KeyRule, bytes: &[u8]) -> bool {
        rule.key(bytes).is_ok_and(|key| key.as_bytes() == bytes)
    }

    #[test]
    fn every_byte_is_judged() {
        for byte in 0..=u8::MAX {
            let key = [b'a', byte];
            let is_printable = (0x21..=0x7e).contains(&byte);
            let error = KeyError::BadByte { at: 1, byte };
            match KeyRule::Printable.key(&key) {
                Ok(key) => assert!(is_printable && !key.is_binary(), "byte {byte:#04x}"),
                Err(found) => assert!(!is_printable && found == error, "byte {byte:#04x}"),
            }
            for rule in [KeyRule::Base64, KeyRule::Counted] {
                assert_eq!(rule.key(&key).unwrap().is_binary(), !is_printable);
            }
        }
    }

    #[test]
    fn every_length_is_judged() {
        for length in 0..=300 {
            for (rule, byte, longest) in [
                (KeyRule::Printable, b'k', 250),
                (KeyRule::Base64, b'k', 250),
                (KeyRule::Base64, 0, 186),
                (KeyRule::Counted, 0, 250),
            ] {
                let key = vec![byte; length];
                let expected = (1..=longest).contains(&length);
                assert_eq!(is_key(rule, &key), expected, "{rule:?}, {length} bytes");
            }
        }
        assert_eq!(KeyRule::Printable.key(b""), Err(KeyError::Empty));
    }
}
