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
use moecache::{Client, Expiry};
use outcome::{Failure, Outcome, each, missing};
use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

/// memcached at the command line: keys are placed and values stored as .NET's Enyim client and
/// Python's moecache do it.
#[derive(Parser)]
#[command(
    name = "mc",
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
    /// The servers, host:port, separated by commas, in the order that the other clients have
    #[arg(
        long,
        global = true,
        env = "MEMCACHED_SERVERS",
        value_delimiter = ',',
        default_value = "127.0.0.1:11211"
    )]
    servers: Vec<String>,
    /// How long one request may take: 500ms, 2s
    #[arg(long, global = true, default_value = "1s", value_parser = time::duration)]
    timeout: Duration,
}

#[derive(Subcommand)]
enum Command {
    /// Print values: one as it is, several as `key: value` lines
    Get {
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
        /// Print the flags and a hex dump of what is stored, whatever it is
        #[arg(long)]
        item: bool,
    },
    /// Store a value
    Set {
        key: String,
        /// The value; read from standard input if it is not given
        #[arg(allow_negative_numbers = true)]
        value: Option<OsString>,
        /// What to store the value as
        #[arg(long = "type", value_enum, default_value = "str")]
        kind: set::Kind,
        /// When the value expires: 90 (seconds), 15m, 2h, 7d, never
        #[arg(long, default_value = "never", value_parser = time::expiry)]
        expiry: Expiry,
    },
    /// Delete keys
    Delete {
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
    },
    /// Print what the servers count, or what `stats ARGS` gives: settings, items, slabs, ..
    Stats {
        #[arg(value_name = "ARGS")]
        arguments: Vec<String>,
        /// Print an array of {server, stats} or {server, error}
        #[arg(long)]
        json: bool,
    },
    /// Print which server each key belongs to, as KEY, INDEX and HOST:PORT separated by tabs;
    /// connects to none
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
        .servers(&fleet.servers)
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
