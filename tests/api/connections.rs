//! Connections: when they are made, kept, replaced and closed; and what a caller sees of it.

use crate::support;

use moecache::{Client, Result, Stats};
use std::io::Write as _;
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use support::scripted::{accept, answer, read_until, scripted};
use support::{Memcached, UnixMemcached, skipped, wait_until};

fn stats(client: &Client) -> Stats {
    client.stats().unwrap().remove(0).result.unwrap()
}

/// How many connections the server has, without the one that asks.
fn open_connections(server: &Memcached) -> usize {
    let asking = Client::new(server.address()).unwrap();
    let connections = asking.stats_of("conns").unwrap().remove(0).result.unwrap();
    let is_open =
        |(name, value): (&str, &str)| name.ends_with(":state") && value != "conn_listening";
    connections.iter().filter(|&line| is_open(line)).count() - 1
}

#[test]
fn connects_on_first_use_and_reuses() {
    let server = Memcached::start();
    let client = Client::new(server.address()).unwrap();
    let clone = client.with_timeout(Duration::from_secs(5));
    wait_until("none is open", || open_connections(&server) == 0);
    for i in 0..100 {
        client.set("key", i, 0).unwrap();
        assert_eq!(clone.get::<i32>("key").unwrap(), Some(i));
    }
    wait_until("one is open", || open_connections(&server) == 1);
}

#[test]
fn close_and_the_last_drop_close() {
    let server = Memcached::start();
    let client = Client::new(server.address()).unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..500).for_each(|_| client.set("key", 1, 0).unwrap()));
        }
    });
    let curr_connections = stats(&client).curr_connections().unwrap();
    wait_until("up to 8 are open", || {
        (1..=8).contains(&open_connections(&server))
    });

    client.close();
    wait_until("close() closes the idle connections", || {
        open_connections(&server) == 0
    });
    let closed = stats(&Client::new(server.address()).unwrap()).curr_connections();
    assert!(closed.unwrap() <= curr_connections);
    assert_eq!(
        client.get::<i32>("key").unwrap(),
        Some(1),
        "the client stays usable"
    );
    wait_until("one is open", || open_connections(&server) == 1);

    let clone = client.clone();
    drop(client);
    assert_eq!(
        clone.get::<i32>("key").unwrap(),
        Some(1),
        "a clone keeps them"
    );
    wait_until("one is open", || open_connections(&server) == 1);
    drop(clone);
    wait_until("the last drop closes", || open_connections(&server) == 0);
}

#[test]
fn close_reaches_a_connection_in_use() {
    let (asked, was_asked) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel();
    let (address, server) = scripted(move |listener| {
        let mut first = accept(listener);
        read_until(&mut first, b"\r\n");
        asked.send(()).unwrap();
        goes_on.recv().unwrap();
        first.write_all(b"END\r\n").unwrap();
        answer(&mut accept(listener), b"END\r\n");
    });
    let client = Client::new(address).unwrap();
    thread::scope(|scope| {
        let call = scope.spawn(|| client.get::<String>("key"));
        was_asked.recv().unwrap();
        client.close();
        go_on.send(()).unwrap();
        assert_eq!(call.join().unwrap().unwrap(), None);
    });
    assert_eq!(client.get::<String>("key").unwrap(), None);
    server.join().unwrap(); // It had to accept a second connection.
}

type Call = fn(&Client) -> Result<()>;

#[test]
fn a_restart_between_two_calls_is_invisible() {
    let mut server = Memcached::start();
    let client = Client::new(server.address()).unwrap();
    let calls: [(&str, Call); 3] = [
        ("get", |client| client.get::<String>("key").map(drop)),
        ("set", |client| client.set("key", "value", 0)),
        ("delete", |client| client.delete("key").map(drop)),
    ];
    for (name, call) in calls {
        client.set("key", "value", 0).unwrap();
        server.restart();
        call(&client).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
}

/// The connection is sound when it is taken from the pool, so no probe can help: the server closes it
/// when it has read the request.
#[test]
fn a_pooled_connection_that_ends_before_the_reply_is_replaced_once() {
    let rows: [(&str, &[u8], &[u8], Call); 3] = [
        ("get", b"get key\r\n", b"END\r\n", |client| {
            client.get::<String>("key").map(drop)
        }),
        ("set", b"value\r\n", b"STORED\r\n", |client| {
            client.set("key", "value", 0)
        }),
        ("delete", b"delete key\r\n", b"DELETED\r\n", |client| {
            client.delete("key").map(drop)
        }),
    ];
    for (row, request, reply, call) in rows {
        let (address, server) = scripted(move |listener| {
            let mut first = accept(listener);
            answer(&mut first, b"END\r\n");
            read_until(&mut first, request);
            drop(first);
            let mut second = accept(listener);
            read_until(&mut second, request);
            second.write_all(reply).unwrap();
        });
        let client = Client::new(address).unwrap();
        assert_eq!(client.get::<String>("key").unwrap(), None);
        call(&client).unwrap_or_else(|error| panic!("{row}: {error:?}"));
        server.join().unwrap();
    }
}

#[test]
fn a_connection_that_ends_within_the_reply_is_not() {
    let (address, server) = scripted(|listener| {
        let mut first = accept(listener);
        answer(&mut first, b"END\r\n");
        answer(&mut first, b"VALUE key 0 5\r\nhal");
        drop(first);
        let mut second = accept(listener);
        answer(&mut second, b"END\r\n");
        read_until(&mut second, b"value\r\n");
        second.write_all(b"STO").unwrap();
    });
    let client = Client::new(address).unwrap();
    assert_eq!(client.get::<String>("key").unwrap(), None);
    let error = client.get::<String>("key").unwrap_err();
    assert!(error.is_io() && error.is_retryable(), "{error:?}");
    assert_eq!(client.get::<String>("key").unwrap(), None);
    let error = client.set("key", "value", 0).unwrap_err();
    assert!(error.is_io() && error.is_ambiguous(), "{error:?}");
    server.join().unwrap();
}

#[test]
fn stray_bytes_on_an_idle_connection_are_never_read_as_a_reply() {
    let (address, server) = scripted(|listener| {
        let mut first = accept(listener);
        answer(&mut first, b"END\r\n");
        answer(&mut first, b"END\r\nVALUE key 0 4\r\nevil\r\nEND\r\n");
        answer(&mut accept(listener), b"VALUE key 0 4\r\ngood\r\nEND\r\n");
    });
    let client = Client::new(address).unwrap();
    assert_eq!(client.get::<String>("key").unwrap(), None);
    assert_eq!(client.get::<String>("key").unwrap(), None);
    assert_eq!(
        client.get::<String>("key").unwrap().as_deref(),
        Some("good")
    );
    server.join().unwrap();
}

#[test]
fn stray_bytes_that_come_later_are_noticed() {
    let (sent, was_sent) = mpsc::channel();
    let (address, server) = scripted(move |listener| {
        let mut first = accept(listener);
        answer(&mut first, b"END\r\n");
        first
            .write_all(b"VALUE key 0 4\r\nevil\r\nEND\r\n")
            .unwrap();
        sent.send(()).unwrap();
        answer(&mut accept(listener), b"END\r\n");
    });
    let client = Client::new(address).unwrap();
    assert_eq!(client.get::<String>("key").unwrap(), None);
    was_sent.recv().unwrap();
    // What is under test is that a connection is looked at after a millisecond.
    let idle = Instant::now();
    while idle.elapsed() < Duration::from_millis(2) {
        thread::yield_now();
    }
    assert_eq!(client.get::<String>("key").unwrap(), None);
    server.join().unwrap();
}

#[test]
fn host_names_and_all_their_addresses() {
    // On many machines `localhost` is ::1 and 127.0.0.1; the server listens on the latter alone.
    let server = Memcached::start();
    let client = Client::new(("localhost", server.address().port())).unwrap();
    client.set("key", "value", 0).unwrap();
    assert_eq!(
        client.get::<String>("key").unwrap().as_deref(),
        Some("value")
    );

    let unknown = Client::new("moecache-test.invalid").unwrap();
    let error = unknown.get::<String>("key").unwrap_err();
    assert!(
        error.is_connect() && error.server() == Some("moecache-test.invalid:11211"),
        "{error:?}"
    );
}

#[test]
fn ipv6() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else {
        return skipped("IPv6: this machine has no loopback of it");
    };
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || answer(&mut accept(&listener), b"END\r\n"));
    let client = Client::new(format!("[::1]:{}", address.port())).unwrap();
    assert_eq!(client.get::<String>("key").unwrap(), None);
    server.join().unwrap();
}

#[test]
fn tcp_and_unix_sockets_in_one_list() {
    let tcp = Memcached::start();
    let unix = UnixMemcached::with_args(&[]);
    let path = unix.path().to_str().unwrap();
    let client = Client::new([&tcp.address().to_string(), path]).unwrap();
    assert!(client.servers() == [tcp.address().to_string().as_str(), path]);
    let keys: Vec<String> = (0..100_u32)
        .map(|i| format!("{:x}", i.wrapping_mul(0x9e37_79b1)))
        .collect();
    client.set_many(keys.iter().zip(0..), 0).all().unwrap();
    for (key, value) in keys.iter().zip(0..) {
        // Each is where it should be, and nowhere else.
        let alone = Client::new(client.server_for(key).unwrap()).unwrap();
        assert_eq!(alone.get::<i32>(key).unwrap(), Some(value));
    }
    let items = client.stats().unwrap().into_iter();
    let items: Vec<u64> = items
        .map(|server| server.result.unwrap().curr_items().unwrap())
        .collect();
    assert!(
        items.iter().sum::<u64>() == 100 && items.iter().all(|count| *count > 0),
        "{items:?}"
    );
}

#[test]
fn a_unix_socket_that_is_not_there() {
    let client = Client::new("/tmp/there-is-no-such.sock").unwrap();
    let error = client.get::<i32>("key").unwrap_err();
    assert!(error.is_connect() && !error.is_timeout(), "{error:?}");
    assert_eq!(error.server(), Some("/tmp/there-is-no-such.sock"));
}

#[test]
fn only_what_comes_first_turns_a_connection_away() {
    let (come, comes) = mpsc::channel();
    let (address, server) = scripted(move |listener| {
        let mut stream = accept(listener);
        read_until(&mut stream, b"\r\n");
        stream.write_all(b"VALUE a 0 1\r\nx\r\n").unwrap();
        comes.recv().unwrap(); // The client has taken that.
        stream
            .write_all(b"ERROR Too many open connections\r\n")
            .unwrap();
    });
    let client = Client::new(address).unwrap();
    let failed = client.get_many_with(&["a", "b"], |_, _| come.send(()).unwrap());
    let [(key, error)] = &failed[..] else {
        panic!("{failed:?}");
    };
    assert_eq!(**key, "b");
    assert!(error.is_server() && !error.is_connect(), "{error}");
    server.join().unwrap();
}
