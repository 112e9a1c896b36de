//! How many system calls an operation makes, seen by strace: of the raw socket and of this client.
//!
//! Runs itself under `strace -c`, with and without the operations, and takes the difference.

use crate::peers::CLIENTS;
use crate::raw;
use crate::servers::Addresses;
use crate::work::{Operation, Place, ROWS, Row, Task, Work};
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

const OPERATIONS: u32 = 5000;

/// Who is looked at.
const WHO: &[&str] = &["raw", "text", "meta", "binary"];

/// What runs under strace: one client, one row, so many times.
pub struct Operate {
    who: String,
    row: &'static Row,
    count: u32,
    servers: Vec<String>,
}

impl Operate {
    pub fn parse(arguments: &[String]) -> Option<Self> {
        let [operate, who, row, count, servers @ ..] = arguments else {
            return None;
        };
        (operate == "--operate").then(|| Self {
            who: who.clone(),
            row: ROWS.iter().find(|it| it.name == row).expect("a row"),
            count: count.parse().expect("a number"),
            servers: servers.to_vec(),
        })
    }

    pub fn run(self) {
        let task = Task {
            work: self.row.work,
            servers: &self.servers,
        };
        let mut operation = operation(&self.who, &task).expect("it has this row");
        // The first turn connects.
        operation();
        (0..self.count).for_each(|_| operation());
    }
}

fn operation(who: &str, task: &Task) -> Option<Operation> {
    let client = CLIENTS.iter().find(|client| client.name == who);
    match client {
        Some(client) => (client.operation)(task),
        None => Some(raw::operation(task)),
    }
}

pub fn report(servers: &Addresses, wants: impl Fn(&Row) -> bool) -> ExitCode {
    if Command::new("strace").arg("-V").output().is_err() {
        eprintln!("strace is not installed: apt-get install strace, or dnf install strace");
        return ExitCode::FAILURE;
    }
    println!("| system calls | who | all | which |\n|---|---|---|---|");
    let rows = ROWS.iter().filter(|row| {
        let looked_at = matches!(
            row.work,
            Work::Get(..=1024)
                | Work::Miss
                | Work::Set(..=1024)
                | Work::Delete
                | Work::Increment
                | Work::GetMany(100, _)
        );
        looked_at && row.place != Place::Unix && wants(row)
    });
    for row in rows {
        let servers = servers.at(row.place);
        let task = Task {
            work: row.work,
            servers,
        };
        for who in WHO {
            if operation(who, &task).is_none() {
                continue;
            }
            let without = system_calls(who, row, 0, servers);
            let with = system_calls(who, row, OPERATIONS, servers);
            let each = with.iter().filter_map(|(call, count)| {
                let more = count.saturating_sub(*without.get(call).unwrap_or(&0));
                (more > 0).then(|| (call, f64::from(more) / f64::from(OPERATIONS)))
            });
            let each: Vec<_> = each.collect();
            let all: f64 = each.iter().map(|(_, count)| count).sum();
            let which: Vec<_> = each
                .iter()
                .map(|(call, n)| format!("{call} {n:.4}"))
                .collect();
            println!("| {} | {who} | {all:.4} | {} |", row.name, which.join(", "));
        }
    }
    ExitCode::SUCCESS
}

/// How often each system call is made by so many operations, and by starting and connecting.
fn system_calls(who: &str, row: &Row, count: u32, servers: &[String]) -> BTreeMap<String, u32> {
    let summary = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("peers-syscalls");
    let status = Command::new("strace")
        .args(["-f", "-c", "-o"])
        .arg(&summary)
        .arg(env::current_exe().expect("the path of this program"))
        .args(["--operate", who, row.name, &count.to_string()])
        .args(servers)
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
