//! Any number of threads share one client.

use crate::support;
use crate::support::needs_memcached;

use moecache::testing::Server;
use moecache::{CasOutcome, Client, Protocol};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use support::{Memcached, wait_until};

const THREADS: u64 = 64;
const OPERATIONS: u64 = 2000;
const COUNTERS: u64 = 16;

/// 64 threads do 2,000 mixed operations each on four servers, over at most 8 connections to each:
/// nothing fails, nothing is lost, and nothing is mixed up.
#[test]
fn many_threads_share_one_client() {
    let servers = [(); 4].map(|()| Memcached::start());
    let client = Client::builder()
        .servers(servers.each_ref().map(Memcached::address))
        .protocol(Protocol::Auto)
        .max_connections(8)
        .timeout(Duration::from_secs(60))
        .build()
        .unwrap();
    let (counted, swapped) = (AtomicU64::new(0), AtomicU64::new(0));
    for number in 0..COUNTERS {
        client
            .set_counter(format!("counter-{number}"), 0, 0)
            .unwrap();
    }
    client.set("shared", 0_u64, 0).unwrap();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (client, counted, swapped) = (&client, &counted, &swapped);
            scope.spawn(move || {
                for operation in 0..OPERATIONS {
                    work(client, thread, operation, counted, swapped);
                }
            });
        }
    });
    let counters = (0..COUNTERS).map(|number| format!("counter-{number}"));
    let sums = client.get_each::<u64, _>(counters).all().unwrap();
    assert_eq!(
        sums.into_iter().flatten().sum::<u64>(),
        counted.into_inner()
    );
    let shared = client.get::<u64>("shared").unwrap();
    assert_eq!(shared, Some(swapped.into_inner()));
    for server in client.stats().unwrap() {
        // This client made all connections that there ever were, but the ones of the start.
        let total = server.result.unwrap().total_connections().unwrap();
        assert!(total <= 8 + 3, "{}: {total} connections", server.server);
    }
}

/// One of the mixed operations. Each thread has keys of its own, and all share the counters.
fn work(client: &Client, thread: u64, operation: u64, counted: &AtomicU64, swapped: &AtomicU64) {
    let key = format!("key-{thread}-{}", operation % 50);
    match operation % 10 {
        0 => client.set(&key, (thread, operation), 60).unwrap(),
        1..=3 => {
            // What this thread stored last, or nothing yet.
            if let Some((owner, stored)) = client.get::<(u64, u64)>(&key).unwrap() {
                assert!(owner == thread && stored % 50 == operation % 50 && stored < operation);
            }
        }
        4 | 5 => {
            let shared = format!("counter-{}", (thread + operation) % COUNTERS);
            assert!(client.incr(shared, operation % 7).unwrap().is_some());
            counted.fetch_add(operation % 7, Ordering::Relaxed);
        }
        6 => {
            let (shared, cas) = client.gets::<u64>("shared").unwrap().unwrap();
            let outcome = client
                .compare_and_swap("shared", shared + 1, 0, cas)
                .unwrap();
            if outcome == CasOutcome::Stored {
                swapped.fetch_add(1, Ordering::Relaxed);
            }
        }
        7 if operation % 100 == 7 => {
            let keys: Vec<String> = (0..20).map(|i| format!("key-{thread}-{i}")).collect();
            for (owner, _) in client
                .get_many::<(u64, u64), _>(&keys)
                .all()
                .unwrap()
                .values()
            {
                assert_eq!(*owner, thread);
            }
        }
        7 => drop(client.touch(&key, 60).unwrap()),
        8 => {
            let mut pipeline = client.pipeline();
            let stored = pipeline.set(&key, (thread, operation), 60);
            let added = pipeline.incr(format!("counter-{}", operation % COUNTERS), 1);
            let read = pipeline.get::<(u64, u64)>(&key);
            let mut replies = pipeline.run();
            replies.take(stored).unwrap();
            assert!(replies.take(added).unwrap().is_some());
            counted.fetch_add(1, Ordering::Relaxed);
            assert_eq!(replies.take(read).unwrap(), Some((thread, operation)));
        }
        _ => drop(client.delete(&key).unwrap()),
    }
}

#[test]
fn a_call_waits_for_a_connection_until_its_deadline() {
    needs_memcached!();
    let server = Memcached::start();
    let client = Client::builder()
        .servers(server.address())
        .max_connections(1);
    let client = client.timeout(Duration::from_secs(20)).build().unwrap();
    client.set("key", 1, 0).unwrap();
    let (in_use, is_in_use) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let client = &client;
        let first = scope.spawn(move || {
            let failed = client.get_many_with(&["key"], |_, _| {
                in_use.send(()).unwrap();
                goes_on.recv().unwrap();
            });
            assert!(failed.is_empty());
        });
        is_in_use.recv().unwrap();

        let hurried = client.with_timeout(Duration::from_millis(30));
        let error = hurried.incr("key", 1).unwrap_err();
        assert!(
            error.is_timeout() && !error.is_ambiguous() && error.is_retryable(),
            "{error:?}"
        );
        let address = server.address();
        let expected = format!(
            "incr on {address}: all 1 connections that max_connections allows were in use for \
             30ms"
        );
        assert_eq!(error.to_string(), expected);
        let keys = ["key", "other"];
        let many = hurried.get_many::<i32, _>(keys);
        assert_eq!(many.failed.len(), 2, "{many:?}");

        let waiting = scope.spawn(|| client.get::<i32>("key").unwrap());
        go_on.send(()).unwrap();
        assert_eq!(waiting.join().unwrap(), Some(1));
        first.join().unwrap();
    });
    assert_eq!(total_connections(&server), 1);
}

#[test]
fn no_more_idle_than_allowed() {
    let server = Server::start().unwrap();
    let client = Client::builder()
        .servers(&server)
        .max_idle_connections(2)
        .build()
        .unwrap();
    let barrier = std::sync::Barrier::new(6);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                client.set("key", 1, 0).unwrap();
                let failed = client.get_many_with(&["key"], |_, _| {
                    barrier.wait(); // All six are in a call at the same time.
                });
                assert!(failed.is_empty());
            });
        }
    });
    wait_until("two are left", || server.connections() == 2);
    assert_eq!(client.get::<i32>("key").unwrap(), Some(1));
}

#[test]
fn what_idled_for_long_is_replaced() {
    let server = Server::start().unwrap();
    let client = Client::builder()
        .servers(&server)
        .idle_timeout(Duration::ZERO);
    let client = client.build().unwrap();
    for _ in 0..3 {
        client.set("key", 1, 0).unwrap();
        wait_until("the last one is closed", || server.connections() == 1);
    }
    let kept = Client::new(&server).unwrap();
    kept.set("key", 1, 0).unwrap();
    kept.set("key", 2, 0).unwrap();
    wait_until("one each", || server.connections() == 2);
}

/// A connection of this test's own is among them: that is taken off.
fn total_connections(server: &Memcached) -> u64 {
    let asking = Client::new(server.address()).unwrap();
    let stats = asking.stats().unwrap().remove(0).result.unwrap();
    // memcached counts what it listens on, and the test looked once whether it had started.
    stats.total_connections().unwrap() - 3
}
