//! What the integration tests share: real servers to run against, and transcripts to play to them.

#![allow(dead_code, reason = "each test binary uses only a part of it")]

pub(crate) mod transcript;

mod memcached;

pub(crate) use memcached::Memcached;
