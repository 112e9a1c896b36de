//! The classic text protocol: memcached's `doc/protocol.txt`.

use super::decoder::{Decoder, Place};
use super::ends;
use super::lines::{bare_line, first_line, refused, status};
use super::options::{Direction, Mode};
use super::output::Output;
use super::raw_reply;
use super::reply::{Excerpt, Line, Malformed, Refused, Reply, Status, Step};
use super::request::{Request, Walk, keys_on_line};
use super::values;

/// Encodes all of `requests`; gets in a row share lines, up to `max_keys` of them.
pub(super) fn encode_all<'a>(requests: &[Request<'a>], max_keys: usize, out: &mut Output<'a>) {
    let mut rest = requests;
    while let Some(request) = rest.first() {
        let run = keys_on_line(rest, max_keys);
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

/// Encodes one request that shares its line with no other.
pub(super) fn encode<'a>(request: &Request<'a>, out: &mut Output<'a>) {
    match request {
        Request::Get { .. } => encode_all(&[*request], 1, out),
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
        // memcached 1.6.40 and later, and its proxy, take the key for the word and do not answer
        // `delete noreply`. twemproxy closes the connection on `delete noreply 0`, which they answer.
        // With an expiry in the past the item is gone at once: all of them answer that.
        Request::Delete { key, .. } if key.is_word() => {
            out.push(b"touch ");
            out.push(key.as_bytes());
            out.push(b" -1");
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
        // A server that asks for no credentials stores it like any item: with this expiry, memcached
        // drops it at once, and nobody can read it; nor has anybody else an item with this key.
        Request::Authenticate { message } => {
            out.push(b"set moecache:authentication 0 -1 ");
            out.number(message.0.len() as u64);
            out.push(b"\r\n");
            out.push(message.0);
        }
        Request::Metadump { walk: Walk::Hash } => out.push(b"lru_crawler metadump hash"),
        Request::Metadump { walk: Walk::Lru } => out.push(b"lru_crawler metadump all"),
        Request::Raw { line } => out.push(line.text()),
    }
    out.push(b"\r\n");
}

/// The next step of the reply that is due.
pub(super) fn decode<'b>(
    decoder: &mut Decoder<'_>,
    input: &'b [u8],
) -> Result<Step<'b>, Malformed> {
    match decoder.due() {
        None if decoder.fence => late_fence(decoder, input),
        None => Ok(Step::NeedMore),
        Some(Request::Get { cas, .. } | Request::GetAndTouch { cas, .. }) => {
            values::values(decoder, *cas, input)
        }
        Some(Request::Stats { .. } | Request::Metadump { .. }) => lines(decoder, input),
        Some(Request::Raw { line }) => raw_reply::decode(decoder, line, input),
        Some(request) => match first_line(input, decoder.bounds.line)? {
            None => Ok(Step::NeedMore),
            Some((line, used)) => {
                if std::mem::take(&mut decoder.owes_end) && line == b"END" {
                    return Ok(Step::Skip { used });
                }
                Ok(decoder.reply(used, status(request, line)?))
            }
        },
    }
}

/// The fence that was sent because of an error, behind all requests.
fn late_fence<'b>(decoder: &mut Decoder<'_>, input: &'b [u8]) -> Result<Step<'b>, Malformed> {
    let Some((line, used)) = first_line(input, decoder.bounds.line)? else {
        return Ok(Step::NeedMore);
    };
    let owed = std::mem::take(&mut decoder.owes_end);
    if owed && line == b"END" {
        return Ok(Step::Skip { used });
    }
    decoder.fence = false;
    // A proxy may have no server that answers it.
    decoder.is_lost = !ends::is_fence(decoder.dialect, line);
    Ok(Step::Skip { used })
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
        Some(Request::Metadump { .. }) if input.starts_with(b"key=") => {
            bare_line(input, decoder.bounds.line)?
        }
        _ => first_line(input, decoder.bounds.line)?,
    };
    let Some((line, used)) = line else {
        return Ok(Step::NeedMore);
    };
    // It may be the end of another reply.
    if std::mem::take(&mut decoder.owes_end) && line == b"END" {
        return Err(Malformed::Unexpected(Excerpt::new(line)));
    }
    decoder.place = Place::MoreLines;
    let part = match request {
        Some(Request::Stats { .. }) => stat(line),
        _ => line.starts_with(b"key=").then_some(Line::Item(line.into())),
    };
    let status = match (line, part) {
        (b"END", _) => Status::Ok,
        // Newer servers begin a metadump with it.
        (b"OK", _) if is_first && matches!(request, Some(Request::Metadump { .. })) => {
            return Ok(Step::Skip { used });
        }
        (b"OK", _) if is_first => Status::Ok,
        (b"RESET", _) if is_first => Status::Reset,
        (_, Some(part)) => return Ok(Step::Part { used, part }),
        _ => {
            let refused = refused(line).or_else(|| not_now(line)).map(Reply::Refused);
            let reply = refused.ok_or_else(|| Malformed::Unexpected(Excerpt::new(line)))?;
            return Ok(decoder.reply(used, reply));
        }
    };
    Ok(decoder.reply(used, Reply::Status(status)))
}

/// A line of `stats`. Split on the first two spaces only: values contain spaces. `STAT` is the usual
/// word, `ITEM` that of `cachedump`, `PREFIX` that of `detail dump`.
pub(super) fn stat(line: &[u8]) -> Option<Line<'_>> {
    let words: [&[u8]; 3] = [b"STAT ", b"ITEM ", b"PREFIX "];
    let rest = words.iter().find_map(|word| line.strip_prefix(*word))?;
    let (name, value) = match memchr::memchr(b' ', rest) {
        Some(space) => (&rest[..space], &rest[space + 1..]),
        None => (rest, &b""[..]),
    };
    (!name.is_empty()).then_some(Line::Stat {
        name: name.into(),
        value: value.into(),
    })
}

/// `BUSY currently processing crawler request`: another client has the crawler. `BADCLASS invalid class
/// id`: the server is older than the word `hash`, and takes it for the number of a slab class.
fn not_now(line: &[u8]) -> Option<Refused<'_>> {
    let is_known = line.starts_with(b"BUSY ") || line.starts_with(b"BADCLASS ");
    is_known.then_some(Refused {
        line: line.into(),
        by_grammar: false,
    })
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
