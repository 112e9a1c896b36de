//! `connect`, `is_connected`, and Nagle's algorithm.

use crate::support::needs_memcached;
use crate::support::{Memcached, passwords};
use moecache::testing::Server;
use moecache::{Client, Protocol};
use std::net::TcpListener;
use std::time::Duration;

#[test]
fn connect_makes_a_connection_to_each_and_says_which_failed() {
    let (server, stopped) = (Memcached::start(), Server::start().unwrap());
    stopped.stop();
    for protocol in [
        Protocol::Text,
        Protocol::Meta,
        Protocol::Binary,
        Protocol::Auto,
    ] {
        let client = Client::builder()
            .servers([server.address(), stopped.address()])
            .protocol(protocol)
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        assert!(!client.is_connected());
        let connected = client.connect();
        assert_eq!(connected.len(), 2);
        assert_eq!(connected[0].server, server.address().to_string());
        connected[0].result.as_ref().unwrap();
        let error = connected[1].result.as_ref().unwrap_err();
        assert!(error.is_connect(), "{error}");
        assert_eq!(error.operation(), Some("connect"));
        assert!(!client.is_connected(), "one is missing");

        client.set_servers(server.address()).unwrap();
        assert!(client.is_connected());
        client.close();
        assert!(!client.is_connected());
        client.set("key", 1, 0).unwrap();
        assert!(client.is_connected(), "it connects again when it is used");
        let made = client.metrics()[0].connections_made;
        assert!(client.connect()[0].result.is_ok());
        assert_eq!(client.metrics()[0].connections_made, made);
    }
}

#[test]
fn a_server_that_lets_nobody_in_is_not_connected() {
    needs_memcached!();
    let (server, _folder) = passwords::with_password_file(&[]);
    let client = Client::new(server.address()).unwrap();
    let error = client.connect().remove(0).result.unwrap_err();
    assert!(error.is_authentication(), "{error}");
    let client = Client::builder()
        .servers(server.address())
        .credentials(passwords::USER, passwords::PASSWORD)
        .build()
        .unwrap();
    client.connect().remove(0).result.unwrap();
}

#[test]
fn a_server_that_is_silent_is_not_connected() {
    // The kernel takes the connection; nobody answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::builder()
        .servers(listener.local_addr().unwrap())
        .timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    let error = client.connect().remove(0).result.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert!(!client.is_connected());
}

#[test]
fn nagles_algorithm_changes_no_results() {
    let server = Memcached::start();
    let client = Client::builder()
        .servers(server.address())
        .tcp_nodelay(false)
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap();
    let large = vec![7; 900_000];
    client.set_bytes("large", &large, 0).unwrap();
    assert_eq!(client.get_bytes("large").unwrap().unwrap(), large);
    let keys: Vec<String> = (0..1000).map(|number| format!("key{number}")).collect();
    client.set_many(keys.iter().zip(0..1000), 0).all().unwrap();
    assert_eq!(client.get_many::<i32, _>(&keys).all().unwrap().len(), 1000);
}
