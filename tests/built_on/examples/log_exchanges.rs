//! The driver that writes down every exchange.

use super::{example, server, stopped, text};
use std::process::Command;

/// The lines without what differs from run to run: the server and the time.
fn lines(output: &[u8]) -> Vec<String> {
    let lines = text(output).lines().map(|line| {
        let (_, rest) = line.split_once("  ").unwrap();
        let (exchange, time) = rest.rsplit_once("  (").unwrap();
        assert!(time.ends_with(" us)"), "{line}");
        exchange.to_owned()
    });
    lines.collect()
}

#[test]
fn every_exchange_is_a_line() {
    let (_server, address) = server();
    let by_itself = Command::new(example("log_exchanges")).output().unwrap();
    let given = Command::new(example("log_exchanges"))
        .arg(&address)
        .output()
        .unwrap();
    for (answer, servers) in [(by_itself, 2), (given, 1)] {
        assert!(answer.status.success(), "{}", text(&answer.stderr));
        let lines = lines(&answer.stdout);
        let expected = [
            "set log_exchanges:user, 3 bytes  ->  stored",
            "get log_exchanges:user  ->  a value of 3 bytes",
            "get log_exchanges:nobody  ->  not found",
            "incr log_exchanges:visits  ->  not found",
        ];
        assert_eq!(lines[..4], expected);
        // Three keys on one server or on two, which may answer in any order.
        let mut many = lines[4..7].to_vec();
        many.sort();
        let expected = [
            "get log_exchanges:a  ->  not found",
            "get log_exchanges:b  ->  not found",
            "get log_exchanges:user  ->  a value of 3 bytes",
        ];
        assert_eq!(many, expected);
        assert_eq!(lines[7], "delete log_exchanges:user  ->  deleted");
        assert_eq!(lines.len(), 8 + servers);
        let versions = lines[8..].iter();
        assert!(
            versions
                .clone()
                .all(|line| line.starts_with("version  ->  version ")),
            "{lines:?}"
        );
        assert!(!text(&answer.stdout).contains("Ann"));
    }
}

#[test]
fn a_failure_is_written_down_too() {
    let (_server, address) = stopped();
    let answer = Command::new(example("log_exchanges"))
        .arg(&address)
        .output()
        .unwrap();
    assert_eq!(answer.status.code(), Some(1));
    let line = text(&answer.stdout);
    let expected = format!("{address}  set log_exchanges:user, 3 bytes  ->  failed: ");
    assert!(line.starts_with(&expected), "{line}");
    assert!(line.contains("cannot connect"), "{line}");
}
