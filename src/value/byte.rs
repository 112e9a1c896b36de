use super::fault::Fault;
use serde::de::value::SeqDeserializer;
use serde::de::{Deserializer, IntoDeserializer, Visitor};

/// Raw bytes as a sequence of `u8`, of which none may be left over. Of nothing wider: to read text or
/// a foreign object as a list of numbers would be a wrong answer.
pub(super) fn bytes_as_seq<'de, V: Visitor<'de>>(
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

    // An `i8` where it fits.
    serde::forward_to_deserialize_any! {
        u8 i8 ignored_any
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
