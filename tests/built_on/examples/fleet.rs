//! `mc stats`, `ping`, `version`, `flush` and `where`.

use super::{NOWHERE, Row, mc, server, spawn, stopped, text};
use moecache::Client;
use moecache::testing::Server;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpListener;
use std::time::Duration;

#[test]
fn stats() {
    let (one, one_text) = server();
    let (_other, other_text) = server();
    Client::new(&one).unwrap().set("key", "value", 0).unwrap();
    let (_down, down_text) = stopped();
    let servers = format!("{one_text},{other_text}");

    let overview = mc(&servers, &["stats"], b"");
    let lines: Vec<_> = text(&overview.stdout).lines().collect();
    let column = |line: usize, name: &str| {
        let end = lines[0].find(name).unwrap() + name.len();
        lines[line][..end].rsplit("  ").next().unwrap().to_owned()
    };
    assert_eq!(lines.len(), 4, "{lines:#?}");
    assert!(lines[1].starts_with(&one_text) && lines[2].starts_with(&other_text));
    assert!(lines[3].starts_with("all "));
    assert_eq!(
        [1, 2, 3].map(|line| column(line, " ITEMS").trim().to_owned()),
        ["1", "0", "1"]
    );

    let settings = mc(&servers, &["stats", "settings"], b"");
    let maxbytes = text(&settings.stdout)
        .lines()
        .find(|line| line.starts_with("maxbytes "))
        .unwrap();
    let values: Vec<_> = maxbytes.split_whitespace().collect();
    assert_eq!(values, ["maxbytes", "67108864", "67108864"]);

    let json = mc(&format!("{servers},{down_text}"), &["stats", "--json"], b"");
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json[0]["server"], *one_text);
    assert_eq!(json[0]["stats"]["curr_items"], 1);
    assert!(json[0]["stats"]["version"].is_string());
    assert_eq!(json[1]["stats"]["curr_items"], 0);
    assert!(
        json[2]["error"]
            .as_str()
            .unwrap()
            .contains("cannot connect")
    );
    assert_eq!(json[2].get("stats"), None);
}

#[test]
fn ping() {
    let (_one, one) = server();
    let (_other, other) = server();
    let answer = mc(&format!("{one},{other}"), &["ping"], b"");
    let lines: Vec<_> = text(&answer.stdout).lines().collect();
    assert!(answer.status.success());
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(
        lines[1].starts_with(&one) && lines[2].starts_with(&other),
        "{lines:#?}"
    );
    assert!(
        lines[1..].iter().all(|line| line.ends_with(" ms")),
        "{lines:#?}"
    );
}

#[test]
fn version() {
    let (_one, one) = server();
    let older = Server::builder().version("1.4.15").start().unwrap();
    let other = older.address().to_string();
    let answer = mc(&format!("{one},{other}"), &["version"], b"");
    let lines = text(&answer.stdout).lines();
    let lines: Vec<Vec<_>> = lines
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert!(answer.status.success());
    assert_eq!(
        lines,
        [["SERVER", "VERSION"], [&one, "1.6.18"], [&other, "1.4.15"]]
    );
}

#[test]
fn flush() {
    let (one, one_text) = server();
    let (other, other_text) = server();
    let servers = format!("{one_text},{other_text}");
    let fleet = [&one, &other];
    let store = || {
        for server in fleet {
            Client::new(server).unwrap().set("key", 1, 0).unwrap();
        }
    };
    let left = || {
        let held = |server: &&Server| Client::new(*server).unwrap().get("key").unwrap() == Some(1);
        fleet.iter().filter(|server| held(server)).count()
    };
    store();

    let asked = format!(
        "mc: flush: this removes all that is stored on {one_text}, {other_text}; if that is meant, \
         say flush --yes\n"
    );
    Row::new(&["flush"], 2, "", &asked).run(&servers);
    Row::new(&["flush", "--delay", "5m"], 2, "", &asked).run(&servers);
    for wrong in ["36500d", "-1", "never"] {
        let arguments = ["flush", "--yes", "--delay", wrong];
        Row::new(&arguments, 2, "", "invalid value").run(&servers);
    }
    assert_eq!(left(), 2);

    let later = mc(&servers, &["flush", "--yes", "--delay", "5m"], b"");
    assert!(later.status.success(), "{}", text(&later.stderr));
    assert_eq!(left(), 2);
    for server in fleet {
        server.clock().advance(Duration::from_secs(302));
    }
    assert_eq!(left(), 0);

    for server in fleet {
        server.clock().advance(Duration::from_secs(2));
    }
    store();
    assert_eq!(left(), 2);
    let (_down, down_text) = stopped();
    let now = mc(&format!("{servers},{down_text}"), &["flush", "--yes"], b"");
    let lines: Vec<_> = text(&now.stdout).lines().collect();
    assert_eq!(now.status.code(), Some(3));
    assert_eq!(lines.len(), 4, "{lines:#?}");
    assert!(
        lines[1].ends_with(" OK") && lines[2].ends_with(" OK") && lines[3].ends_with(" failed")
    );
    assert!(text(&now.stderr).contains("cannot connect"));
    assert_eq!(left(), 0);
}

#[test]
fn where_keys_belong() {
    let both = "key1\t1\t10.0.0.2:11211\nkey2\t1\t10.0.0.2:11211\n";
    let bad = "mc: line 2: \"a b\": server_for: key: byte 0x20";
    let rows = [
        Row::new(&["where"], 0, both, "").input("key1\nkey2\n"),
        Row::new(&["where"], 0, both, "").input("key1\nkey2"),
        Row::new(&["where", "key1", "key2"], 0, both, "").input("ignored\n"),
        Row::new(&["where"], 0, "", ""),
        Row::new(&["where"], 2, both, bad).input("key1\na b\nkey2\n"),
        Row::new(
            &["where"],
            2,
            both,
            "mc: line 2: \"\": server_for: key: empty",
        )
        .input("key1\n\nkey2\n"),
        Row::new(
            &["where", "key1", "a b", "key2"],
            2,
            both,
            "mc: a b: server_for: key: ",
        ),
    ];
    for row in rows {
        row.run(NOWHERE);
    }
    // The option wins over the environment.
    let arguments = ["where", "--servers", NOWHERE, "key1", "key2"];
    Row::new(&arguments, 0, both, "").run("nobody:1");
    // A variable that is set to nothing is as good as none.
    Row::new(&["where", "key1"], 0, "key1\t0\t127.0.0.1:11211\n", "").run("");
}

/// The rings of Python's moecache and of .NET's Enyim differ in how they write IPv6.
#[test]
fn where_by_whose_ring() {
    let servers = "[::1]:11211,[::2]:11211,[::3]:11211";
    Row::new(&["where", "key1"], 0, "key1\t2\t[::3]:11211\n", "").run(servers);
    let enyim = [
        "where",
        "key1",
        "--distribution",
        "enyim:DefaultNodeLocator",
    ];
    Row::new(&enyim, 0, "key1\t0\t[::1]:11211\n", "").run(servers);
    Row::new(&enyim, 2, "", "mc: servers: \"name\" is a host name").run("name");
    let unknown = ["where", "key1", "--distribution", "ketama"];
    Row::new(&unknown, 2, "", "allowed are moecache:default").run(servers);
}

#[test]
fn where_never_connects() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap().to_string();
    Row::new(&["where", "key"], 0, &format!("key\t0\t{server}\n"), "").run(&server);
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn where_answers_before_the_input_ends() {
    let mut child = spawn("mc", NOWHERE, &["where"]);
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for key in ["key1", "key2"] {
        writeln!(input, "{key}").unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, format!("{key}\t1\t10.0.0.2:11211\n"));
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = spawn("mc", NOWHERE, &["where"]);
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "key1").unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut String::new()).unwrap();
    drop(output);
    // Until it is gone, which this end sees as a closed pipe too.
    while writeln!(input, "key2").is_ok() {}
    let mut error = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut error)
        .unwrap();
    assert_eq!(error, "");
    assert!(child.wait().unwrap().success());
}
