//! This client beside the raw socket and beside other clients of memcached, all in one run.
//!
//! See `benches/README.md` for how to run it, and for what it gave.

mod allocations;
mod crew;
mod measure;
mod ours;
mod peers;
mod raw;
mod servers;
mod svg;
mod syscalls;
mod table;
mod work;

use measure::measure;
use peers::{CLIENTS, Client};
use servers::Servers;
use std::env;
use std::fs;
use std::process::{Command, ExitCode};
use table::Table;
use work::{Operation, Place, ROWS, Row, Task};

/// Set in the process that taskset started.
const PINNED: &str = "MOECACHE_BENCH_PINNED";

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    if let Some(operate) = syscalls::Operate::parse(&arguments) {
        operate.run();
        return ExitCode::SUCCESS;
    }
    if env::var_os(PINNED).is_none() {
        let cores = env::var("CORES").unwrap_or("0".to_owned());
        let pinned = Command::new("taskset")
            .args(["-c", &cores])
            .arg(env::current_exe().expect("the path of this program"))
            .args(&arguments)
            .env(PINNED, "1")
            .status();
        match pinned {
            Ok(status) if status.success() => return ExitCode::SUCCESS,
            Ok(_) => return ExitCode::FAILURE,
            Err(_) => println!("not pinned to one core: there is no taskset; expect noise"),
        }
    }
    let settings = match Settings::parse(arguments) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let servers = Servers::start();
    if settings.syscalls {
        return syscalls::report(&servers, |row| settings.wants(row));
    }
    if cfg!(not(libmemcached)) {
        println!("libmemcached: not installed, left out");
    }
    if cfg!(not(feature = "mtop")) {
        println!("mtop-client: left out; --features mtop");
    }
    let clients: Vec<_> = CLIENTS.iter().collect();
    let table = Table::begin(&clients);
    let mut results = Vec::new();
    for row in ROWS.iter().filter(|row| settings.wants(row)) {
        let task = Task {
            work: row.work,
            servers: servers.at(row.place),
        };
        let base = || base(row, &task, &servers);
        let connect = |client: &Client| (client.operation)(&task);
        let measured = measure(settings.rounds, &clients, base, connect);
        table.row(row, &measured);
        results.push((row, measured));
    }
    table::details(&clients, &results);
    if let Some(path) = settings.svg {
        let plot = svg::plot(&clients, &results);
        fs::write(&path, plot).expect("the plot can be written");
        println!("\nthe plot is in {path}");
    }
    ExitCode::SUCCESS
}

/// What a row is compared with.
fn base(row: &Row, task: &Task, servers: &Servers) -> Operation {
    if row.place == Place::Unix {
        let over_tcp = Task {
            work: row.work,
            servers: servers.at(Place::Tcp(1)),
        };
        let text = CLIENTS.iter().find(|client| client.name == "text");
        let base = text.and_then(|text| (text.operation)(&over_tcp));
        return base.expect("our client has it");
    }
    raw::operation(task)
}

/// What the command line and the environment say.
struct Settings {
    rounds: usize,
    /// Rows without any of these in their names are left out, unless it is empty.
    only: Vec<String>,
    svg: Option<String>,
    syscalls: bool,
}

impl Settings {
    fn parse(arguments: Vec<String>) -> Result<Self, String> {
        let rounds = env::var("ROUNDS").map_or(Ok(101), |rounds| rounds.parse());
        let mut settings = Self {
            rounds: rounds.map_err(|error| format!("ROUNDS: {error}"))?,
            only: Vec::new(),
            svg: None,
            syscalls: false,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match &*argument {
                // Cargo's.
                "--bench" => {}
                "--syscalls" => settings.syscalls = true,
                "--svg" => settings.svg = Some(arguments.next().ok_or("--svg FILE")?),
                _ if argument.starts_with('-') => return Err(format!("{argument}: unknown")),
                _ => settings.only.push(argument),
            }
        }
        Ok(settings)
    }

    fn wants(&self, row: &Row) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| row.name.contains(only))
    }
}
