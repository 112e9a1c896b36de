//! The limits as settings: what they are, and what is refused.

use super::LONG;
use super::support::scripted::{accept, answer, read_until, scripted};
use moecache::{Client, ClientBuilder, Config, Protocol};
use std::collections::HashMap;
use std::io::Write as _;

/// Settings that are not possible, and what is said about them.
#[test]
fn what_is_out_of_range_is_refused() {
    type Set = fn(ClientBuilder) -> ClientBuilder;
    let rows: [(Set, &str); 5] = [
        (
            |it| it.max_line_size(1023),
            "max_line_size: 1023; 1024 to 8192 are allowed",
        ),
        (
            |it| it.max_line_size(8193),
            "max_line_size: 8193; 1024 to 8192 are allowed",
        ),
        (
            |it| it.max_keys_per_get(0),
            "max_keys_per_get: 0; 1 to 100 are allowed",
        ),
        (
            |it| it.max_keys_per_get(101),
            "max_keys_per_get: 101; 1 to 100 are allowed",
        ),
        (
            |it| it.max_value_size((1 << 30) + 1),
            "max_value_size: 1073741825; at most 1073741824 is allowed",
        ),
    ];
    for (set, expected) in rows {
        let built = set(Client::builder().servers("10.0.0.1")).build();
        let error = built.unwrap_err();
        assert!(error.is_validation(), "{error}");
        assert_eq!(error.to_string(), expected);
    }
    for keys in [1, 100] {
        let client = Client::builder().servers("10.0.0.1").max_keys_per_get(keys);
        client.max_line_size(1024).build().unwrap();
    }
}

#[test]
fn they_are_in_a_configuration() {
    let url = "memcache://10.0.0.1?max_line_size=8KiB&max_keys_per_get=20&max_read_size=1MiB\
               &max_value_size=64KiB&max_decompressed_size=2MiB";
    let config: Config = url.parse().unwrap();
    assert_eq!(config.max_line_size, Some(8 << 10));
    assert_eq!(config.max_keys_per_get, Some(20));
    config.client().unwrap();
    let config: Config = "memcache://10.0.0.1?max_keys_per_get=0".parse().unwrap();
    let error = config.client().unwrap_err();
    assert_eq!(
        error.to_string(),
        "max_keys_per_get: 0; 1 to 100 are allowed"
    );
}

/// One STAT line of so many bytes.
fn stat_line(length: usize) -> Vec<u8> {
    let mut line = b"STAT name ".to_vec();
    line.resize(length - 2, b'x');
    [&line, &b"\r\nEND\r\n"[..]].concat()
}

#[test]
fn a_line_may_be_as_long_as_is_set() {
    let rows = [(1 << 10, 1 << 10), (2 << 10, 2 << 10), (8 << 10, 8 << 10)];
    for (limit, length) in rows {
        for (length, is_read) in [(length, true), (length + 1, false)] {
            let (address, server) = scripted(move |listener| {
                answer(&mut accept(listener), &stat_line(length));
            });
            let client = Client::builder().servers(address).max_line_size(limit);
            let client = client.timeout(LONG).build().unwrap();
            let stats = client.stats().unwrap().remove(0).result;
            match stats {
                Ok(stats) => assert_eq!(stats.get("name").map(str::len), Some(length - 12)),
                Err(error) => {
                    assert!(!is_read && error.is_protocol(), "{error}");
                    let expected = format!("a line of over {limit} bytes");
                    assert!(error.to_string().contains(&expected), "{error}");
                }
            }
            server.join().unwrap();
        }
    }
}

/// The lines that a server gets for these many keys, and what it may answer to one.
#[test]
fn a_line_asks_for_as_many_keys_as_are_set() {
    for protocol in [Protocol::Text, Protocol::Meta] {
        let (address, server) = scripted(|listener| {
            let mut stream = accept(listener);
            let asked = read_until(&mut stream, b"get k4 k5\r\n");
            assert_eq!(asked, b"get k0 k1\r\nget k2 k3\r\nget k4 k5\r\n");
            let values = b"VALUE k1 0 1\r\nb\r\nEND\r\nVALUE k2 0 1\r\nc\r\nEND\r\nEND\r\n";
            stream.write_all(values).unwrap();
        });
        let client = Client::builder().servers(address).max_keys_per_get(2);
        let client = client.protocol(protocol).timeout(LONG).build().unwrap();
        let keys = ["k0", "k1", "k2", "k3", "k4", "k5"];
        let found = client.get_many::<String, _>(keys).all().unwrap();
        let expected = HashMap::from([("k1", "b".to_owned()), ("k2", "c".to_owned())]);
        assert_eq!(found, expected, "{protocol}");
        server.join().unwrap();
    }
}
