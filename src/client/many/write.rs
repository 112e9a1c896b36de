use super::{Client, Each, zip};
use crate::client::call;
use crate::error::{Error, Result};
use crate::expiry::Expiry;
use crate::item::ItemRef;
use crate::key::Scratch;
use crate::protocol::{Mode, Reply, Request};
use crate::value;
use serde::Serialize;
use std::time::SystemTime;

/// # Many keys: storing, counting, removing
///
/// As with reading, all servers work at the same time, and each key has its own result. What is given
/// for one server is sent in the order in which it was given.
impl Client {
    /// Stores a value under each key, until `expiry`.
    ///
    /// All values are encoded before the first is sent, into one buffer.
    ///
    /// ```
    /// # let servers = [moecache::testing::Server::start()?, moecache::testing::Server::start()?];
    /// # let client = moecache::Client::new(&servers)?;
    /// let stored = client.set_many([("a", "one"), ("not a key", "two")], 60);
    /// let (key, error) = stored.failed().next().unwrap();
    /// assert_eq!(*key, "not a key");
    /// assert!(error.is_validation());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_many<K: AsRef<[u8]>, V: Serialize>(
        &self,
        items: impl IntoIterator<Item = (K, V)>,
        expiry: impl Into<Expiry>,
    ) -> Each<K, ()> {
        self.store_values("set_many", Mode::Set, items, expiry.into(), call::done)
    }

    /// Removes each key; `false` for one that is not there.
    pub fn delete_many<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> Each<K, bool> {
        let keys: Vec<K> = keys.into_iter().collect();
        let request = |_, key| Ok(Request::Delete { key, cas: None });
        let results = self.each(
            "delete_many",
            &keys,
            &mut Scratch::default(),
            request,
            call::found,
        );
        zip(keys, results)
    }

    fn store_values<K: AsRef<[u8]>, V: Serialize, T>(
        &self,
        operation: &'static str,
        mode: Mode,
        items: impl IntoIterator<Item = (K, V)>,
        expiry: Expiry,
        meaning: fn(Reply<'_>) -> Result<T>,
    ) -> Each<K, T> {
        let items = items.into_iter();
        let mut keys = Vec::with_capacity(items.size_hint().0);
        let mut buffer = value::Buffer::default();
        let mut encoded = Vec::with_capacity(keys.capacity());
        for (key, value) in items {
            keys.push(key);
            let transcoder = &*self.values.transcoder;
            encoded.push(value::encode(transcoder, &value, &mut buffer));
        }
        let item = |index: usize| match &encoded[index] {
            Ok(encoded) => Ok(buffer.item(encoded)),
            Err(error) => Err(error.clone()),
        };
        let results = self.store_each(operation, mode, &keys, expiry, item, meaning);
        zip(keys, results)
    }

    fn store_each<'k, K: AsRef<[u8]>, T>(
        &self,
        operation: &'static str,
        mode: Mode,
        keys: &'k [K],
        expiry: Expiry,
        item: impl Fn(usize) -> Result<ItemRef<'k>>,
        meaning: fn(Reply<'_>) -> Result<T>,
    ) -> Vec<Result<T>> {
        let exptime = wire(expiry);
        let request = |index, key| {
            Ok(Request::Store {
                mode,
                key,
                exptime: exptime.clone()?,
                item: self.shared.checked(item(index)?)?,
            })
        };
        self.each(operation, keys, &mut Scratch::default(), request, meaning)
    }
}

/// The expiry as it is sent; an error is that of every key.
fn wire(expiry: Expiry) -> Result<u32> {
    expiry.to_wire(SystemTime::now()).map_err(Error::from)
}
