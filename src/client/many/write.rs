use super::super::call;
use super::{Client, Each, zip};
use crate::error::{Error, Result};
use crate::expiry::Expiry;
use crate::item::ItemRef;
use crate::key::Scratch;
use crate::protocol::{Direction, Mode, Reply, Request};
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
    /// All values are encoded before the first is sent, into one buffer. Bytes and items need none:
    /// [`set_many_bytes`](Self::set_many_bytes), [`set_many_items`](Self::set_many_items).
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

    /// Stores a value under each key that is not there, until `expiry`; `false` for one that is.
    pub fn add_many<K: AsRef<[u8]>, V: Serialize>(
        &self,
        items: impl IntoIterator<Item = (K, V)>,
        expiry: impl Into<Expiry>,
    ) -> Each<K, bool> {
        self.store_values("add_many", Mode::Add, items, expiry.into(), call::stored)
    }

    /// Stores bytes under each key, until `expiry`.
    pub fn set_many_bytes<K: AsRef<[u8]>, B: AsRef<[u8]>>(
        &self,
        items: impl IntoIterator<Item = (K, B)>,
        expiry: impl Into<Expiry>,
    ) -> Each<K, ()> {
        let (keys, values): (Vec<K>, Vec<B>) = items.into_iter().unzip();
        let encode = |bytes| value::encode_bytes(&*self.values.transcoder, bytes);
        let bodies: Vec<_> = values.iter().map(|bytes| encode(bytes.as_ref())).collect();
        let item = |index: usize| match &bodies[index] {
            Ok(body) => Ok(body.as_item()),
            Err(error) => Err(error.clone()),
        };
        let expiry = expiry.into();
        let results = self.store_each("set_many", Mode::Set, &keys, expiry, item, call::done);
        zip(keys, results)
    }

    /// Stores flags and data under each key, until `expiry`, as they are.
    pub fn set_many_items<'a, K: AsRef<[u8]>, I: Into<ItemRef<'a>>>(
        &self,
        items: impl IntoIterator<Item = (K, I)>,
        expiry: impl Into<Expiry>,
    ) -> Each<K, ()> {
        let items = items.into_iter().map(|(key, item)| (key, item.into()));
        let (keys, items): (Vec<K>, Vec<ItemRef<'a>>) = items.unzip();
        let item = |index: usize| Ok(items[index]);
        let expiry = expiry.into();
        let results = self.store_each("set_many", Mode::Set, &keys, expiry, item, call::done);
        zip(keys, results)
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

    /// Lets each key expire at `expiry`; `false` for one that is not there.
    pub fn touch_many<K: AsRef<[u8]>>(
        &self,
        keys: impl IntoIterator<Item = K>,
        expiry: impl Into<Expiry>,
    ) -> Each<K, bool> {
        let keys: Vec<K> = keys.into_iter().collect();
        let exptime = wire(expiry.into());
        let request = |_, key| {
            let exptime = exptime.clone()?;
            Ok(Request::Touch { key, exptime })
        };
        let results = self.each(
            "touch_many",
            &keys,
            &mut Scratch::default(),
            request,
            call::found,
        );
        zip(keys, results)
    }

    /// Adds `delta` to each counter, and gives what it counts then; `None` for one that is not
    /// there. A key that is given twice is counted twice.
    ///
    /// ```
    /// # let servers = [moecache::testing::Server::start()?, moecache::testing::Server::start()?];
    /// # let client = moecache::Client::new(&servers)?;
    /// client.set_counter("a", 1, 0)?;
    /// let counts = client.incr_many(["a", "b", "a"], 10).all()?;
    /// assert_eq!(counts, [Some(11), None, Some(21)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn incr_many<K: AsRef<[u8]>>(
        &self,
        keys: impl IntoIterator<Item = K>,
        delta: u64,
    ) -> Each<K, Option<u64>> {
        self.count_each("incr_many", Direction::Up, keys, delta)
    }

    /// Takes `delta` from each counter; otherwise as [`incr_many`](Self::incr_many).
    pub fn decr_many<K: AsRef<[u8]>>(
        &self,
        keys: impl IntoIterator<Item = K>,
        delta: u64,
    ) -> Each<K, Option<u64>> {
        self.count_each("decr_many", Direction::Down, keys, delta)
    }

    fn count_each<K: AsRef<[u8]>>(
        &self,
        operation: &'static str,
        direction: Direction,
        keys: impl IntoIterator<Item = K>,
        delta: u64,
    ) -> Each<K, Option<u64>> {
        let keys: Vec<K> = keys.into_iter().collect();
        let request = |_, key| {
            Ok(Request::Arithmetic {
                direction,
                key,
                delta,
                initial: None,
            })
        };
        let results = self.each(
            operation,
            &keys,
            &mut Scratch::default(),
            request,
            call::count,
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
        let (mut data, mut scratch) = (Vec::new(), value::Scratch::default());
        // The flags of each, and where its data ends.
        let mut encoded: Vec<Result<(u32, usize, usize)>> = Vec::with_capacity(keys.capacity());
        for (key, value) in items {
            keys.push(key);
            encoded.push(
                value::encode(&*self.values.transcoder, &value, &mut scratch).map(|body| {
                    let item = body.as_item();
                    let start = data.len();
                    data.extend_from_slice(item.data);
                    (item.flags, start, data.len())
                }),
            );
        }
        let item = |index: usize| match &encoded[index] {
            Ok((flags, start, end)) => Ok(ItemRef {
                flags: *flags,
                data: &data[*start..*end],
            }),
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
            let exptime = exptime.clone()?;
            let item = item(index)?;
            self.shared.check_size(item.data.len())?;
            Ok(Request::Store {
                mode,
                key,
                item,
                exptime,
            })
        };
        self.each(operation, keys, &mut Scratch::default(), request, meaning)
    }
}

/// The expiry as it is sent; an error is that of every key.
fn wire(expiry: Expiry) -> Result<u32> {
    expiry.to_wire(SystemTime::now()).map_err(Error::from)
}
