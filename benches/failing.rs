//! What two servers that fail cost the two that do not: a list of four, one of which refuses
//! connections and one of which swallows them, beside the same list with all four well.
//!
//! Prints the time of a get from the healthy half as a ratio of the two lists, in interleaved rounds;
//! and what calls for the failing half take.

#[path = "../tests/support/mod.rs"]
mod support;

use moecache::Client;
use socket2::{Domain, Socket, Type};
use std::env;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use support::{Memcached, reserve};

const ROUNDS: usize = 101;
const GETS: usize = 200;
const TIMEOUT: Duration = Duration::from_millis(200);

fn main() {
    // Without it this is `cargo test --all-targets`.
    if !env::args().any(|arg| arg == "--bench") {
        return;
    }
    let well = [(); 4].map(|()| Memcached::start());
    let refusing = reserve().expect("a free port");
    let refusing = refusing
        .local_addr()
        .expect("bound")
        .as_socket()
        .expect("of IP");
    let (swallowing, _full) = swallowing();
    let half = [well[0].address(), well[1].address()];
    let healthy = client(
        half.into_iter()
            .chain([well[2].address(), well[3].address()]),
    );
    let failing = client(half.into_iter().chain([refusing, swallowing]));
    let all_keys: Vec<String> = (0..100_000_u64)
        .map(|number| format!("{:x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        .collect();
    // Keys that both lists have on the same two servers.
    let keys_of = |client: &Client, servers: &[SocketAddr]| -> Vec<&String> {
        let names: Vec<String> = servers.iter().map(ToString::to_string).collect();
        let is_theirs = |key: &&String| names.contains(&client.server_for(key).expect("a key"));
        all_keys.iter().filter(is_theirs).take(1000).collect()
    };
    let on_both = keys_of(&failing, &half);
    let on_both: Vec<&String> = on_both
        .into_iter()
        .filter(|key| {
            let server = healthy.server_for(key).expect("a key");
            server == failing.server_for(key).expect("a key")
        })
        .take(GETS)
        .collect();
    for key in &on_both {
        healthy
            .set_bytes(key, [7; 100], 0)
            .expect("memcached answers");
    }
    let dead = [
        keys_of(&failing, &[refusing]),
        keys_of(&failing, &[swallowing]),
    ];

    let (mut ratios, mut first, mut later) = (Vec::new(), [Duration::ZERO; 2], Vec::new());
    for (server, keys) in dead.iter().enumerate() {
        let started = Instant::now();
        assert!(failing.get_bytes(keys[0]).is_err());
        first[server] = started.elapsed();
    }
    for _ in 0..ROUNDS {
        let plain = gets(&healthy, &on_both);
        ratios.push(gets(&failing, &on_both) / plain);
        // The failing half is asked for all the time.
        for keys in &dead {
            for key in keys.iter().take(20) {
                let started = Instant::now();
                let error = failing.get_bytes(key).expect_err("nobody is there");
                if error.is_down() {
                    later.push(started.elapsed());
                }
            }
        }
    }
    ratios.sort_by(f64::total_cmp);
    later.sort();
    println!("get of 100 B from the healthy half, with / without a failing half:");
    println!("  median {:.3} of {ROUNDS} rounds", ratios[ROUNDS / 2]);
    println!("first call to the server that refuses: {:?}", first[0]);
    println!(
        "first call to the server that swallows, timeout {TIMEOUT:?}: {:?}",
        first[1]
    );
    println!(
        "calls while they are left alone: {}, median {:?}, p99 {:?}",
        later.len(),
        later[later.len() / 2],
        later[later.len() * 99 / 100]
    );
}

fn client(servers: impl Iterator<Item = SocketAddr>) -> Client {
    let servers: Vec<SocketAddr> = servers.collect();
    let builder = Client::builder().servers(&servers[..]).timeout(TIMEOUT);
    builder.build().expect("addresses")
}

/// How long it takes to get all of `keys`, in seconds.
fn gets(client: &Client, keys: &[&String]) -> f64 {
    let started = Instant::now();
    for key in keys {
        let value = client.get_bytes(key).expect("memcached answers");
        assert!(value.is_some());
    }
    started.elapsed().as_secs_f64()
}

/// A server to which a connect hangs: nobody accepts, and the kernel's queue is full.
fn swallowing() -> (SocketAddr, (Socket, Vec<TcpStream>)) {
    let silent = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    silent.bind(&any.into()).expect("a free port");
    silent.listen(0).expect("bound");
    let address = silent
        .local_addr()
        .expect("bound")
        .as_socket()
        .expect("of IP");
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(50)) {
        waiting.push(stream);
    }
    (address, (silent, waiting))
}
