//! `mc ring verify` and `mc ring identify`.

use super::{NOWHERE, Row, mc, spawn, text};
use std::io::Write;

const SAME: &str = "2 placements checked: all the same\n";

/// Where key1 and key2 are: on the second server.
#[test]
fn every_form_of_record() {
    let objects = [
        r#"{"peer":"moecache","version":"1.0","scheme":"default","servers":[{"host":"10.0.0.1","port":11211,"weight":1},{"host":"10.0.0.2","port":11211,"weight":1}],"keys":[["key1",1],["key2",1]]}"#,
        r#"{"scheme":"moecache:default","servers":["10.0.0.1","10.0.0.2:11211:7"],"keys":[["key1","10.0.0.2"],["key2",1]]}"#,
        r#"{"peer":"moecache","servers":[{"host":"10.0.0.1"},{"host":"10.0.0.2"}],"keys":[["key1",1],["key2",1]]}"#,
    ];
    for object in objects {
        let verify = Row::new(&["ring", "verify", "-"], 0, SAME, "");
        verify.input(object).run("nobody:1");
    }
    let lines = [
        "key1\t1\nkey2\t1\n",
        "key1\t1\r\nkey2\t1\r\n",
        "key1\t10.0.0.2:11211\n\nkey2\t10.0.0.2",
        "key1 1\nkey2   10.0.0.2:11211 1\n",
        "key1\t1\t10.0.0.2:11211\nkey2\t1\t10.0.0.2:11211\n",
        "{\"keys\": [[\"key1\", 1]]}\nkey2\t1\n",
        "# of today\n\nkey1\t1\n#key3\t0\nkey2\t1\n",
    ];
    for input in lines {
        let verify = Row::new(&["ring", "verify", "-"], 0, SAME, "");
        verify.input(input).run(NOWHERE);
    }
    // A key may look like JSON.
    let verify = ["ring", "verify", "-"];
    let one = "1 placements checked: all the same\n";
    let braces = "{user:7}\t0\n";
    Row::new(&verify, 0, one, "").input(braces).run("10.0.0.1");
    // What `mc where` says now can be checked later.
    let keys: Vec<String> = (0..300).map(|number| format!("key:{number}")).collect();
    let placed = mc(NOWHERE, &["where"], keys.join("\n").as_bytes());
    let answer = mc(NOWHERE, &verify, &placed.stdout);
    assert_eq!(
        text(&answer.stdout),
        "300 placements checked: all the same\n"
    );
}

#[test]
fn records_that_are_none() {
    let rows = [
        ("", "mc: -: no placements are in it"),
        ("{\"keys\": []}\n", "mc: -: no placements are in it"),
        (
            "key1\t1\nkey2\n",
            "mc: line 2: a key and its server are needed, with a tab between them: the server by its",
        ),
        (
            "key1\t2\n",
            "mc: line 1: server 2; there are 2, counted from 0",
        ),
        ("key1\t-1\n", "mc: line 1: \"-1\" is none of the servers"),
        (
            "key1\tc:1\n",
            "is none of the servers; allowed are 10.0.0.1:11211, 10.0.0.2:11211, or their places",
        ),
        (
            "key1\t0\t10.0.0.2\n",
            "mc: line 1: \"10.0.0.2\" is another server than",
        ),
        ("key1\t\u{7f}\u{7f}\n", "is none of the servers"),
        ("{\"key\": 1}\n", "mc: line 1: missing field `keys`"),
        ("{\"key\": 1}\n", "; allowed is {\"peer\", "),
        ("{\"keys\": [[\"key1\", true]]}\n", "mc: line 1: "),
        ("k\u{e9}y1\t1\n", "mc: line 1: server_for: key: byte 0xc3"),
        (
            "{\"peer\": \"ketama\", \"keys\": [[\"a\", 0]]}",
            "peer: \"ketama\" is not known",
        ),
        (
            "{\"servers\": [\"a b\"], \"keys\": [[\"a\", 0]]}",
            "mc: line 1: servers: \"a b\"",
        ),
    ];
    for (input, error) in rows {
        let verify = Row::new(&["ring", "verify", "-"], 2, "", error);
        verify.input(input).run(NOWHERE);
    }
    for other in [
        &b"\xff\xfek\0\t\x001\0"[..],
        b"\x7fELF\x02\x80\n",
        b"key\t\xff\n",
    ] {
        let answer = mc(NOWHERE, &["ring", "verify", "-"], other);
        assert_eq!(answer.status.code(), Some(2));
        let error = "mc: line 1: not a text file of key<TAB>server\n";
        assert_eq!(text(&answer.stderr), error);
    }
    let missing = ["ring", "verify", "/nowhere/records"];
    Row::new(&missing, 3, "", "mc: /nowhere/records: ").run(NOWHERE);
    Row::new(&["ring", "verify"], 2, "", "<FILE>").run(NOWHERE);
}

/// The first that differs is explained, and all are counted.
#[test]
fn a_difference() {
    let answer = mc(
        NOWHERE,
        &["ring", "verify", "-"],
        b"key1\t1\nkey2\t0\nkey2\t0\n",
    );
    assert_eq!(answer.status.code(), Some(1));
    let said = text(&answer.stderr);
    assert!(said.starts_with("mc: `mc ring identify` "), "{said}");
    let lines: Vec<&str> = text(&answer.stdout).lines().collect();
    let first = [
        "line 2: key2",
        "  recorded on 0: 10.0.0.1:11211",
        "  placed so:",
    ];
    assert_eq!(lines[..3], first);
    assert_eq!(lines[3], "    key     key2");
    assert!(lines.contains(&"    server  1: 10.0.0.2:11211"));
    assert!(lines.contains(&"    scheme  moecache:default"));
    assert_eq!(*lines.last().unwrap(), "3 placements checked: 2 differ");
}

/// As behind `| head -1`, which may be gone before anything is written.
#[test]
fn a_difference_that_nobody_reads() {
    for (record, code) in [("key1\t0\n", 1), ("key1\t1\n", 0)] {
        let mut child = spawn("mc", NOWHERE, &["ring", "verify", "-"]);
        drop(child.stdout.take());
        let mut input = child.stdin.take().unwrap();
        input.write_all(record.as_bytes()).unwrap();
        drop(input);
        let answer = child.wait_with_output().unwrap();
        assert_eq!(answer.status.code(), Some(code), "{record}");
        assert!(!text(&answer.stderr).contains("pipe"));
    }
}

/// IPv6 tells Python's moecache from .NET's Enyim, and other addresses do not.
#[test]
fn identify() {
    let keys: Vec<String> = (0..300).map(|number| format!("key:{number}")).collect();
    let keys = keys.join("\n");
    let identified = |servers: &str, scheme: &str| {
        let arguments = ["where", "--compatible-with", scheme];
        let placed = mc(servers, &arguments, keys.as_bytes());
        let answer = mc(servers, &["ring", "identify", "-"], &placed.stdout);
        assert!(answer.status.success(), "{}", text(&answer.stderr));
        text(&answer.stdout).to_owned()
    };
    let ipv6 = "[::1]:11211,[::2]:11211,[::3]:11211";
    assert_eq!(identified(ipv6, "moecache"), "moecache:default\n");
    let names = identified(ipv6, "enyim");
    let enyim = "enyim:DefaultNodeLocator\nenyimmemcachedcore:LegacyNodeLocator\n";
    assert!(names.starts_with(enyim), "{names}");
    let names = identified(NOWHERE, "enyim");
    assert!(
        names.starts_with(&format!("moecache:default\n{enyim}")),
        "{names}"
    );

    // What clients that place alike store is another matter.
    let arguments = ["where", "--compatible-with", "pylibmc:consistent/fnv1a_32"];
    let placed = mc(NOWHERE, &arguments, keys.as_bytes());
    let answer = mc(NOWHERE, &["ring", "identify", "-"], &placed.stdout);
    assert_eq!(
        text(&answer.stderr),
        "mc: these are placements; for values name the client that is there, as in \
         pylibmc:consistent/fnv1a_32 or php-memcached:consistent/fnv1a_32\n"
    );

    // What cannot be tried with host names matters only where nothing else fits.
    let names = "cache-1.invalid,cache-2.invalid";
    let placed = mc(names, &["where"], keys.as_bytes());
    let answer = mc(names, &["ring", "identify", "-"], &placed.stdout);
    let hint = "mc: these are placements; for values name the client that is there\n";
    assert_eq!(text(&answer.stderr), hint);
    let answer = mc(names, &["ring", "identify", "-"], b"key1\t0\nkey1\t1\n");
    let said = text(&answer.stderr);
    assert!(said.starts_with("mc: not tried: enyim:"), "{said}");

    // One key tells little: more are asked for.
    let one = mc(ipv6, &["ring", "identify", "-"], b"key1\t2\n");
    let said = text(&one.stderr);
    assert!(one.status.success(), "{said}");
    assert!(text(&one.stdout).contains("\n\n"), "{}", text(&one.stdout));
    assert!(said.contains("record too where these are: key:"), "{said}");

    // On both servers it cannot be.
    let answer = mc(NOWHERE, &["ring", "identify", "-"], b"key1\t0\nkey1\t1\n");
    assert_eq!(answer.status.code(), Some(1));
    assert_eq!(text(&answer.stdout), "");
    let said = text(&answer.stderr);
    assert!(
        said.contains("no scheme places all 2 keys so; the best are"),
        "{said}"
    );
    assert!(said.contains(": 1, 50.00 %\n"), "{said}");
}
