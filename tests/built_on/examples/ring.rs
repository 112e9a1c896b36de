//! `mc ring`, `mc where --explain` and `mc schemes`.

use super::{NOWHERE, Row, command, mc, text};
use moecache::{Library, Scheme};
use serde_json::Value;
use std::fs;
use std::path::Path;

#[test]
fn schemes() {
    let answer = mc("nobody:1", &["schemes"], b"");
    let lines: Vec<&str> = text(&answer.stdout).lines().collect();
    let names = lines.iter().map(|line| line.split('\t').next().unwrap());
    let peers = Library::ALL.iter().map(Library::to_string);
    let all: Vec<String> = peers
        .chain(Scheme::all().map(|it| it.to_string()))
        .collect();
    assert_eq!(names.collect::<Vec<_>>(), all);
    for line in [
        "pylibmc\tpylibmc:modula/default",
        "pyermc\tpyermc:single",
        "libmemcached:consistent/md5\tpylibmc:consistent/md5\tphp-memcached:consistent/md5",
        "enyimmemcachedcore:LegacyNodeLocator\tenyimmemcachedcore-messagepack:LegacyNodeLocator",
        "dalli:ring",
    ] {
        assert!(lines.contains(&line), "{line}: {lines:#?}");
    }
    // Behind the tabs are other names of the same placement.
    for line in lines {
        let of = |name: &str| {
            let scheme: Scheme = name.parse().unwrap();
            (scheme.distribution(), scheme.hash())
        };
        let placements: Vec<_> = line.split('\t').map(of).collect();
        assert!(placements.iter().all(|it| *it == placements[0]), "{line}");
    }
}

#[test]
fn which_scheme() {
    let servers = "[::1]:11211,[::2]:11211,[::3]:11211";
    let run = |variable: &str, arguments: &[&str]| {
        let mut command = command("mc", servers, &["where", "key1"]);
        let command = command.args(arguments);
        let command = command.env("MEMCACHED_COMPATIBLE_WITH", variable);
        command.output().unwrap()
    };
    let (moecache, enyim) = ("key1\t2\t[::3]:11211\n", "key1\t0\t[::1]:11211\n");
    let rows: [(&str, &[&str], i32, &str, &str); 8] = [
        ("", &[], 0, moecache, ""),
        ("enyim", &[], 0, enyim, ""),
        ("enyim", &["--compatible-with", "moecache"], 0, moecache, ""),
        ("", &["--compatible-with", "enyim"], 0, enyim, ""),
        (
            "",
            &[
                "--compatible-with",
                "enyim:DefaultNodeLocator",
                "--distribution",
                "moecache:default",
            ],
            0,
            moecache,
            "",
        ),
        (
            "ketama",
            &[],
            2,
            "",
            "mc: peer: \"ketama\" is not known; allowed are ",
        ),
        ("", &["--compatible-with", "enyim:x"], 2, "", "enyim has no"),
        ("", &["--hash", "md5"], 2, "", "mc: hash: the distribution"),
    ];
    for (variable, arguments, code, output, error) in rows {
        let answer = run(variable, arguments);
        let said = text(&answer.stderr);
        assert_eq!(answer.status.code(), Some(code), "{arguments:?}: {said}");
        assert_eq!(text(&answer.stdout), output, "{arguments:?}");
        assert!(said.contains(error), "{arguments:?}: {said}");
    }
}

#[test]
fn explain() {
    let answer = mc(NOWHERE, &["where", "--explain"], b"key1\na b\nkey2\n");
    assert_eq!(answer.status.code(), Some(2));
    let bad = "mc: line 2: \"a b\": explain: key: byte 0x20";
    assert!(text(&answer.stderr).starts_with(bad));
    let blocks: Vec<&str> = text(&answer.stdout).split_terminator("\n\n").collect();
    assert_eq!(blocks.len(), 2, "{blocks:#?}");
    for (block, key) in blocks.iter().zip(["key1", "key2"]) {
        assert!(block.starts_with(&format!("key     {key}\n")), "{block}");
        let end = "\nserver  1: 10.0.0.2:11211\nscheme  moecache:default";
        assert!(block.ends_with(end), "{block}");
    }
}

#[test]
fn shares_of_keys() {
    let keys = "key1\nkey2\na b\nkey3\n";
    let wrong = "mc: line 3: \"a b\": server_for: key: byte 0x20";
    let answer = mc(NOWHERE, &["ring", "--keys", "-"], keys.as_bytes());
    assert_eq!(answer.status.code(), Some(2));
    assert!(text(&answer.stderr).starts_with(wrong));
    let lines: Vec<&str> = text(&answer.stdout).lines().collect();
    assert_eq!(lines.len(), 4, "{lines:#?}");
    assert!(lines[0].starts_with("SERVER ") && lines[0].ends_with(" OF KEYS"));
    for (line, server) in lines[1..].iter().zip(NOWHERE.split(',')) {
        assert!(line.starts_with(server), "{line}");
    }
    let json = ["ring", "--json", "--keys", "-"];
    let answer = mc(NOWHERE, &json, b"key1\nkey2\n");
    let shares: Value = serde_json::from_slice(&answer.stdout).unwrap();
    let count = |server: usize| shares[server]["keys"].as_u64().unwrap();
    assert_eq!([count(0), count(1)], [0, 2]);
    assert_eq!(shares[1]["server"], "10.0.0.2:11211");
}

/// The bar of the server with the most is 40 characters long, and the others are in proportion.
#[test]
fn shares_of_made_keys() {
    let servers = "10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4";
    let answer = mc(servers, &["ring", "--json"], b"");
    let shares: Vec<Value> = serde_json::from_slice(&answer.stdout).unwrap();
    let counts = shares.iter().map(|it| it["keys"].as_u64().unwrap());
    assert_eq!(counts.clone().sum::<u64>(), 100_000);
    let keys = counts.map(|keys| f64::from(u32::try_from(keys).unwrap()));
    let parts: Vec<f64> = shares
        .iter()
        .zip(keys)
        .map(|(it, keys)| {
            let of_keys = keys / 100_000.0;
            let exact = it["share"].as_f64().unwrap();
            assert!((exact - of_keys).abs() < 0.01, "{exact} {of_keys}");
            exact
        })
        .collect();
    let largest = parts.iter().copied().fold(0.0, f64::max);

    let answer = mc(servers, &["ring"], b"");
    let lines: Vec<&str> = text(&answer.stdout).lines().collect();
    for (line, part) in lines[1..].iter().zip(&parts) {
        let percent = format!(" {:.2} %", part * 100.0);
        assert!(line.contains(&percent), "{line}");
        let bar = line.rsplit(' ').next().unwrap();
        let whole = bar.chars().filter(|&c| c == '█').count();
        let width = u32::try_from(whole).map(f64::from).unwrap();
        let expected = part / largest * 40.0;
        assert!((expected - width - 0.5).abs() < 0.6, "{line}: {expected}");
    }
    assert!(lines[5].starts_with("largest / smallest "), "{}", lines[5]);
}

#[test]
fn a_chart() {
    let servers = "10.0.0.1,cache-b.example.com:11213,/run/a&b.sock";
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mc-ring.svg");
    let file = path.to_str().unwrap();
    let with = mc(servers, &["ring", "--svg", file], b"");
    assert!(with.status.success(), "{}", text(&with.stderr));
    assert_eq!(with.stdout, mc(servers, &["ring"], b"").stdout);
    let svg = fs::read_to_string(&path).unwrap();
    assert!(
        svg.starts_with("<svg ") && svg.ends_with("</svg>\n"),
        "{svg}"
    );
    for part in [
        "by moecache:default<",
        ">10.0.0.1:11211<",
        ">cache-b.example.com:11213<",
        ">/run/a&amp;b.sock<",
        ">3 servers<",
        ">hashes of 32 bits<",
    ] {
        assert!(svg.contains(part), "{part}: {svg}");
    }
    let rows = [
        Row::new(
            &["ring", "--svg", "/nowhere/a.svg"],
            3,
            "",
            "mc: /nowhere/a.svg: ",
        ),
        Row::new(
            &["ring", "--keys", "/nowhere/keys"],
            3,
            "",
            "mc: /nowhere/keys: ",
        ),
        Row::new(
            &["ring", "--keys", "-", "--sample", "1"],
            2,
            "",
            "cannot be used with",
        ),
        Row::new(
            &["ring", "--json", "diff", "a", "b"],
            2,
            "",
            "stand behind that command",
        ),
    ];
    for row in rows {
        row.run(NOWHERE);
    }
}

#[test]
fn diff() {
    // key1 and key2 are on the second of two.
    let keys = "key1\nkey2\n";
    let same = "0 of 2 keys move, 0.00 %\n\
        no placement with these shares moves fewer than 0, 0.00 %\n\
        \n\
        SERVER          BEFORE  AFTER  LEAVE  COME\n\
        10.0.0.1:11211       0      0      0     0\n\
        10.0.0.2:11211       2      2      0     0\n";
    let moved = "2 of 2 keys move, 100.00 %\n\
        no placement with these shares moves fewer than 2, 100.00 %\n\
        \n\
        SERVER          BEFORE  AFTER  LEAVE  COME\n\
        10.0.0.1:11211       0      0      0     0\n\
        10.0.0.2:11211       2      0      2     0\n\
        10.0.0.3:11211       0      2      0     2\n\
        \n\
        FROM            TO              KEYS    OF ALL\n\
        10.0.0.2:11211  10.0.0.3:11211     2  100.00 %  \
        ████████████████████████████████████████\n";
    let ipv6 = "[::1]:11211,[::2]:11211,[::3]:11211";
    let enyim = format!("enyim={ipv6}");
    let rows = [
        Row::new(&["10.0.0.1,10.0.0.2", NOWHERE], 0, same, ""),
        Row::new(&["10.0.0.1,10.0.0.2", "10.0.0.3"], 0, moved, ""),
        Row::new(&["enyim=10.0.0.1,10.0.0.2", "10.0.0.3"], 0, moved, ""),
        Row::new(&["10.0.0.1"], 2, "", "<NEW>"),
        Row::new(
            &["10.0.0.1", "ketama=10.0.0.1"],
            2,
            "",
            "\"ketama\" is not known",
        ),
        Row::new(
            &["10.0.0.1", "a,a"],
            2,
            "",
            "mc: servers: a:11211 is listed twice",
        ),
        Row::new(
            &["/run/a=b.sock", "/run/a b.sock", "--json"],
            0,
            "{\n  \"keys\": 2,\n  \"moved\": 2,\n  \"least\": 2,\n  \"moves\": [\n    {\n      \"from\": \"/run/a=b.sock\",\n      \"to\": \"/run/a b.sock\",\n      \"keys\": 2\n    }\n  ]\n}\n",
            "",
        ),
    ];
    for row in rows {
        let arguments = [&["ring", "diff", "--keys", "-"], row.arguments].concat();
        let row = Row {
            arguments: &arguments,
            input: keys,
            ..row
        };
        row.run("nobody:1");
    }
    let answer = mc("nobody:1", &["ring", "diff", "--json", ipv6, &enyim], b"");
    let changes: Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(changes["keys"], 100_000);
    let moved = changes["moves"].as_array().unwrap().iter();
    let moved: u64 = moved.map(|it| it["keys"].as_u64().unwrap()).sum();
    assert_eq!(changes["moved"], moved);
    assert!(changes["least"].as_u64().unwrap() < moved && moved < 100_000);
}
