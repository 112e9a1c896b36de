//! What keys become, which are refused, and how they are listed.

use super::{client, everywhere, query};
use moecache::cache::{Cache, CacheKey, KeyName, raw};
use moecache::testing::Server;
use moecache::{Client, Item, Protocol};
use serde::Serialize;
use std::collections::BTreeSet;

#[derive(Serialize)]
struct User {
    id: u32,
    name: &'static str,
}

/// They are the same tomorrow, and on other machines: MD5 of MessagePack, which Python makes too.
#[test]
fn names_are_stable() {
    let rows: [(&dyn Fn() -> String, &str); 6] = [
        (&|| shown(&1), "55a54008ad1ba589aa210d2629c1df41"),
        (&|| shown(&"1"), "0cdba88b09d563b69fb04c1933303385"),
        (&|| shown(&-1_i64), "00594fd4f42ba43fc1ca0427a0576295"),
        (&|| shown(&("user", 17)), "45c4c1b9a8201992e15fbdff8f5ec098"),
        (&|| shown(&[1, 2, 3]), "aa13e7218eacbca618f67b90cfb2cbc5"),
        (
            &|| shown(&User { id: 7, name: "bob" }),
            "87824aa019ec7d56b920a99bf0f3dd88",
        ),
    ];
    for (name, expected) in rows {
        assert_eq!(name(), expected);
    }
}

#[derive(Serialize)]
struct UserId(u32);

#[derive(Serialize)]
struct OrderId(u32);

#[derive(Serialize)]
struct Customer {
    id: u32,
    name: &'static str,
}

#[derive(Serialize)]
enum Kind {
    Page,
}

/// What a key is of, is not in it: of the same content it is one key.
#[test]
fn types_with_the_same_content() {
    let rows: [(&dyn CacheKey, &dyn CacheKey); 8] = [
        (&UserId(7), &OrderId(7)),
        (&UserId(7), &7_i64),
        (&user_7(), &Customer { id: 7, name: "bob" }),
        (&(1, 2), &[1, 2]),
        (&Kind::Page, &"Page"),
        (&'a', &"a"),
        (&Some(1), &1),
        (&None::<u8>, &()),
    ];
    for (one, other) in rows {
        assert_eq!(one.name().unwrap(), other.name().unwrap());
    }
    // What is named with it tells them apart.
    assert_ne!(shown(&("user", 7)), shown(&("order", 7)));
}

fn shown(key: &impl CacheKey) -> String {
    key.name().unwrap().to_string()
}

#[test]
fn keys_of_any_type() {
    everywhere(|caches| {
        let cache = caches();
        cache.set(1, "a number").unwrap();
        cache.set("1", "text").unwrap();
        cache.set((1,), "a tuple").unwrap();
        let user = User { id: 7, name: "bob" };
        cache.set(&user, "a struct").unwrap();
        cache.set(raw("1"), "raw").unwrap();
        let long = "long ".repeat(1000);
        cache.set(&long, "long").unwrap();
        cache.set("\0\r\n \u{e9}", "any bytes").unwrap();
        let found = |key: &dyn Fn() -> Option<String>| key().unwrap();
        assert_eq!(found(&|| cache.query(1_u64).unwrap()), "a number");
        assert_eq!(found(&|| query(&cache, "1")), "text");
        assert_eq!(found(&|| cache.query((1,)).unwrap()), "a tuple");
        assert_eq!(found(&|| cache.query(user_7()).unwrap()), "a struct");
        assert_eq!(found(&|| cache.query(raw("1")).unwrap()), "raw");
        assert_eq!(found(&|| query(&cache, &long)), "long");
        assert_eq!(found(&|| query(&cache, "\0\r\n \u{e9}")), "any bytes");
    });
}

fn user_7() -> User {
    User { id: 7, name: "bob" }
}

#[test]
fn what_is_refused() {
    let server = Server::start().unwrap();
    let client = client(server.address(), Protocol::Text);
    let cache = Cache::new(client.with_prefix("p:").unwrap());
    let longest = "x".repeat(250 - "p:cache|e||r".len());
    cache.set(raw(&longest), 1).unwrap();
    assert_eq!(cache.query(raw(&longest)).unwrap(), Some(1));
    let rows = [
        (String::new(), "raw key: it is empty"),
        (
            "a b".to_owned(),
            "raw key: byte 0x20 at position 1 is not allowed",
        ),
        (
            "a\r\nflush_all".to_owned(),
            "raw key: byte 0x0d at position 1",
        ),
        ("\u{e9}".to_owned(), "raw key: byte 0xc3 at position 0"),
        (longest + "x", "raw key: 239 bytes long; up to 238 fit"),
    ];
    for (key, expected) in rows {
        let errors = [
            cache.set(raw(&key), 1).unwrap_err(),
            cache.query::<u8>(raw(&key)).unwrap_err(),
            cache.get_or_set(raw(&key), || 1).unwrap_err(),
            cache.entry(raw(&key)).begin().unwrap_err(),
            cache.invalidate(raw(&key)).unwrap_err(),
        ];
        for error in errors {
            assert!(error.is_validation(), "{error}");
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
    for namespace in ["a b", "a|b", "\n", &"x".repeat(101)] {
        let error = cache.in_namespace(namespace).unwrap_err();
        assert!(error.is_validation(), "{error}");
    }
    let keys = (0..1001).collect::<Vec<_>>();
    let error = cache.entry(1).depends_on(&keys).set(1).unwrap_err();
    assert!(error.to_string().contains("up to 1000"), "{error}");
    cache.entry(1).depends_on(&keys[1..]).set(1).unwrap();
    assert_eq!(cache.query(1).unwrap(), Some(1));
}

#[test]
fn listing() {
    everywhere(|caches| {
        let cache = caches().in_namespace("a").unwrap();
        let other = cache.in_namespace("a:b").unwrap();
        other.set(raw("not this one"), 1).unwrap_err();
        other.set(raw("not-this-one"), 1).unwrap();
        cache.set(raw("page:1"), 1).unwrap();
        cache.set(("page", 2), 1).unwrap();
        let keys: Result<BTreeSet<KeyName>, _> = cache.keys().map(|key| Ok(key?.name)).collect();
        let keys = match keys {
            Ok(keys) => keys,
            // Binary has no command for it.
            Err(error) => {
                let error: moecache::Error = error;
                // Nor have proxies.
                let is_behind = crate::support::behind::Proxy::chosen().is_some();
                let is_refused = is_behind && (error.is_io() || error.is_server());
                assert!(error.is_unsupported() || is_refused, "{error}");
                return;
            }
        };
        let expected = [
            ("page", 2).name().unwrap(),
            KeyName::Raw("page:1".to_owned()),
        ];
        assert_eq!(keys, BTreeSet::from(expected));
    });
}

/// As the module's page has it.
#[test]
fn names_on_the_server() {
    let server = Server::start().unwrap();
    let client = Client::new(&server).unwrap();
    let cache = Cache::new(client.clone()).in_namespace("ns").unwrap();
    cache
        .entry(raw("key"))
        .depends_on([1])
        .set("value")
        .unwrap();
    cache.set(1, "value").unwrap();
    let keys = client
        .keys()
        .map(|key| String::from_utf8(key.unwrap().key).unwrap());
    let expected = [
        "cache|all".to_owned(),
        "cache|ns|ns".to_owned(),
        format!("cache|dep|{}", shown(&1)),
        "cache|e|ns|rkey".to_owned(),
        format!("cache|e|ns|h{}", shown(&1)),
    ];
    assert_eq!(keys.collect::<BTreeSet<_>>(), BTreeSet::from(expected));
    let entry = client.get::<Item>("cache|e|ns|rkey").unwrap().unwrap();
    assert_eq!(entry.flags, 0x4d80);
    assert!(entry.data.starts_with(b"mC\x01") && entry.data.ends_with(b"\x12\x01\0\0value"));
}
