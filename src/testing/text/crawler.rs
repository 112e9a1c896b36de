//! `lru_crawler`: its dump of all keys, and its removal of expired items.

use super::number::unsigned_32;
use super::outcome::{Args, BAD_FORMAT, Outcome, line};
use crate::testing::report;
use crate::testing::store::Store;
use std::collections::BTreeSet;

/// Slab classes are numbered below this (`MAX_NUMBER_OF_SLAB_CLASSES`).
const CLASSES: u32 = 64;

/// In microseconds.
const LONGEST_SLEEP: u32 = 1_000_000;

/// `alone`: no command came before it in the same piece, which memcached cannot cope with.
pub(super) fn lru_crawler(store: &mut Store, args: Args<'_>, alone: bool) -> Outcome {
    match *args {
        [b"metadump" | b"crawl", _] if !store.crawler.enabled => {
            line("CLIENT_ERROR lru crawler disabled")
        }
        [b"metadump", _] if !alone => line("ERROR cannot pipeline other commands before metadump"),
        [b"metadump", b"hash"] => Outcome::Dump(report::metadump(store, |_| true)),
        [b"metadump", list] => match wanted(list) {
            Some(wanted) => Outcome::Dump(report::metadump(store, wanted)),
            None => line("BADCLASS invalid class id"),
        },
        [b"crawl", list] => match wanted(list) {
            Some(wanted) => {
                store.crawl(wanted);
                line("OK")
            }
            None => line("BADCLASS invalid class id"),
        },
        [b"tocrawl", number] => match unsigned_32(number) {
            Some(items) => {
                store.crawler.tocrawl = items;
                line("OK")
            }
            None => line(BAD_FORMAT),
        },
        [b"sleep", number] => match unsigned_32(number) {
            Some(sleep) if sleep <= LONGEST_SLEEP => {
                store.crawler.sleep = sleep;
                line("OK")
            }
            Some(_) => line("CLIENT_ERROR sleep must be one second or less"),
            None => line(BAD_FORMAT),
        },
        [b"enable"] if store.crawler.enabled => line("ERROR failed to start lru crawler thread"),
        [b"enable"] => {
            store.crawler.enabled = true;
            line("OK")
        }
        [b"disable"] => {
            store.crawler.enabled = false;
            line("OK")
        }
        _ => line("ERROR"),
    }
}

/// Which classes a list such as `1,5` has, or `all`.
fn wanted(list: &[u8]) -> Option<impl Fn(u8) -> bool> {
    let all = list == b"all";
    let classes = if all { BTreeSet::new() } else { classes(list)? };
    Some(move |id| all || classes.contains(&id))
}

fn classes(list: &[u8]) -> Option<BTreeSet<u8>> {
    let ids = list.split(|&byte| byte == b',').map(|id| {
        let id = unsigned_32(id).filter(|id| (1..CLASSES).contains(id))?;
        u8::try_from(id).ok()
    });
    ids.collect()
}
