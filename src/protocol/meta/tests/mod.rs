mod malformed;
mod quiet;
mod replies;
mod requests;

use super::*;
use crate::item::ItemRef;
use crate::key::{Key, KeyRule};
use crate::meta_options::Wanted;
use crate::protocol::Bounds;
use crate::protocol::options::{ArithmeticOptions, DeleteOptions, GetOptions, SetOptions};
use crate::protocol::options::{Direction, Initial, Mode};
use crate::protocol::replay::{Event, bounds, encode, replay};
use crate::protocol::reply::Details;
use crate::protocol::request::StatsArguments;
use crate::protocol::{Dialect, Limits, Window};

const MAX_VALUE: usize = 100;

/// Any bytes: base64 carries those that are not printable.
fn key(bytes: &[u8]) -> Key<'_> {
    KeyRule::Base64.key(bytes).unwrap()
}

fn get() -> Request<'static> {
    get_of(b"key", false)
}

fn get_of(bytes: &[u8], cas: bool) -> Request<'_> {
    let key = key(bytes);
    Request::Get { key, cas }
}

fn set() -> Request<'static> {
    store(Mode::Set)
}

fn store(mode: Mode) -> Request<'static> {
    Request::Store {
        mode,
        key: key(b"key"),
        item: ItemRef::from((7, "data")),
        exptime: 60,
    }
}

fn delete(cas: Option<u64>) -> Request<'static> {
    let key = key(b"key");
    Request::Delete { key, cas }
}

fn touch() -> Request<'static> {
    Request::Touch {
        key: key(b"key"),
        exptime: 5,
    }
}

fn get_and_touch(cas: bool) -> Request<'static> {
    Request::GetAndTouch {
        key: key(b"key"),
        exptime: 5,
        cas,
    }
}

fn count(direction: Direction, initial: Option<Initial>) -> Request<'static> {
    Request::Arithmetic {
        direction,
        key: key(b"key"),
        delta: 10,
        initial,
    }
}

const INITIAL: Option<Initial> = Some(Initial {
    value: 1,
    exptime: 60,
});

fn meta_get(letters: &[u8]) -> Request<'static> {
    let wanted = letters.iter().fold(Wanted::NONE, |all, &it| all.with(it));
    meta_get_with(GetOptions {
        wanted,
        ..GetOptions::default()
    })
}

fn meta_get_with(options: GetOptions<'static>) -> Request<'static> {
    let key = key(b"key");
    Request::MetaGet { key, options }
}

fn meta_set(mode: Mode, cas: Option<u64>, invalidate: bool, return_cas: bool) -> Request<'static> {
    Request::MetaSet {
        key: key(b"key"),
        item: ItemRef::from((0, "data")),
        exptime: 0,
        options: SetOptions {
            mode,
            cas,
            invalidate,
            return_cas,
            more: None,
        },
    }
}

fn meta_delete(options: DeleteOptions<'static>) -> Request<'static> {
    let key = key(b"key");
    Request::MetaDelete { key, options }
}

fn meta_count(cas: Option<u64>, initial: Option<Initial>, letters: &[u8]) -> Request<'static> {
    Request::MetaArithmetic {
        key: key(b"key"),
        options: ArithmeticOptions {
            direction: Direction::Down,
            delta: u64::MAX,
            initial,
            touch: None,
            cas,
            wanted: letters.iter().fold(Wanted::NONE, |all, &it| all.with(it)),
            more: None,
        },
    }
}

/// What comes of `bytes`, in one piece; and it must be the same in pieces of every size.
fn outcome(requests: &[Request<'_>], bytes: &[u8]) -> Vec<Event> {
    let whole = replay(Dialect::Meta, requests, MAX_VALUE, bytes, &[usize::MAX]);
    for piece in 1..bytes.len() {
        let pieces = replay(Dialect::Meta, requests, MAX_VALUE, bytes, &[piece]);
        let bytes = bytes.escape_ascii().to_string();
        assert_eq!(pieces, whole, "{bytes:?} in pieces of {piece}");
    }
    whole
}

#[expect(clippy::needless_pass_by_value, reason = "what is made for the call")]
fn reply_to(index: usize, reply: Reply<'_>) -> Event {
    Event::Reply(index, format!("{reply:?}"))
}

fn status_of(index: usize, status: Status) -> Event {
    reply_to(index, Reply::Status(status))
}

fn refused_to(index: usize, line: &'static str, by_grammar: bool) -> Event {
    let line = line.as_bytes();
    reply_to(
        index,
        Reply::Refused(Refused {
            line: line.into(),
            by_grammar,
        }),
    )
}

fn value_of(index: usize, flags: u32, cas: Option<u64>, data: &[u8]) -> Event {
    Event::Value {
        index,
        flags,
        cas,
        data: data.to_vec(),
    }
}

const DONE: Event = Event::Done { surplus: 0 };
