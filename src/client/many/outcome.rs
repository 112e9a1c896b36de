use crate::error::{Error, Result};
use std::collections::HashMap;
use std::hash::Hash;
use std::vec;

/// What came of reading many keys: the values that are there, and the keys that failed, each with the
/// reason. A key that is in neither is not there.
///
/// ```
/// # let servers = [moecache::testing::Server::start()?, moecache::testing::Server::start()?];
/// # let client = moecache::Client::new(&servers)?;
/// # client.set("a", 1, 0)?;
/// let many = client.get_many::<i32, _>(["a", "b", "c"]);
/// for (key, error) in &many.failed {
///     eprintln!("{key}: {error}");
/// }
/// assert_eq!(many.found.get("a"), Some(&1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "keys may have failed"]
#[non_exhaustive]
pub struct Many<K, T> {
    /// The keys that are there, and their values.
    pub found: HashMap<K, T>,
    /// The keys that failed, in the order in which they were given.
    pub failed: Vec<(K, Error)>,
}

impl<K, T> Many<K, T> {
    /// What was found, if no key failed.
    ///
    /// # Errors
    ///
    /// That of the first key that failed.
    pub fn all(self) -> Result<HashMap<K, T>> {
        match self.failed.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(self.found),
        }
    }
}

impl<K: Eq + Hash, T> From<Each<K, Option<T>>> for Many<K, T> {
    fn from(each: Each<K, Option<T>>) -> Self {
        let mut found = HashMap::with_capacity(each.len());
        let mut failed = Vec::new();
        for (key, result) in each {
            match result {
                Ok(Some(value)) => drop(found.insert(key, value)),
                Ok(None) => {}
                Err(error) => failed.push((key, error)),
            }
        }
        Self { found, failed }
    }
}

/// What came of each of many keys, in the order in which they were given; a key that was given twice
/// is in it twice.
///
/// ```
/// # let servers = [moecache::testing::Server::start()?, moecache::testing::Server::start()?];
/// # let client = moecache::Client::new(&servers)?;
/// let stored = client.set_many([("a", 1), ("b", 2)], 60);
/// for (key, result) in &stored {
///     println!("{key}: {result:?}");
/// }
/// stored.all()?; // or the first error
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "keys may have failed"]
pub struct Each<K, T> {
    results: Vec<(K, Result<T>)>,
}

impl<K, T> Each<K, T> {
    pub(super) fn new(results: Vec<(K, Result<T>)>) -> Self {
        Self { results }
    }

    /// The results without the keys, if none failed.
    ///
    /// # Errors
    ///
    /// That of the first key that failed.
    pub fn all(self) -> Result<Vec<T>> {
        self.results.into_iter().map(|(_, result)| result).collect()
    }

    /// The keys that failed, and why.
    pub fn failed(&self) -> impl Iterator<Item = (&K, &Error)> {
        let results = self.results.iter();
        results.filter_map(|(key, result)| Some((key, result.as_ref().err()?)))
    }

    /// Each key and its result.
    pub fn iter(&self) -> std::slice::Iter<'_, (K, Result<T>)> {
        self.results.iter()
    }

    /// How many keys there were.
    #[must_use]
    pub fn len(&self) -> usize {
        self.results.len()
    }

    /// Whether there were no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.results.is_empty()
    }
}

impl<K, T> IntoIterator for Each<K, T> {
    type Item = (K, Result<T>);
    type IntoIter = vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.results.into_iter()
    }
}

impl<'a, K, T> IntoIterator for &'a Each<K, T> {
    type Item = &'a (K, Result<T>);
    type IntoIter = std::slice::Iter<'a, (K, Result<T>)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
