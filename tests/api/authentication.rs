//! User names and passwords, against servers that want them and servers that do not.

use crate::support;
use crate::support::needs_memcached;

use moecache::{Client, Error, Protocol, Server};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::time::Duration;
use support::passwords::{Folder, PASSWORD, USER, with_password_file, with_sasl};
use support::{Memcached, RawClient};

const LINES: [Protocol; 3] = [Protocol::Text, Protocol::Meta, Protocol::Auto];

/// Servers that want credentials, with the protocols that they speak.
fn strict_servers() -> Vec<(Memcached, Folder, Vec<Protocol>)> {
    let (server, folder) = with_password_file(&[]);
    let mut servers = vec![(server, folder, LINES.to_vec())];
    if let Some((server, folder)) = with_sasl() {
        servers.push((server, folder, vec![Protocol::Binary]));
    }
    servers
}

fn client(server: &Memcached, protocol: Protocol, credentials: Option<(&str, &str)>) -> Client {
    let builder = Client::builder()
        .servers(server.address())
        .protocol(protocol)
        .timeout(Duration::from_secs(20));
    match credentials {
        Some((username, password)) => builder.credentials(username, password),
        None => builder,
    }
    .build()
    .unwrap()
}

/// How many connections the server has had, as one with the right credentials is told.
fn total_connections(server: &Memcached, protocol: Protocol) -> u64 {
    let client = client(server, protocol, Some((USER, PASSWORD)));
    let stats = client.stats().unwrap().remove(0).result.unwrap();
    stats
        .get("total_connections")
        .and_then(|total| total.parse().ok())
        .unwrap()
}

#[track_caller]
fn assert_is_authentication(error: &Error, server: &Memcached, says: &str) {
    assert!(error.is_authentication(), "{error:?}");
    assert!(!error.is_ambiguous() && !error.is_retryable() && !error.is_connect());
    assert_eq!(error.server(), Some(&*server.address().to_string()));
    for shown in [format!("{error:#}"), format!("{error:?}")] {
        assert!(shown.contains(says), "{shown}");
        assert!(
            !shown.contains(PASSWORD) && !shown.contains("wrong"),
            "{shown}"
        );
    }
    let error = std::io::Error::from(error.clone());
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
}

#[test]
fn the_right_ones() {
    needs_memcached!();
    for (server, _folder, protocols) in strict_servers() {
        for protocol in protocols {
            let client = client(&server, protocol, Some((USER, PASSWORD)));
            client.set("key", "value", 60).unwrap();
            assert_eq!(client.get("key").unwrap(), Some("value".to_owned()));
            let large = vec![7; 700 << 10];
            client.set_bytes("large", &large, 0).unwrap();
            let many = client.get_many::<String, _>(["key", "missing"]);
            assert_eq!(
                many.all().unwrap(),
                HashMap::from([("key", "value".to_owned())])
            );
            assert_eq!(client.get_bytes("large").unwrap(), Some(large));
            let total = total_connections(&server, protocol);
            assert_eq!(client.get("key").unwrap(), Some("value".to_owned()));
            assert_eq!(total_connections(&server, protocol), total + 1);
            if protocol == Protocol::Auto {
                // It asked for the version once it was let in.
                assert!(client.meta_get("key", moecache::MetaGet::default()).is_ok());
            }
        }
    }
}

/// The next call does not even try; one that is about servers does.
#[test]
fn wrong_ones_fail_once() {
    needs_memcached!();
    for (server, _folder, protocols) in strict_servers() {
        for protocol in protocols {
            for (username, password) in [(USER, "wrong"), ("wrong", PASSWORD), ("bob", PASSWORD)] {
                let client = client(&server, protocol, Some((username, password)));
                let before = total_connections(&server, protocol);
                let says = "the server refused the user name and the password: it answered";
                let error = client.get::<String>("key").unwrap_err();
                assert_is_authentication(&error, &server, says);
                // One connection for the call, and one for whoever counts.
                assert_eq!(total_connections(&server, protocol), before + 2);
                let error = client.set("key", "value", 0).unwrap_err();
                assert_is_authentication(&error, &server, says);
                assert!(error.to_string().contains("not tried"), "{error}");
                assert_eq!(total_connections(&server, protocol), before + 3);
                let error = client.ping().remove(0).result.unwrap_err();
                assert_is_authentication(&error, &server, says);
                assert_eq!(total_connections(&server, protocol), before + 5);
            }
        }
    }
}

#[test]
fn none_where_they_are_wanted() {
    needs_memcached!();
    for (server, _folder, protocols) in strict_servers() {
        for protocol in protocols {
            let client = client(&server, protocol, None);
            let says = "ClientBuilder::credentials";
            let error = client.get::<String>("key").unwrap_err();
            assert_is_authentication(&error, &server, says);
            let error = client.set("key", "value", 0).unwrap_err();
            assert!(error.is_authentication() && error.to_string().contains(says));
            let many = client.get_many::<String, _>(["a", "b", "c"]);
            assert_eq!(many.failed.len(), 3);
            // In binary the server closes the connection after the first.
            let answered = if protocol == Protocol::Binary { 1 } else { 3 };
            for (_, error) in &many.failed[..answered] {
                assert_is_authentication(error, &server, says);
            }
        }
    }
}

/// memcached takes the lines for a `set` like any other: nobody must be able to read it, and no item
/// of somebody else must be lost to it.
#[test]
fn a_server_that_wants_none_keeps_nothing() {
    let server = Memcached::start();
    for protocol in LINES {
        let others = client(&server, protocol, None);
        others.set("auth", "of the program", 0).unwrap();
        let client = client(&server, protocol, Some((USER, PASSWORD)));
        client.set("key", "value", 0).unwrap();
        assert_eq!(client.get("key").unwrap(), Some("value".to_owned()));
        assert!(others.delete("auth").unwrap());
    }
    let mut raw = RawClient::connect(server.address());
    raw.ask("get moecache:authentication\r\n", "END\r\n");
    raw.ask("mg moecache:authentication v\r\n", "EN\r\n");
    raw.send("lru_crawler metadump all\r\n");
    let dump = raw.read_until("END\r\n");
    // memcached 1.6.45 says OK first.
    let keys: Vec<_> = dump.lines().filter(|line| line.contains('=')).collect();
    // A walk by age shows an item twice that is read meanwhile.
    let is_key = |line: &&str| line.starts_with("key=key ");
    assert!(!keys.is_empty() && keys.iter().all(is_key), "{dump}");

    let client = client(&server, Protocol::Binary, Some((USER, PASSWORD)));
    let error = client.get::<String>("key").unwrap_err();
    assert_is_authentication(
        &error,
        &server,
        "knows no authentication in the binary protocol",
    );
}

#[test]
fn each_server_has_its_own() {
    needs_memcached!();
    let (strict, _folder) = with_password_file(&[]);
    let (other, _other_folder) = with_password_file(&[]);
    let servers = [
        Server::from(strict.address()).credentials(USER, PASSWORD),
        Server::from(other.address()),
    ];
    let debug = format!("{servers:?}");
    assert!(
        !debug.contains(USER) && !debug.contains(PASSWORD),
        "{debug}"
    );
    let builder = Client::builder()
        .servers(&servers)
        .credentials("bob", "other");
    let debug = format!("{builder:?}");
    assert!(
        !debug.contains(PASSWORD) && !debug.contains("other"),
        "{debug}"
    );
    let client = builder.build().unwrap();
    assert!(client.version().iter().all(|one| one.result.is_ok()));
    let debug = format!("{client:?}");
    assert!(
        !debug.contains(PASSWORD) && !debug.contains("other"),
        "{debug}"
    );

    // Other credentials are another server: its connections are made anew.
    client
        .set_servers([Server::from(strict.address()).credentials(USER, "wrong")])
        .unwrap();
    let error = client.get::<String>("key").unwrap_err();
    assert_is_authentication(&error, &strict, "refused");
}

#[test]
fn what_no_line_can_say_is_refused() {
    let injected = "x\r\nflush_all";
    for (builder, is_allowed) in [
        (Client::builder().credentials(USER, injected), false),
        (
            Client::builder()
                .credentials("a:b", PASSWORD)
                .protocol(Protocol::Auto),
            false,
        ),
        (
            Client::builder()
                .credentials("a:b", injected)
                .protocol(Protocol::Binary),
            true,
        ),
        (
            Client::builder()
                .credentials("", PASSWORD)
                .protocol(Protocol::Binary),
            false,
        ),
    ] {
        let built = builder.servers("10.0.0.1").build();
        assert_eq!(built.is_ok(), is_allowed);
        if let Err(error) = built {
            assert!(error.is_validation(), "{error:?}");
            let error = error.to_string();
            assert!(
                error.starts_with("credentials: ") && !error.contains("flush_all"),
                "{error}"
            );
        }
    }
}
