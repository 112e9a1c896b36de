//! The embedded server beyond the protocol: its clock, memory, faults, start and stop.

mod counters;
mod protocols;

use crate::support;

use moecache::testing::{Clock, Fault, Server};
use std::io::ErrorKind;
use std::net::{Ipv6Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, SystemTime};
use support::memcached::is_at_least;
use support::{Memcached, RawClient as Client, skipped, wait_until};

const FOREVER: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn items_expire_by_the_clock() {
    let server = Server::start().unwrap();
    let mut client = Client::connect(server.address());
    client.ask("set a 0 60 1\r\n1\r\n", "STORED\r\n");
    server.clock().advance(Duration::from_secs(58));
    client.ask("get a\r\n", "VALUE a 0 1\r\n1\r\nEND\r\n");
    server.clock().advance(Duration::from_secs(2));
    client.ask("get a\r\n", "END\r\n");
}

/// The clock of the embedded server can be moved, so that time need not pass.
#[test]
fn what_a_client_stores_expires_by_the_clock() {
    let server = Server::start().unwrap();
    let client = moecache::Client::new(&server).unwrap();
    client.set("minute", 1, 60).unwrap();
    client
        .set("five-weeks", 1, Duration::from_secs(5 * 7 * 86_400))
        .unwrap();
    client.set("never", 1, 0).unwrap();
    let there =
        || ["minute", "five-weeks", "never"].map(|key| client.get::<i32>(key).unwrap().is_some());
    assert_eq!(there(), [true, true, true]);
    server.clock().advance(Duration::from_secs(62));
    assert_eq!(there(), [false, true, true]);
    server.clock().advance(Duration::from_secs(5 * 7 * 86_400));
    assert_eq!(there(), [false, false, true]);
}

#[test]
fn a_fixed_clock_is_exact() {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let clock = Clock::fixed(start);
    let server = Server::builder().clock(clock.clone()).start().unwrap();
    let mut client = Client::connect(server.address());
    client.ask("set a 0 2 1\r\n1\r\n", "STORED\r\n");
    client.ask("set b 0 1800000002 1\r\n2\r\n", "STORED\r\n");
    client.ask("set c 0 1800000000 1\r\n3\r\n", "STORED\r\n");
    client.ask("set d 0 2592000 1\r\n4\r\n", "STORED\r\n");
    clock.advance(Duration::from_millis(1999));
    client.ask(
        "get a b c d\r\n",
        "VALUE a 0 1\r\n1\r\nVALUE b 0 1\r\n2\r\nVALUE d 0 1\r\n4\r\nEND\r\n",
    );
    clock.advance(Duration::from_millis(1));
    client.ask("get a b c d\r\n", "VALUE d 0 1\r\n4\r\nEND\r\n");
    client.ask("touch d 5\r\n", "TOUCHED\r\n");
    clock.advance(Duration::from_secs(5));
    client.ask("get d\r\n", "END\r\n");
    assert_eq!(server.clock().now(), start + Duration::from_secs(7));
    assert_eq!(client.stat("time"), "1800000007");
    assert_eq!(client.stat("uptime"), "9");
    assert_eq!(client.stat("get_expired"), "4");
}

#[test]
fn flush_all_comes_by_the_clock() {
    let clock = Clock::fixed(SystemTime::UNIX_EPOCH + 20_000 * DAY);
    let server = Server::builder().clock(clock.clone()).start().unwrap();
    let mut client = Client::connect(server.address());
    client.ask("set a 0 0 1\r\n1\r\n", "STORED\r\n");
    client.ask("flush_all 10\r\n", "OK\r\n");
    clock.advance(Duration::from_secs(8));
    client.ask("set b 0 0 1\r\n2\r\n", "STORED\r\n");
    client.ask(
        "get a b\r\n",
        "VALUE a 0 1\r\n1\r\nVALUE b 0 1\r\n2\r\nEND\r\n",
    );
    // memcached takes one second off the delay.
    clock.advance(Duration::from_secs(1));
    client.ask("get a b\r\n", "END\r\n");
    clock.advance(Duration::from_secs(1));
    client.ask("set c 0 0 1\r\n3\r\n", "STORED\r\n");
    client.ask("get c\r\n", "VALUE c 0 1\r\n3\r\nEND\r\n");
    assert_eq!(client.stat("get_flushed"), "2");
}

/// That is, to a delay of one second memcached flushes at once, and also what comes in the same
/// second.
#[test]
fn flush_all_in_one_second() {
    let clock = Clock::fixed(SystemTime::UNIX_EPOCH + 20_000 * DAY);
    let server = Server::builder().clock(clock.clone()).start().unwrap();
    let mut client = Client::connect(server.address());
    client.ask("set a 0 0 1\r\n1\r\n", "STORED\r\n");
    client.ask("flush_all 1\r\n", "OK\r\n");
    client.ask("set b 0 0 1\r\n2\r\n", "STORED\r\n");
    client.ask("get a b\r\n", "END\r\n");
    clock.advance(Duration::from_secs(1));
    client.ask("set c 0 0 1\r\n3\r\n", "STORED\r\n");
    client.ask("get c\r\n", "VALUE c 0 1\r\n3\r\nEND\r\n");
}

#[test]
fn the_least_recently_used_item_is_evicted() {
    // An item takes 56 bytes, its key and a NUL, its value and CR LF: here 160.
    let server = Server::builder().memory_limit(480).start().unwrap();
    let mut client = Client::connect(server.address());
    let value = "x".repeat(100);
    let set = |key| format!("set {key} 0 0 100\r\n{value}\r\n");
    for key in ["a", "b", "c"] {
        client.ask(set(key), "STORED\r\n");
    }
    client.ask("touch a 0\r\n", "TOUCHED\r\n");
    client.ask(set("d"), "STORED\r\n");
    client.ask("incr b 1\r\n", "NOT_FOUND\r\n");
    client.ask("get c\r\n", format!("VALUE c 0 100\r\n{value}\r\nEND\r\n"));
    client.ask(set("e"), "STORED\r\n");
    client.ask("delete a\r\n", "NOT_FOUND\r\n");
    client.ask("delete d\r\n", "DELETED\r\n");
    client.ask(set("f"), "STORED\r\n");
    assert_eq!(client.stat("evictions"), "2");
    assert_eq!(client.stat("evicted_unfetched"), "1");
    assert_eq!(client.stat("curr_items"), "3");
    assert_eq!(client.stat("bytes"), "480");
    assert_eq!(client.stat("limit_maxbytes"), "480");

    client.ask("set e 0 0 1000\r\n", "");
    let rest = "x".repeat(1000) + "\r\n";
    client.ask(&rest, "SERVER_ERROR out of memory storing object\r\n");
    client.ask("get e\r\n", "END\r\n");
    assert_eq!(client.stat("store_no_memory"), "1");
}

#[test]
fn the_item_size_limit_is_memcached_s() {
    const MAX: usize = 2 * 1024 * 1024;
    let memcached = Memcached::with_args(&["-I", "2m"]);
    let server = Server::builder().item_size_max(MAX).start().unwrap();
    for address in [memcached.address(), server.address()] {
        let mut client = Client::connect(address);
        let set = |length| format!("set a 0 0 {length}\r\n{}\r\n", "x".repeat(length));
        client.ask(set(MAX - 60), "STORED\r\n");
        client.ask(set(MAX - 59), "SERVER_ERROR object too large for cache\r\n");
        assert_eq!(client.stat("store_too_large"), "1");
    }
}

#[test]
fn item_size_limits_that_memcached_would_refuse() {
    const MIB: usize = 1024 * 1024;
    let rows = [
        (64 * MIB, 1023, "is not from 1024 to 1073741824"),
        (4096 * MIB, 1024 * MIB + 1, "is not from 1024 to 1073741824"),
        (64 * MIB, 33 * MIB, "is more than half of the memory limit"),
        (MIB, MIB, "is more than half of the memory limit"),
        (64 * MIB, usize::MAX, "is not from 1024 to 1073741824"),
    ];
    for (memory, size, problem) in rows {
        let builder = Server::builder().item_size_max(size).memory_limit(memory);
        let error = builder.start().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let text = error.to_string();
        assert!(
            text.contains(problem) && text.contains("item_size_max"),
            "{text}"
        );
    }
    for (memory, size) in [(64 * MIB, 32 * MIB), (2 * MIB, MIB), (2048, 1024)] {
        let builder = Server::builder().memory_limit(memory).item_size_max(size);
        builder.start().unwrap();
    }
}

#[test]
fn the_memory_limit_can_be_changed() {
    let memcached = Memcached::start();
    let server = Server::start().unwrap();
    for address in [memcached.address(), server.address()] {
        let mut client = Client::connect(address);
        assert_eq!(client.stat("limit_maxbytes"), "67108864");
        client.ask("cache_memlimit 8\r\n", "OK\r\n");
        assert_eq!(client.stat("limit_maxbytes"), "8388608");
    }
    // Items are there that have no room any more; they go when others come.
    let mut client = Client::connect(server.address());
    client.ask("cache_memlimit 64\r\n", "OK\r\n");
    let set = |key| format!("set {key} 0 0 1000000\r\n{}\r\n", "x".repeat(1_000_000));
    for key in 'a'..='l' {
        client.ask(set(key), "STORED\r\n");
    }
    client.ask("cache_memlimit 8\r\n", "OK\r\n");
    assert_eq!(client.stat("curr_items"), "12");
    client.ask(set('m'), "STORED\r\n");
    assert_eq!(client.stat("curr_items"), "8");
    assert_eq!(client.stat("evictions"), "5");
}

/// Names and values of statistics, asked of a memcached that does nothing by itself, and of the
/// embedded server.
#[test]
fn what_is_expired_or_flushed_is_counted_as_memcached_does() {
    const NAMES: [&str; 8] = [
        "curr_items",
        "bytes",
        "get_expired",
        "get_flushed",
        "reclaimed",
        "expired_unfetched",
        "crawler_reclaimed",
        "crawler_items_checked",
    ];
    let set = |key, exptime| format!("set {key} 0 {exptime} 1\r\n1\r\n");
    let rows: [(&str, &[String], [u64; 8]); 9] = [
        (
            "a value in place of an expired one",
            &[set("a", -1), set("a", 0)],
            [1, 61, 0, 0, 1, 1, 0, 0],
        ),
        (
            "a value in place of a flushed one",
            &[set("a", 0), "flush_all\r\n".into(), set("a", 0)],
            [1, 61, 0, 0, 1, 1, 0, 0],
        ),
        (
            "a value in place of a flushed one that was fetched",
            &[
                set("a", 0),
                "get a\r\n".into(),
                "flush_all\r\n".into(),
                set("a", 0),
            ],
            [1, 61, 0, 0, 1, 0, 0, 0],
        ),
        (
            "get",
            &[set("a", -1), "get a\r\n".into()],
            [0, 0, 1, 0, 0, 0, 0, 0],
        ),
        (
            "get after flush_all",
            &[set("a", 0), "flush_all\r\n".into(), "get a\r\n".into()],
            [0, 0, 0, 1, 0, 0, 0, 0],
        ),
        (
            "crawl all",
            &[
                set("z", 0),
                set("a", -1),
                set("b", -1),
                "lru_crawler crawl all\r\n".into(),
            ],
            [1, 61, 0, 0, 0, 2, 2, 3],
        ),
        (
            "crawl one class",
            &[set("z", 0), set("a", -1), "lru_crawler crawl 1\r\n".into()],
            [1, 61, 0, 0, 0, 1, 1, 2],
        ),
        (
            "crawl another class",
            &[set("z", 0), "lru_crawler crawl 5\r\n".into()],
            [1, 61, 0, 0, 0, 0, 0, 0],
        ),
        (
            "crawl after flush_all",
            &[
                set("a", 0),
                "flush_all\r\n".into(),
                "lru_crawler crawl all\r\n".into(),
            ],
            [0, 0, 0, 0, 0, 0, 1, 1],
        ),
    ];
    for (name, requests, expected) in rows {
        let memcached = Memcached::with_args(&["-o", "no_lru_maintainer"]);
        let server = Server::start().unwrap();
        let mut peers = vec![("the embedded server", server.address())];
        if is_at_least([1, 6, 19]) && name.contains("flush") {
            skipped(format_args!(
                "{name}: newer memcacheds than 1.6.18 remove flushed items at once"
            ));
        } else {
            peers.push(("memcached", memcached.address()));
        }
        for (who, address) in peers {
            let mut client = Client::connect(address);
            for request in requests {
                client.send(request);
                // Every reply but that of get is one line, and the last one of get is END.
                client.read_until(if request.starts_with("get") {
                    "END\r\n"
                } else {
                    "\r\n"
                });
            }
            let expected = expected.map(|count| count.to_string());
            // memcached crawls in the background.
            wait_until(&format!("{name}: {who} counts {expected:?}"), || {
                NAMES.map(|name| client.stat(name)) == expected
            });
        }
    }
}

/// memcached's background threads find what is expired, sooner or later.
#[test]
fn no_report_counts_what_is_expired() {
    let clock = Clock::fixed(SystemTime::UNIX_EPOCH + 20_000 * DAY);
    let server = Server::builder().clock(clock.clone()).start().unwrap();
    let mut client = Client::connect(server.address());
    client.ask(
        "set a 0 60 1\r\n1\r\nset b 0 60 1\r\n1\r\nset c 0 0 1\r\n1\r\nget a\r\n",
        "STORED\r\nSTORED\r\nSTORED\r\nVALUE a 0 1\r\n1\r\nEND\r\n",
    );
    let dump = "stats cachedump 1 0\r\n";
    assert_eq!(client.stat("curr_items"), "3");
    clock.advance(Duration::from_secs(60));
    client.ask(dump, "ITEM c [1 b; 0 s]\r\nEND\r\n");
    let counts = ["curr_items", "bytes", "reclaimed", "expired_unfetched"];
    assert_eq!(counts.map(|name| client.stat(name)), ["1", "61", "2", "1"]);
    assert_eq!(client.stats("items")["items:1:reclaimed"], "2");
    assert_eq!(client.stats("items")["items:1:number"], "1");
    assert_eq!(client.stats("slabs")["1:used_chunks"], "1");
    client.ask("flush_all\r\n", "OK\r\n");
    client.ask(dump, "END\r\n");
    assert_eq!(counts.map(|name| client.stat(name)), ["0", "0", "3", "2"]);
    assert_eq!(client.stat("get_expired"), "0");
}

#[test]
fn connections_say_what_they_do() {
    let memcached = Memcached::start();
    let server = Server::start().unwrap();
    for address in [memcached.address(), server.address()] {
        let mut asking = Client::connect(address);
        let idle = Client::connect(address).after("version\r\n", "\r\n");
        let silent = Client::connect(address);
        let in_line = Client::connect(address).after("vers", "");
        let in_value = Client::connect(address).after("set a 0 0 10\r\nabc", "");
        let in_binary =
            b"\x80\x01\0\x01\x08\0\0\0\0\0\0\x0cgood\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0aab";
        let in_binary = Client::connect(address).after(in_binary, "");
        let refused = Client::connect(address).after("set a 0 0 5000000\r\nabc", "");
        let value = format!("set b 0 0 1000000\r\n{}\r\n", "b".repeat(1_000_000));
        let unread = Client::connect(address).after(value, "STORED\r\n");
        let unread = unread.after("get b\r\n".repeat(100), "");
        let expected = [
            (&idle, "conn_read"),
            (&silent, "conn_new_cmd"),
            (&in_line, "conn_read"),
            (&in_value, "conn_nread"),
            (&in_binary, "conn_nread"),
            (&refused, "conn_swallow"),
            (&unread, "conn_mwrite"),
        ];
        let own = asking.local_address();
        wait_until("all are in their states", || {
            let report = asking.stats("conns");
            let state = |client: SocketAddr| {
                let address = format!("tcp:{client}");
                let (name, _) = report.iter().find(|(_, value)| **value == address)?;
                report.get(&name.replace(":addr", ":state")).cloned()
            };
            state(own).as_deref() == Some("conn_parse_cmd")
                && expected.iter().all(|(client, expected)| {
                    state(client.local_address()).as_deref() == Some(*expected)
                })
        });
    }
}

#[test]
fn a_dump_with_wrong_words_is_no_meta_command() {
    let memcached = Memcached::start();
    let server = Server::start().unwrap();
    for address in [memcached.address(), server.address()] {
        let mut client = Client::connect(address);
        let bad = "CLIENT_ERROR bad command line format\r\n";
        client.ask("me\r\n", bad);
        client.ask(format!("me {}\r\n", "k".repeat(251)), bad);
        assert_eq!(client.stat("cmd_meta"), "0");
        client.ask("me a\r\n", "EN\r\n");
        assert_eq!(client.stat("cmd_meta"), "1");
    }
}

/// They count for the slab class of the item that was there.
#[test]
fn compare_and_swap_is_counted_by_class() {
    let memcached = Memcached::start();
    let server = Server::start().unwrap();
    for address in [memcached.address(), server.address()] {
        let mut client = Client::connect(address);
        client.ask("set a 0 0 1\r\n1\r\n", "STORED\r\n");
        let value = "x".repeat(200);
        client.ask(format!("cas a 0 0 200 99\r\n{value}\r\n"), "EXISTS\r\n");
        client.ask("md a I\r\n", "HD\r\n");
        client.ask(format!("ms a 200 C1 I\r\n{value}\r\n"), "HD\r\n");
        let slabs = client.stats("slabs");
        assert_eq!(slabs["1:cas_badval"], "1");
        assert_eq!(slabs["1:cas_hits"], "1");
        assert_eq!(slabs["6:cas_badval"], "0");
        assert_eq!(slabs["6:cas_hits"], "0");
    }
}

#[test]
fn a_port_that_is_asked_for() {
    let free = Server::start().unwrap();
    let port = free.address().port();
    let taken = Server::builder().port(port).start().unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    let text = taken.to_string();
    assert!(
        text.starts_with(&format!("cannot listen on 127.0.0.1:{port}: ")),
        "{text}"
    );
    drop(free);

    let server = Server::builder().port(port).start().unwrap();
    assert_eq!(server.address(), ([127, 0, 0, 1], port).into());
    let mut client = Client::connect(server.address());
    client.ask("set a 0 0 1\r\n1\r\n", "STORED\r\n");
    assert_eq!(client.stats("settings")["tcpport"], port.to_string());
    assert_eq!(client.stats("settings")["inter"], "127.0.0.1");
    server.restart().unwrap();
    Client::connect(server.address()).ask("get a\r\n", "END\r\n");
}

#[test]
fn an_address_that_is_asked_for() {
    let everywhere = Server::builder()
        .address(([0, 0, 0, 0], 0))
        .start()
        .unwrap();
    let port = everywhere.address().port();
    assert_ne!(port, 0);
    assert_eq!(everywhere.to_string(), format!("127.0.0.1:{port}"));
    let mut client = Client::connect(everywhere.address());
    assert_eq!(
        client.stats("conns")["0:addr"],
        format!("tcp:0.0.0.0:{port}")
    );
    assert_eq!(client.stats("settings")["inter"], "0.0.0.0");
    Client::connect(([127, 0, 0, 2], port).into()).version();
    let taken = Server::builder().port(port).start().unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    everywhere.restart().unwrap();
    Client::connect(everywhere.address()).version();

    // An address of documentation (RFC 5737), which no machine has.
    let elsewhere = Server::builder().address(([192, 0, 2, 1], 0)).start();
    assert_eq!(elsewhere.unwrap_err().kind(), ErrorKind::AddrNotAvailable);

    if std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        eprintln!("skipped: IPv6, which this machine has not");
        return;
    }
    let six = Server::builder()
        .address((Ipv6Addr::UNSPECIFIED, 0))
        .start()
        .unwrap();
    let port = six.address().port();
    assert_eq!(six.to_string(), format!("[::1]:{port}"));
    Client::connect(six.address()).version();
    // Each protocol has its ports.
    let four = Server::builder().port(port).start().unwrap();
    Client::connect(four.address()).version();
    let client = moecache::Client::new([&six, &four]).unwrap();
    assert_eq!(
        client
            .set_many([("a", 1), ("b", 2), ("c", 3)], 0)
            .failed()
            .count(),
        0
    );
}

#[test]
fn stats_name_the_connections_and_the_items() {
    let server = Server::start().unwrap();
    let mut client = Client::connect(server.address());
    let local = client.local_address();
    client.ask(
        "set a 0 0 1\r\n1\r\nset b 5 2147483647 2\r\n22\r\n",
        "STORED\r\nSTORED\r\n",
    );
    client.ask(
        "stats cachedump 1 0\r\n",
        "ITEM b [2 b; 2147483647 s]\r\nITEM a [1 b; 0 s]\r\nEND\r\n",
    );
    client.ask(
        "stats cachedump 1 1\r\n",
        "ITEM b [2 b; 2147483647 s]\r\nEND\r\n",
    );
    client.ask(
        "stats conns\r\n",
        format!(
            "STAT 0:addr tcp:{server}\r\n\
             STAT 0:state conn_listening\r\n\
             STAT 0:secs_since_last_cmd 0\r\n\
             STAT 1:addr tcp:{local}\r\n\
             STAT 1:listen_addr tcp:{server}\r\n\
             STAT 1:state conn_parse_cmd\r\n\
             STAT 1:secs_since_last_cmd 0\r\n\
             END\r\n"
        ),
    );
}

#[test]
fn connections_and_bytes_are_counted() {
    let server = Server::start().unwrap();
    assert_eq!(server.connections(), 0);
    let mut one = Client::connect(server.address());
    let mut other = Client::connect(server.address());
    one.version();
    other.version();
    assert_eq!(server.connections(), 2);
    assert_eq!(one.stat("curr_connections"), "2");
    assert_eq!(one.stat("total_connections"), "2");
    assert_eq!(server.received(), 9 + 9 + 7 + 7);
    drop(one);
    wait_until("one connection is left", || server.connections() == 1);
}

#[test]
fn a_restart_keeps_the_port_and_nothing_else() {
    let server = Server::start().unwrap();
    let address = server.address();
    let mut client = Client::connect(address);
    client.ask("set a 0 0 1\r\n1\r\n", "STORED\r\n");
    server.restart().unwrap();
    client.expect_closed();
    assert_eq!(server.connections(), 0);
    assert_eq!(server.address(), address);
    let mut client = Client::connect(address);
    client.ask("get a\r\n", "END\r\n");
    assert_eq!(client.stat("total_connections"), "1");
}

#[test]
fn a_stopped_server_refuses_connections() {
    let server = Server::start().unwrap();
    let mut client = Client::connect(server.address());
    client.version();
    server.stop();
    client.expect_closed();
    server.stop();
    assert_eq!(server.connections(), 0);
    let error = TcpStream::connect(server.address()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    server.restart().unwrap();
    Client::connect(server.address()).version();
}

#[test]
fn a_dropped_server_is_gone() {
    let server = Server::start().unwrap();
    let address = server.address();
    let mut clients = [(); 20].map(|()| Client::connect(address));
    for client in &mut clients {
        client.version();
    }
    // In the middle of a value, of a line, and of a reply that nobody reads.
    clients[0].send("set a 0 0 100\r\nhalf");
    clients[1].send("vers");
    clients[2].ask(
        format!("set b 0 0 1000000\r\n{}\r\n", "b".repeat(1_000_000)),
        "STORED\r\n",
    );
    clients[2].send("get b\r\n".repeat(100));
    drop(server);
    for client in &mut clients {
        client.expect_closed();
    }
    let error = TcpStream::connect(address).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn a_delay_does_not_hold_up_the_stop() {
    let server = Server::start().unwrap();
    server.inject(Fault::Delay(FOREVER));
    let mut client = Client::connect(server.address());
    client.send("version\r\n");
    wait_until("the request has arrived", || server.received() == 9);
    drop(server);
    client.expect_closed();
}

#[test]
fn disconnecting_keeps_the_items() {
    let server = Server::start().unwrap();
    let mut client = Client::connect(server.address());
    client.ask("set a 0 0 1\r\n1\r\n", "STORED\r\n");
    server.disconnect();
    client.expect_closed();
    let mut client = Client::connect(server.address());
    client.ask("get a\r\n", "VALUE a 0 1\r\n1\r\nEND\r\n");
}

#[test]
fn faults_spoil_one_reply_each() {
    let server = Server::start().unwrap();
    let mut client = Client::connect(server.address());
    server.inject(Fault::Garbage(b"GARBAGE\r\n".to_vec()));
    server.inject(Fault::Surplus(b"MORE\r\n".to_vec()));
    server.inject(Fault::Swallow);
    server.inject(Fault::Drip(Duration::ZERO));
    server.inject(Fault::Delay(Duration::ZERO));
    client.ask("set a 0 0 1\r\n1\r\n", "GARBAGE\r\n");
    client.ask("incr a 1\r\n", "2\r\nMORE\r\n");
    client.ask("incr a 1\r\n", "");
    // Nothing is answered here, so no fault is used up.
    client.ask("incr a 1 noreply\r\n", "");
    client.ask("get a\r\n", "VALUE a 0 1\r\n4\r\nEND\r\n");
    client.ask(
        "get a b a\r\n",
        "VALUE a 0 1\r\n4\r\nVALUE a 0 1\r\n4\r\nEND\r\n",
    );
    client.version();
}

#[test]
fn faults_spoil_single_replies_of_a_pipeline() {
    let server = Server::start().unwrap();
    let mut client = Client::connect(server.address());
    client.version();
    server.inject(Fault::Surplus(b"1".to_vec()));
    server.inject(Fault::Swallow);
    client.ask(
        "get a\r\nversion\r\nget b\r\nget c\r\n",
        "END\r\n1END\r\nEND\r\n",
    );
}

#[test]
fn cut_replies_close_the_connection() {
    let server = Server::start().unwrap();
    for (after, reply) in [(0, ""), (3, "VER"), (1000, "VERSION 1.6.18\r\n")] {
        server.inject(Fault::Cut { after });
        let mut client = Client::connect(server.address());
        client.ask("version\r\n", reply);
        client.expect_closed();

        server.inject(Fault::Reset { after });
        let mut client = Client::connect(server.address());
        client.ask("version\r\n", reply);
        client.expect_reset();
    }
}

#[test]
fn connections_can_be_turned_away() {
    let server = Server::start().unwrap();
    server.inject(Fault::Refuse);
    server.inject(Fault::TooManyConnections);
    // A fault of a reply waits for a reply.
    server.inject(Fault::Garbage(b"GARBAGE\r\n".to_vec()));
    Client::connect(server.address()).expect_closed();
    let mut client = Client::connect(server.address());
    client.ask("", "ERROR Too many open connections\r\n");
    client.expect_closed();
    Client::connect(server.address()).ask("version\r\n", "GARBAGE\r\n");
    Client::connect(server.address()).version();
}

#[test]
fn standing_faults_last_until_they_are_cleared() {
    let server = Server::start().unwrap();
    server.inject_always(Fault::Refuse);
    server.inject_always(Fault::Garbage(b"A\r\n".to_vec()));
    Client::connect(server.address()).expect_closed();
    Client::connect(server.address()).expect_closed();
    server.clear_faults();
    server.inject_always(Fault::Garbage(b"B\r\n".to_vec()));
    server.inject(Fault::Garbage(b"C\r\n".to_vec()));
    let mut client = Client::connect(server.address());
    client.ask("version\r\nversion\r\nversion\r\n", "C\r\nB\r\nB\r\n");
    server.restart().unwrap();
    let mut client = Client::connect(server.address());
    client.ask("version\r\n", "B\r\n");
    server.clear_faults();
    client.version();
}

#[test]
fn clearing_ends_a_delay() {
    let server = Server::start().unwrap();
    server.inject_always(Fault::Delay(FOREVER));
    let mut client = Client::connect(server.address());
    client.send("version\r\n");
    wait_until("the request has arrived", || server.received() == 9);
    server.clear_faults();
    client.ask("", "VERSION 1.6.18\r\n");
}

#[test]
fn a_server_can_be_shared_by_threads() {
    let server = Server::start().unwrap();
    Client::connect(server.address()).ask("set a 0 0 1\r\n0\r\n", "STORED\r\n");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut client = Client::connect(server.address());
                for _ in 0..100 {
                    client.ask("incr a 1 noreply\r\nget b\r\n", "END\r\n");
                }
            });
        }
    });
    Client::connect(server.address()).ask("get a\r\n", "VALUE a 0 3\r\n400\r\nEND\r\n");
}

#[test]
fn a_reference_is_a_server() {
    let (one, other) = (Server::start().unwrap(), Server::start().unwrap());
    assert_ne!(one.address(), other.address());
    assert_eq!(one.to_string(), one.address().to_string());
    let servers = moecache::IntoServers::into_servers([&one, &other]);
    assert_eq!(servers[1].to_string(), other.to_string());
    let servers = moecache::IntoServers::into_servers(&one);
    assert_eq!(servers[0].to_string(), one.to_string());
}
