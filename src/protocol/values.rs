//! The values of a `get` line, which text and meta share.

use super::decoder::{Decoder, Group, LineError, Place};
use super::ends::{Late, Verdict, after_end, after_error};
use super::lines::{first_line, length_within, number, refused};
use super::reply::{Excerpt, Malformed, Reply, Status, Step, ValueHeader};
use super::request::keys_on_line;
use crate::key::Key;

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
        decoder.group = Group::new(decoder.next, keys_on_line(rest, decoder.window.max_keys));
        decoder.error = None;
    }
    if decoder.error.as_ref().is_some_and(|error| error.is_end) {
        return Ok(missing(decoder, None, 0));
    }
    let max = decoder.bounds.value;
    if let Some(key) = decoder.group.expected(decoder.requests) {
        if let Some((header, used)) = usual(key, cas, max, input) {
            return Ok(value(decoder, header, &input[used..], used));
        }
    }
    let Some((line, used)) = first_line(input, decoder.bounds.line)? else {
        return Ok(Step::NeedMore);
    };
    let Some(rest) = line.strip_prefix(b"VALUE ") else {
        return if line == b"END" {
            end(decoder, &input[used..], used)
        } else {
            error(decoder, line, &input[used..], used)
        };
    };
    let key = &rest[..memchr::memchr(b' ', rest).unwrap_or(rest.len())];
    let found = decoder.group.find(decoder.requests, key);
    let found = found.or_else(|| {
        let asked = decoder.group.expected(decoder.requests)?;
        let is_it = decoder.bounds.queues && decoder.group.is_single() && is_queue_of(asked, key);
        is_it.then_some(decoder.group.cursor)
    });
    decoder.group.cursor = found.ok_or(Malformed::WrongKey)?;
    let header = value_header(&rest[key.len()..], cas, max, line)?;
    Ok(value(decoder, header, &input[used..], used))
}

/// The value of the request at the cursor, after a line of `used` bytes.
fn value<'b>(decoder: &mut Decoder<'_>, header: ValueHeader, rest: &[u8], used: usize) -> Step<'b> {
    let index = decoder.group.cursor;
    decoder.owes_end = false;
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

/// Whether `key` asks for something to be done with this queue: `jobs/open` is for `jobs`.
fn is_queue_of(key: Key<'_>, queue: &[u8]) -> bool {
    let rest = key.as_bytes().strip_prefix(queue);
    rest.is_some_and(|rest| rest.starts_with(b"/"))
}

/// What follows the data of a value.
fn end_of_value<'b>(decoder: &mut Decoder<'_>, input: &'b [u8]) -> Result<Step<'b>, Malformed> {
    let Some(rest) = after_data(input)? else {
        return Ok(Step::NeedMore);
    };
    let mut used = 2;
    // With its only key a line must end: an error in its place leaves it incomplete.
    if decoder.group.is_single() {
        match first_line(rest, decoder.bounds.line)? {
            None => return Ok(Step::NeedMore),
            Some((b"END", end)) => used += end,
            Some((line, _)) => return Err(Malformed::Unexpected(Excerpt::new(line))),
        }
    }
    let index = decoder.group.cursor;
    decoder.next = decoder.group.take(decoder.next);
    decoder.place = Place::Start;
    Ok(Step::EndOfValue { used, index })
}

/// The end of a `get` line's reply. `rest` comes after it.
fn end<'b>(decoder: &mut Decoder<'_>, rest: &[u8], used: usize) -> Result<Step<'b>, Malformed> {
    if decoder.owes_end && decoder.group.is_untouched() && decoder.error.is_none() {
        match after_end(decoder, rest) {
            Late::Earlier => {
                decoder.owes_end = false;
                return Ok(Step::Skip { used });
            }
            Late::Due => decoder.owes_end = false,
            Late::Unclear => return Err(Malformed::Unexpected(Excerpt::new(b"END"))),
            Late::NeedMore => return Ok(undecided(decoder)),
        }
    }
    Ok(missing(decoder, Some(Status::NotFound), used))
}

/// An error in the reply to a `get` line. `rest` comes after it.
fn error<'b>(
    decoder: &mut Decoder<'_>,
    line: &'b [u8],
    rest: &[u8],
    used: usize,
) -> Result<Step<'b>, Malformed> {
    let refused = refused(line).ok_or_else(|| Malformed::Unexpected(Excerpt::new(line)))?;
    if decoder.group.is_single() {
        decoder.owes_end = true;
        return Ok(decoder.reply(used, Reply::Refused(refused)));
    }
    if decoder.error.is_some() {
        return Ok(Step::Skip { used });
    }
    let verdict = after_error(decoder, rest);
    if verdict == Verdict::NeedMore {
        return Ok(undecided(decoder));
    }
    decoder.owes_end = false;
    decoder.error = Some(LineError {
        line: line.to_vec(),
        by_grammar: refused.by_grammar,
        is_end: verdict != Verdict::GoesOn,
        is_certain: verdict != Verdict::Unclear,
    });
    Ok(Step::Skip { used })
}

fn undecided(decoder: &mut Decoder<'_>) -> Step<'static> {
    decoder.is_undecided = true;
    Step::NeedMore
}

/// The end of a `get` line's reply, for the next of its keys of which no value has come: the error
/// that came for the line, or this `status`. With the last of them `used` bytes are.
fn missing<'b>(decoder: &mut Decoder<'_>, status: Option<Status>, used: usize) -> Step<'b> {
    let missing = decoder.group.first_missing();
    if let Some(index) = missing {
        decoder.group.cursor = index;
        decoder.group.take(decoder.next);
    }
    let is_last = decoder.group.first_missing().is_none();
    let used = if is_last { used } else { 0 };
    let error = decoder.error.as_ref();
    if is_last {
        decoder.next = decoder.group.end;
        decoder.is_lost = error.is_some_and(|error| !error.is_certain);
        decoder.fence &= !decoder.is_lost;
    }
    match (missing, error, status) {
        (Some(index), None, Some(status)) => {
            let reply = Reply::Status(status);
            Step::Reply { used, index, reply }
        }
        (Some(index), ..) => Step::LineError { used, index },
        (None, ..) => Step::Skip { used },
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
