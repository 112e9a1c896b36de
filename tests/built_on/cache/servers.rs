//! Servers that do not exist, that come back, and what they count.

use super::{LONG, PROTOCOLS, client, query, wait_until};
use moecache::cache::{Cache, raw};
use moecache::testing::Server;
use moecache::{Client, FailurePolicy, Protocol};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::{Memcached, reserve};

/// A cache that never hits; and one that does, as soon as they are there.
#[test]
fn a_server_that_does_not_exist_yet() {
    for protocol in PROTOCOLS {
        let mut server = Memcached::start();
        server.stop();
        let cache = Cache::new(client(server.address(), protocol));
        for _ in 0..10 {
            cache.set("key", "value").unwrap();
            assert_eq!(query(&cache, "key"), None);
            assert!(!cache.invalidate("key").unwrap());
            assert!(!cache.invalidate_dependency("key").unwrap());
            assert!(!cache.invalidate_namespace().unwrap());
            assert!(!cache.invalidate_all().unwrap());
            assert_eq!(cache.get_or_set("key", || 1).unwrap(), 1);
            let entry = cache.entry(raw("key")).depends_on([1]);
            assert!(!entry.begin().unwrap().set(1).unwrap());
            assert_eq!(cache.statistics().unwrap(), []);
        }
        server.restart();
        wait_until("it is used", || {
            cache.set("key", "value").unwrap();
            query(&cache, "key").is_some()
        });
        server.stop();
        assert_eq!(query(&cache, "key"), None);
        server.restart();
        wait_until("it is used again", || {
            let _ = cache.get_or_set("key", || "made".to_owned()).unwrap();
            query(&cache, "key").is_some()
        });
    }
}

/// What is wrong with the call is said all the same.
#[test]
fn errors_without_servers() {
    let nowhere = reserve().unwrap();
    let address = nowhere.local_addr().unwrap().as_socket().unwrap();
    let cache = Cache::new(client(address, Protocol::Text));
    assert!(cache.set(raw("a b"), 1).unwrap_err().is_validation());
    assert!(cache.query::<u8>(raw("a b")).unwrap_err().is_validation());
}

/// Whatever the client does with failures.
#[test]
fn policies() {
    for policy in [
        FailurePolicy::Error,
        FailurePolicy::Miss,
        FailurePolicy::Rehash,
    ] {
        let server = Server::start().unwrap();
        let builder = Client::builder().servers(&server).failure_policy(policy);
        let cache = Cache::new(builder.build().unwrap());
        cache.set("key", "value").unwrap();
        assert!(query(&cache, "key").is_some());
        server.stop();
        assert_eq!(query(&cache, "key"), None, "{policy}");
        assert!(!cache.invalidate("key").unwrap(), "{policy}");
        assert_eq!(cache.get_or_set("key", || 1).unwrap(), 1, "{policy}");
    }
}

/// One of two is down: what needs it is a miss, and the rest goes on only if its generations are there.
#[test]
fn one_of_two_servers() {
    let servers = [Server::start().unwrap(), Server::start().unwrap()];
    let cache = Cache::new(Client::new(&servers).unwrap());
    for key in 0..100 {
        cache.set(key, key).unwrap();
    }
    let hits = || (0..100).filter(|&key| cache.query::<i32>(key).unwrap().is_some());
    assert_eq!(hits().count(), 100);
    servers[0].stop();
    assert!(hits().count() < 100);
    for key in 0..100 {
        assert_eq!(cache.get_or_set(key, || key).unwrap(), key);
    }
}

/// Without servers it is still one thread at a time, and the others have what it made.
#[test]
fn threads_without_servers() {
    const THREADS: u32 = 8;
    let nowhere = reserve().unwrap();
    let address = nowhere.local_addr().unwrap().as_socket().unwrap();
    let cache = Cache::new(client(address, Protocol::Meta)).max_wait(LONG);
    let (made, asked) = (AtomicU32::new(0), AtomicU32::new(0));
    let start = Barrier::new(THREADS as usize);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                let load = || {
                    made.fetch_add(1, Ordering::SeqCst);
                    // Time for the others to come.
                    thread::sleep(Duration::from_millis(300));
                    "made".to_owned()
                };
                let got = cache.get_or_set("key", load).unwrap();
                assert_eq!(got, "made");
                asked.fetch_add(1, Ordering::SeqCst);
            });
        }
    });
    assert_eq!(asked.into_inner(), THREADS);
    assert!(made.into_inner() < THREADS);
}

/// As lovely.memcached gives them: `[('127.0.0.1:11211 (1)', {'total_items': ...})]`.
#[test]
fn statistics() {
    let [first, second] = [(); 2].map(|()| Memcached::start());
    let servers = [
        format!("{}:3", first.address()),
        second.address().to_string(),
    ];
    let cache = Cache::new(Client::new(servers).unwrap());
    cache.set(1, 1).unwrap();
    let statistics = cache.statistics().unwrap();
    let names: Vec<&str> = statistics.iter().map(|(name, _)| &**name).collect();
    let expected = [
        format!("{} (3)", first.address()),
        format!("{} (1)", second.address()),
    ];
    assert_eq!(names, expected);
    let items = statistics
        .iter()
        .filter_map(|(_, stats)| stats.number("curr_items"));
    assert_eq!(items.sum::<u64>(), 3); // with two generations
}
