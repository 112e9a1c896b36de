//! The classic text protocol: memcached's `doc/protocol.txt`.

use super::{
    Excerpt, Malformed, Refused, Reply, Request, StatsArguments, Status, Step, ValueHeader,
};
use crate::key::Key;
use std::io::Write as _;

/// The longest line of a reply. The longest that memcached sends are under 600 bytes: a VALUE line
/// with a key of 250, a STAT line with the path of a unix socket.
pub(crate) const MAX_LINE: usize = 2048;

/// Appends `request` to `out`. A value longer than `inline_max` is not copied but returned, with
/// what goes after it.
pub(crate) fn encode<'a>(
    request: &Request<'a>,
    inline_max: usize,
    out: &mut Vec<u8>,
) -> Option<(&'a [u8], &'static [u8])> {
    let mut line = |parts: &[&[u8]]| parts.iter().for_each(|part| out.extend_from_slice(part));
    match request {
        Request::Get { key } => line(&[b"get ", key.as_bytes(), b"\r\n"]),
        Request::Delete { key } => line(&[b"delete ", key.as_bytes(), b"\r\n"]),
        Request::Version => line(&[b"version\r\n"]),
        Request::Stats { arguments } => match arguments.as_str() {
            "" => line(&[b"stats\r\n"]),
            arguments => line(&[b"stats ", arguments.as_bytes(), b"\r\n"]),
        },
        Request::Set { key, item, exptime } => {
            line(&[b"set ", key.as_bytes()]);
            // Writing to a Vec cannot fail.
            let _ = write!(out, " {} {exptime} {}\r\n", item.flags, item.data.len());
            if item.data.len() > inline_max {
                return Some((item.data, b"\r\n"));
            }
            out.extend_from_slice(item.data);
            out.extend_from_slice(b"\r\n");
        }
    }
    None
}

/// Decodes the reply to one request, which it was made from: it knows what may come.
#[derive(Debug)]
pub(crate) struct Decoder<'r> {
    expects: Expects<'r>,
    max_value: usize,
}

#[derive(Debug, Clone, Copy)]
enum Expects<'r> {
    /// The value of this key, or that there is none.
    Value(Key<'r>),
    /// The line end of a value, and then no further value.
    EndOfValue,
    Stored,
    Deleted,
    /// The whole reply to `stats`.
    Stats(StatsArguments<'r>),
    /// More of its lines, or its end.
    MoreStats,
    Version,
    Nothing,
}

impl<'r> Decoder<'r> {
    /// A decoder for the reply to `request`. A value of over `max_value` bytes is malformed.
    pub(crate) fn new(request: &Request<'r>, max_value: usize) -> Self {
        let expects = match request {
            Request::Get { key } => Expects::Value(*key),
            Request::Set { .. } => Expects::Stored,
            Request::Delete { .. } => Expects::Deleted,
            Request::Stats { arguments } => Expects::Stats(*arguments),
            Request::Version => Expects::Version,
        };
        Self { expects, max_value }
    }

    /// Whether the reply is complete.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.expects, Expects::Nothing)
    }

    /// The next step that `input` allows, the bytes not used so far.
    pub(crate) fn decode<'b>(&mut self, input: &'b [u8]) -> Result<Step<'b>, Malformed> {
        let skipped = match self.expects {
            Expects::Nothing => return Ok(Step::NeedMore),
            Expects::EndOfValue => match input {
                [b'\r', b'\n', ..] => 2,
                [] | [b'\r'] => return Ok(Step::NeedMore),
                _ => return Err(Malformed::Unterminated),
            },
            _ => 0,
        };
        let Some((line, length)) = first_line(&input[skipped..])? else {
            return Ok(Step::NeedMore);
        };
        let used = skipped + length;
        if let (Expects::Value(key), Some(rest)) = (self.expects, line.strip_prefix(b"VALUE ")) {
            let header = self.value_header(key, line, rest)?;
            self.expects = Expects::EndOfValue;
            return Ok(Step::Value { used, header });
        }
        let (reply, expects) = self.line(line)?;
        self.expects = expects;
        Ok(Step::Line { used, reply })
    }

    /// The reply that a whole line is, and what may come after it.
    fn line<'b>(&self, line: &'b [u8]) -> Result<(Reply<'b>, Expects<'r>), Malformed> {
        let status = |status| Ok((Reply::Status(status), Expects::Nothing));
        match (self.expects, line) {
            (
                Expects::Value(_) | Expects::EndOfValue | Expects::Stats(_) | Expects::MoreStats,
                b"END",
            ) => status(Status::End),
            (Expects::Stored, b"STORED") => status(Status::Stored),
            (Expects::Deleted, b"DELETED") => status(Status::Deleted),
            (Expects::Deleted, b"NOT_FOUND") => status(Status::NotFound),
            (Expects::Stats(_), b"OK") => status(Status::Ok),
            (Expects::Stats(_), b"RESET") => status(Status::Reset),
            (Expects::Stats(_) | Expects::MoreStats, _) if stat(line).is_some() => {
                let (name, value) = stat(line).unwrap_or_default();
                let expects = match self.expects {
                    Expects::Stats(arguments) if arguments.has_one_line() => Expects::Nothing,
                    _ => Expects::MoreStats,
                };
                Ok((Reply::Stat { name, value }, expects))
            }
            (Expects::Version, _) if line.starts_with(b"VERSION ") => status(Status::Version),
            // After a value only its END is left: an error line in its place leaves it incomplete.
            (Expects::EndOfValue, _) => Err(Malformed::Unexpected(Excerpt::new(line))),
            _ => match refused(line) {
                Some(refused) => Ok((Reply::Refused(refused), Expects::Nothing)),
                None => Err(Malformed::Unexpected(Excerpt::new(line))),
            },
        }
    }

    /// `VALUE <key> <flags> <bytes>`; `rest` is what follows the first space.
    fn value_header(
        &self,
        key: Key<'_>,
        line: &[u8],
        rest: &[u8],
    ) -> Result<ValueHeader, Malformed> {
        let unexpected = || Malformed::Unexpected(Excerpt::new(line));
        let Some([b' ', numbers @ ..]) = rest.strip_prefix(key.as_bytes()) else {
            return Err(Malformed::WrongKey);
        };
        let space = memchr::memchr(b' ', numbers).ok_or_else(unexpected)?;
        let flags = number(&numbers[..space]).and_then(|flags| u32::try_from(flags).ok());
        let length = number(&numbers[space + 1..]);
        let (Some(flags), Some(length)) = (flags, length) else {
            return Err(unexpected());
        };
        match usize::try_from(length) {
            Ok(length) if length <= self.max_value => Ok(ValueHeader { flags, length }),
            _ => Err(Malformed::TooLarge {
                length,
                max: self.max_value,
            }),
        }
    }
}

/// The first line of `input` without its end, and its length with it.
fn first_line(input: &[u8]) -> Result<Option<(&[u8], usize)>, Malformed> {
    let head = &input[..input.len().min(MAX_LINE)];
    match memchr::memchr(b'\n', head) {
        Some(at) => match head[..at].strip_suffix(b"\r") {
            Some(line) => Ok(Some((line, at + 1))),
            None => Err(Malformed::Unexpected(Excerpt::new(&head[..=at]))),
        },
        None if input.len() >= MAX_LINE => Err(Malformed::LongLine),
        None => Ok(None),
    }
}

/// The name and value of a line of `stats`. Split on the first two spaces only: values contain
/// spaces. `STAT` is the usual word, `ITEM` that of `cachedump`, `PREFIX` that of `detail dump`.
fn stat(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let words: [&[u8]; 3] = [b"STAT ", b"ITEM ", b"PREFIX "];
    let rest = words.iter().find_map(|word| line.strip_prefix(*word))?;
    let (name, value) = match memchr::memchr(b' ', rest) {
        Some(space) => (&rest[..space], &rest[space + 1..]),
        None => (rest, &b""[..]),
    };
    (!name.is_empty()).then_some((name, value))
}

/// `ERROR`, `CLIENT_ERROR <text>` or `SERVER_ERROR <text>`.
fn refused(line: &[u8]) -> Option<Refused<'_>> {
    let word = line.split(|&byte| byte == b' ').next()?;
    match word {
        b"ERROR" | b"CLIENT_ERROR" => Some(Refused {
            line,
            by_grammar: true,
        }),
        b"SERVER_ERROR" => Some(Refused {
            line,
            by_grammar: false,
        }),
        _ => None,
    }
}

/// 1 to 10 decimal digits.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 10 {
        return None;
    }
    digits.iter().try_fold(0, |number: u64, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + u64::from(byte - b'0'))
    })
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
