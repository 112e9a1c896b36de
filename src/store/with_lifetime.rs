use super::{KeyValueStore, Keys, Lifetime, StoreError};
use std::io::Read;

/// A store in which what is put lives for a while, unless the call says for how long: simplekv's
/// `default_ttl_secs`.
///
/// ```
/// use moecache::store::{KeyValueStore, Lifetime, MemoryStore, WithLifetime};
/// use std::time::Duration;
///
/// let store = WithLifetime::new(MemoryStore::new(), Duration::from_secs(3600))?;
/// store.put("session", b"ann")?; // for an hour
/// store.put_with("settings", b"blue", Lifetime::Never)?;
/// # Ok::<(), moecache::store::StoreError>(())
/// ```
#[derive(Debug, Clone)]
pub struct WithLifetime<S> {
    lifetime: Lifetime,
    store: S,
}

impl<S: KeyValueStore> WithLifetime<S> {
    /// `store` with `lifetime` as what [`Lifetime::Default`] means.
    ///
    /// # Errors
    ///
    /// [`StoreError::InvalidLifetime`] for zero, and for more than the store can hold.
    pub fn new(store: S, lifetime: impl Into<Lifetime>) -> Result<Self, StoreError> {
        let lifetime = lifetime.into();
        store.check_lifetime(lifetime)?;
        Ok(Self { lifetime, store })
    }
}

impl<S: KeyValueStore> KeyValueStore for WithLifetime<S> {
    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        self.store.get(key)
    }

    fn put_with(&self, key: &str, data: &[u8], lifetime: Lifetime) -> Result<(), StoreError> {
        self.store.put_with(key, data, lifetime.or(self.lifetime))
    }

    fn put_from(
        &self,
        key: &str,
        source: &mut dyn Read,
        lifetime: Lifetime,
    ) -> Result<(), StoreError> {
        self.store.put_from(key, source, lifetime.or(self.lifetime))
    }

    fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.store.delete(key)
    }

    fn contains(&self, key: &str) -> Result<bool, StoreError> {
        self.store.contains(key)
    }

    fn iter_keys<'s>(&'s self, prefix: &str) -> Keys<'s> {
        self.store.iter_keys(prefix)
    }

    fn open<'s>(&'s self, key: &str) -> Result<Box<dyn Read + 's>, StoreError> {
        self.store.open(key)
    }

    fn check_lifetime(&self, lifetime: Lifetime) -> Result<(), StoreError> {
        self.store.check_lifetime(lifetime.or(self.lifetime))
    }

    fn max_key_length(&self) -> usize {
        self.store.max_key_length()
    }
}
