//! What the integration tests share: real servers to run against, a proxy that
//! commits faults, scripted servers, raw connections,
//! transcripts to play, programs in Python, pages of the guide, and processes for tests that run alone.

// Each test program uses its own part of it.
#![allow(dead_code, unused_imports, reason = "shared by several programs")]

mod alone;
pub mod behind;
mod hanging;
mod heard;
pub mod memcached;
pub mod pages;
pub mod passwords;
pub mod proxy;
mod python;
mod random;
mod raw;
pub mod scripted;
mod skipped;
pub mod transcript;

pub use alone::alone;
pub use hanging::Hanging;
pub use heard::Heard;
pub use memcached::{Memcached, UnixMemcached, reserve};
pub use python::{Python, interpreter};
pub use random::Random;
pub use raw::{RawClient, wait_until};
pub use skipped::{noted, skipped};
