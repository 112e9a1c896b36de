//! What every transcoder speaks: values to store, bodies, and values as they were stored.

use super::fault::unstorable;
use super::msgpack::{self, Document};
use super::to_tree::to_tree;
use super::tree::Tree;
use crate::error::Error;
use crate::item::{Item, ItemRef};
use serde::Serialize;
use std::fmt::{self, Debug};
use std::mem;
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
    pub(super) data: Data<'a>,
}

pub(super) enum Data<'a> {
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

    /// Both, as the protocol takes them.
    #[must_use]
    pub fn as_item(&self) -> ItemRef<'_> {
        ItemRef {
            flags: self.flags(),
            data: self.data(),
        }
    }
}

/// A value as it was stored.
#[expect(missing_debug_implementations, reason = "values are not for logs")]
#[non_exhaustive]
pub enum Decoded {
    /// None, or the unit.
    Null,
    /// A bool.
    Bool(bool),
    /// An integer of any type that holds it.
    Integer(i128),
    /// An integer that [`Integer`](Self::Integer) cannot hold.
    Unsigned(u128),
    /// 0 or 1 where a client keeps its bools as integers: a bool, or an integer of any type, which
    /// is what it is for a type that takes whatever there is.
    Bit(bool),
    /// A 32-bit float.
    F32(f32),
    /// A 64-bit float.
    F64(f64),
    /// A character.
    Char(char),
    /// A string.
    String(String),
    /// Raw data.
    Bytes(Vec<u8>),
    /// .NET's `DateTime.ToBinary()`.
    DateTime(i64),
    /// Text of no stated type: a string, or a number such as a counter. UTF-8 is checked by who
    /// reads it as a string, since other clients keep bytes under the same flags.
    Text(Vec<u8>),
    /// Data of no stated type that its owner reads as bytes, and so does a type that takes whatever
    /// there is. Also a string, if it is UTF-8, or a number such as a counter.
    Untyped(Vec<u8>),
    /// The same, of a client that stores strings and bytes alike, as those of PHP, Python 2 and C do: a
    /// type that takes whatever there is reads a string where it is UTF-8. Also a character, if it is
    /// one.
    StringOrBytes(Vec<u8>),
    /// No data, from a client that reads it as None: that, an empty string, or no bytes.
    Empty,
    /// MessagePack.
    Object(Document),
    /// Plain data of another language.
    Tree(Tree),
}

impl Decoded {
    /// Whether an `Option` is `None`.
    pub(super) fn is_none(&self) -> bool {
        match self {
            Self::Null | Self::Empty | Self::Tree(Tree::Null) => true,
            // As EnyimMemcached reads it.
            Self::Text(text) => text.is_empty(),
            Self::Object(document) => document.is_nil(),
            _ => false,
        }
    }

    /// The bytes of raw data, of a string or of text; `None` of anything else.
    pub(super) fn take_bytes(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes)
            | Self::Text(bytes)
            | Self::Untyped(bytes)
            | Self::StringOrBytes(bytes)
            | Self::Tree(Tree::Bytes(bytes)) => Some(mem::take(bytes)),
            Self::String(string) | Self::Tree(Tree::String(string)) => {
                Some(mem::take(string).into_bytes())
            }
            Self::Empty => Some(Vec::new()),
            // serde does not say of what an empty sequence is one, so an empty `Vec<u8>` is stored as
            // an empty array.
            Self::Object(document) if document.is_empty_array() => Some(Vec::new()),
            Self::Tree(Tree::List(items) | Tree::Tuple(items)) if items.is_empty() => {
                Some(Vec::new())
            }
            _ => None,
        }
    }

    /// The value that [`Object::to_msgpack`] wrote.
    ///
    /// # Errors
    ///
    /// One of [kind decode](Error::is_decode) where the data is not one whole value, or nests more than
    /// 128 levels deep.
    pub fn from_msgpack(data: Vec<u8>) -> Result<Self, Error> {
        let document = Document::parse(data);
        document
            .map(Self::Object)
            .map_err(|how| Error::decode(format!("the item is MessagePack {how}")))
    }
}

/// The number that the text is, without what fills it up: memcached keeps the length of a counter
/// that decr made shorter, and puts spaces in place of digits (`decr` in its `doc/protocol.txt`).
pub(super) fn decimal(text: &[u8]) -> Option<&str> {
    let end = text.iter().rposition(|&byte| byte != b' ')?;
    let number = text.get(..=end)?;
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    let is_decimal = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(number).ok().filter(|_| is_decimal)
}

/// An integer in text.
pub(super) fn integer(text: &[u8]) -> Result<Decoded, &'static str> {
    let number = decimal(text).ok_or("that is no decimal number")?;
    let signed = number.parse().map(Decoded::Integer);
    signed
        .or_else(|_| number.parse().map(Decoded::Unsigned))
        .map_err(|_| "of more than 128 bits")
}
