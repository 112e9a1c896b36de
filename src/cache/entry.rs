//! One entry, and what is said of it before it is stored.

use super::Cache;
use super::claim::{Held, Kept};
use super::generation::{accepted, reached};
use super::key::{self, CacheKey};
use super::look::{Found, Settled, State, View};
use super::target::{Settings, Target, on_the_server};
use crate::error::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

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
    /// [the module](crate::cache#one-makes-it-for-all) for who makes it, if many ask at the same time.
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

/// An entry of a [`Cache`], from [`Cache::entry`]: how long it lives, what it depends on, and then what
/// is done with it.
///
/// ```
/// # let server = moecache::testing::Server::start()?;
/// # let client = moecache::Client::new(&server)?;
/// use moecache::cache::Cache;
/// use std::time::Duration;
///
/// let cache = Cache::new(client);
/// let page = cache
///     .entry("page:1")
///     .lifetime(Duration::from_secs(600))
///     .depends_on([("user", 7), ("user", 8)])
///     .get_or_set(|| "a page about two users".to_owned())?;
/// cache.invalidate_dependency(("user", 8))?;
/// assert_eq!(cache.query::<String>("page:1")?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "it does nothing until it is told to"]
pub struct Entry<'c> {
    cache: &'c Cache,
    /// Judged when it is used.
    target: Result<Target>,
}

impl<'c> Entry<'c> {
    pub(super) fn new(cache: &'c Cache, key: Result<Vec<u8>>) -> Self {
        let target = key.map(|key| Target {
            key,
            dependencies: Vec::new(),
            settings: cache.settings,
        });
        Self { cache, target }
    }

    /// How long the entry is fresh, in place of [`Cache::default_lifetime`].
    pub fn lifetime(self, lifetime: Duration) -> Self {
        self.with(|settings| settings.lifetime = lifetime)
    }

    /// How long it may be served stale, in place of [`Cache::stale_for`].
    pub fn stale_for(self, stale: Duration) -> Self {
        self.with(|settings| settings.stale = stale)
    }

    /// How early it is made anew, in place of [`Cache::recache_early`].
    pub fn recache_early(self, early: Duration) -> Self {
        self.with(|settings| settings.early = early)
    }

    /// How long to wait for another that makes it, in place of [`Cache::max_wait`].
    pub fn max_wait(self, wait: Duration) -> Self {
        self.with(|settings| settings.max_wait = wait)
    }

    pub(super) fn into_key(self) -> Result<Vec<u8>> {
        Ok(self.target?.key)
    }

    fn with(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        if let Ok(target) = &mut self.target {
            set(&mut target.settings);
        }
        self
    }

    /// Names what the entry depends on, up to 1,000 things of any serde types: when one of them is
    /// [invalidated](Cache::invalidate_dependency), so is the entry. What depends on the same is
    /// invalidated with it, in every namespace.
    pub fn depends_on<D: Serialize>(mut self, dependencies: impl IntoIterator<Item = D>) -> Self {
        for dependency in dependencies {
            let Ok(target) = &mut self.target else { break };
            let named = key::hash(&dependency).and_then(|hash| target.depend_on(hash));
            if let Err(error) = named {
                self.target = Err(error);
            }
        }
        self
    }

    /// Stores `value`. It carries the generations of now: where what it was made of could have been
    /// invalidated since it was read, use [`begin`](Self::begin) or [`get_or_set`](Self::get_or_set).
    ///
    /// # Errors
    ///
    /// Those of [`Cache::set`].
    pub fn set<V: Serialize>(self, value: V) -> Result<()> {
        let store = || {
            let Self { cache, target } = self;
            let target = target?;
            target.check()?;
            // Whether or not it can be stored, it is judged.
            let value = cache.client.encode(&value)?;
            let (there, generations) = cache.fetch(&target, true)?;
            let Some(there) = reached(there)? else {
                return Ok(());
            };
            let Some(settled) = cache.settle(&target, &generations)? else {
                return Ok(());
            };
            let stored = cache.replace(&target, &settled.seal(&value, &target), there);
            if stored.as_ref().is_err_and(|it| !it.is_of_failing_server()) {
                // Neither what was there before, nor what was to hold the place.
                let _ = cache.client.delete(&target.key);
            }
            reached(stored).map(|_| ())
        };
        store().map_err(|error: Error| error.of("set"))
    }

    /// Looks for the entry. Naming its dependencies before saves the second round trip that an entry
    /// with dependencies takes.
    ///
    /// # Errors
    ///
    /// Those of [`Cache::query`].
    pub fn query<T: DeserializeOwned>(self) -> Result<Option<T>> {
        let query = || {
            let target = self.target?;
            match self.cache.look(&target)?.found {
                Found::Value(item, State::Fresh | State::Ageing) => {
                    self.cache.client.decode(item).map(Some)
                }
                _ => Ok(None),
            }
        };
        query().map_err(|error: Error| error.of("query"))
    }

    /// The value, or what `make` makes of it: see [`Cache::get_or_set`].
    ///
    /// # Errors
    ///
    /// Those of [`Cache::get_or_set`].
    pub fn get_or_set<T>(self, make: impl FnOnce() -> T) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
    {
        let got = self.try_get_or_set(|| Ok(make()));
        got.map_err(|error: Error| error.of("get_or_set"))
    }

    /// As [`get_or_set`](Self::get_or_set), for what may fail.
    ///
    /// # Errors
    ///
    /// What `make` fails with, and those of [`Cache::get_or_set`].
    pub fn try_get_or_set<T, E>(self, make: impl FnOnce() -> Result<T, E>) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        E: From<Error>,
    {
        self.cache.load(&self.target?, make)
    }

    /// Begins to make the entry: from now on, whatever invalidates it wins over what is stored with the
    /// [`Slot`]. To be called before anything is read that the value is made of.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// use moecache::cache::Cache;
    ///
    /// let cache = Cache::new(client);
    /// let slot = cache.entry("page:1").depends_on([("user", 7)]).begin()?;
    /// let page = "read from a database"; // ..while somebody changes the user
    /// cache.invalidate_dependency(("user", 7))?;
    /// slot.set(page)?;
    /// assert_eq!(cache.query::<String>("page:1")?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Until then, the entry that is there can be used. Others that begin are not held up: of those
    /// who begin at the same time, the first that stores wins. Those in `get_or_set` wait for a
    /// missing entry until the slot is used or dropped, or [too long](Cache::max_wait).
    ///
    /// # Errors
    ///
    /// Those of [`Cache::query`].
    pub fn begin(self) -> Result<Slot<'c>> {
        let begin = || {
            let Self { cache, target } = self;
            let target = target?;
            target.check()?;
            let view = accepted(cache.look(&target))?.unwrap_or_else(View::unreachable);
            let settled = match view.found {
                Found::Unreachable => None,
                _ => cache.settle(&target, &view.generations)?,
            };
            let held = match settled {
                Some(_) => cache.hold(&target, view.id)?,
                None => None,
            };
            Ok(Slot {
                cache,
                target,
                settled,
                held,
            })
        };
        begin().map_err(|error: Error| error.of("begin"))
    }
}

/// The right to store an entry that was [begun](Entry::begin). One that is dropped holds up nobody.
#[derive(Debug)]
#[must_use = "it is given up when it is dropped"]
pub struct Slot<'c> {
    cache: &'c Cache,
    target: Target,
    settled: Option<Settled>,
    held: Option<Held<'c>>,
}

impl Slot<'_> {
    /// Stores the entry; `false` if that came to nothing: the entry was invalidated or stored by
    /// another since, a server fails, or more time is over than [`Cache::lease`]. An entry whose
    /// dependency or namespace was invalidated since is stored, and counts for nothing.
    ///
    /// # Errors
    ///
    /// Those of [`Cache::set`].
    pub fn set<V: Serialize>(self, value: V) -> Result<bool> {
        let store = || {
            let item = self.cache.client.encode(&value)?;
            let (Some(settled), Some(held)) = (self.settled, self.held) else {
                return Ok(false);
            };
            let data = settled.seal(&item, &self.target);
            let expiry = on_the_server(self.target.settings.kept());
            Ok(held.store(&data, expiry)? == Kept::Stored)
        };
        store().map_err(|error: Error| error.of("set"))
    }
}
