//! What the integration tests share: real servers to run against, scripted ones, raw connections,
//! transcripts to play, and programs in Python.

// Each test program uses its own part of it.
#![allow(dead_code, unused_imports, reason = "shared by several programs")]

mod memcached;
pub mod passwords;
mod python;
mod raw;
pub mod scripted;
pub mod transcript;

pub use memcached::{Memcached, UnixMemcached, reserve};
pub use python::{Python, interpreter};
pub use raw::{RawClient, wait_until};
