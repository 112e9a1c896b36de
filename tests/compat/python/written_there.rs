//! What the Python clients leave behind, and what this client reads then; and both in turns.

use super::peer::{Peer, bytes};
use super::{PAST, PROTOCOLS, client};
use crate::support::Memcached;
use moecache::{CasOutcome, Item, ItemRef};
use serde_json::json;

/// The flags and the data of an item, if there is one.
type Left = Option<(u32, &'static [u8])>;

pub fn is_read(peer: &Peer) {
    let server = Memcached::start();
    let mut process = peer.start(&[server.address()]);
    let done = process.call(&[
        json!(["set_many", {
            "text": "Zürich", "empty": "", "bytes": bytes(b"\xff\r\n\0"), "number": -41,
            "longer": "b", "longer-bytes": bytes(b"b"), "longer-number": 2,
            "count": 99, "count-down": 10, "swapped": "old",
            "touched": "text", "expired": "text", "deleted": "text",
        }]),
        json!(["append", "longer", "c"]),
        json!(["prepend", "longer", "a"]),
        json!(["append", "longer-bytes", bytes(b"\xff")]),
        json!(["prepend", "longer-bytes", bytes(b"\0")]),
        json!(["append", "longer-number", "3"]),
        json!(["prepend", "longer-number", "1"]),
        json!(["incr", "count", 1]),
        json!(["decr", "count-down", 1]),
        json!(["delete", "deleted"]),
    ]);
    let yes = true;
    let expected = json!([[], yes, yes, yes, yes, yes, yes, 100, 9, yes]);
    assert_eq!(json!(done), expected, "{}", peer.name);
    if peer.touches {
        let touched = process.call(&[
            json!(["touch", "touched", 600]),
            json!(["touch", "expired", PAST]),
        ]);
        assert_eq!(touched, [true, true]);
    }
    let old = process.call_one(json!(["gets", "swapped"]));
    let swapped = process.call_one(json!(["cas", "swapped", "new", old[1]]));
    assert_eq!(swapped, true);

    let items: [(&str, Left); 13] = [
        ("text", Some((peer.text, "Zürich".as_bytes()))),
        ("empty", Some((peer.text, b""))),
        ("bytes", Some((peer.bytes, b"\xff\r\n\0"))),
        ("number", Some((peer.number, b"-41"))),
        ("longer", Some((peer.text, b"abc"))),
        ("longer-bytes", Some((peer.bytes, b"\0b\xff"))),
        ("longer-number", Some((peer.number, b"123"))),
        ("count", Some((peer.number, b"100"))),
        ("count-down", Some((peer.number, b"9 "))),
        ("swapped", Some((peer.text, b"new"))),
        ("touched", Some((peer.text, b"text"))),
        ("expired", (!peer.touches).then_some((peer.text, b"text"))),
        ("deleted", None),
    ];
    for protocol in PROTOCOLS {
        let client = client(server.address(), protocol);
        let each = client.get_each::<Item, _>(items.map(|(key, _)| key));
        assert_eq!(each.len(), items.len());
        for ((key, item), (expected, left)) in each.into_iter().zip(items) {
            let context = format!("{protocol}, {}: {key}", peer.name);
            assert_eq!(key, expected);
            let item = item.unwrap();
            let item = item.as_ref().map(|item| (item.flags, &*item.data));
            assert_eq!(item, left, "{context}");

            let (string, data) = (client.get::<String>(key), client.get_bytes(key));
            match left {
                None => assert_eq!((string.unwrap(), data.unwrap()), (None, None), "{context}"),
                Some((0, left)) => {
                    assert_eq!(data.unwrap().as_deref(), Some(left), "{context}");
                    match std::str::from_utf8(left) {
                        Ok(text) => assert_eq!(string.unwrap().as_deref(), Some(text), "{context}"),
                        Err(_) => assert!(string.unwrap_err().is_decode(), "{context}"),
                    }
                }
                // Not ours; whose it is, the error says.
                Some((flags, _)) => {
                    for error in [string.map(drop).unwrap_err(), data.map(drop).unwrap_err()] {
                        assert!(error.is_decode(), "{context}: {error:?}");
                        let text = error.to_string();
                        let library = peer.name.split(',').next().unwrap();
                        assert!(
                            text.contains(&format!("flags {flags}")),
                            "{context}: {text}"
                        );
                        assert!(text.contains(library), "{context}: {text}");
                    }
                }
            }
            if let Some((item, _)) = client.gets::<Item>(key).unwrap() {
                let theirs = process.call_one(json!(["gets", key]));
                let read = (peer.reads)(item.flags).of(&item.data);
                assert_eq!(theirs, json!([read, item.cas]), "{context}");
            }
        }
    }
}

/// A cas id is good on both sides, and only once; and a counter counts on both sides.
pub fn goes_both_ways(peer: &Peer) {
    for protocol in PROTOCOLS {
        let server = Memcached::start();
        let client = client(server.address(), protocol);
        let mut process = peer.start(&[server.address()]);
        let read = |flags, data: &str| (peer.reads)(flags).of(data.as_bytes());
        let context = format!("{protocol}, {}", peer.name);

        client
            .set("key", ItemRef::new(peer.text, "first"), 60)
            .unwrap();
        let ours = client.gets::<Item>("key").unwrap().unwrap().1;
        let theirs = process.call_one(json!(["gets", "key"]));
        assert_eq!(theirs, json!([read(peer.text, "first"), ours]), "{context}");
        let swapped = process.call(&[
            json!(["cas", "key", "second", ours + 1]),
            json!(["cas", "key", "third", ours]),
            json!(["cas", "key", "fourth", ours]),
        ]);
        assert_eq!(swapped, [false, true, false], "{context}");

        let theirs = process.call_one(json!(["gets", "key"]));
        assert_eq!(theirs[0], read(peer.text, "third"), "{context}");
        let theirs = theirs[1].as_u64().unwrap();
        let swap = |value: &str, cas| {
            let item = ItemRef::new(peer.text, value);
            client.compare_and_swap("key", item, 60, cas).unwrap()
        };
        assert_eq!(swap("fifth", theirs + 1), CasOutcome::Changed, "{context}");
        assert_eq!(swap("sixth", theirs), CasOutcome::Stored, "{context}");
        assert_eq!(swap("seventh", theirs), CasOutcome::Changed, "{context}");
        let left = process.call(&[
            json!(["cas", "key", "eighth", theirs]),
            json!(["get", "key"]),
        ]);
        assert_eq!(left, [json!(false), read(peer.text, "sixth")], "{context}");

        client.set_counter("ours", 41, 60).unwrap();
        let counted = process.call(&[json!(["incr", "ours", 1]), json!(["incr", "ours", 8])]);
        assert_eq!(counted, [42, 50], "{context}");
        assert_eq!(client.decr("ours", 20).unwrap(), Some(30), "{context}");
        let counted = process.call(&[json!(["decr", "ours", 5]), json!(["get", "ours"])]);
        assert_eq!(counted, [json!(25), read(0, "25")], "{context}");

        client.set_counter("high", u64::MAX - 3, 60).unwrap();
        let counted = process.call_one(json!(["incr", "high", 2]));
        assert_eq!(counted, u64::MAX - 1, "{context}");
        assert_eq!(client.incr("high", 1).unwrap(), Some(u64::MAX), "{context}");

        assert_eq!(process.call_one(json!(["set", "theirs", 98])), true);
        assert_eq!(client.incr("theirs", 1).unwrap(), Some(99), "{context}");
        assert_eq!(process.call_one(json!(["incr", "theirs", 1])), 100);
        let counted = client.incr_with_initial("theirs", 11, 7, 60).unwrap();
        assert_eq!(counted, 111, "{context}");
        let counted = process.call_one(json!(["get", "theirs"]));
        assert_eq!(counted, read(peer.number, "111"), "{context}");
    }
}
