//! What the integration tests share: real servers to run against, scripted ones, raw connections,
//! and transcripts to play.

// Each test program uses its own part of it.
#![allow(dead_code, unused_imports, reason = "shared by several programs")]

mod memcached;
mod raw;
pub mod scripted;
pub mod transcript;

pub use memcached::{Memcached, UnixMemcached, reserve};
pub use raw::{RawClient, wait_until};
