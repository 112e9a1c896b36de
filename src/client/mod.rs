//! The face: [`Client`] and its builder. May use everything below.

mod builder;
mod call;
mod cas_cache;
mod command;
mod contains;
mod counter;
mod explain;
mod keys;
mod many;
mod meta;
mod pipeline;
mod plan;
mod raw;
mod servers;
mod single;
mod storage;
mod update;

pub use builder::ClientBuilder;
pub use cas_cache::CasCache;
pub use explain::Explanation;
pub(crate) use keys::CANNOT_LIST;
pub use keys::{KeyInfo, Keys, Lifetime};
pub use many::{Each, Many};
pub use pipeline::{Pending, Pipeline, Replies};
pub use raw::Raw;
pub use servers::{PerServer, ServerMetrics, ServerStats};
pub use single::DeleteOutcome;
pub use storage::CasOutcome;

use crate::conn::{Deadline, Options};
use crate::error::{Error, Result};
use crate::item::{Item, ItemRef};
use crate::key::{Key, Naming, Scratch};
use crate::locator::Scheme;
use crate::middleware::Chain;
use crate::protocol::Request;
use crate::route::{FailurePolicy, Placement, Topology};
use crate::value::{self, Body, Compression, Format, Transcoder};
use serde::Serialize;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// A client of one or many memcached servers, over which it spreads the keys.
///
/// A `Client` is cheap to clone and shared freely: every method takes `&self`, and all clones and
/// threads use the same connections, a pool for each server. A connection is made when a call first
/// needs it. A call blocks until its reply is there or its time is up: [`ClientBuilder::timeout`],
/// 1 second by default, and where a longer [`ClientBuilder::connect_timeout`] is set and a
/// connection must be made, that besides. It never blocks longer, but for some milliseconds of the
/// kernel's.
///
/// ```
/// use moecache::Client;
/// use std::time::Duration;
/// # let servers = [moecache::testing::Server::start()?, moecache::testing::Server::start()?];
///
/// # stringify!(
/// let client = Client::new([("127.0.0.1", 11211), ("127.0.0.1", 11213)])?;
/// # );
/// # let client = Client::new(&servers)?;
/// client.set("some_key", "Some value", Duration::from_secs(60))?;
/// let value: Option<String> = client.get("some_key")?;
/// assert_eq!(value.as_deref(), Some("Some value"));
/// assert!(client.delete("some_key")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Keys
///
/// A key is 1 to 250 bytes. Which bytes, is a matter of the deployment: 0x21 to 0x7e by default, and
/// what the peer stores where [`compatible_with`](ClientBuilder::compatible_with) names one; or
/// what [`key_bytes`](ClientBuilder::key_bytes) says. Anything else is a validation error, and nothing
/// is sent: memcached would take a key with a line break for commands.
///
/// [`with_prefix`](Self::with_prefix) is a client that puts a prefix in front of every key, on the
/// same connections, and [`ClientBuilder::prefix`] makes one that always does. The prefix is sent, and
/// counts for the length; results carry the keys as the caller gave them, and [`keys`](Self::keys)
/// lists those below the prefix, without it. What has no key knows no prefix:
/// [`flush_all`](Self::flush_all) empties the servers, and the statistics are those of all.
///
/// First comes the prefix, then the [transformation](ClientBuilder::key_transform), and last the key
/// is judged, as it is to be sent.
///
/// # Failures
///
/// What went wrong is in the [`Error`](crate::Error); a miss is not an error. A connection on which
/// anything went wrong is closed, and the next call makes a new one. A pooled connection that the
/// server closed in the meantime, because it was restarted, is noticed, and the call goes on with a
/// new one.
///
/// The keys of a server that is down fail until it is back, and the others are not affected. A server
/// that is silent costs two calls their timeouts, one that refuses connections three calls a moment; then
/// its circuit breaker opens: calls for it fail at once ([`is_down`](crate::Error::is_down)), and one
/// probes it now and then, so that it is used again within a second of its return
/// ([`max_back_off`](ClientBuilder::max_back_off)). A program for which memcached is only a cache may see misses instead, or have other servers take over:
/// [`FailurePolicy`]. The guide [failures](crate::guide::failures) goes through all of them.
///
/// A write that timed out may still take effect later, even after a newer one: its bytes can wait in
/// the socket of a stalled server. No client can prevent that.
///
/// # Connections
///
/// A call takes a connection out of its server's pool, or makes one if none is there, and puts it
/// back: there are as many as there were calls at the same time, up to
/// [`max_connections`](ClientBuilder::max_connections) for each server, 256 by default. A call that
/// finds them all in use waits for one, until its time is up. One that has not been used for
/// [`idle_timeout`](ClientBuilder::idle_timeout), a minute by default, is closed when another comes
/// back. [`close`](Self::close) and the last drop of all clones close them all.
///
/// A child process does well to make a client of its own. One that goes on with its parent's makes
/// connections of its own too, if no thread of the parent was in a call when it forked, and it waits
/// a millisecond before its first.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    values: Arc<Values>,
    naming: Naming,
    timeout: Duration,
    /// The builder's, but in calls that cannot do without an answer.
    policy: FailurePolicy,
    /// Whether calls are steps of another, which is counted as a whole.
    is_step: bool,
}

/// What all clones of a client have in common.
struct Shared {
    topology: RwLock<Arc<Topology>>,
    placement: Arc<Placement>,
    options: Arc<Options>,
    middleware: Chain,
    /// Held by whoever changes the topology, while the next one is made.
    changing: Mutex<()>,
    /// Under which list of servers what has this prefix was begun anew: see
    /// [`Client::list_to_begin`].
    begun: Mutex<HashMap<Vec<u8>, u64>>,
    max_value_size: usize,
}

/// How values are stored.
struct Values {
    transcoder: Arc<dyn Transcoder>,
    /// Why nothing can be appended to what it stores, if so.
    refuses_append: Option<&'static str>,
    /// `None` for a transcoder of the program's own.
    format: Option<Format>,
    max_decompressed_size: usize,
}

impl Client {
    /// The same client, on the same connections, with `timeout` as the limit of each call. With
    /// [`Duration::MAX`] they wait without end; with zero each call fails at once.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// use std::time::Duration;
    ///
    /// let patient = client.with_timeout(Duration::from_secs(10));
    /// patient.set("key", "value", 0)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self {
            timeout,
            ..self.clone()
        }
    }

    /// The same client, on the same connections, with `prefix` in front of every key, behind the
    /// prefix that there is already: see [Keys](#keys).
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// let shop = client.with_prefix("shop:")?;
    /// let carts = shop.with_prefix("cart:")?;
    /// carts.set("17", "a book", 0)?;
    /// assert_eq!(client.get::<String>("shop:cart:17")?.as_deref(), Some("a book"));
    /// assert_eq!(carts.prefix(), b"shop:cart:");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A validation error if keys cannot begin so, or none would fit behind it.
    pub fn with_prefix(&self, prefix: impl AsRef<[u8]>) -> Result<Self> {
        Ok(Self {
            naming: self.naming.with_prefix(prefix.as_ref())?,
            ..self.clone()
        })
    }

    /// The same client, on the same connections, with another compression of what it stores: a
    /// [threshold](Compression::threshold) of one's own for some values, say, or none.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// use moecache::value::Compression;
    ///
    /// # #[cfg(feature = "lz4")] {
    /// let client = moecache::Client::builder()
    ///     .servers(&server)
    ///     .compression(Compression::lz4())
    ///     .build()?;
    /// let as_it_is = client.with_compression(Compression::off())?;
    /// as_it_is.set("picture", "already small", 0)?;
    /// let from_100 = client.with_compression(Compression::lz4().threshold(100))?;
    /// from_100.set("page", "<p>".repeat(100), 0)?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A validation error if the format does not know the algorithm, or its feature is missing; and with a
    /// [transcoder](ClientBuilder::transcoder) of the program's own.
    pub fn with_compression(&self, compression: Compression) -> Result<Self> {
        Ok(Self {
            values: Arc::new(self.values.compressed(compression)?),
            ..self.clone()
        })
    }

    /// What every key begins with.
    #[must_use]
    pub fn prefix(&self) -> &[u8] {
        self.naming.prefix()
    }

    /// How keys are placed; `None` with a [`locator`](ClientBuilder::locator) of the program's own.
    #[must_use]
    pub fn scheme(&self) -> Option<Scheme> {
        self.shared.placement.scheme()
    }

    /// Closes the idle connections of all clones at once, and those in use as they finish. The
    /// client stays usable, and connects again when it is used.
    pub fn close(&self) {
        for backend in self.shared.topology().backends() {
            backend.pool().close();
        }
    }

    /// The key of what the caller calls `name`: every call that takes one comes by here, and those
    /// for many by [`Naming::keys`].
    fn key<'k>(&self, name: &'k [u8], scratch: &'k mut Scratch) -> Result<Key<'k>> {
        Ok(self.naming.key(name, scratch)?)
    }

    /// The same client for calls that cannot do without an answer.
    pub(crate) fn strict(&self) -> Self {
        Self {
            policy: match self.policy {
                FailurePolicy::Miss => FailurePolicy::Error,
                policy => policy,
            },
            ..self.clone()
        }
    }

    /// The same client for the steps of a call, which [`counted`](Self::counted) counts.
    fn steps(&self) -> Self {
        Self {
            is_step: true,
            ..self.strict()
        }
    }

    /// Counts a call for `key` that was made in steps, as what came of it. An exchange that failed has been
    /// counted.
    fn counted<T>(&self, key: Key<'_>, started: Instant, outcome: &Result<T>) -> Result<()> {
        let topology = self.shared.topology();
        let outcome = match outcome {
            Ok(_) => Ok(()),
            // What the server answered, and what was made of it.
            Err(error) if error.is_server() || error.is_conflict() => Err(error),
            // The server did what it was asked for.
            Err(error) if error.is_decode() || error.is_encode() => Ok(()),
            Err(_) => return Ok(()),
        };
        let backend = topology.backend(topology.route(key)?);
        backend.counted(outcome, Some(started.elapsed()));
        Ok(())
    }

    /// The item that [`set`](Self::set) would store of `value`.
    pub(crate) fn encode<V: Serialize + ?Sized>(&self, value: &V) -> Result<Item> {
        value::encode_item(&*self.values.transcoder, value)
    }

    fn deadline(&self) -> Deadline {
        Deadline::after(self.timeout, Instant::now())
    }
}

impl Shared {
    /// The servers of now: a call goes on with those that it began with.
    fn topology(&self) -> Arc<Topology> {
        // Nothing panics while it is held.
        let topology = self.topology.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&topology)
    }

    /// Refuses what the protocol cannot say, where that is fixed.
    fn check(&self, request: &Request<'_>) -> Result<()> {
        let dialect = self.options.protocol.dialect();
        dialect.map_or(Ok(()), |dialect| dialect.check(request))
    }

    /// An item that is not larger than may be stored.
    fn checked<'a>(&self, item: ItemRef<'a>) -> Result<ItemRef<'a>> {
        let (size, max) = (item.data.len(), self.max_value_size);
        if size > max {
            let reason = format!("value: {size} bytes; the configured maximum is {max}");
            return Err(Error::validation(reason));
        }
        Ok(item)
    }
}

impl Values {
    /// # Errors
    ///
    /// Those of [`Format::transcoder`].
    fn new(format: Format, compression: Compression, max_decompressed_size: usize) -> Result<Self> {
        let transcoder = format.transcoder(compression, max_decompressed_size)?;
        Ok(Self {
            transcoder: Arc::from(transcoder),
            refuses_append: format.refuses_append(compression),
            format: Some(format),
            max_decompressed_size,
        })
    }

    /// The same with another compression.
    fn compressed(&self, compression: Compression) -> Result<Self> {
        let Some(format) = self.format else {
            return Err(Error::validation(
                "compression: it does not go with a transcoder of your own",
            ));
        };
        Self::new(format, compression, self.max_decompressed_size)
    }

    /// Bytes to put behind or before a stored value, unless that would make it unreadable.
    fn extension<'a>(&self, bytes: &'a [u8]) -> Result<Body<'a>> {
        match self.refuses_append {
            Some(why) => Err(Error::validation(format!(
                "format: {why}, and nothing can be put behind or before that"
            ))),
            None => Ok(Body::borrowed(0, bytes)),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("servers", &self.servers())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
