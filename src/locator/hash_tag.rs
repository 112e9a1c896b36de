use super::{Locator, Trace};
use crate::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Two characters between which stands what a key is placed by, so that keys that belong together are
/// on one server: with `{}` that of `user:{7}:name` is `7`. A key without them, or with nothing
/// between them, is placed by all of it.
///
/// Source: `hash_tag` in twemproxy's `notes/recommendation.md`; the first of the two characters
/// counts, and the next of the other behind it.
///
/// ```
/// use moecache::HashTag;
///
/// let tag: HashTag = "{}".parse()?;
/// assert_eq!(tag.to_string(), "{}");
/// # Ok::<(), moecache::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HashTag {
    open: u8,
    close: u8,
}

impl HashTag {
    /// The part of `key` that it is placed by.
    fn part(self, key: &[u8]) -> &[u8] {
        let part = memchr::memchr(self.open, key).and_then(|open| {
            let rest = key.get(open + 1..)?;
            rest.get(..memchr::memchr(self.close, rest)?)
        });
        part.filter(|part| !part.is_empty()).unwrap_or(key)
    }
}

impl fmt::Display for HashTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", char::from(self.open), char::from(self.close))
    }
}

impl FromStr for HashTag {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match *text.as_bytes() {
            [open, close] if open.is_ascii_graphic() && close.is_ascii_graphic() => {
                Ok(Self { open, close })
            }
            _ => Err(Error::validation(format!(
                "hash_tag: {text:?} is not possible; it must be two printable ASCII characters, as {{}}"
            ))),
        }
    }
}

/// Places keys by a part of them.
#[derive(Debug)]
pub(crate) struct Tagged {
    pub(crate) tag: HashTag,
    pub(crate) locator: Arc<dyn Locator>,
}

impl Locator for Tagged {
    fn locate(&self, key: &[u8]) -> usize {
        self.locator.locate(self.tag.part(key))
    }

    fn explain(&self, key: &[u8]) -> Trace {
        let part = self.tag.part(key);
        let trace = self.locator.explain(part);
        Trace {
            text: trace.text.or_else(|| Some(part.to_vec())),
            ..trace
        }
    }

    fn shares(&self) -> Option<Vec<f64>> {
        self.locator.shares()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_is_placed_by() {
        let rows = [
            ("{}", "user:{7}:name", "7"),
            ("{}", "{a}{b}", "a"),
            ("{}", "}{a}", "a"),
            ("{}", "{{a}}", "{a"),
            ("{}", "{}{a}", "{}{a}"),
            ("{}", "a{b", "a{b"),
            ("{}", "a}b", "a}b"),
            ("{}", "a", "a"),
            ("$$", "$a$b$", "a"),
            ("$$", "a$", "a$"),
        ];
        for (tag, key, part) in rows {
            let tag: HashTag = tag.parse().unwrap();
            assert_eq!(tag.part(key.as_bytes()), part.as_bytes(), "{tag} {key}");
        }
        for bad in ["", "{", "{}}", "é", "{ "] {
            let error = bad.parse::<HashTag>().unwrap_err().to_string();
            assert!(error.starts_with("hash_tag: "), "{error}");
        }
    }
}
