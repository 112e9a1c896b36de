//! How many system calls an operation makes on a warm connection: one to send, one to receive.
//!
//! Runs itself under `strace -c`, with and without the operations, and takes the difference.

#[path = "../tests/support/mod.rs"]
mod support;

use moecache::Client;
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use support::Memcached;

const OPERATIONS: u32 = 10_000;

/// A few more than two calls an operation are let pass: on a busy machine some operation waits for
/// over a millisecond, and the connection is looked at again before the next.
const LIMIT: f64 = 2.02;

type Operation = (&'static str, fn(&Client) -> moecache::Result<()>);

const ROWS: &[Operation] = &[
    ("get, 100 B", |client| client.get_bytes("key").map(drop)),
    ("get, a miss", |client| client.get_bytes("none").map(drop)),
    ("set, 100 B", |client| client.set_bytes("key", [7; 100], 0)),
    ("delete", |client| client.delete("none").map(drop)),
];

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--operate", address, row, count] => operate(address, row, count),
        // Without it this is `cargo test --all-targets`.
        _ if !args.iter().any(|arg| arg == "--bench") => ExitCode::SUCCESS,
        _ if Command::new("strace").arg("-V").output().is_err() => {
            eprintln!("strace is not installed: apt-get install strace, or dnf install strace");
            ExitCode::FAILURE
        }
        _ => report(),
    }
}

/// What runs under strace.
fn operate(address: &str, row: &str, count: &str) -> ExitCode {
    let (_, operation) = ROWS.iter().find(|(name, _)| *name == row).expect("a row");
    let client = Client::new(address).expect("an address");
    client
        .set_bytes("key", [7; 100], 0)
        .expect("memcached answers");
    for _ in 0..count.parse::<u32>().expect("a number") {
        operation(&client).expect("memcached answers");
    }
    ExitCode::SUCCESS
}

fn report() -> ExitCode {
    let server = Memcached::start();
    let address = server.address().to_string();
    let mut over = false;
    for (row, _) in ROWS {
        let without = system_calls(&address, row, 0);
        let with = system_calls(&address, row, OPERATIONS);
        let per_operation = with.iter().filter_map(|(call, count)| {
            let more = count.saturating_sub(*without.get(call).unwrap_or(&0));
            (more > 0).then(|| (call, f64::from(more) / f64::from(OPERATIONS)))
        });
        let per_operation: Vec<_> = per_operation.collect();
        let total: f64 = per_operation.iter().map(|(_, count)| count).sum();
        over |= total > LIMIT;
        print!("{row:12} {total:7.4} system calls:");
        for (call, count) in per_operation {
            print!(" {call} {count:.4}");
        }
        println!();
    }
    if over {
        eprintln!("over {LIMIT} system calls an operation");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// How often each system call is made by so many operations, and by starting and connecting.
fn system_calls(address: &str, row: &str, count: u32) -> BTreeMap<String, u32> {
    let summary = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("syscalls");
    let status = Command::new("strace")
        .args(["-f", "-c", "-o"])
        .arg(&summary)
        .arg(env::current_exe().expect("the path of this program"))
        .args(["--operate", address, row, &count.to_string()])
        .status()
        .expect("strace starts");
    assert!(status.success(), "strace: {status}");
    // % time, seconds, usecs/call, calls, errors if there were any, syscall.
    let summary = fs::read_to_string(summary).expect("strace writes it");
    let rows = summary.lines().filter_map(|line| {
        let columns: Vec<_> = line.split_whitespace().collect();
        let count = columns.get(3)?.parse().ok()?;
        let call = columns.last().filter(|&&call| call != "total")?;
        Some((call.to_string(), count))
    });
    rows.collect()
}
