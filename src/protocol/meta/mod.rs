//! The meta protocol: "Meta Commands" in memcached's `doc/protocol.txt`, as memcached has them since
//! 1.6.18. A reply carries the opaque of its request: a number, counted up from request to request.
//!
//! The gets of a call for many share classic `get` lines here, too, even one that is alone on its
//! line: those are faster than any `mg`s, and unlike an `mg` they never win a stale item.

mod encode;
#[cfg(test)]
mod tests;

use self::encode::encode;
use super::decoder::{Decoder, Place};
use super::lines::{first_line, number, refused};
use super::meta_line::{Line, Meaning, unexpected};
use super::output::Output;
use super::reply::{Counter, Malformed, Refused, Reply, Status, Step};
use super::request::{Request, is_classic, keys_on_line};
use super::{text, values};

/// Encodes all of `requests`, with up to `max_keys` on a `get` line; with `lines`, a get that is alone
/// has one, too. Each has an opaque, one more than the one before it. Quietly, the
/// replies that say nothing new are left out, and a fence tells when all others have come.
pub(super) fn encode_all<'a>(
    requests: &[Request<'a>],
    quiet: bool,
    (max_keys, lines): (usize, bool),
    opaque: u32,
    out: &mut Output<'a>,
) {
    let (mut rest, mut opaque) = (requests, opaque);
    while let Some(request) = rest.first() {
        let run = if quiet {
            1
        } else {
            keys_on_line(rest, max_keys)
        };
        let opaques = u32::try_from(run).unwrap_or(u32::MAX);
        if run > 1 || (lines && !quiet && is_classic(request)) {
            text::encode_all(&rest[..run], max_keys, out);
        } else {
            encode(request, quiet, opaque, out);
        }
        opaque = opaque.wrapping_add(opaques);
        rest = &rest[run..];
    }
    if quiet {
        out.push(b"mn\r\n");
    }
}

/// The next step of the reply that is due.
pub(super) fn decode<'b>(
    decoder: &mut Decoder<'_>,
    input: &'b [u8],
) -> Result<Step<'b>, Malformed> {
    match decoder.due() {
        Some(Request::Get { cas, .. }) if shares_line(decoder) => {
            values::values(decoder, *cas, input)
        }
        Some(request) if request.key().is_none() => text::decode(decoder, input),
        None if !decoder.window.quiet => text::decode(decoder, input),
        _ => match decoder.place {
            Place::EndOfValue => Ok(match values::after_data(input)? {
                Some(_) => decoder.end_of_value(2),
                None => Step::NeedMore,
            }),
            Place::EndOfHeader => Ok(decoder.end_of_value(0)),
            _ if decoder.next < decoder.found => Ok(implied(decoder)),
            _ => {
                let Some((line, used)) = first_line(input, decoder.bounds.line)? else {
                    return Ok(Step::NeedMore);
                };
                if std::mem::take(&mut decoder.owes_end) && line == b"END" {
                    return Ok(Step::Skip { used });
                }
                if decoder.window.quiet {
                    quiet(decoder, input, line, used)
                } else {
                    loud(decoder, input, line, used)
                }
            }
        },
    }
}

/// Whether the request that is due is one of those of a classic `get` line.
fn shares_line(decoder: &Decoder<'_>) -> bool {
    let rest = &decoder.requests[decoder.next..decoder.window.end];
    let is_under_way = decoder.next < decoder.group.end;
    let window = &decoder.window;
    let is_line = |first| window.lines && is_classic(first);
    !window.quiet
        && (is_under_way
            || rest.first().is_some_and(is_line)
            || keys_on_line(rest, window.max_keys) > 1)
}

/// A line of a window in which each request has its reply.
fn loud<'b>(
    decoder: &mut Decoder<'_>,
    input: &'b [u8],
    line: &'b [u8],
    used: usize,
) -> Result<Step<'b>, Malformed> {
    let Some(parsed) = Line::parse(line, decoder.bounds.value)? else {
        let refused = refused(line).map(Reply::Refused);
        return Ok(decoder.reply(used, refused.ok_or_else(|| unexpected(line))?));
    };
    if parsed.index(decoder)? != decoder.next {
        return Err(Malformed::WrongOpaque);
    }
    let request = &decoder.requests[decoder.next];
    let meaning = parsed.meaning(request)?;
    // What flags of the program's own come to, it is told as it is.
    if decoder.place == Place::Start && has_raw_flags(request) {
        decoder.place = Place::MoreLines;
        let part = crate::protocol::Line::Item(line.into());
        return Ok(Step::Part { used: 0, part });
    }
    take(decoder, meaning, &input[used..], used)
}

/// Whether it asks for an item with flags of the program's own.
fn has_raw_flags(request: &Request<'_>) -> bool {
    match request {
        Request::MetaGet { options, .. } => options.more.is_some_and(|more| !more.flags.is_empty()),
        _ => false,
    }
}

/// A line of a window in which only surprises have replies, and then the fence comes.
fn quiet<'b>(
    decoder: &mut Decoder<'_>,
    input: &'b [u8],
    line: &'b [u8],
    used: usize,
) -> Result<Step<'b>, Malformed> {
    if let Some(refused) = refused(line) {
        return error(decoder, refused, &input[used..], used);
    }
    let identified = identify(decoder, line)?;
    let index = identified
        .as_ref()
        .map_or(decoder.window.end, |(index, _)| *index);
    if decoder.next < index {
        decoder.found = index;
        return Ok(implied(decoder));
    }
    if let Some((_, meaning)) = identified {
        return take(decoder, meaning, &input[used..], used);
    }
    decoder.fence = false;
    Ok(Step::Skip { used })
}

/// The request of a quiet window that a line is for, and what it means to it; `None` for the fence.
/// The requests from the one that is due up to it have no reply of their own.
fn identify(decoder: &Decoder<'_>, line: &[u8]) -> Result<Option<(usize, Meaning)>, Malformed> {
    if line == b"MN" {
        return Ok(None);
    }
    let parsed = Line::parse(line, decoder.bounds.value)?.ok_or_else(|| unexpected(line))?;
    let index = parsed.index(decoder)?;
    if index < decoder.next {
        return Err(Malformed::WrongOpaque);
    }
    let meaning = parsed.meaning(&decoder.requests[index])?;
    Ok(Some((index, meaning)))
}

/// What no reply means, for the request that is due.
fn implied(decoder: &mut Decoder<'_>) -> Step<'static> {
    let status = match decoder.due() {
        Some(Request::Store { .. }) => Status::Stored,
        _ => Status::NotFound,
    };
    decoder.reply(0, Reply::Status(status))
}

/// An error in a quiet window: it carries no opaque. `rest` is what comes after its line.
fn error<'b>(
    decoder: &mut Decoder<'_>,
    refused: Refused<'b>,
    rest: &[u8],
    used: usize,
) -> Result<Step<'b>, Malformed> {
    if decoder.requests[decoder.window.start].body().is_some() {
        // The server may run the value for commands: nothing that comes after is clear.
        if refused.by_grammar {
            return Err(unexpected(&refused.line));
        }
        decoder.unclear = true;
        return Ok(Step::Skip { used });
    }
    // One of the gets up to the next that has a reply: which ones of them are misses is not known.
    let Some((line, _)) = first_line(rest, decoder.bounds.line)? else {
        return Ok(Step::NeedMore);
    };
    if self::refused(line).is_some() {
        return Ok(Step::Skip { used });
    }
    let identified = identify(decoder, line)?;
    let index = identified
        .as_ref()
        .map_or(decoder.window.end, |(index, _)| *index);
    if index == decoder.next {
        return Err(unexpected(&refused.line));
    }
    let is_last = decoder.next + 1 == index;
    Ok(decoder.reply(if is_last { used } else { 0 }, Reply::Refused(refused)))
}

/// The step that a line of `used` bytes is, for the request that is due. `rest` comes after it.
fn take<'b>(
    decoder: &mut Decoder<'_>,
    meaning: Meaning,
    rest: &[u8],
    used: usize,
) -> Result<Step<'b>, Malformed> {
    let (place, header) = match meaning {
        Meaning::Reply(reply) => return Ok(decoder.reply(used, reply)),
        Meaning::Number(header) | Meaning::Counter(header) => {
            let Some((digits, more)) = first_line(rest, decoder.bounds.line)? else {
                return Ok(Step::NeedMore);
            };
            let number = number(digits).filter(|_| digits.len() == header.length);
            let number = number.ok_or_else(|| unexpected(digits))?;
            let reply = match meaning {
                Meaning::Counter(_) => Reply::Counter(Counter {
                    number,
                    cas: header.cas,
                    ttl: header.details.ttl,
                }),
                _ => Reply::Number(number),
            };
            return Ok(decoder.reply(used + more, reply));
        }
        Meaning::Value(header) => (Place::EndOfValue, header),
        Meaning::Header(header) => (Place::EndOfHeader, header),
    };
    let end: &[u8] = if place == Place::EndOfValue {
        b"\r\n"
    } else {
        b""
    };
    Ok(decoder.value(rest, used, header, place, |after| {
        after.starts_with(end).then_some(end.len())
    }))
}
