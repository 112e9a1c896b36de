//! The formats of Python's clients: text for str and int, and pickles for all else.

mod rules;

pub(super) use rules::{PYERMC, PYLIBMC, PYMEMCACHE, PYMEMCACHE_COMPRESSED, PYTHON_MEMCACHED};

use super::codec::{self, Damage};
use super::compression::{Algorithm, Compression};
use super::fault::{damaged, unstorable};
use super::float;
use super::foreign::{self, unknown};
use super::pickle;
use super::transcoder::{Body, Decoded, Integer, Transcoder, Value, decimal, integer};
use crate::error::Error;
use crate::item::Item;
use rules::{COMPRESSED, Rules, Stored};
use std::fmt::Display;

/// A client that says in bits of the flags what a value is: pylibmc, python-memcached, pymemcache
/// with its own serdes, and pyermc. They differ in what [`Rules`] lists.
#[derive(Debug)]
pub(super) struct Python {
    rules: &'static Rules,
    compression: Compression,
    /// The most bytes that a value may have once it is decompressed or unpickled.
    limit: usize,
}

impl Python {
    /// # Errors
    ///
    /// A validation error where the client does not know the algorithm, or its feature is missing.
    pub(super) fn new(
        rules: &'static Rules,
        compression: Compression,
        limit: usize,
    ) -> Result<Self, Error> {
        let known = rules.compression.as_slice();
        Ok(Self {
            rules,
            compression: compression.allowed(rules.name, known)?,
            limit,
        })
    }

    /// The body, compressed if that is asked for and makes it smaller.
    fn shrunk<'a>(&self, body: Body<'a>) -> Body<'a> {
        let length = u32::try_from(body.data().len()).map(u32::to_le_bytes);
        let header = match (self.rules.compression, &length) {
            (Some(Algorithm::Lz4), Ok(length)) => &length[..],
            (Some(Algorithm::Lz4), Err(_)) => return body,
            _ => &[],
        };
        self.compression.shrunk(body, header, COMPRESSED)
    }

    fn integer<'a>(&self, number: Integer) -> Body<'a> {
        let flags = if number.is_i64() {
            self.rules.int
        } else {
            self.rules.long
        };
        let body = Body::owned(flags, number.to_string().into_bytes());
        if self.rules.compresses_integers {
            self.shrunk(body)
        } else {
            body
        }
    }

    fn is_compressed(&self, flags: u32) -> Option<Algorithm> {
        let algorithm = self.rules.compression;
        algorithm.filter(|_| flags & COMPRESSED != 0)
    }

    fn decompress(&self, algorithm: Algorithm, data: &[u8]) -> Result<Vec<u8>, Damage> {
        match (algorithm, data.split_first_chunk()) {
            (Algorithm::Lz4, Some((length, block))) => {
                let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
                codec::lz4::decompress(block, self.limit, length)
            }
            (Algorithm::Lz4, None) => Err(Damage::Truncated),
            _ => codec::zlib::decompress(data, self.limit),
        }
    }

    fn damaged(&self, flags: u32, how: impl Display) -> Error {
        damaged(self.describe(flags), flags, how)
    }
}

impl Transcoder for Python {
    fn encode<'a>(&self, value: Value<'a>) -> Result<Body<'a>, Error> {
        Ok(match (value, self.rules.bool) {
            (Value::Str(value), _) => {
                self.shrunk(Body::borrowed(self.rules.text, value.as_bytes()))
            }
            (Value::Bytes(value), _) => self.shrunk(Body::borrowed(self.rules.bytes, value)),
            (Value::Bool(true), Some(flags)) => Body::borrowed(flags, b"1"),
            (Value::Bool(false), Some(flags)) => Body::borrowed(flags, b"0"),
            _ => match value.integer() {
                Some(number) => self.integer(number),
                // A char too: the text says of itself that it is a str, and reads as a char again.
                None => self.shrunk(Body::owned(
                    self.rules.pickle,
                    value.to_tree(pickle::NO_DATE_TIME)?.to_pickle()?,
                )),
            },
        })
    }

    fn decode(&self, item: Item) -> Result<Decoded, Error> {
        let Item { flags, data, .. } = item;
        if data.is_empty() && self.rules.empty_is_none {
            return Ok(Decoded::Empty);
        }
        let stored = self
            .rules
            .stored(flags)
            .ok_or_else(|| unknown(self.rules.name, flags))?;
        let data = match self.is_compressed(flags) {
            Some(algorithm) => self
                .decompress(algorithm, &data)
                .map_err(|damage| self.damaged(flags, damage))?,
            None => data,
        };
        Ok(match stored {
            Stored::Bytes => Decoded::Untyped(data),
            Stored::Str2 => Decoded::StringOrBytes(data),
            Stored::Str => {
                let string = String::from_utf8(data);
                Decoded::String(string.map_err(|_| self.damaged(flags, "that is not UTF-8"))?)
            }
            Stored::BoolOrInt if data == b"0" => Decoded::Bit(false),
            Stored::BoolOrInt if data == b"1" => Decoded::Bit(true),
            Stored::Int | Stored::BoolOrInt => {
                integer(&data).map_err(|how| self.damaged(flags, how))?
            }
            Stored::Pickle => {
                let value = pickle::read(&data, self.limit);
                value.map_err(|refused| self.damaged(flags, refused))?
            }
        })
    }

    /// Those of an int, which the client's own `get` makes one of.
    fn counter_flags(&self, count: u64) -> u32 {
        match i64::try_from(count) {
            Ok(_) => self.rules.int,
            Err(_) => self.rules.long,
        }
    }

    fn describe(&self, flags: u32) -> &'static str {
        // The bits that one of these clients gives a meaning to.
        const MEANT: u32 = 0b1_1111;
        if let Some(other) = foreign::beyond(flags, MEANT) {
            return other;
        }
        let is_compressed = self.is_compressed(flags).is_some();
        match self.rules.stored(flags) {
            Some(stored) => stored.describe(is_compressed),
            None => foreign::describe(flags).unwrap_or("something unknown"),
        }
    }
}

/// Python's moecache 1.0: strings as EnyimMemcached has them, and pickles.
#[derive(Debug)]
pub(super) struct MoecachePickle {
    /// The most bytes that a value may have once it is unpickled.
    pub(super) limit: usize,
}

const MOECACHE_STR: u32 = 274;
const MOECACHE_PICKLE: u32 = 256;
const A_PICKLE: &str = "a Python pickle";

impl Transcoder for MoecachePickle {
    fn encode<'a>(&self, value: Value<'a>) -> Result<Body<'a>, Error> {
        match value {
            Value::Str(value) => Ok(Body::borrowed(MOECACHE_STR, value.as_bytes())),
            _ => Ok(Body::owned(
                MOECACHE_PICKLE,
                value.to_tree(pickle::NO_DATE_TIME)?.to_pickle()?,
            )),
        }
    }

    fn decode(&self, item: Item) -> Result<Decoded, Error> {
        let Item { flags, data, .. } = item;
        match flags {
            // In Python 2 it is bytes, which need not be text; Python 3 raises on such.
            // A counter, too.
            MOECACHE_STR if decimal(&data).is_some() => Ok(Decoded::Text(data)),
            MOECACHE_STR => Ok(match String::from_utf8(data) {
                Ok(string) => Decoded::String(string),
                Err(error) => Decoded::Bytes(error.into_bytes()),
            }),
            MOECACHE_PICKLE => {
                pickle::read(&data, self.limit).map_err(|refused| damaged(A_PICKLE, flags, refused))
            }
            _ => Err(unknown("moecache", flags)),
        }
    }

    /// Those of a str: it reads no others that stand before digits.
    fn counter_flags(&self, _: u64) -> u32 {
        MOECACHE_STR
    }

    fn describe(&self, flags: u32) -> &'static str {
        match flags {
            MOECACHE_STR => "a Python str",
            MOECACHE_PICKLE => A_PICKLE,
            _ => foreign::describe(flags).unwrap_or("something unknown"),
        }
    }
}

/// pymemcache without a serde: what Python's `str` shows of a value, under flags 0; and read, as
/// whatever it is, as bytes.
#[derive(Debug)]
pub(super) struct Plain;

impl Transcoder for Plain {
    fn encode<'a>(&self, value: Value<'a>) -> Result<Body<'a>, Error> {
        let shown = match value {
            Value::Bytes(value) => return Ok(Body::borrowed(0, value)),
            Value::Str(value) => return ascii(value).map(|text| Body::borrowed(0, text)),
            Value::Null => "None".to_owned(),
            Value::Bool(true) => "True".to_owned(),
            Value::Bool(false) => "False".to_owned(),
            Value::F32(value) => float::python(value.into()),
            Value::F64(value) => float::python(value),
            Value::Char(value) => value.to_string(),
            Value::Object(_) => {
                let reason = "pymemcache without a serde stores of a list or dict only what Python \
                              shows, which nobody can read back";
                return Err(unstorable(reason));
            }
            _ => match value.integer() {
                Some(number) => number.to_string(),
                None => return Err(unstorable(pickle::NO_DATE_TIME)),
            },
        };
        ascii(&shown)?;
        Ok(Body::owned(0, shown.into_bytes()))
    }

    fn decode(&self, item: Item) -> Result<Decoded, Error> {
        // Bytes to its owner, which stores of everything but bytes a str.
        Ok(Decoded::StringOrBytes(item.data))
    }

    fn describe(&self, _: u32) -> &'static str {
        "bytes of pymemcache"
    }
}

/// pymemcache's default `encoding`, outside of which it raises.
fn ascii(text: &str) -> Result<&[u8], Error> {
    if text.is_ascii() {
        return Ok(text.as_bytes());
    }
    let reason = "pymemcache without a serde stores no strings but ASCII; bytes are stored as they \
                  are";
    Err(unstorable(reason))
}
