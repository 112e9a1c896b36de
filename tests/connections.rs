//! Connections: when they are made, kept, replaced and closed; and what a caller sees of it.

mod support;

use moecache::{Client, Result, Stats};
use std::io::Write as _;
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use support::scripted::{accept, answer, read_until, scripted};
use support::{Memcached, wait_until};

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

/// The server closes right after its reply, so the next call may be too early for the probe of idle
/// connections, and then finds out only while it reads.
#[test]
fn a_connection_that_ends_before_the_reply_is_replaced_once() {
    let (address, server) = scripted(|listener| {
        for _ in 0..200 {
            answer(&mut accept(listener), b"END\r\n");
        }
    });
    let client = Client::new(address).unwrap();
    for _ in 0..200 {
        assert_eq!(client.get::<String>("key").unwrap(), None);
    }
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
    let server = Memcached::start();
    let client = Client::new(server.address()).unwrap();
    client.set("key", "old", 0).unwrap();
    let connections = stats(&client).total_connections();
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
    assert_eq!(stats(&client).total_connections(), connections);
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
}

#[test]
fn a_server_that_refuses_or_is_silent() {
    let refusing = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = Client::new(refusing)
        .unwrap()
        .get::<String>("key")
        .unwrap_err();
    assert!(error.is_connect() && error.is_retryable(), "{error:?}");

    // The kernel accepts, nobody reads.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = Client::new(listener.local_addr().unwrap()).unwrap();
    let silent = silent.with_timeout(Duration::from_millis(50));
    let error = silent.get::<String>("key").unwrap_err();
    assert!(
        error.is_timeout() && !error.is_connect() && error.is_retryable(),
        "{error:?}"
    );
    assert!(
        error.to_string().ends_with("no complete reply within 50ms"),
        "{error}"
    );
    let error = silent.set("key", "value", 0).unwrap_err();
    assert!(error.is_timeout() && error.is_ambiguous(), "{error:?}");
    // More than the sockets' buffers hold: not all was sent, so it cannot have taken effect.
    let error = silent.set_bytes("key", vec![0; 64 << 20], 0).unwrap_err();
    assert!(error.is_timeout() && !error.is_ambiguous(), "{error:?}");
    let error = silent
        .with_timeout(Duration::ZERO)
        .get::<String>("key")
        .unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
}

/// One byte at a time keeps each read short, but not the call.
#[test]
fn a_server_that_drips_is_cut_off_at_the_deadline() {
    let (address, server) = scripted(|listener| {
        let mut connection = accept(listener);
        read_until(&mut connection, b"\r\n");
        connection.write_all(b"VALUE key 0 1000000\r\n").unwrap();
        while connection.write_all(b"x").is_ok() {
            thread::yield_now();
        }
    });
    let client = Client::new(address)
        .unwrap()
        .with_timeout(Duration::from_millis(100));
    let error = client.get_bytes("key").unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    server.join().unwrap();
}

#[test]
fn host_names_and_all_their_addresses() {
    // `localhost` is ::1 and 127.0.0.1 on many machines; the server listens on the latter alone.
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
        return println!("skipped: this machine has no IPv6 loopback");
    };
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || answer(&mut accept(&listener), b"END\r\n"));
    let client = Client::new(format!("[::1]:{}", address.port())).unwrap();
    assert_eq!(client.get::<String>("key").unwrap(), None);
    server.join().unwrap();
}

#[test]
fn many_threads_share_one_client() {
    let servers = [(); 3].map(|()| Memcached::start());
    let client = Client::new(servers.each_ref().map(Memcached::address)).unwrap();
    thread::scope(|scope| {
        for thread in 0..32 {
            let client = client.clone();
            scope.spawn(move || {
                for i in 0..200 {
                    let key = format!("key-{thread}-{}", i % 10);
                    let value = format!("{key}={i}");
                    client.set(&key, &value, 60).unwrap();
                    assert_eq!(client.get::<String>(&key).unwrap(), Some(value));
                }
            });
        }
    });
    for server in client.stats().unwrap() {
        let opened = server.result.unwrap().total_connections().unwrap();
        assert!(opened <= 32 + 2, "{}: {opened} connections", server.server);
    }
}
