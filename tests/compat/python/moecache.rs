//! Python's moecache, which has no more than set, get and delete, over two servers: it has to look on
//! the right one, too.

use super::peer::MOECACHE;
use super::{PROTOCOLS, client};
use crate::support::Memcached;
use moecache::{Bytes, CasOutcome, Client, Item, Protocol};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A key of 1 to 40 printable characters and a text of up to 300, from a fixed seed.
fn pairs(count: usize) -> BTreeMap<String, String> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: u32| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 32) % u64::from(below)) as u32
    };
    let mut pairs = BTreeMap::new();
    while pairs.len() < count {
        let key = (0..=random(40)).filter_map(|_| char::from_u32(0x21 + random(0x7e - 0x20)));
        let key: String = key.collect();
        let length = random(300);
        let value = (0..length)
            .filter_map(|_| char::from_u32(random(if length % 2 == 0 { 0x80 } else { 0x2_0000 })));
        pairs.insert(key, value.collect());
    }
    pairs
}

/// How each protocol fares with two servers, which start empty.
fn with_two_servers(check: impl Fn(Protocol, &Client, &mut super::peer::Process)) {
    for protocol in PROTOCOLS {
        let servers = [(); 2].map(|()| Memcached::start());
        let addresses = servers.each_ref().map(Memcached::address);
        let client = client(addresses, protocol);
        check(protocol, &client, &mut MOECACHE.start(&addresses));
        for server in client.stats().unwrap() {
            let items = server.result.unwrap().curr_items().unwrap();
            // How many depends on the ports.
            assert!(items > 10, "{} has {items} of 1000 keys", server.server);
        }
    }
}

fn strings(values: &BTreeMap<String, String>) -> BTreeMap<String, Value> {
    let json = |(key, value): (&String, &String)| (key.clone(), json!(value));
    values.iter().map(json).collect()
}

/// As the values become with `change`.
fn changed(
    values: &BTreeMap<String, String>,
    change: impl Fn(&str) -> String,
) -> BTreeMap<String, String> {
    let change = |(key, value): (&String, &String)| (key.clone(), change(value));
    values.iter().map(change).collect()
}

#[test]
#[ignore = "needs Python with the other clients: tests/run makes it and runs this too"]
fn it_reads_what_is_written_here() {
    crate::support::needs_python!();
    let pairs = pairs(1000);
    with_two_servers(|protocol, client, process| {
        client.set_many(&pairs, 60).all().unwrap();
        assert_eq!(
            process.get_many(pairs.keys()),
            strings(&pairs),
            "{protocol}"
        );

        for key in pairs.keys() {
            assert!(client.append(key, ">").unwrap() && client.prepend(key, "<ü").unwrap());
        }
        let longer = changed(&pairs, |value| format!("<ü{value}>"));
        assert_eq!(
            process.get_many(pairs.keys()),
            strings(&longer),
            "{protocol}"
        );

        let swapped = changed(&pairs, |value| value.chars().rev().collect());
        for (key, (value, cas)) in client.gets_many::<String, _>(pairs.keys()).all().unwrap() {
            assert_eq!(value, longer[key]);
            let late = client.compare_and_swap(key, "late", 60, cas + 1).unwrap();
            assert_eq!(late, CasOutcome::Changed, "{key}");
            let outcome = client
                .compare_and_swap(key, &swapped[key], 60, cas)
                .unwrap();
            assert_eq!(outcome, CasOutcome::Stored, "{key}");
        }
        assert_eq!(
            process.get_many(pairs.keys()),
            strings(&swapped),
            "{protocol}"
        );

        // A text of digits is a counter, and stays a text; what set_counter stores is none.
        let digits = changed(&pairs, |value| value.len().to_string());
        client.set_many(&digits, 60).all().unwrap();
        let mut pipeline = client.pipeline();
        let counted: Vec<_> = pairs.keys().map(|key| pipeline.incr(key, 1000)).collect();
        let mut replies = pipeline.run();
        for counted in counted {
            assert!(replies.take(counted).unwrap().unwrap() >= 1000);
        }
        let counted = changed(&pairs, |value| (value.len() + 1000).to_string());
        assert_eq!(
            process.get_many(pairs.keys()),
            strings(&counted),
            "{protocol}"
        );

        let mut pipeline = client.pipeline();
        let piped: Vec<_> = (pairs.iter())
            .map(|(key, value)| (pipeline.set(key, value, 60), pipeline.append(key, "|")))
            .collect();
        let mut replies = pipeline.run();
        for (set, appended) in piped {
            replies.take(set).unwrap();
            assert!(replies.take(appended).unwrap());
        }
        let piped = changed(&pairs, |value| format!("{value}|"));
        assert_eq!(
            process.get_many(pairs.keys()),
            strings(&piped),
            "{protocol}"
        );

        let gone: Vec<_> = pairs.keys().step_by(2).collect();
        for deleted in client.delete_many(&gone).all().unwrap() {
            assert!(deleted);
        }
        let mut left = strings(&piped);
        left.retain(|key, _| gone.binary_search(&key).is_err());
        assert_eq!(process.get_many(pairs.keys()), left, "{protocol}");
    });
}

#[test]
#[ignore = "needs Python with the other clients: tests/run makes it and runs this too"]
fn what_it_writes_is_read_here() {
    crate::support::needs_python!();
    let pairs = pairs(1000);
    with_two_servers(|protocol, client, process| {
        assert_eq!(process.call_one(json!(["set_many", pairs])), json!([]));
        let found = client.get_many::<String, _>(pairs.keys()).all().unwrap();
        assert_eq!(found.len(), pairs.len());
        for (key, value) in found {
            assert_eq!(value, pairs[key], "{protocol}: {key}");
        }
        for (key, item) in client.get_each::<Item, _>(pairs.keys()) {
            let item = item.unwrap().unwrap();
            let expected = (MOECACHE.text, pairs[key].as_bytes());
            assert_eq!((item.flags, &*item.data), expected, "{protocol}: {key}");
        }
        let incr = [json!(["set", "digits", "41"]), json!(["get", "digits"])];
        assert_eq!(process.call(&incr), [json!(null), json!("41")]);
        assert_eq!(client.incr("digits", 1).unwrap(), Some(42));
        assert_eq!(process.call_one(json!(["get", "digits"])), "42");

        assert_eq!(
            process.call_one(json!(["set", "pickle", [1, 2]])),
            json!(null)
        );
        let error = client.get::<String>("pickle").unwrap_err();
        assert!(
            error.is_decode() && error.to_string().contains("pickle"),
            "{error}"
        );
        let item = client.get::<Item>("pickle").unwrap().unwrap();
        assert_eq!(item.flags, MOECACHE.bytes);
    });
}

/// It raises on all flags but those of a text and of its pickles: it never gives a wrong value.
#[test]
#[ignore = "needs Python with the other clients: tests/run makes it and runs this too"]
fn it_refuses_what_is_not_text() {
    crate::support::needs_python!();
    for protocol in PROTOCOLS {
        let server = Memcached::start();
        let client = client(server.address(), protocol);
        let mut process = MOECACHE.start(&[server.address()]);
        client.set_counter("counter", 41, 60).unwrap();
        client.incr("counter", 1).unwrap();
        client.incr_with_initial("begun", 1, 5, 60).unwrap();
        client
            .set_many(
                [("raw", "text")]
                    .into_iter()
                    .map(|(key, value)| (key, Bytes(value))),
                60,
            )
            .all()
            .unwrap();
        client.set_many([("int32", 7)], 60).all().unwrap();
        client.set_many([("array", [1, 2])], 60).all().unwrap();
        for key in ["counter", "begun", "raw", "int32", "array"] {
            let got = process.call_one(json!(["get", key]));
            let raises = json!({ "raises": "ClientException" });
            assert_eq!(got, raises, "{protocol}: {key}");
        }
    }
}
