//! The commands of `mc` that change what is stored, in every protocol.

use super::{Row, command, mc, server, text};
use moecache::testing::{Fault, Server};
use moecache::{Client, Item};
use std::time::Duration;

const PROTOCOLS: [&str; 4] = ["text", "meta", "binary", "auto"];

/// Runs the rows one after the other, on a server of its own for each protocol, and hands that over.
fn in_every_protocol(rows: &[Row<'_>], then: impl Fn(&Client, &Server)) {
    for protocol in PROTOCOLS {
        let (server, servers) = server();
        for row in rows {
            let arguments = [&["--protocol", protocol], row.arguments].concat();
            let row = Row {
                arguments: &arguments,
                ..*row
            };
            row.run(&servers);
        }
        then(&Client::new(&server).unwrap(), &server);
    }
}

#[test]
fn add_and_replace() {
    let there = "mc: key: is there already\n";
    let missing = "mc: key: not found\n";
    let rows = [
        Row::new(&["replace", "key", "0"], 1, "", missing),
        Row::new(&["add", "key", "1", "--expiry", "2h"], 0, "", ""),
        Row::new(&["add", "key", "2"], 1, "", there),
        Row::new(&["get", "key"], 0, "1\n", ""),
        Row::new(&["replace", "key", "-3", "--type", "i32"], 0, "", ""),
        Row::new(&["get", "key"], 0, "-3\n", ""),
        Row::new(&["replace", "key"], 0, "", "").input("from a pipe\n"),
        Row::new(&["get", "key"], 0, "from a pipe\n", ""),
        Row::new(&["add", "none", "--type", "bytes", ""], 0, "", ""),
        Row::new(&["add", "crlf", "--type", "bytes"], 0, "", "").input("\r\n"),
        Row::new(
            &["get", "none", "crlf"],
            0,
            "none: b\"\"\ncrlf: b\"\\r\\n\"\n",
            "",
        ),
        Row::new(
            &["add", "x", "y", "--type", "u8"],
            2,
            "",
            "mc: add: the value is no u8: ",
        ),
        Row::new(
            &["replace", "x", "y", "--type", "bool"],
            2,
            "",
            "mc: replace: the value is no bool: ",
        ),
    ];
    in_every_protocol(&rows, |client, _| {
        let item = client.get::<Item>("none").unwrap().unwrap();
        assert_eq!((item.flags, &item.data[..]), (0xfa52, &b""[..]));
    });
}

#[test]
fn append_and_prepend() {
    let missing = "mc: key: not found, or too large with this\n";
    let rows = [
        Row::new(&["append", "key", "x"], 1, "", missing),
        Row::new(&["prepend", "key", "x"], 1, "", missing),
        Row::new(&["set", "key", "two,", "--expiry", "1h"], 0, "", ""),
        Row::new(&["append", "key", "three"], 0, "", ""),
        Row::new(&["prepend", "key", "one,"], 0, "", ""),
        Row::new(&["append", "key"], 0, "", "").input(",four\n"),
        Row::new(&["prepend", "key", "-1"], 0, "", ""),
        Row::new(&["get", "key"], 0, "-1one,two,three,four\n\n", ""),
        Row::new(
            &["append", "a b", "x"],
            2,
            "",
            "mc: append: key: byte 0x20 at position 1",
        ),
    ];
    in_every_protocol(&rows, |client, server| {
        assert_eq!(client.get::<Item>("key").unwrap().unwrap().flags, 274);
        server.clock().advance(Duration::from_secs(3601));
        assert_eq!(client.get::<Item>("key").unwrap(), None);
    });
}

#[test]
fn counters() {
    let missing = "mc: hits: not found\n";
    let rows = [
        Row::new(&["incr", "hits"], 1, "", missing),
        Row::new(&["decr", "hits", "2"], 1, "", missing),
        Row::new(
            &["incr", "hits", "--initial", "5", "--expiry", "1h"],
            0,
            "5\n",
            "",
        ),
        Row::new(&["incr", "hits", "--initial", "100"], 0, "6\n", ""),
        Row::new(&["incr", "hits", "10"], 0, "16\n", ""),
        Row::new(&["get", "hits"], 0, "16\n", ""),
        Row::new(&["decr", "hits"], 0, "15\n", ""),
        Row::new(&["decr", "hits", "100"], 0, "0\n", ""),
        Row::new(
            &["incr", "hits", "18446744073709551615"],
            0,
            "18446744073709551615\n",
            "",
        ),
        Row::new(&["incr", "hits", "2"], 0, "1\n", ""),
        Row::new(&["decr", "lives", "--initial", "9"], 0, "9\n", ""),
        Row::new(&["set", "text", "seven"], 0, "", ""),
        Row::new(&["incr", "text"], 3, "", "mc: incr on 127"),
        Row::new(&["incr", "hits", "-1"], 2, "", "invalid digit"),
        Row::new(
            &["incr", "hits", "--expiry", "1h"],
            2,
            "",
            "--initial <NUMBER>",
        ),
        Row::new(
            &["incr", "new", "--initial", "1", "--expiry", "0"],
            2,
            "",
            "say never",
        ),
        Row::new(&["decr", "a b"], 2, "", "mc: decr: key: byte 0x20"),
    ];
    in_every_protocol(&rows, |client, server| {
        server.clock().advance(Duration::from_secs(3601));
        assert_eq!(client.get::<u64>("hits").unwrap(), None);
        assert_eq!(client.get::<u64>("lives").unwrap(), Some(9));
    });
}

#[test]
fn touch() {
    let rows = [
        Row::new(&["set", "a", "1"], 0, "", ""),
        Row::new(&["set", "b", "2", "--expiry", "1m"], 0, "", ""),
        Row::new(&["touch", "a", "--expiry", "1h"], 0, "", ""),
        Row::new(
            &["touch", "b", "none", "a b", "--expiry", "never"],
            2,
            "",
            "mc: none: not found\nmc: a b: touch: key: byte 0x20",
        ),
        Row::new(
            &["touch", "b", "none", "--expiry", "never"],
            1,
            "",
            "mc: none: not found\n",
        ),
        Row::new(&["touch", "a"], 2, "", "--expiry <EXPIRY>"),
        Row::new(&["touch", "--expiry", "1h"], 2, "", "<KEY>..."),
        Row::new(&["touch", "a", "--expiry", "0"], 2, "", "say never"),
    ];
    in_every_protocol(&rows, |client, server| {
        let both = || client.get_each::<String, _>(["a", "b"]).all().unwrap();
        server.clock().advance(Duration::from_secs(3500));
        assert_eq!(both(), [Some("1".to_owned()), Some("2".to_owned())]);
        server.clock().advance(Duration::from_secs(102));
        assert_eq!(both(), [None, Some("2".to_owned())]);
    });
}

/// All are sent before the first reply is waited for, which never comes here.
#[test]
fn many_keys_take_one_round_trip() {
    let (server, servers) = server();
    let keys: Vec<String> = (0..100).map(|number| format!("key{number}")).collect();
    let names = || keys.iter().map(String::as_str);
    for command in [
        &["get", "--timeout", "500ms"][..],
        &["get", "--item", "--timeout", "500ms"],
        &["delete", "--timeout", "500ms"],
        &["touch", "--timeout", "500ms", "--expiry", "1h"],
    ] {
        let before = server.received();
        server.inject(Fault::Swallow);
        let arguments: Vec<_> = command.iter().copied().chain(names()).collect();
        let answer = mc(&servers, &arguments, b"");
        assert_eq!(answer.status.code(), Some(3), "{}", text(&answer.stderr));
        assert_eq!(text(&answer.stderr).lines().count(), 100, "{command:?}");
        let keys: usize = names().map(str::len).sum();
        let received = server.received() - before;
        assert!(
            received > keys.try_into().unwrap(),
            "{command:?}: {received}"
        );
    }
}

#[test]
fn which_protocol() {
    let (_server, servers) = server();
    let run = |variable: &str, arguments: &[&str]| {
        let mut command = command("mc", &servers, arguments);
        command
            .env("MEMCACHED_PROTOCOL", variable)
            .output()
            .unwrap()
    };
    // The binary protocol cannot list keys, which tells it from the others.
    let rows: [(&str, &[&str], i32, &str); 6] = [
        ("", &["keys"], 0, ""),
        ("meta", &["keys"], 0, ""),
        ("binary", &["keys"], 3, "the binary protocol has no"),
        ("binary", &["keys", "--protocol", "text"], 0, ""),
        (
            "udp",
            &["ping"],
            2,
            "mc: protocol: \"udp\" is not known; allowed are text, ",
        ),
        ("", &["ping", "--protocol", "udp"], 2, "allowed are text, "),
    ];
    for (variable, arguments, code, error) in rows {
        let answer = run(variable, arguments);
        let said = text(&answer.stderr);
        assert_eq!(answer.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(error), "{arguments:?}: {said}");
    }
}
