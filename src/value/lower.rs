//! From a `Serialize` to flags and bytes, by the top level of the value alone.

use super::date_time;
use super::fault::Refusal;
use super::transcoder::{Body, Data, Transcoder, Value};
use crate::error::{Error, Kind};
use crate::item::{self, Item, ItemRef};
use serde::Serialize;
use serde::ser::{self, Serializer};
use std::fmt;

/// Encodes `value` into `buffer`, behind what is there.
pub(crate) fn encode<V: Serialize>(
    transcoder: &dyn Transcoder,
    value: &V,
    buffer: &mut Buffer,
) -> Result<Encoded, Error> {
    let lower = Lower {
        transcoder,
        buffer: &mut *buffer,
        place: Place::Top,
    };
    match value.serialize(lower) {
        Ok(Lowered::Encoded(encoded)) => Ok(encoded),
        Ok(_) => Ok(buffer.push(transcoder.encode(Value::Object(value))?)),
        Err(Failed(error)) => Err(error),
    }
}

/// Returns the item that holds `value`.
pub(crate) fn encode_item<V: Serialize + ?Sized>(
    transcoder: &dyn Transcoder,
    value: &V,
) -> Result<Item, Error> {
    let mut buffer = Buffer::default();
    let Encoded { flags, .. } = encode(transcoder, &value, &mut buffer)?;
    Ok(Item::new(flags, buffer.into_bytes()))
}

/// Where values are encoded to, one behind the other: serde lends strings and bytes for the length of
/// a call only. What is short needs no allocation.
#[derive(Debug)]
pub(crate) struct Buffer {
    /// All of it, as long as it fits.
    short: [u8; 128],
    /// How much of that is used.
    used: usize,
    long: Vec<u8>,
}

/// The flags of an encoded value, and where its bytes are in the buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Encoded {
    flags: u32,
    start: usize,
    end: usize,
}

impl Default for Buffer {
    fn default() -> Self {
        Self {
            short: [0; 128],
            used: 0,
            long: Vec::new(),
        }
    }
}

impl Buffer {
    /// The value as it is stored.
    pub(crate) fn item(&self, encoded: &Encoded) -> ItemRef<'_> {
        ItemRef {
            flags: encoded.flags,
            data: &self.bytes()[encoded.start..encoded.end],
        }
    }

    fn bytes(&self) -> &[u8] {
        match &self.long[..] {
            [] => &self.short[..self.used],
            long => long,
        }
    }

    fn into_bytes(self) -> Vec<u8> {
        if self.long.is_empty() {
            return self.bytes().to_vec();
        }
        self.long
    }

    fn push(&mut self, body: Body<'_>) -> Encoded {
        let start = self.used + self.long.len();
        let flags = body.flags();
        match body.data {
            Data::Owned(bytes) if start == 0 => self.long = bytes,
            _ => self.extend(body.data()),
        }
        let end = self.used + self.long.len();
        Encoded { flags, start, end }
    }

    fn extend(&mut self, bytes: &[u8]) {
        if self.long.is_empty() {
            let end = self.used + bytes.len();
            if let Some(free) = self.short.get_mut(self.used..end) {
                free.copy_from_slice(bytes);
                self.used = end;
                return;
            }
            self.long.reserve(end);
            self.long.extend_from_slice(&self.short[..self.used]);
            self.used = 0;
        }
        self.long.extend_from_slice(bytes);
    }
}

/// What a value is.
enum Lowered {
    /// A primitive, a string or bytes, encoded.
    Encoded(Encoded),
    /// A `u8` in a sequence.
    Byte(u8),
    /// Anything else. None of it was serialized.
    Object,
}

/// A serializer that encodes primitives, strings and bytes. Newtypes and `Some` are transparent.
struct Lower<'s> {
    transcoder: &'s dyn Transcoder,
    buffer: &'s mut Buffer,
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
    fn encode(self, value: Value<'_>) -> Result<Lowered, Failed> {
        let value = match (self.place, value) {
            (Place::Sequence, Value::U8(byte)) => return Ok(Lowered::Byte(byte)),
            (Place::Sequence, _) => return Ok(Lowered::Object),
            (Place::DateTime, Value::I64(value)) => Value::DateTime(value),
            (Place::Item(flags), Value::Bytes(data)) => {
                let body = Body::borrowed(flags, data);
                return Ok(Lowered::Encoded(self.buffer.push(body)));
            }
            (_, value) => value,
        };
        let body = self.transcoder.encode(value).map_err(Failed)?;
        Ok(Lowered::Encoded(self.buffer.push(body)))
    }

    /// The value in a newtype or a `Some`.
    fn inside<T: Serialize + ?Sized>(self, value: &T) -> Result<Lowered, Failed> {
        match self.place {
            Place::Sequence => Ok(Lowered::Object),
            _ => value.serialize(self),
        }
    }

    /// A sequence or tuple, which may be one of bytes.
    fn sequence(self, length: usize) -> Parts<'s> {
        Parts {
            length,
            are_bytes: self.place != Place::Sequence,
            ..self.object()
        }
    }

    fn object(self) -> Parts<'s> {
        Parts {
            lower: self,
            are_bytes: false,
            bytes: Vec::new(),
            length: 0,
            item: None,
        }
    }
}

macro_rules! primitives {
    ($($method:ident $type:ty => $value:ident)*) => {$(
        fn $method(self, value: $type) -> Result<Lowered, Failed> {
            self.encode(Value::$value(value))
        }
    )*};
}

impl<'s> Serializer for Lower<'s> {
    type Ok = Lowered;
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

    fn serialize_char(self, value: char) -> Result<Lowered, Failed> {
        match value {
            ..='\u{ffff}' => self.encode(Value::Char(value)),
            _ => Ok(Lowered::Object),
        }
    }

    fn serialize_none(self) -> Result<Lowered, Failed> {
        self.encode(Value::Null)
    }

    fn serialize_unit(self) -> Result<Lowered, Failed> {
        self.encode(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Lowered, Failed> {
        self.encode(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Lowered, Failed> {
        self.inside(value)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Lowered, Failed> {
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
    ) -> Result<Lowered, Failed> {
        Ok(Lowered::Object)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Lowered, Failed> {
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
struct Parts<'s> {
    lower: Lower<'s>,
    /// Whether all so far are bytes of a sequence: these.
    are_bytes: bool,
    bytes: Vec<u8>,
    /// How many bytes may come.
    length: usize,
    /// The data of a raw item.
    item: Option<Encoded>,
}

impl Parts<'_> {
    fn part<T: Serialize + ?Sized>(&mut self, value: &T) {
        /// The most to reserve on an announced length, which may be anything.
        const MOST_RESERVED: usize = 1 << 20;

        let place = match self.lower.place {
            Place::Item(flags) => Place::Item(flags),
            _ if self.are_bytes => Place::Sequence,
            _ => return,
        };
        let lowered = value.serialize(Lower {
            transcoder: self.lower.transcoder,
            buffer: self.lower.buffer,
            place,
        });
        match lowered {
            // Of an item, only the data can be serialized.
            Ok(Lowered::Encoded(encoded)) => self.item = Some(encoded),
            Ok(Lowered::Byte(byte)) => {
                if self.bytes.is_empty() {
                    self.bytes.reserve(self.length.min(MOST_RESERVED));
                }
                self.bytes.push(byte);
            }
            _ => self.are_bytes = false,
        }
    }

    fn lowered(self) -> Result<Lowered, Failed> {
        if let Some(encoded) = self.item {
            return Ok(Lowered::Encoded(encoded));
        }
        // An empty sequence may be one of anything.
        if !self.are_bytes || self.bytes.is_empty() {
            return Ok(Lowered::Object);
        }
        self.lower.encode(Value::Bytes(&self.bytes))
    }
}

macro_rules! parts {
    ($($trait:ident { $($method:ident($($key:ty)?))* })*) => {$(
        impl<'s> ser::$trait for Parts<'s> {
            type Ok = Lowered;
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

            fn end(self) -> Result<Lowered, Failed> {
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
struct Failed(Error);

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
