//! `mc`: memcached at the command line.
//!
//! ```console
//! $ cargo run --example mc -- --help
//! $ export MEMCACHED_SERVERS=10.0.0.1:11211,10.0.0.2:11211
//! $ cargo run --example mc -- set some_key 'Some value' --expiry 2h
//! $ cargo run --example mc -- get some_key
//! ```
//!
//! Exit codes: 0 done, 1 a key was not there (for `add`: it was), 2 bad usage, 3 any other error. Of
//! several keys the worst counts.

mod append;
mod command;
mod counter;
mod date_time;
mod fleet;
mod get;
mod keys;
mod outcome;
mod placement;
mod servers;
mod stats;
mod store;
mod table;
mod time;
mod value;

use clap::Parser;
use command::Command;
use fleet::Fleet;
use moecache::{Client, Expiry};
use outcome::{Failure, Outcome, each, missing};
use std::io;
use std::process::ExitCode;

/// memcached at the command line: values are stored as .NET's Enyim client and Python's moecache do
/// it, and keys are placed as the one of them does that `--distribution` names.
#[derive(Parser)]
#[command(
    name = "mc",
    version,
    after_help = "Exit codes: 0 done, 1 a key was not there (for add: it was), 2 bad usage, 3 any \
                  other error."
)]
struct Arguments {
    #[command(flatten)]
    fleet: Fleet,
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    // clap exits with 2 by itself.
    let Arguments { fleet, command } = Arguments::parse();
    let outcome = run(&fleet, command).unwrap_or_else(|failure| failure.report());
    outcome.into()
}

fn run(fleet: &Fleet, command: Command) -> Result<Outcome, Failure> {
    let client = &fleet.client()?;
    // Never `println!`: it panics when the reader of a pipe is gone.
    let out = &mut io::stdout().lock();
    match command {
        Command::Get { keys, item: false } => get::values(client, &keys, out),
        Command::Get { keys, item: true } => get::items(client, &keys, out),
        Command::Set(store) => store.run(client, store::Mode::Set),
        Command::Add(store) => store.run(client, store::Mode::Add),
        Command::Replace(store) => store.run(client, store::Mode::Replace),
        Command::Append(append) => append.run(client, append::End::Back),
        Command::Prepend(append) => append.run(client, append::End::Front),
        Command::Delete { keys } => delete(client, &keys),
        Command::Touch { keys, expiry } => touch(client, &keys, expiry),
        Command::Incr(count) => count.run(client, counter::Direction::Up, out),
        Command::Decr(count) => count.run(client, counter::Direction::Down, out),
        Command::Keys { form } => keys::keys(client, &form, out),
        Command::Stats { arguments, json } => stats::stats(client, &arguments, json, out),
        Command::Where { keys } => placement::locate(client, &keys, out),
        Command::Ping => servers::ping(client, out),
        Command::Version => servers::version(client, out),
        Command::Flush { delay, yes } => servers::flush(client, delay, yes, out),
    }
}

fn delete(client: &Client, keys: &[String]) -> Result<Outcome, Failure> {
    each(
        client,
        keys,
        |pipeline, key| pipeline.delete(key),
        |key, found| Ok(if found { Outcome::Done } else { missing(key) }),
    )
}

fn touch(client: &Client, keys: &[String], expiry: Expiry) -> Result<Outcome, Failure> {
    each(
        client,
        keys,
        |pipeline, key| pipeline.touch(key, expiry),
        |key, found| Ok(if found { Outcome::Done } else { missing(key) }),
    )
}
