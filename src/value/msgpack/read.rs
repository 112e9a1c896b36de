//! A serde deserialiser of MessagePack whose whole body was checked before.

use super::walk::Head;
use crate::value::byte::bytes_as_seq;
use crate::value::fault::Fault;
use serde::de::value::{BorrowedBytesDeserializer, MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};

/// Reads one value after the other. It goes by what is stored, and is strict where serde's own
/// types are not: no bytes as a string, no integer as a float, no double as a single.
pub(crate) struct Reader<'de> {
    rest: &'de [u8],
}

impl<'de> Reader<'de> {
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn finish(self) -> Result<(), Fault> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Fault::custom("not all of it was read"))
        }
    }

    fn head(&mut self) -> Result<Head, Fault> {
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

    /// A number of 128 bits in big endian, as rmp-serde writes it.
    fn sixteen(&mut self) -> Result<[u8; 16], Fault> {
        self.take(16)?.first_chunk().copied().ok_or_else(short)
    }
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
            Head::Ext(tag, length) => {
                let ext = Ext::Tag(tag, self.take(length)?);
                visitor.visit_newtype_struct(SeqAccessDeserializer::new(ext))
            }
        }
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.head()? {
            Head::Unsigned(number) => visitor.visit_i128(number.into()),
            Head::Signed(number) => visitor.visit_i128(number.into()),
            Head::Bin(16) => visitor.visit_i128(i128::from_be_bytes(self.sixteen()?)),
            head => Err(Fault::found(head.describe(), &visitor)),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.head()? {
            Head::Unsigned(number) => visitor.visit_u128(number.into()),
            Head::Signed(number) => match u128::try_from(number) {
                Ok(number) => visitor.visit_u128(number),
                Err(_) => Err(Fault::does_not_fit(&visitor)),
            },
            Head::Bin(16) => visitor.visit_u128(u128::from_be_bytes(self.sixteen()?)),
            head => Err(Fault::found(head.describe(), &visitor)),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.only(|head| matches!(head, Head::F32(_)), visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.only(|head| matches!(head, Head::F32(_) | Head::F64(_)), visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.only(|head| matches!(head, Head::Str(_)), visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.only(|head| matches!(head, Head::Str(_)), visitor)
    }

    /// The name of a field.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
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
                visitor.visit_enum(MapAccessDeserializer::new(Rest::new(self, 1)))
            }
            head => Err(Fault::found(head.describe(), &visitor)),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 unit tuple_struct map struct
        ignored_any
    }
}

/// Only for bytes that the walker did not see.
fn short() -> Fault {
    Fault::custom("cut short")
}

/// What is left of an array or a map.
struct Rest<'a, 'de> {
    reader: &'a mut Reader<'de>,
    announced: usize,
    left: usize,
}

impl<'a, 'de> Rest<'a, 'de> {
    fn new(reader: &'a mut Reader<'de>, length: usize) -> Self {
        Self {
            reader,
            announced: length,
            left: length,
        }
    }

    /// A type that takes fewer elements than are stored is not the type that was stored.
    fn finish(self) -> Result<(), Fault> {
        if self.left == 0 {
            return Ok(());
        }
        let taken = self.announced - self.left;
        let expected = format!("{taken} elements");
        Err(Fault::invalid_length(self.announced, &expected.as_str()))
    }

    fn next(&mut self) -> Option<&mut Reader<'de>> {
        self.left = self.left.checked_sub(1)?;
        Some(self.reader)
    }
}

impl<'de> SeqAccess<'de> for Rest<'_, 'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        self.next()
            .map(|reader| seed.deserialize(reader))
            .transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> MapAccess<'de> for Rest<'_, 'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        self.next()
            .map(|reader| seed.deserialize(reader))
            .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// An extension value, as rmp-serde presents it: a pair of its type and its bytes.
enum Ext<'de> {
    Tag(i8, &'de [u8]),
    Data(&'de [u8]),
    Done,
}

impl<'de> SeqAccess<'de> for Ext<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        match *self {
            Self::Tag(tag, data) => {
                *self = Self::Data(data);
                seed.deserialize(tag.into_deserializer()).map(Some)
            }
            Self::Data(data) => {
                *self = Self::Done;
                seed.deserialize(BorrowedBytesDeserializer::new(data))
                    .map(Some)
            }
            Self::Done => Ok(None),
        }
    }
}
