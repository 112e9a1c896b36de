//! An embedded memcached for tests: [`Server`] listens on a free port of 127.0.0.1, needs nothing
//! installed, has a clock that can be moved ([`Clock`]), and misbehaves on request ([`Fault`]).
//!
//! It answers the classic text protocol as memcached 1.6.18 does, byte for byte: errors, `noreply`,
//! the payload that a refused storage line leaves behind and that is then run as commands, limits,
//! expiry, `flush_all`, `stats`. It shares no code with the client, so that one mistake cannot hide
//! in both.
//!
//! ```
//! use moecache::{Client, testing};
//! use std::time::Duration;
//!
//! let server = testing::Server::start()?;
//! let client = Client::new(&server)?;
//! client.set("some_key", "Some value", Duration::from_secs(60))?;
//! assert_eq!(client.get("some_key")?, Some("Some value".to_owned()));
//!
//! server.clock().advance(Duration::from_secs(61));
//! assert_eq!(client.get::<String>("some_key")?, None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where it differs from memcached
//!
//! - Not there: the meta and binary protocols, UDP, TLS, authentication, and the commands `cache_memlimit`,
//!   `extstore`, `lru`, `lru_crawler`, `shutdown`, `slabs` and `watch`, which it does not know
//!   (`ERROR`). A connection that begins with the binary protocol's first byte is closed.
//! - The memory limit counts item sizes, not slab pages, and evicts strictly the least recently
//!   used item; memcached's segmented LRU only approximates that.
//! - `stats` has every counter, but those about memcached's own machinery (buffers, the LRU crawler,
//!   slab moves, CPU time) stay at what an idle server shows. `stats cachedump` lists all items of a
//!   class, memcached only those that have aged for a moment.

// Layers, from the bottom: `store` (items and counters, no protocol), `report` (stats texts),
// `text` (the protocol, no IO), `process` (what connections share), `connection` (one socket),
// `server` (threads). A second protocol is a sibling of `text` over the same `store`.

mod binary;
mod builder;
mod clock;
mod connection;
mod fault;
mod place;
mod process;
mod report;
mod server;
mod session;
mod store;
mod text;
mod version;

pub use builder::Builder;
pub use clock::Clock;
pub use fault::Fault;
pub use server::Server;
