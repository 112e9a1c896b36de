//! The classic text protocol: memcached's `doc/protocol.txt`.

use super::decoder::{Decoder, Group, Place};
use super::lines::{bare_line, first_line, length_within, number, refused};
use super::output::Output;
use super::reply::{Excerpt, Malformed, Part, Refused, Reply, Status, Step, ValueHeader};
use super::request::{Direction, Mode, Request};
use crate::key::Key;

/// The most keys of one `get` line.
const MAX_KEYS: usize = Group::MAX;

/// Encodes all of `requests`; gets in a row share lines.
pub(super) fn encode_all<'a>(requests: &[Request<'a>], out: &mut Output<'a>) {
    let mut rest = requests;
    while let Some(request) = rest.first() {
        let run = run(rest);
        if let Request::Get { cas, .. } = request {
            out.push(if *cas { b"gets" } else { b"get" });
            for key in rest[..run].iter().filter_map(Request::key) {
                out.byte(b' ');
                out.push(key.as_bytes());
            }
            out.push(b"\r\n");
        } else {
            encode(request, out);
        }
        rest = &rest[run..];
    }
}

/// How many requests, from the first on, share a line.
pub(super) fn run(requests: &[Request<'_>]) -> usize {
    let share = |pair: &&[Request<'_>]| share(Some(&pair[0]), &pair[1]);
    1 + requests
        .windows(2)
        .take(MAX_KEYS - 1)
        .take_while(share)
        .count()
}

/// Whether `request` can go on the line of the one before it. A binary key can be on no line.
pub(super) fn share(previous: Option<&Request<'_>>, request: &Request<'_>) -> bool {
    match (previous, request) {
        (Some(Request::Get { key: a, cas: one }), Request::Get { key: b, cas: other }) => {
            one == other && !a.is_binary() && !b.is_binary()
        }
        _ => false,
    }
}

/// Encodes one request that shares its line with no other.
pub(super) fn encode<'a>(request: &Request<'a>, out: &mut Output<'a>) {
    match request {
        Request::Get { .. } => encode_all(&[*request], out),
        Request::GetAndTouch { key, exptime, cas } => {
            out.push(if *cas { b"gats " } else { b"gat " });
            out.number(*exptime);
            out.byte(b' ');
            out.push(key.as_bytes());
        }
        Request::Store {
            mode,
            key,
            item,
            exptime,
        } => {
            out.push(match mode {
                Mode::Set => b"set ",
                Mode::Add => b"add ",
                Mode::Replace => b"replace ",
                Mode::Append => b"append ",
                Mode::Prepend => b"prepend ",
                Mode::Cas(_) => b"cas ",
            });
            out.push(key.as_bytes());
            let length = item.data.len() as u64;
            out.numbers([item.flags.into(), (*exptime).into(), length]);
            if let Mode::Cas(id) = mode {
                out.byte(b' ');
                out.number(*id);
            }
            out.push(b"\r\n");
            out.body(item.data);
        }
        Request::Delete { key, .. } => {
            out.push(b"delete ");
            out.push(key.as_bytes());
        }
        Request::Touch { key, exptime } => {
            out.push(b"touch ");
            out.push(key.as_bytes());
            out.byte(b' ');
            out.number(*exptime);
        }
        Request::Arithmetic {
            direction,
            key,
            delta,
            ..
        } => {
            out.push(match direction {
                Direction::Up => b"incr ",
                Direction::Down => b"decr ",
            });
            out.push(key.as_bytes());
            out.byte(b' ');
            out.number(*delta);
        }
        Request::FlushAll { delay: 0 } => out.push(b"flush_all"),
        Request::FlushAll { delay } => {
            out.push(b"flush_all ");
            out.number(*delay);
        }
        Request::Verbosity { level } => {
            out.push(b"verbosity ");
            out.number(*level);
        }
        Request::Stats { arguments } => {
            out.push(b"stats");
            if !arguments.as_str().is_empty() {
                out.byte(b' ');
                out.push(arguments.as_str().as_bytes());
            }
        }
        // `Dialect::check` lets these through in the meta protocol alone, which has its own.
        Request::MetaGet { .. }
        | Request::MetaSet { .. }
        | Request::MetaDelete { .. }
        | Request::MetaArithmetic { .. } => {}
        Request::Version => out.push(b"version"),
        Request::Metadump => out.push(b"lru_crawler metadump all"),
    }
    out.push(b"\r\n");
}

/// The next step of the reply that is due.
pub(super) fn decode<'b>(
    decoder: &mut Decoder<'_>,
    input: &'b [u8],
) -> Result<Step<'b>, Malformed> {
    match decoder.due() {
        None => Ok(Step::NeedMore),
        Some(Request::Get { cas, .. } | Request::GetAndTouch { cas, .. }) => {
            values(decoder, *cas, input)
        }
        Some(Request::Stats { .. } | Request::Metadump) => lines(decoder, input),
        Some(request) => match first_line(input)? {
            None => Ok(Step::NeedMore),
            Some((line, used)) => Ok(decoder.reply(used, status(request, line)?)),
        },
    }
}

/// The values of a `get` line: `VALUE` and data for each key that is there, then `END`. memcached
/// sends them in the order of the keys, and proxies in any.
pub(super) fn values<'b>(
    decoder: &mut Decoder<'_>,
    cas: bool,
    input: &'b [u8],
) -> Result<Step<'b>, Malformed> {
    if decoder.place == Place::EndOfValue {
        return end_of_value(decoder, input);
    }
    if decoder.next >= decoder.group.end {
        let rest = &decoder.requests[decoder.next..decoder.window.end];
        decoder.group = Group::new(decoder.next, run(rest));
    }
    let max = decoder.max_value;
    if let Some(key) = decoder.group.expected(decoder.requests) {
        if let Some((header, used)) = usual(key, cas, max, input) {
            return Ok(value(decoder, header, &input[used..], used));
        }
    }
    let Some((line, used)) = first_line(input)? else {
        return Ok(Step::NeedMore);
    };
    let Some(rest) = line.strip_prefix(b"VALUE ") else {
        return end(decoder, line, used);
    };
    let key = &rest[..memchr::memchr(b' ', rest).unwrap_or(rest.len())];
    let found = decoder.group.find(decoder.requests, key);
    decoder.group.cursor = found.ok_or(Malformed::WrongKey)?;
    let header = value_header(&rest[key.len()..], cas, max, line)?;
    Ok(value(decoder, header, &input[used..], used))
}

/// The value of the request at the cursor, after a line of `used` bytes.
fn value<'b>(decoder: &mut Decoder<'_>, header: ValueHeader, rest: &[u8], used: usize) -> Step<'b> {
    let index = decoder.group.cursor;
    let end: &[u8] = if decoder.group.is_single() {
        b"\r\nEND\r\n"
    } else {
        b"\r\n"
    };
    let after = rest.get(header.length..);
    if after.is_some_and(|after| after.starts_with(end)) {
        decoder.next = decoder.group.take(decoder.next);
        return Step::Whole {
            used,
            index,
            header,
            tail: end.len(),
        };
    }
    decoder.place = Place::EndOfValue;
    Step::Value {
        used,
        index,
        header,
    }
}

/// What follows the data of a value.
fn end_of_value<'b>(decoder: &mut Decoder<'_>, input: &'b [u8]) -> Result<Step<'b>, Malformed> {
    let Some(rest) = after_data(input)? else {
        return Ok(Step::NeedMore);
    };
    let mut used = 2;
    // With its only key a line must end: an error in its place leaves it incomplete.
    if decoder.group.is_single() {
        match first_line(rest)? {
            None => return Ok(Step::NeedMore),
            Some((b"END", end)) => used += end,
            Some((line, _)) => return Err(Malformed::Unexpected(Excerpt::new(line))),
        }
    }
    let index = decoder.group.cursor;
    decoder.next = decoder.group.take(decoder.next);
    decoder.place = Place::Start;
    Ok(Step::Reply {
        used,
        index,
        reply: Reply::Hit,
    })
}

/// The end of a `get` line's reply, for all of its keys of which no value has come.
fn end<'b>(decoder: &mut Decoder<'_>, line: &'b [u8], used: usize) -> Result<Step<'b>, Malformed> {
    let is_end = line == b"END";
    let reply = match refused(line) {
        _ if is_end => Reply::Status(Status::NotFound),
        Some(refused) => Reply::Refused(refused),
        None => return Err(Malformed::Unexpected(Excerpt::new(line))),
    };
    match decoder.group.first_missing() {
        Some(index) => {
            decoder.group.cursor = index;
            decoder.group.take(decoder.next);
            let used = if decoder.group.first_missing().is_none() {
                decoder.next = decoder.group.end;
                used
            } else {
                0
            };
            Ok(Step::Reply { used, index, reply })
        }
        None if is_end => {
            decoder.next = decoder.group.end;
            Ok(Step::Skip { used })
        }
        None => Err(Malformed::Unexpected(Excerpt::new(line))),
    }
}

/// What follows the line end after the data of a value, once that is there.
pub(super) fn after_data(input: &[u8]) -> Result<Option<&[u8]>, Malformed> {
    match input {
        [b'\r', b'\n', rest @ ..] => Ok(Some(rest)),
        [] | [b'\r'] => Ok(None),
        _ => Err(Malformed::Unterminated),
    }
}

/// The line that comes for a key that is there, and its length, in one pass: what is usual is a
/// matter of nanoseconds. `None` for everything else, to be judged with care.
fn usual(key: Key<'_>, cas: bool, max: usize, input: &[u8]) -> Option<(ValueHeader, usize)> {
    let rest = input.strip_prefix(b"VALUE ")?;
    let (flags, rest) = short_number(rest.strip_prefix(key.as_bytes())?)?;
    let (length, rest) = short_number(rest)?;
    let (cas, rest) = if cas {
        let (id, rest) = short_number(rest)?;
        (Some(id), rest)
    } else {
        (None, rest)
    };
    let rest = rest.strip_prefix(b"\r\n")?;
    let header = ValueHeader {
        flags: u32::try_from(flags).ok()?,
        length: usize::try_from(length)
            .ok()
            .filter(|length| *length <= max)?,
        cas,
        ..ValueHeader::default()
    };
    Some((header, input.len() - rest.len()))
}

/// A space and a number of up to 10 digits, and what comes after it.
fn short_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (b' ', digits) = bytes.split_first()? else {
        return None;
    };
    let (mut number, mut count) = (0, 0);
    while let Some(digit @ 0..=9) = digits.get(count).map(|byte| byte.wrapping_sub(b'0')) {
        if count == 10 {
            return None;
        }
        number = number * 10 + u64::from(digit);
        count += 1;
    }
    (count > 0).then_some((number, &digits[count..]))
}

/// ` <flags> <bytes>[ <cas>]`, of `VALUE <key> <flags> <bytes>[ <cas>]`.
fn value_header(
    numbers: &[u8],
    cas: bool,
    max: usize,
    line: &[u8],
) -> Result<ValueHeader, Malformed> {
    let unexpected = || Malformed::Unexpected(Excerpt::new(line));
    let mut rest = numbers;
    let flags = next_number(&mut rest, 10).and_then(|flags| u32::try_from(flags).ok());
    let flags = flags.ok_or_else(unexpected)?;
    let length = next_number(&mut rest, 10).ok_or_else(unexpected)?;
    let length = length_within(length, max)?;
    let cas = if cas {
        Some(next_number(&mut rest, 20).ok_or_else(unexpected)?)
    } else {
        None
    };
    if !rest.is_empty() {
        return Err(unexpected());
    }
    Ok(ValueHeader {
        flags,
        length,
        cas,
        ..ValueHeader::default()
    })
}

/// Takes a space, and the number of up to so many digits between it and the next.
fn next_number(rest: &mut &[u8], digits: usize) -> Option<u64> {
    let (b' ', after) = rest.split_first()? else {
        return None;
    };
    let is_digit = |byte: &&u8| byte.is_ascii_digit();
    let (text, left) = after.split_at(after.iter().take_while(is_digit).count());
    *rest = left;
    (text.len() <= digits).then(|| number(text)).flatten()
}

/// The reply that one line is.
pub(super) fn status<'b>(request: &Request<'_>, line: &'b [u8]) -> Result<Reply<'b>, Malformed> {
    let status = match (request, line) {
        (Request::Store { .. }, b"STORED") => Status::Stored,
        (
            Request::Store {
                mode: Mode::Add | Mode::Replace | Mode::Append | Mode::Prepend,
                ..
            },
            b"NOT_STORED",
        ) => Status::NotStored,
        (
            Request::Store {
                mode: Mode::Cas(_), ..
            },
            b"EXISTS",
        ) => Status::Exists,
        (
            Request::Store {
                mode: Mode::Cas(_), ..
            }
            | Request::Delete { .. }
            | Request::Touch { .. }
            | Request::Arithmetic { .. },
            b"NOT_FOUND",
        ) => Status::NotFound,
        (Request::Delete { .. }, b"DELETED") => Status::Deleted,
        (Request::Touch { .. }, b"TOUCHED") => Status::Touched,
        (Request::FlushAll { .. } | Request::Verbosity { .. }, b"OK") => Status::Ok,
        (Request::Arithmetic { .. }, [b'0'..=b'9', ..]) => {
            let number = number(line).map(Reply::Number);
            return number.ok_or_else(|| Malformed::Unexpected(Excerpt::new(line)));
        }
        (Request::Version, _) if line.starts_with(b"VERSION ") => {
            return Ok(Reply::Version(&line[b"VERSION ".len()..]));
        }
        _ => {
            let refused = refused(line).map(Reply::Refused);
            return refused.ok_or_else(|| Malformed::Unexpected(Excerpt::new(line)));
        }
    };
    Ok(Reply::Status(status))
}

/// The lines of `stats` and of `lru_crawler metadump`.
pub(super) fn lines<'b>(decoder: &mut Decoder<'_>, input: &'b [u8]) -> Result<Step<'b>, Malformed> {
    let request = decoder.due();
    let is_first = decoder.place == Place::Start;
    if !is_first
        && matches!(request, Some(Request::Stats { arguments }) if arguments.has_one_line())
    {
        return Ok(decoder.reply(0, Reply::Status(Status::Ok)));
    }
    let line = match request {
        // Its lines end with LF alone.
        Some(Request::Metadump) if input.starts_with(b"key=") => bare_line(input)?,
        _ => first_line(input)?,
    };
    let Some((line, used)) = line else {
        return Ok(Step::NeedMore);
    };
    decoder.place = Place::MoreLines;
    let part = match request {
        Some(Request::Stats { .. }) => stat(line),
        _ => line.starts_with(b"key=").then_some(Part::Item(line)),
    };
    let status = match (line, part) {
        (b"END", _) => Status::Ok,
        // Newer servers begin a metadump with it.
        (b"OK", _) if is_first && matches!(request, Some(Request::Metadump)) => {
            return Ok(Step::Skip { used });
        }
        (b"OK", _) if is_first => Status::Ok,
        (b"RESET", _) if is_first => Status::Reset,
        (_, Some(part)) => return Ok(Step::Part { used, part }),
        _ => {
            let refused = refused(line).or_else(|| busy(line)).map(Reply::Refused);
            let reply = refused.ok_or_else(|| Malformed::Unexpected(Excerpt::new(line)))?;
            return Ok(decoder.reply(used, reply));
        }
    };
    Ok(decoder.reply(used, Reply::Status(status)))
}

/// A line of `stats`. Split on the first two spaces only: values contain spaces. `STAT` is the usual
/// word, `ITEM` that of `cachedump`, `PREFIX` that of `detail dump`.
pub(super) fn stat(line: &[u8]) -> Option<Part<'_>> {
    let words: [&[u8]; 3] = [b"STAT ", b"ITEM ", b"PREFIX "];
    let rest = words.iter().find_map(|word| line.strip_prefix(*word))?;
    let (name, value) = match memchr::memchr(b' ', rest) {
        Some(space) => (&rest[..space], &rest[space + 1..]),
        None => (rest, &b""[..]),
    };
    (!name.is_empty()).then_some(Part::Stat { name, value })
}

/// `BUSY currently processing crawler request`: another client has the crawler.
fn busy(line: &[u8]) -> Option<Refused<'_>> {
    line.starts_with(b"BUSY ").then_some(Refused {
        line,
        by_grammar: false,
    })
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
