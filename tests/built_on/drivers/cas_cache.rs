//! The memory for cas ids: what python-memcached's and pyermc's `cache_cas` does.

use crate::support::Memcached;
use moecache::testing::{Fault, Server};
use moecache::{CasCache, Client, Protocol};
use std::thread;
use std::time::Duration;

#[test]
fn an_id_is_used_once() {
    let server = Memcached::start();
    for protocol in [Protocol::Text, Protocol::Meta, Protocol::Binary] {
        let builder = Client::builder().servers(server.address());
        let client = builder.protocol(protocol).build().unwrap();
        let cache = CasCache::new(&client);
        client.set("testcas", 1, 0).unwrap();
        assert!(!cache.cas("testcas", 20, 0).unwrap(), "nothing is known");
        assert_eq!(cache.gets::<i32>("testcas").unwrap(), Some(1));
        assert!(cache.cas("testcas", 21, 0).unwrap());
        assert!(!cache.cas("testcas", 22, 0).unwrap());
        assert_eq!(client.get::<i32>("testcas").unwrap(), Some(21));

        // Somebody came in between.
        assert_eq!(cache.gets::<i32>("testcas").unwrap(), Some(21));
        client.set("testcas", 30, 0).unwrap();
        assert!(!cache.cas("testcas", 22, 0).unwrap());
        assert_eq!(cache.gets::<i32>("testcas").unwrap(), Some(30));
        cache.reset_cas();
        assert!(!cache.cas("testcas", 22, 0).unwrap());

        // A miss forgets, and so does what is no longer there.
        assert_eq!(cache.gets::<i32>("testcas").unwrap(), Some(30));
        client.delete("testcas").unwrap();
        assert!(!cache.cas("testcas", 22, 0).unwrap());
        assert_eq!(cache.gets::<i32>("testcas").unwrap(), None);
        client.set("testcas", 31, 0).unwrap();
        assert!(!cache.cas("testcas", 22, 0).unwrap());
        assert_eq!(client.get::<i32>("testcas").unwrap(), Some(31));
    }
}

#[test]
fn many_ids_are_remembered_at_once() {
    let server = Memcached::start();
    let client = Client::new(server.address()).unwrap();
    let cache = CasCache::new(&client);
    client.set_many([("a", 1), ("b", 2)], 0).all().unwrap();
    let found = cache.gets_many::<i32, _>(["a", "b", "c"]).all().unwrap();
    assert_eq!((found.len(), found["a"], found["b"]), (2, 1, 2));
    client.set("b", 3, 0).unwrap();
    assert!(cache.cas("a", 10, 0).unwrap());
    assert!(!cache.cas("b", 20, 0).unwrap());
    assert!(!cache.cas("c", 30, 0).unwrap());
}

#[test]
fn nothing_is_sent_without_an_id() {
    let client = Client::new("10.0.0.1").unwrap();
    assert!(!CasCache::new(&client).cas("key", 1, 0).unwrap());
    assert_eq!(client.metrics()[0].operations, 0);
}

#[test]
fn an_id_outlives_an_error() {
    let server = Server::start().unwrap();
    let client = Client::new(&server).unwrap();
    let cache = CasCache::new(&client);
    client.set("key", 1, 0).unwrap();
    cache.gets::<i32>("key").unwrap();
    // It never came there.
    client.close();
    server.inject(Fault::Refuse);
    cache.cas("key", 2, 0).unwrap_err();
    assert!(cache.cas("key", 2, 0).unwrap());
    // It was done, and nobody could tell.
    cache.gets::<i32>("key").unwrap();
    server.inject(Fault::Cut { after: 0 });
    let error = cache.cas("key", 3, 0).unwrap_err();
    assert!(error.is_io() && error.is_ambiguous(), "{error}");
    assert!(!cache.cas("key", 3, 0).unwrap());
    assert_eq!(client.get::<i32>("key").unwrap(), Some(3));
    // What was remembered of a key that cannot be read now, is not used.
    cache.gets::<i32>("key").unwrap();
    client.set("key", "text", 0).unwrap();
    assert!(cache.gets::<i32>("key").unwrap_err().is_decode());
    assert!(!cache.cas("key", 3, 0).unwrap());
}

#[test]
fn each_thread_has_its_own() {
    let server = Memcached::start();
    let client = Client::builder()
        .servers(server.address())
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap();
    client.set("count", 0, 0).unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let cache: CasCache = CasCache::new(&client);
                for _ in 0..50 {
                    loop {
                        let count = cache.gets::<i32>("count").unwrap().unwrap();
                        if cache.cas("count", count + 1, 0).unwrap() {
                            break;
                        }
                    }
                }
            });
        }
    });
    assert_eq!(client.get::<i32>("count").unwrap(), Some(200));
}
