//! Items as memcached holds them: the only value types that the protocol and the transcoders share.

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{self, Serialize, SerializeTupleVariant, Serializer};
use std::fmt;

/// The private name by which a value of its own tells an item from an enum.
pub(crate) const ITEM: &str = "$moecache::Item";

/// That of bytes.
pub(crate) const BYTES: &str = "$moecache::Bytes";

/// The largest value that is ever sent, in bytes: 1 GiB, the most that memcached can be told to hold
/// (`-I 1g`).
///
/// Not only a limit of taste: memcached 1.6 reads the length into 32 signed bits, refuses a command
/// line with 2^31 or more, and then executes the value as commands.
pub const MAX_VALUE_SIZE: usize = 1 << 30;

/// An item as the server holds it: flags, data and, where it was asked for, the cas id.
///
/// It is a value like any other: [`get`](crate::Client::get) and its kin give it as it is stored, and
/// [`set`](crate::Client::set) and its kin store it as it is. Neither the format nor compression
/// touches it. It stands for a value of its own: inside of another one, such as a struct or a `Vec`, it
/// is an encode or decode error.
///
/// `Debug` gives the flags and the length of the data, which may be secret.
///
/// ```
/// # let server = moecache::testing::Server::start()?;
/// # let client = moecache::Client::new(&server)?;
/// use moecache::Item;
///
/// client.set("key", Item::new(16, "text as pylibmc stores it"), 0)?;
/// let item: Item = client.get("key")?.unwrap();
/// assert_eq!((item.flags, &*item.data), (16, &b"text as pylibmc stores it"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// What the client that stored the item says about its data. memcached does not look at it.
    pub flags: u32,
    /// The stored bytes.
    pub data: Vec<u8>,
    /// The cas id, where the command asked for it: [`gets`](crate::Client::gets),
    /// [`gets_many`](crate::Client::gets_many) and [`get_and_touch`](crate::Client::get_and_touch) do.
    /// It is not stored.
    pub cas: Option<u64>,
}

impl Item {
    /// An item without a cas id.
    #[must_use]
    pub fn new(flags: u32, data: impl Into<Vec<u8>>) -> Self {
        Self {
            flags,
            data: data.into(),
            cas: None,
        }
    }
}

/// Flags and data to store, borrowed: an [`Item`] that [`set`](crate::Client::set) and its kin store as
/// it is.
///
/// `Debug` gives the flags and the length of the data, which may be secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ItemRef<'a> {
    /// What to store beside the data.
    pub flags: u32,
    /// The bytes to store.
    pub data: &'a [u8],
}

impl<'a> ItemRef<'a> {
    /// Flags and data.
    pub fn new(flags: u32, data: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        let data = data.as_ref();
        Self { flags, data }
    }
}

impl<'a> From<&'a Item> for ItemRef<'a> {
    fn from(item: &'a Item) -> Self {
        Self {
            flags: item.flags,
            data: &item.data,
        }
    }
}

impl<'a, D: AsRef<[u8]> + ?Sized> From<(u32, &'a D)> for ItemRef<'a> {
    fn from((flags, data): (u32, &'a D)) -> Self {
        Self {
            flags,
            data: data.as_ref(),
        }
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item")
            .field("flags", &self.flags)
            .field("length", &self.data.len())
            .field("cas", &self.cas)
            .finish()
    }
}

impl fmt::Debug for ItemRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemRef")
            .field("flags", &self.flags)
            .field("length", &self.data.len())
            .finish()
    }
}

/// Bytes as they are: .NET's `byte[]` in the default format, where a `Vec<u8>` is bytes only if it is
/// not empty.
///
/// `Bytes(Vec<u8>)` is read as [`get_bytes`](crate::Client::get_bytes) reads: raw data, or the bytes of
/// a string or of text. Anything that lends bytes can be stored. Inside of another value they are bytes,
/// too, and not a sequence of numbers.
///
/// `Debug` gives the length, for the bytes may be secret.
///
/// ```
/// # let servers = [moecache::testing::Server::start()?, moecache::testing::Server::start()?];
/// # let client = moecache::Client::new(&servers)?;
/// use moecache::Bytes;
///
/// client.set_many([("a", Bytes("1")), ("b", Bytes("2"))], 60).all()?;
/// let found = client.get_many::<Bytes, _>(["a", "b"]).all()?;
/// assert_eq!(found["b"].0, b"2");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Bytes<B = Vec<u8>>(pub B);

impl<B: AsRef<[u8]>> fmt::Debug for Bytes<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bytes")
            .field("length", &self.0.as_ref().len())
            .finish()
    }
}

impl<B: AsRef<[u8]>> Serialize for Bytes<B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0.as_ref())
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Inner;

        impl<'de> Visitor<'de> for Inner {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Bytes, D::Error> {
                deserializer.deserialize_byte_buf(self)
            }

            fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<Bytes, A::Error> {
                let mut all = Vec::new();
                while let Some(byte) = bytes.next_element()? {
                    all.push(byte);
                }
                Ok(Bytes(all))
            }
        }

        deserializer.deserialize_newtype_struct(BYTES, Inner)
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ItemRef::from(self).serialize(serializer)
    }
}

/// The flags go as the index of a variant. Its first part can be serialized by nobody, and the client's
/// serializer alone leaves it out.
impl Serialize for ItemRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Alone;

        impl Serialize for Alone {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(ser::Error::custom(INSIDE))
            }
        }

        let mut parts = serializer.serialize_tuple_variant(ITEM, self.flags, "Item", 2)?;
        parts.serialize_field(&Alone)?;
        parts.serialize_field(&Bytes(self.data))?;
        parts.end()
    }
}

const INSIDE: &str = "a raw item is a value of its own and cannot be inside of another one";

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts;

        impl<'de> Visitor<'de> for Parts {
            type Value = Item;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a raw item")
            }

            /// From a deserializer that does not know the name.
            fn visit_newtype_struct<D: Deserializer<'de>>(self, _: D) -> Result<Item, D::Error> {
                Err(de::Error::custom(INSIDE))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Item, A::Error> {
                let mut missing = || de::Error::custom(INSIDE);
                Ok(Item {
                    flags: parts.next_element()?.ok_or_else(&mut missing)?,
                    data: parts.next_element::<Bytes>()?.ok_or_else(&mut missing)?.0,
                    cas: parts.next_element()?.ok_or_else(&mut missing)?,
                })
            }
        }

        deserializer.deserialize_newtype_struct(ITEM, Parts)
    }
}
