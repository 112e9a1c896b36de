//! Writes down every exchange with a server: a driver of one's own in front of the built-in one.
//!
//! `cargo run --example log_exchanges` starts servers of its own;
//! `cargo run --example log_exchanges -- 127.0.0.1:11211` takes those that are there.

use moecache::driver::{Command, Deadline, Driver, Line, Replies, Reply};
use moecache::{Client, testing};
use std::env;
use std::error::Error;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

/// Has the built-in driver do everything, and prints what that was.
struct Logging {
    built_in: Arc<dyn Driver>,
}

impl Driver for Logging {
    fn name(&self) -> &str {
        self.built_in.name()
    }

    fn run(&self, commands: &[Command<'_>], replies: &mut dyn Replies, deadline: Deadline) {
        let mut log = Log {
            server: self.name(),
            commands,
            started: Instant::now(),
            replies,
        };
        self.built_in.run(commands, &mut log, deadline);
    }

    fn is_connected(&self) -> bool {
        self.built_in.is_connected()
    }
}

/// Prints each reply on its way to the client.
struct Log<'a> {
    server: &'a str,
    commands: &'a [Command<'a>],
    started: Instant,
    replies: &'a mut dyn Replies,
}

impl Replies for Log<'_> {
    fn reply(&mut self, index: usize, reply: Reply<'_>) {
        let Self {
            server, commands, ..
        } = self;
        // A command and a reply print themselves without any value.
        let micros = self.started.elapsed().as_micros();
        println!("{server}  {}  ->  {reply}  ({micros} us)", commands[index]);
        self.replies.reply(index, reply);
    }

    fn line(&mut self, index: usize, line: Line<'_>) -> ControlFlow<()> {
        self.replies.line(index, line)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let own = [testing::Server::start()?, testing::Server::start()?];
    let given: Vec<String> = env::args().skip(1).collect();
    let builder = if given.is_empty() {
        Client::builder().servers(&own)
    } else {
        Client::builder().servers(&given)
    };
    let client = builder
        .driver(|_, built_in| Arc::new(Logging { built_in }))
        .build()?;

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
