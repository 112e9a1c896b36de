use super::packet::{NOOP, REQUEST, opcode};
use crate::protocol::options::Mode;
use crate::protocol::output::Output;
use crate::protocol::request::Request;

/// The expiry of a counter that is not to be made where there is none.
const NO_INITIAL: u32 = u32::MAX;

/// Encodes all of `requests`: the first with this opaque, each further one with the next. If they are
/// `quiet`, a fence follows, with the opaque after theirs.
pub(in crate::protocol) fn encode_all<'a>(
    requests: &[Request<'a>],
    quiet: bool,
    opaque: u32,
    out: &mut Output<'a>,
) {
    let mut next = opaque;
    for request in requests {
        encode(request, opcode(request, quiet), next, out);
        next = next.wrapping_add(1);
    }
    if quiet {
        Packet::new(NOOP, next).put(out);
    }
}

fn encode<'a>(request: &Request<'a>, opcode: u8, opaque: u32, out: &mut Output<'a>) {
    let key = request.key();
    let packet = Packet {
        key: key.as_ref().map_or(&[], |key| key.as_bytes()),
        ..Packet::new(opcode, opaque)
    };
    match *request {
        Request::Get { .. } | Request::Version => packet.put(out),
        // `Dialect::check` lets none of these through; the opcode does nothing.
        Request::Verbosity { .. }
        | Request::Metadump { .. }
        | Request::Raw { .. }
        | Request::MetaGet { .. }
        | Request::MetaDelete { .. }
        | Request::MetaArithmetic { .. } => Packet::new(opcode, opaque).put(out),
        Request::GetAndTouch { exptime, .. } | Request::Touch { exptime, .. } => {
            let extras = &exptime.to_be_bytes();
            Packet { extras, ..packet }.put(out);
        }
        Request::Store {
            mode,
            item,
            exptime,
            ..
        } => {
            let extras = [item.flags, exptime].map(u32::to_be_bytes);
            let extras = match mode {
                Mode::Append | Mode::Prepend => &[],
                Mode::Set | Mode::Add | Mode::Replace | Mode::Cas(_) => extras.as_flattened(),
            };
            let cas = match mode {
                Mode::Cas(id) => id,
                _ => 0,
            };
            let body = item.data;
            Packet {
                cas,
                extras,
                body,
                ..packet
            }
            .put(out);
        }
        // A plain set: its reply has the cas id anyway.
        Request::MetaSet { item, exptime, .. } => {
            let extras = [item.flags, exptime].map(u32::to_be_bytes);
            let (extras, body) = (extras.as_flattened(), item.data);
            Packet {
                extras,
                body,
                ..packet
            }
            .put(out);
        }
        Request::Delete { cas, .. } => {
            let cas = cas.unwrap_or_default();
            Packet { cas, ..packet }.put(out);
        }
        Request::Arithmetic { delta, initial, .. } => {
            let value = initial.map_or(0, |initial| initial.value);
            let exptime = initial.map_or(NO_INITIAL, |initial| initial.exptime);
            let mut extras = [0; 20];
            extras[..8].copy_from_slice(&delta.to_be_bytes());
            extras[8..16].copy_from_slice(&value.to_be_bytes());
            extras[16..].copy_from_slice(&exptime.to_be_bytes());
            let extras = &extras;
            Packet { extras, ..packet }.put(out);
        }
        Request::FlushAll { delay } => {
            let delay_bytes = delay.to_be_bytes();
            let extras = if delay == 0 { &[] } else { &delay_bytes[..] };
            Packet { extras, ..packet }.put(out);
        }
        Request::Authenticate { message } => {
            let (key, body) = (&b"PLAIN"[..], message.0);
            Packet {
                key,
                body,
                ..packet
            }
            .put(out);
        }
        Request::Stats { arguments } => {
            // Compared byte by byte; a line of text may have spaces around them.
            let key = arguments.as_str().trim_matches(' ').as_bytes();
            Packet { key, ..packet }.put(out);
        }
    }
}

/// A request as it goes over the wire.
struct Packet<'e, 'a> {
    opcode: u8,
    opaque: u32,
    /// 0 is no condition.
    cas: u64,
    extras: &'e [u8],
    key: &'e [u8],
    body: &'a [u8],
}

impl<'a> Packet<'_, 'a> {
    fn new(opcode: u8, opaque: u32) -> Self {
        Self {
            opcode,
            opaque,
            cas: 0,
            extras: &[],
            key: &[],
            body: &[],
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "extras have up to 20 bytes, keys and arguments 250, and values 1 GiB"
    )]
    fn put(&self, out: &mut Output<'a>) {
        let body = self.extras.len() + self.key.len() + self.body.len();
        out.push(&[REQUEST, self.opcode]);
        out.push(&(self.key.len() as u16).to_be_bytes());
        // Extras, data type, and two bytes that are reserved.
        out.push(&[self.extras.len() as u8, 0, 0, 0]);
        out.push(&(body as u32).to_be_bytes());
        out.push(&self.opaque.to_be_bytes());
        out.push(&self.cas.to_be_bytes());
        out.push(self.extras);
        out.push(self.key);
        out.body(self.body);
    }
}
