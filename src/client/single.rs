use super::Client;
use crate::conn::{Answer, Pool, Sink};
use crate::error::{Error, Kind, Result};
use crate::expiry::Expiry;
use crate::item::{Item, ItemRef};
use crate::key::Key;
use crate::protocol::{Malformed, Request, Status, ValueHeader};
use crate::value;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::SystemTime;

/// # One key
///
/// A key is 1 to 250 bytes of printable ASCII, 0x21 to 0x7e, as moecache and EnyimMemcached have
/// it; anything else is a validation error, and nothing is sent. Besides, every call may fail with a
/// connect, io, timeout, protocol or server error: see [`Error`].
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
    /// assert!(error.to_string().contains("a .NET Int32 (flags 265)"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get<T: DeserializeOwned>(&self, key: impl AsRef<[u8]>) -> Result<Option<T>> {
        self.fetch("get", key.as_ref(), &mut Vec::new(), |item| {
            value::decode(&*self.shared.transcoder, item)
        })
    }

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
    /// A string is sent from inside of its `serialize`, so that it need not be copied: a lock that a
    /// `Serialize` of your own holds meanwhile is held until the reply is there.
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
        self.store("set", key.as_ref(), expiry.into(), |store| {
            value::encode(&*self.shared.transcoder, &value, |body| {
                store(body.as_item())
            })
        })
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
        let delete = || {
            let key = Key::new(key.as_ref())?;
            let pool = self.shared.topology.pool_of(key);
            match pool.exchange(&Request::Delete { key }, &mut (), self.deadline())? {
                Answer::Status(Status::Deleted) => Ok(true),
                Answer::Status(Status::NotFound) => Ok(false),
                answer => Err(refused(&answer, pool)),
            }
        };
        delete().map_err(|error: Error| error.during("delete"))
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
        self.fetch("get", key.as_ref(), &mut Vec::new(), |item| {
            value::decode_bytes(&*self.shared.transcoder, item)
        })
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
        let found = self.fetch("get", key.as_ref(), buffer, |item| {
            value::decode_bytes(&*self.shared.transcoder, item)
        })?;
        let hit = found.is_some();
        if let Some(bytes) = found {
            *buffer = bytes;
        }
        Ok(hit)
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
        self.store("set", key.as_ref(), expiry.into(), |store| {
            let body = value::encode_bytes(&*self.shared.transcoder, bytes.as_ref())?;
            store(body.as_item())
        })
    }

    /// The item of `key` as the server holds it, whoever stored it: flags and data, not decoded.
    ///
    /// # Errors
    ///
    /// None of its own.
    pub fn get_item(&self, key: impl AsRef<[u8]>) -> Result<Option<Item>> {
        self.fetch("get", key.as_ref(), &mut Vec::new(), Ok)
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
        self.store("set", key.as_ref(), expiry.into(), |store| {
            store(item.into())
        })
    }

    /// Stores a number in the form that memcached's `incr` and `decr` count in: decimal digits,
    /// flags 0. `get` reads it as any integer type that it fits, or as a string.
    ///
    /// A number stored with [`set`](Self::set) is a .NET number, which memcached cannot count. (This
    /// version has no `incr` and `decr` of its own yet: it stores and reads what others count.)
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// client.set_counter("visits", 41, 0)?;
    /// assert_eq!(client.get::<u64>("visits")?, Some(41));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set).
    pub fn set_counter(
        &self,
        key: impl AsRef<[u8]>,
        count: u64,
        expiry: impl Into<Expiry>,
    ) -> Result<()> {
        self.set_item(key, (0, &count.to_string()), expiry)
    }

    /// Gets an item into `buffer`, which moves into what `decode` makes of it; unless that succeeds
    /// the buffer is left empty.
    fn fetch<T>(
        &self,
        operation: &'static str,
        key: &[u8],
        buffer: &mut Vec<u8>,
        decode: impl FnOnce(Item) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut found = Found {
            flags: None,
            data: buffer,
        };
        let fetch = || {
            let key = Key::new(key)?;
            let pool = self.shared.topology.pool_of(key);
            match pool.exchange(&Request::Get { key }, &mut found, self.deadline())? {
                Answer::Status(Status::End) => {}
                answer => return Err(refused(&answer, pool)),
            }
            let Some(flags) = found.flags else {
                return Ok(None);
            };
            let item = Item {
                flags,
                data: std::mem::take(found.data),
                cas: None,
            };
            decode(item)
                .map(Some)
                .map_err(|error| error.on(pool.name()))
        };
        let fetched = fetch().map_err(|error: Error| error.during(operation));
        buffer.clear();
        fetched
    }

    /// Judges everything, then lets `encode` hand over the item to store: what it borrows need only
    /// live until the item is on its way.
    fn store(
        &self,
        operation: &'static str,
        key: &[u8],
        expiry: Expiry,
        encode: impl FnOnce(&mut dyn FnMut(ItemRef<'_>) -> Result<()>) -> Result<()>,
    ) -> Result<()> {
        let store = || {
            let key = Key::new(key)?;
            let exptime = expiry.to_wire(SystemTime::now())?;
            encode(&mut |item| {
                self.shared.check_size(item.data.len())?;
                let pool = self.shared.topology.pool_of(key);
                let request = Request::Set { key, item, exptime };
                match pool.exchange(&request, &mut (), self.deadline())? {
                    Answer::Status(Status::Stored) => Ok(()),
                    answer => Err(refused(&answer, pool)),
                }
            })
        };
        store().map_err(|error: Error| error.during(operation))
    }
}

impl super::Shared {
    fn check_size(&self, size: usize) -> Result<()> {
        let max = self.max_value_size;
        if size > max {
            let reason = format!("value: {size} bytes; the configured maximum is {max}");
            return Err(Error::validation(reason));
        }
        Ok(())
    }
}

/// The value of one key.
struct Found<'a> {
    /// Those of the value; `None` as long as none came.
    flags: Option<u32>,
    data: &'a mut Vec<u8>,
}

impl Sink for Found<'_> {
    fn value(&mut self, header: ValueHeader) -> Result<&mut Vec<u8>, Malformed> {
        self.flags = Some(header.flags);
        Ok(self.data)
    }
}

/// The error for an answer that is not what was asked for.
pub(super) fn refused(answer: &Answer, pool: &Pool) -> Error {
    match answer {
        Answer::Refused(line) => Error::new(Kind::Server, format!("the server answered {line}")),
        // The decoder lets no such status through.
        Answer::Status(status) => {
            Error::new(Kind::Protocol, format!("unexpected reply {status:?}"))
        }
    }
    .on(pool.name())
}
