//! Raw commands, on both servers and in each protocol that has lines.

use super::support::scripted::{accept, read_until, scripted};
use super::support::{Memcached, skipped};
use moecache::testing::Server;
use moecache::{Client, Event, Item, ItemRef, Protocol};
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

on_every_server! {
    what_comes_back
}

fn what_comes_back(client: &Client) {
    client.set("key", ItemRef::new(7, "value"), 60).unwrap();
    client
        .set("other", ItemRef::new(0, "END\r\nEND"), 60)
        .unwrap();
    let value = |command: &str| client.raw(command).for_key("key").value();
    let item = value("get key").unwrap().unwrap();
    assert_eq!(
        (item.flags, &item.data[..], item.cas),
        (7, &b"value"[..], None)
    );
    let item = value("gets key").unwrap().unwrap();
    assert!(item.cas.is_some());
    let item = value("mg key v f c").unwrap().unwrap();
    assert_eq!((item.flags, &item.data[..]), (7, &b"value"[..]));
    assert!(item.cas.is_some());
    assert_eq!(value("get other").unwrap().unwrap().data, b"END\r\nEND");
    assert_eq!(value("get missing").unwrap(), None);
    assert_eq!(value("mg missing v").unwrap(), None);

    assert_eq!(client.raw("mn").line().unwrap(), b"MN");
    assert_eq!(client.raw("md key").line().unwrap(), b"HD");
    assert_eq!(client.raw("touch other 100").line().unwrap(), b"TOUCHED");
    let lines = client.raw("stats settings").lines().unwrap();
    assert!(
        lines.iter().all(|line| line.starts_with(b"STAT ")),
        "{lines:?}"
    );
    assert!(lines.len() > 5);
    let error = client.raw("no such command").line().unwrap_err();
    assert!(error.to_string().starts_with("raw on "), "{error}");
    if error.is_io() {
        skipped(format!("a command that is not known: {error}")); // Proxies close on it.
    } else {
        assert!(error.is_server() && !error.is_ambiguous(), "{error:?}");
    }
    // What is said to come back does not.
    let error = value("stats").unwrap_err();
    assert!(error.is_protocol(), "{error:?}");
    assert_eq!(
        client.get::<Item>("other").unwrap().unwrap().data,
        b"END\r\nEND"
    );
    // More lines than were asked for are nobody's.
    assert!(client.raw("stats").line().unwrap().starts_with(b"STAT "));
    for _ in 0..50 {
        assert_eq!(client.get::<Item>("missing").unwrap(), None);
    }
    match client.raw("lru_crawler mgdump hash").lines() {
        Ok(lines) => assert!(lines.iter().any(|line| line == b"mg other"), "{lines:?}"),
        Err(error) => {
            assert!(error.is_server() || error.is_io(), "{error:?}");
            skipped(format!("lru_crawler mgdump: {error}"));
        }
    }
}

#[test]
fn each_protocol_that_has_lines() {
    let server = Memcached::start();
    for protocol in [
        Protocol::Text,
        Protocol::Meta,
        Protocol::Auto,
        Protocol::Binary,
    ] {
        let client = Client::builder()
            .servers(server.address())
            .protocol(protocol);
        let client = client.build().unwrap();
        let outcome = client.raw("mn").line();
        if protocol == Protocol::Binary {
            let error = outcome.unwrap_err();
            assert!(error.is_unsupported(), "{error:?}");
            assert!(error.to_string().contains("Protocol::Text"), "{error}");
        } else {
            assert_eq!(outcome.unwrap(), b"MN", "{protocol}");
            what_comes_back(&client);
        }
    }
}

#[test]
fn which_server_gets_it() {
    let servers = [(); 3].map(|()| Server::start().unwrap());
    let client = Client::new(&servers).unwrap();
    let error = client.raw("version").line().unwrap_err();
    assert!(
        error.is_validation() && error.to_string().contains("for_key"),
        "{error}"
    );
    let error = client
        .raw("version")
        .on_server("10.0.0.1:11211")
        .line()
        .unwrap_err();
    assert!(error.is_validation(), "{error:?}");
    let error = client
        .raw("get a b")
        .for_key("not a key")
        .value()
        .unwrap_err();
    assert!(error.is_validation(), "{error:?}");
    for key in (0..30).map(|number| format!("key{number}")) {
        client.set(&key, ItemRef::new(0, &key), 0).unwrap();
        let command = format!("get {key}");
        let item = client.raw(&*command).for_key(&key).value().unwrap();
        assert_eq!(item.unwrap().data, key.as_bytes());
        let owner = client.server_for(&key).unwrap();
        for server in client.servers() {
            let there = client.raw(&*command).on_server(&server).value().unwrap();
            assert_eq!(there.is_some(), server == owner, "{key}");
        }
    }
}

/// It is counted and told as other calls, ends by the deadline, and is never sent twice.
#[test]
fn as_other_calls() {
    let (address, server) = scripted(|listener| {
        let mut first = accept(listener);
        assert_eq!(read_until(&mut first, b"\r\n"), b"mn\r\n");
        first.write_all(b"MN\r\n").unwrap();
        let mut second = accept(listener);
        assert_eq!(read_until(&mut second, b"\r\n"), b"something new\r\n");
        drop(second);
        let mut third = accept(listener);
        assert_eq!(read_until(&mut third, b"\r\n"), b"something slow\r\n");
        read_until(&mut accept(listener), b"\r\n");
    });
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&events);
    let client = Client::builder()
        .servers(address)
        .timeout(Duration::from_secs(20))
        .on_event(move |event| {
            let name = match event {
                Event::Connected { .. } => "connected",
                Event::Closed { .. } => "closed",
                Event::Retried { .. } => "retried",
                _ => "other",
            };
            heard.lock().unwrap().push(name);
        })
        .build()
        .unwrap();
    assert_eq!(client.raw("mn").line().unwrap(), b"MN");
    let lost = client.raw("something new").line().unwrap_err();
    assert!(lost.is_io() && lost.is_ambiguous(), "{lost:?}");
    let hurried = client.with_timeout(Duration::from_secs(1));
    let late = hurried.raw("something slow").lines().unwrap_err();
    assert!(late.is_timeout() && late.is_ambiguous(), "{late:?}");
    let it = &client.metrics()[0];
    assert_eq!((it.operations, it.errors.io, it.errors.timeout), (3, 1, 1));
    assert_eq!((it.errors.total(), it.retries), (2, 0));
    assert_eq!(*events.lock().unwrap(), ["connected", "closed"].repeat(3));
    drop(
        std::net::TcpStream::connect(address)
            .unwrap()
            .write_all(b"\r\n"),
    );
    server.join().unwrap();
}
