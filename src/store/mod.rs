//! Key-value stores: one small trait over bytes, [`KeyValueStore`], and what keeps to it.
//!
//! A program that takes a `&dyn KeyValueStore` does not care where its data is: in memory while it is
//! tested, in memcached or Redis when it runs, below a prefix, or where it may only look.
//!
//! ```
//! use moecache::store::{KeyValueStore, Lifetime, MemoryStore, Prefixed, StoreError};
//! use std::time::Duration;
//!
//! fn log_in(sessions: &dyn KeyValueStore, user: &str) -> Result<(), StoreError> {
//!     sessions.put_with(user, b"since today", Lifetime::For(Duration::from_secs(3600)))
//! }
//!
//! let store = MemoryStore::new();
//! let sessions = Prefixed::new("session.", &store)?;
//! log_in(&sessions, "ann")?;
//! assert_eq!(sessions.get("ann")?, b"since today");
//! assert_eq!(store.keys("")?, ["session.ann"]);
//! assert!(matches!(sessions.get("bob"), Err(StoreError::NotFound(key)) if key == "bob"));
//! # Ok::<(), StoreError>(())
//! ```
//!
//! | store | where the data is | lifetimes | listing keys |
//! |---|---|---|---|
//! | [`MemoryStore`] | in the process | to the nanosecond | yes |
//! | [`MemcacheStore`] | on memcached servers | up to two seconds longer, at most until 2038 | in the text and meta protocols, memcached 1.4.31 or later |
//! | `RedisStore`, with the feature `redis` | in a Redis database | rounded up to a millisecond | yes |
//!
//! | decorator | what it does to any store |
//! |---|---|
//! | [`Prefixed`] | puts a prefix in front of every key |
//! | [`ReadOnly`] | lets nothing be changed |
//! | [`WithLifetime`] | gives what is put a lifetime, where the call says none |
//!
//! Decorators own what they are given, which may be a store, a `Box` or an `Arc` of one, with `dyn` or
//! without, or a reference.
//!
//! [`conformance`] checks a store of your own against all that the trait promises.
//!
//! The trait is that of Python's simplekv, `KeyValueStore` and `TimeToLiveMixin` in one, in Rust's way:
//! `KeyError` is [`StoreError::NotFound`], `ValueError` [`StoreError::InvalidKey`] and
//! [`StoreError::InvalidLifetime`], `IOError` [`StoreError::Io`] and, for what a store cannot do at all,
//! [`StoreError::Unsupported`].

pub mod conformance;
mod error;
mod forward;
mod key;
mod lifetime;
mod memcache;
mod memory;
mod prefixed;
mod read_only;
#[cfg(feature = "redis")]
mod redis;
mod with_lifetime;

pub use self::error::StoreError;
pub use self::key::KEY_SYMBOLS;
pub use self::lifetime::Lifetime;
pub use self::memcache::MemcacheStore;
pub use self::memory::MemoryStore;
pub use self::prefixed::Prefixed;
pub use self::read_only::ReadOnly;
#[cfg(feature = "redis")]
pub use self::redis::RedisStore;
pub use self::with_lifetime::WithLifetime;

use crate::key::MAX_KEY_LENGTH;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

/// Keys as a store lists them, one after the other, in any order. An error is the end of the list, or of
/// one server's part of it.
pub type Keys<'s> = Box<dyn Iterator<Item = Result<String, StoreError>> + 's>;

/// A store of bytes by key.
///
/// Every method may fail with [`StoreError::InvalidKey`] for what is not a key, before anything is done,
/// and with [`StoreError::Io`] if the store cannot be reached, or says no; what a store cannot do at all
/// is [`StoreError::Unsupported`].
///
/// # Keys
///
/// A key is 1 to 250 characters ([`max_key_length`](Self::max_key_length) has what a prefix leaves of
/// that): ASCII letters and digits, and those of [`KEY_SYMBOLS`]. So the space, `*`, `/`, `:`, `;`, `\` and
/// `|` are not. These are simplekv's keys, which every store can have, files and URLs included.
///
/// # A store of your own
///
/// Four methods are needed. [`check_key`](Self::check_key) comes first in each that takes a key, and
/// [`Lifetime::duration`] judges a lifetime.
///
/// ```
/// use moecache::store::{conformance, KeyValueStore, Keys, Lifetime, StoreError};
/// use std::collections::BTreeMap;
/// use std::sync::Mutex;
///
/// /// Keeps everything for ever.
/// #[derive(Default)]
/// struct Attic(Mutex<BTreeMap<String, Vec<u8>>>);
///
/// impl KeyValueStore for Attic {
///     fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
///         self.check_key(key)?;
///         let found = self.0.lock().unwrap().get(key).cloned();
///         found.ok_or_else(|| StoreError::NotFound(key.to_owned()))
///     }
///
///     fn put_with(&self, key: &str, data: &[u8], lifetime: Lifetime) -> Result<(), StoreError> {
///         self.check_key(key)?;
///         if lifetime.duration()?.is_some() {
///             return Err(StoreError::unsupported("put: nothing in an attic expires"));
///         }
///         self.0.lock().unwrap().insert(key.to_owned(), data.to_owned());
///         Ok(())
///     }
///
///     fn delete(&self, key: &str) -> Result<(), StoreError> {
///         self.check_key(key)?;
///         self.0.lock().unwrap().remove(key);
///         Ok(())
///     }
///
///     fn iter_keys<'s>(&'s self, prefix: &str) -> Keys<'s> {
///         let mut keys: Vec<_> = self.0.lock().unwrap().keys().cloned().collect();
///         keys.retain(|key| key.starts_with(prefix));
///         Box::new(keys.into_iter().map(Ok))
///     }
/// }
///
/// let report = conformance::check(&Attic::default());
/// assert!(report.is_conformant(), "{report}");
/// ```
pub trait KeyValueStore: Send + Sync {
    /// The data of `key`.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if it is not there.
    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError>;

    /// Stores `data` as that of `key`, for as long as `lifetime` says, in place of what was there and
    /// of the lifetime that it had.
    ///
    /// # Errors
    ///
    /// [`StoreError::InvalidLifetime`] for one of zero, and one that is longer than the store can hold.
    fn put_with(&self, key: &str, data: &[u8], lifetime: Lifetime) -> Result<(), StoreError>;

    /// Removes `key`. That it is not there is no error.
    ///
    /// # Errors
    ///
    /// None of its own.
    fn delete(&self, key: &str) -> Result<(), StoreError>;

    /// The keys that begin with `prefix`, each once, in any order, as they come; all of them for `""`.
    /// The prefix is text and no pattern, and what no key begins with lists nothing.
    ///
    /// What is put or removed meanwhile may be there or not.
    ///
    /// ```
    /// use moecache::store::{KeyValueStore, MemoryStore};
    ///
    /// let store = MemoryStore::new();
    /// store.put("user.ann", b"1")?;
    /// store.put("page.1", b"2")?;
    /// for key in store.iter_keys("user.") {
    ///     assert_eq!(key?, "user.ann");
    /// }
    /// # Ok::<(), moecache::store::StoreError>(())
    /// ```
    fn iter_keys<'s>(&'s self, prefix: &str) -> Keys<'s>;

    /// Stores `data` as that of `key`, with the store's own lifetime: for ever, unless a
    /// [`WithLifetime`] says otherwise.
    ///
    /// # Errors
    ///
    /// None of its own.
    fn put(&self, key: &str, data: &[u8]) -> Result<(), StoreError> {
        self.put_with(key, data, Lifetime::Default)
    }

    /// Whether `key` is there.
    ///
    /// # Errors
    ///
    /// None of its own.
    fn contains(&self, key: &str) -> Result<bool, StoreError> {
        match self.get(key) {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What [`iter_keys`](Self::iter_keys) lists, as a list; or its first error.
    ///
    /// # Errors
    ///
    /// Those of [`iter_keys`](Self::iter_keys).
    fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.iter_keys(prefix).collect()
    }

    /// What the keys that begin with `prefix` have in common, as folders have it: each up to and with
    /// the first `delimiter` behind the prefix, or the whole key if there is none. Each comes once; they
    /// are kept in memory for that.
    ///
    /// ```
    /// use moecache::store::{KeyValueStore, MemoryStore};
    ///
    /// let store = MemoryStore::new();
    /// for key in ["log.2026.10", "log.2026.11", "log.2027.01", "log.all", "else"] {
    ///     store.put(key, b"")?;
    /// }
    /// let years: Result<Vec<_>, _> = store.iter_prefixes(".", "log.").collect();
    /// assert_eq!(years?, ["log.2026.", "log.2027.", "log.all"]);
    /// # Ok::<(), moecache::store::StoreError>(())
    /// ```
    fn iter_prefixes<'s>(&'s self, delimiter: &str, prefix: &str) -> Keys<'s> {
        let (delimiter, behind) = (delimiter.to_owned(), prefix.len());
        let mut seen = HashSet::new();
        let prefixes = self.iter_keys(prefix).map(move |key| {
            let mut key = key?;
            let rest = key.get(behind..).unwrap_or_default();
            if let Some(at) = rest.find(&delimiter) {
                key.truncate(behind + at + delimiter.len());
            }
            Ok(key)
        });
        Box::new(prefixes.filter(move |prefix| match prefix {
            Ok(prefix) => seen.insert(prefix.clone()),
            Err(_) => true,
        }))
    }

    /// Writes the data of `key` to the file at `path`, which is made, or emptied first. If the key is
    /// not there, nothing happens to the file.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if the key is not there; [`StoreError::Io`] if the file cannot be
    /// written.
    fn get_file(&self, key: &str, path: &Path) -> Result<(), StoreError> {
        Ok(fs::write(path, self.get(key)?)?)
    }

    /// Writes the data of `key` to `sink`.
    ///
    /// ```
    /// use moecache::store::{KeyValueStore, MemoryStore};
    ///
    /// let store = MemoryStore::new();
    /// store.put("greeting", b"hello\n")?;
    /// store.get_to("greeting", &mut std::io::stdout())?;
    /// # Ok::<(), moecache::store::StoreError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if the key is not there; [`StoreError::Io`] if `sink` fails.
    fn get_to(&self, key: &str, sink: &mut dyn Write) -> Result<(), StoreError> {
        io::copy(&mut self.open(key)?, sink)?;
        Ok(())
    }

    /// Stores what is in the file at `path`, which stays as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if the file cannot be read; those of [`put_with`](Self::put_with).
    fn put_file(&self, key: &str, path: &Path, lifetime: Lifetime) -> Result<(), StoreError> {
        self.check_key(key)?;
        self.put_from(key, &mut File::open(path)?, lifetime)
    }

    /// Stores what `source` gives, to its end. Nothing is read from it if the key or the lifetime is
    /// not allowed, and nothing is stored if it fails.
    ///
    /// ```
    /// use moecache::store::{KeyValueStore, Lifetime, MemoryStore};
    ///
    /// let store = MemoryStore::new();
    /// store.put_from("greeting", &mut &b"hello"[..], Lifetime::Never)?;
    /// assert_eq!(store.get("greeting")?, b"hello");
    /// # Ok::<(), moecache::store::StoreError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if `source` fails; those of [`put_with`](Self::put_with).
    fn put_from(
        &self,
        key: &str,
        source: &mut dyn Read,
        lifetime: Lifetime,
    ) -> Result<(), StoreError> {
        self.check_key(key)?;
        self.check_lifetime(lifetime)?;
        let mut data = Vec::new();
        source.read_to_end(&mut data)?;
        self.put_with(key, &data, lifetime)
    }

    /// The data of `key`, to be read piece by piece: that of now, whatever becomes of the key while it
    /// is read.
    ///
    /// ```
    /// use moecache::store::{KeyValueStore, MemoryStore};
    /// use std::io::Read;
    ///
    /// let store = MemoryStore::new();
    /// store.put("list", b"one two three")?;
    /// let mut start = [0; 3];
    /// store.open("list")?.read_exact(&mut start)?;
    /// assert_eq!(&start, b"one");
    /// # Ok::<(), moecache::store::StoreError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if the key is not there.
    fn open<'s>(&'s self, key: &str) -> Result<Box<dyn Read + 's>, StoreError> {
        Ok(Box::new(io::Cursor::new(self.get(key)?)))
    }

    /// How long a key may be, in bytes: [`MAX_KEY_LENGTH`], 250, or what a prefix leaves of it.
    fn max_key_length(&self) -> usize {
        MAX_KEY_LENGTH
    }

    /// Whether data can be kept for so long. Zero cannot; a store that knows a longest lifetime refuses
    /// more.
    ///
    /// # Errors
    ///
    /// [`StoreError::InvalidLifetime`], with what is allowed.
    fn check_lifetime(&self, lifetime: Lifetime) -> Result<(), StoreError> {
        lifetime.duration()?;
        Ok(())
    }

    /// Whether `key` is one: see [Keys](#keys). Every method that takes a key begins so.
    ///
    /// ```
    /// use moecache::store::{KeyValueStore, MemoryStore};
    ///
    /// let store = MemoryStore::new();
    /// assert!(store.check_key("user.17").is_ok());
    /// assert_eq!(
    ///     store.check_key("user:17").unwrap_err().to_string(),
    ///     "key: ':' at position 4 is not allowed; allowed are ASCII letters, digits and \
    ///      !\"#$%&'()+,-.<=>?@[]^_`{}~"
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError::InvalidKey`], with what is wrong and what is allowed.
    fn check_key(&self, key: &str) -> Result<(), StoreError> {
        key::check(key, self.max_key_length())
    }
}
