//! From a `Serialize` to a [`Value`], by the top level of it alone.

use super::date_time;
use super::fault::Refusal;
use super::just_byte::{JustByte, NotAByte};
use super::transcoder::Value;
use serde::Serialize;
use serde::ser::{self, Serializer};

/// A serialiser that hands `then` the value as the type's own `Serialize` lends it, not copied; or
/// gives `then` back where the value is an object, of which nothing was serialised yet.
///
/// Newtypes and `Some` are transparent.
pub(super) struct Lower<F> {
    then: F,
    integer: Integer,
}

/// What an `i64` stands for.
enum Integer {
    Number,
    DateTime,
}

/// What came of it.
pub(super) enum Lowered<F, R> {
    /// What `then` answered.
    Done(R),
    /// Not a primitive; here is `then`, unused.
    Object(F),
}

impl<F> Lower<F> {
    pub(super) fn new<R>(then: F) -> Self
    where
        F: FnOnce(Value<'_>) -> R,
    {
        Self {
            then,
            integer: Integer::Number,
        }
    }
}

macro_rules! primitives {
    ($($method:ident $type:ty => $value:ident)*) => {$(
        fn $method(self, value: $type) -> Result<Self::Ok, Refusal> {
            Ok(Lowered::Done((self.then)(Value::$value(value))))
        }
    )*};
}

impl<F, R> Serializer for Lower<F>
where
    F: FnOnce(Value<'_>) -> R,
{
    type Ok = Lowered<F, R>;
    type Error = Refusal;
    type SerializeSeq = Elements<F>;
    type SerializeTuple = Elements<F>;
    type SerializeTupleStruct = Parts<F>;
    type SerializeTupleVariant = Parts<F>;
    type SerializeMap = Parts<F>;
    type SerializeStruct = Parts<F>;
    type SerializeStructVariant = Parts<F>;

    fn is_human_readable(&self) -> bool {
        false
    }

    primitives! {
        serialize_bool bool => Bool
        serialize_i8 i8 => I8
        serialize_i16 i16 => I16
        serialize_i32 i32 => I32
        serialize_u8 u8 => U8
        serialize_u16 u16 => U16
        serialize_u32 u32 => U32
        serialize_u64 u64 => U64
        serialize_i128 i128 => I128
        serialize_u128 u128 => U128
        serialize_f32 f32 => F32
        serialize_f64 f64 => F64
        serialize_str &str => Str
        serialize_bytes &[u8] => Bytes
    }

    fn serialize_i64(self, value: i64) -> Result<Self::Ok, Refusal> {
        let value = match self.integer {
            Integer::Number => Value::I64(value),
            Integer::DateTime => Value::DateTime(value),
        };
        Ok(Lowered::Done((self.then)(value)))
    }

    fn serialize_char(self, value: char) -> Result<Self::Ok, Refusal> {
        if value > '\u{ffff}' {
            return Ok(Lowered::Object(self.then));
        }
        Ok(Lowered::Done((self.then)(Value::Char(value))))
    }

    fn serialize_none(self) -> Result<Self::Ok, Refusal> {
        self.serialize_unit()
    }

    fn serialize_unit(self) -> Result<Self::Ok, Refusal> {
        Ok(Lowered::Done((self.then)(Value::Null)))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Self::Ok, Refusal> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Self::Ok, Refusal> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Self::Ok, Refusal> {
        match name {
            date_time::NAME => value.serialize(Self {
                integer: Integer::DateTime,
                ..self
            }),
            // To be seen by rmp-serde, which makes an extension value of it.
            rmp_serde::MSGPACK_EXT_STRUCT_NAME => Ok(Lowered::Object(self.then)),
            _ => value.serialize(self),
        }
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
    ) -> Result<Self::Ok, Refusal> {
        Ok(Lowered::Object(self.then))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Self::Ok, Refusal> {
        Ok(Lowered::Object(self.then))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Elements<F>, Refusal> {
        Ok(Elements::new(self.then, length))
    }

    fn serialize_tuple(self, length: usize) -> Result<Elements<F>, Refusal> {
        Ok(Elements::new(self.then, Some(length)))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<F>, Refusal> {
        Ok(Parts(self.then))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts<F>, Refusal> {
        Ok(Parts(self.then))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<F>, Refusal> {
        Ok(Parts(self.then))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<F>, Refusal> {
        Ok(Parts(self.then))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts<F>, Refusal> {
        Ok(Parts(self.then))
    }
}

/// The elements of a sequence or tuple: bytes, so long as each is just a `u8`.
pub(super) struct Elements<F> {
    then: F,
    announced: usize,
    /// `None` from the first element on that is not.
    bytes: Option<Vec<u8>>,
}

impl<F> Elements<F> {
    /// The most to reserve on an announced length, which may be anything.
    const MOST_RESERVED: usize = 1 << 20;

    fn new(then: F, announced: Option<usize>) -> Self {
        Self {
            then,
            announced: announced.unwrap_or(0),
            bytes: Some(Vec::new()),
        }
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) {
        let Some(bytes) = &mut self.bytes else {
            return;
        };
        match value.serialize(JustByte) {
            Ok(byte) => {
                if bytes.is_empty() {
                    bytes.reserve(self.announced.min(Self::MOST_RESERVED));
                }
                bytes.push(byte);
            }
            Err(NotAByte) => self.bytes = None,
        }
    }

    fn lowered<R>(self) -> Lowered<F, R>
    where
        F: FnOnce(Value<'_>) -> R,
    {
        match self.bytes {
            Some(bytes) if !bytes.is_empty() => Lowered::Done((self.then)(Value::Bytes(&bytes))),
            // An empty sequence may be one of anything.
            _ => Lowered::Object(self.then),
        }
    }
}

impl<F, R> ser::SerializeSeq for Elements<F>
where
    F: FnOnce(Value<'_>) -> R,
{
    type Ok = Lowered<F, R>;
    type Error = Refusal;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        self.element(value);
        Ok(())
    }

    fn end(self) -> Result<Self::Ok, Refusal> {
        Ok(self.lowered())
    }
}

impl<F, R> ser::SerializeTuple for Elements<F>
where
    F: FnOnce(Value<'_>) -> R,
{
    type Ok = Lowered<F, R>;
    type Error = Refusal;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        self.element(value);
        Ok(())
    }

    fn end(self) -> Result<Self::Ok, Refusal> {
        Ok(self.lowered())
    }
}

/// The parts of an object: not looked at, because the object will be serialised for good.
pub(super) struct Parts<F>(F);

macro_rules! parts {
    ($($trait:ident { $($method:ident($($key:ty)?))* })*) => {$(
        impl<F, R> ser::$trait for Parts<F>
        where
            F: FnOnce(Value<'_>) -> R,
        {
            type Ok = Lowered<F, R>;
            type Error = Refusal;

            $(
                fn $method<T: Serialize + ?Sized>(
                    &mut self,
                    $(_: $key,)?
                    _: &T,
                ) -> Result<(), Refusal> {
                    Ok(())
                }
            )*

            fn end(self) -> Result<Self::Ok, Refusal> {
                Ok(Lowered::Object(self.0))
            }
        }
    )*};
}

parts! {
    SerializeTupleStruct { serialize_field() }
    SerializeTupleVariant { serialize_field() }
    SerializeMap { serialize_key() serialize_value() }
    SerializeStruct { serialize_field(&'static str) }
    SerializeStructVariant { serialize_field(&'static str) }
}
