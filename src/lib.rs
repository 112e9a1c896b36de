//! A blocking, sharded memcached client.
//!
//! It finds each key on the server on which EnyimMemcached (.NET) and moecache (Python) put it, and
//! reads each string and number as they stored it. Each call is one write and one read, and is over
//! by its deadline. Whatever the network does, it never returns another key's value or a part of
//! one.
//!
//! ```
//! use moecache::Client;
//! use std::time::Duration;
//! # let servers = [moecache::testing::Server::start()?, moecache::testing::Server::start()?];
//!
//! # stringify!(
//! let client = Client::new([("127.0.0.1", 11211), ("127.0.0.1", 11213)])?; // connects on first use
//! # );
//! # let client = Client::new(&servers)?;
//! client.set("some_key", "Some value", Duration::from_secs(60))?; // 0 = never expires
//! let value: Option<String> = client.get("some_key")?; // a miss is Ok(None)
//! client.delete("another_key")?; // Ok(false): it was not there
//! for server in client.stats()? {
//!     // one entry per server, in list order
//!     println!("{}: {:?}", server.server, server.result);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A short tour
//!
//! * [`Client`] has the commands: get, set, delete, stats, and ping. [`ClientBuilder`] has the
//!   settings. One client serves any number of threads.
//! * Values are anything that serde knows: [`value`] tells which type is stored how. Bytes and raw
//!   items go around serde: [`Client::get_bytes`], [`Client::get_item`].
//! * When an item expires is an integer as memcached has it, a `Duration` or a `SystemTime`:
//!   [`Expiry`].
//! * Servers are given in any usual form ([`IntoServers`]); which one has a key,
//!   [`Client::server_for`] tells without asking any. [`Distribution`] says whose ring it is.
//! * Every failure is an [`Error`]: what was done, on which server, and why; its predicates say what
//!   can be done about it. A miss is `Ok(None)`.
//! * [`Client::stats`] asks all servers at once; [`Stats`] has the counters by name.
#![cfg_attr(
    feature = "testing",
    doc = "* [`testing`] is a memcached in the process, for tests."
)]
#![cfg_attr(
    not(feature = "testing"),
    doc = "* The feature `testing` is a memcached in the process, for tests."
)]
#![forbid(unsafe_code)]
#![warn(unreachable_pub)]
// Nothing in the library panics on purpose, or prints.
#![cfg_attr(
    not(any(test, fuzzing)),
    warn(
        clippy::expect_used,
        clippy::panic,
        clippy::print_stderr,
        clippy::print_stdout,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod client;
mod conn;
mod error;
mod expiry;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod hash;
mod item;
mod key;
mod locator;
mod meta;
mod protocol;
mod route;
mod server;
mod stats;
#[cfg(feature = "testing")]
pub mod testing;
pub mod value;

pub use client::{
    CasOutcome, Client, ClientBuilder, DeleteOutcome, Each, KeyInfo, Keys, Lifetime, Many, Pending,
    PerServer, Pipeline, Replies, ServerStats,
};
pub use conn::Protocol;
pub use error::{Error, Result};
pub use expiry::Expiry;
pub use item::{Item, ItemRef, MAX_VALUE_SIZE};
pub use key::MAX_KEY_LENGTH;
pub use locator::Distribution;
pub use meta::{
    MetaArithmetic, MetaArithmeticOutcome, MetaCounter, MetaDelete, MetaGet, MetaItem, MetaMode,
    MetaSet, MetaSetOutcome, Ttl,
};
pub use server::{DEFAULT_PORT, IntoServers, Server};
pub use stats::Stats;
