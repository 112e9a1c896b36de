use super::{KeyValueStore, Keys, Lifetime, StoreError, key};
use std::io::Read;

/// A store that puts a prefix in front of every key, and shows nothing of what is not below it.
///
/// Keys are the store's own without the prefix, in errors too; so they may be shorter than otherwise by
/// as much as the prefix is long.
///
/// ```
/// use moecache::store::{KeyValueStore, MemoryStore, Prefixed};
///
/// let store = MemoryStore::new();
/// let users = Prefixed::new("user.", &store)?;
/// users.put("17", b"ann")?;
/// assert_eq!(users.keys("")?, ["17"]);
/// assert_eq!(store.keys("")?, ["user.17"]);
/// assert_eq!(users.max_key_length(), 245);
/// # Ok::<(), moecache::store::StoreError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Prefixed<S> {
    prefix: String,
    store: S,
}

impl<S: KeyValueStore> Prefixed<S> {
    /// `store` below `prefix`, which may be empty.
    ///
    /// # Errors
    ///
    /// [`StoreError::InvalidKey`] if keys cannot begin so, or the prefix leaves no room for any.
    pub fn new(prefix: impl Into<String>, store: S) -> Result<Self, StoreError> {
        let prefix = prefix.into();
        key::check_characters("prefix", &prefix)?;
        let (length, longest) = (prefix.len(), store.max_key_length());
        if length >= longest {
            return Err(StoreError::InvalidKey(format!(
                "prefix: {length} characters long; keys may have {longest} with it, so at most {} \
                 are allowed",
                longest.saturating_sub(1)
            )));
        }
        Ok(Self { prefix, store })
    }

    /// The store with all its keys.
    pub fn into_inner(self) -> S {
        self.store
    }

    /// The store's own key of what is called `key` here.
    fn inner(&self, key: &str) -> Result<String, StoreError> {
        self.check_key(key)?;
        Ok(format!("{}{key}", self.prefix))
    }
}

/// A miss by the name of the caller.
fn named<T>(key: &str, result: Result<T, StoreError>) -> Result<T, StoreError> {
    result.map_err(|error| match error {
        StoreError::NotFound(_) => StoreError::NotFound(key.to_owned()),
        error => error,
    })
}

impl<S: KeyValueStore> KeyValueStore for Prefixed<S> {
    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        named(key, self.store.get(&self.inner(key)?))
    }

    fn put_with(&self, key: &str, data: &[u8], lifetime: Lifetime) -> Result<(), StoreError> {
        self.store.put_with(&self.inner(key)?, data, lifetime)
    }

    fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.store.delete(&self.inner(key)?)
    }

    fn contains(&self, key: &str) -> Result<bool, StoreError> {
        self.store.contains(&self.inner(key)?)
    }

    fn put_from(
        &self,
        key: &str,
        source: &mut dyn Read,
        lifetime: Lifetime,
    ) -> Result<(), StoreError> {
        self.store.put_from(&self.inner(key)?, source, lifetime)
    }

    fn open<'s>(&'s self, key: &str) -> Result<Box<dyn Read + 's>, StoreError> {
        named(key, self.store.open(&self.inner(key)?))
    }

    fn iter_keys<'s>(&'s self, prefix: &str) -> Keys<'s> {
        let own = self.prefix.len();
        let keys = self.store.iter_keys(&format!("{}{prefix}", self.prefix));
        Box::new(keys.filter_map(move |key| {
            match key {
                // The prefix alone is a key of the store, and none of those below it.
                Ok(key) => key
                    .get(own..)
                    .filter(|rest| !rest.is_empty())
                    .map(|rest| Ok(rest.to_owned())),
                Err(error) => Some(Err(error)),
            }
        }))
    }

    fn check_lifetime(&self, lifetime: Lifetime) -> Result<(), StoreError> {
        self.store.check_lifetime(lifetime)
    }

    fn max_key_length(&self) -> usize {
        self.store
            .max_key_length()
            .saturating_sub(self.prefix.len())
    }
}
