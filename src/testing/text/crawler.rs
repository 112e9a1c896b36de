//! `lru_crawler`, as far as clients use it: its dump of all keys. Nothing is crawled, since expired
//! items are never seen anyway.

use super::commands::{Args, Outcome, line};
use super::number::unsigned_32;
use crate::testing::report;
use crate::testing::store::Store;
use std::collections::BTreeSet;

/// Slab classes are numbered below this (`MAX_NUMBER_OF_SLAB_CLASSES`).
const CLASSES: u32 = 64;

/// `alone`: no command came before it in the same piece, which memcached cannot cope with.
pub(super) fn lru_crawler(store: &mut Store, args: Args<'_>, alone: bool) -> Outcome {
    match *args {
        [b"metadump" | b"crawl", _] if !store.crawler => line("CLIENT_ERROR lru crawler disabled"),
        [b"metadump", _] if !alone => line("ERROR cannot pipeline other commands before metadump"),
        [b"metadump", b"all" | b"hash"] => Outcome::Dump(report::metadump(store, |_| true)),
        [b"metadump", list] => match classes(list) {
            Some(classes) => Outcome::Dump(report::metadump(store, |id| classes.contains(&id))),
            None => line("BADCLASS invalid class id"),
        },
        [b"crawl", b"all"] => line("OK"),
        [b"crawl", list] if classes(list).is_some() => line("OK"),
        [b"crawl", _] => line("BADCLASS invalid class id"),
        [b"enable"] if store.crawler => line("ERROR failed to start lru crawler thread"),
        [b"enable"] => {
            store.crawler = true;
            line("OK")
        }
        [b"disable"] => {
            store.crawler = false;
            line("OK")
        }
        _ => line("ERROR"),
    }
}

/// A list such as `1,5`.
fn classes(list: &[u8]) -> Option<BTreeSet<u8>> {
    let ids = list.split(|&byte| byte == b',').map(|id| {
        let id = unsigned_32(id).filter(|id| (1..CLASSES).contains(id))?;
        u8::try_from(id).ok()
    });
    ids.collect()
}
