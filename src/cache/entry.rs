//! One entry, and what is said of it before it is stored.

use super::Cache;
use super::claim::{Held, Kept};
use super::generation::{accepted, reached};
use super::key;
use super::look::{Found, Settled, State, View};
use super::target::{Settings, Target, on_the_server};
use crate::error::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

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
