//! Which requests go together, and what may be on its way with what.

use super::*;
use crate::item::ItemRef;
use crate::key::{Key, KeyRule};
use crate::protocol::StatsArguments;

fn key(bytes: &[u8]) -> Key<'_> {
    KeyRule::Printable.key(bytes).unwrap()
}

fn get() -> Request<'static> {
    Request::Get {
        key: key(b"key"),
        cas: false,
    }
}

fn delete() -> Request<'static> {
    Request::Delete {
        key: key(b"key"),
        cas: None,
    }
}

fn stats(arguments: &str) -> Request<'_> {
    Request::Stats {
        arguments: StatsArguments::new(arguments).unwrap(),
    }
}

#[test]
fn windows_of_requests() {
    let large = vec![0; 100 << 10];
    let body = |length| Request::Store {
        mode: Mode::Set,
        key: key(b"key"),
        item: ItemRef {
            flags: 0,
            data: &large[..length],
        },
        exptime: 0,
    };
    let long = [b'k'; 250];
    let long_get = Request::Get {
        key: key(&long),
        cas: false,
    };
    let end = |requests: &[Request<'_>], limits| {
        let mut out = Output::default();
        let all = (0, requests.len());
        Window::encode(Dialect::Text, requests, all, limits, true, 0, &mut out)
    };
    // As many keys as 16 KiB hold; as many lines as come back through sockets that nobody reads.
    assert_eq!(end(&vec![long_get; 200], Limits::TCP).end, 64);
    assert_eq!(end(&vec![delete(); 1000], Limits::TCP).end, 512);
    assert_eq!(end(&vec![delete(); 1000], Limits::UNIX).end, 64);
    // Large values, as many as are sent without a copy; small ones, up to 128 KiB of them.
    assert_eq!(end(&[body(100 << 10); 50], Limits::TCP).end, 15);
    assert_eq!(end(&vec![body(1 << 10); 500], Limits::TCP).end, 113);
    // No large value goes with a request for one.
    assert_eq!(end(&[get(), body(100 << 10)], Limits::TCP).end, 1);
    assert_eq!(end(&[body(100 << 10), get()], Limits::TCP).end, 1);
    assert_eq!(
        end(&[body(1 << 10), get(), body(1 << 10)], Limits::TCP).end,
        3
    );
    // A long reply is alone.
    assert_eq!(end(&[stats(""), get()], Limits::TCP).end, 1);
    assert_eq!(end(&[get(), stats("")], Limits::TCP).end, 1);

    // Of a batch with another request, since nothing is sent behind one that is alone.
    let first = |request| {
        let mut out = Output::default();
        let (batch, first) = ([request, get()], (0, 1));
        Window::encode(Dialect::Text, &batch, first, Limits::TCP, true, 0, &mut out)
    };
    let small_get = first(get());
    let small_set = first(body(1 << 10));
    let large_set = first(body(100 << 10));
    let dump = first(stats(""));
    for (later, earlier, expected) in [
        (small_get, small_get, true),
        (small_set, small_get, true),
        (small_get, small_set, true),
        (large_set, small_get, false),
        (small_get, large_set, false),
        (large_set, large_set, true),
        (large_set, small_set, true),
        (large_set, dump, false),
        (small_get, dump, true),
    ] {
        assert_eq!(
            later.may_follow(&earlier),
            expected,
            "{later:?} after {earlier:?}"
        );
    }
}

/// However few keys a line takes, what is said about the length of a window is true.
#[test]
fn a_window_of_gets_is_small() {
    let get = |byte: &'static [u8]| Request::Get {
        key: key(byte),
        cas: true,
    };
    let requests: Vec<_> = (0..10_000).map(|_| get(b"k")).collect();
    let all = (0, requests.len());
    for dialect in [Dialect::Text, Dialect::Meta] {
        for keys in 1..=Limits::MAX_KEYS {
            let limits = Limits {
                keys,
                ..Limits::TCP
            };
            let mut out = Output::default();
            let window = Window::encode(dialect, &requests, all, limits, true, 0, &mut out);
            let length = out.len();
            assert!(
                window.is_small && length <= SMALL,
                "{dialect}, {keys}: {length}"
            );
        }
    }
}

/// Amazon ElastiCache Serverless refuses longer lines.
#[test]
fn a_get_line_has_16_kib_at_most() {
    let keys: Vec<Vec<u8>> = (0..2000).map(|i| vec![b'k'; 1 + i % 250]).collect();
    for cas in [false, true] {
        let keys = keys.iter().map(|bytes| key(bytes));
        let requests: Vec<_> = keys.map(|key| Request::Get { key, cas }).collect();
        for dialect in [Dialect::Text, Dialect::Meta] {
            let (mut next, mut longest) = (0, 0);
            while next < requests.len() {
                let mut out = Output::default();
                let rest = (next, requests.len());
                let limits = Limits::TCP.with_lines(true);
                let window = Window::encode(dialect, &requests, rest, limits, true, 0, &mut out);
                let buffer = out.into_buffer();
                next = window.end;
                let lines = buffer.split_inclusive(|&byte| byte == b'\n');
                longest = lines.map(<[u8]>::len).max().unwrap_or(0).max(longest);
            }
            assert!((10_000..=SMALL).contains(&longest), "{dialect}: {longest}");
        }
    }
}
