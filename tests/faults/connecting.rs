//! No connection: refused, unreachable, hanging, no such host, one too many. The caller sees a connect
//! error, never ambiguous; as soon as the server takes connections again, calls work again.

use super::calls;
use super::pretender::value_of;
use super::row::{SHORT, at_once, client, eventually, is_discreet, timed_out};
use super::support::in_each_protocol;
use super::support::scripted::{accept, answer, read_until, scripted};
use super::support::{self, Hanging, Memcached};
use crate::support::needs_memcached;
use moecache::testing::{Fault, Server};
use moecache::{Client, Error, MetaGet, Protocol, Result};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

in_each_protocol! {
    refused_in_any_protocol
    unreachable
    no_such_host
    a_connect_that_hangs
    too_many_connections_in_any_protocol
    a_server_that_restarts_during_calls
}

/// All of it failed, and for this reason.
fn check(results: Vec<Result<()>>, server: &str, is_it: impl Fn(&Error) -> bool) {
    for result in results {
        let error = result.unwrap_err();
        assert!(error.is_connect() && error.is_retryable(), "{error:?}");
        assert!(!error.is_ambiguous() && is_it(&error), "{error:?}");
        assert_eq!(error.server(), Some(server));
        is_discreet(&error);
    }
}

fn is_down(result: &Result<()>) -> bool {
    result.as_ref().is_err_and(Error::is_down)
}

fn refused_in_any_protocol(protocol: Protocol) {
    let refusing = support::reserve().unwrap();
    let address = refusing.local_addr().unwrap().as_socket().unwrap();
    at_once(protocol, calls::all(), |call| {
        let client = client(address, protocol);
        for _ in 0..5 {
            // The last ones are not even tried.
            let results = call.run(&client);
            check(results, &address.to_string(), |error| !error.is_timeout());
        }
    });
}

/// The kernel connects to no broadcast address, on whichever machine.
fn unreachable(protocol: Protocol) {
    let address = SocketAddr::from((Ipv4Addr::new(127, 255, 255, 255), 11211));
    at_once(protocol, calls::all(), |call| {
        let results = call.run(&client(address, protocol));
        check(results, &address.to_string(), |error| !error.is_timeout());
    });
}

fn no_such_host(protocol: Protocol) {
    for call in [calls::SINGLE[0], calls::SINGLE[3], calls::MANY[1]] {
        let results = call.run(&client("moecache-test.invalid", protocol));
        check(results, "moecache-test.invalid:11211", |_| true);
    }
}

/// A server whose machine takes no connections and refuses none.
fn a_connect_that_hangs(protocol: Protocol) {
    let hanging = Hanging::start();
    let address = hanging.address();
    at_once(protocol, calls::all(), |call| {
        let client = client(address, protocol).with_timeout(SHORT);
        let results = timed_out(SHORT, || call.run(&client));
        check(results, &address.to_string(), Error::is_timeout);
        // From now on it is waited for now and then, with pauses of 10 ms, 20 ms, ..; not each time.
        let is_tried = |_: &i32| !call.run(&client).iter().any(is_down);
        let tried = (0..200).filter(is_tried).count();
        assert!(tried < 50, "{tried} of 200 calls waited");
    });
}

/// It says so in place of the first reply: nothing of what was sent was taken.
fn too_many_connections_in_any_protocol(protocol: Protocol) {
    at_once(protocol, calls::all(), |call| {
        let server = Server::start().unwrap();
        let client = client(&server, protocol);
        calls::prepare(&client);
        client.close();
        server.inject(Fault::TooManyConnections);
        let results = call.run(&client);
        check(results, &server.to_string(), |error| !error.is_timeout());
        eventually(&client, "after");
        assert_eq!(client.get::<u64>("count").unwrap(), Some(1000));
    });
}

/// Some calls fail while it is away; none gets a wrong answer, no count is counted twice, and all is well
/// as soon as it is back.
fn a_server_that_restarts_during_calls(protocol: Protocol) {
    let mut server = Memcached::start();
    let client = client(server.address(), protocol);
    let (is_over, attempts) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    attempts.fetch_add(1, Ordering::Relaxed);
                    for error in work(&client).into_iter().filter_map(Result::err) {
                        assert!(error.is_io() || error.is_connect(), "{error:?}");
                        let may_be = calls::writes(&error) || !error.is_ambiguous();
                        assert!(may_be, "{error:?}");
                    }
                }
            });
        }
        for _ in 0..3 {
            let before = attempts.load(Ordering::Relaxed);
            support::wait_until("calls are made", || {
                attempts.load(Ordering::Relaxed) > before + 50
            });
            server.restart();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    support::wait_until("the next call works", || {
        client.set("key", value_of("key"), 0).is_ok()
    });
    eventually(&client, "key");
    let count = client.get::<u64>("count").unwrap();
    assert!(count.unwrap_or_default() <= attempts.into_inner());
}

/// What was stored may be gone; nothing else may be there.
fn work(client: &Client) -> [Result<()>; 4] {
    let is_right = |found: Option<String>| assert!(found.is_none_or(|it| it == value_of("key")));
    let keys = ["key", "a", "b", "c"];
    let found = client.get_many::<String, _>(keys).all();
    [
        client.set("key", value_of("key"), 0),
        client.get("key").map(is_right),
        found.map(|found| {
            let mut values = found.iter();
            assert!(values.all(|(key, value)| *value == value_of(key)));
        }),
        client
            .add_counter("count", 0, 0)
            .and_then(|_| client.incr("count", 1).map(drop)),
    ]
}

#[test]
fn too_many_connections_is_a_connect_error() {
    needs_memcached!();
    let server = Memcached::with_args(&["-c", "64"]);
    let taken = Client::new(server.address()).unwrap();
    // How many of them it lets in depends on the sockets that it holds itself.
    let mut clients = vec![taken];
    let error = loop {
        let client = Client::new(server.address()).unwrap();
        match client.set("key", "value", 0) {
            Ok(()) => clients.push(client),
            Err(error) => break error,
        }
        assert!(clients.len() <= 64);
    };
    assert!(error.is_connect() && !error.is_ambiguous(), "{error:?}");

    // So large that the server has closed before all of it is sent.
    for _ in 0..20 {
        let client = Client::new(server.address()).unwrap();
        let error = client.set_bytes("key", vec![0; 1_000_000], 0).unwrap_err();
        assert!(error.is_connect() && !error.is_ambiguous(), "{error:?}");
    }
}

#[test]
fn a_server_that_refuses() {
    let refusing = support::reserve().unwrap();
    let address = refusing.local_addr().unwrap().as_socket().unwrap();
    let error = Client::new(address)
        .unwrap()
        .get::<String>("key")
        .unwrap_err();
    assert!(error.is_connect() && error.is_retryable(), "{error:?}");
    assert!(
        format!("{error:#}").contains("cannot connect: Connection refused"),
        "{error:#}"
    );
}

/// In the place of a server that had more, one that has only text: what that cannot say is not sent.
#[test]
fn a_server_that_is_replaced_by_an_older_one() {
    let (address, server) = scripted(|listener| {
        let mut connection = accept(listener);
        answer(&mut connection, b"VERSION 1.6.18\r\n");
        answer(&mut connection, b"MN\r\n");
        let request = String::from_utf8(read_until(&mut connection, b"\r\n")).unwrap();
        let opaque = request.split_whitespace().last().unwrap();
        connection
            .write_all(format!("EN {opaque}\r\n").as_bytes())
            .unwrap();
        drop(connection);
        let mut connection = accept(listener);
        answer(&mut connection, b"VERSION 1.5.22\r\n");
        answer(&mut connection, b"ERROR\r\n");
        assert_eq!(read_until(&mut connection, b"\r\n"), b"delete key\r\n");
        connection.write_all(b"DELETED\r\n").unwrap();
    });
    let client = Client::builder()
        .servers(address)
        .protocol(Protocol::Auto)
        .build()
        .unwrap();
    let get = || client.meta_get("key", MetaGet::new().value());
    assert!(get().unwrap().is_none());
    let error = get().unwrap_err();
    assert!(error.is_unsupported(), "{error:?}");
    assert!(client.delete("key").unwrap());
    server.join().unwrap();
}
