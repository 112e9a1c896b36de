//! The examples, run as programs against embedded servers.

mod commands;
mod deployments;
mod fleet;
mod hot_key;
mod keys;
mod log_exchanges;
mod memcached;
mod prefix;
mod programs;
mod quickstart;
mod records;
mod ring;
mod security;
mod usage;
mod values;
mod vectors;

use moecache::testing::Server;
use std::env::{self, consts::EXE_SUFFIX};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread;

/// Servers that do not exist.
const NOWHERE: &str = "10.0.0.1:11211,10.0.0.2:11211";

/// What was given to `mc`, and what it answered.
struct Row<'a> {
    arguments: &'a [&'a str],
    input: &'a str,
    output: &'a str,
    code: i32,
    /// What standard error says somewhere; empty: nothing at all.
    error: &'a str,
}

impl<'a> Row<'a> {
    fn new(arguments: &'a [&'a str], code: i32, output: &'a str, error: &'a str) -> Self {
        Self {
            arguments,
            input: "",
            output,
            code,
            error,
        }
    }

    fn input(self, input: &'a str) -> Self {
        Self { input, ..self }
    }

    fn run(&self, servers: &str) {
        let name = self.arguments.join(" ");
        let answer = mc(servers, self.arguments, self.input.as_bytes());
        let error = text(&answer.stderr);
        assert_eq!(answer.status.code(), Some(self.code), "mc {name}: {error}");
        assert_eq!(text(&answer.stdout), self.output, "mc {name}");
        if self.error.is_empty() {
            assert_eq!(error, "", "mc {name}");
        }
        assert!(error.contains(self.error), "mc {name}: {error}");
    }
}

fn server() -> (Server, String) {
    let server = Server::start().unwrap();
    let address = server.address().to_string();
    (server, address)
}

/// One that refuses connections, on a port that is its own as long as it lives.
fn stopped() -> (Server, String) {
    let (server, address) = server();
    server.stop();
    (server, address)
}

fn mc(servers: &str, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = spawn("mc", servers, arguments);
    let mut stdin = child.stdin.take().unwrap();
    thread::scope(|scope| {
        // A program that does not read its input closes it.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().unwrap()
    })
}

fn spawn(name: &str, servers: &str, arguments: &[&str]) -> Child {
    let mut command = command(name, servers, arguments);
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    piped.spawn().unwrap()
}

fn command(name: &str, servers: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(example(name));
    command
        .args(arguments)
        .env("MEMCACHED_SERVERS", servers)
        .env_remove("MEMCACHED_COMPATIBLE_WITH")
        .env_remove("MEMCACHED_PROTOCOL")
        .env_remove("MEMCACHED_USERNAME")
        .env_remove("MEMCACHED_PASSWORD");
    command
}

/// Cargo has no `CARGO_BIN_EXE_..` for examples; they lie beside the directory of the tests.
fn example(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    let path = profile.join("examples").join(format!("{name}{EXE_SUFFIX}"));
    let hint = "`cargo test` builds the examples; before `cargo test --test built_on` run `cargo build --examples`";
    assert!(path.exists(), "{} is missing: {hint}", path.display());
    path
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
