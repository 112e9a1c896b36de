//! The quickstart.

use super::{command, example, server, stopped, text};
use moecache::Client;
use std::process::Command;

#[test]
fn quickstart_by_itself() {
    let mut command = Command::new(example("quickstart"));
    let answer = command.env_remove("MEMCACHED_SERVERS").output().unwrap();
    assert!(answer.status.success(), "{}", text(&answer.stderr));
    let (_, fleet) = text(&answer.stdout).split_once("The fleet:").unwrap();
    let servers: Vec<_> = fleet
        .lines()
        .filter(|line| line.starts_with("127.0.0.1:"))
        .collect();
    assert_eq!(servers.len(), 3, "{fleet}");
    assert!(fleet.lines().last().unwrap().starts_with("all "), "{fleet}");
}

#[test]
fn quickstart_on_servers() {
    let servers = [server(), server(), server()];
    let list = servers.each_ref().map(|(_, text)| text.as_str()).join(",");
    let by_option = command("quickstart", "nobody:1", &["--servers", &list])
        .output()
        .unwrap();
    let by_environment = command("quickstart", &list, &[]).output().unwrap();
    for answer in [by_option, by_environment] {
        assert!(answer.status.success(), "{}", text(&answer.stderr));
        let (_, fleet) = text(&answer.stdout).split_once("The fleet:").unwrap();
        for (server, name) in &servers {
            assert!(fleet.contains(name), "{fleet}");
            let stats = Client::new(server).unwrap().stats().unwrap();
            let left = stats[0].result.as_ref().unwrap().curr_items();
            assert_eq!(left, Some(0), "it cleans up");
        }
    }
    let (_down, down_text) = stopped();
    let down = command("quickstart", &down_text, &[]).output().unwrap();
    assert_eq!(down.status.code(), Some(1));
    assert!(
        text(&down.stderr).contains(": cannot connect: "),
        "{}",
        text(&down.stderr)
    );
}
