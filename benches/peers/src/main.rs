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
use servers::Addresses;
use std::env;
use std::fs;
use std::process::ExitCode;
use table::Table;
use work::{Operation, Place, ROWS, Row, Task};

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    if let Some(operate) = syscalls::Operate::parse(&arguments) {
        operate.run();
        return ExitCode::SUCCESS;
    }
    let settings = match Settings::parse(&arguments) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let Some(servers) = Addresses::given() else {
        // What is started from here on inherits it.
        pin(&settings.cores);
        return servers::with_servers(&arguments);
    };
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

/// Client and servers run on these cores only.
fn pin(cores: &[usize]) {
    // SAFETY: a cpu_set_t is bits, and may be all zero.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    for core in cores {
        // SAFETY: the set is one, and the macro looks at its size.
        unsafe { libc::CPU_SET(*core, &mut set) };
    }
    // SAFETY: the set is as large as is said.
    let failed = unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
    if failed != 0 {
        println!("not pinned to {cores:?}; expect noise");
    }
}

/// What a row is compared with.
fn base(row: &Row, task: &Task, servers: &Addresses) -> Operation {
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
    cores: Vec<usize>,
    /// Rows without any of these in their names are left out, unless it is empty.
    only: Vec<String>,
    svg: Option<String>,
    syscalls: bool,
}

impl Settings {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let rounds = env::var("ROUNDS").map_or(Ok(101), |rounds| rounds.parse());
        let cores = env::var("CORES").unwrap_or("0".to_owned());
        let cores: Result<Vec<_>, _> = cores.split(',').map(str::parse).collect();
        let mut settings = Self {
            rounds: rounds.map_err(|error| format!("ROUNDS: {error}"))?,
            cores: cores.map_err(|error| format!("CORES: {error}"))?,
            only: Vec::new(),
            svg: None,
            syscalls: false,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                // Cargo's.
                "--bench" => {}
                "--syscalls" => settings.syscalls = true,
                "--svg" => settings.svg = Some(arguments.next().ok_or("--svg FILE")?.clone()),
                _ if argument.starts_with('-') => return Err(format!("{argument}: unknown")),
                _ => settings.only.push(argument.clone()),
            }
        }
        Ok(settings)
    }

    fn wants(&self, row: &Row) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| row.name.contains(only))
    }
}
