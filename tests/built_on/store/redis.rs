//! Stores in a real Redis.

use super::redis_server::RedisServer;
use super::{conforms, is_missing};
use crate::support::Hanging;
use moecache::store::{KeyValueStore, Lifetime, Prefixed, RedisStore, StoreError};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::time::Duration;

/// Nothing here is about time, and the machine may be busy.
const TIMEOUT: Duration = Duration::from_secs(20);

fn store(server: &RedisServer) -> RedisStore {
    RedisStore::new(&server.url()).unwrap().timeout(TIMEOUT)
}

fn io_kind(error: &StoreError) -> ErrorKind {
    match error {
        StoreError::Io(error) => error.kind(),
        error => panic!("{error:?}"),
    }
}

#[test]
fn conform() {
    let Some(server) = RedisServer::start("the conformance suite", &[]) else {
        return;
    };
    conforms("redis", &store(&server), &[]);
    conforms(
        "redis below a prefix",
        &Prefixed::new("[a-z]?.", store(&server)).unwrap(),
        &[],
    );
    assert!(server.ask("DBSIZE").starts_with(":0\r\n"));
}

#[test]
fn lifetimes_in_milliseconds() {
    let Some(server) = RedisServer::start("lifetimes", &[]) else {
        return;
    };
    let store = store(&server);
    let milliseconds = |key: &str| -> i64 {
        let answer = server.ask(&format!("PTTL {key}"));
        let number = answer
            .strip_prefix(':')
            .and_then(|rest| rest.lines().next());
        number.unwrap().parse().unwrap()
    };
    let lifetime = Duration::from_micros(100_000_500);
    store.put_with("key", b"", lifetime.into()).unwrap();
    // 100,001 when it was put, and some time has passed; a store of seconds would say 101,000.
    let left = milliseconds("key");
    assert!((1..=100_001).contains(&left), "{left}");
    store.put("key", b"").unwrap();
    assert_eq!(milliseconds("key"), -1, "for ever");
    let error = store
        .put_with("key", b"new", Duration::MAX.into())
        .unwrap_err();
    assert!(matches!(error, StoreError::InvalidLifetime(_)), "{error:?}");
    let ages = Lifetime::For(Duration::from_secs(1 << 40));
    store.put_with("key", b"", ages).unwrap();
    assert!(milliseconds("key") > 0);
}

/// More keys than Redis lists at once, and some that are none of a store's.
#[test]
fn lists_in_parts() {
    let Some(server) = RedisServer::start("long lists", &[]) else {
        return;
    };
    let store = store(&server);
    let keys: BTreeSet<_> = (0..2500).map(|i| format!("key.{i}")).collect();
    for key in &keys {
        store.put(key, b"").unwrap();
    }
    server.ask("SET page:1 x");
    server.ask("SET \"a key\" x");
    server.ask("SET \"\\xff\" x");
    let listed = store.keys("").unwrap();
    assert_eq!(listed.len(), keys.len());
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), keys);
    let begun = store.iter_keys("key.1").take(3).count();
    assert_eq!(begun, 3);
}

#[test]
fn a_restart_goes_unnoticed() {
    let Some(mut server) = RedisServer::start("a restart", &[]) else {
        return;
    };
    let store = store(&server);
    store.put("key", b"value").unwrap();
    server.restart();
    assert!(is_missing(&store.get("key")));
    server.stop();
    let error = store.get("key").unwrap_err();
    assert_eq!(io_kind(&error), ErrorKind::ConnectionRefused);
    let text = error.to_string();
    assert!(text.starts_with("get on Redis at 127.0.0.1:"), "{text}");
    assert!(text.ends_with(": the connection was refused"), "{text}");
    assert!(std::error::Error::source(&error).is_some());
    let listed: Vec<_> = store.iter_keys("").collect();
    assert_eq!(listed.len(), 1, "one error, and an end");
    server.restart();
    store.put("key", b"value").unwrap();
}

#[test]
fn a_password_and_what_redis_refuses() {
    let args = ["--requirepass", "open sesame", "--maxmemory", "1"];
    let Some(server) = RedisServer::start("passwords", &args) else {
        return;
    };
    let error = store(&server).get("key").unwrap_err();
    assert!(error.to_string().contains("NOAUTH"), "{error}");
    let url = server.url().replace("redis://", "redis://:open%20sesame@");
    let store = RedisStore::new(&url).unwrap().timeout(TIMEOUT);
    assert!(is_missing(&store.get("key")));
    // The connection is used again after what Redis itself says no to.
    for _ in 0..3 {
        let error = store.put("key", b"value").unwrap_err();
        assert_eq!(io_kind(&error), ErrorKind::Other);
        assert!(error.to_string().contains("OOM"), "{error}");
    }
    let wrong = url.replace("sesame", "says_me");
    let error = RedisStore::new(&wrong).unwrap().get("key").unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(!text.contains("says_me"), "{text}");
}

/// What is not there is found out, without a Redis.
#[test]
fn a_server_that_says_nothing() {
    let silent = Hanging::start();
    let store = RedisStore::new(&format!("redis://{}", silent.address())).unwrap();
    let error = store
        .timeout(Duration::from_millis(50))
        .get("key")
        .unwrap_err();
    assert_eq!(io_kind(&error), ErrorKind::TimedOut);
}
