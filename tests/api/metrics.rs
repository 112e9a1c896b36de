//! What a client counts.

use crate::support;

use moecache::testing::{Fault, Server};
use moecache::{
    Bytes, Client, ErrorCounts, FailurePolicy, IntoServers, MetaGet, Protocol, ServerMetrics,
};
use std::net::SocketAddr;
use std::time::Duration;
use support::{Memcached, reserve};

const PROTOCOLS: [Protocol; 3] = [Protocol::Text, Protocol::Meta, Protocol::Binary];

/// How long a call has where it does not fail by the clock, and where it does.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_secs(1);

fn client(servers: impl IntoServers, protocol: Protocol) -> Client {
    let builder = Client::builder().servers(servers).protocol(protocol);
    builder
        .timeout(LONG)
        .max_back_off(Duration::ZERO)
        .build()
        .unwrap()
}

fn metrics(client: &Client) -> ServerMetrics {
    let [metrics] = client.metrics().try_into().unwrap();
    metrics
}

/// The same calls on both servers, in all protocols.
fn on_both(check: impl Fn(SocketAddr, Protocol)) {
    let (real, embedded) = (Memcached::start(), Server::start().unwrap());
    for address in [real.address(), embedded.address()] {
        for protocol in PROTOCOLS {
            println!("{address} {protocol}");
            check(address, protocol);
            let flushed = Client::new(address).unwrap().flush_all(0);
            assert!(flushed[0].result.is_ok());
        }
    }
}

#[test]
fn a_client_that_did_nothing() {
    let client = Client::new(["10.0.0.1:11211", "10.0.0.2:11211"]).unwrap();
    let metrics = client.metrics();
    let servers: Vec<&str> = metrics.iter().map(|it| &*it.server).collect();
    assert_eq!(servers, client.servers());
    for it in metrics {
        assert_eq!(
            (it.operations, it.connections_open, it.latency.count),
            (0, 0, 0)
        );
        assert_eq!(it.errors, ErrorCounts::default());
        assert_eq!(it.latency.max, Duration::ZERO);
    }
}

#[test]
fn calls_for_one_key() {
    on_both(|address, protocol| {
        let client = client(address, protocol);
        client.set("a", "value", 60).unwrap();
        assert!(client.get::<String>("a").unwrap().is_some());
        assert!(client.gets::<String>("a").unwrap().is_some());
        assert!(client.get::<String>("b").unwrap().is_none());
        assert!(client.get_and_touch::<String>("a", 60).unwrap().is_some());
        assert!(client.get_and_touch::<String>("b", 60).unwrap().is_none());
        // Not there, and no miss of one that reads.
        assert!(!client.delete("b").unwrap());
        assert!(!client.touch("b", 60).unwrap());
        assert!(!client.add("a", "other", 60).unwrap());
        assert_eq!(client.incr("b", 1).unwrap(), None);
        let it = metrics(&client);
        assert_eq!((it.operations, it.hits, it.misses), (10, 3, 2));
        assert_eq!(
            (it.errors, it.missed, it.retries),
            (ErrorCounts::default(), 0, 0)
        );
        let connections = (
            it.connections_made,
            it.connections_open,
            it.connections_idle,
        );
        assert_eq!(connections, (1, 1, 1));
        assert!(it.bytes_sent > 50 && it.bytes_received > 50, "{it:?}");
        let latency = it.latency;
        assert_eq!(latency.count, 10);
        assert!(Duration::ZERO < latency.p50, "{latency:?}");
        assert!(
            latency.p50 <= latency.p90 && latency.p90 <= latency.p99,
            "{latency:?}"
        );
        assert!(
            latency.p99 <= latency.p999 && latency.p999 <= latency.max,
            "{latency:?}"
        );

        client.close();
        let it = metrics(&client);
        assert_eq!(
            (it.operations, it.connections_made, it.connections_open),
            (10, 1, 0)
        );
        // Nothing is sent for these.
        client.get::<String>("not a key").unwrap_err();
        assert_eq!(metrics(&client), it);
    });
}

#[test]
fn the_meta_commands() {
    let (real, embedded) = (Memcached::start(), Server::start().unwrap());
    for address in [real.address(), embedded.address()] {
        let client = client(address, Protocol::Meta);
        client.set("a", "value", 60).unwrap();
        let get = MetaGet::new().value();
        assert!(client.meta_get("a", get).unwrap().is_some());
        assert!(client.meta_get("b", get).unwrap().is_none());
        let it = metrics(&client);
        assert_eq!((it.operations, it.hits, it.misses), (3, 1, 1));
    }
}

#[test]
fn calls_for_many_keys() {
    on_both(|address, protocol| {
        let client = client(address, protocol);
        let keys: Vec<String> = (0..1000).map(|number| format!("key-{number}")).collect();
        let (there, _) = keys.split_at(300);
        client.set_many(there.iter().zip(0..), 60).all().unwrap();
        let found = client.get_many::<i32, _>(&keys).all().unwrap();
        assert_eq!(found.len(), 300);
        let it = metrics(&client);
        assert_eq!((it.operations, it.hits, it.misses), (1300, 300, 700));
        assert_eq!(it.latency.count, 2, "one for all that a call sends");
        assert_eq!(it.errors.total(), 0);

        let mut pipeline = client.pipeline();
        let one = pipeline.get::<i32>(&keys[0]);
        let other = pipeline.delete(&keys[0]);
        let mut replies = pipeline.run();
        assert_eq!(replies.take(one).unwrap(), Some(0));
        assert!(replies.take(other).unwrap());
        let it = metrics(&client);
        assert_eq!((it.operations, it.hits, it.latency.count), (1302, 301, 3));
    });
}

#[test]
fn bytes_are_those_on_the_wire() {
    on_both(|address, protocol| {
        let client = client(address, protocol);
        // Longer than the buffers, so that it is read in pieces, and past them.
        let value = vec![7; 300_000];
        client.set_bytes("key", &value, 60).unwrap();
        let set = metrics(&client);
        assert_eq!(client.get_bytes("key").unwrap().unwrap().len(), value.len());
        let got = metrics(&client);
        let received = got.bytes_received - set.bytes_received;
        for bytes in [set.bytes_sent, received] {
            assert!((300_000..300_100).contains(&bytes), "{bytes}");
        }
        if protocol == Protocol::Text {
            assert_eq!(got.bytes_sent - set.bytes_sent, "get key\r\n".len() as u64);
            assert_eq!(set.bytes_received, "STORED\r\n".len() as u64);
        }
    });
}

/// What each fault counts as, once, in each protocol.
#[test]
fn errors_by_kind() {
    type Kind = fn(&mut ErrorCounts) -> &mut u64;
    let rows: [(&str, Fault, Kind); 6] = [
        ("cut", Fault::Cut { after: 3 }, |it| &mut it.io),
        ("reset", Fault::Reset { after: 3 }, |it| &mut it.io),
        ("garbage", Fault::Garbage(b"?\r\n".repeat(30)), |it| {
            &mut it.protocol
        }),
        ("misaddressed", Fault::Misaddressed, |it| &mut it.protocol),
        ("swallowed", Fault::Swallow, |it| &mut it.timeout),
        ("too many", Fault::TooManyConnections, |it| &mut it.connect),
    ];
    for protocol in PROTOCOLS {
        for (row, fault, kind) in &rows {
            if *row == "too many" && protocol == Protocol::Binary {
                continue; // The words are no reply there.
            }
            let server = Server::start().unwrap();
            let client = client(&server, protocol);
            client.set("key", "value", 60).unwrap();
            if *row == "too many" {
                client.close();
            }
            server.inject(fault.clone());
            let timeout = if *row == "swallowed" { SHORT } else { LONG };
            let hurried = client.with_timeout(timeout);
            hurried.get::<String>("key").unwrap_err();
            let mut expected = ErrorCounts::default();
            *kind(&mut expected) = 1;
            let it = metrics(&client);
            assert_eq!(it.errors, expected, "{protocol}: {row}");
            assert_eq!(it.errors.total(), 1);
            assert_eq!(
                (it.operations, it.hits, it.misses),
                (2, 0, 0),
                "{protocol}: {row}"
            );
            assert_eq!(
                (it.latency.count, it.connections_open),
                (2, 0),
                "{protocol}: {row}"
            );
        }
    }
}

#[test]
fn a_server_that_is_away_and_one_that_is_left_alone() {
    let reserved = reserve().unwrap();
    let nobody = reserved.local_addr().unwrap().as_socket().unwrap();
    let client = client(nobody, Protocol::Text);
    client.get_many::<String, _>(["a", "b"]).all().unwrap_err();
    let it = metrics(&client);
    assert_eq!(
        (it.operations, it.errors.connect, it.errors.total()),
        (2, 2, 2)
    );
    assert_eq!(
        (it.connections_made, it.connections_open, it.latency.count),
        (0, 0, 1)
    );

    let builder = Client::builder().servers(nobody);
    let client = builder
        .max_back_off(Duration::from_secs(60))
        .build()
        .unwrap();
    let down = || client.get::<String>("a").unwrap_err().is_down();
    while !down() {}
    let it = metrics(&client);
    assert_eq!(
        it.errors.connect, it.latency.count,
        "what was not tried took no time"
    );
    assert_eq!(it.errors.down, 1);
    assert_eq!(it.operations, it.errors.total());
}

#[test]
fn what_is_hidden_is_counted() {
    let reserved = reserve().unwrap();
    let nobody = reserved.local_addr().unwrap().as_socket().unwrap();
    let builder = Client::builder().servers(nobody);
    let client = builder.failure_policy(FailurePolicy::Miss).build().unwrap();
    for _ in 0..5 {
        assert_eq!(client.get::<String>("key").unwrap(), None);
    }
    let it = metrics(&client);
    assert_eq!((it.operations, it.misses, it.missed), (5, 0, 5));
    assert_eq!(it.errors.total(), 5);
}

#[test]
fn an_error_of_the_server() {
    on_both(|address, protocol| {
        let client = client(address, protocol);
        client.set("key", "text", 60).unwrap();
        let error = client.incr("key", 1).unwrap_err();
        assert!(error.is_server(), "{error:?}");
        let it = metrics(&client);
        assert_eq!(
            (it.operations, it.errors.server, it.errors.total()),
            (2, 1, 1)
        );
        // Too large: for binary and meta, in the middle of others that are answered.
        let large = vec![7; 2 << 20];
        let small = vec![7; 10];
        let items = [("a", &small), ("b", &large), ("c", &small)];
        let failed = client
            .set_many(
                items.into_iter().map(|(key, value)| (key, Bytes(value))),
                60,
            )
            .failed()
            .count() as u64;
        assert!(failed >= 1);
        let it = metrics(&client);
        assert_eq!(
            (it.operations, it.errors.total()),
            (5, 1 + failed),
            "{it:?}"
        );
    });
}

/// A call that takes several requests, or finds out that the protocol has no better one, is one
/// operation, which succeeded; and what the server answers that is no error is none.
#[test]
fn a_call_of_several_requests_counts_once() {
    type Call = fn(&Client);
    let calls: [(&str, Call); 9] = [
        ("incr_with_initial, made", |client| {
            assert_eq!(client.incr_with_initial("n", 1, 5, 60).unwrap(), 5);
        }),
        ("incr_with_initial, counted", |client| {
            assert_eq!(client.incr_with_initial("n", 1, 5, 60).unwrap(), 6);
        }),
        ("decr_with_initial, made", |client| {
            assert_eq!(client.decr_with_initial("m", 1, 5, 60).unwrap(), 5);
        }),
        ("contains, not there", |client| {
            assert!(!client.contains("k").unwrap());
        }),
        ("update, made", |client| {
            client
                .update("k", 60, |old: Option<i32>| old.map_or(1, |old| old + 1))
                .unwrap();
        }),
        ("update", |client| {
            client
                .update("k", 60, |old: Option<i32>| old.map_or(1, |old| old + 1))
                .unwrap();
        }),
        ("update, in between another's", |client| {
            let mut first = true;
            let new = client.update("k", 60, |old: Option<i32>| {
                if std::mem::take(&mut first) {
                    let other = Client::new(&*client.servers()[0]).unwrap();
                    other.set("k", 10, 60).unwrap();
                }
                old.unwrap() + 1
            });
            assert_eq!(new.unwrap(), 11);
        }),
        ("contains", |client| assert!(client.contains("k").unwrap())),
        ("get_and_touch", |client| {
            assert!(client.get_and_touch::<i32>("k", 60).unwrap().is_some());
        }),
    ];
    on_both(|address, protocol| {
        for protocol in [protocol, Protocol::Auto] {
            let client = client(address, protocol);
            for (count, (name, call)) in (1..).zip(calls) {
                call(&client);
                let it = metrics(&client);
                let shown = format!("{protocol}: {name}: {it:?}");
                assert_eq!((it.operations, it.latency.count), (count, count), "{shown}");
                assert_eq!(it.errors, ErrorCounts::default(), "{shown}");
            }
            let it = metrics(&client);
            assert_eq!(
                (it.hits, it.misses),
                (2, 1),
                "{protocol}: contains and get_and_touch"
            );
            assert!(client.flush_all(0)[0].result.is_ok());
        }
    });
}

/// The same where `Auto` finds a server that has no meta commands, and on calls that fail.
#[test]
fn a_call_of_several_requests_that_fails_counts_once() {
    let server = Server::builder().version("1.5.22").start().unwrap();
    let client = client(&server, Protocol::Auto);
    assert!(!client.contains("k").unwrap());
    assert_eq!(client.incr_with_initial("n", 1, 5, 60).unwrap(), 5);
    let it = metrics(&client);
    assert_eq!(
        (it.operations, it.errors.total(), it.misses),
        (2, 0, 1),
        "{it:?}"
    );
    client.set("k", "text", 60).unwrap();
    assert!(
        client
            .incr_with_initial("k", 1, 5, 60)
            .unwrap_err()
            .is_server()
    );
    let it = metrics(&client);
    assert_eq!(
        (it.operations, it.errors.server, it.errors.total()),
        (4, 1, 1)
    );
    let update = client.update("k", 60, |old: Option<i32>| old.unwrap_or_default());
    assert!(update.unwrap_err().is_decode());
    let it = metrics(&client);
    assert_eq!(
        (it.operations, it.errors.total()),
        (5, 1),
        "the server did its part"
    );
    server.inject(Fault::Cut { after: 3 });
    let update = client.update("k", 60, |old: Option<String>| old.unwrap_or_default());
    assert!(update.is_err());
    let it = metrics(&client);
    assert_eq!((it.operations, it.errors.io, it.errors.total()), (6, 1, 2));
    // Nothing is sent for these: as for a key that is none.
    assert!(client.delete_with_cas("k", 1).unwrap_err().is_unsupported());
    assert!(
        client
            .meta_get("k", MetaGet::new())
            .unwrap_err()
            .is_unsupported()
    );
    let after = metrics(&client);
    assert_eq!((after.operations, after.errors), (it.operations, it.errors));
}

/// A list of keys is one request, on a server that knows fewer ways to make it, too.
#[test]
fn a_list_of_keys_counts_once() {
    use support::scripted::{accept, answer, scripted};

    let (address, server) = scripted(|listener| {
        let mut connection = accept(listener);
        answer(
            &mut connection,
            b"BUSY currently processing crawler request\r\n",
        );
        answer(&mut connection, b"BADCLASS invalid class id\r\n");
        answer(&mut connection, b"key=a exp=-1\nEND\r\n");
        answer(&mut connection, b"ERROR\r\n");
        answer(&mut connection, b"ERROR\r\n");
    });
    let client = client(address, Protocol::Text);
    let keys: Vec<_> = client.keys().map(|key| key.unwrap().key).collect();
    assert_eq!(keys, [b"a"]);
    let it = metrics(&client);
    assert_eq!((it.operations, it.errors.total()), (1, 0), "{it:?}");
    assert!(client.keys().next().unwrap().is_err());
    let it = metrics(&client);
    assert_eq!(
        (it.operations, it.errors.server, it.errors.total()),
        (2, 1, 1)
    );
    server.join().unwrap();
}

/// A healthy server makes no errors of the cache's.
#[test]
fn the_cache_makes_no_errors() {
    use moecache::cache::Cache;

    on_both(|address, protocol| {
        let client = client(address, protocol);
        let cache = Cache::new(client.clone());
        for entry in 0..10 {
            let made = cache.get_or_set(("entry", entry), || entry);
            assert_eq!(made.unwrap(), entry);
        }
        let it = metrics(&client);
        assert_eq!(it.errors, ErrorCounts::default(), "{protocol}: {it:?}");
    });
}

/// Of a call for many, what was answered before a fault is counted as answered.
#[test]
fn a_call_for_many_of_which_a_part_fails() {
    for protocol in PROTOCOLS {
        let server = Server::start().unwrap();
        let client = client(&server, protocol);
        let keys: Vec<String> = (0..100).map(|number| format!("key-{number}")).collect();
        client.set_many(keys.iter().zip(0..), 60).all().unwrap();
        server.inject(Fault::Cut { after: 700 });
        let each = client.get_each::<i32, _>(&keys);
        let failed = each.failed().count() as u64;
        assert!(failed > 0, "{protocol}");
        let it = metrics(&client);
        assert_eq!((it.operations, it.errors.io), (200, failed), "{protocol}");
        assert_eq!((it.hits, it.misses), (100 - failed, 0), "{protocol}");
    }
}

#[test]
fn servers_that_stay_go_on_counting() {
    let [stays, leaves] = [(); 2].map(|()| Server::start().unwrap());
    let client = client([&stays, &leaves], Protocol::Text);
    assert!(client.ping().iter().all(|server| server.result.is_ok()));
    client.set_servers(&stays).unwrap();
    assert_eq!(metrics(&client).operations, 1);
    client.set_servers([&leaves, &stays]).unwrap();
    let operations: Vec<u64> = client.metrics().iter().map(|it| it.operations).collect();
    assert_eq!(
        operations,
        [0, 1],
        "in list order; what came back begins anew"
    );
}

#[test]
fn all_threads_and_all_clones_are_counted() {
    let server = Server::start().unwrap();
    let client = client(&server, Protocol::Meta);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let client = client.with_prefix(format!("{thread}:")).unwrap();
            scope.spawn(move || {
                for _ in 0..100 {
                    client.set("key", 1, 0).unwrap();
                    assert_eq!(client.get::<i32>("key").unwrap(), Some(1));
                }
            });
        }
    });
    let it = metrics(&client);
    assert_eq!(
        (it.operations, it.hits, it.latency.count),
        (1600, 800, 1600)
    );
    assert_eq!(it.connections_open, it.connections_idle);
    assert_eq!(it.connections_open as u64, it.connections_made);
}
