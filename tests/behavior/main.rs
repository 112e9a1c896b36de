//! What every command does, over every protocol, against every server: named rows through one
//! engine.

mod behind;
mod commands;
mod key_words;
mod many;
mod transcripts;
mod values;

#[path = "../support/mod.rs"]
mod support;

use moecache::PrefixPlacement::LeftOut;
use moecache::testing::Server;
use moecache::{Client, ClientBuilder, Error, Expiry, IntoServers, MetaGet, Protocol};
use std::collections::BTreeMap;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Duration;
use support::{Memcached, UnixMemcached};

type Row = (&'static str, fn(&Client) -> Result<(), Error>);

/// For what not every protocol can do.
type RowByProtocol = (&'static str, fn(&Client, Protocol) -> Result<(), Error>);

/// Runs every row with a client of `servers`, which begins each with nothing stored.
fn run(name: &str, protocol: Protocol, servers: impl IntoServers) {
    run_with(name, protocol, Client::builder().servers(servers));
}

/// The same with a client that is set up.
fn run_with(name: &str, protocol: Protocol, client: ClientBuilder) {
    let client = client.protocol(protocol);
    // Nothing here is about time, and the machine may be busy.
    let client = client.timeout(Duration::from_secs(20)).build().unwrap();
    let rows = [values::ROWS, commands::ROWS, many::ROWS].concat();
    for (row, check) in rows {
        empty(&client);
        check(&client).unwrap_or_else(|error| panic!("{protocol} on {name}: {row}: {error:?}"));
    }
    for (row, check) in commands::BY_PROTOCOL {
        empty(&client);
        let checked = check(&client, protocol);
        checked.unwrap_or_else(|error| panic!("{protocol} on {name}: {row}: {error:?}"));
    }
}

fn empty(client: &Client) {
    for server in client.flush_all(Expiry::Never) {
        server.result.unwrap();
    }
}

const LARGE_ITEMS: [&str; 2] = ["-I", "8m"];

fn one_memcached(protocol: Protocol) {
    let server = Memcached::with_args(&LARGE_ITEMS);
    run("one memcached", protocol, server.address());
}

fn three_memcacheds(protocol: Protocol) {
    let servers = [(); 3].map(|()| Memcached::with_args(&LARGE_ITEMS));
    let addresses = servers.each_ref().map(Memcached::address);
    run("three memcacheds", protocol, addresses);
}

fn three_memcacheds_with_a_prefix(protocol: Protocol) {
    let servers = [(); 3].map(|()| Memcached::with_args(&LARGE_ITEMS));
    let client = Client::builder().servers(servers.each_ref().map(Memcached::address));
    let client = client.prefix("app:").prefix_placement(LeftOut);
    run_with("three memcacheds, with a prefix", protocol, client);
}

fn memcacheds_on_unix_sockets(protocol: Protocol) {
    let servers = [(); 2].map(|()| UnixMemcached::with_args(&LARGE_ITEMS));
    run(
        "memcacheds on unix sockets",
        protocol,
        servers.each_ref().map(UnixMemcached::path),
    );
}

fn the_embedded_server(protocol: Protocol) {
    let server = Server::builder().item_size_max(8 << 20).start().unwrap();
    run("the embedded server", protocol, &server);
}

fn three_embedded_servers(protocol: Protocol) {
    let servers = [(); 3].map(|()| Server::builder().item_size_max(8 << 20).start().unwrap());
    run("three embedded servers", protocol, &servers);
}

macro_rules! combinations {
    ($($servers:ident)*) => {$(
        mod $servers {
            use moecache::Protocol;

            #[test]
            fn text() {
                super::$servers(Protocol::Text);
            }

            #[test]
            fn meta() {
                super::$servers(Protocol::Meta);
            }

            #[test]
            fn binary() {
                super::$servers(Protocol::Binary);
            }

            #[test]
            fn auto() {
                super::$servers(Protocol::Auto);
            }
        }
    )*};
}

combinations!(one_memcached three_memcacheds three_memcacheds_with_a_prefix memcacheds_on_unix_sockets the_embedded_server three_embedded_servers);

const fn shared_freely<T: Send + Sync + Clone + UnwindSafe + RefUnwindSafe + 'static>() {}
const _: () = shared_freely::<Client>();

const fn goes_anywhere<T: std::error::Error + Send + Sync + Clone + 'static>() {}
const _: () = goes_anywhere::<Error>();

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

/// The clock of the embedded server can be moved, so that time need not pass.
#[test]
fn expiry_by_the_clock() {
    let server = Server::start().unwrap();
    let client = Client::new(&server).unwrap();
    client.set("minute", 1, 60).unwrap();
    client
        .set("five-weeks", 1, Duration::from_secs(5 * 7 * 86_400))
        .unwrap();
    client.set("never", 1, 0).unwrap();
    let there =
        || ["minute", "five-weeks", "never"].map(|key| client.get::<i32>(key).unwrap().is_some());
    assert_eq!(there(), [true, true, true]);
    server.clock().advance(Duration::from_secs(62));
    assert_eq!(there(), [false, true, true]);
    server.clock().advance(Duration::from_secs(5 * 7 * 86_400));
    assert_eq!(there(), [false, false, true]);
}

/// Old servers speak text with `Auto`, and what they do not know is a clear error.
#[test]
fn old_servers() {
    for version in ["1.4.20", "1.5.22", "1.6.17"] {
        let server = Server::builder().version(version).start().unwrap();
        let auto = Client::builder().servers(&server).protocol(Protocol::Auto);
        let client = auto.build().unwrap();
        client.set("key", 1, 0).unwrap();
        assert_eq!(client.get("key").unwrap(), Some(1));
        assert!(client.contains("key").unwrap() && !client.contains("other").unwrap());
        let (_, cas) = client.gets::<i32>("key").unwrap().unwrap();
        let error = client.delete_with_cas("key", cas).unwrap_err();
        assert!(error.is_unsupported(), "{version}: {error:?}");
        assert!(
            client
                .meta_get("key", MetaGet::new())
                .unwrap_err()
                .is_unsupported()
        );
        let keys: Result<Vec<_>, _> = client.keys().collect();
        match keys {
            Ok(keys) => assert!(version != "1.4.20" && keys.len() == 1, "{version}"),
            Err(error) => {
                assert_eq!(version, "1.4.20");
                let expected = "it cannot list its keys; memcached can since 1.4.31";
                assert!(
                    error.is_server() && error.to_string().contains(expected),
                    "{error}"
                );
            }
        }
    }
}
