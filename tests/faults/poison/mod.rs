//! The poison test: threads share one client of several servers, each behind a proxy that commits
//! faults at random. Every value names its key, its version and its checksum, and every thread knows
//! what it may read. Whatever the network does, and whatever a server says that is not the truth,
//! the client never gives a wrong answer, never is late, and is back as soon as the servers are.
//!
//! `POISON_SECONDS` is how long each run takes (default 10), `POISON_SEEDS` are the seeds, one run of
//! each protocol for each of them (default `1`). The table that it prints is shown by
//!
//! ```sh
//! POISON_SEEDS=1,2,3 cargo test --test faults poison -- --nocapture
//! ```

mod keys;
mod resources;
mod run;
use crate::support;
mod table;
mod tally;
mod values;
mod worker;

use moecache::Protocol;
use std::collections::BTreeMap;
use std::env;
use std::thread;
use std::time::Duration;
use support::proxy::Mix;
use support::{alone, skipped};

const SERVERS: usize = 3;
const THREADS: usize = 8;
const KEYS_PER_THREAD: usize = 24;

/// The deadline of every call.
const DEADLINE: Duration = Duration::from_millis(200);

/// How much longer a call may take, besides what its thread waits for a processor.
const SLACK: Duration = Duration::from_millis(500);

/// The deadline where nothing goes wrong: then only what goes wrong fails, and not what is slow.
const PATIENCE: Duration = Duration::from_secs(2);

/// When all is well again, after the last fault.
const RECOVERY: Duration = Duration::from_secs(1);

/// How much longer than its faults the calls of a run may last, before their connections are cut: so
/// that they end, and it shows which they are.
const GRACE: Duration = Duration::from_secs(10);

/// How much longer than its faults a run may last, before it is said that calls do not end.
const END: Duration = Duration::from_secs(120);

/// How much memory may grow over a mix, in MB: all that is under way at a time, and what the
/// allocator keeps of it. What a server claims to send is a thousand times that.
const MOST_MEMORY: u64 = 200;

/// How many file descriptors there may be at a time: of each protocol a connection per thread and
/// server, twice that in its proxies, and there those that wait for a delay to end.
const MOST_DESCRIPTORS: usize = 3 * 3 * THREADS * SERVERS * 2;

/// The faults of each proxy, of a thousand replies.
const PER_MILLE: u32 = 50;

/// Of so many faults there are some of each kind that a mix is about. (A short run has fewer.)
const ENOUGH_FAULTS: u64 = 1000;

#[test]
fn an_honest_server_on_a_bad_network() {
    alone("poison::an_honest_server_on_a_bad_network", || {
        poison(Mix::Honest);
    });
}

#[test]
fn a_hostile_server() {
    alone("poison::a_hostile_server", || poison(Mix::Hostile));
}

/// Runs a mix with all seeds; the three protocols at the same time, each with its own client and
/// servers.
fn poison(mix: Mix) {
    let before = (resources::descriptors(), resources::memory());
    let mut failures = Vec::new();
    let mut reports = Vec::new();
    for seed in seeds() {
        let protocols = [Protocol::Text, Protocol::Meta, Protocol::Binary];
        let done: Vec<run::Report> = thread::scope(|scope| {
            let run = |protocol| scope.spawn(move || run::run(mix, protocol, seed, seconds()));
            let threads = protocols.map(run);
            threads.map(|thread| thread.join().unwrap()).into()
        });
        reports.extend(done);
    }
    let faults = faults(&reports);
    table::print(&reports, &faults);
    failures.extend(reports.iter().flat_map(run::Report::failures));
    if faults.values().sum::<u64>() >= ENOUGH_FAULTS {
        let kinds = kinds(mix).iter().filter(|kind| !faults.contains_key(*kind));
        failures.extend(kinds.map(|kind| format!("no fault was a {kind}")));
    }

    let after = (resources::descriptors(), resources::memory());
    match (before, after) {
        ((Some(open), Some((resident, _))), (Some(left), Some((_, most)))) => {
            let grown = most.saturating_sub(resident);
            println!(
                "file descriptors: {open} before, {left} after; memory: {grown} MB more at its peak\n"
            );
            if left > open {
                failures.push(format!("{left} file descriptors are open, were {open}"));
            }
            if grown > MOST_MEMORY {
                failures.push(format!("{grown} MB more memory"));
            }
        }
        _ => skipped("file descriptors and memory: there is no /proc"),
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// The faults of all runs, by kind.
fn faults(reports: &[run::Report]) -> BTreeMap<&'static str, u64> {
    let mut faults = BTreeMap::new();
    for (name, count) in reports.iter().flat_map(|report| &report.faults) {
        *faults.entry(*name).or_default() += count;
    }
    faults
}

/// What goes wrong with replies, in this mix.
fn kinds(mix: Mix) -> &'static [&'static str] {
    match mix {
        Mix::Honest => &[
            "delay",
            "delayed request",
            "drip",
            "chunks",
            "cut",
            "reset",
            "hangup",
            "stall",
            "swallowed request",
            "swallowed reply",
            "refused for a while",
        ],
        Mix::Hostile => &[
            "replay",
            "replay of another connection",
            "forged key",
            "forged opaque",
            "forged command",
            "doubled",
            "no line end",
            "truncated",
            "bad length",
            "endless line",
            "garbage",
            "surplus",
            "stray bytes",
        ],
    }
}

fn seconds() -> Duration {
    let seconds = env::var("POISON_SECONDS").map_or(10, |text| {
        text.parse().expect("POISON_SECONDS must be a number")
    });
    Duration::from_secs(seconds)
}

fn seeds() -> Vec<u64> {
    let seeds = env::var("POISON_SEEDS").unwrap_or("1".to_owned());
    let seed = |text: &str| text.trim().parse();
    let seeds: Result<Vec<u64>, _> = seeds.split(',').map(seed).collect();
    seeds.expect("POISON_SEEDS must be numbers, with commas between them")
}
