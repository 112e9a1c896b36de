//! A blocking, sharded memcached client.
//!
//! It joins the deployment that is already there: name the client that filled it, and every key is
//! found on the server on which that client put it, and every value reads back as the same value. A
//! get or a set is one write and one read, and is over by its deadline. Whatever the network does, it
//! never returns another key's value or a part of one.
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
//! * [`Client`] has the commands, [`ClientBuilder`] the settings, and [`Config`] the same as data:
//!   from a file, a URL, or what a libmemcached or pylibmc deployment is set up with. One client
//!   serves any number of threads, over a pool of connections to each server.
//! * [`compatible_with`](ClientBuilder::compatible_with) takes the [`Library`] whose deployment it is; the
//!   guide [joining](guide::joining) has what to set for each of them, and what to check, and the pages
//!   [coming from](guide::coming_from) what the calls of each Python and .NET client are called here.
//! * One key: [`get`](Client::get), [`set`](Client::set), [`add`](Client::add),
//!   [`replace`](Client::replace), [`append`](Client::append), [`prepend`](Client::prepend),
//!   [`contains`](Client::contains), [`touch`](Client::touch),
//!   [`get_and_touch`](Client::get_and_touch), [`delete`](Client::delete).
//! * Many keys in one call: [`get_many`](Client::get_many) into a map,
//!   [`get_each`](Client::get_each) in the order of the keys,
//!   [`get_many_with`](Client::get_many_with) as they come; [`set_many`](Client::set_many),
//!   [`delete_many`](Client::delete_many). Each key has its own result: [`Many`], [`Each`].
//! * Different commands in one call: [`Client::pipeline`].
//! * Counters: [`set_counter`](Client::set_counter), [`incr`](Client::incr),
//!   [`decr`](Client::decr), [`incr_with_initial`](Client::incr_with_initial).
//! * What others may change at the same time: [`update`](Client::update), and what it is made of,
//!   [`gets`](Client::gets) and [`compare_and_swap`](Client::compare_and_swap).
//! * All servers: [`stats`](Client::stats), which gives each server's [`Stats`] with the counters by
//!   name, [`version`](Client::version), [`ping`](Client::ping), [`flush_all`](Client::flush_all);
//!   and [`keys`](Client::keys), a list of all keys as it comes.
//! * Values are anything that serde knows: [`value`] tells which type is stored how. Bytes and raw
//!   items go around serde: [`Client::get_bytes`], [`Item`], [`Bytes`].
//! * When an item expires is an integer as memcached has it, a `Duration` or a `SystemTime`:
//!   [`Expiry`].
//! * Servers are given in any usual form, unix sockets included ([`IntoServers`]); which one has a
//!   key, [`Client::server_for`] tells without asking any, and [`Client::explain`] why.
//! * [`Protocol`] is text unless another is chosen: meta, binary, or the better of text and meta
//!   that each server has. The calls are the same. What only meta can do, such as one winner among
//!   those who miss a key at the same time, is in [`Client::meta_get`] and its siblings.
//! * Connections are encrypted with [`Tls`] (feature `tls`), and a server that wants a password is given
//!   [`credentials`](ClientBuilder::credentials).
//! * Every failure is an [`Error`]: what was done, on which server, and why; its predicates say what
//!   can be done about it. A miss is `Ok(None)`. The guide [failures](guide::failures) has what is seen
//!   of each fault, and [`FailurePolicy`] what becomes of the calls for a server that is down;
//!   [`set_servers`](Client::set_servers) changes the list of a client in use.
//! * What goes to a server and comes back can be seen, changed, or answered by something else: [`middleware`].
//! * [`store`] has key-value stores of bytes behind one trait: in memory, in memcached, and in Redis (feature
//!   `redis`).
//! * [`cache`] is what programs make of it: namespaces, keys of any type, entries that depend on others,
//!   and one who computes what many miss.
//! * The guides [recipes](guide::recipes) and [tuning](guide::tuning): a cache with a TTL and protection from
//!   stampedes, sessions, rate limits, locks, feature flags, bulk loads; timeouts, pool sizes, and what to watch.
//! * What is going on: [`metrics`](Client::metrics) counts, and
//!   [`on_event`](ClientBuilder::on_event) is told, of each server.
#![cfg_attr(
    feature = "testing",
    doc = "* [`testing`] is a memcached in the process, for tests."
)]
//!
//! # Features
//!
//! None is on unless asked for, and none changes what the others do.
//!
//! | feature | what comes with it |
//! |---|---|
//! | `json` | values in JSON, of php-memcached and dalli |
//! | `pickle` | values that Python pickled: plain data, never executed |
//! | `lz4`, `zlib`, `zstd` | [compression](value::Compression) |
//! | `sha1`, `tiger` | hashes of dalli's ring, and of EnyimMemcached's ketama and key transformers |
//! | `tls` | encrypted connections: [`Tls`] |
//! | `tracing` | the [events](Event), as those of the crate tracing |
//! | `redis` | a [key-value store](store) in Redis |
//! | `testing` | a memcached in the process, for tests |
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

mod address;
pub mod cache;
mod client;
mod compatibility;
mod config;
mod conn;
mod error;
mod event;
mod expiry;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
pub mod guide;
mod hash;
mod item;
mod key;
mod library;
mod locator;
mod meta_options;
pub mod middleware;
mod names;
mod percent;
mod protocol;
mod route;
mod secret;
mod stats;
pub mod store;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
mod tls;
pub mod value;

pub use address::{DEFAULT_PORT, IntoServers, Server};
pub use client::{
    CasCache, CasOutcome, Client, ClientBuilder, DeleteOutcome, Each, Explanation, KeyInfo, Keys,
    Lifetime, Many, Pending, PerServer, Pipeline, Raw, Replies, ServerMetrics, ServerStats,
};
pub use config::{Behaviors, Config, Note};
pub use conn::{ErrorCounts, Latency, Protocol};
pub use error::{Error, Result};
pub use event::{Closed, Event};
pub use expiry::Expiry;
pub use hash::Hash;
pub use item::{Bytes, Item, ItemRef, MAX_VALUE_SIZE};
pub use key::{KeyBytes, KeyTransform, MAX_KEY_LENGTH, PrefixPlacement};
pub use library::Library;
pub use locator::{Distribution, HashTag, Locator, Node, Scheme, Trace};
pub use meta_options::{
    MetaArithmetic, MetaArithmeticOutcome, MetaCounter, MetaDelete, MetaGet, MetaItem, MetaMode,
    MetaSet, MetaSetOutcome, Ttl,
};
pub use route::FailurePolicy;
pub use secret::Secret;
pub use stats::Stats;
pub use tls::Tls;

/// The programs of the README, which are tested like those of the docs.
#[cfg(all(doctest, feature = "testing", feature = "tls"))]
#[doc = include_str!("../README.md")]
struct Readme;
