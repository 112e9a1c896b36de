//! Odd keys: whatever key a client stores and reads back, this one does too under its name, each the
//! other's; what one refuses, so does the other.

use super::peer::{
    MOECACHE, PYLIBMC, PYLIBMC_BINARY, PYLIBMC_VERIFYING, PYMEMCACHE, PYMEMCACHE_UNICODE,
    PYTHON_MEMCACHED, Peer, Process, bytes,
};
use crate::support::Memcached;
use moecache::value::Format;
use moecache::{Client, ClientBuilder, Expiry, Item, ItemRef, KeyBytes, Protocol};
use serde_json::{Value, json};
use std::time::Duration;

/// Text is given to the clients as `str`, and the rest as `bytes`.
fn odd_keys() -> Vec<Vec<u8>> {
    let texts = [
        "plain",
        "a b",
        "a\tb",
        "a\nb",
        "a\rb",
        "a\r\nb",
        "a\0b",
        "a\x01b",
        "a\x0bb",
        "a\x0cb",
        "a\x1fb",
        "a\x7fb",
        " a",
        "a ",
        "a\n",
        "",
        "~",
        "!",
        "é",
        "ключ",
        "日本",
        "😀",
        "a\u{80}b",
        "a\u{85}b",
        "a\u{a0}b",
        "a\u{2028}b",
        "a\u{feff}b",
    ];
    let mut keys: Vec<Vec<u8>> = texts.map(Into::into).into();
    for byte in [0x80, 0x85, 0xa0, 0xad, 0xff] {
        keys.push(vec![b'a', byte, b'b']);
    }
    for (text, count) in [("k", 250), ("k", 251), ("é", 125), ("é", 126)] {
        keys.push(text.repeat(count).into());
    }
    keys.push([&"é".repeat(125), "k"].concat().into());
    keys
}

/// How this client is set up, and for what.
struct Row {
    peer: &'static Peer,
    protocols: &'static [Protocol],
    set_up: fn(ClientBuilder) -> ClientBuilder,
    /// What the other stores and this client does not, unless it is told to with [`KeyBytes::Any`].
    theirs_alone: &'static [&'static str],
    /// What this client stores and the other does not.
    ours_alone: fn(&[u8]) -> bool,
    /// What the other is not even asked to store, and is taken to refuse.
    not_asked: fn(&[u8]) -> bool,
}

impl Row {
    const fn new(peer: &'static Peer, set_up: fn(ClientBuilder) -> ClientBuilder) -> Self {
        Self {
            peer,
            protocols: ALL,
            set_up,
            theirs_alone: &[],
            ours_alone: |_| false,
            not_asked: |_| false,
        }
    }
}

const LINES: &[Protocol] = &[Protocol::Text, Protocol::Meta, Protocol::Auto];
const ALL: &[Protocol] = &[
    Protocol::Text,
    Protocol::Meta,
    Protocol::Auto,
    Protocol::Binary,
];

const ROWS: &[Row] = &[
    Row::new(&MOECACHE, |builder| {
        builder.compatible_with(moecache::Library::Moecache)
    }),
    // libmemcached sends control characters in text, but cannot read a reply with one: it takes the
    // value for empty, or waits for minutes for more of it. A space before a key or behind it gets lost.
    Row {
        protocols: LINES,
        not_asked: |key| key.iter().any(u8::is_ascii_control),
        ..Row::new(&PYLIBMC, |builder| {
            builder.compatible_with(moecache::Library::Pylibmc)
        })
    },
    Row {
        protocols: &[Protocol::Binary],
        ..Row::new(&PYLIBMC_BINARY, |builder| {
            builder.compatible_with(moecache::Library::Pylibmc)
        })
    },
    Row {
        protocols: LINES,
        ..Row::new(&PYLIBMC_VERIFYING, |builder| {
            let builder = builder.compatible_with(moecache::Library::Pylibmc);
            builder.key_bytes(KeyBytes::Printable)
        })
    },
    Row::new(&PYTHON_MEMCACHED, |builder| {
        builder.compatible_with(moecache::Library::PythonMemcached)
    }),
    // It takes what is not ASCII as `bytes` alone, whatever those say.
    Row {
        theirs_alone: CONTROLS,
        ours_alone: |key| !key.is_ascii() && key.len() <= 250 && std::str::from_utf8(key).is_ok(),
        ..Row::new(&PYMEMCACHE, |builder| {
            builder.compatible_with(moecache::Library::Pymemcache)
        })
    },
    Row {
        theirs_alone: CONTROLS,
        ..Row::new(&PYMEMCACHE_UNICODE, |builder| {
            builder.compatible_with(moecache::Library::Pymemcache)
        })
    },
];

/// pymemcache looks for whitespace and 0x00 only.
const CONTROLS: &[&str] = &["a\x01b", "a\x1fb", "a\x7fb"];

#[test]
#[ignore = "needs Python with the other clients: tests/run makes it and runs this too"]
fn both_store_them_or_neither() {
    crate::support::needs_python!();
    for row in ROWS {
        let server = Memcached::start();
        let mut process = row.peer.start(&[server.address()]);
        let builder = Client::builder().servers(server.address());
        // The items are raw.
        let builder = builder
            .format(Format::Moecache)
            .timeout(Duration::from_secs(20));
        let any = builder
            .clone()
            .protocol(Protocol::Binary)
            .key_bytes(KeyBytes::Any);
        let any = any.build().unwrap();
        let clients: Vec<Client> = (row.protocols.iter())
            .map(|&protocol| (row.set_up)(builder.clone()).protocol(protocol))
            .map(|builder| builder.build().unwrap())
            .collect();
        let mut stored = 0;
        for key in odd_keys() {
            let theirs = !(row.not_asked)(&key) && stores(row.peer, &mut process, &any, &key);
            stored += usize::from(theirs);
            let is_theirs_alone = row.theirs_alone.iter().any(|odd| odd.as_bytes() == key);
            let expected = (theirs && !is_theirs_alone) || (row.ours_alone)(&key);
            for (client, protocol) in clients.iter().zip(row.protocols) {
                let context = format!("{}, {protocol}: {}", row.peer.name, key.escape_ascii());
                if theirs {
                    let reader = if expected { client } else { &any };
                    let item = reader.get::<Item>(&key).unwrap().expect(&context);
                    assert_eq!(item.data, b"theirs", "{context}");
                }
                let ours = client.set(&key, ItemRef::new(row.peer.text, "ours"), 0);
                assert_eq!(ours.is_ok(), expected, "{context}: {ours:?}");
                if let Err(error) = ours {
                    assert!(error.is_validation(), "{context}: {error:?}");
                    continue;
                }
                if theirs {
                    let read = (row.peer.reads)(row.peer.text).of(b"ours");
                    let got = process.call_one(json!(["get", named(&key)]));
                    // It is the same item: theirs is gone.
                    assert_eq!(got, read, "{context}");
                    // For the next.
                    process.call_one(json!(["set", named(&key), "theirs"]));
                }
            }
        }
        // Every one has its plain keys, and those of 250 bytes.
        assert!(stored >= 4, "{}: {stored}", row.peer.name);
    }
}

/// Whether the client stores an item under this very key, and reads it back; it is there then.
fn stores(peer: &Peer, process: &mut Process, any: &Client, key: &[u8]) -> bool {
    for server in any.flush_all(Expiry::Never) {
        server.result.unwrap();
    }
    // What was refused in the middle of a line may have left a reply over.
    process.reconnect();
    process.call_one(json!(["set", named(key), "theirs"]));
    process.reconnect();
    let got = process.call_one(json!(["get", named(key)]));
    let is_read = got == (peer.reads)(peer.text).of(b"theirs");
    // One that is too long, or empty, is nobody's.
    let is_there = any.get::<Item>(key).is_ok_and(|item| item.is_some());
    if !is_there || !is_read {
        // Nothing half-stored is left, such as `a` for ` a`.
        for server in any.flush_all(Expiry::Never) {
            server.result.unwrap();
        }
    }
    is_there && is_read
}

fn named(key: &[u8]) -> Value {
    match std::str::from_utf8(key) {
        Ok(text) => json!(text),
        Err(_) => bytes(key),
    }
}
