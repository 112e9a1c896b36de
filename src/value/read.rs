//! From an item to a Rust value: the serde deserialiser of what a transcoder decoded.

use super::byte::bytes_as_seq;
use super::date_time;
use super::fault::{self, Fault};
use super::transcoder::{Decoded, Transcoder, decimal};
use super::tree::Tree;
use crate::error::{Error, Kind};
use crate::item::{self, Item};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, Expected, IntoDeserializer,
    SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use std::mem;
use std::str::FromStr;

/// The Rust value that the item holds. An error says what is stored and what was asked for.
///
/// serde reads an untagged enum, an internally tagged one and what stands under `flatten` through a
/// copy of its own, which calls itself human-readable. What stands in there and has a form of its
/// own for machines, such as an `IpAddr`, does not match: an error, as with every binary format.
pub(crate) fn decode<T: DeserializeOwned>(
    transcoder: &dyn Transcoder,
    item: Item,
) -> Result<T, Error> {
    let flags = item.flags;
    let mut stored = Stored::Item(item);
    let mut value = T::deserialize(Reader::new(transcoder, &mut stored));
    // A type that asked for nothing gets no item that cannot be decoded either.
    if let Stored::Item(item) = stored {
        let decoded = transcoder.decode(item)?;
        stored = if decoded.is_none() {
            Stored::None
        } else {
            Stored::Decoded(decoded)
        };
    }
    match stored {
        Stored::None => {
            stored = Stored::Decoded(Decoded::Null);
            value = T::deserialize(Reader::new(transcoder, &mut stored));
        }
        // Whatever the type made of it: it may have a default for what it cannot read.
        Stored::Failed(error) => return Err(error),
        _ => {}
    }
    value.map_err(|fault| refused(transcoder, flags, &fault))
}

/// The bytes of raw data, of a string or of text, moved and not copied.
pub(crate) fn decode_bytes(transcoder: &dyn Transcoder, item: Item) -> Result<Vec<u8>, Error> {
    let flags = item.flags;
    let bytes = transcoder.decode(item)?.take_bytes();
    bytes.ok_or_else(|| refused(transcoder, flags, &Fault::mismatch(&"bytes")))
}

fn refused(transcoder: &dyn Transcoder, flags: u32, fault: &Fault) -> Error {
    let stored = fault::stored(transcoder.describe(flags), flags);
    Error::new(Kind::Decode, format!("the item is {stored}{fault}"))
}

/// What there is to read.
enum Stored {
    /// The item as it came, until something else than that is asked for.
    Item(Item),
    /// Nothing: it was given as an item.
    Taken,
    Decoded(Decoded),
    /// No value, as turned out after the content of an `Option` was asked for.
    None,
    /// What the transcoder cannot decode.
    Failed(Error),
}

/// Gives what is stored to a type that asks for something in particular, if it is just that.
///
/// Only `deserialize_any`, for types that take whatever there is, goes by what is stored; the
/// primitives' visitors would let an integer pass as a float, and bytes as a string. The value is
/// borrowed mutably so that strings and bytes can be moved out of it while objects are read in
/// place.
struct Reader<'de> {
    transcoder: &'de dyn Transcoder,
    stored: &'de mut Stored,
    /// Whether it is the content of an `Option`, for which no value is none.
    in_option: bool,
}

impl<'de> Reader<'de> {
    fn new(transcoder: &'de dyn Transcoder, stored: &'de mut Stored) -> Self {
        Self {
            transcoder,
            stored,
            in_option: false,
        }
    }

    fn decoded(self) -> Result<&'de mut Decoded, Fault> {
        if let Stored::Item(item) = self.stored {
            let item = mem::replace(item, Item::new(0, Vec::new()));
            *self.stored = match self.transcoder.decode(item) {
                Ok(decoded) if self.in_option && decoded.is_none() => Stored::None,
                Ok(decoded) => Stored::Decoded(decoded),
                Err(error) => Stored::Failed(error),
            };
        }
        match self.stored {
            Stored::Decoded(decoded) => Ok(decoded),
            _ => Err(Fault::Undecodable),
        }
    }
}

/// Methods that hand objects and trees to their own readers, and of the rest take what they list.
macro_rules! typed {
    ($(
        fn $method:ident($($argument:ident: $type:ty),*) |$visitor:ident| {
            $($pattern:pat => $value:expr,)*
        }
    )*) => {$(
        fn $method<V: Visitor<'de>>(
            self,
            $($argument: $type,)*
            $visitor: V,
        ) -> Result<V::Value, Fault> {
            match self.decoded()? {
                Decoded::Object(document) => {
                    document.read(|reader| reader.$method($($argument,)* $visitor))
                }
                Decoded::Tree(tree) => mem::take(tree).reader().$method($($argument,)* $visitor),
                $($pattern => $value,)*
                _ => Err(Fault::mismatch(&$visitor)),
            }
        }
    )*};
}

macro_rules! integers {
    ($($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match self.decoded()? {
                Decoded::Object(document) => document.read(|reader| reader.$method(visitor)),
                Decoded::Tree(tree) => mem::take(tree).reader().$method(visitor),
                number => {
                    let number = integer(number, &visitor)?;
                    visitor.$visit(number)
                }
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Fault;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.decoded()? {
            Decoded::Null | Decoded::Empty => visitor.visit_unit(),
            Decoded::Bool(value) => visitor.visit_bool(*value),
            Decoded::Integer(value) => Tree::Integer(*value).reader().deserialize_any(visitor),
            Decoded::Unsigned(value) => visitor.visit_u128(*value),
            Decoded::Bit(value) => visitor.visit_u8((*value).into()),
            Decoded::F32(value) => visitor.visit_f32(*value),
            Decoded::F64(value) => visitor.visit_f64(*value),
            Decoded::Char(value) => visitor.visit_char(*value),
            Decoded::String(value) => visitor.visit_string(mem::take(value)),
            // Not as bytes, which an untagged enum would take for a string; of a sequence it makes
            // a `Vec<u8>` and a `ByteBuf` alike.
            Decoded::Bytes(value) | Decoded::Untyped(value) => {
                bytes_as_seq(mem::take(value).into_iter(), visitor)
            }
            Decoded::StringOrBytes(value) => match String::from_utf8(mem::take(value)) {
                Ok(string) => visitor.visit_string(string),
                Err(error) => bytes_as_seq(error.into_bytes().into_iter(), visitor),
            },
            // Not as an integer: a type that takes whatever there is would make a number of it.
            Decoded::DateTime(value) => visitor.visit_newtype_struct((*value).into_deserializer()),
            Decoded::Text(value) => visitor.visit_string(text(mem::take(value))?),
            Decoded::Object(document) => document.read(|reader| reader.deserialize_any(visitor)),
            Decoded::Tree(tree) => mem::take(tree).reader().deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.stored {
            // Its content may be an item as it is, which nobody may decode before.
            Stored::Item(_) => visitor.visit_some(Self {
                in_option: true,
                ..self
            }),
            _ => visitor.visit_none(),
        }
    }

    integers! {
        deserialize_i8 visit_i8
        deserialize_i16 visit_i16
        deserialize_i32 visit_i32
        deserialize_i64 visit_i64
        deserialize_i128 visit_i128
        deserialize_u8 visit_u8
        deserialize_u16 visit_u16
        deserialize_u32 visit_u32
        deserialize_u64 visit_u64
        deserialize_u128 visit_u128
    }

    typed! {
        fn deserialize_bool() |visitor| {
            Decoded::Bool(value) | Decoded::Bit(value) => visitor.visit_bool(*value),
        }

        fn deserialize_f32() |visitor| {
            Decoded::F32(value) => visitor.visit_f32(*value),
        }

        fn deserialize_f64() |visitor| {
            Decoded::F32(value) => visitor.visit_f64((*value).into()),
            Decoded::F64(value) => visitor.visit_f64(*value),
        }

        fn deserialize_char() |visitor| {
            Decoded::Char(value) => visitor.visit_char(*value),
            Decoded::StringOrBytes(value) => visitor.visit_string(text(mem::take(value))?),
        }

        fn deserialize_string() |visitor| {
            Decoded::String(value) => visitor.visit_string(mem::take(value)),
            Decoded::Text(value) | Decoded::Untyped(value) | Decoded::StringOrBytes(value) => {
                visitor.visit_string(text(mem::take(value))?)
            },
            Decoded::Empty => visitor.visit_string(String::new()),
        }

        fn deserialize_byte_buf() |visitor| {
            Decoded::Bytes(value) | Decoded::Untyped(value) | Decoded::StringOrBytes(value) => {
                visitor.visit_byte_buf(mem::take(value))
            },
            Decoded::Empty => visitor.visit_byte_buf(Vec::new()),
        }

        fn deserialize_unit() |visitor| {
            Decoded::Null | Decoded::Empty => visitor.visit_unit(),
        }

        fn deserialize_unit_struct(name: &'static str) |visitor| {
            Decoded::Null | Decoded::Empty => visitor.visit_unit(),
        }

        fn deserialize_seq() |visitor| {
            Decoded::Bytes(value) | Decoded::Untyped(value) | Decoded::StringOrBytes(value) => {
                bytes_as_seq(mem::take(value).into_iter(), visitor)
            },
            Decoded::Empty => bytes_as_seq([].into_iter(), visitor),
        }

        fn deserialize_tuple(length: usize) |visitor| {
            Decoded::Bytes(value) | Decoded::Untyped(value) | Decoded::StringOrBytes(value) => {
                bytes_as_seq(mem::take(value).into_iter(), visitor)
            },
        }

        fn deserialize_tuple_struct(name: &'static str, length: usize) |visitor| {}

        fn deserialize_map() |visitor| {}

        fn deserialize_struct(name: &'static str, fields: &'static [&'static str]) |visitor| {}

        fn deserialize_enum(name: &'static str, variants: &'static [&'static str]) |visitor| {}
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match name {
            item::ITEM => match mem::replace(self.stored, Stored::Taken) {
                Stored::Item(item) => visitor.visit_seq(RawItem(item)),
                _ => Err(Fault::mismatch(&visitor)),
            },
            item::BYTES => match self.decoded()?.take_bytes() {
                Some(bytes) => visitor.visit_byte_buf(bytes),
                None => Err(Fault::mismatch(&visitor)),
            },
            date_time::NAME => match self.decoded()? {
                Decoded::DateTime(value) => {
                    visitor.visit_newtype_struct((*value).into_deserializer())
                }
                _ => Err(Fault::mismatch(&visitor)),
            },
            rmp_serde::MSGPACK_EXT_STRUCT_NAME => match self.decoded()? {
                Decoded::Object(document) => {
                    document.read(|reader| reader.deserialize_newtype_struct(name, visitor))
                }
                _ => Err(Fault::mismatch(&visitor)),
            },
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_string(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_string(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_byte_buf(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_any(visitor)
    }
}

/// The parts of an item: flags, data and cas id, each by the type that is asked for.
struct RawItem(Item);

impl<'de> SeqAccess<'de> for RawItem {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        seed.deserialize(&mut *self).map(Some)
    }
}

impl<'de> Deserializer<'de> for &mut RawItem {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_byte_buf(mem::take(&mut self.0.data))
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u32(self.0.flags)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.cas {
            Some(cas) => visitor.visit_some(cas.into_deserializer()),
            None => visitor.visit_none(),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The stored number, if it is one and fits.
fn integer<T>(stored: &Decoded, expected: &dyn Expected) -> Result<T, Fault>
where
    T: TryFrom<i128> + TryFrom<u128> + FromStr,
{
    let number: i128 = match stored {
        Decoded::Integer(value) => *value,
        Decoded::Unsigned(value) => {
            return T::try_from(*value).map_err(|_| Fault::does_not_fit(expected));
        }
        Decoded::Bit(value) => (*value).into(),
        Decoded::Text(text) | Decoded::Untyped(text) | Decoded::StringOrBytes(text) => {
            return counter(text, expected);
        }
        _ => return Err(Fault::mismatch(expected)),
    };
    T::try_from(number).map_err(|_| Fault::does_not_fit(expected))
}

/// A number in text.
fn counter<T: FromStr>(text: &[u8], expected: &dyn Expected) -> Result<T, Fault> {
    let Some(number) = decimal(text) else {
        return Err(Fault::Other(format!(
            "not a decimal number, which {expected} has to be"
        )));
    };
    number.parse().map_err(|_| Fault::does_not_fit(expected))
}

fn text(bytes: Vec<u8>) -> Result<String, Fault> {
    String::from_utf8(bytes).map_err(|_| Fault::custom("not UTF-8"))
}
