use super::{Key, MAX_IN_BASE64, MAX_KEY_LENGTH};
use crate::error::Error;
use crate::names::names;
use std::fmt;

/// Which bytes a key may have, as they are sent.
///
/// ```
/// use moecache::{Client, KeyBytes, Protocol};
///
/// let client = Client::builder().servers("10.0.0.1").key_bytes(KeyBytes::NonAscii).build()?;
/// client.server_for("ключ")?;
/// assert!(client.server_for("a key").is_err());
/// # Ok::<(), moecache::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyBytes {
    /// Printable ASCII without the space, 0x21 to 0x7e: what moecache allows, EnyimMemcached in its
    /// text protocol, php-memcached, and libmemcached when it verifies keys.
    Printable,
    /// Besides those, 0x80 to 0xff: UTF-8, say. All that a line can hold without harm: no space, no
    /// control character.
    NonAscii,
    /// All of them, where the protocol is meta, which sends keys that need it in base64 and allows
    /// them 186 bytes, or binary, which allows 250. The servers must be memcached 1.6.18 or later, or
    /// speak the binary protocol.
    Any,
}

names!(
    KeyBytes, "key_bytes";
    Printable "printable"
    NonAscii "non-ascii"
    Any "any"
);

/// Which bytes are a key, in a protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyRule {
    /// Printable ASCII without the space, 0x21 to 0x7e.
    Printable,
    /// Those, and 0x80 to 0xff. memcached splits a line at spaces and ends it at a line feed; it would
    /// store the other control characters, but not every client reads such a key back: libmemcached,
    /// 1.0 and 1.1, takes its value for empty.
    NonAscii,
    /// All, for a protocol of lines: base64 carries those that are not printable.
    Base64,
    /// All, for a protocol that gives the length of each key.
    Counted,
}

impl KeyRule {
    /// The key of up to `longest` bytes.
    pub(crate) fn key_within(self, longest: usize, bytes: &[u8]) -> Result<Key<'_>, KeyError> {
        let sent = bytes.len();
        if sent == 0 {
            return Err(KeyError::Empty);
        }
        let length = Length::of(sent);
        if sent > longest {
            return Err(KeyError::TooLong { length, longest });
        }
        let bad = self.bad_byte(bytes);
        match (self, bad) {
            (Self::Printable | Self::NonAscii, Some(at)) => return Err(self.refuse(bytes, at)),
            (Self::Base64, Some(_)) if sent > MAX_IN_BASE64 => {
                return Err(KeyError::TooLongForBase64 { length });
            }
            _ => {}
        }
        Ok(Key {
            bytes,
            unplaced: 0,
            is_binary: bad.is_some(),
            is_word: bytes.starts_with(b"noreply"),
        })
    }

    /// The same, of any length that memcached takes.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn key(self, bytes: &[u8]) -> Result<Key<'_>, KeyError> {
        self.key_within(super::MAX_KEY_LENGTH, bytes)
    }

    /// Where the first byte is that a key may not have, or that makes it binary.
    fn bad_byte(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::NonAscii => first_not(bytes, |byte| byte > b' ' && byte != 0x7f),
            Self::Printable | Self::Base64 | Self::Counted => {
                first_not(bytes, |byte| byte.is_ascii_graphic())
            }
        }
    }

    fn refuse(self, bytes: &[u8], at: usize) -> KeyError {
        KeyError::BadByte {
            at,
            byte: bytes[at],
            rule: self,
        }
    }

    /// Whether keys can begin with `prefix`.
    pub(super) fn check_prefix(self, prefix: &[u8]) -> Result<(), KeyError> {
        match (self, self.bad_byte(prefix)) {
            (Self::Printable | Self::NonAscii, Some(at)) => Err(self.refuse(prefix, at)),
            _ => Ok(()),
        }
    }

    /// What is allowed, for messages.
    pub(super) fn allowed(self) -> &'static str {
        match self {
            Self::Printable => "the printable ASCII characters 0x21 to 0x7e",
            Self::NonAscii => "0x21 to 0x7e and 0x80 to 0xff",
            Self::Base64 | Self::Counted => "all",
        }
    }

    /// What to set so that `byte` is allowed, for messages.
    pub(super) fn who_allows(self, byte: u8) -> &'static str {
        match self {
            Self::Printable if byte >= 0x80 => {
                "; for UTF-8 set key_bytes to non-ascii, KeyBytes::NonAscii"
            }
            _ => "",
        }
    }
}

/// Where the first byte is that is not good.
fn first_not(bytes: &[u8], is_good: impl Fn(u8) -> bool) -> Option<usize> {
    // All of them first: without a way out of the loop, several are judged at once.
    if bytes.iter().fold(true, |good, &byte| good & is_good(byte)) {
        return None;
    }
    bytes.iter().position(|&byte| !is_good(byte))
}

/// Why some bytes are not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("empty; 1 to {MAX_KEY_LENGTH} bytes are allowed")]
    Empty,
    #[error("{length}; 1 to {longest} are allowed")]
    TooLong { length: Length, longest: usize },
    #[error(
        "{length}, and not all of them printable ASCII; 1 to {MAX_IN_BASE64} are allowed then, \
         because it is sent in base64"
    )]
    TooLongForBase64 { length: Length },
    #[error(
        "byte 0x{byte:02x} at position {at} is not allowed; allowed are {}{}",
        rule.allowed(),
        rule.who_allows(*byte)
    )]
    BadByte { at: usize, byte: u8, rule: KeyRule },
    #[error("not UTF-8; the key transform {transform} hashes text")]
    NotText { transform: &'static str },
    #[error("{transform} needs the feature `{transform}` of the crate")]
    NoFeature { transform: &'static str },
}

impl KeyError {
    /// The same as the caller sees it: of a key of `own` bytes, behind so many of a prefix.
    pub(super) fn behind(self, prefix: usize, own: usize) -> Self {
        let behind = |length: Length| Length {
            own,
            prefix,
            ..length
        };
        match self {
            Self::TooLong { length, longest } => Self::TooLong {
                length: behind(length),
                longest,
            },
            Self::TooLongForBase64 { length } => Self::TooLongForBase64 {
                length: behind(length),
            },
            Self::BadByte { at, byte, rule } => Self::BadByte {
                at: at.saturating_sub(prefix),
                byte,
                rule,
            },
            other => other,
        }
    }
}

/// How long a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Length {
    /// As the caller gave it.
    pub(super) own: usize,
    pub(super) prefix: usize,
    /// As it is sent.
    pub(super) sent: usize,
}

impl Length {
    /// Of one that is sent as it was given.
    pub(super) fn of(own: usize) -> Self {
        Self {
            own,
            prefix: 0,
            sent: own,
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes long", self.own)?;
        let whole = self.prefix + self.own;
        if self.prefix > 0 {
            write!(f, ", {whole} with the prefix")?;
        }
        if self.sent != whole {
            write!(f, ", {} as it is sent", self.sent)?;
        }
        Ok(())
    }
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        Self::validation(format!("key: {error}"))
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
            for (rule, allowed) in [
                (KeyRule::Printable, is_printable),
                (KeyRule::NonAscii, is_printable || byte >= 0x80),
            ] {
                let error = KeyError::BadByte { at: 1, byte, rule };
                match rule.key(&key) {
                    Ok(key) => assert!(allowed && !key.is_binary(), "byte {byte:#04x}"),
                    Err(found) => assert!(!allowed && found == error, "byte {byte:#04x}"),
                }
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
                (KeyRule::NonAscii, 0xff, 250),
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
