use super::Client;
use super::call;
use super::command::{Ask, Call};
use crate::error::Result;
use crate::expiry::Expiry;
use crate::item::Item;
use crate::protocol::{Reply, Status};
use crate::value;
use serde::de::DeserializeOwned;

/// # One key: reading and removing
///
/// What is not a [key](Self#keys) is a validation error, and nothing is sent. Besides, every call may
/// fail with a connect, io, timeout, protocol or server error: see [`Error`](crate::Error).
impl Client {
    /// The value of `key`, read as a `T`; `None` if the key is not there.
    ///
    /// # Errors
    ///
    /// A decode error if the stored value is not a `T`: it names what is stored and what was asked for.
    /// Values that only another language could read (a Python pickle, a .NET object) are refused by
    /// name, and never executed.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// client.set("answer", 42_i32, 0)?;
    /// assert_eq!(client.get::<i32>("answer")?, Some(42));
    /// assert_eq!(client.get::<u8>("answer")?, Some(42)); // It fits.
    /// assert_eq!(client.get::<i32>("question")?, None);
    ///
    /// let error = client.get::<String>("answer").unwrap_err();
    /// assert!(error.is_decode());
    /// assert!(error.to_string().contains("an i32 (.NET Int32, flags 265)"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get<T: DeserializeOwned>(&self, key: impl AsRef<[u8]>) -> Result<Option<T>> {
        self.run(key.as_ref(), &get())
    }

    /// The bytes of `key`: raw data as [`set_bytes`](Self::set_bytes) stores it, or those of a
    /// string or of text under flags 0. Unlike `get::<Vec<u8>>`, which takes raw data only, it copies
    /// nothing.
    ///
    /// # Errors
    ///
    /// A decode error if anything else is stored.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// client.set_bytes("picture", b"\x89PNG\r\n", 0)?;
    /// assert_eq!(client.get_bytes("picture")?.as_deref(), Some(&b"\x89PNG\r\n"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_bytes(&self, key: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>> {
        self.run(key.as_ref(), &get_bytes())
    }

    /// As [`get_bytes`](Self::get_bytes), into a buffer that is used again: in place of what it
    /// holds. `false`, and an empty buffer, if the key is not there.
    ///
    /// # Errors
    ///
    /// Those of [`get_bytes`](Self::get_bytes); the buffer is then empty.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// # client.set_bytes("a", b"1", 0)?;
    /// let mut buffer = Vec::new();
    /// for key in ["a", "b"] {
    ///     if client.get_into(key, &mut buffer)? {
    ///         println!("{key}: {} bytes", buffer.len());
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_into(&self, key: impl AsRef<[u8]>, buffer: &mut Vec<u8>) -> Result<bool> {
        let found = self.run_into(buffer, key.as_ref(), &get_bytes());
        buffer.clear();
        let found = found?;
        let hit = found.is_some();
        if let Some(bytes) = found {
            *buffer = bytes;
        }
        Ok(hit)
    }

    /// The value of an item that was got as it is.
    pub(crate) fn decode<T: DeserializeOwned>(&self, item: Item) -> Result<T> {
        let decoded = value::decode(&*self.values.transcoder, item);
        decoded.map_err(|error| error.during("decode"))
    }

    /// The value of `key` with its cas id, which [`compare_and_swap`](Self::compare_and_swap) takes:
    /// a number that changes whenever the item does.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// use moecache::CasOutcome;
    ///
    /// client.set("stock", 7, 0)?;
    /// if let Some((stock, cas)) = client.gets::<u32>("stock")? {
    ///     let outcome = client.compare_and_swap("stock", stock - 1, 0, cas)?;
    ///     assert_eq!(outcome, CasOutcome::Stored);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get).
    pub fn gets<T: DeserializeOwned>(&self, key: impl AsRef<[u8]>) -> Result<Option<(T, u64)>> {
        self.run(key.as_ref(), &gets())
    }

    /// As [`gets`](Self::gets), the item as it is with its cas id.
    pub(crate) fn gets_item(&self, key: impl AsRef<[u8]>) -> Result<Option<Item>> {
        self.run(
            key.as_ref(),
            &Call::new("gets", Ask::Get { cas: true }, |_, _, reply| {
                call::item(reply)
            }),
        )
    }

    /// The value of `key`, which from now on expires at `expiry`.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get); a validation error if the expiry cannot be sent. memcached has
    /// this since 1.5.3 in the text protocol, and since 1.4.8 in the binary one; older ones answer
    /// with an error.
    pub fn get_and_touch<T: DeserializeOwned>(
        &self,
        key: impl AsRef<[u8]>,
        expiry: impl Into<Expiry>,
    ) -> Result<Option<T>> {
        self.run(key.as_ref(), &get_and_touch(expiry.into()))
    }

    /// Lets `key` expire at `expiry`, whatever it was to before. `false` if it is not there.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// use std::time::Duration;
    ///
    /// client.set("session", "..", Duration::from_secs(60))?;
    /// assert!(client.touch("session", Duration::from_secs(3600))?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A validation error if the expiry cannot be sent.
    pub fn touch(&self, key: impl AsRef<[u8]>, expiry: impl Into<Expiry>) -> Result<bool> {
        self.run(key.as_ref(), &touch(expiry.into()))
    }

    /// Removes `key`. `false` if it was not there.
    ///
    /// `false` may also come after a pooled connection ended right when it was used, if the key was
    /// removed by this very call before it was repeated on a new one.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn delete(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        self.run(key.as_ref(), &delete())
    }

    /// Removes `key` if it still has this cas id, which [`gets`](Self::gets) gives.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// use moecache::{Client, DeleteOutcome, Protocol};
    ///
    /// let client = Client::builder().servers(&server).protocol(Protocol::Meta).build()?;
    /// client.set("job", "do it", 0)?;
    /// let (_, cas) = client.gets::<String>("job")?.unwrap();
    /// client.set("job", "do something else", 0)?;
    /// assert_eq!(client.delete_with_cas("job", cas)?, DeleteOutcome::Changed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [Unsupported](crate::Error::is_unsupported) in the text protocol, which has no such command.
    pub fn delete_with_cas(&self, key: impl AsRef<[u8]>, cas: u64) -> Result<DeleteOutcome> {
        self.run(key.as_ref(), &delete_with_cas(cas))
    }
}

pub(super) fn get<T: DeserializeOwned>() -> Call<'static, Option<T>> {
    let ask = Ask::Get { cas: false };
    Call::new("get", ask, |values, _, reply| values.value(reply))
}

pub(super) fn get_bytes() -> Call<'static, Option<Vec<u8>>> {
    let ask = Ask::Get { cas: false };
    Call::new("get", ask, |values, _, reply| values.bytes(reply))
}

pub(super) fn gets<T: DeserializeOwned>() -> Call<'static, Option<(T, u64)>> {
    let ask = Ask::Get { cas: true };
    Call::new("gets", ask, |values, _, reply| values.value_and_cas(reply))
}

pub(super) fn get_and_touch<T: DeserializeOwned>(expiry: Expiry) -> Call<'static, Option<T>> {
    let ask = Ask::GetAndTouch { expiry };
    Call::new("get_and_touch", ask, |values, _, reply| values.value(reply))
}

pub(super) fn touch(expiry: Expiry) -> Call<'static, bool> {
    Call::new("touch", Ask::Touch { expiry }, |_, _, reply| {
        call::found(reply)
    })
}

pub(super) fn delete() -> Call<'static, bool> {
    let ask = Ask::Delete { cas: None };
    Call::new("delete", ask, |_, _, reply| call::found(reply))
}

pub(super) fn delete_with_cas(cas: u64) -> Call<'static, DeleteOutcome> {
    let ask = Ask::Delete { cas: Some(cas) };
    Call::new("delete_with_cas", ask, |_, _, reply| {
        DeleteOutcome::of(reply)
    })
}

/// What came of [`Client::delete_with_cas`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
#[non_exhaustive]
pub enum DeleteOutcome {
    /// The item had the cas id, and is gone.
    Deleted,
    /// Somebody changed the item in the meantime: it has another cas id, and was not removed.
    Changed,
    /// The key is not there.
    Missing,
}

impl DeleteOutcome {
    pub(super) fn of(reply: Reply<'_>) -> Result<Self> {
        match reply {
            Reply::Status(Status::Deleted) => Ok(Self::Deleted),
            Reply::Status(Status::Exists) => Ok(Self::Changed),
            Reply::Status(Status::NotFound) => Ok(Self::Missing),
            reply => Err(call::unexpected(reply)),
        }
    }
}
