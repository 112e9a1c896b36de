//! What a client does, besides what every command does (`tests/behavior`): keys, settings, connections,
//! many keys at a time, what only one protocol has, what it tells of itself; and that the sources keep to
//! their layers.

#[path = "../support/mod.rs"]
mod support;

mod authentication;
mod auto;
mod batches;
mod binary;
mod config;
mod connections;
mod errors;
mod events;
mod formats;
mod keys;
mod layers;
mod meta;
mod metrics;
mod readme;
mod servers;
mod stats;
mod threads;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tracing")]
mod tracing;
mod validation;

use moecache::{Client, Error};
use std::panic::{RefUnwindSafe, UnwindSafe};

#[cfg(not(feature = "tls"))]
#[test]
#[ignore = "needs the feature tls"]
fn tls() {}

#[cfg(not(feature = "tracing"))]
#[test]
#[ignore = "needs the feature tracing"]
fn tracing() {}

const fn shared_freely<T: Send + Sync + Clone + UnwindSafe + RefUnwindSafe + 'static>() {}
const _: () = shared_freely::<Client>();

const fn goes_anywhere<T: std::error::Error + Send + Sync + Clone + 'static>() {}
const _: () = goes_anywhere::<Error>();
