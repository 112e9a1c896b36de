//! A command of the program's own: one line, and what the program says comes back.

use super::reply::Excerpt;
use crate::error::Error;
use std::fmt;

/// What comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// One line.
    Line,
    /// Lines, up to `END`, or `EN` as `lru_crawler mgdump` has it.
    Lines,
    /// A value, or that there is none: `VALUE ..` and `END`, or `VA ..`.
    Value,
}

/// A line that a server reads as one command, and answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawLine<'a> {
    text: &'a [u8],
    pub(super) expected: Expected,
}

/// `Debug` shows the name of the command: the rest may be secret.
impl fmt::Debug for RawLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Excerpt::new(self.words().next().unwrap_or_default());
        write!(f, "RawLine({name} .., {:?})", self.expected)
    }
}

impl<'a> RawLine<'a> {
    /// The longest, in bytes. memcached 1.6.18 closes the connection on one of over 1,024 that is no
    /// `get`, since it cannot be right (`large_request` in its `proto_text.c`).
    const MAX_LENGTH: usize = 1000;

    /// # Errors
    ///
    /// A validation error for what could be more than one command, or would not be answered as
    /// `expected` says.
    pub(crate) fn new(text: &'a [u8], expected: Expected) -> Result<Self, Error> {
        let line = Self { text, expected };
        match line.fault() {
            Some(fault) => Err(Error::validation(format!("command: {fault}"))),
            None => Ok(line),
        }
    }

    pub(crate) fn text(&self) -> &'a [u8] {
        self.text
    }

    pub(super) fn words(&self) -> impl Iterator<Item = &'a [u8]> {
        let words = self.text.split(|&byte| byte == b' ');
        words.filter(|word| !word.is_empty())
    }

    /// Whether it is a meta command, whose value no `END` follows.
    pub(super) fn is_meta(&self) -> bool {
        matches!(self.words().next(), Some([b'm', _]))
    }

    fn fault(&self) -> Option<String> {
        let text = self.text;
        if text.len() > Self::MAX_LENGTH {
            let (length, max) = (text.len(), Self::MAX_LENGTH);
            return Some(format!("{length} bytes long; up to {max} are allowed"));
        }
        if let Some(at) = text.iter().position(u8::is_ascii_control) {
            return Some(format!(
                "byte 0x{:02x} at position {at} is not allowed; it must be one line, without its end",
                text[at]
            ));
        }
        let mut words = self.words();
        let Some(name) = words.next().filter(|_| !text.starts_with(b" ")) else {
            return Some("it must begin with its name".to_owned());
        };
        let shown = name.escape_ascii();
        // Some servers take names in any case.
        let name = name.to_ascii_lowercase();
        let rest: Vec<&[u8]> = words.collect();
        match &name[..] {
            b"set" | b"add" | b"replace" | b"append" | b"prepend" | b"cas" | b"ms" => {
                return Some(format!(
                    "{shown} takes a value on a second line; set and meta_set send one"
                ));
            }
            b"config" if rest.first() != Some(&&b"get"[..]) => {
                return Some(format!(
                    "{shown} may take a value on a second line, unless it is get"
                ));
            }
            b"quit" | b"shutdown" => return Some(format!("{shown} has no answer")),
            b"watch" => return Some(format!("{shown} has an answer without end")),
            _ => {}
        }
        if rest
            .iter()
            .any(|word| word.eq_ignore_ascii_case(b"noreply"))
        {
            return Some("with noreply there is no answer".to_owned());
        }
        let flags = if self.is_meta() {
            rest.get(1..).unwrap_or_default()
        } else {
            &[]
        };
        if flags.iter().any(|flag| flag.starts_with(b"q")) {
            return Some("with the flag q there may be no answer".to_owned());
        }
        let keys = match &name[..] {
            b"get" | b"gets" => rest.len(),
            b"gat" | b"gats" => rest.len().saturating_sub(1),
            _ if flags.contains(&&b"v"[..]) => 1,
            _ => 0,
        };
        match self.expected {
            Expected::Value if keys > 1 => Some(format!(
                "{shown} with several keys; Client::get_many reads several values"
            )),
            Expected::Line | Expected::Lines if keys > 0 => Some(format!(
                "the answer to {shown} is a value; Raw::value reads it"
            )),
            _ => None,
        }
    }
}
