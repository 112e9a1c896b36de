//! The embedded server as a program.

use super::{example, server, text};
use moecache::Client;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// The program, until this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the program and gives the line that it prints once it listens.
fn start(arguments: &[&str]) -> (Running, String) {
    let program = Command::new(example("memcached"))
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn();
    let mut running = Running(program.unwrap());
    let mut line = String::new();
    let output = running.0.stdout.take().unwrap();
    BufReader::new(output).read_line(&mut line).unwrap();
    (running, line.trim_end().to_owned())
}

#[test]
fn it_serves_other_processes() {
    let (_running, address) = start(&["--port", "0", "-m", "16", "-I", "2m", "-c", "7"]);
    let client = Client::new(&address).unwrap();
    client.set("some_key", "Some value", 60).unwrap();
    assert_eq!(
        client.get("some_key").unwrap(),
        Some("Some value".to_owned())
    );
    let settings = client.stats_of("settings").unwrap();
    let settings = settings[0].result.as_ref().unwrap();
    let settings = |name| settings.get(name).unwrap();
    assert_eq!(settings("maxbytes"), (16 << 20).to_string());
    assert_eq!(settings("item_size_max"), (2 << 20).to_string());
    assert_eq!(settings("maxconns"), "7");
}

#[test]
fn it_says_why_it_cannot_start() {
    let (_server, address) = server();
    let (_, port) = address.split_once(':').unwrap();
    let rows: [(&[&str], &str); 4] = [
        (&["-p", port], "cannot listen on 127.0.0.1:"),
        (
            &["-p", "0", "-I", "33m"],
            "more than half of the memory limit",
        ),
        (&["-p", "0", "-I", "x"], "invalid value 'x'"),
        (&["-p", "0", "-l", "nowhere"], "invalid value 'nowhere'"),
    ];
    for (arguments, problem) in rows {
        let answer = Command::new(example("memcached"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(!answer.status.success(), "{arguments:?}");
        let error = text(&answer.stderr);
        assert!(error.contains(problem), "{arguments:?}: {error}");
    }
}
