//! What the integration tests share: real servers to run against, and scripted ones.

// Each test program uses its own part of it.
#![allow(dead_code, unused_imports, reason = "shared by several programs")]

mod memcached;
pub mod scripted;

pub use memcached::Memcached;

use std::thread;
use std::time::{Duration, Instant};

/// Waits until `condition` holds, which nothing announces; fails if it never does.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "still not so: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}
