//! What a client's keys become on the servers: prefixes, transformations, and what a peer does with
//! keys that are too long. What every command does with a prefix is in `tests/behavior`.

mod listing;
mod prefixes;
mod transforms;

use crate::support;

use moecache::value::Format;
use moecache::{Client, ClientBuilder, Protocol};
use std::collections::BTreeMap;
use std::time::Duration;
use support::Memcached;

const PROTOCOLS: [Protocol; 3] = [Protocol::Text, Protocol::Meta, Protocol::Binary];

/// Three memcacheds, and a builder of clients of them.
fn three() -> ([Memcached; 3], ClientBuilder) {
    let servers = [(); 3].map(|()| Memcached::start());
    let builder = Client::builder().servers(servers.each_ref().map(Memcached::address));
    // What a peer makes of values is another matter.
    let builder = builder.format(Format::Moecache);
    (servers, builder.timeout(Duration::from_secs(20)))
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("key:{number}")).collect()
}

/// The keys that a client lists, each of them once, and their servers.
fn listed(client: &Client) -> BTreeMap<Vec<u8>, String> {
    let mut listed = BTreeMap::new();
    for info in client.keys().map(Result::unwrap) {
        assert_eq!(listed.insert(info.key, info.server), None);
    }
    listed
}

/// Every kind of call for `keys`, each of which is stored, and read back by the name that it was
/// stored by.
fn goes_round(client: &Client, keys: &[&str]) {
    for (number, key) in keys.iter().enumerate() {
        client.set(key, number, 60).unwrap();
        assert_eq!(client.get(key).unwrap(), Some(number), "{key}");
        assert!(!client.add(key, number, 60).unwrap(), "{key}");
        assert!(client.touch(key, 60).unwrap(), "{key}");
        let new = client.update(key, 60, |old: Option<usize>| old.unwrap() + 1);
        assert_eq!(new.unwrap(), number + 1, "{key}");
    }
    let many = client.get_many::<usize, _>(keys).all().unwrap();
    assert_eq!(many.len(), keys.len());
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(many[&key], number + 1, "{key}");
    }
    let mut seen = vec![false; keys.len()];
    let failed = client.get_many_with(keys, |index, _| seen[index] = true);
    assert!(
        failed.is_empty() && seen.iter().all(|&seen| seen),
        "{failed:?}"
    );

    let mut pipeline = client.pipeline();
    let pending: Vec<_> = (keys.iter())
        .map(|key| (pipeline.get::<usize>(key), pipeline.delete(key)))
        .collect();
    let mut replies = pipeline.run();
    for (number, (value, deleted)) in pending.into_iter().enumerate() {
        assert_eq!(replies.take(value).unwrap(), Some(number + 1));
        assert!(replies.take(deleted).unwrap());
    }
    for key in keys {
        assert_eq!(client.incr_with_initial(key, 1, 7, 60).unwrap(), 7, "{key}");
    }
    for deleted in client.delete_many(keys).all().unwrap() {
        assert!(deleted);
    }
}
