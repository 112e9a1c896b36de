//! Is an element of a sequence a byte?

use serde::Serialize;
use serde::ser::{self, Impossible, Serializer};
use std::fmt;

/// Takes nothing but a `u8`: not even a newtype or a `Some` of one.
pub(super) struct JustByte;

/// Not even looked at: the sequence will be serialised as an object.
#[derive(Debug)]
pub(super) struct NotAByte;

macro_rules! not_a_byte {
    ($($method:ident($($argument:ty),*) $(-> $compound:ty)?;)*) => {$(
        not_a_byte!(@ $method ($($argument),*) $($compound)?);
    )*};
    (@ $method:ident ($($argument:ty),*)) => {
        not_a_byte!(@ $method ($($argument),*) u8);
    };
    (@ $method:ident ($($argument:ty),*) $ok:ty) => {
        fn $method(self, $(_: $argument),*) -> Result<$ok, NotAByte> {
            Err(NotAByte)
        }
    };
}

type Never = Impossible<u8, NotAByte>;

impl Serializer for JustByte {
    type Ok = u8;
    type Error = NotAByte;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_u8(self, value: u8) -> Result<u8, NotAByte> {
        Ok(value)
    }

    not_a_byte! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
        serialize_seq(Option<usize>) -> Never;
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct(&'static str, usize) -> Never;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<u8, NotAByte> {
        Err(NotAByte)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<u8, NotAByte> {
        Err(NotAByte)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<u8, NotAByte> {
        Err(NotAByte)
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> Result<u8, NotAByte> {
        Err(NotAByte)
    }
}

impl fmt::Display for NotAByte {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a byte")
    }
}

impl std::error::Error for NotAByte {}

impl ser::Error for NotAByte {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}
