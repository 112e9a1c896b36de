//! The pool's leases in all orders in which threads can take and return them, by loom. The connections are
//! real ones, to a socket that takes them and says nothing. A thread that nobody wakes is found as a deadlock.

use super::super::breaker::BackOff;
use super::super::version::Protocol;
use super::*;
use crate::event::Hook;
use crate::protocol::Bounds;
use crate::sync::model;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

/// Loom has no clock: nobody waits for so long.
const HOUR: Duration = Duration::from_secs(3600);

const REQUEST: Opening = Opening {
    purpose: Purpose::Request,
    bypasses_breaker: false,
    was_turned_away: false,
};

/// Where the connections of a model go.
struct Place {
    path: PathBuf,
    listener: UnixListener,
}

impl Place {
    fn new(model: &str) -> Self {
        let name = format!("moecache-{model}-{}.sock", std::process::id());
        let path = std::env::temp_dir().join(name);
        let listener = UnixListener::bind(&path).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self { path, listener }
    }

    fn pool(&self, max_connections: usize) -> Arc<Pool> {
        // The kernel's queue has room for so many, and no more.
        while self.listener.accept().is_ok() {}
        let address = Address::Unix(self.path.to_str().unwrap().to_owned());
        let options = Options {
            protocol: Protocol::Text,
            credentials: None,
            tls: None,
            nodelay: true,
            connect_timeout: None,
            bounds: Bounds {
                value: 1,
                line: 1 << 10,
                queues: false,
            },
            max_keys: 1,
            max_connections,
            max_idle: max_connections,
            idle_timeout: HOUR,
            back_off: BackOff {
                longest: Duration::ZERO,
                steady: Duration::ZERO,
                shortest_wait: Duration::ZERO,
            },
            hook: Hook::default(),
        };
        Arc::new(Pool::new(&address, None, options.into()).unwrap())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// As a call does it.
fn lease(pool: &Arc<Pool>) -> Box<Lease> {
    let now = Instant::now();
    pool.idle(now).unwrap_or_else(|| {
        let mut deadline = Deadline::after(HOUR, now);
        pool.open(&mut deadline, REQUEST).unwrap().0
    })
}

/// Runs it in three threads.
fn in_threads(pool: &Arc<Pool>, run: impl Fn(&Arc<Pool>, usize) + Send + Sync + 'static) {
    let run = Arc::new(run);
    let others = [1, 2].map(|thread| {
        let (pool, run) = (Arc::clone(pool), Arc::clone(&run));
        thread::spawn(move || run(&pool, thread))
    });
    run(pool, 0);
    for other in others {
        other.join().unwrap();
    }
}

/// Nothing is in use any more.
#[track_caller]
fn assert_settled(pool: &Pool, idle: usize) {
    let connections = pool.connections();
    assert_eq!(connections.open, connections.idle.len());
    assert_eq!(connections.idle.len(), idle);
    assert_eq!(connections.waiting, 0);
}

#[test]
fn there_are_no_more_than_are_allowed() {
    let place = Place::new("most");
    model(move || {
        let pool = place.pool(1);
        let in_use = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&in_use);
        in_threads(&pool, move |pool, _| {
            let lease = lease(pool);
            assert_eq!(count.fetch_add(1, Ordering::SeqCst), 0, "two at a time");
            count.fetch_sub(1, Ordering::SeqCst);
            pool.put(lease);
        });
        assert_settled(&pool, 1);
    });
}

/// One that fails is closed, and another may be made in its place.
#[test]
fn a_lease_that_is_dropped_makes_room() {
    let place = Place::new("room");
    model(move || {
        let pool = place.pool(1);
        in_threads(&pool, |pool, thread| {
            let lease = lease(pool);
            if thread == 0 {
                pool.put(lease);
            }
        });
        let left = pool.connections().idle.len();
        assert!(left <= 1);
        assert_settled(&pool, left);
    });
}

/// What was made before a close does not come back after it.
#[test]
fn a_close_reaches_those_in_use() {
    let place = Place::new("close");
    model(move || {
        let pool = place.pool(2);
        in_threads(&pool, |pool, thread| {
            if thread == 0 {
                pool.close();
            } else {
                pool.put(lease(pool));
            }
        });
        let connections = pool.connections();
        let is_newer = |it: &Box<Lease>| it.closed_before == connections.closed;
        assert!(connections.idle.iter().all(is_newer));
        let left = connections.idle.len();
        drop(connections);
        assert_settled(&pool, left);
    });
}
