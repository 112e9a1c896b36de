//! The namespaced cache, `moecache::cache`, against real memcached in every protocol and the embedded
//! server.

mod invalidating;
mod keys;
mod making;
mod promise;
mod servers;
mod stress;
use crate::support;

use moecache::cache::Cache;
use moecache::testing::Server;
use moecache::{Client, Protocol};
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;
use support::behind::Proxy;
use support::{Memcached, wait_until};

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);

const PROTOCOLS: [Protocol; 4] = [
    Protocol::Text,
    Protocol::Meta,
    Protocol::Binary,
    Protocol::Auto,
];

/// Each call makes a client of its own, as another process would.
type Caches<'a> = &'a (dyn Fn() -> Cache + Sync);

/// Runs the check in each protocol, against a server that is empty: all at the same time, each in a thread of
/// that name.
fn everywhere(check: impl Fn(Caches<'_>) + Sync) {
    thread::scope(|scope| {
        let check = &check;
        for protocol in PROTOCOLS {
            let spawn = |server: &str, run: Box<dyn FnOnce() + Send>| {
                let thread = thread::Builder::new().name(format!("{server}, {protocol}"));
                thread.spawn_scoped(scope, run).unwrap();
            };
            if let Some(proxy) = Proxy::chosen() {
                let run = move || {
                    let behind = proxy.speaks(protocol).then(|| proxy.start());
                    if let Some(behind) = behind.flatten() {
                        check(&|| Cache::new(client(behind.address(), protocol)));
                    }
                };
                spawn(proxy.name(), Box::new(run));
                continue;
            }
            let memcached = move || {
                let server = Memcached::start();
                check(&|| Cache::new(client(server.address(), protocol)));
            };
            spawn("memcached", Box::new(memcached));
            let embedded = move || {
                let server = Server::start().unwrap();
                check(&|| Cache::new(client(server.address(), protocol)));
            };
            spawn("the embedded server", Box::new(embedded));
        }
    });
}

fn client(address: SocketAddr, protocol: Protocol) -> Client {
    let builder = Client::builder().servers(address).protocol(protocol);
    builder.timeout(Duration::from_secs(20)).build().unwrap()
}

fn query(cache: &Cache, key: &str) -> Option<String> {
    cache.query(key).unwrap()
}

/// Makes nothing, because something is there.
fn never<T>() -> T {
    panic!("it is there, or another makes it")
}

/// Stores an entry that is not fresh any more, and may be served for long.
fn store_stale(cache: &Cache, key: &str, value: &str) {
    let entry = cache.entry(key).lifetime(Duration::from_millis(1));
    entry.stale_for(LONG).set(value).unwrap();
    wait_until("its lifetime is over", || query(cache, key).is_none());
}

#[test]
fn calls() {
    everywhere(|caches| {
        let cache = caches();
        assert_eq!(query(&cache, "key"), None);
        cache.set("key", "value").unwrap();
        assert_eq!(query(&cache, "key").as_deref(), Some("value"));
        assert_eq!(query(&caches(), "key").as_deref(), Some("value"));
        cache.set("key", "another").unwrap();
        assert_eq!(query(&cache, "key").as_deref(), Some("another"));
        assert!(cache.invalidate("key").unwrap());
        assert_eq!(query(&cache, "key"), None);
        assert!(cache.invalidate("key").unwrap());

        cache.set("nothing", None::<u8>).unwrap();
        assert_eq!(cache.query::<Option<u8>>("nothing").unwrap(), Some(None));
        let made = cache.get_or_set("made", || vec![1.5, 2.5]).unwrap();
        let again = cache.get_or_set("made", never::<Vec<f64>>);
        assert_eq!(again.unwrap(), made);
        assert_eq!(cache.query::<Vec<f64>>("made").unwrap(), Some(made));
    });
}

#[test]
fn lifetimes() {
    everywhere(|caches| {
        let cache = caches().default_lifetime(Duration::from_millis(20));
        cache.set("short", "value").unwrap();
        cache.entry("long").lifetime(LONG).set("value").unwrap();
        wait_until("it is over", || query(&cache, "short").is_none());
        assert_eq!(query(&cache, "long").as_deref(), Some("value"));
        for lifetime in [Duration::ZERO, Duration::MAX] {
            let error = cache.entry("key").lifetime(lifetime).set(1).unwrap_err();
            assert!(error.is_validation(), "{error}");
        }
    });
}

#[test]
fn namespaces() {
    everywhere(|caches| {
        let cache = caches();
        let (one, two) = (
            cache.in_namespace("1").unwrap(),
            cache.in_namespace("2").unwrap(),
        );
        one.set("key", "first").unwrap();
        two.set("key", "second").unwrap();
        cache.set("key", "none").unwrap();
        assert_eq!(query(&one, "key").as_deref(), Some("first"));
        assert_eq!(query(&two, "key").as_deref(), Some("second"));
        assert!(one.invalidate_namespace().unwrap());
        assert_eq!(query(&one, "key"), None);
        assert_eq!(query(&two, "key").as_deref(), Some("second"));
        assert_eq!(query(&cache, "key").as_deref(), Some("none"));
        one.set("key", "third").unwrap();
        assert_eq!(query(&one, "key").as_deref(), Some("third"));
        assert!(caches().invalidate_all().unwrap());
        for cache in [&one, &two, &cache] {
            assert_eq!(query(cache, "key"), None);
        }
    });
}

#[test]
fn what_is_not_the_cache_s_stays() {
    let server = Server::start().unwrap();
    let client = Client::new(&server).unwrap();
    let other = Cache::new(client.with_prefix("other:").unwrap());
    client.set("key", "not an entry", 0).unwrap();
    other.set("key", "another cache's").unwrap();
    let cache = Cache::new(client.clone());
    assert!(cache.invalidate_all().unwrap());
    assert_eq!(query(&cache, "key"), None);
    assert_eq!(query(&other, "key").as_deref(), Some("another cache's"));
    assert!(client.get::<String>("key").unwrap().is_some());
}

/// `query` says so; `get_or_set` helps itself.
#[test]
fn a_value_of_another_type() {
    everywhere(|caches| {
        let cache = caches();
        cache.set("key", "text").unwrap();
        assert!(cache.query::<u32>("key").unwrap_err().is_decode());
        assert_eq!(cache.get_or_set("key", || 5_u32).unwrap(), 5);
        assert_eq!(cache.query::<u32>("key").unwrap(), Some(5));
    });
}

#[test]
fn a_value_that_is_too_large() {
    everywhere(|caches| {
        let cache = caches();
        let large = "x".repeat(2 << 20);
        let error = cache.set("key", &large).unwrap_err();
        assert!(error.is_server(), "{error}");
        assert_eq!(cache.get_or_set("key", || large.clone()).unwrap(), large);
        assert_eq!(query(&cache, "key"), None);
        assert_eq!(cache.get_or_set("key", || 1).unwrap(), 1);
        assert_eq!(cache.query("key").unwrap(), Some(1));
    });
}
