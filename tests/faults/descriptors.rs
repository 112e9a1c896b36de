//! A process that has no more file descriptors: that is no server's fault. In a process of its own, as it takes
//! them from all threads.

use crate::support;

use moecache::{Client, Event, FailurePolicy};
use std::fs::File;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use support::{Memcached, alone, skipped};

#[test]
fn a_process_without_descriptors_takes_no_server_out_of_use() {
    alone(
        "descriptors::a_process_without_descriptors_takes_no_server_out_of_use",
        without_descriptors,
    );
}

fn without_descriptors() {
    let servers = [Memcached::start(), Memcached::start()];
    let was_down = Arc::new(AtomicBool::new(false));
    let down = Arc::clone(&was_down);
    let client = Client::builder()
        .servers(servers.each_ref().map(Memcached::address))
        .failure_policy(FailurePolicy::Rehash)
        .on_event(move |event| {
            let is_down = matches!(event, Event::Down { .. });
            down.fetch_or(is_down, Ordering::SeqCst);
        })
        .build()
        .unwrap();
    let limit = ["--nofile=200:", &format!("--pid={}", std::process::id())];
    match Command::new("prlimit").args(limit).status() {
        Ok(status) if status.success() => {}
        other => {
            return skipped(format_args!(
                "a process without descriptors: prlimit: {other:?}"
            ));
        }
    }
    let taken: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    for number in 0..20 {
        let error = client.get::<String>(format!("key-{number}")).unwrap_err();
        assert!(error.is_connect() && !error.is_down(), "{error:?}");
        let text = format!("{error:#}");
        assert!(text.contains("Too many open files"), "{text}");
    }
    drop(taken);
    for number in 0..20 {
        assert_eq!(client.get::<String>(format!("key-{number}")).unwrap(), None);
    }
    assert!(!was_down.load(Ordering::SeqCst));
}
