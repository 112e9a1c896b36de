use super::{PROTOCOLS, goes_round, listed, numbered, three};
use crate::support::Memcached;
use moecache::value::Format;
use moecache::{Client, Expiry, Item, ItemRef, Library, PrefixPlacement};
use std::collections::BTreeSet;

#[test]
fn commands() {
    for protocol in PROTOCOLS {
        let (_servers, builder) = three();
        let client = builder.protocol(protocol).prefix("app:").build().unwrap();
        goes_round(&client, &["a", "b", "app:a", "c", "d"]);
        goes_round(&client.with_prefix("sub:").unwrap(), &["a", "b"]);
    }
}

/// The prefix is part of what the servers hold, and of nothing that a caller sees.
#[test]
fn what_the_servers_hold() {
    for protocol in PROTOCOLS {
        let server = Memcached::start();
        let plain = Client::builder()
            .servers(server.address())
            .protocol(protocol);
        let plain = plain.build().unwrap();
        let app = plain.with_prefix("app:").unwrap();
        let sub = app.with_prefix("sub:").unwrap();
        plain.set("key", "plain", 0).unwrap();
        app.set("key", "app", 0).unwrap();
        sub.set_many([("key", "sub")], 0).all().unwrap();
        let keys = ["key", "app:key", "app:sub:key"];
        let values = plain.get_each::<String, _>(keys).all().unwrap();
        let values: Vec<_> = values.iter().map(Option::as_deref).collect();
        assert_eq!(
            values,
            [Some("plain"), Some("app"), Some("sub")],
            "{protocol}"
        );
        assert_eq!(
            app.get::<String>("sub:key").unwrap().as_deref(),
            Some("sub")
        );
        let many = app.get_many::<String, _>(["key", "none"]).all().unwrap();
        assert_eq!(
            many.into_iter().collect::<Vec<_>>(),
            [("key", "app".to_owned())]
        );
        assert!(app.delete("key").unwrap() && !app.delete("key").unwrap());
        assert_eq!(plain.get("key").unwrap(), Some("plain".to_owned()));

        // The servers know of no prefix.
        for server in sub.flush_all(Expiry::Never) {
            server.result.unwrap();
        }
        assert_eq!(plain.get::<String>("key").unwrap(), None);
    }
}

#[test]
fn keys_are_listed_without_it() {
    let (_servers, builder) = three();
    let plain = builder.build().unwrap();
    let app = plain.with_prefix("app:").unwrap();
    plain
        .set_many(["other", "app", "apps:1", "app:"].map(|key| (key, 1)), 0)
        .all()
        .unwrap();
    let keys = numbered(100);
    app.set_many(keys.iter().map(|key| (key, 1)), 0)
        .all()
        .unwrap();
    assert_eq!(listed(&plain).len(), 104);
    let expected: BTreeSet<Vec<u8>> = keys.into_iter().map(String::into_bytes).collect();
    assert!(listed(&app).keys().eq(&expected));
}

/// By the whole, or without the prefix: that is where `server_for` says that it is, and where the item
/// is.
#[test]
fn placement() {
    for placement in [PrefixPlacement::Hashed, PrefixPlacement::LeftOut] {
        let (servers, builder) = three();
        let plain = builder.clone().build().unwrap();
        let app = builder.prefix("app:").prefix_placement(placement);
        let app = app.build().unwrap();
        let alone = servers
            .each_ref()
            .map(|server| Client::new(server.address()).unwrap());
        for key in numbered(50) {
            let whole = format!("app:{key}");
            let placed_by = match placement {
                PrefixPlacement::Hashed => &whole,
                _ => &key,
            };
            let server = plain.server_for(placed_by).unwrap();
            assert_eq!(app.server_for(&key).unwrap(), server, "{placement}: {key}");
            app.set(&key, 1, 0).unwrap();
            for client in &alone {
                let is_there = client.get::<i32>(&whole).unwrap().is_some();
                let is_its = client.servers() == [&*server];
                assert_eq!(is_there, is_its, "{placement}: {key}");
            }
        }
        let found = app.get_many::<i32, _>(numbered(50)).all().unwrap();
        assert_eq!(found.len(), 50);
    }
}

/// With pymemcache an empty key is one, if there is a prefix.
#[test]
fn an_empty_key() {
    let server = Memcached::start();
    let builder = Client::builder().servers(server.address()).prefix("app:");
    let error = builder.clone().build().unwrap().set("", 1, 0).unwrap_err();
    assert!(error.to_string().contains("key: empty"), "{error}");
    let pymemcache = builder
        .format(Format::Moecache)
        .compatible_with(Library::Pymemcache);
    let pymemcache = pymemcache.build().unwrap();
    pymemcache.set("", ItemRef::new(0, "1"), 0).unwrap();
    let plain = Client::new(server.address()).unwrap();
    assert!(plain.get::<Item>("app:").unwrap().is_some());
    assert!(listed(&pymemcache).keys().eq([b""]));
}
