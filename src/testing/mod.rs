//! An embedded memcached for tests: [`Server`] listens on a free port of 127.0.0.1, on an address that
//! is asked for ([`Builder::port`]) or on a unix socket, needs nothing installed, has a clock that can be moved ([`Clock`]), misbehaves on request
//! ([`Fault`]), tells what it was asked ([`Counters`]), and can be an older memcached
//! ([`Builder::version`]).
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
//! # A whole test
//!
//! The crate goes into the dev-dependencies once more, with the feature `testing`. The code under test
//! takes its [`Client`](crate::Client) from outside, as it does in production:
//!
//! ```
//! use moecache::Client;
//! use moecache::testing::{Fault, Server};
//! use std::cell::Cell;
//! use std::time::Duration;
//!
//! /// Prices out of a database, kept for a minute.
//! struct Prices<D> {
//!     cache: Client,
//!     database: D,
//! }
//!
//! impl<D: Fn(&str) -> u32> Prices<D> {
//!     fn of(&self, article: &str) -> u32 {
//!         let key = format!("price:{article}");
//!         // Without a cache it is slower, and no less right.
//!         if let Ok(Some(price)) = self.cache.get(&key) {
//!             return price;
//!         }
//!         let price = (self.database)(article);
//!         if let Err(error) = self.cache.set(&key, price, Duration::from_secs(60)) {
//!             eprintln!("{error:#}");
//!         }
//!         price
//!     }
//! }
//!
//! // With #[test] in front of it:
//! fn a_price_is_looked_up_once_a_minute() {
//!     let server = Server::start().unwrap();
//!     let cache = Client::builder().servers(&server).timeout(Duration::from_millis(200));
//!     let lookups = Cell::new(0);
//!     let database = |_: &str| {
//!         lookups.set(lookups.get() + 1);
//!         995
//!     };
//!     let prices = Prices { cache: cache.build().unwrap(), database };
//!
//!     // The first misses, the second hits.
//!     assert_eq!((prices.of("tea"), prices.of("tea")), (995, 995));
//!     assert_eq!(lookups.get(), 1);
//!     assert_eq!((server.hits(), server.misses()), (1, 1));
//!     assert_eq!(server.counters().sets, 1);
//!
//!     // A minute later it has expired. Nobody waits for it.
//!     server.clock().advance(Duration::from_secs(61));
//!     prices.of("tea");
//!     assert_eq!(lookups.get(), 2);
//!     assert_eq!(server.counters().expired, 1);
//!
//!     // The reply to the get is lost on the way, then the one to the set after it gets stuck.
//!     server.inject(Fault::Cut { after: 5 });
//!     assert_eq!(prices.of("tea"), 995);
//!     server.inject_script([Fault::Garbage(b"SERVER_ERROR out of order\r\n".to_vec()), Fault::Swallow]);
//!     assert_eq!(prices.of("tea"), 995);
//!     assert_eq!(server.pending_faults(), 0); // Both have happened.
//!     assert_eq!(lookups.get(), 4);
//!
//!     // Without any memcached.
//!     server.stop();
//!     assert_eq!(prices.of("tea"), 995);
//! }
//! # a_price_is_looked_up_once_a_minute();
//! ```
//!
//! [`Server::inject`] spoils the next reply, [`Server::inject_script`] says of each of the next what
//! becomes of it, [`Server::inject_always`] spoils all from now on. [`Server::stop`],
//! [`Server::restart`] and [`Server::disconnect`] are what operators and networks do. Several servers
//! are a `Vec<Server>`, whose reference is a list of servers: `Client::new(&servers)`; with one
//! [`Clock`] for all of them, given to [`Builder::clock`], time passes on all at once. Each test can
//! have its own: one starts in a few milliseconds, and they share nothing.
//!
//! # For other processes
//!
//! Another process, in any language, needs to know where the server is. Either it is told the
//! [address](Server::address) of a free port, or the port is the one that it asks for:
//!
//! ```no_run
//! use moecache::testing::Server;
//!
//! let server = Server::builder().port(11211).start()?; // Fails if somebody else listens there.
//! let status = std::process::Command::new("python3").arg("tests.py").status()?;
//! assert!(status.success());
//! assert!(server.counters().sets > 0);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! At a shell, `cargo run --example memcached` in this crate's repository is such a server.
//!
//! # Where it differs from memcached
//!
//! - Not there: UDP, TLS, authentication, and the commands `extstore`, `lru`, `slabs` and `watch`,
//!   which it does not know (`ERROR`).
//! - What is expired or flushed is removed when it is next looked up or replaced, when `stats` are to
//!   count it (`reclaimed`), or by `lru_crawler crawl` (`crawler_reclaimed`), which is done when it is
//!   answered. memcached's threads remove some of it at any time, and crawl in the background.
//! - `lru_crawler metadump` is never refused because another one is under way (`BUSY`, or `ERROR an
//!   unknown error happened` shortly after it), and its order is always that of the classes, also for
//!   `hash`.
//! - The time of an item's last access (`l` of `mg`, `la` in dumps) is set by the second fetch and
//!   not again. memcached's threads do so anew when they have moved the item.
//! - A number that becomes shorter is always padded with spaces. memcached does not pad it while
//!   a reply to an earlier command of the same pipeline still holds the item.
//! - The memory limit counts item sizes, not slab pages, and evicts strictly the least recently
//!   used item; memcached's segmented LRU only approximates that.
//! - `stats` has every counter, but those about memcached's own machinery (buffers, moves between LRUs
//!   and slabs, CPU time) stay at what an idle server shows. `stats cachedump` lists all items of a
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
mod settings;
mod store;
mod text;
mod version;

pub use builder::Builder;
pub use clock::Clock;
pub use counters::Counters;
pub use fault::Fault;
pub use server::Server;
