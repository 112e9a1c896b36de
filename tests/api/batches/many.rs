//! Many keys at once: what a server that fails does to its own keys and to those of others, and what
//! does not fit any buffer.

use crate::support;
use crate::support::needs_memcached;

use super::client;
use moecache::{Bytes, Client, IntoServers, Item, ItemRef, Protocol};
use std::collections::HashMap;
use std::time::Duration;
use support::{Hanging, Memcached, UnixMemcached, reserve};

const PROTOCOLS: [Protocol; 3] = [Protocol::Text, Protocol::Meta, Protocol::Binary];

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("key-{number}")).collect()
}

/// At least 20 keys of each server. (How many of all keys a server has depends on its port, and can
/// be few.)
fn keys_of_all(client: &Client) -> Vec<String> {
    let servers = client.servers();
    let mut left: HashMap<String, i32> = servers.into_iter().map(|server| (server, 20)).collect();
    let mut keys = Vec::new();
    let mut number = 0_u64;
    while left.values().any(|left| *left > 0) {
        number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let key = format!("{number:x}");
        if let Some(left) = left.get_mut(&client.server_for(&key).unwrap()) {
            *left -= 1;
            if *left >= 0 {
                keys.push(key);
            }
        }
    }
    keys
}

/// All kinds of calls, with the server `down` not answering: its keys fail, and all others do what
/// they would do without it.
fn only_its_own_keys_fail(client: &Client, down: &str, is_it: fn(&moecache::Error) -> bool) {
    let keys = keys_of_all(client);
    let is_down = |key: &str| client.server_for(key).unwrap() == down;
    let failing = keys.iter().filter(|key| is_down(key)).count();

    for (key, result) in client.set_many(keys.iter().zip(0..), 60) {
        match result {
            Ok(()) => assert!(!is_down(key), "{key}"),
            Err(error) => assert!(is_down(key) && is_it(&error), "{key}: {error:?}"),
        }
    }
    let many = client.get_many::<i32, _>(&keys);
    assert_eq!(
        (many.found.len(), many.failed.len()),
        (keys.len() - failing, failing)
    );
    for (key, error) in &many.failed {
        assert!(
            is_down(key) && is_it(error) && !error.is_ambiguous(),
            "{key}: {error:?}"
        );
        assert_eq!(
            (error.server(), error.operation()),
            (Some(down), Some("get_many"))
        );
    }
    let mut seen = 0;
    let failed = client.get_many_with(&keys, |index, _| {
        assert!(!is_down(&keys[index]));
        seen += 1;
    });
    assert_eq!((seen, failed.len()), (keys.len() - failing, failing));

    let mut pipeline = client.pipeline();
    let deleted: Vec<_> = keys.iter().map(|key| (key, pipeline.delete(key))).collect();
    let mut replies = pipeline.run();
    for (key, deleted) in deleted {
        match replies.take(deleted) {
            Ok(deleted) => assert!(deleted && !is_down(key)),
            Err(error) => assert!(is_down(key) && is_it(&error), "{key}: {error:?}"),
        }
    }
}

#[test]
fn a_server_that_refuses() {
    for protocol in PROTOCOLS {
        let up = [(); 2].map(|()| Memcached::start());
        let down = reserve().unwrap();
        let down = down.local_addr().unwrap().as_socket().unwrap();
        let servers = [up[0].address(), down, up[1].address()];
        let client = client(servers, protocol, Duration::from_secs(20));
        only_its_own_keys_fail(&client, &down.to_string(), |error| {
            error.is_connect() && !error.is_timeout()
        });
    }
}

/// The connections are there already; then the server's machine stops.
#[test]
fn a_server_that_stops_answering() {
    needs_memcached!();
    for protocol in PROTOCOLS {
        let servers = [(); 3].map(|()| Memcached::start());
        let addresses = servers.each_ref().map(Memcached::address);
        let client = client(addresses, protocol, Duration::from_secs(1));
        assert!(client.ping().iter().all(|server| server.result.is_ok()));
        servers[0].freeze();
        let down = addresses[0].to_string();
        only_its_own_keys_fail(&client, &down, |error| {
            error.is_timeout() || error.is_down()
        });
        servers[0].thaw();
        let stats = client
            .with_timeout(Duration::from_secs(20))
            .stats()
            .unwrap();
        assert!(
            stats.iter().all(|server| server.result.is_ok()),
            "{stats:?}"
        );
    }
}

/// A connect that hangs: nobody accepts, and the kernel's queue is full.
#[test]
fn a_server_that_cannot_be_reached() {
    let hanging = Hanging::start();
    let address = hanging.address();
    let up = [(); 2].map(|()| Memcached::start());
    // The first in the list, so that the others come after it.
    let servers = [address, up[0].address(), up[1].address()];
    let client = client(servers, Protocol::Text, Duration::from_secs(1));
    only_its_own_keys_fail(&client, &address.to_string(), |error| {
        error.is_connect() && (error.is_timeout() || error.is_down())
    });
}

/// Pooled connections of a server that was restarted are replaced, if what was sent may be repeated.
#[test]
fn a_restart_between_two_calls() {
    for protocol in PROTOCOLS {
        let mut servers = [(); 2].map(|()| Memcached::start());
        let addresses = servers.each_ref().map(Memcached::address);
        let client = client(addresses, protocol, Duration::from_secs(20));
        let keys = keys_of_all(&client);
        client.set_many(keys.iter().zip(0..), 0).all().unwrap();
        servers[0].restart();
        let found = client.get_many::<i32, _>(&keys).all().unwrap();
        assert!(!found.is_empty() && found.len() < keys.len());
        servers[1].restart();
        client.set_many(keys.iter().zip(0..), 0).all().unwrap();
        servers[0].restart();
        assert!(client.delete_many(&keys).all().unwrap().contains(&true));
    }
}

#[test]
fn a_hundred_thousand_keys() {
    for protocol in PROTOCOLS {
        let servers = [(); 2].map(|()| Memcached::with_args(&["-m", "256"]));
        let addresses = servers.each_ref().map(Memcached::address);
        let client = client(addresses, protocol, Duration::from_secs(60));
        let keys = numbered(100_000);
        client.set_many(keys.iter().zip(0_u32..), 0).all().unwrap();
        let values = client.get_each::<u32, _>(&keys).all().unwrap();
        assert!(values.into_iter().eq((0..100_000).map(Some)));
        let found = client.get_many::<u32, _>(&keys).all().unwrap();
        assert_eq!(found.len(), 100_000);
    }
}

/// 300 values of 1 MB, and a pipeline that reads and writes them all at once: more than all socket
/// buffers hold, in both directions.
fn values_of_a_megabyte(servers: impl IntoServers, protocol: Protocol) {
    let client = client(servers, protocol, Duration::from_secs(60));
    let keys = numbered(300);
    let value = vec![b'v'; 1_000_000];
    client
        .set_many(keys.iter().map(|key| (key, Bytes(&value))), 0)
        .all()
        .unwrap();
    let found: HashMap<_, serde_bytes::ByteBuf> = client.get_many(&keys).all().unwrap();
    assert_eq!(found.len(), 300);
    assert!(found.values().all(|found| **found == value));

    let mut pipeline = client.pipeline();
    let mut pending = Vec::new();
    for key in keys.iter().take(100) {
        pending.push((
            pipeline.get::<Item>(key),
            pipeline.set(key, ItemRef::new(3, &value), 0),
        ));
    }
    let mut replies = pipeline.run();
    for (item, stored) in pending {
        assert!(
            replies
                .take(item)
                .unwrap()
                .is_some_and(|item| item.data == value)
        );
        replies.take(stored).unwrap();
    }
}

const LARGE: [&str; 4] = ["-I", "8m", "-m", "1024"];

#[test]
fn large_values_over_tcp() {
    for protocol in PROTOCOLS {
        let servers = [(); 2].map(|()| Memcached::with_args(&LARGE));
        values_of_a_megabyte(servers.each_ref().map(Memcached::address), protocol);
    }
}

#[test]
fn large_values_over_unix_sockets() {
    for protocol in PROTOCOLS {
        let servers = [(); 2].map(|()| UnixMemcached::with_args(&LARGE));
        values_of_a_megabyte(servers.each_ref().map(UnixMemcached::path), protocol);
    }
}
