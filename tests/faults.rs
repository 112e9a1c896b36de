//! What a caller sees when a server fails, and what the client does about it.

mod support;

use moecache::{Client, Error, MetaGet, Protocol, Result};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use support::Memcached;
use support::scripted::{accept, answer, read_until, scripted};

/// The first attempt may have stored the value, whatever became of the second.
#[test]
fn a_write_that_cannot_be_repeated_is_ambiguous() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::new(listener.local_addr().unwrap()).unwrap();
    let (closed, is_closed) = mpsc::channel();
    let server = thread::spawn(move || {
        let mut connection = accept(&listener);
        answer(&mut connection, b"END\r\n");
        drop(listener);
        closed.send(()).unwrap();
        read_until(&mut connection, b"value\r\n");
    });
    assert_eq!(client.get::<String>("key").unwrap(), None);
    is_closed.recv().unwrap();
    let error = client.set("key", "value", 0).unwrap_err();
    assert!(
        error.is_connect() && error.is_ambiguous() && !error.is_retryable(),
        "{error:?}"
    );
    server.join().unwrap();
}

#[test]
fn after_any_failure_the_connection_is_gone_and_the_next_call_works() {
    type Check = fn(&moecache::Error) -> bool;
    let rows: [(&str, &[u8], Check); 6] = [
        ("cut within a value", b"VALUE key 0 9\r\nhalf", |e| {
            e.is_io()
        }),
        ("cut within a line", b"VALUE ke", |e| e.is_io()),
        ("another key", b"VALUE other 0 1\r\na\r\nEND\r\n", |e| {
            e.is_protocol()
        }),
        ("no line end", b"VALUE key 0 1\r\nabc", |e| e.is_protocol()),
        ("garbage", b"HTTP/1.1 400 Bad Request\r\n\r\n", |e| {
            e.is_protocol()
        }),
        ("too many", b"ERROR Too many open connections\r\n", |e| {
            e.is_connect()
        }),
    ];
    for (row, reply, check) in rows {
        let (address, server) = scripted(move |listener| {
            answer(&mut accept(listener), reply);
            answer(&mut accept(listener), b"VALUE key 0 4\r\ngood\r\nEND\r\n");
        });
        let client = Client::new(address).unwrap();
        let error = client.get::<String>("key").unwrap_err();
        assert!(check(&error), "{row}: {error:?}");
        assert!(!error.is_ambiguous(), "{row}: {error:?}");
        assert_eq!(error.server(), Some(address.to_string().as_str()), "{row}");
        assert_eq!(error.operation(), Some("get"), "{row}");
        assert_eq!(
            client.get::<String>("key").unwrap().as_deref(),
            Some("good"),
            "{row}"
        );
        server.join().unwrap();
    }
}

#[test]
fn a_write_whose_reply_is_lost_is_ambiguous() {
    let rows: [(&str, &[u8]); 3] = [
        ("no reply", b""),
        ("half", b"STO"),
        ("garbage", b"what?\r\n"),
    ];
    for (row, reply) in rows {
        let (address, server) = scripted(move |listener| {
            let mut connection = accept(listener);
            read_until(&mut connection, b"value\r\n");
            connection.write_all(reply).unwrap();
        });
        let error = Client::new(address)
            .unwrap()
            .set("key", "value", 0)
            .unwrap_err();
        assert!(
            error.is_ambiguous() && !error.is_retryable(),
            "{row}: {error:?}"
        );
        server.join().unwrap();
    }
}

/// The server may run the value as commands, so what it says next is no reply to anything.
#[test]
fn a_refused_storage_command_closes() {
    let (address, server) = scripted(|listener| {
        let mut connection = accept(listener);
        read_until(&mut connection, b"value\r\n");
        connection
            .write_all(b"CLIENT_ERROR line too long\r\n")
            .unwrap();
        answer(&mut accept(listener), b"END\r\n");
    });
    let client = Client::new(address).unwrap();
    let error = client.set("key", "value", 0).unwrap_err();
    assert!(error.is_server() && !error.is_ambiguous(), "{error:?}");
    assert!(
        error.to_string().contains("\"CLIENT_ERROR line too long\""),
        "{error}"
    );
    assert_eq!(client.get::<String>("key").unwrap(), None);
    server.join().unwrap();
}

#[test]
fn an_error_of_the_server_keeps_the_connection() {
    let (address, server) = scripted(|listener| {
        let mut connection = accept(listener);
        read_until(&mut connection, b"value\r\n");
        connection
            .write_all(b"SERVER_ERROR out of memory storing object\r\n")
            .unwrap();
        answer(&mut connection, b"SERVER_ERROR busy\r\n");
        answer(&mut connection, b"END\r\n");
    });
    let client = Client::new(address).unwrap();
    let error = client.set("key", "value", 0).unwrap_err();
    assert!(error.is_server() && !error.is_ambiguous(), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("\"SERVER_ERROR out of memory storing object\""),
        "{error}"
    );
    assert!(client.get::<String>("key").unwrap_err().is_server());
    assert_eq!(client.get::<String>("key").unwrap(), None);
    server.join().unwrap();
}

#[test]
fn a_value_too_large_for_the_server() {
    let server = Memcached::start();
    let client = Client::new(server.address()).unwrap();
    client.set("key", "old", 0).unwrap();
    let error = client.set_bytes("key", vec![0; 2 << 20], 0).unwrap_err();
    assert!(error.is_server(), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("SERVER_ERROR object too large for cache"),
        "{error}"
    );
    assert_eq!(
        client.get::<String>("key").unwrap(),
        None,
        "the old value is gone, as documented"
    );
}

#[test]
fn too_many_connections_is_a_connect_error() {
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

/// The deadline of the calls that time out here.
const DEADLINE: Duration = Duration::from_millis(500);

/// Within this a call has to end that would otherwise hang; no measure of how punctual it is.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a call that has to time out, neither before its deadline nor never.
fn timed_out(address: SocketAddr, call: impl Fn(&Client) -> Result<()>) -> Error {
    let client = Client::new(address).unwrap().with_timeout(DEADLINE);
    let started = Instant::now();
    let error = call(&client).unwrap_err();
    let elapsed = started.elapsed();
    assert!(elapsed >= DEADLINE && elapsed < PATIENCE, "{elapsed:?}");
    assert!(error.is_timeout() && !error.is_connect(), "{error:?}");
    assert!(
        error
            .to_string()
            .ends_with("no complete reply within 500ms")
            || error.is_ambiguous()
    );
    error
}

#[test]
fn a_server_that_is_silent() {
    // The kernel accepts, nobody reads.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    assert!(timed_out(address, |client| client.get::<String>("key").map(drop)).is_retryable());
    assert!(timed_out(address, |client| client.set("key", "value", 0)).is_ambiguous());
    // More than the sockets' buffers hold: not all was sent. But for one that is too large the server
    // drops the old value as soon as it has read the command line.
    let large = vec![0; 64 << 20];
    assert!(timed_out(address, |client| client.set_bytes("key", &large, 0)).is_ambiguous());
}

/// One byte at a time keeps each read short, but not the call.
#[test]
fn a_server_that_drips() {
    let (address, server) = scripted(|listener| {
        let mut connection = accept(listener);
        read_until(&mut connection, b"\r\n");
        connection.write_all(b"VALUE key 0 1000000000\r\n").unwrap();
        while connection.write_all(b"x").is_ok() {
            thread::yield_now();
        }
    });
    timed_out(address, |client| client.get_bytes("key").map(drop));
    server.join().unwrap();
}

/// A byte now and then keeps each write short, but not the call.
#[test]
fn a_server_that_reads_slowly() {
    let (address, server) = scripted(|listener| {
        let mut connection = accept(listener);
        while matches!(connection.read(&mut [0; 1000]), Ok(1..)) {
            thread::sleep(Duration::from_millis(1));
        }
    });
    let large = vec![0; 64 << 20];
    assert!(timed_out(address, |client| client.set_bytes("key", &large, 0)).is_ambiguous());
    server.join().unwrap();
}

#[test]
fn a_claim_takes_no_memory() {
    let (address, server) = scripted(|listener| {
        answer(
            &mut accept(listener),
            b"VALUE key 0 1073741824\r\nten bytes.",
        );
        answer(
            &mut accept(listener),
            b"VALUE key 0 1073741825\r\nten bytes.",
        );
    });
    let client = Client::new(address).unwrap();
    let mut buffer = Vec::new();
    let error = client.get_into("key", &mut buffer).unwrap_err();
    assert!(error.is_io(), "{error:?}");
    assert!(
        buffer.is_empty() && buffer.capacity() <= 2 << 20,
        "{}",
        buffer.capacity()
    );
    let error = client.get_into("key", &mut buffer).unwrap_err();
    assert!(
        error.is_protocol() && error.to_string().contains("maximum is 1073741824"),
        "{error}"
    );
    server.join().unwrap();
}

#[test]
fn a_value_over_the_configured_maximum_is_not_read() {
    let (address, server) = scripted(|listener| {
        answer(&mut accept(listener), b"VALUE key 0 5\r\nfive.\r\nEND\r\n");
        answer(&mut accept(listener), b"VALUE key 0 4\r\nfour\r\nEND\r\n");
    });
    let client = Client::builder()
        .servers(address)
        .max_read_size(4)
        .build()
        .unwrap();
    let error = client.get::<String>("key").unwrap_err();
    assert!(
        error.is_protocol() && error.to_string().contains("maximum is 4"),
        "{error}"
    );
    assert_eq!(
        client.get::<String>("key").unwrap().as_deref(),
        Some("four")
    );
    server.join().unwrap();
}

/// In the place of a server that had more, one that has only text: what that cannot say is not sent.
#[test]
fn a_server_that_is_replaced_by_an_older_one() {
    let (address, server) = scripted(|listener| {
        let mut connection = accept(listener);
        answer(&mut connection, b"VERSION 1.6.18\r\n");
        answer(&mut connection, b"EN O0\r\n");
        drop(connection);
        let mut connection = accept(listener);
        answer(&mut connection, b"VERSION 1.5.22\r\n");
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
