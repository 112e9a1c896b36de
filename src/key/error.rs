use super::rule::KeyRule;
use super::{MAX_IN_BASE64, MAX_KEY_LENGTH};
use crate::error::Error;
use std::fmt;

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
