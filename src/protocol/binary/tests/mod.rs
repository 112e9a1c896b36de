mod malformed;
mod replies;
mod requests;

use super::packet::{HEADER, NOOP};
use crate::item::ItemRef;
use crate::key::{Key, KeyRule};
use crate::protocol::replay::{Event, encode, replay};
use crate::protocol::{
    Bounds, Dialect, Direction, Excerpt, Initial, Line, Malformed, Mode, Refused, Reply, Request,
    StatsArguments, Status,
};

const MAX_VALUE: usize = 100;

fn key(bytes: &[u8]) -> Key<'_> {
    KeyRule::Counted.key(bytes).unwrap()
}

fn get() -> Request<'static> {
    Request::Get {
        key: key(b"key"),
        cas: false,
    }
}

fn gets() -> Request<'static> {
    Request::Get {
        key: key(b"key"),
        cas: true,
    }
}

fn get_and_touch() -> Request<'static> {
    Request::GetAndTouch {
        key: key(b"key"),
        exptime: 60,
        cas: false,
    }
}

fn store(mode: Mode) -> Request<'static> {
    Request::Store {
        mode,
        key: key(b"key"),
        item: ItemRef::from((7, b"data")),
        exptime: 60,
    }
}

fn delete(cas: Option<u64>) -> Request<'static> {
    Request::Delete {
        key: key(b"key"),
        cas,
    }
}

fn touch() -> Request<'static> {
    Request::Touch {
        key: key(b"key"),
        exptime: 60,
    }
}

fn count(direction: Direction, initial: Option<Initial>) -> Request<'static> {
    Request::Arithmetic {
        direction,
        key: key(b"key"),
        delta: 0x0102,
        initial,
    }
}

fn incr() -> Request<'static> {
    count(Direction::Up, None)
}

fn stats(arguments: &str) -> Request<'_> {
    Request::Stats {
        arguments: StatsArguments::new(arguments).unwrap(),
    }
}

/// A packet of a reply.
#[derive(Clone, Copy)]
struct Packet<'a> {
    magic: u8,
    opcode: u8,
    extras: &'a [u8],
    key: &'a [u8],
    value: &'a [u8],
    data_type: u8,
    status: u16,
    opaque: u32,
    cas: u64,
}

impl Packet<'_> {
    fn bytes(self) -> Vec<u8> {
        let body = self.extras.len() + self.key.len() + self.value.len();
        self.claiming(u32::try_from(body).unwrap())
    }

    /// With this for the length of its body.
    fn claiming(self, body: u32) -> Vec<u8> {
        [
            &[
                self.magic,
                self.opcode,
                0,
                self.key.len().try_into().unwrap(),
            ][..],
            &[self.extras.len().try_into().unwrap(), self.data_type],
            &self.status.to_be_bytes(),
            &body.to_be_bytes(),
            &self.opaque.to_be_bytes(),
            &self.cas.to_be_bytes(),
            self.extras,
            self.key,
            self.value,
        ]
        .concat()
    }
}

/// The reply to the first request of a window, with the status 0.
fn ok(opcode: u8) -> Packet<'static> {
    Packet {
        magic: 0x81,
        opcode,
        extras: b"",
        key: b"",
        value: b"",
        data_type: 0,
        status: 0,
        opaque: 0,
        cas: 0x99,
    }
}

fn failed(opcode: u8, status: u16, text: &[u8]) -> Packet<'_> {
    Packet {
        status,
        value: text,
        ..ok(opcode)
    }
}

fn with_value(opcode: u8, value: &[u8]) -> Packet<'_> {
    Packet {
        extras: &[0, 0, 1, 2],
        value,
        ..ok(opcode)
    }
}

fn fence(opaque: u32) -> Vec<u8> {
    Packet { opaque, ..ok(NOOP) }.bytes()
}

fn stat_packet<'a>(name: &'a [u8], value: &'a [u8]) -> Vec<u8> {
    Packet {
        key: name,
        value,
        ..ok(0x10)
    }
    .bytes()
}

/// What comes of `bytes`, in one piece; and it must be the same in pieces of every size.
fn outcome(requests: &[Request<'_>], bytes: &[u8]) -> Vec<Event> {
    let whole = replay(Dialect::Binary, requests, MAX_VALUE, bytes, &[usize::MAX]);
    for piece in (1..bytes.len()).take(200) {
        let pieces = replay(Dialect::Binary, requests, MAX_VALUE, bytes, &[piece]);
        assert_eq!(pieces, whole, "{bytes:x?} in pieces of {piece}");
    }
    whole
}

fn reply(index: usize, reply: &Reply<'_>) -> Event {
    Event::Reply(index, format!("{reply:?}"))
}

fn status(index: usize, status: Status) -> Event {
    reply(index, &Reply::Status(status))
}

fn refused(index: usize, text: &str, by_grammar: bool) -> Event {
    let line = text.as_bytes();
    reply(
        index,
        &Reply::Refused(Refused {
            line: line.into(),
            by_grammar,
        }),
    )
}

fn part(name: &str, value: &str) -> Event {
    let (name, value) = (name.as_bytes(), value.as_bytes());
    Event::Part(format!(
        "{:?}",
        Line::Stat {
            name: name.into(),
            value: value.into()
        }
    ))
}

fn value(index: usize, cas: Option<u64>, data: &[u8]) -> Event {
    Event::Value {
        index,
        flags: 0x0102,
        cas,
        data: data.to_vec(),
    }
}

const DONE: Event = Event::Done { surplus: 0 };

/// A request; its opcode, cas id, extras, key and value.
type Encoded<'a> = (Request<'a>, u8, u64, &'a [u8], &'a [u8], &'a [u8]);
