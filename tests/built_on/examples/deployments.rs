//! `mc` on deployments of other clients: their keys, their words, and schemes that do not matter.

use super::{NOWHERE, Row, mc, server, text};
use moecache::{Client, KeyTransform, Library};

#[test]
fn keys_that_are_transformed() {
    let (server, servers) = server();
    let base64 = ["--compatible-with", "enyim", "--key-transform", "base64"];
    let with = |arguments: &[&'static str]| [arguments, &base64].concat();
    let (set, get) = (
        with(&["set", "ein Schlüssel", "value"]),
        with(&["get", "ein Schlüssel"]),
    );
    Row::new(&set, 0, "", "").run(&servers);
    Row::new(&get, 0, "value\n", "").run(&servers);
    let plain = Client::new(&server).unwrap();
    let stored = plain.get::<String>("ZWluIFNjaGzDvHNzZWw=").unwrap();
    assert_eq!(stored.as_deref(), Some("value"));

    // As a .NET program prints its proof: the key that the program has, and where the transformed one
    // belongs.
    let client = Client::builder()
        .servers(NOWHERE.split(',').collect::<Vec<_>>())
        .compatible_with(Library::Enyim)
        .key_transform(KeyTransform::Base64)
        .build()
        .unwrap();
    let keys = (0..300).map(|number| format!("key:{number}"));
    let lines = keys.map(|key| format!("{key}\t{}\n", client.server_for(&key).unwrap()));
    let lines: String = lines.collect();
    let same = "300 placements checked: all the same\n";
    Row::new(&with(&["ring", "verify", "-"]), 0, same, "")
        .input(&lines)
        .run(NOWHERE);
    let without = ["ring", "verify", "-", "--compatible-with", "enyim"];
    let answer = mc(NOWHERE, &without, lines.as_bytes());
    assert_eq!(answer.status.code(), Some(1), "{}", text(&answer.stdout));
    let unknown = ["get", "key", "--key-transform", "rot13"];
    Row::new(&unknown, 2, "", "allowed are none, base64, sha1, tiger").run(&servers);
}

#[test]
fn which_bytes_a_key_has_and_how_many() {
    let (_server, servers) = server();
    let rows = [
        Row::new(&["set", "ключ", "value"], 2, "", "key_bytes to non-ascii"),
        Row::new(
            &["set", "ключ", "value", "--key-bytes", "non-ascii"],
            0,
            "",
            "",
        ),
        Row::new(
            &["get", "ключ", "--key-bytes", "non-ascii"],
            0,
            "value\n",
            "",
        ),
        Row::new(
            &["where", "a key", "--key-bytes", "any"],
            2,
            "",
            "choose meta or binary",
        ),
        Row::new(
            &[
                "set",
                "a key",
                "value",
                "--key-bytes",
                "any",
                "--protocol",
                "meta",
            ],
            0,
            "",
            "",
        ),
        Row::new(
            &["get", "a key", "--key-bytes", "any", "--protocol", "meta"],
            0,
            "value\n",
            "",
        ),
        Row::new(
            &["get", "key", "--key-bytes", "few"],
            2,
            "",
            "allowed are printable, non-ascii",
        ),
        Row::new(
            &["get", "key12", "--max-key-length", "4"],
            2,
            "",
            "1 to 4 are allowed",
        ),
        Row::new(
            &["get", "key1", "--max-key-length", "4"],
            1,
            "",
            "key1: not found",
        ),
        Row::new(
            &["get", "key1", "--max-key-length", "251"],
            2,
            "",
            "max_key_length",
        ),
    ];
    for row in rows {
        row.run(&servers);
    }
}

/// .NET and Go print the addresses of host names, Java the names of addresses.
#[test]
fn placements_by_address_and_by_name() {
    let keys = keys();
    let scheme = "--compatible-with=gomemcache";
    let verify = ["ring", "verify", "-", scheme];
    let same = "100 placements checked: all the same\n";
    for (servers, from, to) in [
        (
            "localhost:5001,localhost:5002,10.0.0.3",
            "localhost",
            "127.0.0.1",
        ),
        (
            "127.0.0.1:5001,127.0.0.1:5002,10.0.0.3",
            "127.0.0.1",
            "localhost",
        ),
        ("[::1]:5001,[0:0::1]:5002,10.0.0.3", "[0:0::1]", "[::1]"),
    ] {
        let placed = mc(servers, &["where", scheme], keys.as_bytes());
        let lines = text(&placed.stdout).lines().map(|line| {
            let (key, server) = (line.split('\t').next(), line.rsplit('\t').next());
            format!("{}\t{}\n", key.unwrap(), server.unwrap().replace(from, to))
        });
        let lines: String = lines.collect();
        assert!(lines.contains(to), "{lines}");
        Row::new(&verify, 0, same, "").input(&lines).run(servers);
    }
    // Of another machine, or of two servers at once.
    let another = "key\t127.0.0.1:5003\n";
    Row::new(&verify, 2, "", "is none of the servers")
        .input(another)
        .run("localhost:5001");
    let both = "localhost:5001,127.0.0.1:5001";
    Row::new(&verify, 2, "", "is none of the servers")
        .input("key\t[::ffff:7f00:1]:5001\n")
        .run(both);
}

#[test]
fn a_server_that_is_listed_twice() {
    let servers = "10.0.0.1,10.0.0.2,10.0.0.1";
    let keys = keys();
    let scheme = "--compatible-with=gomemcache";
    let placed = mc(servers, &["where", scheme], keys.as_bytes());
    let placed = text(&placed.stdout);
    assert!(placed.contains("\t0\t10.0.0.1:11211\n") && placed.contains("\t1\t10.0.0.2:11211\n"));
    let verify = ["ring", "verify", "-", scheme];
    let same = "100 placements checked: all the same\n";
    let by_name = placed.lines().map(|line| {
        let mut fields = line.split('\t');
        format!("{}\t{}\n", fields.next().unwrap(), fields.nth(1).unwrap())
    });
    let by_name: String = by_name.collect();
    Row::new(&verify, 0, same, "").input(&by_name).run(servers);
    // By the places of the list that was given.
    let by_place = by_name.lines().map(|line| {
        let key = line.split('\t').next().unwrap();
        format!("{key}\t{}\n", crc32fast::hash(key.as_bytes()) % 3)
    });
    let by_place: String = by_place.collect();
    Row::new(&verify, 0, same, "").input(&by_place).run(servers);
}

/// What asks whole servers does not care for the scheme.
#[test]
fn a_scheme_that_does_not_matter() {
    let (server, servers) = server();
    let client = Client::new(&server).unwrap();
    client.set("key1", "value", 0).unwrap();
    for wrong in [
        &["--compatible-with", "pylibmc:ketama"][..],
        &["--compatible-with", "nonsense"],
        &["--distribution", "ring"],
        &["--hash", "sha3"],
    ] {
        let with = |arguments: &[&'static str]| [arguments, wrong].concat();
        for arguments in [
            &["stats"][..],
            &["stats", "--json"],
            &["version"],
            &["ping"],
        ] {
            let answer = mc(&servers, &with(arguments), b"");
            let said = text(&answer.stderr);
            assert_eq!(
                answer.status.code(),
                Some(0),
                "{arguments:?} {wrong:?}: {said}"
            );
            assert!(!answer.stdout.is_empty(), "{arguments:?}");
            assert!(said.contains("this command places no keys"), "{said}");
        }
        Row::new(&with(&["keys"]), 0, "key1\n", "goes on").run(&servers);
        Row::new(&with(&["get", "key1"]), 2, "", "mc: ").run(&servers);
        Row::new(&with(&["where", "key1"]), 2, "", "mc: ").run(&servers);
    }
    // A host name where addresses are hashed.
    let named = servers.replace("127.0.0.1", "localhost");
    let enyim = ["version", "--compatible-with", "enyim"];
    let answer = mc(&named, &enyim, b"");
    assert_eq!(answer.status.code(), Some(0), "{}", text(&answer.stderr));
    // What else is wrong still counts.
    Row::new(&["stats", "--compatible-with", "ketama"], 2, "", "mc: ").run("a b");
    Row::new(
        &["version", "--compatible-with", "nonsense"],
        2,
        "",
        "mc: peer",
    )
    .run("a,,b");
}

#[test]
fn whose_keys_they_are_is_asked() {
    let (_one, a) = server();
    let (_two, b) = server();
    let both = format!("{a},{b}");
    let question = "--compatible-with: `mc schemes` lists them";
    Row::new(&["get", "key"], 1, "", question).run(&both);
    for (arguments, servers) in [
        (&["get", "key", "--compatible-with", "pylibmc"][..], &both),
        (&["get", "key", "--distribution", "dalli:ring"], &both),
        (&["get", "key"], &a),
    ] {
        let answer = mc(servers, arguments, b"");
        assert_eq!(
            text(&answer.stderr),
            "mc: key: not found\n",
            "{arguments:?}"
        );
    }
}

/// A hundred, one a line.
fn keys() -> String {
    let keys: Vec<String> = (0..100).map(|number| format!("key:{number}")).collect();
    keys.join("\n")
}
