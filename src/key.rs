//! Keys: checked once, here, before anything else sees them.

use crate::error::Error;

/// The longest key that memcached takes, in bytes (`KEY_MAX_LENGTH` in its `memcached.h`).
pub const MAX_KEY_LENGTH: usize = 250;

/// A key that is safe on the wire: 1 to 250 bytes, none of which can end a command or split it.
///
/// memcached executes the value of a storage command that it refuses as further commands, so a
/// key that is too long or holds a line break would let whoever chose the key run `flush_all`.
/// The protocol layer accepts nothing but this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key<'a>(&'a [u8]);

impl<'a> Key<'a> {
    /// Judges `bytes` by the rule of moecache and EnyimMemcached: printable ASCII without the
    /// space, 0x21 to 0x7e.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, KeyError> {
        if bytes.is_empty() {
            return Err(KeyError::Empty);
        }
        if bytes.len() > MAX_KEY_LENGTH {
            return Err(KeyError::TooLong {
                length: bytes.len(),
            });
        }
        match bytes.iter().position(|byte| !byte.is_ascii_graphic()) {
            Some(at) => Err(KeyError::BadByte {
                at,
                byte: bytes[at],
            }),
            None => Ok(Self(bytes)),
        }
    }

    pub(crate) fn as_bytes(&self) -> &'a [u8] {
        self.0
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

    #[test]
    fn every_byte_is_judged() {
        for byte in 0..=u8::MAX {
            let key = [b'a', byte];
            let expected = if (0x21..=0x7e).contains(&byte) {
                Ok(Key(&key))
            } else {
                Err(KeyError::BadByte { at: 1, byte })
            };
            assert_eq!(Key::new(&key), expected, "byte {byte:#04x}");
        }
    }

    #[test]
    fn every_length_is_judged() {
        assert_eq!(Key::new(b""), Err(KeyError::Empty));
        for length in 1..=300 {
            let key = vec![b'k'; length];
            assert_eq!(Key::new(&key).is_ok(), length <= 250, "{length} bytes");
        }
    }
}
