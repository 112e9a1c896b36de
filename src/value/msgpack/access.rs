//! How a visitor gets at what is inside: of arrays, maps, variants and extension values.

use super::read::Reader;
use super::walk::Head;
use crate::value::fault::Fault;
use serde::de::value::BorrowedBytesDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

/// What is left of an array or a map.
pub(super) struct Rest<'a, 'de> {
    reader: &'a mut Reader<'de>,
    announced: usize,
    left: usize,
}

impl<'a, 'de> Rest<'a, 'de> {
    pub(super) fn new(reader: &'a mut Reader<'de>, length: usize) -> Self {
        Self {
            reader,
            announced: length,
            left: length,
        }
    }

    /// A type that takes fewer elements than are stored is not the type that was stored.
    pub(super) fn finish(self) -> Result<(), Fault> {
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
        let Some(reader) = self.next() else {
            return Ok(None);
        };
        reader.is_key = true;
        let key = seed.deserialize(&mut *reader);
        reader.is_key = false;
        key.map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// A list of PHP as a map.
pub(super) struct Indexed<'a, 'de>(Rest<'a, 'de>);

impl<'a, 'de> Indexed<'a, 'de> {
    pub(super) fn new(items: Rest<'a, 'de>) -> Self {
        Self(items)
    }

    pub(super) fn finish(self) -> Result<(), Fault> {
        self.0.finish()
    }
}

impl<'de> MapAccess<'de> for Indexed<'_, 'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let index = self.0.announced - self.0.left;
        match self.0.next() {
            Some(_) => seed.deserialize(index.into_deserializer()).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        seed.deserialize(&mut *self.0.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.left)
    }
}

/// A variant with content: a map of one pair.
pub(super) struct Variant<'a, 'de>(&'a mut Reader<'de>);

impl<'a, 'de> Variant<'a, 'de> {
    pub(super) fn new(reader: &'a mut Reader<'de>) -> Self {
        Self(reader)
    }
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        Ok((seed.deserialize(&mut *self.0)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.0.head()? {
            Head::Nil => Ok(()),
            head => Err(Fault::found(head.describe(), &"a unit variant")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Fault> {
        self.0.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.0.deserialize_any(visitor)
    }
}

/// An extension value, as rmp-serde presents it: a pair of its type and its bytes.
pub(super) enum Ext<'de> {
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
