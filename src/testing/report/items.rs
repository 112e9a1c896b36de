//! `stats items`, `slabs`, `sizes` and `cachedump`: the items, and the slab classes they would be in.

use super::Report;
use crate::testing::store::{ClassCounters, Item, PAGE, Store, chunk_size};
use std::collections::BTreeMap;
use std::fmt::Write;

/// `stats items`: one block for each class that has items.
pub(crate) fn items(store: &Store) -> Report {
    let mut text = String::new();
    for (class, items) in by_class(store) {
        let ClassCounters {
            get_hits,
            evicted,
            evicted_nonzero,
            evicted_unfetched,
            reclaimed,
            expired_unfetched,
            crawler_reclaimed,
            crawler_items_checked,
            ..
        } = class_counters(store, class);
        let oldest = items.iter().map(|item| item.accessed_at).min();
        let rows = format!(
            "number {number}
number_hot {number}
number_warm 0
number_cold 0
age_hot {age}
age_warm 0
age 0
mem_requested {bytes}
evicted {evicted}
evicted_nonzero {evicted_nonzero}
evicted_time 0
outofmemory 0
tailrepairs 0
reclaimed {reclaimed}
expired_unfetched {expired_unfetched}
evicted_unfetched {evicted_unfetched}
evicted_active 0
crawler_reclaimed {crawler_reclaimed}
crawler_items_checked {crawler_items_checked}
lrutail_reflocked 0
moves_to_cold 0
moves_to_warm 0
moves_within_lru 0
direct_reclaims 0
hits_to_hot {get_hits}
hits_to_warm 0
hits_to_cold 0
hits_to_temp 0",
            number = items.len(),
            age = store.time.now() - oldest.unwrap_or_default(),
            bytes = items.iter().map(|item| item.size()).sum::<usize>(),
        );
        for row in rows.lines() {
            let _ = writeln!(text, "items:{class}:{row}");
        }
    }
    Report(text)
}

/// `stats slabs`: one block for each class that was ever used.
pub(crate) fn slabs(store: &Store) -> Report {
    let mut text = String::new();
    let mut all_pages = 0;
    let mut classes = by_class(store);
    for &class in &store.used_classes {
        classes.entry(class).or_default();
    }
    for (&class, items) in &classes {
        let chunk = chunk_size(class);
        let per_page = PAGE / chunk;
        let used: usize = items.iter().map(|item| item.size().div_ceil(chunk)).sum();
        let pages = used.div_ceil(per_page).max(1);
        all_pages += pages;
        let ClassCounters {
            get_hits,
            cmd_set,
            delete_hits,
            incr_hits,
            decr_hits,
            cas_hits,
            cas_badval,
            touch_hits,
            ..
        } = class_counters(store, class);
        let rows = format!(
            "chunk_size {chunk}
chunks_per_page {per_page}
total_pages {pages}
total_chunks {total}
used_chunks {used}
free_chunks {free}
free_chunks_end 0
get_hits {get_hits}
cmd_set {cmd_set}
delete_hits {delete_hits}
incr_hits {incr_hits}
decr_hits {decr_hits}
cas_hits {cas_hits}
cas_badval {cas_badval}
touch_hits {touch_hits}",
            total = pages * per_page,
            free = pages * per_page - used,
        );
        for row in rows.lines() {
            let _ = writeln!(text, "{class}:{row}");
        }
    }
    let active = classes.len();
    let _ = write!(
        text,
        "active_slabs {active}\ntotal_malloced {}",
        all_pages * PAGE
    );
    Report(text)
}

/// `stats sizes`: how many items there are in each multiple of 32 bytes.
pub(crate) fn sizes(store: &Store) -> Report {
    let Some(sizes) = store.tracked_sizes() else {
        return Report("sizes_status disabled".to_owned());
    };
    let mut buckets = BTreeMap::<usize, usize>::new();
    for size in sizes {
        *buckets.entry(size.next_multiple_of(32)).or_default() += 1;
    }
    let rows = buckets
        .iter()
        .map(|(size, count)| format!("{size} {count}\n"));
    Report(rows.collect())
}

/// `stats cachedump`: the items of a class, the last used first; a limit of 0 is none.
pub(crate) fn cachedump(store: &Store, class: u32, limit: u32) -> Vec<u8> {
    let limit = match limit {
        0 => usize::MAX,
        limit => usize::try_from(limit).unwrap_or(usize::MAX),
    };
    let items = store.items.iter();
    let of_class = items.filter(|(_, item)| u32::from(item.class()) == class);
    let mut reply = Vec::new();
    for (key, item) in of_class.take(limit) {
        let expires = match item.exptime {
            0 => 0,
            exptime => store.time.unix(exptime),
        };
        reply.extend_from_slice(b"ITEM ");
        reply.extend_from_slice(key);
        let row = format!(" [{} b; {expires} s]\r\n", item.data.len());
        reply.extend_from_slice(row.as_bytes());
    }
    reply.extend_from_slice(b"END\r\n");
    reply
}

fn by_class(store: &Store) -> BTreeMap<u8, Vec<&Item>> {
    let mut classes = BTreeMap::<u8, Vec<&Item>>::new();
    for (_, item) in store.items.iter() {
        classes.entry(item.class()).or_default().push(item);
    }
    classes
}

fn class_counters(store: &Store, class: u8) -> ClassCounters {
    let counters = store.counters.classes.get(&class);
    counters.copied().unwrap_or_default()
}
