#![doc = include_str!("cache.md")]

// May use the client, and what is below it.

mod claim;
mod entry;
mod envelope;
mod flight;
mod generation;
mod key;
mod keys;
mod load;
mod look;
mod target;

pub use entry::{Entry, Slot};
pub use key::{CacheKey, KeyName, Raw, raw};
pub use keys::{CachedKey, CachedKeys};

use crate::client::Client;
use crate::error::{Error, Result};
use crate::stats::Stats;
use flight::Flights;
use generation::{Scope, reached, renew};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use target::Settings;

/// A cache on memcached, with namespaces. See the [module](self) for what it does and how.
///
/// It is cheap to clone and shared freely, as the [`Client`] is.
#[derive(Debug, Clone)]
pub struct Cache {
    /// It shows which servers fail; the cache hides it.
    client: Client,
    namespace: Arc<str>,
    settings: Settings,
    flights: Arc<Flights>,
}

/// # Setting up
impl Cache {
    /// A cache with these servers, formats and prefix, in the namespace `""`. Nothing is asked of the
    /// servers, which need not be there. Whatever the client's
    /// [`FailurePolicy`](crate::FailurePolicy), a server that fails is a miss.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "the cache is what it is for")]
    pub fn new(client: Client) -> Self {
        Self {
            client: client.strict(),
            namespace: "".into(),
            settings: Settings {
                lifetime: Duration::from_secs(3600),
                stale: Duration::ZERO,
                early: Duration::ZERO,
                max_wait: Duration::from_secs(10),
                lease: Duration::from_secs(60),
            },
            flights: Arc::default(),
        }
    }

    /// The same cache in another namespace, in place of its own.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// # let cache = moecache::cache::Cache::new(client);
    /// let pages = cache.in_namespace("pages")?;
    /// pages.set(1, "a page")?;
    /// assert_eq!(cache.query::<String>(1)?, None);
    /// assert_eq!(cache.in_namespace("pages")?.query::<String>(1)?.as_deref(), Some("a page"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A validation error if it is longer than 100 bytes, or anything but printable ASCII (0x21 to
    /// 0x7e) without `|`.
    pub fn in_namespace(&self, namespace: &str) -> Result<Self> {
        key::check_namespace(namespace)?;
        Ok(Self {
            namespace: namespace.into(),
            ..self.clone()
        })
    }

    /// How long an entry is fresh, to the millisecond; an hour by default. More than 0, and as long
    /// as an [`Expiry`](crate::Expiry) can say, together with [`stale_for`](Self::stale_for).
    #[must_use]
    pub fn default_lifetime(self, lifetime: Duration) -> Self {
        self.with(|settings| settings.lifetime = lifetime)
    }

    /// How long [`get_or_set`](Self::get_or_set) may serve an entry after that, while one makes it
    /// anew; 0 by default.
    #[must_use]
    pub fn stale_for(self, stale: Duration) -> Self {
        self.with(|settings| settings.stale = stale)
    }

    /// How long before the end of its lifetime [`get_or_set`](Self::get_or_set) has one make an entry
    /// anew, while the others are served the old one; 0 by default.
    #[must_use]
    pub fn recache_early(self, early: Duration) -> Self {
        self.with(|settings| settings.early = early)
    }

    /// How long a [`get_or_set`](Self::get_or_set) waits for another that makes the same entry, before
    /// one of those who wait takes over; 10 seconds by default. It waits for two at most, so no longer
    /// than twice this time, and then makes it itself. With zero, nobody waits.
    #[must_use]
    pub fn max_wait(self, wait: Duration) -> Self {
        self.with(|settings| settings.max_wait = wait)
    }

    /// How long the making of an entry may take, if it is to be stored; after that, it is no longer
    /// taken to be under way. A minute by default; in whole seconds, at least one. If a process dies
    /// while it makes an entry, others wait no longer than this for it, nor than
    /// [`max_wait`](Self::max_wait).
    #[must_use]
    pub fn lease(self, lease: Duration) -> Self {
        self.with(|settings| settings.lease = lease.max(Duration::from_secs(1)))
    }

    fn with(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        set(&mut self.settings);
        self
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }
}

/// # Entries
///
/// A server that fails is no error but a miss, and what cannot be stored is not. Every call may fail
/// with a validation error or an encode error if the key is not one, or the lifetime or the dependencies
/// are not allowed, before anything is asked or made; and, but for `get_or_set`, with a server error if a
/// server answers with an error of its own.
impl Cache {
    /// An entry, to say more of it than its key.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "keys are texts, numbers, tuples"
    )]
    pub fn entry(&self, key: impl CacheKey) -> Entry<'_> {
        let prefix = self.client.prefix().len();
        let key = (key.name()).and_then(|name| key::of_entry(&self.namespace, &name, prefix));
        Entry::new(self, key)
    }

    /// Stores `value`, any serde type, for the [default lifetime](Self::default_lifetime).
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// # let cache = moecache::cache::Cache::new(client);
    /// cache.set(("user", 7), "bob")?;
    /// assert_eq!(cache.query::<String>(("user", 7))?.as_deref(), Some("bob"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// An [encode error](Error::is_encode) if the value cannot be stored; a validation error if it is
    /// too large for the client or the lifetime is not one; a server error if it is too large for the
    /// server. What the key had is gone if the value is too large. It may still be there if a server
    /// fails, which is `Ok`: [`invalidate`](Self::invalidate) tells.
    pub fn set<V: Serialize>(&self, key: impl CacheKey, value: V) -> Result<()> {
        self.entry(key).set(value)
    }

    /// The value of `key` if it is there and fresh.
    ///
    /// # Errors
    ///
    /// A [decode error](Error::is_decode) if it is not a `T`.
    pub fn query<T: DeserializeOwned>(&self, key: impl CacheKey) -> Result<Option<T>> {
        self.entry(key).query()
    }

    /// The value of `key`, or what `make` makes of it, which is stored: see
    /// [the module](self#one-makes-it-for-all) for who makes it, if many ask at the same time.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// # let cache = moecache::cache::Cache::new(client);
    /// let report = cache.get_or_set("report", || "it takes long to make one".to_owned())?;
    /// let again = cache.get_or_set("report", || "not called: it is there".to_owned())?;
    /// assert_eq!(report, again);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set), but not that the value is too large, or anything else that keeps it
    /// from being stored: it is returned all the same. What is stored and not a `T` is made anew.
    pub fn get_or_set<T>(&self, key: impl CacheKey, make: impl FnOnce() -> T) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
    {
        self.entry(key).get_or_set(make)
    }

    /// As [`get_or_set`](Self::get_or_set), for what may fail: then nothing is stored, and another of
    /// those who wait tries next.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// # let cache = moecache::cache::Cache::new(client);
    /// use std::error::Error;
    ///
    /// let load = || Ok::<_, Box<dyn Error>>("17".parse::<u32>()?);
    /// assert_eq!(cache.try_get_or_set("number", load)?, 17);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What `make` fails with, and those of [`get_or_set`](Self::get_or_set).
    pub fn try_get_or_set<T, E>(
        &self,
        key: impl CacheKey,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        E: From<Error>,
    {
        self.entry(key).try_get_or_set(make)
    }
}

/// # Invalidating
///
/// Each is one command, however many entries it concerns, and wins over whatever is being made with what
/// was there before. `false`: a server failed, and what is to be gone may be back with it.
impl Cache {
    /// Removes the entry of `key`.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn invalidate(&self, key: impl CacheKey) -> Result<bool> {
        let key = self.entry(key).into_key();
        let deleted = key.and_then(|key| reached(self.client.delete(key)));
        let deleted = deleted.map_err(|error| error.of("invalidate"))?;
        Ok(deleted.is_some())
    }

    /// Invalidates all entries of this namespace.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// # let cache = moecache::cache::Cache::new(client);
    /// let pages = cache.in_namespace("pages")?;
    /// pages.set(1, "a page")?;
    /// assert!(pages.invalidate_namespace()?);
    /// assert_eq!(pages.query::<String>(1)?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn invalidate_namespace(&self) -> Result<bool> {
        renew(&self.client, Scope::Namespace(&self.namespace))
    }

    /// Invalidates the entries of all namespaces: of every cache on these servers whose client has the
    /// same [prefix](Client::with_prefix). What else is on the servers stays.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn invalidate_all(&self) -> Result<bool> {
        renew(&self.client, Scope::All)
    }

    /// Invalidates what [depends](Entry::depends_on) on this, in all namespaces.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn invalidate_dependency(&self, dependency: impl Serialize) -> Result<bool> {
        let hash = key::hash(&dependency);
        let hash = hash.map_err(|error| error.of("invalidate"))?;
        renew(&self.client, Scope::Dependency(hash))
    }
}

/// # Statistics
impl Cache {
    /// The statistics of the servers that answer: `host:port (weight)`, and what the server counts. They
    /// are those of all that is on the servers.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// # let cache = moecache::cache::Cache::new(client);
    /// for (server, stats) in cache.statistics()? {
    ///     println!("{server}: {:?} items", stats.curr_items()); // 127.0.0.1:11211 (1): Some(0) items
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn statistics(&self) -> Result<Vec<(String, Stats)>> {
        let weights = self.client.weighted_servers();
        let mut statistics = Vec::with_capacity(weights.len());
        for server in self.client.stats()? {
            let mut weights = weights.iter();
            let weight = weights.find(|(name, _)| *name == server.server);
            if let (Some(stats), Some((name, weight))) = (reached(server.result)?, weight) {
                statistics.push((format!("{name} ({weight})"), stats));
            }
        }
        Ok(statistics)
    }
}
