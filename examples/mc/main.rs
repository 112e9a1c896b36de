//! `mc`: memcached at the command line.
//!
//! ```console
//! $ cargo install --path . --example mc --all-features
//! $ mc --help
//! $ export MEMCACHED_SERVERS=10.0.0.1:11211,10.0.0.2:11211
//! $ mc set some_key 'Some value' --expiry 2h
//! $ mc get some_key
//! ```
//!
//! Exit codes: 0 done, 1 a key was not there (for `add`: it was; for `ring verify` and `ring identify`:
//! a key is placed otherwise), 2 bad usage, 3 any other error. Of several keys the worst counts.

mod append;
mod command;
mod counter;
mod date_time;
mod fleet;
mod get;
mod keys;
mod lines;
mod names;
mod outcome;
mod placement;
mod placer;
mod ring;
mod security;
mod servers;
mod stats;
mod store;
mod table;
mod time;
mod value;

use clap::Parser;
use command::{Command, OfClient};
use fleet::Fleet;
use moecache::{Client, Expiry};
use outcome::{Failure, Outcome, each, missing};
use std::io::{self, Write};
use std::process::ExitCode;

/// memcached at the command line: keys are placed and values stored as the client does it that
/// `--compatible-with` names.
#[derive(Parser)]
#[command(
    name = "mc",
    version,
    after_help = "Exit codes: 0 done, 1 a key was not there (for add: it was; for ring verify and \
                  ring identify: a key is placed otherwise), 2 bad usage, 3 any other error."
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
    // Never `println!`: it panics when the reader of a pipe is gone.
    let out = &mut io::stdout().lock();
    match command {
        Command::OfClient(command) => run_on(&fleet.client()?, command, out),
        Command::Where { keys, explain } => placement::locate(fleet.placer()?, &keys, explain, out),
        Command::Ring(ring) => ring.run(fleet, out),
        Command::Schemes => placement::schemes(out),
    }
}

fn run_on(client: &Client, command: OfClient, out: &mut impl Write) -> Result<Outcome, Failure> {
    match command {
        OfClient::Get { keys, item: false } => get::values(client, &keys, out),
        OfClient::Get { keys, item: true } => get::items(client, &keys, out),
        OfClient::Set(store) => store.run(client, store::Mode::Set),
        OfClient::Add(store) => store.run(client, store::Mode::Add),
        OfClient::Replace(store) => store.run(client, store::Mode::Replace),
        OfClient::Append(append) => append.run(client, append::End::Back),
        OfClient::Prepend(append) => append.run(client, append::End::Front),
        OfClient::Delete { keys } => delete(client, &keys),
        OfClient::Touch { keys, expiry } => touch(client, &keys, expiry),
        OfClient::Incr(count) => count.run(client, counter::Direction::Up, out),
        OfClient::Decr(count) => count.run(client, counter::Direction::Down, out),
        OfClient::Keys { form } => keys::keys(client, &form, out),
        OfClient::Stats { arguments, json } => stats::stats(client, &arguments, json, out),
        OfClient::Ping => servers::ping(client, out),
        OfClient::Version => servers::version(client, out),
        OfClient::Flush { delay, yes } => servers::flush(client, delay, yes, out),
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
