//! What the caller may pass, and that nothing is sent when he may not.

use crate::support;

use moecache::{
    Client, Distribution, Error, Expiry, Item, ItemRef, KeyBytes, KeyTransform, MAX_VALUE_SIZE,
    PrefixPlacement, Result,
};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, SystemTime};
use support::Memcached;
use support::memcached::is_at_least;

/// A client of a listener that tells whether anyone connected.
fn watched(max_value_size: usize) -> (Client, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let client = Client::builder()
        .servers(listener.local_addr().unwrap())
        .max_value_size(max_value_size)
        .build()
        .unwrap();
    (client, listener)
}

fn assert_refused<T>(listener: &TcpListener, row: &str, result: Result<T>, reason: &str) {
    let error = result.err().unwrap_or_else(|| panic!("{row}: no error"));
    assert!(
        error.is_validation() && !error.is_retryable(),
        "{row}: {error:?}"
    );
    assert_eq!(error.server(), None, "{row}: {error:?}");
    assert!(error.to_string().contains(reason), "{row}: {error}");
    let connected = listener.accept().map_err(|error| error.kind());
    assert!(
        matches!(connected, Err(ErrorKind::WouldBlock)),
        "{row}: connected"
    );
}

#[test]
fn keys() {
    let (client, listener) = watched(MAX_VALUE_SIZE);
    let long = "k".repeat(251);
    let rows: [(&str, &[u8], &str); 10] = [
        ("empty", b"", "key: empty; 1 to 250 bytes"),
        (
            "251 bytes",
            long.as_bytes(),
            "key: 251 bytes long; 1 to 250",
        ),
        ("space", b"a b", "key: byte 0x20 at position 1"),
        ("tab", b"a\tb", "key: byte 0x09 at position 1"),
        ("nul", b"\0", "key: byte 0x00 at position 0"),
        ("del", b"ab\x7f", "key: byte 0x7f at position 2"),
        (
            "non-ascii",
            "caf\u{e9}".as_bytes(),
            "key: byte 0xc3 at position 3",
        ),
        ("high byte", b"\xff", "key: byte 0xff at position 0"),
        (
            "injection",
            b"key 0 0 1\r\na\r\nflush_all\r\nget x",
            "key: byte 0x20 at position 3",
        ),
        (
            "line feed",
            b"key\nflush_all",
            "key: byte 0x0a at position 3",
        ),
    ];
    for (row, key, reason) in rows {
        let check = |result: Result<()>| assert_refused(&listener, row, result, reason);
        check(client.get::<String>(key).map(drop));
        check(client.get_bytes(key).map(drop));
        check(client.get_into(key, &mut Vec::new()).map(drop));
        check(client.get::<Item>(key).map(drop));
        check(client.set(key, "value", 0));
        check(client.set_bytes(key, b"value", 0));
        check(client.set(key, ItemRef::new(0, b"value"), 0));
        check(client.set_counter(key, 1, 0));
        check(client.delete(key).map(drop));
        check(client.server_for(key).map(drop));
    }
}

#[test]
fn expiries() {
    let (client, listener) = watched(MAX_VALUE_SIZE);
    let early = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
    let late = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 31);
    let rows: [(&str, Expiry, &str); 7] = [
        (
            "negative",
            (-1).into(),
            "expiry: -1; allowed are 0 (never) to 2147483647",
        ),
        (
            "over 2^31-1",
            (1_u64 << 31).into(),
            "expiry: 2147483648; allowed are",
        ),
        ("zero duration", Duration::ZERO.into(), "use Expiry::Never"),
        (
            "endless duration",
            Duration::MAX.into(),
            "use Expiry::Never",
        ),
        ("early time", early.into(), "before 1970-01-31"),
        (
            "time before 1970",
            (SystemTime::UNIX_EPOCH - Duration::from_secs(1)).into(),
            "before 1970-01-31",
        ),
        ("late time", late.into(), "after 2038-01-19"),
    ];
    for (row, expiry, reason) in rows {
        let check = |result: Result<()>| assert_refused(&listener, row, result, reason);
        check(client.set("key", "value", expiry));
        check(client.set_bytes("key", b"value", expiry));
        check(client.set("key", ItemRef::new(0, b"value"), expiry));
        check(client.set_counter("key", 1, expiry));
    }
}

#[test]
fn values() {
    let (client, listener) = watched(3);
    let check = |result| {
        assert_refused(
            &listener,
            "large",
            result,
            "value: 4 bytes; the configured maximum is 3",
        );
    };
    check(client.set("key", "four", 0));
    check(client.set("key", 4_i32, 0));
    check(client.set_bytes("key", b"four", 0));
    check(client.set("key", ItemRef::new(0, b"four"), 0));
    check(client.set_counter("key", 1234, 0));

    // With no maximum configured: memcached would execute a value of 2 GiB as commands.
    let (client, listener) = watched(MAX_VALUE_SIZE);
    let large = vec![0; MAX_VALUE_SIZE + 1];
    let reason = "value: 1073741825 bytes; the configured maximum is 1073741824";
    assert_refused(
        &listener,
        "too large",
        client.set_bytes("key", &large, 0),
        reason,
    );
    assert_refused(
        &listener,
        "too large",
        client.set("key", ItemRef::new(0, &large), 0),
        reason,
    );
}

#[test]
fn a_value_that_cannot_be_serialised() {
    struct Refuses;
    impl serde::Serialize for Refuses {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("not today"))
        }
    }
    let (client, listener) = watched(MAX_VALUE_SIZE);
    let error = client.set("key", Refuses, 0).unwrap_err();
    assert!(
        error.is_encode() && error.to_string().contains("not today"),
        "{error}"
    );
    assert!(listener.accept().is_err());
}

#[test]
fn arguments_of_stats() {
    let (client, listener) = watched(MAX_VALUE_SIZE);
    let long = "x".repeat(251);
    for (row, arguments, reason) in [
        (
            "injection",
            "settings\r\nflush_all",
            "arguments: byte 0x0d at position 8",
        ),
        ("non-ascii", "s\u{e9}", "arguments: byte 0xc3 at position 1"),
        (
            "long",
            long.as_str(),
            "arguments: 251 bytes long; up to 250",
        ),
    ] {
        assert_refused(&listener, row, client.stats_of(arguments), reason);
    }
}

#[test]
fn settings() {
    let one = || Client::builder().servers("10.0.0.1");
    let none: [&str; 0] = [];
    let rows: [(&str, Result<Client>, &str); 16] = [
        (
            "a unix socket twice",
            Client::new(["/run/m.sock", "unix:/run/m.sock"]),
            "servers: /run/m.sock is listed twice",
        ),
        (
            "a unix socket on .NET's ring",
            one()
                .servers("/run/m.sock")
                .distribution(Distribution::Enyim)
                .build(),
            "servers: \"/run/m.sock\" is a unix socket",
        ),
        (
            "no connections",
            one().max_connections(0).build(),
            "max_connections: 0; it must be at least 1",
        ),
        (
            "binary keys in text",
            one().key_bytes(KeyBytes::Any).build(),
            "key_bytes: any is not possible with the protocol text; choose meta or binary",
        ),
        (
            "a prefix that no key begins with",
            one().prefix("my app:").build(),
            "prefix: byte 0x20 at position 2 is not allowed; allowed are the printable ASCII",
        ),
        (
            "a prefix that no key fits behind",
            one().prefix("p".repeat(250)).build(),
            "prefix: 250 bytes long; up to 249 are allowed",
        ),
        (
            "a prefix that is transformed, and left out",
            one()
                .key_transform(KeyTransform::Base64)
                .prefix_placement(PrefixPlacement::LeftOut)
                .build(),
            "prefix_placement: left-out is not possible with the key transform base64",
        ),
        (
            "no servers",
            Client::new(none),
            "servers: the list is empty",
        ),
        (
            "nothing set",
            Client::builder().build(),
            "servers: the list is empty",
        ),
        (
            "bad port",
            Client::new(["10.0.0.1:11211", "10.0.0.2:0"]),
            "servers: \"10.0.0.2:0\": port 0",
        ),
        (
            "twice",
            Client::new(["a", "b", "A:11211"]),
            "servers: A:11211 is listed twice",
        ),
        (
            "twice, IPv6",
            Client::new([("::1", 1), ("0:0::1", 1)]),
            "servers: [0:0::1]:1 is listed twice",
        ),
        (
            "over 1 GiB",
            one().max_value_size(MAX_VALUE_SIZE + 1).build(),
            "max_value_size: 1073741825; at most 1073741824 is allowed",
        ),
        (
            "a list in one",
            Client::new("a:1,b:1"),
            "give several as a list",
        ),
        (
            "no time",
            one().timeout(Duration::ZERO).build(),
            "timeout: zero",
        ),
        (
            "no time to connect",
            one().connect_timeout(Duration::ZERO).build(),
            "connect_timeout: zero",
        ),
    ];
    for (row, result, reason) in rows {
        let error: Error = result.err().unwrap_or_else(|| panic!("{row}: no error"));
        assert!(error.is_validation(), "{row}: {error:?}");
        assert!(error.to_string().contains(reason), "{row}: {error}");
    }
}

/// Why the key's length is checked before anything is sent: memcached refuses the command line of a
/// key of 251 bytes, and then executes the value, if it is not very new.
#[test]
fn the_attack_that_validation_prevents() {
    let server = Memcached::start();
    let client = Client::new(server.address()).unwrap();
    let long = "k".repeat(251);

    client.set("victim", "value", 0).unwrap();
    let mut raw = TcpStream::connect(server.address()).unwrap();
    write!(raw, "set {long} 0 0 9\r\nflush_all\r\nquit\r\n").unwrap();
    let mut replies = String::new();
    raw.read_to_string(&mut replies).unwrap();
    assert!(replies.starts_with("CLIENT_ERROR "), "{replies:?}");
    let executes = replies.ends_with("OK\r\n");
    // From some release on it reads the value and drops it: 1.6.38 does not yet, 1.6.45 does.
    assert!(executes || is_at_least([1, 6, 39]), "{replies:?}");
    let victim = client.get::<String>("victim").unwrap();
    assert_eq!(victim.is_none(), executes, "it empties the server");

    client.set("victim", "value", 0).unwrap();
    let before = client.stats().unwrap().remove(0).result.unwrap();
    assert!(
        client
            .set(&long, ItemRef::new(0, "flush_all"), 0)
            .unwrap_err()
            .is_validation()
    );
    assert!(
        client
            .set(&long, "flush_all", 0)
            .unwrap_err()
            .is_validation()
    );
    let after = client.stats().unwrap().remove(0).result.unwrap();
    assert_eq!(
        client.get::<String>("victim").unwrap().as_deref(),
        Some("value")
    );
    let stats_line = "stats\r\n".len() as u64;
    assert_eq!(
        after.bytes_read(),
        before.bytes_read().map(|read| read + stats_line)
    );
}
