use super::msgpack::Document;
use super::tree::Tree;
use crate::error::Error;
use std::mem;

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

    /// The value that [`Object::to_msgpack`](super::Object::to_msgpack) wrote.
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
