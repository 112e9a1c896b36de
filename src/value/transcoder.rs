//! What every transcoder speaks: values to store, bodies, and values as they were stored.

use super::decoded::Decoded;
use super::fault::unstorable;
use super::msgpack;
use super::to_tree::to_tree;
use super::tree::Tree;
use crate::error::Error;
use crate::item::{Item, ItemRef};
use serde::Serialize;
use std::fmt::{self, Debug};
use std::panic::RefUnwindSafe;

/// How values are stored: which flags and bytes, and back. Those of the clients are made by
/// [`Format`](super::Format); a program brings its own with
/// [`ClientBuilder::transcoder`](crate::ClientBuilder::transcoder).
///
/// Encoding and decoding are exact: a type that a client family cannot hold is an error, and so are
/// flags that it does not write.
///
/// ```
/// # #[cfg(not(feature = "json"))]
/// # fn main() {}
/// # #[cfg(feature = "json")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = moecache::testing::Server::start()?;
/// use moecache::value::{Body, Decoded, Transcoder, Value};
/// use moecache::{Client, Error, Item};
/// use serde::{Deserialize, Serialize};
///
/// /// As some Go programs have it: text as it is, and structs in JSON under the flags 7.
/// #[derive(Debug)]
/// struct Ours;
///
/// impl Transcoder for Ours {
///     fn encode<'a>(&self, value: Value<'a>) -> Result<Body<'a>, Error> {
///         match value {
///             Value::Str(text) => Ok(Body::borrowed(0, text.as_bytes())),
///             Value::Object(object) => Ok(Body::owned(7, object.to_tree()?.to_json()?)),
///             _ => Err(Error::encode("only text and structs are stored here")),
///         }
///     }
///
///     fn decode(&self, item: Item) -> Result<Decoded, Error> {
///         match item.flags {
///             0 => Ok(Decoded::Text(item.data)),
///             7 => Decoded::from_json(&item.data),
///             flags => Err(Error::decode(format!("flags {flags} are not ours"))),
///         }
///     }
///
///     fn describe(&self, flags: u32) -> &'static str {
///         if flags == 7 { "JSON" } else { "text" }
///     }
/// }
///
/// #[derive(Serialize, Deserialize, PartialEq, Debug)]
/// struct User {
///     name: String,
/// }
///
/// let client = Client::builder().servers(&server).transcoder(Ours).build()?;
/// let user = User { name: "Ann".to_owned() };
/// client.set("user:1", &user, 0)?;
/// assert_eq!(client.get::<User>("user:1")?, Some(user));
/// assert_eq!(client.get::<Item>("user:1")?.unwrap().data, br#"{"name":"Ann"}"#);
/// # Ok(())
/// # }
/// ```
pub trait Transcoder: Send + Sync + RefUnwindSafe + Debug {
    /// Flags and data of a value.
    ///
    /// # Errors
    ///
    /// One of [kind encode](Error::is_encode) where the value cannot be stored.
    fn encode<'a>(&self, value: Value<'a>) -> Result<Body<'a>, Error>;

    /// The value of an item, its buffer moved and not copied.
    ///
    /// # Errors
    ///
    /// One of [kind decode](Error::is_decode) where the flags are not of this family, or the data
    /// is not what the flags say.
    fn decode(&self, item: Item) -> Result<Decoded, Error>;

    /// The flags of a counter that begins at `count`: with them its data, which is decimal digits that
    /// memcached counts with, reads as a number, here and by the other clients of the deployment.
    /// memcached keeps an item's flags as it counts.
    ///
    /// By default 0, which is also what memcached gives to a counter that it makes itself: other flags
    /// take a command more to make one.
    fn counter_flags(&self, count: u64) -> u32 {
        let _ = count;
        0
    }

    /// What these flags stand for, with its article: "a Python pickle", "an i32 (.NET Int32)". For
    /// messages, which put the flags behind it, in parentheses.
    fn describe(&self, flags: u32) -> &'static str;
}

/// A value to store.
///
/// It has no `Debug`: values are not for logs.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "values are not for logs")]
#[non_exhaustive]
pub enum Value<'a> {
    /// None, or the unit.
    Null,
    /// A bool.
    Bool(bool),
    /// An 8-bit integer.
    I8(i8),
    /// A 16-bit integer.
    I16(i16),
    /// A 32-bit integer.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// An unsigned 8-bit integer.
    U8(u8),
    /// An unsigned 16-bit integer.
    U16(u16),
    /// An unsigned 32-bit integer.
    U32(u32),
    /// An unsigned 64-bit integer.
    U64(u64),
    /// A 128-bit integer.
    I128(i128),
    /// An unsigned 128-bit integer.
    U128(u128),
    /// A 32-bit float.
    F32(f32),
    /// A 64-bit float.
    F64(f64),
    /// A character of the Basic Multilingual Plane, so one unit of UTF-16; others are objects.
    Char(char),
    /// A string.
    Str(&'a str),
    /// Raw data.
    Bytes(&'a [u8]),
    /// .NET's `DateTime.ToBinary()`.
    DateTime(i64),
    /// Anything else, to be serialised by way of [`Object`].
    Object(&'a dyn Object),
}

/// An integer of any width.
#[derive(Clone, Copy)]
pub(super) enum Integer {
    Signed(i128),
    Unsigned(u128),
}

impl Value<'_> {
    /// The value as a tree. `no_date_time` is the error of a [`DateTime`](Self::DateTime), of which
    /// the languages have no plain form.
    pub(super) fn to_tree(self, no_date_time: &str) -> Result<Tree, Error> {
        Ok(match self {
            Self::Null => Tree::Null,
            Self::Bool(value) => Tree::Bool(value),
            Self::F32(value) => Tree::Float(value.into()),
            Self::F64(value) => Tree::Float(value),
            Self::Char(value) => Tree::String(value.into()),
            Self::Str(value) => Tree::String(value.to_owned()),
            Self::Bytes(value) => Tree::Bytes(value.to_vec()),
            Self::Object(value) => value.to_tree()?,
            _ => match self.integer() {
                Some(number) => number.into(),
                None => return Err(unstorable(no_date_time)),
            },
        })
    }

    pub(super) fn integer(self) -> Option<Integer> {
        Some(Integer::Signed(match self {
            Self::I8(value) => value.into(),
            Self::I16(value) => value.into(),
            Self::I32(value) => value.into(),
            Self::I64(value) => value.into(),
            Self::I128(value) => value,
            Self::U8(value) => value.into(),
            Self::U16(value) => value.into(),
            Self::U32(value) => value.into(),
            Self::U64(value) => value.into(),
            Self::U128(value) => return Some(Integer::Unsigned(value)),
            _ => return None,
        }))
    }
}

impl Integer {
    pub(super) fn is_i64(self) -> bool {
        match self {
            Self::Signed(value) => i64::try_from(value).is_ok(),
            Self::Unsigned(value) => i64::try_from(value).is_ok(),
        }
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signed(value) => write!(f, "{value}"),
            Self::Unsigned(value) => write!(f, "{value}"),
        }
    }
}

impl From<Integer> for Tree {
    fn from(value: Integer) -> Self {
        match value {
            Integer::Signed(value) => Self::Integer(value),
            Integer::Unsigned(value) => Self::unsigned(value),
        }
    }
}

/// Anything serializable, in the two forms that formats are written from.
pub trait Object {
    /// Returns the value as a tree, which writes itself as JSON ([`Tree::to_json`]), a pickle
    /// ([`Tree::to_pickle`]), Marshal ([`Tree::to_marshal`]) or PHP's `serialize` ([`Tree::to_php`]).
    /// Structs are maps with named fields.
    ///
    /// # Errors
    ///
    /// One of [kind encode](Error::is_encode) where the value's `Serialize` fails, or the value
    /// nests deeper than can be read back.
    fn to_tree(&self) -> Result<Tree, Error>;

    /// Returns the value in MessagePack, structs as maps with named fields.
    ///
    /// # Errors
    ///
    /// As of [`to_tree`](Self::to_tree).
    fn to_msgpack(&self) -> Result<Vec<u8>, Error>;
}

impl<T: Serialize> Object for T {
    fn to_tree(&self) -> Result<Tree, Error> {
        to_tree(self)
    }

    fn to_msgpack(&self) -> Result<Vec<u8>, Error> {
        msgpack::to_vec(self)
    }
}

/// What goes to the server for a value.
#[expect(missing_debug_implementations, reason = "values are not for logs")]
pub struct Body<'a> {
    flags: u32,
    data: Data<'a>,
}

enum Data<'a> {
    Borrowed(&'a [u8]),
    Inline { bytes: [u8; 8], length: usize },
    Owned(Vec<u8>),
}

impl<'a> Body<'a> {
    /// Data of the caller's, not copied.
    #[must_use]
    pub fn borrowed(flags: u32, data: &'a [u8]) -> Self {
        let data = Data::Borrowed(data);
        Self { flags, data }
    }

    /// A primitive's few bytes, without an allocation.
    #[must_use]
    pub fn inline<const N: usize>(flags: u32, data: [u8; N]) -> Self {
        const { assert!(N <= 8, "primitives have at most 8 bytes") };
        let mut bytes = [0; 8];
        bytes[..N].copy_from_slice(&data);
        let data = Data::Inline { bytes, length: N };
        Self { flags, data }
    }

    /// Data made for this body.
    #[must_use]
    pub fn owned(flags: u32, data: Vec<u8>) -> Self {
        let data = Data::Owned(data);
        Self { flags, data }
    }

    /// The item's flags.
    #[must_use]
    pub fn flags(&self) -> u32 {
        self.flags
    }

    /// The item's data.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        match &self.data {
            Data::Borrowed(data) => data,
            Data::Inline { bytes, length } => &bytes[..*length],
            Data::Owned(data) => data,
        }
    }

    /// The same, with what is borrowed in `scratch`.
    pub(super) fn copied_to(self, scratch: &mut Scratch) -> Body<'_> {
        let data = match self.data {
            Data::Borrowed(data) => Data::Borrowed(scratch.copy(data)),
            Data::Inline { bytes, length } => Data::Inline { bytes, length },
            Data::Owned(data) => Data::Owned(data),
        };
        let flags = self.flags;
        Body { flags, data }
    }

    /// Both, owned.
    pub(super) fn into_item(self) -> Item {
        let data = match self.data {
            Data::Owned(data) => data,
            _ => self.data().to_vec(),
        };
        Item::new(self.flags, data)
    }

    /// Both, as the protocol takes them.
    #[must_use]
    pub fn as_item(&self) -> ItemRef<'_> {
        ItemRef {
            flags: self.flags(),
            data: self.data(),
        }
    }
}

/// Where strings and bytes are copied to: a `Serialize` lends them for the length of a call.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// What fits needs no allocation.
    short: [u8; 128],
    pub(super) long: Vec<u8>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            short: [0; 128],
            long: Vec::new(),
        }
    }
}

impl Scratch {
    pub(super) fn copy(&mut self, bytes: &[u8]) -> &[u8] {
        if let Some(short) = self.short.get_mut(..bytes.len()) {
            short.copy_from_slice(bytes);
            return short;
        }
        self.long.clear();
        self.long.extend_from_slice(bytes);
        &self.long
    }

    /// So many bytes that were copied last.
    pub(super) fn copied(&self, length: usize) -> &[u8] {
        self.short.get(..length).unwrap_or(&self.long)
    }
}
