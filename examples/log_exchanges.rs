//! Prints every exchange with a server: middleware in front of the servers.
//!
//! `cargo run --example log_exchanges` starts servers of its own;
//! `cargo run --example log_exchanges -- 127.0.0.1:11211` takes those that are there.

use moecache::middleware::{Command, Middleware, Next, Reply};
use moecache::{Client, Result, testing};
use std::env;
use std::error::Error;
use std::time::Instant;

/// Passes everything on, and prints it.
struct Logging;

impl Middleware for Logging {
    fn handle(&self, commands: &[Command<'_>], next: Next<'_>) -> Vec<Result<Reply<'static>>> {
        let started = Instant::now();
        let replies = next.run(commands);
        let micros = started.elapsed().as_micros();
        for (command, reply) in commands.iter().zip(&replies) {
            let server = next.server();
            // A command and a reply print themselves without any value.
            match reply {
                Ok(reply) => println!("{server}  {command}  ->  {reply}  ({micros} us)"),
                Err(error) => println!("{server}  {command}  ->  failed: {error}  ({micros} us)"),
            }
        }
        replies
    }
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let own = [testing::Server::start()?, testing::Server::start()?];
    let given: Vec<String> = env::args().skip(1).collect();
    let builder = if given.is_empty() {
        Client::builder().servers(&own)
    } else {
        Client::builder().servers(&given)
    };
    let client = builder.middleware(Logging).build()?;

    client.set("log_exchanges:user", "Ann", 60)?;
    client.get::<String>("log_exchanges:user")?;
    client.get::<String>("log_exchanges:nobody")?;
    client.incr("log_exchanges:visits", 1)?;
    let keys = ["log_exchanges:user", "log_exchanges:a", "log_exchanges:b"];
    client.get_many::<String, _>(keys).all()?;
    client.delete("log_exchanges:user")?;
    for server in client.version() {
        server.result?;
    }
    Ok(())
}
