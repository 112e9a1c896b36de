//! What the embedded server tells a test: what it counted, what time it is, which faults are left.

use crate::support;

use moecache::testing::{Clock, Counters, Fault, Server};
use moecache::{Client, Protocol};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, SystemTime};
use support::{Memcached, RawClient};

const PROTOCOLS: [Protocol; 3] = [Protocol::Text, Protocol::Meta, Protocol::Binary];

fn client(server: &Server, protocol: Protocol) -> Client {
    let client = Client::builder().servers(server).protocol(protocol);
    client.timeout(Duration::from_secs(20)).build().unwrap()
}

/// What a program did, as numbers. (A touch in the meta protocol is an `mg`, whose miss is that
/// of a get.)
#[test]
fn what_was_done_is_counted() {
    for protocol in PROTOCOLS {
        let server = Server::start().unwrap();
        assert_eq!(server.counters(), Counters::default());
        let client = client(&server, protocol);
        client.set("a", 1, 0).unwrap();
        client.add("a", 2, 0).unwrap();
        client.get_many::<i32, _>(["a", "b", "c"]).all().unwrap();
        client.contains("a").unwrap();
        client.touch("a", 60).unwrap();
        client.touch("b", 60).unwrap();
        client.set_counter("n", 5, 0).unwrap();
        client.incr("n", 1).unwrap();
        client.incr("m", 1).unwrap();
        client.decr("n", 1).unwrap();
        client.decr("m", 1).unwrap();
        let (_, cas) = client.gets::<i32>("a").unwrap().unwrap();
        let _ = client.compare_and_swap("a", 3, 0, cas).unwrap();
        let _ = client.compare_and_swap("a", 4, 0, cas).unwrap();
        let _ = client.compare_and_swap("b", 4, 0, cas).unwrap();
        client.delete("a").unwrap();
        client.delete("a").unwrap();
        client.flush_all(0).remove(0).result.unwrap();

        let counted = server.counters();
        let (misses, touch_misses) = match protocol {
            Protocol::Meta => (3, 0),
            _ => (2, 1),
        };
        assert_eq!((server.hits(), server.misses()), (3, misses), "{protocol}");
        assert_eq!((counted.hits, counted.misses), (3, misses), "{protocol}");
        let deletes = (counted.delete_hits, counted.delete_misses);
        let touches = (counted.touch_hits, counted.touch_misses);
        assert_eq!(
            (deletes, touches),
            ((1, 1), (1, touch_misses)),
            "{protocol}"
        );
        let ups = (counted.incr_hits, counted.incr_misses);
        let downs = (counted.decr_hits, counted.decr_misses);
        assert_eq!((ups, downs), ((1, 1), (1, 1)), "{protocol}");
        let swaps = (counted.cas_hits, counted.cas_badval, counted.cas_misses);
        assert_eq!(swaps, (1, 1, 1), "{protocol}");
        assert_eq!((counted.flushes, counted.connections), (1, 1), "{protocol}");
    }
}

/// Under the names that the docs give them, and the same as a real one counts of the same.
#[test]
fn the_counters_are_those_of_stats() {
    let server = Server::start().unwrap();
    // Nothing removes what has expired before it is asked for.
    let memcached = Memcached::with_args(&["-o", "no_lru_maintainer,no_lru_crawler"]);
    let value = |address, name: &str| RawClient::connect(address).stat(name);
    for address in [server.address(), memcached.address()] {
        let client = Client::new(address).unwrap();
        client.set("a", 1, 0).unwrap();
        client.add("a", 2, 0).unwrap();
        client.replace("b", 2, 0).unwrap();
        client.get_and_touch::<i32>("a", 60).unwrap();
        client.get_and_touch::<i32>("b", 60).unwrap();
        client.get_each::<i32, _>(["a", "b"]).all().unwrap();
        client
            .set(
                "gone",
                1,
                SystemTime::UNIX_EPOCH + Duration::from_secs(2_592_001),
            )
            .unwrap();
        client.get::<i32>("gone").unwrap();
        client.delete("a").unwrap();
    }
    let counted = server.counters();
    for (name, count) in [
        ("get_hits", counted.hits),
        ("get_misses", counted.misses),
        ("get_expired", counted.expired),
        ("cmd_set", counted.sets),
        ("delete_hits", counted.delete_hits),
        ("delete_misses", counted.delete_misses),
        ("touch_hits", counted.touch_hits),
        ("touch_misses", counted.touch_misses),
        ("evictions", counted.evictions),
    ] {
        assert_eq!(value(server.address(), name), count.to_string(), "{name}");
        assert_eq!(
            value(memcached.address(), name),
            count.to_string(),
            "{name}"
        );
    }
}

#[test]
fn counters_begin_anew_and_outlast_a_stop() {
    let server = Server::start().unwrap();
    let client = client(&server, Protocol::Text);
    client.get::<i32>("a").unwrap();
    client.stats_of("reset").unwrap().remove(0).result.unwrap();
    assert_eq!(server.misses(), 0);
    client.get::<i32>("a").unwrap();
    server.stop();
    assert_eq!(server.misses(), 1);
    server.stop();
    assert_eq!(server.misses(), 1);
    server.restart().unwrap();
    assert_eq!(server.counters(), Counters::default());
}

/// The value is sent where the protocol has no other question.
#[test]
fn contains_costs_a_value_in_some_protocols() {
    for protocol in PROTOCOLS {
        let server = Server::start().unwrap();
        let client = client(&server, protocol);
        client.set_bytes("a", vec![b'x'; 100_000], 0).unwrap();
        let before = client.metrics()[0].bytes_received;
        assert!(client.contains("a").unwrap() && !client.contains("b").unwrap());
        let received = client.metrics()[0].bytes_received - before;
        assert_eq!(received > 100_000, protocol != Protocol::Meta, "{protocol}");
        assert_eq!((server.hits(), server.misses()), (1, 1), "{protocol}");
        let metrics = &client.metrics()[0];
        assert_eq!((metrics.hits, metrics.misses), (1, 1), "{protocol}");
    }
}

#[test]
fn evictions_are_counted() {
    let server = Server::builder().memory_limit(2000).start().unwrap();
    let client = client(&server, Protocol::Text);
    for key in ["a", "b", "c"] {
        client.set_bytes(key, [b'x'; 800], 0).unwrap();
    }
    assert_eq!(server.counters().evictions, 1);
    assert!(!client.contains("a").unwrap());
}

#[test]
fn a_clock_is_set_and_never_goes_back() {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3600));
    let clock = Clock::fixed(start);
    let server = Server::builder().clock(clock.clone()).start().unwrap();
    let mut client = RawClient::connect(server.address());
    client.ask("set a 0 60 1\r\n1\r\n", "STORED\r\n");
    clock.set(start + minute / 2);
    client.ask("get a\r\n", "VALUE a 0 1\r\n1\r\nEND\r\n");
    clock.set(start);
    assert_eq!(clock.now(), start + minute / 2);
    clock.advance(minute / 2);
    client.ask("get a\r\n", "END\r\n");
    clock.set(start + hour);
    assert_eq!(clock.now(), start + hour);

    let real = Clock::real();
    let tomorrow = SystemTime::now() + 24 * hour;
    real.set(tomorrow);
    assert!(real.now() >= tomorrow && real.now() < tomorrow + hour);
}

#[test]
fn a_script_says_which_reply_fails() {
    for protocol in PROTOCOLS {
        let server = Server::start().unwrap();
        let client = client(&server, protocol);
        server.inject_script([
            Fault::Pass,
            Fault::Pass,
            Fault::Garbage(b"??\r\n".repeat(25)),
        ]);
        assert_eq!(server.pending_faults(), 3);
        client.set("a", 1, 0).unwrap();
        assert_eq!(server.pending_faults(), 2);
        assert_eq!(client.get("a").unwrap(), Some(1));
        assert!(client.get::<i32>("a").is_err(), "{protocol}");
        assert_eq!(server.pending_faults(), 0);
        assert_eq!(client.get("a").unwrap(), Some(1), "{protocol}");
    }
}

/// What one thread puts into the script stays together.
#[test]
fn scripts_do_not_mix() {
    let server = Server::start().unwrap();
    thread::scope(|scope| {
        for name in *b"ABCD" {
            let (server, script) = (&server, vec![Fault::Garbage(vec![name]); 50]);
            scope.spawn(move || server.inject_script(script));
        }
    });
    assert_eq!(server.pending_faults(), 200);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream
        .write_all("version\r\n".repeat(200).as_bytes())
        .unwrap();
    let mut replies = [0; 200];
    stream.read_exact(&mut replies).unwrap();
    let runs: Vec<_> = replies.chunk_by(|a, b| a == b).map(<[u8]>::len).collect();
    assert_eq!(runs, [50; 4]);
}
