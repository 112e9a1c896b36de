//! `mc --prefix`: what every key begins with.

use super::{NOWHERE, Row, mc, server, text};
use moecache::Client;

#[test]
fn of_what_is_stored() {
    let (server, servers) = server();
    let rows = [
        Row::new(&["set", "key", "value", "--prefix", "app:"], 0, "", ""),
        Row::new(&["get", "key", "--prefix", "app:"], 0, "value\n", ""),
        Row::new(&["get", "app:key"], 0, "value\n", ""),
        Row::new(&["get", "key"], 1, "", "mc: key: not found"),
        Row::new(&["get", "key", "--prefix", "a b"], 2, "", "mc: prefix: "),
    ];
    for row in rows {
        row.run(&servers);
    }
    let plain = Client::new(&server).unwrap();
    let stored = plain.get::<String>("app:key").unwrap();
    assert_eq!(stored.as_deref(), Some("value"));
}

fn keys(prefix: &str) -> String {
    let keys = (0..300).map(|number| format!("{prefix}key:{number}\n"));
    keys.collect()
}

/// On which server each key is, by its place in the list.
fn places(arguments: &[&str], keys: &str) -> Vec<String> {
    let answer = mc(NOWHERE, arguments, keys.as_bytes());
    assert_eq!(text(&answer.stderr), "", "{arguments:?}");
    let lines = text(&answer.stdout).lines();
    let places = lines.map(|line| line.split('\t').nth(1).unwrap().to_owned());
    places.collect()
}

#[test]
fn of_what_is_placed() {
    let (plain, whole) = (keys(""), keys("app:"));
    let scheme = "--compatible-with=pylibmc:consistent/md5";
    let without = places(&["where", scheme], &plain);
    let with = places(&["where", scheme], &whole);
    assert_ne!(without, with);
    let prefix = ["where", scheme, "--prefix", "app:"];
    assert_eq!(places(&prefix, &plain), without);
    let hashed = [&prefix[..], &["--prefix-placement", "hashed"]].concat();
    assert_eq!(places(&hashed, &plain), with);
    let unknown = [&prefix[..], &["--prefix-placement", "first"]].concat();
    Row::new(&unknown, 2, "", "allowed are hashed, left-out").run(NOWHERE);

    let shares = |keys: &str, arguments: &[&str]| {
        let arguments = [&["ring", "--json", "--keys", "-"], arguments].concat();
        mc(NOWHERE, &arguments, keys.as_bytes()).stdout
    };
    assert_eq!(shares(&plain, &["--prefix", "app:"]), shares(&whole, &[]));
    assert_ne!(shares(&plain, &[]), shares(&whole, &[]));
}

/// The servers tell keys with their prefix, by which libmemcached does not place them.
#[test]
fn of_what_was_recorded() {
    let scheme = "--compatible-with=libmemcached:consistent/md5";
    let lines = mc(NOWHERE, &["where", scheme], keys("").as_bytes()).stdout;
    let lines = text(&lines).lines().map(|line| format!("app:{line}\n"));
    let recorded = lines.collect::<String>();
    let run = |arguments: &[&str], input: &str| {
        let arguments = [&["ring"], arguments, &["-"]].concat();
        let answer = mc(NOWHERE, &arguments, input.as_bytes());
        let said = text(&answer.stderr).to_owned();
        (answer.status.code(), text(&answer.stdout).to_owned(), said)
    };
    let same = "300 placements checked: all the same\n".to_owned();
    let prefix = ["verify", scheme, "--prefix", "app:"];
    assert_eq!(run(&prefix, &recorded), (Some(0), same, String::new()));
    let (code, found, _) = run(&["identify", "--prefix", "app:"], &recorded);
    assert_eq!(code, Some(0));
    let is_found = found.lines().any(|it| it == "libmemcached:consistent/md5");
    assert!(is_found, "{found}");

    // Without it they are elsewhere, and it is asked for.
    for arguments in [&["verify", scheme][..], &["identify"]] {
        let (code, _, said) = run(arguments, &recorded);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.ends_with(" And the prefix: --prefix?\n"), "{said}");
    }
    let hashed = [&prefix[..], &["--prefix-placement", "hashed"]].concat();
    let (code, out, said) = run(&hashed, &recorded);
    assert_eq!(code, Some(1), "{said}");
    assert!(out.starts_with("line 2: app:key:1\n"), "{out}");
    assert!(!said.contains("--prefix"), "{said}");

    for input in ["app:key1\t0\nkey1\t0\n", "#\n{\"keys\": [[\"key1\", 0]]}\n"] {
        let (code, _, said) = run(&prefix, input);
        assert_eq!(code, Some(2), "{said}");
        let error = "mc: line 2: the key key1 does not begin with the prefix app:";
        assert!(said.starts_with(error), "{said}");
    }
}
