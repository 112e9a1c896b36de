//! Decorators, over any kind of pointer to a store.

use super::{LISTS, conforms, is_missing, judge, memory_with_clock};
use moecache::store::{
    KeyValueStore, Lifetime, MemoryStore, Prefixed, ReadOnly, StoreError, WithLifetime, conformance,
};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn conform() {
    let stores: [(&str, Box<dyn KeyValueStore>); 6] = [
        ("boxed", Box::new(Box::new(MemoryStore::new()))),
        ("shared", Box::new(Arc::new(MemoryStore::new()))),
        (
            "prefixed",
            Box::new(Prefixed::new("[a-z]?.", MemoryStore::new()).unwrap()),
        ),
        (
            "no prefix",
            Box::new(Prefixed::new("", MemoryStore::new()).unwrap()),
        ),
        (
            "with a lifetime",
            Box::new(WithLifetime::new(MemoryStore::new(), HOUR).unwrap()),
        ),
        (
            "all in all",
            Box::new(all_in_all(Arc::new(MemoryStore::new()))),
        ),
    ];
    std::thread::scope(|scope| {
        for (name, store) in &stores {
            scope.spawn(move || conforms(name, store, &[]));
        }
    });
}

fn all_in_all(store: Arc<dyn KeyValueStore>) -> impl KeyValueStore {
    let below = Prefixed::new("one.", Prefixed::new("two.", store).unwrap()).unwrap();
    WithLifetime::new(below, HOUR).unwrap()
}

/// What needs no put holds; all else is unsupported, and nothing is broken.
#[test]
fn read_only_conforms() {
    let (store, advance) = memory_with_clock();
    let report = conformance::check_with_clock(&ReadOnly::new(&store), advance);
    assert!(report.is_conformant(), "{report}");
    let held: Vec<_> = report.held().collect();
    assert_eq!(
        held,
        [
            "what is not there is NotFound",
            "what is not a key is refused"
        ],
        "{report}"
    );
    assert!(report.unsupported().any(|(law, _)| law == LISTS[0]));
    assert_eq!(store.keys("").unwrap(), [""; 0]);
}

#[test]
fn nothing_goes_into_what_is_read_only() {
    let store = MemoryStore::new();
    store.put("key", b"value").unwrap();
    let view: Box<dyn KeyValueStore + '_> = Box::new(ReadOnly::new(&store));
    let nowhere = std::path::Path::new("/no/such/file");
    let refused = [
        ("put", view.put("key", b"new")),
        ("put", view.put_with("key", b"new", Lifetime::Never)),
        (
            "put",
            view.put_from("key", &mut std::io::empty(), Lifetime::Never),
        ),
        ("put", view.put_file("key", nowhere, Lifetime::Never)),
        ("delete", view.delete("key")),
    ];
    for (what, result) in refused {
        let error = result.unwrap_err();
        assert!(matches!(error, StoreError::Unsupported { .. }), "{error:?}");
        assert_eq!(error.to_string(), format!("{what}: the store is read-only"));
    }
    assert_eq!(view.get("key").unwrap(), b"value");
    assert_eq!(view.keys("").unwrap(), ["key"]);
    assert!(view.contains("key").unwrap());
}

#[test]
fn a_prefix_hides_all_else() {
    let store = MemoryStore::new();
    let users = Prefixed::new("user.", &store).unwrap();
    for key in ["user.", "user.17", "user17", "page.1", "17"] {
        store.put(key, key.as_bytes()).unwrap();
    }
    assert_eq!(users.keys("").unwrap(), ["17"]);
    assert_eq!(users.get("17").unwrap(), b"user.17");
    assert!(is_missing(&users.get("page.1")));
    users.delete("page.1").unwrap();
    assert!(store.contains("page.1").unwrap());
    users.delete("17").unwrap();
    assert_eq!(store.keys("").unwrap(), ["17", "page.1", "user.", "user17"]);
    let error = users.get("18").unwrap_err();
    assert_eq!(error.to_string(), "18: not found");
}

#[test]
fn keys_behind_a_prefix_are_judged_as_a_whole() {
    let store = MemoryStore::new();
    let users = Prefixed::new("user.", &store).unwrap();
    users.put(&"k".repeat(245), b"").unwrap();
    let error = users.put(&"k".repeat(246), b"").unwrap_err();
    assert_eq!(
        error.to_string(),
        "key: 246 characters long; 1 to 245 are allowed behind the prefix"
    );
    let error = Prefixed::new("user:", &store).unwrap_err();
    let expected = "prefix: ':' at position 4 is not allowed; allowed are ASCII letters";
    assert!(error.to_string().starts_with(expected), "{error}");
    let error = Prefixed::new("p".repeat(245), &users).unwrap_err();
    assert_eq!(
        error.to_string(),
        "prefix: 245 characters long; keys may have 245 with it, so at most 244 are allowed"
    );
    let deep = Prefixed::new("p".repeat(244), &users).unwrap();
    deep.put("k", b"").unwrap();
    assert_eq!(deep.keys("").unwrap(), ["k"]);
}

#[test]
fn a_lifetime_of_the_store() {
    let (memory, advance) = memory_with_clock();
    let store = WithLifetime::new(&memory, HOUR).unwrap();
    store.put("put", b"").unwrap();
    store.put_with("default", b"", Lifetime::Default).unwrap();
    store
        .put_from("from", &mut std::io::empty(), Lifetime::Default)
        .unwrap();
    store.put_with("never", b"", Lifetime::Never).unwrap();
    store
        .put_with("day", b"", Lifetime::For(24 * HOUR))
        .unwrap();
    advance(Duration::from_secs(3599));
    assert_eq!(store.keys("").unwrap().len(), 5);
    advance(Duration::from_secs(1));
    assert_eq!(store.keys("").unwrap(), ["day", "never"]);
    advance(24 * HOUR);
    assert_eq!(store.keys("").unwrap(), ["never"]);

    let error = WithLifetime::new(&memory, Duration::ZERO).unwrap_err();
    assert!(matches!(error, StoreError::InvalidLifetime(_)), "{error:?}");
}

/// Of two decorators, the one that is nearer to the caller says what a default is.
#[test]
fn the_outer_lifetime_wins() {
    let (memory, advance) = memory_with_clock();
    let store = WithLifetime::new(&memory, HOUR).unwrap();
    let store = WithLifetime::new(store, Lifetime::Never).unwrap();
    store.put("key", b"").unwrap();
    advance(2 * HOUR);
    assert!(store.contains("key").unwrap());
    let report = conformance::check_with_clock(&store, advance);
    judge("two lifetimes", &report, &[]);
}
