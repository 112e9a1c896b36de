//! A serde deserialiser of MessagePack whose whole body was checked before.

use super::access::{Ext, Indexed, Rest, Variant};
use super::walk::Head;
use super::{Origin, WIDE_SIGNED, WIDE_UNSIGNED};
use crate::value::fault::Fault;
use crate::value::tree::single;
use serde::de::value::{SeqAccessDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Error as _, Expected, IntoDeserializer, Visitor};

/// Reads one value after the other. It goes by what is stored, and is strict where serde's own
/// types are not: no bytes as a string, no integer as a float, no double as a single.
pub(in crate::value) struct Reader<'de> {
    rest: &'de [u8],
    origin: Origin,
    /// Whether the next value is the key of a map.
    pub(super) is_key: bool,
}

impl<'de> Reader<'de> {
    pub(super) fn new(bytes: &'de [u8], origin: Origin) -> Self {
        Self {
            rest: bytes,
            origin,
            is_key: false,
        }
    }

    pub(super) fn finish(self) -> Result<(), Fault> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Fault::custom("not all of it was read"))
        }
    }

    pub(super) fn head(&mut self) -> Result<Head, Fault> {
        let (head, used) = self.parse()?;
        self.take(used)?;
        Ok(head)
    }

    fn peek(&self) -> Result<Head, Fault> {
        Ok(self.parse()?.0)
    }

    fn parse(&self) -> Result<(Head, usize), Fault> {
        Head::parse(self.rest).ok().flatten().ok_or_else(short)
    }

    fn take(&mut self, length: usize) -> Result<&'de [u8], Fault> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn text(&mut self, length: usize) -> Result<&'de str, Fault> {
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).map_err(|_| Fault::custom("a string in it is not UTF-8"))
    }

    /// Visits the next value if it is of a type that the request allows.
    fn only<V: Visitor<'de>>(
        &mut self,
        allowed: impl FnOnce(Head) -> bool,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let head = self.peek()?;
        if allowed(head) {
            self.deserialize_any(visitor)
        } else {
            Err(Fault::found(head.describe(), &visitor))
        }
    }

    fn seq<V: Visitor<'de>>(&mut self, length: usize, visitor: V) -> Result<V::Value, Fault> {
        let mut rest = Rest::new(self, length);
        let value = visitor.visit_seq(&mut rest)?;
        rest.finish()?;
        Ok(value)
    }

    fn map<V: Visitor<'de>>(&mut self, length: usize, visitor: V) -> Result<V::Value, Fault> {
        let mut rest = Rest::new(self, length);
        let value = visitor.visit_map(&mut rest)?;
        rest.finish()?;
        Ok(value)
    }

    /// JSON's integer, as the float that a program may have written so.
    #[expect(clippy::cast_precision_loss, reason = "as JSON is read by all")]
    fn whole_float(&mut self) -> Result<Option<f64>, Fault> {
        let value = match self.peek()? {
            Head::Unsigned(value) if self.origin == Origin::Json => value as f64,
            Head::Signed(value) if self.origin == Origin::Json => value as f64,
            _ => return Ok(None),
        };
        self.head()?;
        Ok(Some(value))
    }

    /// A key that PHP made an integer of: every one that is the digits of one.
    fn digits(&mut self) -> Result<Option<String>, Fault> {
        if !self.is_key || self.origin != Origin::Php {
            return Ok(None);
        }
        let digits = match self.peek()? {
            Head::Unsigned(number) => number.to_string(),
            Head::Signed(number) => number.to_string(),
            _ => return Ok(None),
        };
        self.head()?;
        Ok(Some(digits))
    }

    /// A number of 128 bits: an integer, or 16 bytes in big endian as rmp-serde writes it.
    fn wide(&mut self, expected: &dyn Expected) -> Result<Wide, Fault> {
        match self.head()? {
            Head::Unsigned(number) => Ok(Wide::Number(number.into())),
            Head::Signed(number) => Ok(Wide::Number(number.into())),
            Head::Bin(16) => Ok(Wide::Bytes(self.sixteen()?)),
            Head::Ext(WIDE_SIGNED, 16) => Ok(Wide::Number(i128::from_be_bytes(self.sixteen()?))),
            Head::Ext(WIDE_UNSIGNED, 16) => {
                Ok(Wide::Unsigned(u128::from_be_bytes(self.sixteen()?)))
            }
            head => Err(Fault::found(head.describe(), expected)),
        }
    }

    fn sixteen(&mut self) -> Result<[u8; 16], Fault> {
        self.take(16)?.first_chunk().copied().ok_or_else(short)
    }
}

enum Wide {
    Number(i128),
    Unsigned(u128),
    Bytes([u8; 16]),
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Fault;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.head()? {
            Head::Nil => visitor.visit_unit(),
            Head::Bool(value) => visitor.visit_bool(value),
            Head::Unsigned(value) => visitor.visit_u64(value),
            Head::Signed(value) => visitor.visit_i64(value),
            Head::F32(value) => visitor.visit_f32(value),
            Head::F64(value) => visitor.visit_f64(value),
            Head::Str(length) => visitor.visit_borrowed_str(self.text(length)?),
            // Not as bytes, which an untagged enum would take for a string.
            Head::Bin(length) => bytes_as_seq(self.take(length)?.iter().copied(), visitor),
            Head::Array(length) => self.seq(length, visitor),
            Head::Map(length) => self.map(length, visitor),
            Head::Ext(WIDE_SIGNED, 16) => visitor.visit_i128(i128::from_be_bytes(self.sixteen()?)),
            Head::Ext(WIDE_UNSIGNED, 16) => {
                visitor.visit_u128(u128::from_be_bytes(self.sixteen()?))
            }
            Head::Ext(tag, length) => {
                let ext = Ext::Tag(tag, self.take(length)?);
                visitor.visit_newtype_struct(SeqAccessDeserializer::new(ext))
            }
        }
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.wide(&visitor)? {
            Wide::Number(number) => visitor.visit_i128(number),
            Wide::Unsigned(_) => Err(Fault::does_not_fit(&visitor)),
            Wide::Bytes(bytes) => visitor.visit_i128(i128::from_be_bytes(bytes)),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.wide(&visitor)? {
            Wide::Number(number) => {
                let number = u128::try_from(number).map_err(|_| Fault::does_not_fit(&visitor))?;
                visitor.visit_u128(number)
            }
            Wide::Unsigned(number) => visitor.visit_u128(number),
            Wide::Bytes(bytes) => visitor.visit_u128(u128::from_be_bytes(bytes)),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if let Some(value) = self.whole_float()? {
            return match single(value) {
                Some(value) => visitor.visit_f32(value),
                None => Err(Fault::does_not_fit(&visitor)),
            };
        }
        self.only(|head| matches!(head, Head::F32(_)), visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if let Some(value) = self.whole_float()? {
            return visitor.visit_f64(value);
        }
        self.only(|head| matches!(head, Head::F32(_) | Head::F64(_)), visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.only(|head| matches!(head, Head::Str(_)), visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if let Some(digits) = self.digits()? {
            return visitor.visit_string(digits);
        }
        self.only(|head| matches!(head, Head::Str(_)), visitor)
    }

    /// The name of a field.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        // A number would be the place of the field in the struct.
        if let Some(digits) = self.digits()? {
            return visitor.visit_string(digits);
        }
        match self.peek()? {
            Head::Bin(_) => self.deserialize_bytes(visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.peek()? {
            Head::Str(length) if self.origin == Origin::Php => {
                self.head()?;
                visitor.visit_borrowed_bytes(self.take(length)?)
            }
            Head::Bin(length) => {
                self.head()?;
                visitor.visit_borrowed_bytes(self.take(length)?)
            }
            Head::Array(_) => self.deserialize_any(visitor),
            head => Err(Fault::found(head.describe(), &visitor)),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.peek()? {
            Head::Nil => {
                self.head()?;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.peek()? {
            // rmp-serde's way to write one.
            Head::Array(0) => {
                self.head()?;
                visitor.visit_unit()
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if name == rmp_serde::MSGPACK_EXT_STRUCT_NAME {
            return self.only(|head| matches!(head, Head::Ext(..)), visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.peek()? {
            Head::Bin(length) => {
                self.head()?;
                bytes_as_seq(self.take(length)?.iter().copied(), visitor)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.peek()? {
            Head::Str(length) => {
                self.head()?;
                let variant = self.text(length)?;
                visitor.visit_enum(IntoDeserializer::<Fault>::into_deserializer(variant))
            }
            Head::Map(1) => {
                self.head()?;
                visitor.visit_enum(Variant::new(self))
            }
            head => Err(Fault::found(head.describe(), &visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.peek()? {
            Head::Array(length) if self.origin == Origin::Php => {
                self.head()?;
                let mut items = Indexed::new(Rest::new(self, length));
                let value = visitor.visit_map(&mut items)?;
                items.finish()?;
                Ok(value)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.peek()? {
            // Also an empty map.
            Head::Array(0) => self.deserialize_map(visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 unit tuple_struct ignored_any
    }
}

/// Raw bytes as a sequence of `u8`, of which none may be left over. Of nothing wider: to read text or
/// a foreign object as a list of numbers would be a wrong answer.
pub(in crate::value) fn bytes_as_seq<'de, V: Visitor<'de>>(
    bytes: impl Iterator<Item = u8>,
    visitor: V,
) -> Result<V::Value, Fault> {
    let mut seq = SeqDeserializer::new(bytes.map(Byte));
    let value = visitor.visit_seq(&mut seq)?;
    seq.end()?;
    Ok(value)
}

/// One of raw bytes.
struct Byte(u8);

impl IntoDeserializer<'_, Fault> for Byte {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! no_byte {
    ($($method:ident($($argument:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $(_: $argument,)* visitor: V) -> Result<V::Value, Fault> {
            Err(Fault::found("a byte of raw data", &visitor))
        }
    )*};
}

impl<'de> Deserializer<'de> for Byte {
    type Error = Fault;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u8(self.0)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u8(self.0)
    }

    /// Where it fits.
    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u8(self.0)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    no_byte! {
        deserialize_bool() deserialize_i16() deserialize_i32() deserialize_i64()
        deserialize_i128() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_char() deserialize_str()
        deserialize_string() deserialize_bytes() deserialize_byte_buf() deserialize_unit()
        deserialize_unit_struct(&'static str) deserialize_seq() deserialize_tuple(usize)
        deserialize_tuple_struct(&'static str, usize) deserialize_map()
        deserialize_struct(&'static str, &'static [&'static str])
        deserialize_enum(&'static str, &'static [&'static str]) deserialize_identifier()
    }
}

/// Only for bytes that the walker did not see.
fn short() -> Fault {
    Fault::custom("cut short")
}
