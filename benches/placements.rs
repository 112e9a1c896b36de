//! Which placement suits a new fleet: how even it is, how many keys move when a server is added, and what it
//! costs to find the server of a key.
//!
//! Prints a table in Markdown, the one of `moecache::guide::choosing_a_placement`. Nothing is sent.

use moecache::{Client, Scheme};
use std::collections::HashMap;
use std::env;
use std::hint::black_box;
use std::time::Instant;

const SCHEMES: &[(&str, &str)] = &[
    ("moecache", "the default, Enyim's ring"),
    ("pymemcache", "rendezvous"),
    ("libmemcached:ketama_weighted/md5", "ketama, 160 points"),
    ("libmemcached:consistent/default", "ketama, 100 points"),
    ("twemproxy:ketama/fnv1a_64", "ketama, 160 points"),
    ("libmemcached:modula/default", "hash modulo servers"),
];
const FLEETS: [usize; 3] = [3, 10, 50];
const KEYS: usize = 100_000;
const ROUNDS: usize = 11;

fn main() {
    // Without it this is `cargo test --all-targets`.
    if !env::args().any(|arg| arg == "--bench") {
        return;
    }
    let keys: Vec<String> = (0..KEYS).map(|number| format!("user:{number}")).collect();
    println!("| placement | servers | fullest / mean | emptiest / mean | keys that move to one more | cost |");
    println!("|---|---|---|---|---|---|");
    for servers in FLEETS {
        let mut base = None;
        for (scheme, what) in SCHEMES {
            let scheme: Scheme = scheme.parse().expect("a scheme");
            let placement = client(&scheme, servers);
            let counts = counts(&placement, &keys);
            let mean = KEYS as f64 / servers as f64;
            let fullest = counts.values().copied().max().unwrap_or_default() as f64 / mean;
            let emptiest = if counts.len() < servers {
                0.0
            } else {
                counts.values().copied().min().unwrap_or_default() as f64 / mean
            };
            let more = client(&scheme, servers + 1);
            let moved = keys.iter().filter(|key| server(&placement, key) != server(&more, key));
            let moved = 100.0 * moved.count() as f64 / KEYS as f64;
            let best = 100.0 / (servers + 1) as f64;
            let time = time(&placement, &keys);
            let cost = time / *base.get_or_insert(time);
            println!(
                "| `{scheme}`, {what} | {servers} | {fullest:.2} | {emptiest:.2} | {moved:.0} % (best {best:.0} %) | {cost:.1} |"
            );
        }
    }
}

fn client(scheme: &Scheme, servers: usize) -> Client {
    let servers = (1..=servers).map(|number| (format!("10.0.0.{number}"), 11211));
    Client::builder()
        .servers(servers)
        .compatible_with(scheme.clone())
        .build()
        .expect("a client")
}

fn server(client: &Client, key: &str) -> String {
    client.server_for(key).expect("a key")
}

fn counts(client: &Client, keys: &[String]) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for key in keys {
        *counts.entry(server(client, key)).or_default() += 1;
    }
    counts
}

/// The median time of a round over some of the keys.
fn time(client: &Client, keys: &[String]) -> f64 {
    let mut rounds = [(); ROUNDS].map(|()| {
        let start = Instant::now();
        for key in &keys[..2000] {
            black_box(server(client, black_box(key)));
        }
        start.elapsed().as_secs_f64()
    });
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}
