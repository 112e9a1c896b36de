//! php-memcached's formats.

mod serialize;
#[cfg(test)]
mod tests;

use super::codec::{self, Damage};
use super::compression::{Algorithm, Compression};
use super::fault::damaged;
use super::float;
use super::foreign::{self, unknown};
use super::json;
use super::transcoder::{Body, Decoded, Transcoder, Value, integer};
use super::tree::Tree;
use crate::error::Error;
use crate::item::Item;
use serialize::{too_wide, unserialize};
use std::fmt::Display;

/// The lowest four bits of the flags are the type, the next four say how it is compressed, and the
/// upper 16 are the program's.
#[derive(Debug)]
pub(super) struct Php {
    arrays: Arrays,
    compression: Compression,
    /// The most bytes that a value may have once it is decompressed.
    limit: usize,
}

/// `memcached.serializer`, for arrays and null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrays {
    Serialized,
    Json,
}

const STRING: u32 = 0;
const LONG: u32 = 1;
const DOUBLE: u32 = 2;
const BOOL: u32 = 3;
const SERIALIZED: u32 = 4;
const IGBINARY: u32 = 5;
const JSON: u32 = 6;
const MSGPACK: u32 = 7;
const TYPE: u32 = 0x0f;

const COMPRESSED: u32 = 0x10;
const ZLIB: u32 = 0x20;
const FASTLZ: u32 = 0x40;
/// Since php-memcached 3.3.
const ZSTD: u32 = 0x80;

const NO_DATE_TIME: &str =
    "PHP's DateTime is no plain data: store the seconds of the DateTime, or text";

/// All that php-memcached gives a meaning to.
const MEANT: u32 = TYPE | COMPRESSED | ZLIB | FASTLZ | ZSTD;
const PROGRAMS_OWN: u32 = 0xffff_0000;

impl Php {
    /// # Errors
    ///
    /// A validation error where it is not zlib, or the feature is missing.
    pub(super) fn new(
        arrays: Arrays,
        compression: Compression,
        limit: usize,
    ) -> Result<Self, Error> {
        let compression = compression.allowed("php-memcached", &[Algorithm::Zlib])?;
        Ok(Self {
            arrays,
            compression,
            limit,
        })
    }

    /// Before what is compressed stands its length, 32 bits in little endian.
    fn shrunk<'a>(&self, body: Body<'a>) -> Body<'a> {
        let Ok(length) = u32::try_from(body.data().len()) else {
            return body;
        };
        let header = length.to_le_bytes();
        self.compression.shrunk(body, &header, COMPRESSED | ZLIB)
    }

    fn decompress(&self, flags: u32, data: &[u8]) -> Result<Vec<u8>, Damage> {
        let (length, data) = data.split_first_chunk().ok_or(Damage::Truncated)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let output = match flags & (ZLIB | FASTLZ | ZSTD) {
            ZLIB => codec::zlib::decompress(data, self.limit)?,
            FASTLZ => codec::fastlz::decompress(data, self.limit, length)?,
            ZSTD => codec::zstd::decompress(data, self.limit)?,
            _ => return Err(Damage::Malformed("compression of php-memcached")),
        };
        if output.len() == length {
            Ok(output)
        } else {
            Err(Damage::WrongLength)
        }
    }

    fn serialized(&self, value: Value<'_>) -> Result<Body<'static>, Error> {
        Ok(match self.arrays {
            Arrays::Serialized => Body::owned(SERIALIZED, value.to_tree(NO_DATE_TIME)?.to_php()?),
            Arrays::Json => Body::owned(JSON, value.to_tree(json::NO_DATE_TIME)?.to_json()?),
        })
    }

    fn damaged(&self, flags: u32, how: impl Display) -> Error {
        damaged(self.describe(flags), flags, how)
    }
}

impl Transcoder for Php {
    fn encode<'a>(&self, value: Value<'a>) -> Result<Body<'a>, Error> {
        Ok(match (value, value.integer()) {
            (Value::Str(value), _) => self.shrunk(Body::borrowed(STRING, value.as_bytes())),
            (Value::Bytes(value), _) => self.shrunk(Body::borrowed(STRING, value)),
            (Value::Bool(true), _) => Body::borrowed(BOOL, b"1"),
            (Value::Bool(false), _) => Body::borrowed(BOOL, b""),
            (Value::F32(value), _) => {
                Body::owned(DOUBLE, float::php_memcached(value.into()).into_bytes())
            }
            (Value::F64(value), _) => Body::owned(DOUBLE, float::php_memcached(value).into_bytes()),
            (_, Some(number)) if number.is_i64() => {
                Body::owned(LONG, number.to_string().into_bytes())
            }
            (_, Some(_)) => return Err(too_wide()),
            // A char too: from what is serialised it can be read as one.
            _ => self.shrunk(self.serialized(value)?),
        })
    }

    fn decode(&self, item: Item) -> Result<Decoded, Error> {
        let Item { flags, data, .. } = item;
        match flags & TYPE {
            IGBINARY | MSGPACK => return Err(self.damaged(flags, "which moecache does not read")),
            STRING..=JSON => (),
            _ => return Err(unknown("php-memcached", flags)),
        }
        let data = if flags & COMPRESSED != 0 {
            self.decompress(flags, &data)
                .map_err(|damage| self.damaged(flags, damage))?
        } else {
            data
        };
        Ok(match flags & TYPE {
            STRING if flags & !(MEANT | PROGRAMS_OWN) == 0 => Decoded::StringOrBytes(data),
            // Of another client, and to PHP a string of bytes.
            STRING => Decoded::Bytes(data),
            LONG => integer(&data).map_err(|how| self.damaged(flags, how))?,
            DOUBLE => {
                let text = std::str::from_utf8(&data).ok();
                let value = text.and_then(|text| text.parse().ok());
                let value = value.ok_or_else(|| self.damaged(flags, "that is no number"))?;
                // Also an `f32`, where it is one.
                Decoded::Tree(Tree::Float(value))
            }
            BOOL => match &data[..] {
                b"1" => Decoded::Bool(true),
                b"" | b"0" => Decoded::Bool(false),
                _ => return Err(self.damaged(flags, "that is neither 1 nor empty")),
            },
            SERIALIZED => {
                Decoded::Tree(unserialize(&data).map_err(|refused| self.damaged(flags, refused))?)
            }
            _ => {
                json::read(&data).map_err(|how| self.damaged(flags, format_args!("that {how}")))?
            }
        })
    }

    /// Those of an integer. Beyond 64 bits with a sign PHP has none, and reads a string of digits.
    fn counter_flags(&self, count: u64) -> u32 {
        match i64::try_from(count) {
            Ok(_) => LONG,
            Err(_) => STRING,
        }
    }

    fn describe(&self, flags: u32) -> &'static str {
        if let Some(other) = foreign::beyond(flags, MEANT | PROGRAMS_OWN) {
            return other;
        }
        match flags & TYPE {
            STRING if flags & !(MEANT | PROGRAMS_OWN) == 0 => "a PHP string",
            STRING => "bytes with flags of another client",
            LONG => "a PHP integer",
            DOUBLE => "a PHP float",
            BOOL => "a PHP bool",
            SERIALIZED => "a serialised PHP value",
            IGBINARY => "a PHP value in igbinary",
            JSON => "JSON",
            MSGPACK => "a PHP value in PHP's own MessagePack",
            _ => "something unknown",
        }
    }
}
