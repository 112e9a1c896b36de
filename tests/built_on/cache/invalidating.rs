//! What is invalidated is gone, whatever others do at the same time.

use super::{LONG, client, everywhere, query, store_stale, wait_until};
use crate::support::Memcached;
use moecache::cache::Cache;
use moecache::testing::Server;
use moecache::{Item, ItemRef, Protocol};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

#[test]
fn dependencies() {
    everywhere(|caches| {
        let cache = caches();
        let pages = cache.in_namespace("pages").unwrap();
        let store = |cache: &Cache, key: &str, users: &[u32]| {
            cache.entry(key).depends_on(users).set("value").unwrap();
        };
        store(&cache, "one", &[1]);
        store(&cache, "two", &[2]);
        store(&cache, "both", &[1, 2, 2]);
        store(&pages, "one", &[1]);
        cache.set("none", "value").unwrap();
        assert!(caches().invalidate_dependency(1).unwrap());
        for (cache, key, is_there) in [
            (&cache, "one", false),
            (&cache, "both", false),
            (&pages, "one", false),
            (&cache, "two", true),
            (&cache, "none", true),
        ] {
            assert_eq!(query(cache, key).is_some(), is_there, "{key}");
            // Said before, or learnt from the entry: it is the same.
            let entry = cache.entry(key).depends_on([1, 2]);
            assert_eq!(
                entry.query::<String>().unwrap().is_some(),
                is_there,
                "{key}"
            );
        }
        store(&cache, "one", &[1]);
        assert!(query(&cache, "one").is_some());
        assert!(cache.invalidate_dependency("1").unwrap());
        assert!(query(&cache, "one").is_some(), "text is no number");
    });
}

/// Whatever generation memcached forgets, nothing comes back with the next one.
#[test]
fn a_generation_that_was_evicted() {
    let server = Server::start().unwrap();
    let client = client(server.address(), Protocol::Meta);
    let cache = Cache::new(client.clone()).in_namespace("ns").unwrap();
    let generations = keys_of_generations(&cache, &client);
    assert_eq!(generations.len(), 3, "{generations:?}");
    for key in &generations {
        cache.entry("key").depends_on([1]).set("old").unwrap();
        assert!(query(&cache, "key").is_some());
        assert!(client.delete(key).unwrap());
        assert_eq!(query(&cache, "key"), None, "{key}");
        // Another entry makes a new one.
        cache.entry("other").depends_on([1]).set("new").unwrap();
        assert!(client.get::<Item>(key).unwrap().is_some(), "{key}");
        assert_eq!(query(&cache, "key"), None, "{key}");
        // What is no generation is none.
        client.set(key, ItemRef::new(0, "nonsense"), 0).unwrap();
        assert_eq!(query(&cache, "other"), None, "{key}");
        client.delete(key).unwrap();
    }
}

fn keys_of_generations(cache: &Cache, client: &moecache::Client) -> Vec<String> {
    cache.entry("key").depends_on([1]).set("old").unwrap();
    let keys = client
        .keys()
        .map(|key| String::from_utf8(key.unwrap().key).unwrap());
    keys.filter(|key| !key.starts_with("cache|e|")).collect()
}

/// What it takes to make something of what was read, so that it can be invalidated meanwhile.
const WORK: Duration = Duration::from_millis(1);

type Invalidate = fn(&Cache) -> bool;

const INVALIDATIONS: [Invalidate; 4] = [
    |cache| cache.invalidate("key").unwrap(),
    |cache| cache.invalidate_dependency("user").unwrap(),
    |cache| cache.invalidate_namespace().unwrap(),
    |cache| cache.invalidate_all().unwrap(),
];

/// What is invalidated while it is made does not count: not there before, there before, or stale.
#[test]
fn an_invalidation_during_the_making_wins() {
    everywhere(|caches| {
        for invalidate in INVALIDATIONS {
            for before in ["nothing", "a value", "a stale value"] {
                let (cache, other) = (caches(), caches());
                let _ = cache.invalidate("key").unwrap();
                match before {
                    "nothing" => {}
                    "a value" => cache.set("key", "before").unwrap(),
                    _ => store_stale(&cache, "key", "before"),
                }
                let entry = || cache.entry("key").depends_on(["user"]);
                let slot = entry().begin().unwrap();
                assert!(invalidate(&other));
                let _ = slot.set("old").unwrap();
                assert_eq!(query(&other, "key"), None, "{before}");

                if before == "a stale value" {
                    store_stale(&cache, "key", "before");
                } else {
                    assert!(cache.invalidate("key").unwrap());
                }
                let got = entry().get_or_set(|| {
                    assert!(invalidate(&other));
                    "old".to_owned()
                });
                assert_eq!(got.unwrap(), "old");
                assert_eq!(query(&other, "key"), None, "{before}");
                assert_eq!(cache.get_or_set("key", || 7).unwrap(), 7);
            }
        }
    });
}

#[test]
fn slots() {
    everywhere(|caches| {
        let (cache, other) = (caches(), caches());
        let begin = |cache| Cache::entry(cache, "key").begin().unwrap();
        let (cache, other) = (&cache, &other);
        let (first, second) = (begin(cache), begin(other));
        assert_eq!(query(cache, "key"), None);
        assert!(second.set("second").unwrap());
        assert!(!first.set("first").unwrap());
        assert_eq!(query(cache, "key").as_deref(), Some("second"));
        // It can be used while another is made, and stays if none is.
        let third = begin(cache);
        assert_eq!(query(cache, "key").as_deref(), Some("second"));
        drop(third);
        assert_eq!(query(cache, "key").as_deref(), Some("second"));
        assert!(begin(cache).set("third").unwrap());
        assert_eq!(query(cache, "key").as_deref(), Some("third"));
        // One that is dropped leaves nothing that others would wait for.
        assert!(cache.invalidate("key").unwrap());
        drop(begin(cache));
        assert_eq!(other.get_or_set("key", || 1).unwrap(), 1);
    });
}

/// lovely.memcached kept a list of what depends on each thing, which two writers read, changed and wrote
/// at the same time: the second lost what the first had added, and the entry survived. Here, 16 writers
/// make pages that name users, 4 others change users and invalidate them; each entry that can be queried
/// after an invalidation returned must be of what was there then, or newer.
#[test]
fn no_entry_survives_among_16_writers() {
    const PAGES: usize = 4;
    const USERS: usize = 2;
    for protocol in [Protocol::Text, Protocol::Meta] {
        let server = Memcached::start();
        // What the users are; and which of it was there when an invalidation returned.
        let users: [AtomicU64; USERS] = Default::default();
        let invalidated: [AtomicU64; USERS] = Default::default();
        let is_over = AtomicBool::new(false);
        let (checked, hits) = (AtomicU64::new(0), AtomicU64::new(0));
        let read = || {
            let page = users.each_ref().map(|user| user.load(Ordering::SeqCst));
            thread::sleep(WORK);
            page
        };
        let oldest = || {
            invalidated
                .each_ref()
                .map(|user| user.load(Ordering::SeqCst))
        };
        let check = |page: [u64; USERS], oldest: [u64; USERS]| {
            for (is, at_least) in page.into_iter().zip(oldest) {
                assert!(is >= at_least, "{page:?}, and {oldest:?} was invalidated");
            }
            checked.fetch_add(1, Ordering::Relaxed);
        };
        let writer = |number: usize| {
            let cache = Cache::new(client(server.address(), protocol));
            let mut round = number;
            while !is_over.load(Ordering::SeqCst) {
                let page = round % PAGES;
                let entry = || cache.entry(page).depends_on(0..USERS);
                match round % 3 {
                    0 => {
                        let slot = entry().begin().unwrap();
                        let _ = slot.set(read()).unwrap();
                    }
                    1 => {
                        let before = oldest();
                        check(entry().get_or_set(read).unwrap(), before);
                    }
                    _ => {
                        let before = oldest();
                        if let Some(found) = cache.query(page).unwrap() {
                            check(found, before);
                            hits.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
                round += 1;
            }
        };
        let invalidator = |number: usize| {
            let cache = Cache::new(client(server.address(), protocol));
            let user = number % USERS;
            for round in 0..150 {
                if round % 10 == 0 {
                    let before = hits.load(Ordering::Relaxed);
                    wait_until("a hit", || hits.load(Ordering::Relaxed) > before);
                }
                let now = users[user].fetch_add(1, Ordering::SeqCst) + 1;
                assert!(cache.invalidate_dependency(user).unwrap());
                invalidated[user].fetch_max(now, Ordering::SeqCst);
            }
        };
        thread::scope(|scope| {
            for number in 0..16 {
                let writer = &writer;
                scope.spawn(move || writer(number));
            }
            let invalidator = &invalidator;
            let invalidators = [0, 1, 2, 3].map(|it| scope.spawn(move || invalidator(it)));
            let ended = invalidators.map(thread::ScopedJoinHandle::join);
            is_over.store(true, Ordering::SeqCst);
            for end in ended {
                end.unwrap();
            }
        });
        // And nothing that is left is old.
        let cache = Cache::new(client(server.address(), protocol));
        for page in 0..PAGES {
            if let Some(found) = cache.query(page).unwrap() {
                check(found, oldest());
            }
        }
        let (checked, hits) = (checked.into_inner(), hits.into_inner());
        assert!(
            checked > 100 && hits > 0,
            "{protocol}: {checked}, {hits} hits"
        );
    }
}

/// The same for keys: the entry itself is invalidated, and nothing names it.
#[test]
fn no_entry_survives_its_own_invalidation() {
    for protocol in [Protocol::Text, Protocol::Meta] {
        let server = Memcached::start();
        let (source, invalidated) = (AtomicU64::new(0), AtomicU64::new(0));
        let is_over = AtomicBool::new(false);
        let shared = Cache::new(client(server.address(), protocol));
        thread::scope(|scope| {
            for number in 0..8 {
                // Threads of one process, and of others.
                let cache = if number % 2 == 0 {
                    shared.clone()
                } else {
                    Cache::new(client(server.address(), protocol))
                };
                let (source, invalidated, is_over) = (&source, &invalidated, &is_over);
                scope.spawn(move || {
                    while !is_over.load(Ordering::SeqCst) {
                        let before = invalidated.load(Ordering::SeqCst);
                        let got = cache.get_or_set("key", || {
                            let read = source.load(Ordering::SeqCst);
                            thread::sleep(WORK);
                            read
                        });
                        let got = got.unwrap();
                        assert!(got >= before, "{got}, and {before} was invalidated");
                    }
                });
            }
            let ended = scope.spawn(|| {
                let cache = Cache::new(client(server.address(), protocol));
                for _ in 0..300 {
                    let now = source.fetch_add(1, Ordering::SeqCst) + 1;
                    assert!(cache.invalidate("key").unwrap());
                    invalidated.store(now, Ordering::SeqCst);
                }
            });
            let ended = ended.join();
            is_over.store(true, Ordering::SeqCst);
            ended.unwrap();
        });
        let last = shared.get_or_set("key", || source.load(Ordering::SeqCst));
        assert_eq!(last.unwrap(), 300);
    }
}

/// Old entries are made anew, not served, once they are invalidated.
#[test]
fn stale_and_invalidated() {
    everywhere(|caches| {
        let cache = caches().stale_for(LONG);
        for invalidate in &INVALIDATIONS[2..] {
            store_stale(&cache, "key", "old");
            assert!(invalidate(&cache));
            let entry = cache.entry("key").max_wait(Duration::ZERO);
            assert_eq!(entry.get_or_set(|| "new".to_owned()).unwrap(), "new");
            wait_until("it is stored", || {
                query(&cache, "key").as_deref() == Some("new")
            });
        }
    });
}
