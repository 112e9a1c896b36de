//! Python's moecache and this client on the same servers.

mod support;

use moecache::Client;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use support::Memcached;

/// Reads `{"servers": [[host, port], ..], "set": {key: value}, "get": [key, ..]}`, sets and gets with
/// moecache, and prints what it got and where it puts each key.
const PEER: &str = "
import json, sys, moecache
job = json.load(sys.stdin)
servers = [tuple(server) for server in job['servers']]
with moecache.Client(servers, timeout=5) as client:
    for key, value in job['set'].items():
        client.set(key, value)
    json.dump({key: client.get(key) for key in job['get']}, sys.stdout)
";

/// Runs moecache from PyPI, in the Python that `tests/run` made for it.
fn peer(job: &serde_json::Value) -> BTreeMap<String, Option<String>> {
    let python = std::env::var("MOECACHE_PYTHON").expect("MOECACHE_PYTHON, which tests/run sets");
    let mut process = Command::new(python)
        .args(["-c", PEER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    process
        .stdin
        .take()
        .unwrap()
        .write_all(job.to_string().as_bytes())
        .unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

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

#[test]
#[ignore = "needs Python with moecache: tests/run makes it and runs this too"]
fn moecache_and_this_client_read_each_other() {
    let servers = [(); 2].map(|()| Memcached::start());
    let client = Client::new(servers.each_ref().map(Memcached::address)).unwrap();
    let addresses = servers
        .each_ref()
        .map(|server| ("127.0.0.1", server.address().port()));
    let pairs = pairs(1000);
    let keys: Vec<_> = pairs.keys().collect();

    let job = serde_json::json!({ "servers": addresses, "set": pairs, "get": [] });
    peer(&job);
    for (key, value) in &pairs {
        assert_eq!(
            client.get::<String>(key).unwrap().as_ref(),
            Some(value),
            "{key}"
        );
    }

    for (key, value) in &pairs {
        client
            .set(key, value.chars().rev().collect::<String>(), 0)
            .unwrap();
    }
    let job = serde_json::json!({ "servers": addresses, "set": {}, "get": keys });
    let theirs = peer(&job);
    assert_eq!(theirs.len(), pairs.len());
    for (key, value) in &pairs {
        let reversed = value.chars().rev().collect::<String>();
        assert_eq!(theirs[key].as_ref(), Some(&reversed), "{key}");
    }

    for server in client.stats().unwrap() {
        let items = server.result.unwrap().curr_items().unwrap();
        assert!(
            (100..=900).contains(&items),
            "{} has {items} of 1000 keys",
            server.server
        );
    }
}
