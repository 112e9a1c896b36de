//! `mc keys`.

use super::{Row, mc, server, stopped, text};
use moecache::{Client, KeyBytes, Protocol};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};

#[test]
fn one_a_line() {
    let (one, one_text) = server();
    let (other, other_text) = server();
    let client = Client::new([&one, &other].map(moecache::Server::from)).unwrap();
    let keys: HashSet<String> = (0..500).map(|number| format!("key:{number}")).collect();
    let items = keys.iter().map(|key| (key, 1));
    client.set_many(items, 0).all().unwrap();
    let servers = format!("{one_text},{other_text}");
    let listed = mc(&servers, &["keys"], b"");
    assert!(listed.status.success(), "{}", text(&listed.stderr));
    let lines: Vec<String> = text(&listed.stdout).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 500);
    assert_eq!(HashSet::from_iter(lines), keys);

    // What is listed can be taken up again.
    let deleted = mc(&servers, &["where"], &listed.stdout);
    assert_eq!(text(&deleted.stdout).lines().count(), 500);
}

#[test]
fn none() {
    let (_server, servers) = server();
    Row::new(&["keys"], 0, "", "").run(&servers);
    Row::new(&["keys", "--json"], 0, "", "").run(&servers);
    Row::new(&["keys", "--json", "--long"], 2, "", "cannot be used with").run(&servers);
}

#[test]
fn keys_of_any_bytes() {
    let (server, servers) = server();
    let client = Client::builder()
        .servers(&server)
        .protocol(Protocol::Binary)
        .key_bytes(KeyBytes::Any)
        .build()
        .unwrap();
    let rows: [(&[u8], &str, Value); 5] = [
        (b"a\"b\\c", "a\"b\\c", json!("a\"b\\c")),
        ("grüß".as_bytes(), "grüß", json!("grüß")),
        (b"two words", "b\"two words\"", json!("two words")),
        (b"\x1b[2J\n", "b\"\\x1b[2J\\n\"", json!("\u{1b}[2J\n")),
        (b"\xff\x00", "b\"\\xff\\x00\"", json!([255, 0])),
    ];
    for (key, shown, in_json) in rows {
        client.set(key, 1, 0).unwrap();
        Row::new(&["keys"], 0, &format!("{shown}\n"), "").run(&servers);
        let json = mc(&servers, &["keys", "--json"], b"").stdout;
        assert_eq!(text(&json).lines().count(), 1);
        let json: Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["key"], in_json);
        assert!(client.delete(key).unwrap());
    }
}

#[test]
fn long_and_json() {
    let (server, servers) = server();
    let client = Client::new(&server).unwrap();
    client.set("forever", "value", 0).unwrap();
    client.set("for_2h", "value", 7230).unwrap();
    client.get::<String>("for_2h").unwrap();

    let long = mc(&servers, &["keys", "--long"], b"");
    let mut lines: Vec<Vec<&str>> = text(&long.stdout)
        .lines()
        .map(|line| {
            line.split("  ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .collect()
        })
        .collect();
    assert_eq!(
        lines.remove(0),
        ["SIZE", "EXPIRES", "ACCESSED", "READ", "SERVER", "KEY"]
    );
    lines.sort_by_key(|cells| cells[5]);
    let cells = |line: usize| [1, 3, 4, 5].map(|cell| lines[line][cell]);
    assert_eq!(cells(0), ["2h 0m", "yes", &servers, "for_2h"]);
    assert_eq!(cells(1), ["never", "no", &servers, "forever"]);
    for line in &lines {
        assert!(
            (50..100).contains(&line[0].parse::<u32>().unwrap()),
            "{line:?}"
        );
        assert!(line[2].ends_with('s'), "{line:?}");
    }

    let json = mc(&servers, &["keys", "--json"], b"");
    let mut entries: Vec<Value> = text(&json.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    entries.sort_by_key(|entry| entry["key"].to_string());
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let [short, forever] = &entries[..] else {
        panic!("{entries:#?}");
    };
    assert_eq!(
        (&short["key"], &forever["key"]),
        (&json!("for_2h"), &json!("forever"))
    );
    assert!(short["expiry"].as_u64().unwrap().abs_diff(now + 7230) < 30);
    assert_eq!(forever.get("expiry"), Some(&Value::Null));
    for entry in &entries {
        assert_eq!(entry["server"], *servers);
        assert!(entry["last_access"].as_u64().unwrap().abs_diff(now) < 30);
        assert!(entry["cas"].is_u64() && entry["class"].is_u64() && entry["size"].is_u64());
    }
    assert_eq!(
        (&short["fetched"], &forever["fetched"]),
        (&json!(true), &json!(false))
    );
}

#[test]
fn a_server_that_is_down_does_not_hide_the_others() {
    let (up, up_text) = server();
    let (_down, down_text) = stopped();
    Client::new(&up).unwrap().set("key", 1, 0).unwrap();
    let error = format!("mc: keys on {down_text}: cannot connect: ");
    Row::new(&["keys"], 3, "key\n", &error).run(&format!("{down_text},{up_text}"));
}

#[cfg(unix)]
#[test]
fn over_a_unix_socket() {
    let path = std::env::temp_dir().join(format!("mc-keys-{}.sock", std::process::id()));
    let builder = moecache::testing::Server::builder().unix_socket(&path);
    let _server = builder.start().unwrap();
    let path = path.to_str().unwrap();
    for servers in [path.to_owned(), format!("unix:{path}")] {
        Row::new(&["set", "key", "value"], 0, "", "").run(&servers);
        Row::new(&["get", "key"], 0, "value\n", "").run(&servers);
        Row::new(&["where", "key"], 0, &format!("key\t0\t{path}\n"), "").run(&servers);
        Row::new(&["keys"], 0, "key\n", "").run(&servers);
        let version = mc(&servers, &["version"], b"");
        assert!(text(&version.stdout).contains(path));
    }
}
