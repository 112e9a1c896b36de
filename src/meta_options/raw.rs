use crate::error::Error;
use std::fmt;

/// Flags that a program gives a meta command itself: those that memcached gets after this crate was
/// written. In place, so that what holds them is as easy to copy as before.
#[derive(Clone, Copy)]
pub(crate) struct RawFlags {
    /// Each with a space behind it.
    bytes: [u8; Self::MAX_LENGTH],
    length: usize,
    fault: Option<Fault>,
}

/// Why they cannot be sent.
#[derive(Debug, Clone, Copy)]
enum Fault {
    TooLong,
    NotAFlag,
    Known(u8),
    Twice(u8),
}

impl RawFlags {
    /// The most bytes that they take, with a space for each.
    pub(crate) const MAX_LENGTH: usize = 64;

    /// The same with one more. `known` are the letters that the command has already.
    pub(crate) fn with(mut self, flag: &str, known: &[u8]) -> Self {
        let end = self.length + flag.len() + 1;
        let fault = match flag.as_bytes() {
            [] => Some(Fault::NotAFlag),
            flag if !flag.iter().all(u8::is_ascii_graphic) => Some(Fault::NotAFlag),
            [letter, ..] if known.contains(letter) => Some(Fault::Known(*letter)),
            [letter, ..] if self.iter().any(|other| other.starts_with(&[*letter])) => {
                Some(Fault::Twice(*letter))
            }
            _ => None,
        };
        match self.bytes.get_mut(self.length..end) {
            Some([place @ .., space]) if fault.is_none() => {
                place.copy_from_slice(flag.as_bytes());
                *space = b' ';
                self.length = end;
            }
            _ => self.fault = self.fault.or(fault).or(Some(Fault::TooLong)),
        }
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let flags = self.bytes[..self.length].split(|&byte| byte == b' ');
        flags.filter(|flag| !flag.is_empty())
    }

    /// # Errors
    ///
    /// A validation error if one of them is not to be sent.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let reason = match self.fault {
            None => return Ok(()),
            Some(Fault::TooLong) => format!(
                "all together are too long; up to {} bytes are allowed, and a space for each",
                Self::MAX_LENGTH
            ),
            Some(Fault::NotAFlag) => {
                "it must be a letter and what belongs to it, of the printable ASCII characters \
                 0x21 to 0x7e"
                    .to_owned()
            }
            Some(Fault::Known(letter)) => format!(
                "{} is none of those that are missing here: a setter sends it, or the client itself",
                char::from(letter)
            ),
            Some(Fault::Twice(letter)) => {
                format!("{} is there twice", char::from(letter))
            }
        };
        Err(Error::validation(format!("raw_flag: {reason}")))
    }
}

impl Default for RawFlags {
    fn default() -> Self {
        Self {
            bytes: [0; Self::MAX_LENGTH],
            length: 0,
            fault: None,
        }
    }
}

impl fmt::Debug for RawFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = self.bytes[..self.length].escape_ascii();
        write!(f, "RawFlags({flags})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(flags: &[&str]) -> RawFlags {
        let none = RawFlags::default();
        flags.iter().fold(none, |all, flag| all.with(flag, b"vO"))
    }

    #[test]
    fn what_is_sent() {
        assert!(all(&[]).is_empty());
        let flags = all(&["k", "Lpath/", "P"]);
        flags.check().unwrap();
        let sent: Vec<&[u8]> = flags.iter().collect();
        assert_eq!(sent, [&b"k"[..], b"Lpath/", b"P"]);
        all(&[&"x".repeat(63)]).check().unwrap();
    }

    #[test]
    fn what_is_not() {
        let long = "x".repeat(64);
        for (flags, reason) in [
            (&[""][..], "must be a letter"),
            (&["a b"], "must be a letter"),
            (&["a\r\nflush_all"], "must be a letter"),
            (&["a\0"], "must be a letter"),
            (&["\u{fc}"], "must be a letter"),
            (&["Oother"], "O is none"),
            (&["v"], "v is none"),
            (&["k", "kk"], "k is there twice"),
            (&[&long], "too long"),
            (&["ok", "v", "z"], "v is none"),
        ] {
            let flags = all(flags);
            let error = flags.check().unwrap_err();
            assert!(
                error.is_validation() && error.to_string().contains(reason),
                "{error}"
            );
            assert!(flags.iter().all(|flag| matches!(flag, b"k" | b"ok" | b"z")));
        }
    }
}
