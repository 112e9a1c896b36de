//! What the integration tests share: real servers to run against, raw connections,
//! and transcripts to play.

#![allow(
    dead_code,
    unused_imports,
    reason = "each test binary uses only a part of it"
)]

pub(crate) mod transcript;

mod memcached;
mod raw;

pub(crate) use memcached::Memcached;
pub(crate) use raw::{RawClient, wait_until};
