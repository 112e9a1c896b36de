//! EnyimMemcached's types, and MessagePack for what they cannot hold: the default.

use super::codec::{self, Damage};
use super::compression::{Algorithm, Compression};
use super::fault::damaged;
use super::foreign;
use super::msgpack::Document;
use super::pickle;
use super::transcoder::{Body, Decoded, Object, Transcoder, Value, decimal};
use crate::error::{Error, Kind};
use crate::item::Item;

/// The flags of EnyimMemcached's `DefaultTranscoder`: 0x100 and .NET's `TypeCode`, numbers in little
/// endian.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Enyim {
    dialect: Dialect,
    compression: Compression,
    /// The most bytes that a value may have once it is decompressed or unpickled.
    limit: usize,
}

/// Whose flags they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Ours. Flags compare exactly, where EnyimMemcached looks at the lowest byte alone and so takes
    /// moecache's pickles (256) for text. Here they are read.
    Moecache,
    /// EnyimMemcached's.
    Enyim,
    /// EnyimMemcachedCore's with its `MessagePackTranscoder`: objects are not in .NET's
    /// BinaryFormatter.
    EnyimCoreMessagePack,
}

const TEXT: u32 = 0;
/// What older versions of EnyimMemcached store of a null, then without data; and Python's moecache of
/// all but strings.
const OLD_NULL_OR_PICKLE: u32 = 0x100;
const OBJECT: u32 = 0x101;
const NULL: u32 = 0x102;
const BOOLEAN: u32 = 0x103;
const CHAR: u32 = 0x104;
const SBYTE: u32 = 0x105;
const BYTE: u32 = 0x106;
const INT16: u32 = 0x107;
const UINT16: u32 = 0x108;
const INT32: u32 = 0x109;
const UINT32: u32 = 0x10a;
const INT64: u32 = 0x10b;
const UINT64: u32 = 0x10c;
const SINGLE: u32 = 0x10d;
const DOUBLE: u32 = 0x10e;
const DATE_TIME: u32 = 0x110;
const STRING: u32 = 0x112;
const RAW: u32 = 0xfa52;

/// Ours, and read by nobody else: every other client raises on these flags or gives the bytes as
/// they are; none runs a deserialiser on them or returns another value.
const MSGPACK: u32 = 0x4d40;

/// What is compressed in our own formats: items of their own kind around the real ones.
///
/// A peer must not take them for anything. Its flags have none of the bits 1, 2, 4, 8 and 16 in the
/// lowest byte, by which other clients unpickle, inflate or parse, nor is that byte one of .NET's
/// `TypeCode`s, nor 0x4d00 one of spymemcached's types. Tried on the clients themselves: each raises,
/// or gives the bytes as they are.
const LZ4: u32 = 0x4d20;
const ZSTD: u32 = 0x4d60;

/// The default format: nothing is compressed.
impl Default for Enyim {
    fn default() -> Self {
        Self {
            dialect: Dialect::Moecache,
            compression: Compression::off(),
            limit: 64 << 20,
        }
    }
}

impl Enyim {
    /// # Errors
    ///
    /// A validation error where it is neither LZ4 nor Zstandard, or the feature is missing.
    pub(crate) fn new(
        dialect: Dialect,
        compression: Compression,
        limit: usize,
    ) -> Result<Self, Error> {
        let owner = "this client's own format";
        Ok(Self {
            dialect,
            compression: compression.allowed(owner, &[Algorithm::Lz4, Algorithm::Zstd])?,
            limit,
        })
    }

    /// The flags under which this client would have stored the item.
    fn meaning(&self, flags: u32) -> u32 {
        match flags {
            MSGPACK | RAW | LZ4 | ZSTD => flags,
            _ if self.dialect == Dialect::Moecache => flags,
            _ => match flags & 0xff {
                0 => TEXT,
                // TypeCode.Decimal is stored as an object.
                0x0f => OBJECT,
                type_code => 0x100 | type_code,
            },
        }
    }

    fn is_msgpack(&self, flags: u32) -> bool {
        flags == MSGPACK || self.dialect == Dialect::EnyimCoreMessagePack
    }

    fn object<'a>(&self, value: &dyn Object) -> Result<Body<'a>, Error> {
        let flags = match self.dialect {
            Dialect::EnyimCoreMessagePack => OBJECT,
            Dialect::Moecache | Dialect::Enyim => MSGPACK,
        };
        Ok(Body::owned(flags, value.to_msgpack()?))
    }

    fn unknown(&self, flags: u32) -> Error {
        let owner = foreign::describe(self.meaning(flags));
        let owner = owner.unwrap_or("stored by no client that moecache knows");
        Error::new(Kind::Decode, format!("flags {flags}: {owner}"))
    }

    fn damaged(&self, flags: u32, how: impl std::fmt::Display) -> Error {
        damaged(self.describe(flags), flags, how)
    }

    /// The data of a type that always has `N` bytes. EnyimMemcached takes the first ones of a longer
    /// body; to return a number out of bytes that are something else is a wrong answer.
    fn exactly<const N: usize>(&self, flags: u32, data: &[u8]) -> Result<[u8; N], Error> {
        data.try_into().map_err(|_| {
            let length = data.len();
            self.damaged(flags, format_args!("of {length} bytes instead of {N}"))
        })
    }
}

impl Transcoder for Enyim {
    fn encode<'a>(&self, value: Value<'a>) -> Result<Body<'a>, Error> {
        let body = match value {
            Value::Null => Body::borrowed(NULL, &[]),
            Value::Bool(value) => Body::inline(BOOLEAN, [value.into()]),
            Value::I8(value) => Body::inline(SBYTE, value.to_le_bytes()),
            Value::I16(value) => Body::inline(INT16, value.to_le_bytes()),
            Value::I32(value) => Body::inline(INT32, value.to_le_bytes()),
            Value::I64(value) => Body::inline(INT64, value.to_le_bytes()),
            Value::U8(value) => Body::inline(BYTE, value.to_le_bytes()),
            Value::U16(value) => Body::inline(UINT16, value.to_le_bytes()),
            Value::U32(value) => Body::inline(UINT32, value.to_le_bytes()),
            Value::U64(value) => Body::inline(UINT64, value.to_le_bytes()),
            // .NET's TypeCode has no such numbers.
            Value::I128(value) => Body::owned(MSGPACK, value.to_msgpack()?),
            Value::U128(value) => Body::owned(MSGPACK, value.to_msgpack()?),
            Value::F32(value) => Body::inline(SINGLE, value.to_le_bytes()),
            Value::F64(value) => Body::inline(DOUBLE, value.to_le_bytes()),
            Value::Char(value) => {
                let unit = u16::try_from(u32::from(value)).map_err(|_| {
                    let reason = "a .NET Char cannot hold a character beyond U+FFFF";
                    Error::new(Kind::Encode, reason)
                })?;
                Body::inline(CHAR, unit.to_le_bytes())
            }
            Value::Str(value) => Body::borrowed(STRING, value.as_bytes()),
            Value::Bytes(value) => Body::borrowed(RAW, value),
            Value::DateTime(value) => Body::inline(DATE_TIME, value.to_le_bytes()),
            Value::Object(value) => self.object(value)?,
        };
        Ok(match self.compression.algorithm {
            Some(algorithm) => pack(body, algorithm, self.compression),
            None => body,
        })
    }

    fn decode(&self, item: Item) -> Result<Decoded, Error> {
        let Item { flags, data, .. } = match item.flags {
            LZ4 | ZSTD => unpack(&item, self.limit)?,
            _ => item,
        };
        Ok(match self.meaning(flags) {
            _ if flags == OLD_NULL_OR_PICKLE && data.is_empty() => Decoded::Null,
            OLD_NULL_OR_PICKLE => pickle::read(&data, self.limit)
                .map_err(|refused| damaged("a Python pickle", flags, refused))?,
            TEXT => Decoded::Text(data),
            NULL => {
                let [] = self.exactly(flags, &data)?;
                Decoded::Null
            }
            BOOLEAN => {
                let [value] = self.exactly(flags, &data)?;
                // As BitConverter.ToBoolean does.
                Decoded::Bool(value != 0)
            }
            CHAR => {
                let unit = u16::from_le_bytes(self.exactly(flags, &data)?);
                let value = char::from_u32(unit.into())
                    .ok_or_else(|| self.damaged(flags, "that is half of a surrogate pair"))?;
                Decoded::Char(value)
            }
            SBYTE => Decoded::Integer(i8::from_le_bytes(self.exactly(flags, &data)?).into()),
            INT16 => Decoded::Integer(i16::from_le_bytes(self.exactly(flags, &data)?).into()),
            INT32 => Decoded::Integer(i32::from_le_bytes(self.exactly(flags, &data)?).into()),
            INT64 => Decoded::Integer(i64::from_le_bytes(self.exactly(flags, &data)?).into()),
            BYTE => Decoded::Integer(u8::from_le_bytes(self.exactly(flags, &data)?).into()),
            UINT16 => Decoded::Integer(u16::from_le_bytes(self.exactly(flags, &data)?).into()),
            UINT32 => Decoded::Integer(u32::from_le_bytes(self.exactly(flags, &data)?).into()),
            UINT64 => Decoded::Integer(u64::from_le_bytes(self.exactly(flags, &data)?).into()),
            SINGLE => Decoded::F32(f32::from_le_bytes(self.exactly(flags, &data)?)),
            DOUBLE => Decoded::F64(f64::from_le_bytes(self.exactly(flags, &data)?)),
            DATE_TIME => Decoded::DateTime(i64::from_le_bytes(self.exactly(flags, &data)?)),
            // A counter that was started as a string.
            STRING if decimal(&data).is_some() => Decoded::Text(data),
            STRING => {
                let string = String::from_utf8(data);
                Decoded::String(string.map_err(|_| self.damaged(flags, "that is not UTF-8"))?)
            }
            RAW => Decoded::Bytes(data),
            OBJECT | MSGPACK if self.is_msgpack(flags) => {
                let document = Document::parse(data);
                Decoded::Object(document.map_err(|malformed| self.damaged(flags, malformed))?)
            }
            _ => return Err(self.unknown(flags)),
        })
    }

    fn describe(&self, flags: u32) -> &'static str {
        match self.meaning(flags) {
            TEXT => "text",
            OLD_NULL_OR_PICKLE => "a Python pickle, or a .NET null",
            NULL => "None (.NET null)",
            BOOLEAN => "a bool (.NET Boolean)",
            CHAR => "a char (.NET Char)",
            SBYTE => "an i8 (.NET SByte)",
            BYTE => "a u8 (.NET Byte)",
            INT16 => "an i16 (.NET Int16)",
            UINT16 => "a u16 (.NET UInt16)",
            INT32 => "an i32 (.NET Int32)",
            UINT32 => "a u32 (.NET UInt32)",
            INT64 => "an i64 (.NET Int64)",
            UINT64 => "a u64 (.NET UInt64)",
            SINGLE => "an f32 (.NET Single)",
            DOUBLE => "an f64 (.NET Double)",
            DATE_TIME => "a DateTime (.NET DateTime)",
            STRING => "a string (.NET String)",
            RAW => "bytes (.NET byte[])",
            OBJECT | MSGPACK if self.is_msgpack(flags) => "a MessagePack object",
            meaning => describe_packed(flags)
                .or(foreign::describe(meaning))
                .unwrap_or("something unknown"),
        }
    }
}

/// The body, compressed where that is asked for and makes it smaller: its flags and its length, 32
/// bits each in little endian, and one block of LZ4 or one frame of Zstandard.
fn pack(body: Body<'_>, algorithm: Algorithm, compression: Compression) -> Body<'_> {
    let flags = match algorithm {
        Algorithm::Lz4 => LZ4,
        _ => ZSTD,
    };
    let Ok(length) = u32::try_from(body.data().len()) else {
        return body;
    };
    let mut header = [0; 8];
    header[..4].copy_from_slice(&body.flags().to_le_bytes());
    header[4..].copy_from_slice(&length.to_le_bytes());
    match compression.shrink(&header, body.data()) {
        Some(packed) => Body::owned(flags, packed),
        None => body,
    }
}

/// The item inside of one that is compressed.
fn unpack(item: &Item, limit: usize) -> Result<Item, Error> {
    let stored = describe_packed(item.flags).unwrap_or_default();
    let (flags, data) = content(item.flags, &item.data, limit)
        .map_err(|damage| damaged(stored, item.flags, damage))?;
    match flags {
        LZ4 | ZSTD => Err(damaged(stored, item.flags, "in another one")),
        _ => Ok(Item::new(flags, data)),
    }
}

fn describe_packed(flags: u32) -> Option<&'static str> {
    match flags {
        LZ4 => Some("a value of this client compressed with LZ4"),
        ZSTD => Some("a value of this client compressed with Zstandard"),
        _ => None,
    }
}

fn content(outer: u32, data: &[u8], limit: usize) -> Result<(u32, Vec<u8>), Damage> {
    let (flags, data) = data.split_first_chunk().ok_or(Damage::Truncated)?;
    let (length, data) = data.split_first_chunk().ok_or(Damage::Truncated)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    if length > limit {
        return Err(Damage::TooLarge(limit));
    }
    let content = if outer == LZ4 {
        codec::lz4::decompress(data, limit, length)?
    } else {
        codec::zstd::decompress(data, limit)?
    };
    if content.len() != length {
        return Err(Damage::WrongLength);
    }
    Ok((u32::from_le_bytes(*flags), content))
}
