//! Stores on memcached: the embedded one and real ones.

use super::{LISTS, conforms, is_missing};
use crate::support::{Memcached, RawClient, wait_until};
use moecache::store::{KeyValueStore, Lifetime, MemcacheStore, Prefixed, StoreError, WithLifetime};
use moecache::testing::Server;
use moecache::{Client, ClientBuilder, KeyTransform, Library, Protocol};
use std::error::Error as _;
use std::io::{self, ErrorKind, Read};
use std::time::{Duration, Instant};

/// Nothing here is about time, and the machine may be busy.
fn client(servers: impl moecache::IntoServers) -> ClientBuilder {
    Client::builder()
        .servers(servers)
        .timeout(Duration::from_secs(20))
}

fn store(client: ClientBuilder) -> MemcacheStore {
    MemcacheStore::new(client.build().unwrap())
}

fn one_memcached_conforms(protocol: Protocol, unsupported: &[&str]) {
    let server = Memcached::start();
    let client = client(server.address()).protocol(protocol);
    conforms(
        &format!("memcached, {protocol}"),
        &store(client),
        unsupported,
    );
}

#[test]
fn text_conforms() {
    one_memcached_conforms(Protocol::Text, &[]);
}

#[test]
fn meta_conforms() {
    one_memcached_conforms(Protocol::Meta, &[]);
}

#[test]
fn binary_conforms_but_for_lists() {
    one_memcached_conforms(Protocol::Binary, &LISTS);
}

#[test]
fn three_memcacheds_with_prefixes_conform() {
    let servers = [(); 3].map(|()| Memcached::start());
    let client = client(servers.each_ref().map(Memcached::address)).prefix("app:");
    let store = store(client.protocol(Protocol::Auto));
    assert_eq!(store.max_key_length(), 246);
    conforms("three", &Prefixed::new("store.", store).unwrap(), &[]);
}

#[test]
fn the_embedded_server_conforms() {
    let server = Server::start().unwrap();
    let compressed = client(&server).compatible_with(Library::Pylibmc);
    conforms("embedded", &store(compressed), &[]);
    assert_eq!(server_items(&server), 0, "what the suite leaves");
}

fn server_items(server: &Server) -> usize {
    Client::new(server).unwrap().keys().count()
}

#[test]
fn hashed_keys_conform_but_for_lists() {
    let server = Server::start().unwrap();
    let client = client(&server)
        .prefix("p")
        .key_transform(KeyTransform::Sha1);
    conforms("hashed", &store(client), &LISTS);
}

#[test]
fn who_cannot_list_says_so() {
    let old = Server::builder().version("1.4.20").start().unwrap();
    let disabled = Memcached::start();
    let mut raw = RawClient::connect(disabled.address());
    raw.ask("lru_crawler disable\r\n", "OK\r\n");
    let rows = [
        ("older", store(client(&old)), "memcached can since 1.4.31"),
        (
            "disabled",
            store(client(disabled.address())),
            "lru crawler disabled",
        ),
        (
            "binary",
            store(client(&old).protocol(Protocol::Binary)),
            "binary",
        ),
    ];
    for (name, store, expected) in rows {
        let error = store.keys("").unwrap_err();
        assert!(error.to_string().contains(expected), "{name}: {error}");
        let StoreError::Unsupported { .. } = &error else {
            panic!("{name}: {error:?}");
        };
        let source = error.source().and_then(|it| it.downcast_ref());
        let source: &moecache::Error = source.expect("the client's error");
        assert!(source.is_unsupported() || source.is_server(), "{source:?}");
    }
}

#[test]
fn data_that_is_too_large() {
    let server = Memcached::start();
    for protocol in [Protocol::Text, Protocol::Meta, Protocol::Binary] {
        let store = store(client(server.address()).protocol(protocol));
        store.put("key", b"old").unwrap();
        let error = store.put("key", &vec![0; 1 << 20]).unwrap_err();
        let StoreError::Io(io) = &error else {
            panic!("{protocol}: {error:?}");
        };
        assert_eq!(io.kind(), ErrorKind::FileTooLarge, "{protocol}");
        assert_eq!(
            error.to_string(),
            "put: 1048576 bytes are too large: memcached holds items of up to 1 MB, their keys \
             included, unless it is started with another limit, such as -I 8m"
        );
        let source = error.source().and_then(|it| it.downcast_ref());
        let source: &moecache::Error = source.expect("the client's error");
        assert!(source.is_server(), "{protocol}: {source:?}");
        // As memcached has it, and the documentation says.
        assert!(is_missing(&store.get("key")), "{protocol}");
    }

    let store = store(client(server.address()).max_value_size(10));
    store.put("key", b"old").unwrap();
    let error = store.put("key", b"eleven bytes").unwrap_err();
    assert_eq!(
        error.to_string(),
        "put: 12 bytes are too large: the client's limit is set by ClientBuilder::max_value_size"
    );
    assert_eq!(store.get("key").unwrap(), b"old");
}

#[test]
fn lifetimes_are_whole_seconds_until_2038() {
    let server = Server::start().unwrap();
    let store = store(client(&server));
    let short = Lifetime::For(Duration::from_millis(1500));
    store.put_with("short", b"", short).unwrap();
    store.put("long", b"").unwrap();
    server.clock().advance(Duration::from_secs(1));
    assert!(store.contains("short").unwrap());
    server.clock().advance(Duration::from_secs(2));
    assert!(!store.contains("short").unwrap());

    let forty_years = Lifetime::For(Duration::from_secs(40 * 365 * 86_400));
    let error = store.put_with("long", b"new", forty_years).unwrap_err();
    assert!(matches!(error, StoreError::InvalidLifetime(_)), "{error:?}");
    assert!(error.to_string().contains("2038-01-19"), "{error}");
    assert_eq!(store.get("long").unwrap(), b"");
}

/// A reader that is not to be read from, since nothing could be stored.
struct Unread;

impl Read for Unread {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        panic!("this was read")
    }
}

#[test]
fn a_lifetime_is_judged_before_anything_is_read() {
    let server = Server::start().unwrap();
    let store = store(client(&server));
    let is_refused = |put: Result<(), StoreError>| {
        let error = put.unwrap_err();
        assert!(matches!(error, StoreError::InvalidLifetime(_)), "{error:?}");
    };
    for lifetime in [Duration::ZERO, Duration::MAX] {
        let lifetime = Lifetime::For(lifetime);
        is_refused(store.put_from("key", &mut Unread, lifetime));
        let prefixed = Prefixed::new("prefix.", &store).unwrap();
        is_refused(prefixed.put_from("key", &mut Unread, lifetime));
        is_refused(WithLifetime::new(&store, lifetime).map(|_| ()));
    }
}

/// memcached's seconds begin when it likes: of one that is stored late in one, little is left.
#[test]
fn what_has_a_second_to_live_lives_for_one() {
    let server = Memcached::start();
    let store = store(client(server.address()));
    let second = Duration::from_secs(1);
    let mut living = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < second || !living.is_empty() {
        // One every 50 ms, in the first second.
        let due = begin.elapsed().as_millis() / 50;
        if due < 20 && living.last().is_none_or(|(last, _)| *last != due) {
            store
                .put_with(&format!("key{due}"), b"", second.into())
                .unwrap();
            living.push((due, Instant::now()));
        }
        living.retain(|(number, put)| {
            let is_there = store.contains(&format!("key{number}")).unwrap();
            let lived = put.elapsed();
            assert!(is_there || lived >= second, "{lived:?}");
            is_there
        });
        assert!(begin.elapsed() < 30 * second, "{living:?} do not expire");
    }
}

/// Others may use the same servers for what is no key of a store, or no bytes.
#[test]
fn what_others_store() {
    let server = Memcached::start();
    let client = client(server.address()).build().unwrap();
    client.set("page:1", 1, 0).unwrap();
    client.set("number", 1, 0).unwrap();
    let store = MemcacheStore::new(client);
    store.put("key", b"value").unwrap();
    assert!(store.contains("number").unwrap());
    let error = store.get("number").unwrap_err();
    let StoreError::Io(io) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(io.kind(), ErrorKind::InvalidData);
    assert!(error.to_string().contains("Int32"), "{error}");
    // memcached may leave out what was stored just before.
    wait_until("the list of keys", || {
        let mut keys = store.keys("").unwrap();
        keys.sort();
        assert!(!keys.contains(&"page:1".to_owned()));
        keys == ["key", "number"]
    });
}

#[test]
fn a_server_that_is_gone() {
    let mut server = Memcached::start();
    let store = store(client(server.address()));
    store.put("key", b"value").unwrap();
    server.stop();
    let errors = [
        store.get("key").map(drop).unwrap_err(),
        store.put("key", b"").unwrap_err(),
        store.delete("key").unwrap_err(),
        store.contains("key").map(drop).unwrap_err(),
        store.keys("").map(drop).unwrap_err(),
    ];
    for error in errors {
        let StoreError::Io(io) = &error else {
            panic!("{error:?}");
        };
        let inner = io.get_ref().and_then(|inner| inner.downcast_ref());
        let inner: &moecache::Error = inner.expect("the client's error");
        assert!(inner.is_connect(), "{inner:?}");
        assert!(error.source().is_some(), "{error:?}");
    }
}
