use super::{KeyValueStore, Keys, Lifetime, StoreError};
use std::io::Read;
use std::path::Path;

const READ_ONLY: &str = "the store is read-only";

/// A store in which nothing can be changed: to put or delete is [`StoreError::Unsupported`].
///
/// ```
/// use moecache::store::{KeyValueStore, MemoryStore, ReadOnly, StoreError};
///
/// let store = MemoryStore::new();
/// store.put("some_key", b"some value")?;
/// let view = ReadOnly::new(&store);
/// assert_eq!(view.get("some_key")?, b"some value");
/// assert!(matches!(view.delete("some_key"), Err(StoreError::Unsupported { .. })));
/// # Ok::<(), StoreError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ReadOnly<S> {
    store: S,
}

impl<S: KeyValueStore> ReadOnly<S> {
    /// A view of `store`.
    pub fn new(store: S) -> Self {
        Self { store }
    }

    fn refuse(&self, what: &str, key: &str) -> Result<(), StoreError> {
        self.check_key(key)?;
        Err(StoreError::unsupported(format!("{what}: {READ_ONLY}")))
    }
}

impl<S: KeyValueStore> KeyValueStore for ReadOnly<S> {
    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        self.store.get(key)
    }

    fn put_with(&self, key: &str, _: &[u8], _: Lifetime) -> Result<(), StoreError> {
        self.refuse("put", key)
    }

    fn put_file(&self, key: &str, _: &Path, _: Lifetime) -> Result<(), StoreError> {
        self.refuse("put", key)
    }

    fn put_from(&self, key: &str, _: &mut dyn Read, _: Lifetime) -> Result<(), StoreError> {
        self.refuse("put", key)
    }

    fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.refuse("delete", key)
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

    fn max_key_length(&self) -> usize {
        self.store.max_key_length()
    }
}
