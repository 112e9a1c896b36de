//! `mc`: memcached at the command line.
//!
//! ```console
//! $ cargo run --example mc -- --help
//! $ export MEMCACHED_SERVERS=10.0.0.1:11211,10.0.0.2:11211
//! $ cargo run --example mc -- set some_key 'Some value' --expiry 2h
//! $ cargo run --example mc -- get some_key
//! ```
//!
//! Exit codes: 0 done, 1 a key was not there, 2 bad usage, 3 any other error. Of several keys the
//! worst counts.

mod date_time;
mod get;
mod outcome;
mod placement;
mod set;
mod stats;
mod table;
mod time;
mod value;

use clap::{Args, Parser, Subcommand};
use moecache::{Client, Distribution, Expiry};
use outcome::{Failure, Outcome, each, missing};
use std::env;
use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

/// memcached at the command line: values are stored as .NET's Enyim client and Python's moecache do
/// it, and keys are placed as the one of them does that `--distribution` names.
#[derive(Parser)]
#[command(
    name = "mc",
    version,
    after_help = "Exit codes: 0 done, 1 a key was not there, 2 bad usage, 3 any other error."
)]
struct Arguments {
    #[command(flatten)]
    fleet: Fleet,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Fleet {
    /// The servers, host:port, separated by commas, in the order that the other clients have; IPv6
    /// in brackets: [::1]:11211 [env: MEMCACHED_SERVERS] [default: 127.0.0.1:11211]
    #[arg(long, global = true, value_delimiter = ',')]
    servers: Option<Vec<String>>,
    /// Whose ring the keys are on: moecache:default, enyim:DefaultNodeLocator,
    /// enyimmemcachedcore:LegacyNodeLocator, enyimmemcachedcore:LegacyNodeLocator/DnsEndPoint
    #[arg(long, global = true, default_value_t)]
    distribution: Distribution,
    /// How long one request may take: 500ms, 2s, or a number of seconds
    #[arg(
        long,
        global = true,
        default_value = "1s",
        value_parser = time::duration,
        allow_hyphen_values = true
    )]
    timeout: Duration,
}

impl Fleet {
    fn servers(&self) -> Vec<String> {
        if let Some(servers) = &self.servers {
            return servers.clone();
        }
        // A variable that is set to nothing is as good as none.
        let variable = env::var("MEMCACHED_SERVERS")
            .ok()
            .filter(|servers| !servers.is_empty());
        let servers = variable.as_deref().unwrap_or("127.0.0.1:11211");
        servers.split(',').map(str::to_owned).collect()
    }
}

#[derive(Subcommand)]
enum Command {
    /// Print values: one as it is, several as `key: value` lines
    Get {
        /// 1 to 250 printable ASCII characters each
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
        /// Print the flags and a hex dump of what is stored, whatever it is
        #[arg(long)]
        item: bool,
    },
    /// Store a value
    Set {
        /// 1 to 250 printable ASCII characters
        key: String,
        /// The value; read from standard input if it is not given, where the last line end is left
        /// out unless the type is bytes
        #[arg(allow_negative_numbers = true)]
        value: Option<OsString>,
        /// What to store the value as
        #[arg(long = "type", value_enum, default_value = "str")]
        kind: set::Kind,
        /// When the value expires: 90 (seconds), 15m, 2h, 7d, never; rounded up to a second
        #[arg(
            long,
            default_value = "never",
            value_parser = time::expiry,
            allow_hyphen_values = true
        )]
        expiry: Expiry,
    },
    /// Delete keys
    Delete {
        /// 1 to 250 printable ASCII characters each
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
    },
    /// Print what the servers count, or what `stats ARGS` gives: settings, items, slabs, conns and
    /// so on. It passes on what it is given: `stats reset` resets the counters
    Stats {
        #[arg(value_name = "ARGS")]
        arguments: Vec<String>,
        /// Print an array of {server, stats} or {server, error}
        #[arg(long)]
        json: bool,
    },
    /// Print which server each key belongs to, as KEY, INDEX (from 0) and HOST:PORT separated by
    /// tabs; connects to none
    Where {
        /// The keys; read from standard input, one a line, if none is given
        #[arg(value_name = "KEY")]
        keys: Vec<String>,
    },
    /// Connect to every server and print how long the answer took
    Ping,
}

fn main() -> ExitCode {
    // clap exits with 2 by itself.
    let Arguments { fleet, command } = Arguments::parse();
    let outcome = run(&fleet, command).unwrap_or_else(|failure| failure.report());
    outcome.into()
}

fn run(fleet: &Fleet, command: Command) -> Result<Outcome, Failure> {
    let client = Client::builder()
        .servers(fleet.servers())
        .distribution(fleet.distribution)
        .timeout(fleet.timeout)
        .build()?;
    // Never `println!`: it panics when the reader of a pipe is gone.
    let out = &mut io::stdout().lock();
    match command {
        Command::Get { keys, item: false } => get::values(&client, &keys, out),
        Command::Get { keys, item: true } => get::items(&client, &keys, out),
        Command::Set {
            key,
            value,
            kind,
            expiry,
        } => set::set(&client, &key, value, kind, expiry),
        Command::Delete { keys } => delete(&client, &keys),
        Command::Stats { arguments, json } => stats::stats(&client, &arguments, json, out),
        Command::Where { keys } => placement::locate(&client, &keys, out),
        Command::Ping => stats::ping(&client, out),
    }
}

fn delete(client: &Client, keys: &[String]) -> Result<Outcome, Failure> {
    each(keys, |key| {
        Ok(if client.delete(key)? {
            Outcome::Done
        } else {
            missing(key)
        })
    })
}
