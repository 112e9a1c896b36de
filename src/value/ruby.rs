//! dalli's formats.

use super::codec;
use super::compression::{Algorithm, Compression};
use super::fault::{damaged, unstorable};
use super::foreign;
use super::json;
use super::marshal;
use super::transcoder::{Body, Decoded, Transcoder, Value};
use crate::error::Error;
use crate::item::Item;
use std::fmt::Display;

/// Three bits of the flags say what is stored; dalli looks at no others.
#[derive(Debug)]
pub(super) struct Dalli {
    setting: Setting,
    compression: Compression,
    /// The most bytes that a value may have once it is decompressed.
    limit: usize,
}

/// How dalli is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    /// By default: everything in Marshal.
    Marshal,
    /// `string_fastpath: true`: the same, but strings as they are.
    StringFastpath,
    /// `serializer: JSON`.
    Json,
    /// `raw: true`: strings and nothing else.
    Raw,
}

const SERIALIZED: u32 = 1;
const COMPRESSED: u32 = 2;
const UTF8: u32 = 4;

impl Dalli {
    /// # Errors
    ///
    /// A validation error where it is not zlib, or the feature is missing.
    pub(super) fn new(
        setting: Setting,
        compression: Compression,
        limit: usize,
    ) -> Result<Self, Error> {
        let (name, known): (_, &[_]) = match setting {
            Setting::Raw => ("dalli:raw", &[]),
            _ => ("dalli", &[Algorithm::Zlib]),
        };
        Ok(Self {
            setting,
            compression: compression.allowed(name, known)?,
            limit,
        })
    }

    fn damaged(&self, flags: u32, how: impl Display) -> Error {
        damaged(self.describe(flags), flags, how)
    }
}

impl Transcoder for Dalli {
    fn encode<'a>(&self, value: Value<'a>) -> Result<Body<'a>, Error> {
        let body = match (self.setting, value) {
            (Setting::Raw, Value::Str(value)) => Body::borrowed(0, value.as_bytes()),
            (Setting::Raw | Setting::StringFastpath, Value::Bytes(value)) => {
                Body::borrowed(0, value)
            }
            (Setting::StringFastpath, Value::Str(value)) => Body::borrowed(UTF8, value.as_bytes()),
            (Setting::Raw, _) => {
                return Err(unstorable(
                    "dalli with raw: true holds strings and bytes only",
                ));
            }
            (Setting::Json, _) => {
                Body::owned(SERIALIZED, value.to_tree(json::NO_DATE_TIME)?.to_json()?)
            }
            (Setting::Marshal | Setting::StringFastpath, _) => Body::owned(
                SERIALIZED,
                value.to_tree(marshal::NO_DATE_TIME)?.to_marshal()?,
            ),
        };
        Ok(self.compression.shrunk(body, &[], COMPRESSED))
    }

    fn decode(&self, item: Item) -> Result<Decoded, Error> {
        let Item { flags, data, .. } = item;
        let data = if flags & COMPRESSED != 0 {
            codec::zlib::decompress(&data, self.limit)
                .map_err(|damage| self.damaged(flags, damage))?
        } else {
            data
        };
        Ok(match (flags & SERIALIZED != 0, self.setting) {
            // As Ruby's JSON reads it.
            (true, Setting::Json) if data.is_empty() => Decoded::Null,
            (true, Setting::Json) => {
                json::read(&data).map_err(|how| self.damaged(flags, format_args!("that {how}")))?
            }
            (true, _) => {
                marshal::read(&data, self.limit).map_err(|refused| self.damaged(flags, refused))?
            }
            (false, _) if flags & UTF8 != 0 => match String::from_utf8(data) {
                Ok(string) => Decoded::String(string),
                // To dalli a String all the same, whose encoding is not valid.
                Err(error) => Decoded::Bytes(error.into_bytes()),
            },
            (false, Setting::Raw) if flags & !COMPRESSED == 0 => Decoded::StringOrBytes(data),
            (false, _) if flags & !COMPRESSED == 0 => Decoded::Untyped(data),
            // Of another client, and to dalli a string of bytes.
            (false, _) => Decoded::Bytes(data),
        })
    }

    fn describe(&self, flags: u32) -> &'static str {
        if let Some(other) = foreign::beyond(flags, SERIALIZED | COMPRESSED | UTF8) {
            return other;
        }
        match (flags & SERIALIZED != 0, self.setting) {
            (true, Setting::Json) => "JSON",
            (true, _) => "a Ruby object",
            (false, _) if flags & UTF8 != 0 => "a Ruby String",
            (false, _) if flags & !COMPRESSED == 0 => "a Ruby String of no stated encoding",
            (false, _) => "bytes with flags of another client",
        }
    }
}
