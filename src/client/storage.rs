use super::Client;
use super::call;
use super::command::{Ask, Call, Meaning};
use crate::error::Result;
use crate::expiry::Expiry;
use crate::protocol::{Mode, Reply, Status};
use crate::value::{self, Body, Value};
use serde::Serialize;

/// # One key: storing
///
/// A value is anything that serde can serialize, [`Bytes`](crate::Bytes), or flags and data as they are:
/// an [`Item`](crate::Item) or an [`ItemRef`](crate::ItemRef).
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
        self.store(key.as_ref(), &value, |body| set(body, expiry.into()))
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
    /// [unsupported](crate::Error::is_unsupported) in the text protocol, which does not tell the id.
    #[doc(alias = "set_cas")]
    pub fn set_returning_cas<V: Serialize>(
        &self,
        key: impl AsRef<[u8]>,
        value: V,
        expiry: impl Into<Expiry>,
    ) -> Result<u64> {
        self.store(key.as_ref(), &value, |body| {
            set_returning_cas(body, expiry.into())
        })
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
        let body = self.values.transcoder.encode(Value::Bytes(bytes.as_ref()));
        self.run(key.as_ref(), &set(body, expiry.into()))
    }

    /// Stores a string as [`set`](Self::set) does, without a copy of it.
    ///
    /// `set` copies every string once, because serde lends it for the length of a call: of 100 KB and
    /// more that shows.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// let page = "<p>".repeat(100_000);
    /// client.set_str("page", &page, 60)?;
    /// assert_eq!(client.get("page")?, Some(page));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set).
    pub fn set_str(
        &self,
        key: impl AsRef<[u8]>,
        string: impl AsRef<str>,
        expiry: impl Into<Expiry>,
    ) -> Result<()> {
        let body = self.values.transcoder.encode(Value::Str(string.as_ref()));
        self.run(key.as_ref(), &set(body, expiry.into()))
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
        self.store(key.as_ref(), &value, |body| add(body, expiry.into()))
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
        self.store(key.as_ref(), &value, |body| replace(body, expiry.into()))
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
        let body = self.values.extension(bytes.as_ref());
        self.run(key.as_ref(), &append(body))
    }

    /// Puts `bytes` before the stored ones; otherwise as [`append`](Self::append).
    ///
    /// # Errors
    ///
    /// Those of [`append`](Self::append).
    pub fn prepend(&self, key: impl AsRef<[u8]>, bytes: impl AsRef<[u8]>) -> Result<bool> {
        let body = self.values.extension(bytes.as_ref());
        self.run(key.as_ref(), &prepend(body))
    }

    /// As [`set`](Self::set), but only if the item still has this cas id, which
    /// [`gets`](Self::gets) gave: nobody changed it in the meantime.
    ///
    /// [`update`](Self::update) does both, as often as it takes. No item has the id 0; in the binary
    /// protocol it would mean "in any case", so there it is [refused](crate::Error::is_unsupported).
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
        self.store(key.as_ref(), &value, |body| {
            compare_and_swap(body, expiry.into(), cas)
        })
    }

    /// Encodes a value for the call that stores it.
    fn store<V: Serialize, T>(
        &self,
        key: &[u8],
        value: &V,
        call: impl FnOnce(Result<Body<'_>>) -> Call<'_, T>,
    ) -> Result<T> {
        let mut buffer = value::Buffer::default();
        let encoded = value::encode(&*self.values.transcoder, value, &mut buffer);
        let body = encoded.map(|encoded| {
            let item = buffer.item(&encoded);
            Body::borrowed(item.flags, item.data)
        });
        self.run(key, &call(body))
    }
}

#[inline]
pub(super) fn set(body: Result<Body<'_>>, expiry: Expiry) -> Call<'_, ()> {
    stored(Mode::Set, body, expiry, |_, _, reply| call::done(reply))
}

pub(super) fn add(body: Result<Body<'_>>, expiry: Expiry) -> Call<'_, bool> {
    stored(Mode::Add, body, expiry, |_, _, reply| call::stored(reply))
}

pub(super) fn replace(body: Result<Body<'_>>, expiry: Expiry) -> Call<'_, bool> {
    stored(Mode::Replace, body, expiry, |_, _, reply| {
        call::stored(reply)
    })
}

pub(super) fn append(body: Result<Body<'_>>) -> Call<'_, bool> {
    stored(Mode::Append, body, Expiry::Never, |_, _, reply| {
        call::stored(reply)
    })
}

pub(super) fn prepend(body: Result<Body<'_>>) -> Call<'_, bool> {
    stored(Mode::Prepend, body, Expiry::Never, |_, _, reply| {
        call::stored(reply)
    })
}

pub(super) fn compare_and_swap(
    body: Result<Body<'_>>,
    expiry: Expiry,
    cas: u64,
) -> Call<'_, CasOutcome> {
    stored(Mode::Cas(cas), body, expiry, |_, _, reply| {
        CasOutcome::of(reply)
    })
}

pub(super) fn set_returning_cas(body: Result<Body<'_>>, expiry: Expiry) -> Call<'_, u64> {
    let ask = Ask::SetReturningCas { body, expiry };
    Call::new("set_returning_cas", ask, |_, _, reply| call::cas(reply))
}

#[inline]
fn stored<T>(
    mode: Mode,
    body: Result<Body<'_>>,
    expiry: Expiry,
    meaning: Meaning<T>,
) -> Call<'_, T> {
    Call::new(mode.name(), Ask::Store { mode, body, expiry }, meaning)
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
