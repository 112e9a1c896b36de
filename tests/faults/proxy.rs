//! The proxy of these tests, and of `poison`, commits the faults that it is told to, and only those.

use super::support::proxy::{Fault, Length, Proxy};
use super::support::{Memcached, RawClient, wait_until};
use std::io;
use std::net::TcpStream;
use std::time::Duration;

const VALUE: &str = "VALUE key 0 5\r\nvalue\r\nEND\r\n";

/// What comes in place of the right reply to a get in text.
#[test]
fn lies_in_text() {
    let rows: [(Fault, &str); 13] = [
        (Fault::ForgedKey, "VALUE ~ey 0 5\r\nvalue\r\nEND\r\n"),
        (
            Fault::Doubled,
            "VALUE key 0 5\r\nvalue\r\nVALUE key 0 5\r\nvalue\r\nEND\r\n",
        ),
        (Fault::NoLineEnd, "VALUE key 0 5\r\nvalueEND\r\n"),
        (Fault::Truncated, "VALUE key 0 5\r\nvalu\r\nEND\r\n"),
        (
            Fault::BadLength(Length::Gigabyte),
            "VALUE key 0 1073741823\r\nvalue\r\nEND\r\n",
        ),
        (
            Fault::BadLength(Length::Negative),
            "VALUE key 0 -1\r\nvalue\r\nEND\r\n",
        ),
        (
            Fault::BadLength(Length::Overflow),
            "VALUE key 0 18446744073709551617\r\nvalue\r\nEND\r\n",
        ),
        (Fault::Garbage(b"what?\r\n".to_vec()), "what?\r\n"),
        (
            Fault::Surplus(b"more".to_vec()),
            "VALUE key 0 5\r\nvalue\r\nEND\r\nmore",
        ),
        (
            Fault::Stray(b"more".to_vec()),
            "VALUE key 0 5\r\nvalue\r\nEND\r\nmore",
        ),
        // The only earlier reply that such a request cannot have.
        (Fault::ReplayOwn, "STORED\r\n"),
        (Fault::Chunks(vec![1, 2, 30]), VALUE),
        (Fault::Drip(Duration::from_millis(1)), VALUE),
    ];
    let (memcached, proxy) = start();
    let mut client = RawClient::connect(proxy.address());
    client.ask("set key 0 0 5\r\nvalue\r\n", "STORED\r\n");
    for (fault, reply) in rows {
        let name = fault.name();
        proxy.inject(fault);
        client.ask("get key\r\n", reply);
        client.ask("get key\r\n", VALUE);
        assert!(proxy.committed()[name] > 0, "{name}");
    }
    assert_eq!(proxy.committed().values().sum::<u64>(), 13);
    finish(&memcached, &proxy);
}

#[test]
fn lies_in_meta() {
    let rows: [(Fault, &str, &str); 4] = [
        (
            Fault::ForgedOpaque,
            "mg key v O7\r\n",
            "VA 5 O1000000007\r\nvalue\r\n",
        ),
        (
            Fault::Doubled,
            "mg key v O8\r\n",
            "VA 5 O8\r\nvalue\r\nVA 5 O8\r\nvalue\r\n",
        ),
        (Fault::ReplayOwn, "mg key v O9\r\n", "HD O1\r\n"),
        // All of a quiet window, up to its fence, is one reply.
        (
            Fault::Surplus(b"more".to_vec()),
            "mg none v q O10\r\nmg key v q O11\r\nmn\r\n",
            "VA 5 O11\r\nvalue\r\nMN\r\nmore",
        ),
    ];
    for (fault, request, reply) in rows {
        let (memcached, proxy) = start();
        let mut client = RawClient::connect(proxy.address());
        client.ask("ms key 5 O1\r\nvalue\r\n", "HD O1\r\n");
        proxy.inject(fault);
        client.ask(request, reply);
        finish(&memcached, &proxy);
    }
}

#[test]
fn lies_in_binary() {
    const SET: &[u8] = b"\x80\x01\0\x03\x08\0\0\0\0\0\0\x10\0\0\0\x01\0\0\0\0\0\0\0\0\
        \0\0\0\0\0\0\0\0keyvalue";
    const GET: &[u8] = b"\x80\0\0\x03\0\0\0\0\0\0\0\x03\0\0\0\x02\0\0\0\0\0\0\0\0key";
    // Up to the cas id.
    let rows: [(Fault, &[u8]); 5] = [
        (
            Fault::ForgedKey,
            b"\x81\0\0\x01\x04\0\0\0\0\0\0\x09\0\0\0\x02",
        ),
        (
            Fault::ForgedOpaque,
            b"\x81\0\0\0\x04\0\0\0\0\0\0\x09\x3b\x9a\xca\x02",
        ),
        (
            Fault::ForgedCommand,
            b"\x81\x40\0\0\x04\0\0\0\0\0\0\x09\0\0\0\x02",
        ),
        (
            Fault::BadLength(Length::Huge),
            b"\x81\0\0\0\x04\0\0\0\xff\xff\xff\xff\0\0\0\x02",
        ),
        (Fault::ReplayOwn, b"\x81\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"),
    ];
    for (fault, reply) in rows {
        let (memcached, proxy) = start();
        let mut client = RawClient::connect(proxy.address());
        client.ask(SET, b"\x81\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01");
        let cas = size_of::<u64>();
        client.skip(cas);
        proxy.inject(fault);
        client.ask(GET, reply);
        finish(&memcached, &proxy);
    }
}

#[test]
fn what_becomes_of_the_connection() {
    let rows = [
        (Fault::Cut { after: 0 }, ""),
        (Fault::Cut { after: 9 }, "VALUE key"),
        (Fault::Cut { after: usize::MAX }, VALUE),
        (Fault::Hangup, ""),
    ];
    for (fault, reply) in rows {
        let (memcached, proxy) = start();
        let mut client = RawClient::connect(proxy.address());
        client.ask("set key 0 0 5\r\nvalue\r\n", "STORED\r\n");
        proxy.inject(fault);
        client.ask("get key\r\n", reply);
        client.expect_closed();
        finish(&memcached, &proxy);
    }
    let (memcached, proxy) = start();
    let mut client = RawClient::connect(proxy.address());
    proxy.inject(Fault::Reset { after: 0 });
    client.send("version\r\n");
    client.expect_reset();
    finish(&memcached, &proxy);
}

#[test]
fn a_swallowed_request_has_no_effect_and_a_swallowed_reply_has() {
    let (memcached, proxy) = start();
    for (fault, value) in [
        (Fault::SwallowRequest, "END\r\n"),
        (Fault::SwallowReply, VALUE),
    ] {
        proxy.inject(fault);
        let mut client = RawClient::connect(proxy.address());
        client.send("set key 0 0 5\r\nvalue\r\n");
        let is_committed = || proxy.committed().len() == if value == VALUE { 2 } else { 1 };
        wait_until("it is swallowed", is_committed);
        RawClient::connect(memcached.address()).ask("get key\r\n", value);
    }
    // Delays end when the faults are cleared.
    proxy.inject(Fault::DelayRequest(Duration::from_secs(3600)));
    let mut client = RawClient::connect(proxy.address());
    client.send("get key\r\n");
    wait_until("it waits", || proxy.committed().len() == 3);
    proxy.clear();
    client.ask("", VALUE);
    finish(&memcached, &proxy);
}

#[test]
fn connections() {
    let (memcached, proxy) = start();
    proxy.inject(Fault::TooManyConnections);
    let mut client = RawClient::connect(proxy.address());
    client.ask("", "ERROR Too many open connections\r\n");
    client.expect_closed();
    proxy.inject(Fault::AcceptAndClose);
    RawClient::connect(proxy.address()).expect_closed();

    let mut client = RawClient::connect(proxy.address());
    client.version();
    proxy.refuse();
    client.expect_closed();
    let refused = TcpStream::connect(proxy.address()).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    proxy.clear();
    RawClient::connect(proxy.address()).version();
    finish(&memcached, &proxy);
}

fn start() -> (Memcached, Proxy) {
    let memcached = Memcached::start();
    let proxy = Proxy::start(memcached.address());
    (memcached, proxy)
}

/// The server saw nothing wrong, and the proxy neither.
fn finish(memcached: &Memcached, proxy: &Proxy) {
    assert_eq!(proxy.problems(), [""; 0]);
    RawClient::connect(memcached.address()).version();
}
