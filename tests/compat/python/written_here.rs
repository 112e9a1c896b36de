//! What this client leaves behind, and what the Python clients read then.

use super::peer::{INT32, MSGPACK, Peer, RAW, STRING};
use super::{PAST, PROTOCOLS, client};
use crate::support::{Memcached, RawClient};
use moecache::{Bytes, CasOutcome, Client, Error, Item, ItemRef};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Which flags an item has.
#[derive(Clone, Copy)]
enum With {
    Flags(u32),
    /// Those of the peer for `str`, `bytes` and `int`.
    Text,
    Bytes,
    Number,
}

/// A key, and the item that it has in the end, if any.
type Left = (&'static str, Option<(With, &'static [u8])>);

/// What is done, and what that leaves.
type Row = (
    &'static str,
    fn(&Client, &Peer) -> Result<(), Error>,
    &'static [Left],
);

const fn item(key: &'static str, with: With, data: &'static str) -> Left {
    (key, Some((with, data.as_bytes())))
}

const fn string(key: &'static str, data: &'static str) -> Left {
    item(key, With::Flags(STRING), data)
}

const fn counter(key: &'static str, data: &'static str) -> Left {
    item(key, With::Flags(0), data)
}

const fn raw(key: &'static str, data: &'static [u8]) -> Left {
    (key, Some((With::Flags(RAW), data)))
}

const LONG: &str = match std::str::from_utf8(&[b'x'; 5000]) {
    Ok(text) => text,
    Err(_) => unreachable!(),
};

const ROWS: &[Row] = &[
    (
        "set_many",
        |client, _| {
            let texts = [("ascii", "text"), ("wide", "Zürich €"), ("empty", "")];
            let texts = texts.into_iter().chain([("long", LONG)]);
            client.set_many(texts, 60).all().map(drop)
        },
        &[
            string("ascii", "text"),
            string("wide", "Zürich €"),
            string("empty", ""),
            string("long", LONG),
        ],
    ),
    (
        "set_many of what only this client, or only .NET, reads",
        |client, _| {
            client.set_many([("int32", 7)], 60).all()?;
            client.set_many([("array", [1, 2])], 60).all().map(drop)
        },
        &[
            item("int32", With::Flags(INT32), "\x07\0\0\0"),
            ("array", Some((With::Flags(MSGPACK), b"\x92\x01\x02"))),
        ],
    ),
    (
        "set_many of bytes",
        |client, _| {
            let bytes = [("raw-text", &b"text"[..]), ("raw", b"\xff\r\n\0")];
            client
                .set_many(
                    bytes.into_iter().map(|(key, value)| (key, Bytes(value))),
                    60,
                )
                .all()
                .map(drop)
        },
        &[raw("raw-text", b"text"), raw("raw", b"\xff\r\n\0")],
    ),
    (
        "set_many of items, with the flags of the peer",
        |client, peer| {
            let items = [
                ("text", (peer.text, &b"Z\xc3\xbcrich"[..])),
                ("bytes", (peer.bytes, b"\xff\r\n\0")),
                ("number", (peer.number, b"-41")),
                ("none", (peer.text, b"")),
            ];
            client
                .set_many(
                    items
                        .into_iter()
                        .map(|(key, (flags, data))| (key, ItemRef::new(flags, data))),
                    60,
                )
                .all()
                .map(drop)
        },
        &[
            item("text", With::Text, "Zürich"),
            ("bytes", Some((With::Bytes, b"\xff\r\n\0"))),
            item("number", With::Number, "-41"),
            item("none", With::Text, ""),
        ],
    ),
    (
        "append and prepend keep the flags that are there",
        |client, peer| {
            client.set_many([("longer", "b")], 60).all()?;
            client
                .set_many(
                    [("longer-raw", "b")]
                        .into_iter()
                        .map(|(key, value)| (key, Bytes(value))),
                    60,
                )
                .all()?;
            let items = [
                ("longer-text", (peer.text, "b")),
                ("longer-bytes", (peer.bytes, "b")),
                ("longer-number", (peer.number, "2")),
            ];
            client
                .set_many(
                    items
                        .into_iter()
                        .map(|(key, (flags, data))| (key, ItemRef::new(flags, data))),
                    60,
                )
                .all()?;
            for key in ["longer", "longer-raw", "longer-text", "longer-bytes"] {
                assert!(client.append(key, "ü")? && client.prepend(key, "a")?);
            }
            assert!(client.append("longer-number", "3")? && client.prepend("longer-number", "1")?);
            assert!(!client.append("nothing", "a")? && !client.prepend("nothing", "a")?);
            Ok(())
        },
        &[
            string("longer", "abü"),
            raw("longer-raw", "abü".as_bytes()),
            item("longer-text", With::Text, "abü"),
            item("longer-bytes", With::Bytes, "abü"),
            item("longer-number", With::Number, "123"),
            ("nothing", None),
        ],
    ),
    (
        "compare_and_swap",
        |client, peer| {
            client
                .set_many([("swapped", "old"), ("lost", "old")], 60)
                .all()?;
            let (_, cas) = client.gets::<String>("swapped")?.unwrap();
            assert_eq!(
                client.compare_and_swap("swapped", "new", 60, cas)?,
                CasOutcome::Stored
            );
            assert_eq!(
                client.compare_and_swap("swapped", "late", 60, cas)?,
                CasOutcome::Changed
            );
            let cas = client.gets::<Item>("lost")?.unwrap().1;
            let new = ItemRef::new(peer.text, "new");
            assert_eq!(
                client.compare_and_swap("lost", new, 60, cas)?,
                CasOutcome::Stored
            );
            assert_eq!(
                client.compare_and_swap("never", new, 60, cas)?,
                CasOutcome::Missing
            );
            Ok(())
        },
        &[
            string("swapped", "new"),
            item("lost", With::Text, "new"),
            ("never", None),
        ],
    ),
    (
        "counters",
        |client, _| {
            client.set_counter("counter", 41, 60)?;
            assert_eq!(client.incr("counter", 1)?, Some(42));
            client.set_counter("largest", u64::MAX - 1, 60)?;
            assert_eq!(client.incr("largest", 1)?, Some(u64::MAX));
            client.set_counter("wrapped", u64::MAX, 60)?;
            assert_eq!(client.incr("wrapped", 6)?, Some(5));
            assert!(client.add_counter("added", 25, 60)?);
            assert_eq!(client.decr("added", 15)?, Some(10));
            assert_eq!(client.incr("uncounted", 1)?, None);
            Ok(())
        },
        &[
            counter("counter", "42"),
            counter("largest", "18446744073709551615"),
            // As many bytes as before.
            counter("wrapped", "5                   "),
            counter("added", "10"),
            ("uncounted", None),
        ],
    ),
    (
        "incr_with_initial and decr_with_initial",
        |client, _| {
            assert_eq!(client.incr_with_initial("begun", 5, 100, 60)?, 100);
            assert_eq!(client.incr_with_initial("begun-up", 5, 100, 60)?, 100);
            assert_eq!(client.incr_with_initial("begun-up", 5, 100, 60)?, 105);
            assert_eq!(client.decr_with_initial("begun-down", 5, 200, 60)?, 200);
            assert_eq!(client.decr_with_initial("begun-down", 5, 200, 60)?, 195);
            Ok(())
        },
        &[
            counter("begun", "100"),
            counter("begun-up", "105"),
            counter("begun-down", "195"),
        ],
    ),
    (
        "incr and decr keep the flags that are there",
        |client, peer| {
            client.set_many([("digits", "99")], 60).all()?;
            assert_eq!(client.incr("digits", 1)?, Some(100));
            let items = [
                ("count", (peer.number, "99")),
                ("count-down", (peer.number, "10")),
            ];
            client
                .set_many(
                    items
                        .into_iter()
                        .map(|(key, (flags, data))| (key, ItemRef::new(flags, data))),
                    60,
                )
                .all()?;
            let mut pipeline = client.pipeline();
            let counted = (pipeline.incr("count", 1), pipeline.decr("count-down", 1));
            let mut replies = pipeline.run();
            assert_eq!(replies.take(counted.0)?, Some(100));
            assert_eq!(replies.take(counted.1)?, Some(9));
            Ok(())
        },
        &[
            string("digits", "100"),
            item("count", With::Number, "100"),
            item("count-down", With::Number, "9 "),
        ],
    ),
    (
        "touch",
        |client, peer| {
            let items = ["touched", "touched-too", "expired", "expired-too"];
            let items = items.map(|key| (key, (peer.text, "text")));
            client
                .set_many(
                    items
                        .into_iter()
                        .map(|(key, (flags, data))| (key, ItemRef::new(flags, data))),
                    60,
                )
                .all()?;
            assert!(client.touch("touched", 600)? && client.touch("expired", PAST)?);
            let mut pipeline = client.pipeline();
            let touched = [("touched-too", 600), ("expired-too", PAST)]
                .map(|(key, expiry)| pipeline.touch(key, expiry));
            let mut replies = pipeline.run();
            for touched in touched {
                assert!(replies.take(touched)?);
            }
            Ok(())
        },
        &[
            item("touched", With::Text, "text"),
            item("touched-too", With::Text, "text"),
            ("expired", None),
            ("expired-too", None),
        ],
    ),
    (
        "delete_many",
        |client, _| {
            let keys = ["kept", "deleted", "deleted-too"];
            client.set_many(keys.map(|key| (key, "text")), 60).all()?;
            let deleted = client.delete_many(["deleted", "absent", "deleted-too"]);
            assert_eq!(deleted.all()?, [true, false, true]);
            Ok(())
        },
        &[
            string("kept", "text"),
            ("deleted", None),
            ("absent", None),
            ("deleted-too", None),
        ],
    ),
    (
        "a pipeline",
        |client, peer| {
            client.set_many([("in-line-swapped", "old")], 60).all()?;
            let (_, cas) = client.gets::<String>("in-line-swapped")?.unwrap();
            let mut pipeline = client.pipeline();
            let _ = pipeline.set("in-line", "b", 60);
            let _ = pipeline.append("in-line", "c");
            let _ = pipeline.prepend("in-line", "a");
            let _ = pipeline.set("in-line-text", ItemRef::new(peer.text, "text"), 60);
            let _ = pipeline.set("in-line-count", ItemRef::new(peer.number, "8"), 60);
            let counted = pipeline.incr("in-line-count", 3);
            let swapped = pipeline.compare_and_swap("in-line-swapped", "new", 60, cas);
            let late = pipeline.compare_and_swap("in-line-swapped", "late", 60, cas);
            let _ = pipeline.set("in-line-deleted", "a", 60);
            let deleted = pipeline.delete("in-line-deleted");
            let mut replies = pipeline.run();
            assert_eq!(replies.take(counted)?, Some(11));
            assert_eq!(replies.take(swapped)?, CasOutcome::Stored);
            assert_eq!(replies.take(late)?, CasOutcome::Changed);
            assert!(replies.take(deleted)?);
            Ok(())
        },
        &[
            string("in-line", "abc"),
            item("in-line-text", With::Text, "text"),
            item("in-line-count", With::Number, "11"),
            string("in-line-swapped", "new"),
            ("in-line-deleted", None),
        ],
    ),
];

/// The flags and the data.
fn resolve(peer: &Peer, (with, data): (With, &'static [u8])) -> (u32, &'static [u8]) {
    let flags = match with {
        With::Flags(flags) => flags,
        With::Text => peer.text,
        With::Bytes => peer.bytes,
        With::Number => peer.number,
    };
    (flags, data)
}

pub fn is_read(peer: &Peer) {
    for protocol in PROTOCOLS {
        let server = Memcached::start();
        let client = client(server.address(), protocol);
        let mut process = peer.start(&[server.address()]);
        let mut raw = RawClient::connect(server.address());
        let mut all = BTreeMap::new();
        for (row, write, left) in ROWS {
            let context = format!("{protocol}, {}: {row}", peer.name);
            write(&client, peer).unwrap_or_else(|error| panic!("{context}: {error:?}"));
            for (key, item) in *left {
                let item = item.map(|item| resolve(peer, item));
                let (reply, read) = match item {
                    Some((flags, data)) => {
                        let head = format!("VALUE {key} {flags} {}\r\n", data.len());
                        let reply = [head.as_bytes(), data, b"\r\nEND\r\n"].concat();
                        (reply, (peer.reads)(flags).of(data))
                    }
                    None => (b"END\r\n".to_vec(), Value::Null),
                };
                raw.ask(format!("get {key}\r\n"), reply);
                let got = process.call_one(json!(["get", key]));
                assert_eq!(got, read, "{context}: {key}");
                all.insert(*key, read);
            }
        }

        // Where one item raises, all of get_many does.
        all.retain(|_, read| read.get("raises").is_none());
        let mut got = process.get_many(all.keys());
        for (key, read) in &all {
            let context = format!("{protocol}, {}: {key}", peer.name);
            let got = got.remove(*key).unwrap_or_default();
            assert_eq!(got, *read, "{context}");
            if !got.is_null() {
                let cas = client.gets::<Item>(key).unwrap().unwrap().1;
                let got = process.call_one(json!(["gets", key]));
                assert_eq!(got, json!([read, cas]), "{context}");
            }
        }
    }
}
