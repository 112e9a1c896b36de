//! Values that go in through `mc set` and come out of `mc get`.

use super::{Row, mc, server, text};
use moecache::value::DateTime;
use moecache::{Client, ItemRef};
use std::collections::BTreeMap;
use std::time::Duration;

#[test]
fn every_type_goes_there_and_back() {
    let (_server, servers) = server();
    let rows = [
        ("str", "Some value", "Some value", 274),
        ("str", "", "", 274),
        ("str", "grüß dich", "grüß dich", 274),
        ("bool", "true", "true", 259),
        ("i8", "-128", "-128", 261),
        ("i16", "-32768", "-32768", 263),
        ("i32", "-2147483648", "-2147483648", 265),
        ("i64", "-9223372036854775808", "-9223372036854775808", 267),
        ("u8", "255", "255", 262),
        ("u16", "65535", "65535", 264),
        ("u32", "4294967295", "4294967295", 266),
        ("u64", "18446744073709551615", "18446744073709551615", 268),
        ("f32", "0.1", "0.1", 269),
        ("f64", "2", "2.0", 270),
        ("f64", "-1e300", "-1e300", 270),
        (
            "json",
            r#"{"b": [1, "x"], "a": null}"#,
            r#"{"b":[1,"x"],"a":null}"#,
            0x4d40,
        ),
        ("json", "[1, 2]", "[1,2]", 0x4d40),
        ("json", r#""text""#, "text", 274),
        ("json", "[]", "[]", 0x4d40),
        ("json", "null", "null", 258),
        ("json", "-5", "-5", 267),
    ];
    for (kind, given, got, flags) in rows {
        let got = format!("{got}\n");
        Row::new(&["set", "given", given, "--type", kind], 0, "", "").run(&servers);
        Row::new(&["get", "given"], 0, &got, "").run(&servers);

        for newline in ["", "\n", "\r\n"] {
            let input = format!("{given}{newline}");
            let set = ["set", "--type", kind, "typed"];
            Row::new(&set, 0, "", "").input(&input).run(&servers);
            Row::new(&["get", "typed"], 0, &got, "").run(&servers);
        }

        let items = ["given", "typed"].map(|key| mc(&servers, &["get", "--item", key], b"").stdout);
        let head = format!("flags {flags} (0x{flags:x})  ");
        assert!(
            text(&items[0]).starts_with(&head),
            "{kind}: {}",
            text(&items[0])
        );
        assert_eq!(items[0], items[1], "{kind}");
    }
}

#[test]
fn bytes_are_left_alone() {
    let (_server, servers) = server();
    let every_byte: Vec<u8> = (0..=255).collect();
    for bytes in [&every_byte[..], b"two lines\n\n", b"\r\n", b"\0", b""] {
        let set = mc(&servers, &["set", "key", "--type", "bytes"], bytes);
        assert!(set.status.success(), "{}", text(&set.stderr));
        assert_eq!(mc(&servers, &["get", "key"], b"").stdout, bytes);
    }
    Row::new(&["set", "key", "--type", "bytes", "abc"], 0, "", "").run(&servers);
    Row::new(&["get", "key"], 0, "abc", "").run(&servers);
}

#[test]
fn values_of_others() {
    let (server, servers) = server();
    let client = Client::new(&server).unwrap();
    client.set_counter("counter", 41, 0).unwrap();
    let times = [
        (
            "utc",
            0x48cf_b5ca_130a_6980_u64,
            "2012-12-31T23:59:59.0000000Z\n",
        ),
        (
            "tick",
            0x48dc_38c2_0aba_6ad3,
            "2024-02-29T01:02:03.4567891Z\n",
        ),
        (
            "local",
            0x88d2_6a5c_4896_3400,
            "2015-06-01T08:30:00.0000000Z\n",
        ),
        (
            "unspecified",
            0x08c1_2266_dd19_2000,
            "2000-01-01T12:00:00.0000000\n",
        ),
        (
            "year1",
            0x4000_0000_0000_0000,
            "0001-01-01T00:00:00.0000000Z\n",
        ),
    ];
    for (key, bits, _) in times {
        client
            .set(key, DateTime(i64::from_le_bytes(bits.to_le_bytes())), 0)
            .unwrap();
    }
    let map = BTreeMap::from([(1, vec![0.5_f32]), (2, vec![])]);
    client.set("map", map, 0).unwrap();
    client.set("char", 'ß', 0).unwrap();
    client.set("pickle", ItemRef::new(1, "(dp0\n."), 0).unwrap();
    client.set("short", ItemRef::new(265, "abc"), 0).unwrap();

    Row::new(&["get", "counter"], 0, "41\n", "").run(&servers);
    Row::new(&["get", "map"], 0, "{\"1\":[0.5],\"2\":[]}\n", "").run(&servers);
    Row::new(&["get", "char"], 0, "ß\n", "").run(&servers);
    Row::new(&["get", "pickle"], 3, "", "flags 1: a Python pickle").run(&servers);
    Row::new(
        &["get", "short"],
        3,
        "",
        "an i32 (.NET Int32, flags 265) of 3 bytes",
    )
    .run(&servers);
    for (key, _, shown) in times {
        Row::new(&["get", key], 0, shown, "").run(&servers);
    }
    let dump = "flags 1 (0x1)  6 bytes\n\
        00000000  28 64 70 30 0a 2e                                 |(dp0..|\n";
    Row::new(&["get", "--item", "pickle"], 0, dump, "").run(&servers);
}

#[test]
fn several_keys() {
    let (server, servers) = server();
    let client = Client::new(&server).unwrap();
    client.set("one", "1", 0).unwrap();
    client.set("lines", "a\nb", 0).unwrap();
    client.set_bytes("bytes", b"\x89PNG\r\n", 0).unwrap();
    client.set("pickle", ItemRef::new(1, "."), 0).unwrap();

    let all = "one: 1\nlines: \"a\\nb\"\nbytes: b\"\\x89PNG\\r\\n\"\n";
    let item = "one: flags 274 (0x112)  1 bytes\n\
        00000000  31                                                |1|\n";
    let rows = [
        Row::new(&["get", "one", "lines", "bytes"], 0, all, ""),
        Row::new(
            &["get", "none", "one"],
            1,
            "one: 1\n",
            "mc: none: not found\n",
        ),
        Row::new(
            &["get", "a b", "one"],
            2,
            "one: 1\n",
            "mc: a b: get: key: byte 0x20",
        ),
        Row::new(
            &["get", "pickle", "a b", "one"],
            3,
            "one: 1\n",
            "mc: pickle: get on 127",
        ),
        Row::new(
            &["get", "--item", "one", "none"],
            1,
            item,
            "mc: none: not found\n",
        ),
        Row::new(
            &["delete", "one", "none", "lines"],
            1,
            "",
            "mc: none: not found\n",
        ),
        Row::new(&["delete", "one"], 1, "", "mc: one: not found\n"),
        Row::new(&["get", "one"], 1, "", "mc: one: not found\n"),
        Row::new(&["delete", "bytes", "pickle"], 0, "", ""),
    ];
    for row in rows {
        row.run(&servers);
    }
    assert_eq!(
        client.stats().unwrap()[0]
            .result
            .as_ref()
            .unwrap()
            .curr_items(),
        Some(0)
    );
}

#[test]
fn expiry() {
    let rows = [
        ("90", 90),
        ("90s", 90),
        ("15m", 900),
        ("2h", 7200),
        ("40d", 3_456_000),
    ];
    for (expiry, seconds) in rows {
        // One each: an expiry of over 30 days is a date, and the clocks must agree on that.
        let (server, servers) = server();
        Row::new(&["set", "key", "value", "--expiry", expiry], 0, "", "").run(&servers);
        server.clock().advance(Duration::from_secs(seconds - 60));
        Row::new(&["get", "key"], 0, "value\n", "").run(&servers);
        server.clock().advance(Duration::from_secs(62));
        Row::new(&["get", "key"], 1, "", "not found").run(&servers);
    }
    for never in [&[][..], &["--expiry", "never"]] {
        let (server, servers) = server();
        let arguments = [&["set", "key", "value"], never].concat();
        Row::new(&arguments, 0, "", "").run(&servers);
        server.clock().advance(Duration::from_secs(100_000_000));
        Row::new(&["get", "key"], 0, "value\n", "").run(&servers);
    }
}
