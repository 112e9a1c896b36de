//! From a `Serialize` to a [`Body`], by the top level of the value alone.

use super::date_time;
use super::fault::Refusal;
use super::transcoder::{Body, Scratch, Transcoder, Value};
use crate::error::{Error, Kind};
use crate::item;
use serde::Serialize;
use serde::ser::{self, Serializer};
use std::fmt;

/// What a value is.
pub(super) enum Lowered<'s> {
    /// A primitive, a string or bytes, encoded.
    Body(Body<'s>),
    /// A `u8` in a sequence.
    Byte(u8),
    /// Anything else. None of it was serialized.
    Object,
}

/// A serializer that encodes primitives, strings and bytes. Newtypes and `Some` are transparent.
pub(super) struct Lower<'s> {
    transcoder: &'s dyn Transcoder,
    scratch: &'s mut Scratch,
    place: Place,
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    DateTime,
    /// In a raw item with these flags.
    Item(u32),
    /// In a sequence, of which only a `u8` is of interest, not even a newtype or a `Some` of one.
    Sequence,
}

impl<'s> Lower<'s> {
    pub(super) fn new(transcoder: &'s dyn Transcoder, scratch: &'s mut Scratch) -> Self {
        Self {
            transcoder,
            scratch,
            place: Place::Top,
        }
    }

    fn encode(self, value: Value<'_>) -> Result<Lowered<'s>, Failed> {
        let value = match (self.place, value) {
            (Place::Sequence, Value::U8(byte)) => return Ok(Lowered::Byte(byte)),
            (Place::Sequence, _) => return Ok(Lowered::Object),
            (Place::DateTime, Value::I64(value)) => Value::DateTime(value),
            (Place::Item(flags), Value::Bytes(data)) => {
                let body = Body::borrowed(flags, self.scratch.copy(data));
                return Ok(Lowered::Body(body));
            }
            (_, value) => value,
        };
        let body = self.transcoder.encode(value).map_err(Failed)?;
        Ok(Lowered::Body(body.copied_to(self.scratch)))
    }

    /// The value in a newtype or a `Some`.
    fn inside<T: Serialize + ?Sized>(self, value: &T) -> Result<Lowered<'s>, Failed> {
        match self.place {
            Place::Sequence => Ok(Lowered::Object),
            _ => value.serialize(self),
        }
    }

    /// A sequence or tuple, which may be one of bytes.
    fn sequence(self, length: usize) -> Parts<'s> {
        /// The most to reserve on an announced length, which may be anything.
        const MOST_RESERVED: usize = 1 << 20;

        self.scratch.long.clear();
        Parts {
            length: length.min(MOST_RESERVED),
            are_bytes: self.place != Place::Sequence,
            lower: self,
        }
    }

    fn object(self) -> Parts<'s> {
        Parts {
            length: 0,
            are_bytes: false,
            lower: self,
        }
    }
}

macro_rules! primitives {
    ($($method:ident $type:ty => $value:ident)*) => {$(
        fn $method(self, value: $type) -> Result<Lowered<'s>, Failed> {
            self.encode(Value::$value(value))
        }
    )*};
}

impl<'s> Serializer for Lower<'s> {
    type Ok = Lowered<'s>;
    type Error = Failed;
    type SerializeSeq = Parts<'s>;
    type SerializeTuple = Parts<'s>;
    type SerializeTupleStruct = Parts<'s>;
    type SerializeTupleVariant = Parts<'s>;
    type SerializeMap = Parts<'s>;
    type SerializeStruct = Parts<'s>;
    type SerializeStructVariant = Parts<'s>;

    fn is_human_readable(&self) -> bool {
        false
    }

    primitives! {
        serialize_bool bool => Bool
        serialize_i8 i8 => I8
        serialize_i16 i16 => I16
        serialize_i32 i32 => I32
        serialize_i64 i64 => I64
        serialize_i128 i128 => I128
        serialize_u8 u8 => U8
        serialize_u16 u16 => U16
        serialize_u32 u32 => U32
        serialize_u64 u64 => U64
        serialize_u128 u128 => U128
        serialize_f32 f32 => F32
        serialize_f64 f64 => F64
        serialize_str &str => Str
        serialize_bytes &[u8] => Bytes
    }

    fn serialize_char(self, value: char) -> Result<Lowered<'s>, Failed> {
        match value {
            ..='\u{ffff}' => self.encode(Value::Char(value)),
            _ => Ok(Lowered::Object),
        }
    }

    fn serialize_none(self) -> Result<Lowered<'s>, Failed> {
        self.encode(Value::Null)
    }

    fn serialize_unit(self) -> Result<Lowered<'s>, Failed> {
        self.encode(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Lowered<'s>, Failed> {
        self.encode(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Lowered<'s>, Failed> {
        self.inside(value)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Lowered<'s>, Failed> {
        match (self.place, name) {
            // To be seen by rmp-serde, which makes an extension value of it.
            (_, rmp_serde::MSGPACK_EXT_STRUCT_NAME) => Ok(Lowered::Object),
            (Place::Top, date_time::NAME) => value.serialize(Self {
                place: Place::DateTime,
                ..self
            }),
            _ => self.inside(value),
        }
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
    ) -> Result<Lowered<'s>, Failed> {
        Ok(Lowered::Object)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Lowered<'s>, Failed> {
        Ok(Lowered::Object)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Parts<'s>, Failed> {
        Ok(self.sequence(length.unwrap_or(0)))
    }

    fn serialize_tuple(self, length: usize) -> Result<Parts<'s>, Failed> {
        Ok(self.sequence(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'s>, Failed> {
        Ok(self.object())
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts<'s>, Failed> {
        let place = match (self.place, name) {
            (Place::Top, item::ITEM) => Place::Item(index),
            (place, _) => place,
        };
        Ok(Self { place, ..self }.object())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'s>, Failed> {
        Ok(self.object())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'s>, Failed> {
        Ok(self.object())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts<'s>, Failed> {
        Ok(self.object())
    }
}

/// The parts of a sequence or an object.
pub(super) struct Parts<'s> {
    lower: Lower<'s>,
    /// Whether all so far are bytes of a sequence, which are in the scratch buffer.
    are_bytes: bool,
    /// How many bytes may come; of a raw item, how many there were.
    length: usize,
}

impl<'s> Parts<'s> {
    fn part<T: Serialize + ?Sized>(&mut self, value: &T) {
        let place = match self.lower.place {
            Place::Item(flags) => Place::Item(flags),
            _ if self.are_bytes => Place::Sequence,
            _ => return,
        };
        let element = Lower {
            transcoder: self.lower.transcoder,
            scratch: self.lower.scratch,
            place,
        };
        if matches!(place, Place::Item(_)) {
            // Only the data can be serialized.
            if let Ok(Lowered::Body(body)) = value.serialize(element) {
                self.length = body.data().len();
            }
            return;
        }
        let Ok(Lowered::Byte(byte)) = value.serialize(element) else {
            self.are_bytes = false;
            return;
        };
        let bytes = &mut self.lower.scratch.long;
        bytes.reserve(std::mem::take(&mut self.length));
        bytes.push(byte);
    }

    fn lowered(self) -> Result<Lowered<'s>, Failed> {
        let Lower {
            transcoder,
            scratch,
            place,
        } = self.lower;
        if let Place::Item(flags) = place {
            let data = scratch.copied(self.length);
            return Ok(Lowered::Body(Body::borrowed(flags, data)));
        }
        // An empty sequence may be one of anything.
        if !self.are_bytes || scratch.long.is_empty() {
            return Ok(Lowered::Object);
        }
        let body = transcoder.encode(Value::Bytes(&scratch.long));
        body.map(Lowered::Body).map_err(Failed)
    }
}

macro_rules! parts {
    ($($trait:ident { $($method:ident($($key:ty)?))* })*) => {$(
        impl<'s> ser::$trait for Parts<'s> {
            type Ok = Lowered<'s>;
            type Error = Failed;

            $(
                fn $method<T: Serialize + ?Sized>(
                    &mut self,
                    $(_: $key,)?
                    value: &T,
                ) -> Result<(), Failed> {
                    self.part(value);
                    Ok(())
                }
            )*

            fn end(self) -> Result<Lowered<'s>, Failed> {
                self.lowered()
            }
        }
    )*};
}

parts! {
    SerializeSeq { serialize_element() }
    SerializeTuple { serialize_element() }
    SerializeTupleStruct { serialize_field() }
    SerializeTupleVariant { serialize_field() }
    SerializeMap { serialize_key() serialize_value() }
    SerializeStruct { serialize_field(&'static str) }
    SerializeStructVariant { serialize_field(&'static str) }
}

/// The transcoder's error, or that of a value's own `Serialize`.
#[derive(Debug)]
pub(super) struct Failed(pub(super) Error);

impl ser::Error for Failed {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self(Error::new(Kind::Encode, Refusal::new(reason).to_string()))
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failed {}
