use super::{ByKey, Client, Each, Many, Plan, zip};
use crate::client::call;
use crate::error::{Error, Result};
use crate::item::{Item, ItemRef};
use crate::key::Scratch;
use crate::protocol::{Reply, Request, Status};
use crate::route::Topology;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::hash::Hash;

/// # Many keys: reading
///
/// All servers are asked at the same time, so that a call takes as long as the slowest of them. A
/// server that fails, a value that cannot be decoded and a key that is not one fail only the keys
/// they concern. The timeout is that of the whole call.
///
/// A key may be given more than once; it is asked for as often.
impl Client {
    /// The values of many keys, read as a `T` each, by key.
    ///
    /// ```
    /// # let servers = [moecache::testing::Server::start()?, moecache::testing::Server::start()?];
    /// # let client = moecache::Client::new(&servers)?;
    /// client.set_many([("a", "one"), ("b", "two")], 60).all()?;
    /// let found = client.get_many::<String, _>(["a", "b", "c"]).all()?;
    /// assert_eq!(found["b"], "two");
    /// assert!(!found.contains_key("c")); // not there
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_many<T: DeserializeOwned, K: AsRef<[u8]> + Eq + Hash>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Many<K, T> {
        self.read_each("get_many", keys, false, |reply| self.values.value(reply))
            .into()
    }

    /// The values of many keys in the order of the keys; `None` for one that is not there.
    ///
    /// ```
    /// # let servers = [moecache::testing::Server::start()?, moecache::testing::Server::start()?];
    /// # let client = moecache::Client::new(&servers)?;
    /// client.set_many([("a", 1), ("b", 2)], 60).all()?;
    /// let values = client.get_each::<i32, _>(["b", "c", "a", "b"]).all()?;
    /// assert_eq!(values, [Some(2), None, Some(1), Some(2)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_each<T: DeserializeOwned, K: AsRef<[u8]>>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Each<K, Option<T>> {
        self.read_each("get_each", keys, false, |reply| self.values.value(reply))
    }

    /// The values of many keys with their cas ids, by key.
    pub fn gets_many<T: DeserializeOwned, K: AsRef<[u8]> + Eq + Hash>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Many<K, (T, u64)> {
        self.read_each("gets_many", keys, true, |reply| {
            self.values.value_and_cas(reply)
        })
        .into()
    }

    /// Hands the items of many keys to `on_item`, each as it comes, with its place in `keys`. Those
    /// that are not there are left out. What is returned are the keys that failed.
    ///
    /// This is the form that copies least and holds least: the data is where it was received, or in a
    /// buffer that is used again for the next item. No order is kept. `on_item` should not take long,
    /// for the timeout counts on; nor call the same client where
    /// [`max_connections`](crate::ClientBuilder::max_connections) leaves no further connection,
    /// because it would wait for one in vain: this call holds one to each server meanwhile.
    ///
    /// ```
    /// # let servers = [moecache::testing::Server::start()?, moecache::testing::Server::start()?];
    /// # let client = moecache::Client::new(&servers)?;
    /// # client.set_many([("a", 1), ("b", 2)], 60).all()?;
    /// let keys = ["a", "b", "c"];
    /// let mut bytes = 0;
    /// let failed = client.get_many_with(&keys, |index, item| {
    ///     println!("{}: flags {}", keys[index], item.flags);
    ///     bytes += item.data.len();
    /// });
    /// assert!(failed.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use = "keys may have failed"]
    pub fn get_many_with<'k, K: AsRef<[u8]>>(
        &self,
        keys: &'k [K],
        on_item: impl FnMut(usize, ItemRef<'_>),
    ) -> Vec<(&'k K, Error)> {
        let mut failed = Vec::new();
        let mut scratch = Scratch::default();
        let plan = Plan::new(
            self,
            keys.iter().map(AsRef::as_ref),
            &mut scratch,
            |_, key| Ok(Request::Get { key, cas: false }),
            |index, error| failed.push((index, error)),
        );
        let mut items = Items {
            topology: plan.topology(),
            on_item,
            spare: Vec::new(),
            failed,
        };
        plan.run(self, &mut items);
        let mut failed = items.failed;
        failed.sort_unstable_by_key(|(index, _)| *index);
        let name = |(index, error): (usize, Error)| (&keys[index], error.during("get_many_with"));
        failed.into_iter().map(name).collect()
    }

    /// As [`get_each`](Self::get_each), the items as they are with their cas ids.
    pub(crate) fn gets_each_item<K: AsRef<[u8]>>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Each<K, Option<Item>> {
        self.read_each("get_each", keys, true, call::item)
    }

    fn read_each<T, K: AsRef<[u8]>>(
        &self,
        operation: &'static str,
        keys: impl IntoIterator<Item = K>,
        cas: bool,
        meaning: impl FnMut(Reply<'_>) -> Result<Option<T>>,
    ) -> Each<K, Option<T>> {
        let keys: Vec<K> = keys.into_iter().collect();
        let request = |_, key| Ok(Request::Get { key, cas });
        let mut scratch = Scratch::default();
        let results = self.each(operation, &keys, &mut scratch, request, meaning);
        zip(keys, results)
    }
}

/// Hands over items as they come.
struct Items<'t, F> {
    topology: &'t Topology,
    on_item: F,
    /// Buffers to use again: one for each server that is in the middle of a value.
    spare: Vec<Vec<u8>>,
    failed: Vec<(usize, Error)>,
}

impl<F: FnMut(usize, ItemRef<'_>)> ByKey for Items<'_, F> {
    fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    #[inline]
    fn reply(&mut self, key: usize, server: usize, reply: Result<Reply<'_>>) {
        let hit = match reply {
            Ok(Reply::Hit(hit)) => hit,
            reply => return self.no_item(key, server, reply),
        };
        let (flags, data) = (hit.flags, &*hit.data);
        (self.on_item)(key, ItemRef { flags, data });
        if let Cow::Owned(buffer) = hit.data {
            self.spare.push(buffer);
        }
    }
}

impl<F> Items<'_, F> {
    #[cold]
    fn no_item(&mut self, key: usize, server: usize, reply: Result<Reply<'_>>) {
        let error = match reply {
            Ok(Reply::Status(Status::NotFound)) => return,
            Ok(reply) => call::unexpected(reply).on(self.topology.backend(server).name()),
            Err(error) => error,
        };
        self.failed.push((key, error));
    }
}
