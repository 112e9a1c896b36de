//! `lru_crawler metadump`: one line for each item.

use crate::testing::store::{Item, Marks, Store};
use std::fmt::Write;

/// The live items of the classes that `wanted` says: one of each class in turn, the longest unused
/// first. (By `hash` memcached orders them by the hashes of their keys.)
pub(crate) fn metadump(store: &Store, wanted: impl Fn(u8) -> bool) -> Vec<u8> {
    let classes = store.live_by_class();
    let mut queues: Vec<_> = classes
        .iter()
        .filter(|(class, _)| wanted(**class))
        .map(|(_, items)| items.iter())
        .collect();
    let mut text = String::new();
    loop {
        let round: Vec<_> = queues.iter_mut().filter_map(Iterator::next).collect();
        if round.is_empty() {
            break;
        }
        for (key, item) in round {
            write_line(&mut text, store, key, item);
        }
    }
    text.push_str("END\r\n");
    text.into_bytes()
}

fn write_line(text: &mut String, store: &Store, key: &[u8], item: &Item) {
    text.push_str("key=");
    for &byte in key {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    match item.exptime {
        0 => text.push_str(" exp=-1"),
        exptime => {
            let _ = write!(text, " exp={}", store.time.unix(exptime));
        }
    }
    let _ = writeln!(
        text,
        " la={} cas={} fetch={} cls={} size={}",
        store.time.unix(item.accessed_at),
        item.cas,
        if item.marks.has(Marks::FETCHED) {
            "yes"
        } else {
            "no"
        },
        item.class(),
        item.size(),
    );
}
