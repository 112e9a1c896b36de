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
use command::{Command, OfClient, OfServers};
use fleet::Fleet;
use moecache::{Client, Expiry};
use outcome::{Failure, Outcome, each, missing, say};
use std::io::{self, Write};
use std::process::ExitCode;

/// memcached at the command line. Keys are placed and values stored as the client library does it that
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
        Command::OfServers(command) => run_on_servers(&fleet.client_of_servers()?, command, out),
        Command::OfClient(command) => {
            let client = fleet.client()?;
            run_on(&client, command, fleet.question_of_scheme(&client), out)
        }
        Command::Where { keys, explain } => placement::locate(fleet.placer()?, &keys, explain, out),
        Command::Ring(ring) => ring.run(fleet, out),
        Command::Schemes => placement::schemes(out),
    }
}

fn run_on(
    client: &Client,
    command: OfClient,
    question: &str,
    out: &mut impl Write,
) -> Result<Outcome, Failure> {
    match command {
        OfClient::Get { keys, item } => {
            let is_found = get::get(client, &keys, item, out)?;
            if is_found == Outcome::Unmet && keys.len() == 1 && !question.is_empty() {
                say(question);
            }
            Ok(is_found)
        }
        OfClient::Set(store) => store.run(client, store::Mode::Set),
        OfClient::Add(store) => store.run(client, store::Mode::Add),
        OfClient::Replace(store) => store.run(client, store::Mode::Replace),
        OfClient::Append(append) => append.run(client, append::End::Back),
        OfClient::Prepend(append) => append.run(client, append::End::Front),
        OfClient::Delete { keys } => delete(client, &keys),
        OfClient::Touch { keys, expiry } => touch(client, &keys, expiry),
        OfClient::Incr(count) => count.run(client, counter::Direction::Up, out),
        OfClient::Decr(count) => count.run(client, counter::Direction::Down, out),
    }
}

fn run_on_servers(
    client: &Client,
    command: OfServers,
    out: &mut impl Write,
) -> Result<Outcome, Failure> {
    match command {
        OfServers::Keys { form } => keys::keys(client, &form, out),
        OfServers::Stats { arguments, json } => stats::stats(client, &arguments, json, out),
        OfServers::Ping => servers::ping(client, out),
        OfServers::Version => servers::version(client, out),
        OfServers::Flush { delay, yes } => servers::flush(client, delay, yes, out),
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
