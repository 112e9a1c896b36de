//! The entries that there are.

use super::Cache;
use super::key::{self, KeyName};
use crate::client::{Keys, Lifetime};
use crate::error::Result;

/// An entry, as [`Cache::keys`] lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedKey {
    /// What it is called.
    pub name: KeyName,
    /// The server that has it, as in [`Client::servers`](crate::Client::servers).
    pub server: String,
    /// When its server forgets it: when its lifetime and the time that it may be served stale are over,
    /// and up to two seconds.
    pub expiry: Option<Lifetime>,
    /// How much memory it takes in all, in bytes.
    pub size: Option<u64>,
}

/// The entries of a namespace: what [`Cache::keys`] gives.
#[derive(Debug)]
#[must_use = "it asks the servers as it is iterated over"]
pub struct CachedKeys<'c> {
    namespace: &'c str,
    keys: Keys<'c>,
}

impl Cache {
    /// The entries of this namespace, on all servers, as they come.
    ///
    /// Nothing is kept for it: the servers list what they hold ([`Client::keys`](crate::Client::keys)),
    /// and what belongs to other namespaces is left out. So it costs as much as there are items on the
    /// servers, and is for maintenance, not for serving requests. Entries that were invalidated with
    /// their namespace or a dependency are listed as long as they take memory, and so are those that
    /// are being made.
    ///
    /// A [`raw`](super::raw) key is listed by its text, any other by its hash, from which it cannot be
    /// told; that of a key is its [`name`](super::CacheKey::name).
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// use moecache::cache::{Cache, KeyName, raw};
    ///
    /// let cache = Cache::new(client);
    /// cache.set(raw("page:1"), "a page")?;
    /// for key in cache.keys() {
    ///     assert_eq!(key?.name, KeyName::Raw("page:1".to_owned()));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Client::keys`](crate::Client::keys), one for each server that fails.
    pub fn keys(&self) -> CachedKeys<'_> {
        CachedKeys {
            namespace: &self.namespace,
            keys: self.client.keys(),
        }
    }
}

impl Iterator for CachedKeys<'_> {
    type Item = Result<CachedKey>;

    fn next(&mut self) -> Option<Self::Item> {
        self.keys.find_map(|info| {
            let info = match info {
                Ok(info) => info,
                Err(error) => return Some(Err(error)),
            };
            Some(Ok(CachedKey {
                name: key::name_of(self.namespace, &info.key)?,
                server: info.server,
                expiry: info.expiry,
                size: info.size,
            }))
        })
    }
}
