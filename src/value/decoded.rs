use super::msgpack::Document;
use super::{json, pickle};
use crate::error::Error;

/// A value as it was stored: [`Value`](super::Value)'s list, owned.
#[expect(missing_debug_implementations, reason = "values are not for logs")]
#[non_exhaustive]
pub enum Decoded {
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
}

impl Decoded {
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

    /// The value of JSON.
    ///
    /// # Errors
    ///
    /// One of [kind decode](Error::is_decode) where it is malformed or nests more than 128 levels deep;
    /// also where the feature `json` is not there.
    pub fn from_json(data: &[u8]) -> Result<Self, Error> {
        json::read(data).map_err(|how| Error::decode(format!("the item is JSON that {how}")))
    }

    /// The value of a Python pickle of plain data, of any protocol from 0 to 5. `limit` is how many
    /// bytes it may have in parts that are written once and used again.
    ///
    /// # Errors
    ///
    /// One of [kind decode](Error::is_decode) where it is malformed, nests more than 128 levels deep,
    /// exceeds the limit, or is not plain data, which is never executed; also where the feature
    /// `pickle` is not there.
    pub fn from_pickle(data: &[u8], limit: usize) -> Result<Self, Error> {
        pickle::read(data, limit)
            .map_err(|how| Error::decode(format!("the item is a Python pickle {how}")))
    }
}
