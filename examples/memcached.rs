//! The embedded server as a program, for those who have no memcached at hand:
//!
//! ```console
//! $ cargo run --example memcached
//! $ cargo run --example memcached -- -p 11311 -m 256 -I 8m
//! ```
//!
//! It has the options of memcached that matter to a client, by memcached's letters. It is made for tests
//! and not for load: each connection has a thread of its own, and all share one lock.

use clap::Parser;
use moecache::testing::Server;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

/// Answers as memcached does, until it is interrupted.
#[derive(Parser)]
struct Arguments {
    /// The TCP port to listen on; 0 is a free one
    #[arg(short, long, default_value_t = 11211)]
    port: u16,
    /// The address to listen on; 0.0.0.0 is every IPv4 address of the machine
    #[arg(short, long, default_value_t = Ipv4Addr::LOCALHOST.into())]
    listen: IpAddr,
    /// A unix socket to listen on, in place of TCP
    #[arg(short = 's', long)]
    unix_socket: Option<PathBuf>,
    /// How much all items may take together, in megabytes
    #[arg(short, long, default_value_t = 64)]
    memory_limit: usize,
    /// How much one item may take, in bytes, or in units of 1024 with k and of 1024 * 1024 with m
    #[arg(short = 'I', long, value_parser = bytes)]
    max_item_size: Option<usize>,
    /// How many connections may be open at a time
    #[arg(short, long, default_value_t = 1024)]
    conn_limit: usize,
}

impl Arguments {
    fn start(self) -> io::Result<Server> {
        let mut builder = Server::builder()
            .address((self.listen, self.port))
            .memory_limit(self.memory_limit.saturating_mul(1024 * 1024))
            .max_connections(self.conn_limit);
        if let Some(size) = self.max_item_size {
            builder = builder.item_size_max(size);
        }
        #[cfg(unix)]
        if let Some(path) = self.unix_socket {
            builder = builder.unix_socket(path);
        }
        builder.start()
    }
}

fn bytes(text: &str) -> Result<usize, String> {
    let (number, unit) = match text.to_ascii_lowercase().strip_suffix(['k', 'm']) {
        None => (text.to_owned(), 1),
        Some(number) if text.ends_with(['k', 'K']) => (number.to_owned(), 1024),
        Some(number) => (number.to_owned(), 1024 * 1024),
    };
    let number = number.parse::<usize>().map_err(|error| error.to_string())?;
    let bytes = number.checked_mul(unit);
    bytes.ok_or_else(|| "that is too many".to_owned())
}

fn main() -> ExitCode {
    match Arguments::parse().start() {
        Ok(server) => {
            println!("{server}");
            loop {
                thread::park();
            }
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
