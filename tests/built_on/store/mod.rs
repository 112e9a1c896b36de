//! The key-value stores: what holds of all of them, by the conformance suite that the library has for its
//! users, and what each has for itself.

mod decorators;
mod files;
mod memcache;
mod redis;
mod redis_server;
mod suite;

use moecache::store::{KeyValueStore, MemoryStore, StoreError, conformance};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Checks a store, of which nothing is to be unsupported but the laws of these names.
fn conforms(name: &str, store: &dyn KeyValueStore, unsupported: &[&str]) {
    judge(name, &conformance::check(store), unsupported);
}

fn judge(name: &str, report: &conformance::Report, unsupported: &[&str]) {
    assert!(report.is_conformant(), "{name}: {report}");
    let left_out: Vec<_> = report.unsupported().map(|(law, _)| law).collect();
    assert_eq!(left_out, unsupported, "{name}: {report}");
}

/// The laws about lists of keys.
const LISTS: [&str; 3] = [
    "keys lists each key once",
    "a prefix is no pattern",
    "iter_prefixes ends at the delimiter",
];

/// A store and what moves its clock.
fn memory_with_clock() -> (MemoryStore, impl Fn(Duration)) {
    let clock = Arc::new(Mutex::new(Instant::now()));
    let shown = Arc::clone(&clock);
    let store = MemoryStore::with_clock(move || *shown.lock().unwrap());
    (store, move |by| *clock.lock().unwrap() += by)
}

fn is_missing<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::NotFound(_)))
}

#[test]
fn memory_conforms() {
    conforms("memory", &MemoryStore::new(), &[]);
    let (store, advance) = memory_with_clock();
    let report = conformance::check_with_clock(&store, advance);
    judge("memory with a clock", &report, &[]);
    assert_eq!(store.keys("").unwrap(), [""; 0], "what the suite leaves");
}

/// It lists in order, and what is listed is what was there when the list was begun.
#[test]
fn memory_lists_in_order() {
    let store = MemoryStore::new();
    for key in ["b", "a", "c", "ab"] {
        store.put(key, b"").unwrap();
    }
    let mut keys = store.iter_keys("");
    assert_eq!(keys.next().unwrap().unwrap(), "a");
    store.delete("c").unwrap();
    store.put("d", b"").unwrap();
    let rest: Result<Vec<_>, _> = keys.collect();
    assert_eq!(rest.unwrap(), ["ab", "b", "c"]);
}

/// A program that returns boxed errors passes them on, with their causes.
#[test]
fn errors_go_anywhere() {
    fn program(store: &dyn KeyValueStore) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        store.get("a b")?;
        Ok(())
    }
    let error = program(&MemoryStore::new()).unwrap_err();
    assert!(error.to_string().starts_with("key: ' ' at position 1"));
    assert!(error.is::<StoreError>());
}
