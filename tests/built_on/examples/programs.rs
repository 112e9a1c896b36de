//! The programs that people write first.

use super::{NOWHERE, command, stopped, text};
use moecache::testing::Server;

/// On servers that `MEMCACHED_SERVERS` names; what it printed.
fn run(program: &str, arguments: &[&str]) -> String {
    let servers = [Server::start().unwrap(), Server::start().unwrap()];
    let [one, other] = [0, 1].map(|at| servers[at].address().to_string());
    let mut output = command(program, &format!("{one},{other}"), arguments);
    let output = output.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(servers.iter().any(|server| server.counters().sets > 0));
    text(&output.stdout).to_owned()
}

#[test]
fn sessions() {
    let said = run("sessions", &[]);
    let lines: Vec<&str> = said.lines().collect();
    let [session, logged_out, gone] = lines[..] else {
        panic!("{said}");
    };
    // Neither of two changes at the same time is lost.
    assert!(session.contains("user: \"ann\""), "{said}");
    assert!(
        session.contains("\"book\"") && session.contains("\"pen\""),
        "{said}"
    );
    assert_eq!((logged_out, gone), ("logged out: true", "None"));
}

#[test]
fn a_rate_limiter() {
    let said = run("rate_limiter", &[]);
    let count = |word| said.lines().filter(|line| line.ends_with(word)).count();
    // Fewer are refused if a new window began in between.
    assert_eq!(count("allowed") + count("refused"), 7, "{said}");
    assert!(count("allowed") >= 5, "{said}");
    assert!(said.ends_with("request 1 of bob: true\n"), "{said}");
}

/// It lets all requests through.
#[test]
fn a_rate_limiter_without_its_server() {
    let (_server, address) = stopped();
    let output = command("rate_limiter", &address, &[]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let allowed = text(&output.stdout)
        .lines()
        .filter(|line| line.ends_with("allowed"));
    assert_eq!(allowed.count(), 7);
}

#[test]
fn a_bulk_load() {
    let said = run("bulk_load", &["12000"]);
    assert!(
        said.starts_with("12000 keys in ") && said.ends_with(" s, 0 failed\n"),
        "{said}"
    );
    // Servers that do not answer.
    let output = command("bulk_load", NOWHERE, &["none"]).output().unwrap();
    assert!(!output.status.success());
}
