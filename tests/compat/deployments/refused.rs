//! What this client compresses in its own format, no other takes for a value of its own. (What it does
//! not compress, `python` has.)

use super::python::Driver;
use super::report::{self, Outcome};
use super::servers::{ONE, PROTOCOLS, Servers};
use moecache::Item;
use moecache::value::Compression;
use serde_json::{Value, json};
use std::collections::BTreeMap;

struct Row {
    peer: &'static str,
    settings: Value,
    compression: Compression,
    /// The flags that it gives its items.
    flags: u32,
}

fn rows() -> Vec<Row> {
    let peers = [
        ("moecache", json!({})),
        ("pylibmc", json!({})),
        ("pylibmc", json!({"binary": true})),
        ("python-memcached", json!({})),
        ("pymemcache", json!({})),
        ("pymemcache", json!({"serde": "pickle_serde"})),
        ("pymemcache", json!({"serde": "compressed_serde"})),
    ];
    let row = |(peer, settings): &(&'static str, Value)| {
        [(Compression::lz4(), 0x4d20), (Compression::zstd(), 0x4d60)].map(|(compression, flags)| {
            Row {
                peer,
                settings: settings.clone(),
                compression,
                flags,
            }
        })
    };
    peers.iter().flat_map(row).collect()
}

pub fn agree() {
    report::run(&["peer", "settings", "compression here"], &rows());
}

impl report::Row for Row {
    fn name(&self) -> Vec<String> {
        let compression = self.compression.to_string();
        vec![self.peer.to_owned(), self.settings.to_string(), compression]
    }

    fn check(&self) -> Outcome {
        // One server: a peer with another placement would miss the keys.
        let servers = Servers::start(&ONE);
        let mut python = Driver::start(self.peer, &self.settings, &servers.addresses());
        let mut outcome = Outcome::default();
        for protocol in PROTOCOLS {
            let client = servers.client().compression(self.compression);
            let client = client.protocol(protocol).build().unwrap();
            client.set("text", "text ".repeat(1000), 60).unwrap();
            client.set_bytes("bytes", [b'b'; 5000], 60).unwrap();
            client.set("object", vec!["one"; 5000], 60).unwrap();
            let mut untouched = BTreeMap::new();
            for key in ["text", "bytes", "object"] {
                let item = client.get::<Item>(key).unwrap().unwrap();
                assert_eq!(item.flags, self.flags, "{key}");
                assert!(item.data.len() < 1000, "{key} is not compressed");
                untouched.insert(key.to_owned(), format!("b\"{}\"", item.data.escape_ascii()));
            }
            outcome.tried[1] += untouched.len();
            for (key, got) in python.differences(&untouched) {
                if !got.starts_with("raises ") {
                    let difference = format!("{protocol}, {key}: {got}");
                    outcome.differences.push(difference);
                }
            }
        }
        outcome
    }
}
