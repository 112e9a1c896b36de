//! Every recorded placement of the peers whose ring this is.

use super::{Distribution, Node};
use crate::server::Server;
use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path;

#[derive(Deserialize)]
struct Inputs {
    lists: HashMap<String, List>,
    keysets: HashMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct List {
    servers: Vec<Typed>,
    keysets: Vec<String>,
}

#[derive(Deserialize)]
struct Typed {
    host: String,
    port: u16,
}

#[derive(Deserialize)]
struct Recorded {
    peer: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    scheme: String,
    list: String,
    /// The server of each key, a base 36 digit each.
    index: String,
    #[serde(default)]
    server_strings: Vec<String>,
}

fn read<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors/placement")
        .join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Checks every vector of `file` whose scheme is a distribution of ours; returns how many keys.
fn check(file: &str) -> usize {
    let inputs: Inputs = read("inputs.json");
    let recorded: Recorded = read(file);
    let mut checked = 0;
    for vector in &recorded.vectors {
        let Vector {
            scheme,
            list: name,
            index,
            server_strings,
        } = vector;
        let distribution: Distribution = format!("{}:{scheme}", recorded.peer).parse().unwrap();
        let list = &inputs.lists[name];
        let servers: Vec<_> = (list.servers.iter())
            .map(|typed| Node::new(&Server::from((typed.host.as_str(), typed.port))).unwrap())
            .collect();
        if !server_strings.is_empty() {
            let texts: Vec<_> = servers
                .iter()
                .map(|server| distribution.ring_text(server).unwrap())
                .collect();
            assert_eq!(&texts, server_strings, "{distribution} {name}");
        }
        let locator = distribution.build(None, &servers).unwrap();
        let keys: Vec<_> = list
            .keysets
            .iter()
            .flat_map(|set| &inputs.keysets[set])
            .collect();
        assert_eq!(keys.len(), index.len(), "{distribution} {name}");
        for (key, digit) in keys.iter().zip(index.chars()) {
            let expected = digit.to_digit(36).unwrap() as usize;
            assert_eq!(
                locator.locate(key.as_bytes()),
                expected,
                "{distribution} {name} {key}"
            );
        }
        checked += keys.len();
    }
    checked
}

#[test]
fn moecache() {
    assert_eq!(check("moecache.json"), 10_454);
}

#[test]
fn enyim() {
    assert_eq!(check("enyim.json"), 8_838);
}

#[test]
fn enyim_core() {
    assert_eq!(check("enyimmemcachedcore.json"), 10_454);
}

#[test]
fn a_host_name_is_refused_where_addresses_are_hashed() {
    let servers = ["10.0.0.1", "cache.example.com"].map(|s| Node::new(&s.into()).unwrap());
    for distribution in [Distribution::Enyim, Distribution::EnyimCoreLegacy] {
        let error = distribution.build(None, &servers).unwrap_err();
        assert!(error.is_validation());
        assert!(
            error
                .to_string()
                .contains("\"cache.example.com\" is a host name"),
            "{error}"
        );
    }
}
