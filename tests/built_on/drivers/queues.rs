//! Servers that speak a part of the protocol: the queue servers kestrel and darner, as their sources
//! have it (`src/net/handler.cpp` of darner: `VALUE <queue> 0 <bytes>`, whatever followed the queue's
//! name in the key).

use crate::support::scripted::{accept, answer, read_until, scripted};
use moecache::{Bytes, Client, ClientBuilder, Expiry, Item, ItemRef};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

fn builder(address: SocketAddr) -> ClientBuilder {
    Client::builder()
        .servers(address)
        .timeout(Duration::from_secs(20))
        .max_connections(1)
        .queue_keys(true)
}

#[test]
fn an_item_is_opened_and_closed_on_one_connection() {
    let (address, server) = scripted(|listener| {
        let mut stream = accept(listener);
        for (line, reply) in [
            (
                "get jobs/t=500/open\r\n",
                "VALUE jobs 0 5\r\nhello\r\nEND\r\n",
            ),
            ("get jobs/close\r\n", "END\r\n"),
            ("get jobs/close/open\r\n", "END\r\n"),
            ("get jobs\r\n", "VALUE jobs 0 3\r\none\r\nEND\r\n"),
            ("get jobs/peek\r\n", "VALUE jobs/peek 0 3\r\ntwo\r\nEND\r\n"),
        ] {
            assert_eq!(read_until(&mut stream, b"\r\n"), line.as_bytes());
            stream.write_all(reply.as_bytes()).unwrap();
        }
        assert_eq!(read_until(&mut stream, b"\r\n"), b"set jobs 0 0 4\r\n");
        assert_eq!(read_until(&mut stream, b"\r\n"), b"more\r\n");
        stream.write_all(b"STORED\r\n").unwrap();
    });
    let client = builder(address).build().unwrap();
    let get = |key| client.get::<Item>(key).unwrap().map(|item| item.data);
    assert_eq!(get("jobs/t=500/open").unwrap(), b"hello");
    assert_eq!(get("jobs/close"), None);
    assert_eq!(get("jobs/close/open"), None);
    assert_eq!(get("jobs").unwrap(), b"one");
    assert_eq!(get("jobs/peek").unwrap(), b"two");
    client.set("jobs", ItemRef::new(0, "more"), 0).unwrap();
    server.join().unwrap();
}

#[test]
fn each_key_has_a_line_of_its_own() {
    let (address, server) = scripted(|listener| {
        let mut stream = accept(listener);
        for queue in ["a", "b", "c"] {
            let line = format!("get {queue}/open\r\n");
            assert_eq!(read_until(&mut stream, b"\r\n"), line.as_bytes());
        }
        stream
            .write_all(b"VALUE a 0 1\r\n1\r\nEND\r\nEND\r\nVALUE c 0 1\r\n3\r\nEND\r\n")
            .unwrap();
    });
    let client = builder(address).build().unwrap();
    let found = client
        .get_many::<Bytes, _>(["a/open", "b/open", "c/open"])
        .all()
        .unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(
        (&*found["a/open"].0, &*found["c/open"].0),
        (&b"1"[..], &b"3"[..])
    );
    server.join().unwrap();
}

#[test]
fn a_value_of_another_queue_is_refused() {
    // The last two: as any client without the setting has it.
    for (queue_keys, key, value) in [
        (true, "jobs/open", "job"),
        (true, "jobs/open", "jobs/"),
        (true, "jobs/open", "jobs/close"),
        (true, "jobs/open", ""),
        (true, "jobs", "jobs/open"),
        (true, "jobsx", "jobs"),
        (false, "jobs/open", "jobs"),
        (false, "jobs/open", "job"),
    ] {
        let (address, server) = scripted(move |listener| {
            let reply = format!("VALUE {value} 0 5\r\nwrong\r\nEND\r\n");
            let mut stream = accept(listener);
            answer(&mut stream, reply.as_bytes());
            assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0, "it is closed");
        });
        let client = builder(address).queue_keys(queue_keys).build().unwrap();
        let error = client.get::<Item>(key).unwrap_err();
        assert!(error.is_protocol(), "{key}, {value}: {error}");
        assert!(!format!("{error:#?}").contains("wrong"), "{error:#?}");
        server.join().unwrap();
    }
}

#[test]
fn what_a_server_does_not_know_is_an_error_of_the_call_alone() {
    let (address, server) = scripted(|listener| {
        let mut stream = accept(listener);
        // touch, incr, delete, version, verbosity, stats: each on the same connection.
        for _ in 0..6 {
            answer(&mut stream, b"ERROR\r\n");
        }
        answer(&mut stream, b"END\r\n");
    });
    let client = builder(address).build().unwrap();
    let errors = [
        client.touch("jobs", 60).unwrap_err(),
        client.incr("jobs", 1).unwrap_err(),
        client.delete("jobs").unwrap_err(),
        client.version().remove(0).result.unwrap_err(),
        client.verbosity(1).remove(0).result.unwrap_err(),
        client.stats().unwrap().remove(0).result.unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_server(), "{error}");
        assert!(error.to_string().contains("\"ERROR\""), "{error}");
    }
    assert_eq!(client.get::<Item>("jobs").unwrap(), None);
    assert_eq!(client.metrics()[0].connections_made, 1);
    server.join().unwrap();
}

#[test]
fn a_storage_command_that_is_not_known_leaves_no_doubt_behind() {
    // It takes the value for a command, too: nothing more is asked on that connection.
    let (address, server) = scripted(|listener| {
        let mut stream = accept(listener);
        read_until(&mut stream, b"value\r\n");
        stream.write_all(b"ERROR\r\nERROR\r\n").unwrap();
        let mut next = accept(listener);
        answer(&mut next, b"VALUE jobs 0 1\r\n1\r\nEND\r\n");
    });
    let client = builder(address).build().unwrap();
    let error = client.add("jobs", ItemRef::new(0, "value"), 0).unwrap_err();
    assert!(error.is_server(), "{error}");
    assert_eq!(client.get::<Item>("jobs").unwrap().unwrap().data, b"1");
    server.join().unwrap();
}

#[test]
fn a_reply_that_is_not_known_is_an_error_and_no_wait() {
    let rows = [
        "Flushed all queues.\r\n",
        "NOT_FOUNDED\r\n",
        "VALUE jobs\r\n",
        "VALUE jobs 0 5 extra words\r\nhello\r\nEND\r\n",
        "\r\n",
        "VERSION 2.4.8\r\n",
    ];
    for reply in rows {
        let (address, server) = scripted(move |listener| {
            let mut stream = accept(listener);
            answer(&mut stream, reply.as_bytes());
            assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0, "it is closed");
        });
        let client = builder(address).build().unwrap();
        let error = client.get::<Item>("jobs").unwrap_err();
        assert!(error.is_protocol(), "{reply:?}: {error}");
        server.join().unwrap();
    }
    // kestrel's own word for flush_all.
    let (address, server) = scripted(|listener| {
        answer(&mut accept(listener), b"Flushed all queues.\r\n");
    });
    let client = builder(address).build().unwrap();
    let error = client
        .flush_all(Expiry::Never)
        .remove(0)
        .result
        .unwrap_err();
    assert!(error.is_protocol(), "{error}");
    server.join().unwrap();
}

#[test]
fn a_server_that_hangs_up_on_what_it_does_not_know() {
    let (address, server) = scripted(|listener| {
        let mut stream = accept(listener);
        read_until(&mut stream, b"\r\n");
        drop(stream);
        answer(&mut accept(listener), b"END\r\n");
    });
    let client = builder(address).build().unwrap();
    let error = client.incr("jobs", 1).unwrap_err();
    assert!(error.is_io() && error.is_ambiguous(), "{error}");
    assert_eq!(client.get::<Item>("jobs").unwrap(), None);
    server.join().unwrap();
}
