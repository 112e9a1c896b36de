//! Where keys go: names that are looked up, and the program's own placement. The peers' rules are
//! checked in `tests/vectors`.

use crate::support::Memcached;
use moecache::{Client, Distribution, Library, Locator, Node};
use std::collections::BTreeMap;

const KEYS: u32 = 1000;

fn places(client: &Client) -> Vec<String> {
    let of = |n: u32| {
        let key = format!("key-{n}-{}", n.wrapping_mul(0x9e37_79b9));
        client.server_for(key).unwrap()
    };
    (0..KEYS).map(of).collect()
}

#[test]
fn names_are_looked_up_where_addresses_are_placed_and_only_when_asked() {
    let named = || Client::builder().servers(["localhost:11211", "localhost:11212"]);
    let typed = Client::builder().servers(["127.0.0.1:11211", "127.0.0.1:11212"]);
    for distribution in [Distribution::Enyim, Distribution::EnyimCoreLegacy] {
        let error = named().distribution(distribution).build().unwrap_err();
        assert!(error.is_validation());
        assert!(error.to_string().contains("resolve_names"), "{error}");

        let resolved = named()
            .distribution(distribution)
            .resolve_names(true)
            .build();
        let typed = typed.clone().distribution(distribution).build().unwrap();
        let same = |server: String| server.replace("127.0.0.1", "localhost");
        let expected: Vec<_> = places(&typed).into_iter().map(same).collect();
        assert_eq!(places(&resolved.unwrap()), expected, "{distribution}");
    }
    // A name that there is not: it is only looked up where that is of use.
    let nowhere = || Client::builder().servers(["name.invalid", "10.0.0.1"]);
    let error = nowhere()
        .compatible_with(Library::Enyim)
        .resolve_names(true)
        .build()
        .unwrap_err();
    assert!(error.is_connect(), "{error}");
    assert!(error.to_string().contains("name.invalid"), "{error}");
    nowhere().resolve_names(true).build().unwrap();
}

/// All keys on one server, whether it is there or not.
#[derive(Debug)]
struct Always(usize);

impl Locator for Always {
    fn locate(&self, _: &[u8]) -> usize {
        self.0
    }
}

fn always(server: usize) -> Client {
    Client::builder()
        .servers(["10.0.0.1", "10.0.0.2", "10.0.0.3"])
        .locator(move |_: &[Node]| Ok(Box::new(Always(server))))
        .build()
        .unwrap()
}

#[test]
fn a_program_places_keys_itself() {
    let client = always(2);
    assert_eq!(client.scheme(), None);
    assert!(
        places(&client)
            .iter()
            .all(|server| server == "10.0.0.3:11211")
    );
}

#[test]
fn a_place_that_there_is_not_is_an_error_and_nothing_is_sent() {
    let client = always(3);
    let reason = "locator: it answered server 3; there are 3, counted from 0";
    let get = client.get::<String>("key").unwrap_err();
    let mut many = client.get_many::<String, _>(["key"]);
    let (_, many) = many.failed.pop().unwrap();
    let where_is = client.server_for("key").unwrap_err();
    for error in [get, many, where_is] {
        assert!(error.is_validation());
        assert!(error.to_string().ends_with(reason), "{error}");
    }
}

#[test]
fn each_key_is_on_its_own_server() {
    let servers = [(); 3].map(|()| Memcached::start());
    let client = Client::new(servers.each_ref().map(Memcached::address)).unwrap();
    let mut counts = BTreeMap::new();
    for i in 0..300_i32 {
        // Keys that are alike are close to each other on the ring.
        let key = format!("{:x}", i.wrapping_mul(0x9e37_79b1_u32.cast_signed()));
        client.set(&key, i, 0).unwrap();
        let server = client.server_for(&key).unwrap();
        let alone = Client::new(&server).unwrap();
        assert_eq!(alone.get::<i32>(&key).unwrap(), Some(i));
        *counts.entry(server).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), 3, "all of them have some: {counts:?}");
    for server in client.stats().unwrap() {
        assert_eq!(
            server.result.unwrap().curr_items(),
            counts.get(&server.server).copied()
        );
    }
}
