use super::Client;
use super::call;
use crate::error::{Error, Result};
use crate::expiry::Expiry;
use crate::item::ItemRef;
use crate::key::Scratch;
use crate::protocol::{Mode, Reply, Request, SetOptions, Status};
use crate::value;
use serde::Serialize;
use std::time::SystemTime;

/// # One key: storing
///
/// Each of them comes in three forms: of anything that serde can serialise, of bytes, and of a raw
/// [`ItemRef`], flags and data.
impl Client {
    /// Stores `value` under `key` until `expiry`, whether the key was there or not.
    ///
    /// `value` is anything that serde can serialise. Strings, numbers, `bool`, `char`, bytes and
    /// [`value::DateTime`](crate::value::DateTime) are stored as EnyimMemcached stores the .NET type
    /// of the same size, so that .NET reads them; everything else as MessagePack with named fields.
    /// [`value`](crate::value) has the table.
    ///
    /// # Errors
    ///
    /// A validation error if the expiry cannot be sent, or the value is over
    /// [`max_value_size`](crate::ClientBuilder::max_value_size); an encode error if the value cannot
    /// be serialised. If the server finds it too large, the call is a server error, and the key's
    /// old value is gone.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// use std::time::Duration;
    ///
    /// #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    /// struct User {
    ///     name: String,
    ///     age: u8,
    /// }
    ///
    /// let user = User { name: "bob".to_owned(), age: 7 };
    /// client.set("user:17", &user, Duration::from_secs(3600))?;
    /// assert_eq!(client.get("user:17")?, Some(user));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set<V: Serialize>(
        &self,
        key: impl AsRef<[u8]>,
        value: V,
        expiry: impl Into<Expiry>,
    ) -> Result<()> {
        self.store_value(Mode::Set, key.as_ref(), &value, expiry.into(), call::done)
    }

    /// As [`set`](Self::set), and gives the cas id that the item has then, which saves a
    /// [`gets`](Self::gets) before [`compare_and_swap`](Self::compare_and_swap).
    ///
    /// The meta protocol asks for it, and in binary it comes with every reply. It is the id of what this
    /// call stored: what another stores afterwards has another.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// use moecache::{CasOutcome, Client, Protocol};
    ///
    /// let client = Client::builder().servers(&server).protocol(Protocol::Meta).build()?;
    /// let cas = client.set_returning_cas("job", "open", 60)?;
    /// assert_eq!(client.compare_and_swap("job", "done", 60, cas)?, CasOutcome::Stored);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set), under every [`FailurePolicy`](crate::FailurePolicy);
    /// [unsupported](Error::is_unsupported) in the text protocol, which does not tell the id.
    #[doc(alias = "set_cas")]
    pub fn set_returning_cas<V: Serialize>(
        &self,
        key: impl AsRef<[u8]>,
        value: V,
        expiry: impl Into<Expiry>,
    ) -> Result<u64> {
        let expiry = expiry.into();
        let set = || {
            let mut scratch = Scratch::default();
            let key = self.key(key.as_ref(), &mut scratch)?;
            let exptime = expiry.to_wire(SystemTime::now())?;
            let mut scratch = value::Scratch::default();
            let body = value::encode(&*self.values.transcoder, &value, &mut scratch)?;
            let item = body.as_item();
            self.shared.check_size(item.data.len())?;
            let options = SetOptions {
                mode: Mode::Set,
                cas: None,
                invalidate: false,
                return_cas: true,
                more: None,
            };
            let request = Request::MetaSet {
                key,
                item,
                exptime,
                options,
            };
            self.exchange(key, &request, self.deadline(), |reply| match reply {
                Reply::Cas(id) => Ok(id),
                reply => Err(call::unexpected(reply)),
            })
        };
        set().map_err(|error: Error| error.during("set_returning_cas"))
    }

    /// Stores bytes as they are: .NET's `byte[]`, flags 0xfa52.
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set).
    pub fn set_bytes(
        &self,
        key: impl AsRef<[u8]>,
        bytes: impl AsRef<[u8]>,
        expiry: impl Into<Expiry>,
    ) -> Result<()> {
        let expiry = expiry.into();
        self.store(Mode::Set, key.as_ref(), expiry, call::done, |store| {
            let body = value::encode_bytes(&*self.values.transcoder, bytes.as_ref())?;
            store(body.as_item())
        })
    }

    /// Stores flags and data as they are.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// client.set_item("key", (16, "text as pylibmc stores it"), 0)?;
    /// let item = client.get_item("key")?.unwrap();
    /// assert_eq!((item.flags, &*item.data), (16, &b"text as pylibmc stores it"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set).
    pub fn set_item<'a>(
        &self,
        key: impl AsRef<[u8]>,
        item: impl Into<ItemRef<'a>>,
        expiry: impl Into<Expiry>,
    ) -> Result<()> {
        self.store_item(
            Mode::Set,
            key.as_ref(),
            item.into(),
            expiry.into(),
            call::done,
        )
    }

    /// As [`set`](Self::set), but only if `key` is not there: `false` if it is.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// assert!(client.add("lock", "mine", 10)?);
    /// assert!(!client.add("lock", "mine, too", 10)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set).
    pub fn add<V: Serialize>(
        &self,
        key: impl AsRef<[u8]>,
        value: V,
        expiry: impl Into<Expiry>,
    ) -> Result<bool> {
        self.store_value(Mode::Add, key.as_ref(), &value, expiry.into(), call::stored)
    }

    /// As [`set_item`](Self::set_item), but only if `key` is not there: `false` if it is.
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set).
    pub fn add_item<'a>(
        &self,
        key: impl AsRef<[u8]>,
        item: impl Into<ItemRef<'a>>,
        expiry: impl Into<Expiry>,
    ) -> Result<bool> {
        self.store_item(
            Mode::Add,
            key.as_ref(),
            item.into(),
            expiry.into(),
            call::stored,
        )
    }

    /// As [`set`](Self::set), but only if `key` is there: `false` if it is not.
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set).
    pub fn replace<V: Serialize>(
        &self,
        key: impl AsRef<[u8]>,
        value: V,
        expiry: impl Into<Expiry>,
    ) -> Result<bool> {
        self.store_value(
            Mode::Replace,
            key.as_ref(),
            &value,
            expiry.into(),
            call::stored,
        )
    }

    /// As [`set_item`](Self::set_item), but only if `key` is there: `false` if it is not.
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set).
    pub fn replace_item<'a>(
        &self,
        key: impl AsRef<[u8]>,
        item: impl Into<ItemRef<'a>>,
        expiry: impl Into<Expiry>,
    ) -> Result<bool> {
        self.store_item(
            Mode::Replace,
            key.as_ref(),
            item.into(),
            expiry.into(),
            call::stored,
        )
    }

    /// Puts `bytes` behind the stored ones; flags and expiry stay as they are. `false` if `key` is
    /// not there.
    ///
    /// That makes sense of strings and bytes that are stored as they are: the bytes go behind those that
    /// the server holds, whatever they stand for.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// client.set("log", "one,", 0)?;
    /// assert!(client.append("log", "two,")?);
    /// assert_eq!(client.get("log")?, Some("one,two,".to_owned()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A validation error if `bytes` are over
    /// [`max_value_size`](crate::ClientBuilder::max_value_size), or if strings may be stored
    /// [compressed](crate::value::Compression) or, as dalli's are, serialised: what is appended to those
    /// makes all of it unreadable. A result that the server finds too
    /// large is not stored, and `false` in the text and meta protocols: memcached 1.6 answers as it
    /// does for a key that is not there.
    pub fn append(&self, key: impl AsRef<[u8]>, bytes: impl AsRef<[u8]>) -> Result<bool> {
        let item = ItemRef::from((0, bytes.as_ref()));
        self.store_item(
            Mode::Append,
            key.as_ref(),
            item,
            Expiry::Never,
            call::stored,
        )
    }

    /// Puts `bytes` before the stored ones; otherwise as [`append`](Self::append).
    ///
    /// # Errors
    ///
    /// Those of [`append`](Self::append).
    pub fn prepend(&self, key: impl AsRef<[u8]>, bytes: impl AsRef<[u8]>) -> Result<bool> {
        let item = ItemRef::from((0, bytes.as_ref()));
        self.store_item(
            Mode::Prepend,
            key.as_ref(),
            item,
            Expiry::Never,
            call::stored,
        )
    }

    /// As [`set`](Self::set), but only if the item still has this cas id, which
    /// [`gets`](Self::gets) gave: nobody changed it in the meantime.
    ///
    /// [`update`](Self::update) does both, as often as it takes. No item has the id 0; in the binary
    /// protocol it would mean "in any case", so there it is [refused](Error::is_unsupported).
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set).
    pub fn compare_and_swap<V: Serialize>(
        &self,
        key: impl AsRef<[u8]>,
        value: V,
        expiry: impl Into<Expiry>,
        cas: u64,
    ) -> Result<CasOutcome> {
        self.store_value(
            Mode::Cas(cas),
            key.as_ref(),
            &value,
            expiry.into(),
            CasOutcome::of,
        )
    }

    /// As [`set_item`](Self::set_item), but only if the item still has this cas id.
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set).
    pub fn compare_and_swap_item<'a>(
        &self,
        key: impl AsRef<[u8]>,
        item: impl Into<ItemRef<'a>>,
        expiry: impl Into<Expiry>,
        cas: u64,
    ) -> Result<CasOutcome> {
        self.store_item(
            Mode::Cas(cas),
            key.as_ref(),
            item.into(),
            expiry.into(),
            CasOutcome::of,
        )
    }

    pub(super) fn store_value<V: Serialize, T>(
        &self,
        mode: Mode,
        key: &[u8],
        value: &V,
        expiry: Expiry,
        meaning: fn(Reply<'_>) -> Result<T>,
    ) -> Result<T> {
        self.store(mode, key, expiry, meaning, |store| {
            let mut scratch = value::Scratch::default();
            let body = value::encode(&*self.values.transcoder, value, &mut scratch)?;
            store(body.as_item())
        })
    }

    pub(super) fn store_item<T>(
        &self,
        mode: Mode,
        key: &[u8],
        item: ItemRef<'_>,
        expiry: Expiry,
        meaning: fn(Reply<'_>) -> Result<T>,
    ) -> Result<T> {
        if matches!(mode, Mode::Append | Mode::Prepend) {
            let judged = self.values.check_append();
            judged.map_err(|error| error.during(mode.name()))?;
        }
        self.store(mode, key, expiry, meaning, |store| store(item))
    }

    /// Judges everything, then lets `encode` hand over the item to store: what it borrows need only
    /// live until the item is on its way.
    fn store<T>(
        &self,
        mode: Mode,
        key: &[u8],
        expiry: Expiry,
        meaning: fn(Reply<'_>) -> Result<T>,
        encode: impl FnOnce(&mut dyn FnMut(ItemRef<'_>) -> Result<T>) -> Result<T>,
    ) -> Result<T> {
        let store = || {
            let mut scratch = Scratch::default();
            let key = self.key(key, &mut scratch)?;
            let exptime = expiry.to_wire(SystemTime::now())?;
            encode(&mut |item| {
                self.shared.check_size(item.data.len())?;
                let request = Request::Store {
                    mode,
                    key,
                    item,
                    exptime,
                };
                self.exchange(key, &request, self.deadline(), meaning)
            })
        };
        store().map_err(|error: Error| error.during(mode.name()))
    }
}

/// What came of [`Client::compare_and_swap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
#[non_exhaustive]
pub enum CasOutcome {
    /// The item had the cas id, and holds the new value.
    Stored,
    /// Somebody changed the item in the meantime: it has another cas id, and was left as it is.
    Changed,
    /// The key is not there, and nothing was stored.
    Missing,
}

impl CasOutcome {
    pub(super) fn of(reply: Reply<'_>) -> Result<Self> {
        match reply {
            Reply::Status(Status::Stored) => Ok(Self::Stored),
            Reply::Status(Status::Exists) => Ok(Self::Changed),
            Reply::Status(Status::NotFound) => Ok(Self::Missing),
            reply => Err(call::unexpected(reply)),
        }
    }
}
