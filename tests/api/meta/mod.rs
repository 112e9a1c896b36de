//! The meta commands and binary keys, against a real memcached and the embedded server.

/// Makes of each function a test on each server, which has nothing: `touching::memcached`.
macro_rules! on_every_server {
    ($($check:ident)*) => {$(
        mod $check {
            use crate::meta::client;
            use crate::support::Memcached;
            use crate::support::behind::Proxy;

            #[test]
            fn memcached() {
                super::$check(&client(Memcached::start().address()));
            }

            #[test]
            fn the_embedded_server() {
                super::$check(&client(&moecache::testing::Server::start().unwrap()));
            }

            #[test]
            fn behind_memcacheds_proxy() {
                if let Some(behind) = Proxy::BuiltIn.start() {
                    super::$check(&client(behind.address()));
                }
            }
        }
    )*};
}

mod keys;
mod newer;
mod raw;
mod stale;
use crate::support;

use moecache::{
    Client, DeleteOutcome, Expiry, IntoServers, Item, ItemRef, KeyBytes, MetaArithmetic,
    MetaArithmeticOutcome, MetaDelete, MetaGet, MetaItem, MetaMode, MetaSet, MetaSetOutcome,
    Protocol, Ttl,
};
use std::time::Duration;
use support::Memcached;

on_every_server! {
    what_there_is_to_know_about_an_item
    touching
    one_wins_who_makes_a_missing_item
    one_wins_who_recaches_an_item
    deleting_and_invalidating
    a_tombstone_needs_a_newer_server
    storing
    counting
}

fn client(servers: impl IntoServers) -> Client {
    let builder = Client::builder().servers(servers);
    let builder = builder.protocol(Protocol::Meta).key_bytes(KeyBytes::Any);
    builder.timeout(Duration::from_secs(20)).build().unwrap()
}

fn found(client: &Client, key: &str, get: MetaGet) -> MetaItem {
    client.meta_get(key, get).unwrap().expect("it is there")
}

fn seconds(seconds: u64) -> Ttl {
    Ttl::After(Duration::from_secs(seconds))
}

/// A clock may tick between two commands.
fn is_about(ttl: Option<Ttl>, expected: u64) -> bool {
    ttl == Some(seconds(expected)) || ttl == Some(seconds(expected - 1))
}

/// Whether it won, is stale, and was won by another.
fn marks(item: &MetaItem) -> (bool, bool, bool) {
    (item.won, item.stale, item.already_won)
}

fn cas_of(client: &Client, key: &str) -> u64 {
    found(client, key, MetaGet::new().cas()).cas.unwrap()
}

fn what_there_is_to_know_about_an_item(client: &Client) {
    let everything = || {
        let get = MetaGet::new().value().flags().cas().ttl();
        get.hit_before().last_access().size()
    };
    assert_eq!(client.meta_get("key", everything()).unwrap(), None);
    assert_eq!(client.meta_get("key", MetaGet::new()).unwrap(), None);

    client.set("key", ItemRef::new(7, "value"), 100).unwrap();
    let nothing = found(client, "key", MetaGet::new().no_bump());
    assert_eq!(nothing, MetaItem::default());
    let item = found(client, "key", everything());
    assert_eq!(item.value.as_deref(), Some(&b"value"[..]));
    assert_eq!((item.flags, item.size), (Some(7), Some(5)));
    assert!(is_about(item.ttl, 100), "{item:?}");
    assert_eq!(item.cas, Some(cas_of(client, "key")));
    assert_eq!(item.hit_before, Some(false));
    assert!(item.last_access.unwrap() <= Duration::from_secs(1));
    assert_eq!(marks(&item), (false, false, false));
    assert!(
        !format!("{item:?}").contains("118"),
        "the value shows: {item:?}"
    );

    let ask = MetaGet::new().hit_before().no_bump();
    assert_eq!(found(client, "key", ask).hit_before, Some(true));
    client
        .set("fresh", ItemRef::new(0, ""), Expiry::Never)
        .unwrap();
    assert_eq!(found(client, "fresh", ask).hit_before, Some(false));
    assert_eq!(found(client, "fresh", ask).hit_before, Some(false));
    let item = found(client, "fresh", MetaGet::new().ttl().value().size());
    assert_eq!((item.ttl, item.size), (Some(Ttl::Never), Some(0)));
    assert_eq!(item.value.as_deref(), Some(&b""[..]));
}

fn touching(client: &Client) {
    let touch = |expiry: Expiry| MetaGet::new().touch(expiry).ttl();
    assert_eq!(client.meta_get("key", touch(9.into())).unwrap(), None);
    client.set("key", ItemRef::new(0, "value"), 0).unwrap();
    for (expiry, expected) in [(50, Some(50)), (4_000, Some(4_000)), (0, None)] {
        let item = found(client, "key", touch(expiry.into()));
        match expected {
            Some(expected) => assert!(is_about(item.ttl, expected), "{item:?}"),
            None => assert_eq!(item.ttl, Some(Ttl::Never)),
        }
        assert_eq!(item.ttl, found(client, "key", MetaGet::new().ttl()).ttl);
    }
    let error = client.meta_get("key", touch((-1).into())).unwrap_err();
    assert!(error.is_validation(), "{error}");
    assert!(error.to_string().contains("meta_get"), "{error}");
}

fn one_wins_who_makes_a_missing_item(client: &Client) {
    let vivify = MetaGet::new().vivify(30).value().flags().ttl();
    let item = found(client, "key", vivify);
    assert_eq!(marks(&item), (true, false, false));
    assert_eq!(item.value.as_deref(), Some(&b""[..]));
    assert!(is_about(item.ttl, 30), "{item:?}");
    let item = found(client, "key", vivify);
    assert_eq!(marks(&item), (false, false, true));
    // Others find it empty.
    assert_eq!(client.get::<Item>("key").unwrap().unwrap().data, b"");
    assert!(!client.add("key", ItemRef::new(0, "value"), 0).unwrap());
    client.set("key", ItemRef::new(1, "value"), 60).unwrap();
    let item = found(client, "key", vivify);
    assert_eq!(marks(&item), (false, false, false));
    assert_eq!(item.value.as_deref(), Some(&b"value"[..]));

    // Without its value, too.
    let bare = MetaGet::new().vivify(30);
    assert!(found(client, "bare", bare).won);
    assert!(found(client, "bare", bare).already_won);
}

fn one_wins_who_recaches_an_item(client: &Client) {
    let month = MetaGet::new().recache(2_592_001);
    let error = client.meta_get("key", month).unwrap_err();
    assert!(error.is_validation(), "{error:?}");
    client.set("key", ItemRef::new(0, "old"), 20).unwrap();
    let recache = |left: i32| MetaGet::new().recache(left).value();
    assert_eq!(
        marks(&found(client, "key", recache(10))),
        (false, false, false)
    );
    assert_eq!(
        marks(&found(client, "key", recache(30))),
        (true, false, false)
    );
    let item = found(client, "key", recache(30));
    assert_eq!(marks(&item), (false, false, true));
    assert_eq!(item.value.as_deref(), Some(&b"old"[..]));
    client.set("key", ItemRef::new(0, "new"), 100).unwrap();
    assert_eq!(
        marks(&found(client, "key", recache(30))),
        (false, false, false)
    );
}

fn deleting_and_invalidating(client: &Client) {
    let delete = |delete: MetaDelete| client.meta_delete("key", delete).unwrap();
    let store = || {
        client.set("key", ItemRef::new(5, "value"), 100).unwrap();
        cas_of(client, "key")
    };
    assert_eq!(delete(MetaDelete::new()), DeleteOutcome::Missing);
    assert_eq!(
        delete(MetaDelete::new().invalidate()),
        DeleteOutcome::Missing
    );
    let cas = store();
    assert_eq!(
        delete(MetaDelete::new().cas(cas + 1)),
        DeleteOutcome::Changed
    );
    assert_eq!(delete(MetaDelete::new().cas(0)), DeleteOutcome::Changed);
    assert_eq!(delete(MetaDelete::new().cas(cas)), DeleteOutcome::Deleted);
    assert_eq!(client.get::<Item>("key").unwrap(), None);

    let cas = store();
    let get = MetaGet::new().value().ttl().cas();
    assert_eq!(
        delete(MetaDelete::new().invalidate_until(30)),
        DeleteOutcome::Deleted
    );
    let item = found(client, "key", get);
    assert_eq!(marks(&item), (true, true, false));
    assert_eq!(item.value.as_deref(), Some(&b"value"[..]));
    assert!(is_about(item.ttl, 30), "{item:?}");
    assert_ne!(item.cas, Some(cas));
    assert_eq!(marks(&found(client, "key", get)), (false, true, true));
    // Plain commands go on with the old value.
    assert_eq!(client.get::<Item>("key").unwrap().unwrap().data, b"value");
    assert!(client.touch("key", 60).unwrap());
    assert_eq!(
        client
            .get_and_touch::<Item>("key", 60)
            .unwrap()
            .unwrap()
            .data,
        b"value"
    );
    store();
    assert_eq!(marks(&found(client, "key", get)), (false, false, false));
    assert_eq!(
        delete(MetaDelete::new().invalidate()),
        DeleteOutcome::Deleted
    );
    let item = found(client, "key", get);
    assert!(is_about(item.ttl, 100), "{item:?}");
}

fn a_tombstone_needs_a_newer_server(client: &Client) {
    client.set("key", ItemRef::new(0, "value"), 0).unwrap();
    match client.meta_delete("key", MetaDelete::new().tombstone()) {
        Err(error) => assert!(error.to_string().contains("flag"), "{error}"),
        Ok(outcome) => {
            assert_eq!(outcome, DeleteOutcome::Deleted);
            let item = found(client, "key", MetaGet::new().value());
            assert_eq!(item.value.as_deref(), Some(&b""[..]));
        }
    }
    // The connection goes on.
    client.set("key", ItemRef::new(0, "again"), 0).unwrap();
    assert_eq!(client.get::<Item>("key").unwrap().unwrap().data, b"again");
}

fn storing(client: &Client) {
    use MetaMode::{Add, Append, Prepend, Replace, Set};
    use MetaSetOutcome::{Changed, Missing, NotStored, Stored};
    let data = || client.get::<Item>("key").unwrap().map(|item| item.data);
    let set = |data: &str, set: MetaSet| client.meta_set("key", (9, data), 100, set).unwrap();
    let mode = |mode| MetaSet::new().mode(mode);
    let stored = Stored { cas: None };
    assert_eq!(set("1", mode(Replace)), NotStored);
    assert_eq!(set("1", mode(Append)), NotStored);
    assert_eq!(set("1", mode(Prepend)), NotStored);
    assert_eq!(set("1", MetaSet::new().cas(1)), Missing);
    assert_eq!(data(), None);
    assert_eq!(set("1", mode(Add)), stored);
    assert_eq!(set("2", mode(Add)), NotStored);
    assert_eq!(set("2", mode(Append)), stored);
    assert_eq!(set("0", mode(Prepend)), stored);
    assert_eq!(data().as_deref(), Some(&b"012"[..]));
    assert_eq!(set("3", mode(Replace)), stored);
    assert_eq!(client.get::<Item>("key").unwrap().unwrap().flags, 9);

    let Stored { cas: Some(cas) } = set("4", MetaSet::new().return_cas()) else {
        panic!("no cas id");
    };
    assert_eq!(cas_of(client, "key"), cas);
    let with_cas = |id| MetaSet::new().cas(id).return_cas();
    assert_eq!(set("5", with_cas(cas + 1)), Changed);
    let appended = set("5", with_cas(cas).mode(Append));
    assert!(matches!(appended, Stored { cas: Some(new) } if new > cas));
    assert_eq!(data().as_deref(), Some(&b"45"[..]));

    // An older cas id with `invalidate`: stored, and stale.
    assert_eq!(set("6", MetaSet::new().cas(cas).invalidate()), stored);
    let item = found(client, "key", MetaGet::new().value());
    assert_eq!(item.value.as_deref(), Some(&b"6"[..]));
    assert_eq!(marks(&item), (true, true, false));
    assert_eq!(set("7", MetaSet::new().cas(u64::MAX).invalidate()), Changed);

    for mode in [Set, Add, Replace, Append, Prepend] {
        let error = client.meta_set("key", (0, "8"), 0, with_cas(0).mode(mode));
        let error = error.unwrap_err();
        assert!(error.is_validation(), "{mode:?}: {error:?}");
    }
    assert_eq!(data().as_deref(), Some(&b"6"[..]));

    let large = vec![b'x'; 2 << 20];
    let error = client.meta_set("key", (0, &large), 0, MetaSet::new());
    let error = error.unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
    assert_eq!(data(), None);
}

fn counting(client: &Client) {
    use MetaArithmeticOutcome::{Changed, Counted, Missing};
    let ask = |it| client.meta_arithmetic("key", it).unwrap();
    let count = |it| match ask(it) {
        Counted(counter) => counter,
        outcome => panic!("{outcome:?}"),
    };
    assert_eq!(ask(MetaArithmetic::up(1)), Missing);
    let first = MetaArithmetic::up(2).initial(u64::MAX, 60);
    let counter = count(first.return_ttl().return_cas());
    assert_eq!(counter.count, u64::MAX);
    assert!(is_about(counter.ttl, 60), "{counter:?}");
    assert_eq!(counter.cas, Some(cas_of(client, "key")));
    let counter = count(first);
    assert_eq!((counter.count, counter.cas, counter.ttl), (1, None, None));
    assert_eq!(count(MetaArithmetic::up(99)).count, 100);
    assert_eq!(count(MetaArithmetic::down(1)).count, 99);
    assert_eq!(count(MetaArithmetic::down(100)).count, 0);
    let counter = count(MetaArithmetic::up(0).touch(0).return_ttl());
    assert_eq!(counter.ttl, Some(Ttl::Never));

    let cas = cas_of(client, "key");
    assert_eq!(ask(MetaArithmetic::up(1).cas(cas + 1)), Changed);
    let counter = count(MetaArithmetic::up(1).cas(cas).return_cas());
    assert!(counter.cas.unwrap() > cas, "{counter:?}");
    let zero = client.meta_arithmetic("key", MetaArithmetic::up(1).cas(0));
    assert!(zero.unwrap_err().is_validation());

    client.set("key", ItemRef::new(0, "text"), 0).unwrap();
    let error = client.meta_arithmetic("key", MetaArithmetic::up(1));
    let error = error.unwrap_err();
    assert!(error.to_string().contains("non-numeric"), "{error}");
    assert_eq!(client.get::<Item>("key").unwrap().unwrap().data, b"text");
}

#[test]
fn other_protocols_have_no_meta_commands() {
    let server = Memcached::start();
    for protocol in [Protocol::Text, Protocol::Binary] {
        let client = Client::builder().servers(server.address());
        let client = client.protocol(protocol).build().unwrap();
        let errors = [
            client.meta_get("key", MetaGet::new()).unwrap_err(),
            client
                .meta_set("key", (0, "value"), 0, MetaSet::new())
                .unwrap_err(),
            client.meta_delete("key", MetaDelete::new()).unwrap_err(),
            client
                .meta_arithmetic("key", MetaArithmetic::up(1))
                .unwrap_err(),
        ];
        for error in errors {
            assert!(error.is_unsupported(), "{protocol}: {error}");
        }
    }
    let client = Client::builder().servers(server.address());
    let client = client.protocol(Protocol::Auto).build().unwrap();
    assert_eq!(client.meta_get("key", MetaGet::new()).unwrap(), None);
}
