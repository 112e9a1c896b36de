//! How `mc` says what is wrong.

use super::{Row, command, mc, server, stopped, text};
use moecache::Client;

#[test]
fn bad_usage() {
    let (server, servers) = server();
    let rows = [
        Row::new(&[], 2, "", "Usage: mc"),
        Row::new(&["gett"], 2, "", "unrecognized subcommand"),
        Row::new(&["get"], 2, "", "<KEY>..."),
        Row::new(&["get", ""], 2, "", "mc: get: key: empty"),
        Row::new(&["set", "a b", "1"], 2, "", "mc: set: key: byte 0x20"),
        Row::new(
            &["set", "a", "1", "--type", "i128"],
            2,
            "",
            "[possible values: str, ",
        ),
        Row::new(
            &["set", "a", "256", "--type", "u8"],
            2,
            "",
            "mc: set: the value is no u8: ",
        ),
        Row::new(
            &["set", "a", "yes", "--type", "bool"],
            2,
            "",
            "the value is no bool: ",
        ),
        Row::new(
            &["set", "a", "{", "--type", "json"],
            2,
            "",
            "the value is no json: ",
        ),
        Row::new(&["set", "a", "1", "--expiry", "0"], 2, "", "say never"),
        Row::new(
            &["set", "a", "1", "--expiry", "2w"],
            2,
            "",
            "a whole number is needed, and a unit",
        ),
        Row::new(&["set", "a", "1", "--expiry", "h"], 2, "", "a whole number"),
        Row::new(
            &["set", "a", "1", "--expiry", "36500d"],
            2,
            "",
            "too long; the longest is 3650d",
        ),
        Row::new(&["get", "a", "--timeout", "0"], 2, "", "mc: timeout: zero"),
        Row::new(&["get", "a", "--servers", ""], 2, "", "mc: servers: "),
        Row::new(
            &["get", "a", "--servers", "a,b:0"],
            2,
            "",
            "mc: servers: \"b:0\"",
        ),
        Row::new(&["stats", "a\nflush_all"], 2, "", "mc: stats: "),
    ];
    for row in rows {
        row.run(&servers);
    }
    let long = "x".repeat(251);
    Row::new(&["get", &long], 2, "", "mc: get: key: 251 bytes").run(&servers);
    let not_utf_8 = mc(&servers, &["set", "key"], b"\xff");
    assert_eq!(
        not_utf_8.status.code(),
        Some(2),
        "{}",
        text(&not_utf_8.stderr)
    );
    let stats = Client::new(&server).unwrap().stats().unwrap();
    assert_eq!(stats[0].result.as_ref().unwrap().cmd_set(), Some(0));
}

#[test]
fn a_server_that_is_down() {
    let (_up, up_text) = server();
    let (_down, down_text) = stopped();
    let cause = format!(" on {down_text}: cannot connect: ");
    let rows: [&[&str]; 11] = [
        &["get", "key"],
        &["add", "key", "value"],
        &["append", "key", "value"],
        &["touch", "key", "--expiry", "1h"],
        &["incr", "key"],
        &["decr", "key", "--initial", "1"],
        &["keys"],
        &["get", "key", "--item"],
        &["set", "key", "value"],
        &["delete", "key"],
        &["get", "key", "other"],
    ];
    for arguments in rows {
        Row::new(arguments, 3, "", &cause).run(&down_text);
    }
    let both = format!("{up_text},{down_text}");
    for arguments in [
        &["ping"][..],
        &["version"],
        &["flush", "--yes"],
        &["stats"],
        &["stats", "settings"],
        &["stats", "--json"],
    ] {
        let answer = mc(&both, arguments, b"");
        assert_eq!(answer.status.code(), Some(3), "{arguments:?}");
        assert!(text(&answer.stderr).contains(&cause), "{arguments:?}");
        assert!(text(&answer.stdout).contains(&up_text), "{arguments:?}");
        assert!(text(&answer.stdout).contains(&down_text), "{arguments:?}");
    }
}

#[test]
fn no_colour_in_a_pipe() {
    let (_server, servers) = server();
    for no_color in ["", "1"] {
        for arguments in [&["stats"][..], &["ping"], &["--help"], &["gett"]] {
            let mut command = command("mc", &servers, arguments);
            let answer = command.env("NO_COLOR", no_color).output().unwrap();
            let shown = [answer.stdout, answer.stderr].concat();
            assert!(!shown.is_empty() && !shown.contains(&0x1b), "{arguments:?}");
        }
    }
}
