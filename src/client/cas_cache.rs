use super::{CasOutcome, Client, Many};
use crate::error::Result;
use crate::expiry::Expiry;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A client that remembers the cas ids that its [`gets`](Self::gets) came with, so that
/// [`cas`](Self::cas) needs none, as python-memcached and pyermc have it that are made with `cache_cas`.
///
/// It remembers up to [`CAPACITY`](Self::CAPACITY) keys; with one more it forgets the one that it learnt
/// first. It can be shared between threads, but **what it remembers is of all of them**: after the `gets`
/// of another thread, `cas` stores over a value that this one has not seen. Give each thread its own:
/// they are cheap, and use the same connections. [`Client::update`] needs none of this.
///
/// ```
/// # let server = moecache::testing::Server::start()?;
/// # let client = moecache::Client::new(&server)?;
/// let cache = moecache::CasCache::new(&client);
/// client.set("stock", 7, 0)?;
/// assert_eq!(cache.gets::<u32>("stock")?, Some(7));
/// assert!(cache.cas("stock", 6, 0)?);
/// assert!(!cache.cas("stock", 5, 0)?, "that id was used; gets gives another");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CasCache {
    client: Client,
    ids: Mutex<Ids>,
}

impl CasCache {
    /// The most keys whose ids are remembered.
    pub const CAPACITY: usize = 10_000;

    /// The same client, on the same connections, with a memory for cas ids.
    #[must_use]
    pub fn new(client: &Client) -> Self {
        Self {
            client: client.clone(),
            ids: Mutex::default(),
        }
    }

    /// The value of `key`, whose cas id is remembered; `None` if the key is not there, and then its id is
    /// forgotten.
    ///
    /// # Errors
    ///
    /// Those of [`Client::gets`]; what was remembered of the key is forgotten.
    pub fn gets<T: DeserializeOwned>(&self, key: impl AsRef<[u8]>) -> Result<Option<T>> {
        let key = key.as_ref();
        self.ids().forget(key);
        let found = self.client.gets(key)?;
        Ok(found.map(|(value, id)| {
            self.ids().remember(key, id);
            value
        }))
    }

    /// The same for many keys in one call: [`Client::gets_many`].
    pub fn gets_many<T: DeserializeOwned, K: AsRef<[u8]> + Eq + Hash>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Many<K, T> {
        let keys: Vec<K> = keys.into_iter().collect();
        for key in &keys {
            let key = key.as_ref();
            self.ids().forget(key);
        }
        let Many { found, failed } = self.client.gets_many(keys);
        let remembered = found.into_iter().map(|(key, (value, id))| {
            let bytes = key.as_ref();
            self.ids().remember(bytes, id);
            (key, value)
        });
        Many {
            found: remembered.collect(),
            failed,
        }
    }

    /// Stores `value` if the item still has the cas id that is remembered: `true` if it had. The id is
    /// then forgotten, whatever came of it, since no item gets it again.
    ///
    /// Without an id that is remembered it is `false`, and nothing is sent. (python-memcached stores the
    /// value then in any case, over whatever is there.)
    ///
    /// # Errors
    ///
    /// Those of [`Client::compare_and_swap`]; the id is then remembered still, and the same call may be
    /// made again: if the first took effect after all, the second is `false`.
    pub fn cas<V: Serialize>(
        &self,
        key: impl AsRef<[u8]>,
        value: V,
        expiry: impl Into<Expiry>,
    ) -> Result<bool> {
        let key = key.as_ref();
        let Some(id) = self.ids().of(key) else {
            return Ok(false);
        };
        let outcome = self.client.compare_and_swap(key, value, expiry, id)?;
        self.ids().forget_if(key, id);
        Ok(outcome == CasOutcome::Stored)
    }

    /// Forgets all ids.
    pub fn reset_cas(&self) {
        *self.ids() = Ids::default();
    }

    /// The client, for everything else.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    fn ids(&self) -> MutexGuard<'_, Ids> {
        // Nothing panics while it is held, and nothing of the caller's is called.
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CasCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CasCache")
            .field("client", &self.client)
            .field("remembered", &self.ids().by_key.len())
            .finish_non_exhaustive()
    }
}

/// The ids of the keys that were learnt last.
#[derive(Default)]
struct Ids {
    by_key: HashMap<Arc<[u8]>, Id>,
    /// The keys by when they were learnt.
    by_age: BTreeMap<u64, Arc<[u8]>>,
    /// How many were learnt.
    learnt: u64,
}

#[derive(Clone, Copy)]
struct Id {
    id: u64,
    learnt: u64,
}

impl Ids {
    fn of(&self, key: &[u8]) -> Option<u64> {
        self.by_key.get(key).map(|known| known.id)
    }

    fn remember(&mut self, key: &[u8], id: u64) {
        self.forget(key);
        if self.by_key.len() >= CasCache::CAPACITY {
            if let Some((_, oldest)) = self.by_age.pop_first() {
                self.by_key.remove(&oldest);
            }
        }
        self.learnt += 1;
        let (key, learnt) = (Arc::<[u8]>::from(key), self.learnt);
        self.by_age.insert(learnt, Arc::clone(&key));
        self.by_key.insert(key, Id { id, learnt });
    }

    fn forget(&mut self, key: &[u8]) {
        if let Some(known) = self.by_key.remove(key) {
            self.by_age.remove(&known.learnt);
        }
    }

    /// Unless another was learnt in the meantime.
    fn forget_if(&mut self, key: &[u8], id: u64) {
        if self.of(key) == Some(id) {
            self.forget(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten() {
        let mut ids = Ids::default();
        let key = |number: usize| number.to_string().into_bytes();
        for number in 0..CasCache::CAPACITY {
            ids.remember(&key(number), number as u64);
        }
        ids.remember(&key(0), 77); // Now 1 is the oldest.
        ids.remember(b"one more", 78);
        assert_eq!(ids.of(&key(0)), Some(77));
        assert_eq!(ids.of(&key(1)), None);
        assert_eq!(ids.of(&key(2)), Some(2));
        assert_eq!(ids.by_key.len(), CasCache::CAPACITY);
        ids.forget_if(b"one more", 1);
        assert_eq!(ids.of(b"one more"), Some(78));
        ids.forget_if(b"one more", 78);
        assert_eq!(ids.of(b"one more"), None);
        assert_eq!(ids.by_key.len(), ids.by_age.len());
    }
}
