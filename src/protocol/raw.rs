//! A command of the program's own: one line, and what the program says comes back.

use super::decoder::{Decoder, Place};
use super::lines::{bare_line, length, number, refused};
use super::reply::{Excerpt, Line, Malformed, Refused, Reply, Status, Step, ValueHeader};
use super::values::after_data;
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
    expected: Expected,
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

    fn words(&self) -> impl Iterator<Item = &'a [u8]> {
        let words = self.text.split(|&byte| byte == b' ');
        words.filter(|word| !word.is_empty())
    }

    /// Whether it is a meta command, whose value no `END` follows.
    fn is_meta(&self) -> bool {
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
                    "{shown} takes a value on a second line; set_item and meta_set send one"
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
                "{shown} with several keys; Client::get_many_items reads several values"
            )),
            Expected::Line | Expected::Lines if keys > 0 => Some(format!(
                "the answer to {shown} is a value; Raw::value reads it"
            )),
            _ => None,
        }
    }
}

/// The next step of the reply to `line`, which is due.
pub(super) fn decode<'b>(
    decoder: &mut Decoder<'_>,
    line: &RawLine<'_>,
    input: &'b [u8],
) -> Result<Step<'b>, Malformed> {
    let is_first = decoder.place == Place::Start;
    match line.expected {
        Expected::Value if decoder.place == Place::EndOfValue => {
            return end_of_value(decoder, line, input);
        }
        Expected::Line if !is_first => return Ok(decoder.reply(0, Reply::Status(Status::Ok))),
        _ => {}
    }
    // Some lines of memcached end with LF alone.
    let Some((text, used)) = bare_line(input, decoder.bounds.line)? else {
        return Ok(Step::NeedMore);
    };
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    if let Some(refused) = refused(text) {
        return Ok(decoder.reply(used, Reply::Refused(refused)));
    }
    match line.expected {
        Expected::Lines if matches!(text, b"END" | b"EN") => {
            return Ok(decoder.reply(used, Reply::Status(Status::Ok)));
        }
        Expected::Lines if is_first && is_answer_of_crawler(text) => {
            let refused = Refused {
                line: text.into(),
                by_grammar: false,
            };
            return Ok(decoder.reply(used, Reply::Refused(refused)));
        }
        // What follows is a value, in which there may be anything, an END too.
        Expected::Lines if text.starts_with(b"VALUE ") || text.starts_with(b"VA ") => {
            return Err(Malformed::Unexpected(Excerpt::new(text)));
        }
        Expected::Line | Expected::Lines => {}
        Expected::Value if matches!(text, b"END" | b"EN" | b"NF") => {
            return Ok(decoder.reply(used, Reply::Status(Status::NotFound)));
        }
        Expected::Value => {
            let header = header(line, text, decoder.bounds.value)?;
            let end: &[u8] = if line.is_meta() {
                b"\r\n"
            } else {
                b"\r\nEND\r\n"
            };
            let place = Place::EndOfValue;
            return Ok(decoder.value(&input[used..], used, header, place, |after| {
                after.starts_with(end).then_some(end.len())
            }));
        }
    }
    decoder.place = Place::MoreLines;
    let part = Line::Item(text.into());
    Ok(Step::Part { used, part })
}

/// What the LRU crawler answers that cannot begin; no `END` follows.
fn is_answer_of_crawler(line: &[u8]) -> bool {
    let words: [&[u8]; 3] = [b"BUSY ", b"BADCLASS ", b"NOTSTARTED "];
    words.iter().any(|word| line.starts_with(word))
}

/// `VALUE <key> <flags> <length> [<cas>]`, or `VA <length> <flags>*`.
fn header(command: &RawLine<'_>, line: &[u8], max: usize) -> Result<ValueHeader, Malformed> {
    let unexpected = || Malformed::Unexpected(Excerpt::new(line));
    let mut words = line.split(|&byte| byte == b' ');
    let code = words.next().unwrap_or_default();
    let mut header = ValueHeader::default();
    let flags = |digits| number(digits).and_then(|number: u64| u32::try_from(number).ok());
    match (code, command.is_meta()) {
        (b"VALUE", false) => {
            let key = words.next().unwrap_or_default();
            if command.words().skip(1).all(|word| word != key) {
                return Err(Malformed::WrongKey);
            }
            header.flags = words.next().and_then(flags).ok_or_else(unexpected)?;
            header.length = length(words.next().unwrap_or_default(), max, line)?;
            if let Some(cas) = words.next() {
                header.cas = Some(number(cas).ok_or_else(unexpected)?);
            }
        }
        (b"VA", true) => {
            header.length = length(words.next().unwrap_or_default(), max, line)?;
            for word in words {
                match word.split_first() {
                    Some((b'f', digits)) => header.flags = flags(digits).ok_or_else(unexpected)?,
                    Some((b'c', digits)) => {
                        header.cas = Some(number(digits).ok_or_else(unexpected)?);
                    }
                    _ => {}
                }
            }
        }
        _ => return Err(unexpected()),
    }
    Ok(header)
}

/// What follows the data of the value.
fn end_of_value<'b>(
    decoder: &mut Decoder<'_>,
    line: &RawLine<'_>,
    input: &'b [u8],
) -> Result<Step<'b>, Malformed> {
    let Some(rest) = after_data(input)? else {
        return Ok(Step::NeedMore);
    };
    if line.is_meta() {
        return Ok(decoder.end_of_value(2));
    }
    match bare_line(rest, decoder.bounds.line)? {
        None => Ok(Step::NeedMore),
        Some((b"END\r", used)) => Ok(decoder.end_of_value(2 + used)),
        Some((other, _)) => Err(Malformed::Unexpected(Excerpt::new(other))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::replay::{Event, encode, replay};
    use crate::protocol::{Dialect, Request};

    fn events(command: &str, expected: Expected, reply: &[u8]) -> Vec<Event> {
        let line = RawLine::new(command.as_bytes(), expected).unwrap();
        let request = [Request::Raw { line }];
        let whole = replay(Dialect::Text, &request, 100, reply, &[usize::MAX]);
        for dialect in [Dialect::Text, Dialect::Meta] {
            let (_, sent) = encode(dialect, &request);
            assert_eq!(sent, format!("{command}\r\n").as_bytes());
            for pieces in [&[1][..], &[2, 3]] {
                let replayed = replay(dialect, &request, 100, reply, pieces);
                assert_eq!(replayed, whole, "{pieces:?}");
            }
        }
        whole
    }

    fn shown(command: &str, expected: Expected, reply: &[u8]) -> String {
        format!("{:?}", events(command, expected, reply))
    }

    #[test]
    fn what_comes_back() {
        use Expected::{Line, Lines, Value};
        let rows: &[(&str, Expected, &[u8], &[&str])] = &[
            ("mn", Line, b"MN\r\n", &["Item", "Done { surplus: 0 }"]),
            ("slabs automove 1", Line, b"OK\r\n", &["Status(Ok)", "Done"]),
            ("foo", Line, b"ERROR\r\n", &["Refused", "Done"]),
            ("mn", Line, b"MN\r\nMN\r\n", &["Done { surplus: 4 }"]),
            ("mn", Line, b"MN", &["Incomplete"]),
            (
                "lru_crawler mgdump all",
                Lines,
                b"OK\r\nmg a\nmg b\r\nEN\r\n",
                &["Item", "Status(Ok)", "surplus: 0"],
            ),
            ("lru_crawler mgdump all", Lines, b"BUSY x\r\n", &["Refused"]),
            ("stats", Lines, b"END\r\n", &["Status(Ok)"]),
            (
                "stats",
                Lines,
                b"STAT a 1\r\nSERVER_ERROR x\r\n",
                &["Refused"],
            ),
            ("x", Lines, b"VALUE k 0 1\r\n1\r\nEND\r\n", &["Malformed"]),
            ("x", Lines, b"VA 1\r\n1\r\n", &["Malformed"]),
            (
                "gets k",
                Value,
                b"VALUE k 7 2 9\r\nab\r\nEND\r\n",
                &["flags: 7, cas: Some(9), data: [97, 98]", "surplus: 0"],
            ),
            ("get k", Value, b"END\r\n", &["NotFound"]),
            (
                "get k",
                Value,
                b"VALUE l 7 1\r\na\r\nEND\r\n",
                &["WrongKey"],
            ),
            (
                "get k",
                Value,
                b"VALUE k 7 1\r\na\r\nVALUE k 7 1\r\na\r\nEND\r\n",
                &["Malformed"],
            ),
            ("get k", Value, b"VALUE k 7 101\r\n", &["TooLarge"]),
            (
                "get k",
                Value,
                b"VALUE k 7 1\r\nabEND\r\n",
                &["Unterminated"],
            ),
            (
                "mg k v f c",
                Value,
                b"VA 1 f7 c8 W\r\na\r\n",
                &["flags: 7, cas: Some(8), data: [97]", "surplus: 0"],
            ),
            ("mg k v", Value, b"EN\r\n", &["NotFound"]),
            ("mg k v", Value, b"HD\r\n", &["Malformed"]),
            ("mg k v", Value, b"SERVER_ERROR x\r\n", &["Refused"]),
        ];
        for (command, expected, reply, wanted) in rows {
            let shown = shown(command, *expected, reply);
            for part in *wanted {
                assert!(shown.contains(part), "{command}: {part} is not in {shown}");
            }
        }
    }

    #[test]
    fn what_is_not_sent() {
        use Expected::{Line, Lines, Value};
        let long = "x".repeat(1001);
        let rows = [
            ("", Line, "begin with its name"),
            (" get k", Line, "begin with its name"),
            ("mn\r\nflush_all", Line, "byte 0x0d at position 2"),
            ("mn\nflush_all", Line, "byte 0x0a"),
            ("mn\0", Line, "byte 0x00"),
            ("mn\t", Line, "byte 0x09"),
            (&long, Line, "1001 bytes long; up to 1000"),
            ("set k 0 0 9", Line, "takes a value"),
            ("SET k 0 0 9", Line, "takes a value"),
            ("ms k 9", Line, "takes a value"),
            ("cas k 0 0 9 1", Line, "takes a value"),
            ("config set cluster 0 9", Line, "may take a value"),
            ("quit", Line, "no answer"),
            ("shutdown", Line, "no answer"),
            ("watch", Lines, "without end"),
            ("delete k noreply", Line, "no answer"),
            ("mg k v q", Value, "may be no answer"),
            ("md k q", Line, "may be no answer"),
            ("get k", Line, "Raw::value reads it"),
            ("gat 9 k", Lines, "Raw::value reads it"),
            ("mg k v", Line, "Raw::value reads it"),
            ("get a b", Value, "several keys"),
        ];
        for (text, expected, wanted) in rows {
            let error = RawLine::new(text.as_bytes(), expected).unwrap_err();
            assert!(error.is_validation(), "{error:?}");
            assert!(error.to_string().contains(wanted), "{text:?}: {error}");
        }
        for (text, expected) in [
            ("config get cluster", Lines),
            ("mg q", Line),
            ("mg k t c", Line),
            ("lru_crawler metadump hash", Lines),
            ("gat 9 k", Value),
            ("incr \u{fc} 1", Line),
        ] {
            RawLine::new(text.as_bytes(), expected).unwrap();
        }
    }
}
