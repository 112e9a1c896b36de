use super::{KeyValueStore, Keys, Lifetime, StoreError};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

/// How many entries there are at least before the expired ones among them are looked for.
const FIRST_SWEEP: usize = 64;

/// A store in the memory of the process, shared by all its threads: simplekv's `DictStore`, with
/// lifetimes.
///
/// Lists keys in order. What has expired is not found any more, and its memory is free again by the time
/// that the store has doubled.
///
/// ```
/// use moecache::store::{KeyValueStore, MemoryStore};
///
/// let store = MemoryStore::new();
/// store.put("some_key", b"some value")?;
/// assert_eq!(store.get("some_key")?, b"some value");
/// # Ok::<(), moecache::store::StoreError>(())
/// ```
pub struct MemoryStore {
    entries: RwLock<Entries>,
    now: Box<dyn Fn() -> Instant + Send + Sync>,
}

struct Entries {
    by_key: BTreeMap<String, Entry>,
    /// How many entries there are when expired ones are looked for.
    sweep_at: usize,
}

struct Entry {
    data: Vec<u8>,
    /// When it expires.
    until: Option<Instant>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Instant::now)
    }

    /// An empty store that goes by a clock of your own, for tests in which time need not pass.
    ///
    /// ```
    /// use moecache::store::{KeyValueStore, Lifetime, MemoryStore};
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// use std::time::{Duration, Instant};
    ///
    /// let (start, passed) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    /// let clock = Arc::clone(&passed);
    /// let store = MemoryStore::with_clock(move || {
    ///     start + Duration::from_secs(clock.load(Ordering::Relaxed))
    /// });
    /// store.put_with("session", b"ann", Lifetime::For(Duration::from_secs(60)))?;
    /// passed.store(59, Ordering::Relaxed);
    /// assert!(store.contains("session")?);
    /// passed.store(60, Ordering::Relaxed);
    /// assert!(!store.contains("session")?);
    /// # Ok::<(), moecache::store::StoreError>(())
    /// ```
    #[must_use]
    pub fn with_clock(now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        Self {
            entries: RwLock::new(Entries {
                by_key: BTreeMap::new(),
                sweep_at: FIRST_SWEEP,
            }),
            now: Box::new(now),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Entries> {
        // Nothing panics while it is held.
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Entries> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `look` makes of the entry of `key`, if it is there and has not expired.
    fn look<T>(&self, key: &str, look: impl FnOnce(&Entry) -> T) -> Result<Option<T>, StoreError> {
        self.check_key(key)?;
        let now = (self.now)();
        let entries = self.read();
        let entry = entries.by_key.get(key).filter(|entry| entry.lives(now));
        Ok(entry.map(look))
    }
}

impl Entries {
    /// Removes what has expired, when there are twice as many as there were after the last time; so
    /// that it costs each put a constant.
    fn sweep(&mut self, now: Instant) {
        if self.by_key.len() >= self.sweep_at {
            self.by_key.retain(|_, entry| entry.lives(now));
            self.sweep_at = FIRST_SWEEP.max(self.by_key.len() * 2);
        }
    }
}

impl Entry {
    fn lives(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl KeyValueStore for MemoryStore {
    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        let data = self.look(key, |entry| entry.data.clone())?;
        data.ok_or_else(|| StoreError::NotFound(key.to_owned()))
    }

    fn put_with(&self, key: &str, data: &[u8], lifetime: Lifetime) -> Result<(), StoreError> {
        self.check_key(key)?;
        let lifetime = lifetime.duration()?;
        let now = (self.now)();
        let entry = Entry {
            data: data.to_owned(),
            // What is longer than the clock can tell is for ever.
            until: lifetime.and_then(|lifetime| now.checked_add(lifetime)),
        };
        let mut entries = self.write();
        entries.sweep(now);
        entries.by_key.insert(key.to_owned(), entry);
        Ok(())
    }

    fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.check_key(key)?;
        self.write().by_key.remove(key);
        Ok(())
    }

    fn contains(&self, key: &str) -> Result<bool, StoreError> {
        Ok(self.look(key, |_| ())?.is_some())
    }

    /// The keys of now, in order.
    fn iter_keys<'s>(&'s self, prefix: &str) -> Keys<'s> {
        let now = (self.now)();
        let entries = self.read();
        let from = entries
            .by_key
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let below = from.take_while(|(key, _)| key.starts_with(prefix));
        let living = below.filter(|(_, entry)| entry.lives(now));
        let keys: Vec<_> = living.map(|(key, _)| Ok(key.clone())).collect();
        Box::new(keys.into_iter())
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("entries", &self.read().by_key.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    #[test]
    fn what_has_expired_takes_no_memory_for_ever() {
        let (start, passed) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let clock = Arc::clone(&passed);
        let store = MemoryStore::with_clock(move || {
            start + Duration::from_secs(clock.load(Ordering::Relaxed))
        });
        let minute = Lifetime::For(Duration::from_secs(60));
        store.put("stays", b"").unwrap();
        for i in 0..10_000 {
            store.put_with(&format!("key{i}"), b"", minute).unwrap();
            passed.fetch_add(1, Ordering::Relaxed);
            let count = store.read().by_key.len();
            assert!(count <= 2 * FIRST_SWEEP, "{count} of which 61 live");
        }
        assert_eq!(store.keys("").unwrap().len(), 60);
        assert!(store.contains("stays").unwrap());
    }
}
