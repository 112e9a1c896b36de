use super::packet::{HEADER, Header, NOOP, RESPONSE, opcode};
use crate::protocol::decoder::{Decoder, Place};
use crate::protocol::lines::first_line;
use crate::protocol::options::Mode;
use crate::protocol::reply::{Excerpt, Line, Malformed, Refused, Reply, Status, Step, ValueHeader};
use crate::protocol::request::{Request, StatsArguments};
use crate::protocol::text;

/// The flags, which come before a value.
const FLAGS: usize = 4;

/// The next step of the reply that is due.
pub(in crate::protocol) fn decode<'b>(
    decoder: &mut Decoder<'_>,
    input: &'b [u8],
) -> Result<Step<'b>, Malformed> {
    match (decoder.place, decoder.due()) {
        (Place::EndOfValue, _) => return Ok(decoder.end_of_value(0)),
        (Place::InDump { left }, _) => return dump(decoder, left, input),
        (Place::MoreLines, Some(Request::Stats { arguments })) if arguments.has_one_line() => {
            return Ok(decoder.reply(0, Reply::Status(Status::Ok)));
        }
        (_, Some(request)) if decoder.next < decoder.found => {
            return Ok(decoder.reply(0, Reply::Status(implied(request))));
        }
        _ => {}
    }
    match input.first() {
        Some(&RESPONSE) => {}
        Some(b' '..=b'~') => return text_line(input, decoder.bounds.line),
        Some(_) => return Err(Malformed::Unexpected(Excerpt::new(&input[..1]))),
        None => return Ok(Step::NeedMore),
    }
    let Some(header) = Header::read(input) else {
        return Ok(Step::NeedMore);
    };
    let packet = Packet { header, input };
    if header.data_type != 0 {
        return Err(packet.unexpected());
    }
    // What it is the reply to: the request that is due, or in a quiet window one behind it.
    let first = decoder.window.start;
    let number = header.opaque.wrapping_sub(decoder.window.opaque);
    let index = usize::try_from(number).map_or(usize::MAX, |number| first.saturating_add(number));
    let may_skip = decoder.window.quiet && index > decoder.next;
    if index != decoder.next && !may_skip {
        return Err(Malformed::WrongOpaque);
    }
    let requests = decoder.requests;
    let Some(request) = requests[..decoder.window.end].get(index) else {
        return fence(decoder, index, packet);
    };
    if header.opcode != opcode(request, decoder.window.quiet) {
        return Err(packet.unexpected());
    }
    if let Some(skipped) = requests[decoder.next..index].first() {
        decoder.found = index;
        return Ok(decoder.reply(0, Reply::Status(implied(skipped))));
    }
    reply(decoder, request, packet)
}

/// The reply to a quiet request, where none comes.
fn implied(request: &Request<'_>) -> Status {
    match request {
        Request::Get { .. } => Status::NotFound,
        request => done(request),
    }
}

/// The end of a quiet window. It shows that no more replies come.
fn fence<'b>(
    decoder: &mut Decoder<'_>,
    index: usize,
    packet: Packet<'b>,
) -> Result<Step<'b>, Malformed> {
    if index != decoder.window.end || !decoder.fence {
        return Err(Malformed::WrongOpaque);
    }
    let Header { opcode, status, .. } = packet.header;
    if (opcode, status) != (NOOP, 0) || !packet.is_empty() {
        return Err(packet.unexpected());
    }
    decoder.found = index;
    if let Some(request) = decoder.due() {
        return Ok(decoder.reply(0, Reply::Status(implied(request))));
    }
    decoder.fence = false;
    Ok(Step::Skip { used: HEADER })
}

/// A line of text in place of a packet, from a server that does not speak the binary protocol. It is
/// waited for to its end, for the message; and because one of them, with which memcached turns away
/// a connection that is too many, is recognised before it comes here.
fn text_line(input: &[u8], max: usize) -> Result<Step<'_>, Malformed> {
    match first_line(input, max)? {
        None => Ok(Step::NeedMore),
        Some((line, _)) => Err(Malformed::Unexpected(Excerpt::new(line))),
    }
}

/// A packet of which the header is there.
#[derive(Clone, Copy)]
struct Packet<'b> {
    header: Header,
    /// From the header on.
    input: &'b [u8],
}

impl<'b> Packet<'b> {
    fn unexpected(self) -> Malformed {
        Malformed::Unexpected(Excerpt::new(&self.input[..HEADER]))
    }

    /// Whether it is a header and nothing else.
    fn is_empty(self) -> bool {
        let Header { extras, key, .. } = self.header;
        (extras, key, self.body()) == (0, 0, 0)
    }

    fn body(self) -> usize {
        usize::try_from(self.header.body).unwrap_or(usize::MAX)
    }

    /// What follows the header, once it is there, of at most `max` bytes; and its length with it.
    fn all(self, max: usize) -> Result<Option<(&'b [u8], usize)>, Malformed> {
        let body = self.body();
        if body > max || self.header.extras + self.header.key > body {
            return Err(self.unexpected());
        }
        let used = HEADER + body;
        Ok(self.input.get(HEADER..used).map(|body| (body, used)))
    }
}

/// The reply to `request`, which is due.
fn reply<'b>(
    decoder: &mut Decoder<'_>,
    request: &Request<'_>,
    packet: Packet<'b>,
) -> Result<Step<'b>, Malformed> {
    if packet.header.status != 0 {
        return match packet.all(decoder.bounds.line)? {
            None => Ok(Step::NeedMore),
            Some(_) if (packet.header.extras, packet.header.key) != (0, 0) => {
                Err(packet.unexpected())
            }
            Some((text, used)) => {
                let reply = failure(request, packet.header.status, text);
                Ok(decoder.reply(used, reply))
            }
        };
    }
    match request {
        Request::Get { cas, .. } | Request::GetAndTouch { cas, .. } => value(decoder, *cas, packet),
        Request::Stats { arguments } => stat(decoder, *arguments, packet),
        _ => {
            let Some((body, used)) = packet.all(decoder.bounds.line)? else {
                return Ok(Step::NeedMore);
            };
            let reply = success(request, body, packet)?;
            Ok(decoder.reply(used, reply))
        }
    }
}

/// A value, after its flags.
fn value<'b>(
    decoder: &mut Decoder<'_>,
    cas: bool,
    packet: Packet<'b>,
) -> Result<Step<'b>, Malformed> {
    let Header { extras, key, .. } = packet.header;
    let (FLAGS, 0, Some(length)) = (extras, key, packet.body().checked_sub(FLAGS)) else {
        return Err(packet.unexpected());
    };
    if length > decoder.bounds.value {
        return Err(Malformed::TooLarge {
            length: length as u64,
            max: decoder.bounds.value,
        });
    }
    let Some(flags) = packet.input[HEADER..].first_chunk() else {
        return Ok(Step::NeedMore);
    };
    let header = ValueHeader {
        flags: u32::from_be_bytes(*flags),
        length,
        cas: cas.then_some(packet.header.cas),
        ..ValueHeader::default()
    };
    let used = HEADER + FLAGS;
    Ok(decoder.value(
        &packet.input[used..],
        used,
        header,
        Place::EndOfValue,
        |_| Some(0),
    ))
}

/// One of the packets of `stats`, each with a name and a value; an empty one is the last.
fn stat<'b>(
    decoder: &mut Decoder<'_>,
    arguments: StatsArguments<'_>,
    packet: Packet<'b>,
) -> Result<Step<'b>, Malformed> {
    const DETAILED: &[u8] = b"detailed";
    if packet.is_empty() {
        return Ok(decoder.reply(HEADER, Reply::Status(Status::Ok)));
    }
    let Header { extras, key, .. } = packet.header;
    if extras != 0 || key == 0 || key > packet.body() {
        return Err(packet.unexpected());
    }
    // All of `detail dump` is one value: the lines that it has in text.
    if arguments.is_detail_dump() && key == DETAILED.len() {
        let used = HEADER + key;
        return match packet.input.get(HEADER..used) {
            None => Ok(Step::NeedMore),
            Some(DETAILED) => {
                let left = packet.body() - key;
                decoder.place = Place::InDump { left };
                Ok(Step::Skip { used })
            }
            Some(_) => Err(packet.unexpected()),
        };
    }
    let Some((body, used)) = packet.all(decoder.bounds.line)? else {
        return Ok(Step::NeedMore);
    };
    let (name, value) = body.split_at(key);
    decoder.place = Place::MoreLines;
    let part = Line::Stat {
        name: name.into(),
        value: value.into(),
    };
    Ok(Step::Part { used, part })
}

/// A line of `detail dump`, of which so many bytes are `left`.
fn dump<'b>(
    decoder: &mut Decoder<'_>,
    left: usize,
    input: &'b [u8],
) -> Result<Step<'b>, Malformed> {
    let input = &input[..input.len().min(left)];
    let Some((line, used)) = first_line(input, decoder.bounds.line)? else {
        return if input.len() < left {
            Ok(Step::NeedMore)
        } else {
            Err(Malformed::Unexpected(Excerpt::new(input)))
        };
    };
    let part = text::stat(line);
    match part {
        Some(part) if used < left => {
            decoder.place = Place::InDump { left: left - used };
            Ok(Step::Part { used, part })
        }
        None if line == b"END" && used == left => {
            decoder.place = Place::MoreLines;
            Ok(Step::Skip { used })
        }
        _ => Err(Malformed::Unexpected(Excerpt::new(line))),
    }
}

/// The reply that has the status 0.
fn success<'b>(
    request: &Request<'_>,
    body: &'b [u8],
    packet: Packet<'b>,
) -> Result<Reply<'b>, Malformed> {
    let (extras, key) = (packet.header.extras, packet.header.key);
    let reply = match (request, extras, key, body) {
        (Request::Arithmetic { .. }, 0, 0, _) => {
            let number = body.try_into().map_err(|_| packet.unexpected())?;
            Reply::Number(u64::from_be_bytes(number))
        }
        (Request::MetaSet { .. }, 0, 0, []) => Reply::Cas(packet.header.cas),
        // memcached says "Authenticated".
        (Request::Authenticate { .. }, 0, 0, _) => Reply::Status(Status::Stored),
        (Request::Version, 0, 0, [_, ..]) => Reply::Version(body.into()),
        // memcached sends the flags after a touch; the protocol's description has none.
        (Request::Touch { .. }, FLAGS, 0, [_, _, _, _])
        | (
            Request::Store { .. }
            | Request::Delete { .. }
            | Request::Touch { .. }
            | Request::FlushAll { .. },
            0,
            0,
            [],
        ) => Reply::Status(done(request)),
        _ => return Err(packet.unexpected()),
    };
    Ok(reply)
}

/// That `request` was done.
fn done(request: &Request<'_>) -> Status {
    match request {
        Request::Store { .. } => Status::Stored,
        Request::Delete { .. } => Status::Deleted,
        Request::Touch { .. } => Status::Touched,
        _ => Status::Ok,
    }
}

/// The reply that has another status than 0.
fn failure<'b>(request: &Request<'_>, status: u16, text: &'b [u8]) -> Reply<'b> {
    let mode = match request {
        Request::Store { mode, .. } => Some(*mode),
        _ => None,
    };
    let status = match (status, request, mode) {
        (NO_KEY, _, Some(Mode::Replace))
        | (KEY_EXISTS, _, Some(Mode::Add))
        | (NOT_STORED, _, Some(Mode::Add | Mode::Replace | Mode::Append | Mode::Prepend)) => {
            Status::NotStored
        }
        (KEY_EXISTS, _, Some(Mode::Cas(_)))
        | (KEY_EXISTS, Request::Delete { cas: Some(_), .. }, _) => Status::Exists,
        (
            NO_KEY,
            Request::Get { .. }
            | Request::GetAndTouch { .. }
            | Request::Delete { .. }
            | Request::Touch { .. }
            | Request::Arithmetic { .. },
            _,
        )
        | (NO_KEY, _, Some(Mode::Cas(_)))
        // Somebody else made the counter after it was looked for.
        | (NOT_STORED, Request::Arithmetic { .. }, _) => Status::NotFound,
        _ => return Reply::Refused(refused(status, text)),
    };
    Reply::Status(status)
}

const NO_KEY: u16 = 0x01;
const KEY_EXISTS: u16 = 0x02;
const NOT_STORED: u16 = 0x05;
const INVALID_ARGUMENTS: u16 = 0x04;
const NOT_AUTHENTICATED: u16 = 0x20;
const UNKNOWN_COMMAND: u16 = 0x81;

fn refused(status: u16, text: &[u8]) -> Refused<'_> {
    let name: &[u8] = match status {
        NO_KEY => b"Not found",
        KEY_EXISTS => b"Data exists for key",
        0x03 => b"Too large",
        INVALID_ARGUMENTS => b"Invalid arguments",
        NOT_STORED => b"Not stored",
        0x06 => b"Non-numeric value for incr or decr",
        NOT_AUTHENTICATED => b"Authentication failure",
        0x21 => b"Further authentication steps needed",
        UNKNOWN_COMMAND => b"Unknown command",
        0x82 => b"Out of memory",
        0x83 => b"Not supported",
        0x84 => b"Internal error",
        0x85 => b"Busy",
        0x86 => b"Temporary failure",
        _ => b"an error without a text",
    };
    Refused {
        line: if text.is_empty() { name } else { text }.into(),
        // After these memcached closes the connection, or loses its place in what it reads: 1.6.18
        // takes the extras and the key of a command that it does not know for part of the next.
        by_grammar: matches!(
            status,
            INVALID_ARGUMENTS | NOT_AUTHENTICATED | UNKNOWN_COMMAND
        ),
    }
}
