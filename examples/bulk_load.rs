//! Loads a million keys, and shows how far it is.
//!
//! ```console
//! $ cargo run --release --example bulk_load
//! $ cargo run --release --example bulk_load -- 10000
//! ```
//!
//! `MEMCACHED_SERVERS` names the servers, separated by commas; without it, the program starts three embedded
//! ones.

use moecache::{Client, Protocol, testing};
use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Sent together: memory stays flat, and progress can be seen.
const CHUNK: usize = 5_000;
const ATTEMPTS: usize = 3;
const TTL: Duration = Duration::from_secs(24 * 3600);

fn main() -> Result<(), Box<dyn Error>> {
    let keys: usize = std::env::args()
        .nth(1)
        .map_or(Ok(1_000_000), |count| count.parse())?;
    let embedded = [
        testing::Server::start()?,
        testing::Server::start()?,
        testing::Server::start()?,
    ];
    let builder = Client::builder()
        .protocol(Protocol::Auto)
        .timeout(Duration::from_secs(10));
    let client = match std::env::var("MEMCACHED_SERVERS") {
        Ok(servers) => builder.servers(servers.split(',').collect::<Vec<_>>()),
        Err(_) => builder.servers(&embedded),
    };
    let client = client.build()?;

    let start = Instant::now();
    let mut rows = (0..keys).map(|id| (format!("user:{id}"), format!("name {id}")));
    let (mut done, mut failed) = (0, 0);
    loop {
        let chunk: Vec<_> = rows.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            break;
        }
        done += chunk.len();
        failed += load(&client, chunk);
        progress(done, keys, start);
    }
    println!(
        "{} keys in {:.1} s, {failed} failed",
        done - failed,
        start.elapsed().as_secs_f64()
    );
    if failed > 0 {
        Err("not all keys were loaded".into())
    } else {
        Ok(())
    }
}

/// Stores the rows. Those that fail are tried again; returns how many are left.
fn load(client: &Client, mut rows: Vec<(String, String)>) -> usize {
    for _ in 0..ATTEMPTS {
        let stored = client.set_many(rows.iter().map(|(key, value)| (key, value)), TTL);
        let results: Vec<_> = stored.iter().map(|(_, result)| result.is_ok()).collect();
        let mut results = results.into_iter();
        rows.retain(|_| results.next() == Some(false));
        if rows.is_empty() {
            break;
        }
    }
    rows.len()
}

/// One line on a terminal, and nothing where the output is read by another program.
fn progress(done: usize, all: usize, start: Instant) {
    if io::stderr().is_terminal() {
        let rate = done as u128 * 1000 / start.elapsed().as_millis().max(1);
        eprint!("\r{:3} % of {all}, {rate} keys/s ", done * 100 / all);
        let _ = io::stderr().flush();
    }
}
