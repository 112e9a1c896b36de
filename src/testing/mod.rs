//! An embedded memcached for tests: [`Server`] listens on a free port of 127.0.0.1 or on a unix
//! socket, needs nothing installed, has a clock that can be moved ([`Clock`]), misbehaves on request
//! ([`Fault`]), and can be an older memcached ([`Builder::version`]).
//!
//! It answers the text protocol, the meta commands and the binary protocol as memcached 1.6.18 does,
//! byte for byte: errors, `noreply`, the payload that a refused storage line leaves behind and that
//! is then run as commands, limits, expiry, `flush_all`, `stats`. It shares no code with the client,
//! so that one mistake cannot hide in both.
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
//! - Not there: UDP, TLS, authentication, and the commands `cache_memlimit`, `extstore`, `lru`,
//!   `shutdown`, `slabs` and `watch`, which it does not know (`ERROR`). Of `lru_crawler` it has
//!   `metadump`, `crawl` (which has nothing to do), `enable` and `disable`.
//! - `lru_crawler metadump` is never refused because another one is under way (`BUSY`, or `ERROR an
//!   unknown error happened` shortly after it), and its order is always that of the classes, also for
//!   `hash`.
//! - The time of an item's last access (`l` of `mg`, `la` in dumps) is set by the second fetch and
//!   not again. memcached's threads do so anew when they have moved the item.
//! - A number that becomes shorter is always padded with spaces. memcached does not pad it while
//!   a reply to an earlier command of the same pipeline still holds the item.
//! - The memory limit counts item sizes, not slab pages, and evicts strictly the least recently
//!   used item; memcached's segmented LRU only approximates that.
//! - `stats` has every counter, but those about memcached's own machinery (buffers, the LRU crawler,
//!   slab moves, CPU time) stay at what an idle server shows. `stats cachedump` lists all items of a
//!   class, memcached only those that have aged for a moment.

// Layers, from the bottom: `store` (items and counters, no protocol), `report` (stats texts), `text`
// and `binary` (the protocols, each a `session`, no IO), `process` (what connections share),
// `connection` (one socket), `server` (threads). A third protocol is a sibling of the two over the
// same `store`.

mod binary;
mod builder;
mod clock;
mod connection;
mod counters;
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
pub use counters::Counters;
pub use fault::Fault;
pub use server::Server;
