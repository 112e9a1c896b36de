//! Replies to raw commands, whose end the caller says.

use super::decoder::{Decoder, Place};
use super::lines::{bare_line, length, number, refused};
use super::raw::{Expected, RawLine};
use super::reply::{Excerpt, Line, Malformed, Refused, Reply, Status, Step, ValueHeader};
use super::values::after_data;

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
