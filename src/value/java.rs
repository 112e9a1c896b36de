//! spymemcached's `SerializingTranscoder`.

use super::codec;
use super::compression::{Algorithm, Compression};
use super::date_time::DateTime;
use super::fault::{damaged, unstorable};
use super::foreign::{self, unknown};
use super::transcoder::{Body, Decoded, Transcoder, Value};
use crate::error::Error;
use crate::item::Item;
use std::fmt::Display;
use std::time::{Duration, SystemTime};

/// Strings, and numbers in big endian without the zero bytes that they start with.
#[derive(Debug)]
pub(super) struct Spymemcached {
    compression: Compression,
    /// The most bytes that a value may have once it is decompressed.
    limit: usize,
}

const STRING: u32 = 0;
const SERIALIZED: u32 = 1;
const COMPRESSED: u32 = 2;
const BOOLEAN: u32 = 0x100;
const INTEGER: u32 = 0x200;
const LONG: u32 = 0x300;
const DATE: u32 = 0x400;
const BYTE: u32 = 0x500;
const FLOAT: u32 = 0x600;
const DOUBLE: u32 = 0x700;
const BYTES: u32 = 0x800;
/// Of the flags these say what it is; the other bits mean nothing.
const TYPE: u32 = 0xff00;

impl Spymemcached {
    /// # Errors
    ///
    /// A validation error where it is not gzip, or the feature is missing.
    pub(super) fn new(compression: Compression, limit: usize) -> Result<Self, Error> {
        let compression = compression.allowed("spymemcached", &[Algorithm::Gzip])?;
        Ok(Self { compression, limit })
    }

    fn damaged(&self, flags: u32, how: impl Display) -> Error {
        damaged(self.describe(flags), flags, how)
    }

    /// The number of a type that has `N` bytes at most.
    fn number<const N: usize>(&self, flags: u32, data: &[u8]) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        let length = data.len();
        let start = N
            .checked_sub(length)
            .ok_or_else(|| self.damaged(flags, format_args!("of {length} bytes, more than {N}")))?;
        bytes[start..].copy_from_slice(data);
        Ok(bytes)
    }
}

impl Transcoder for Spymemcached {
    /// Java's integers are signed: an unsigned type is the smallest one that holds all of it.
    fn encode<'a>(&self, value: Value<'a>) -> Result<Body<'a>, Error> {
        Ok(match value {
            Value::Str(value) => {
                self.compression
                    .shrunk(Body::borrowed(STRING, value.as_bytes()), &[], COMPRESSED)
            }
            Value::Bytes(value) => {
                self.compression
                    .shrunk(Body::borrowed(BYTES, value), &[], COMPRESSED)
            }
            Value::Bool(true) => Body::borrowed(BOOLEAN, b"1"),
            Value::Bool(false) => Body::borrowed(BOOLEAN, b"0"),
            Value::I8(value) => Body::inline(BYTE, value.to_be_bytes()),
            Value::U8(value) => stripped(INTEGER, u32::from(value).to_be_bytes()),
            Value::I16(value) => stripped(INTEGER, i32::from(value).to_be_bytes()),
            Value::U16(value) => stripped(INTEGER, u32::from(value).to_be_bytes()),
            Value::I32(value) => stripped(INTEGER, value.to_be_bytes()),
            Value::F32(value) => stripped(FLOAT, value.to_bits().to_be_bytes()),
            Value::F64(value) => stripped(DOUBLE, value.to_bits().to_be_bytes()),
            Value::DateTime(value) => stripped(DATE, milliseconds(DateTime(value))?.to_be_bytes()),
            Value::Null | Value::Char(_) | Value::Object(_) => {
                return Err(unstorable(
                    "spymemcached holds strings, bytes, numbers, booleans and dates; all else it \
                     leaves to Java's serialization: store a string or bytes",
                ));
            }
            _ => stripped(LONG, long(value)?.to_be_bytes()),
        })
    }

    fn decode(&self, item: Item) -> Result<Decoded, Error> {
        let Item { flags, data, .. } = item;
        if flags & SERIALIZED != 0 {
            return Err(self.damaged(flags, "that is not executed"));
        }
        if flags & TYPE > BYTES {
            return Err(unknown("spymemcached", flags));
        }
        let data = if flags & COMPRESSED != 0 {
            codec::gzip::decompress(&data, self.limit)
                .map_err(|damage| self.damaged(flags, damage))?
        } else {
            data
        };
        Ok(match flags & TYPE {
            // A counter too.
            STRING if flags == 0 && !data.is_empty() => Decoded::Text(data),
            STRING => {
                let string = String::from_utf8(data);
                Decoded::String(string.map_err(|_| self.damaged(flags, "that is not UTF-8"))?)
            }
            BOOLEAN => match data[..] {
                [value] => Decoded::Bool(value == b'1'),
                _ => return Err(self.damaged(flags, "that is not of one byte")),
            },
            INTEGER => Decoded::Integer(i32::from_be_bytes(self.number(flags, &data)?).into()),
            LONG => Decoded::Integer(i64::from_be_bytes(self.number(flags, &data)?).into()),
            BYTE => Decoded::Integer(i8::from_be_bytes(self.number(flags, &data)?).into()),
            FLOAT => Decoded::F32(f32::from_be_bytes(self.number(flags, &data)?)),
            DOUBLE => Decoded::F64(f64::from_be_bytes(self.number(flags, &data)?)),
            DATE => {
                let milliseconds = i64::from_be_bytes(self.number(flags, &data)?);
                let moment = moment(milliseconds).and_then(DateTime::from_system_time);
                let DateTime(value) =
                    moment.ok_or_else(|| self.damaged(flags, "outside of the years 1 to 9999"))?;
                Decoded::DateTime(value)
            }
            // The last of the types.
            _ => Decoded::Bytes(data),
        })
    }

    fn describe(&self, flags: u32) -> &'static str {
        if let Some(other) = foreign::beyond(flags, TYPE | SERIALIZED | COMPRESSED) {
            return other;
        }
        match flags & TYPE {
            _ if flags & SERIALIZED != 0 => "a serialised Java object",
            STRING => "a Java String",
            BOOLEAN => "a Java Boolean",
            INTEGER => "a Java Integer",
            LONG => "a Java Long",
            DATE => "a Java Date",
            BYTE => "a Java Byte",
            FLOAT => "a Java Float",
            DOUBLE => "a Java Double",
            BYTES => "bytes of Java",
            _ => "something unknown",
        }
    }
}

/// The number without the zero bytes that it starts with.
fn stripped<'a, const N: usize>(flags: u32, bytes: [u8; N]) -> Body<'a> {
    let zeroes = bytes.iter().take_while(|&&byte| byte == 0).count();
    Body::owned(flags, bytes[zeroes..].to_vec())
}

fn long(value: Value<'_>) -> Result<i64, Error> {
    let number = value.integer().map(|number| number.to_string());
    let long = number.and_then(|number| number.parse().ok());
    long.ok_or_else(|| unstorable("the number does not fit Java's Long, of 64 bits with a sign"))
}

/// A `java.util.Date`: milliseconds since 1970, in UTC.
fn milliseconds(date: DateTime) -> Result<i64, Error> {
    let exact = |date: DateTime| {
        let time = date.to_system_time()?;
        let count = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).ok()?,
            Err(before) => -i64::try_from(before.duration().as_millis()).ok()?,
        };
        (moment(count) == Some(time)).then_some(count)
    };
    exact(date).ok_or_else(|| {
        unstorable(
            "a Java Date is a whole number of milliseconds in UTC, which this DateTime is not",
        )
    })
}

fn moment(milliseconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_millis(milliseconds.unsigned_abs());
    if milliseconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    }
}
