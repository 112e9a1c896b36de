//! A serialiser to pickles of protocol 2, in a form that Python 2 and 3 read as the same.

use super::opcode as op;
use crate::error::{Error, Kind};
use crate::value::fault::Refusal;
use crate::value::msgpack::MAX_DEPTH;
use serde::Serialize;
use serde::ser::{self, Serializer};

pub(super) fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let mut writer = Writer {
        pickle: vec![op::PROTO, 2],
        depth: 0,
        keys: 0,
    };
    let written = value.serialize(&mut writer);
    written.map_err(|refusal| Error::new(Kind::Encode, refusal.to_string()))?;
    writer.pickle.push(op::STOP);
    Ok(writer.pickle)
}

struct Writer {
    pickle: Vec<u8>,
    depth: usize,
    /// How many keys of dicts are being written, each within the one before.
    keys: usize,
}

impl Writer {
    fn opcode(&mut self, opcode: u8, data: &[u8]) {
        self.pickle.push(opcode);
        self.pickle.extend_from_slice(data);
    }

    /// Two's complement in little endian, without the bytes that the sign makes superfluous.
    fn long(&mut self, bytes: &[u8], is_negative: bool) {
        let sign = if is_negative { 0xff } else { 0 };
        let mut bytes = bytes.to_vec();
        bytes.push(sign);
        while let [.., next, last] = bytes[..] {
            if last != sign || (next & 0x80 != 0) != is_negative {
                break;
            }
            bytes.pop();
        }
        self.pickle.push(op::LONG1);
        self.pickle.extend(u8::try_from(bytes.len()));
        self.pickle.extend(bytes);
    }

    fn text(&mut self, text: &str) -> Result<(), Refusal> {
        let length = u32::try_from(text.len());
        let length = length.map_err(|_| Refusal::new("a string is longer than 4 GiB"))?;
        self.opcode(op::BINUNICODE, &length.to_le_bytes());
        self.pickle.extend_from_slice(text.as_bytes());
        Ok(())
    }

    /// Opens what holds others with these opcodes; [`Parts::close`] ends it.
    fn open(&mut self, opcodes: &[u8]) -> Result<(), Refusal> {
        if self.depth == MAX_DEPTH {
            let reason = format!("it nests deeper than {MAX_DEPTH} levels");
            return Err(Refusal::new(reason));
        }
        // Tuples are the only ones that Python hashes.
        if self.keys > 0 && opcodes != [op::MARK] {
            return Err(Refusal::new(
                "a dict of Python has no list or dict as a key",
            ));
        }
        self.depth += 1;
        self.pickle.extend_from_slice(opcodes);
        Ok(())
    }

    fn parts<'a>(&'a mut self, open: &[u8], close: &'static [u8]) -> Result<Parts<'a>, Refusal> {
        self.open(open)?;
        Ok(Parts {
            writer: self,
            close,
            levels: 1,
        })
    }

    /// As `parts`, in a dict of one entry: a variant that holds something.
    fn variant<'a>(
        &'a mut self,
        name: &str,
        open: &[u8],
        close: &'static [u8],
    ) -> Result<Parts<'a>, Refusal> {
        self.open(&[op::EMPTY_DICT])?;
        self.text(name)?;
        let mut parts = self.parts(open, close)?;
        parts.levels += 1;
        Ok(parts)
    }
}

macro_rules! integers {
    ($($method:ident $type:ty)*) => {$(
        fn $method(self, value: $type) -> Result<(), Refusal> {
            self.serialize_i64(value.into())
        }
    )*};
}

impl<'a> Serializer for &'a mut Writer {
    type Ok = ();
    type Error = Refusal;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Result<(), Refusal> {
        self.opcode(if value { op::NEWTRUE } else { op::NEWFALSE }, &[]);
        Ok(())
    }

    integers! {
        serialize_i8 i8
        serialize_i16 i16
        serialize_i32 i32
        serialize_u8 u8
        serialize_u16 u16
        serialize_u32 u32
    }

    fn serialize_i64(self, value: i64) -> Result<(), Refusal> {
        if let Ok(value) = u8::try_from(value) {
            self.opcode(op::BININT1, &[value]);
        } else if let Ok(value) = u16::try_from(value) {
            self.opcode(op::BININT2, &value.to_le_bytes());
        } else if let Ok(value) = i32::try_from(value) {
            self.opcode(op::BININT, &value.to_le_bytes());
        } else {
            self.long(&value.to_le_bytes(), value < 0);
        }
        Ok(())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Refusal> {
        match i64::try_from(value) {
            Ok(value) => self.serialize_i64(value)?,
            Err(_) => self.long(&value.to_le_bytes(), false),
        }
        Ok(())
    }

    fn serialize_i128(self, value: i128) -> Result<(), Refusal> {
        match i64::try_from(value) {
            Ok(value) => self.serialize_i64(value)?,
            Err(_) => self.long(&value.to_le_bytes(), value < 0),
        }
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<(), Refusal> {
        match i64::try_from(value) {
            Ok(value) => self.serialize_i64(value)?,
            Err(_) => self.long(&value.to_le_bytes(), false),
        }
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Refusal> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Refusal> {
        self.opcode(op::BINFLOAT, &value.to_be_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Refusal> {
        self.text(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Refusal> {
        self.text(value)
    }

    /// As Python 3 writes bytes: a call that makes them of a character for each, since Python 2's
    /// own opcodes for them are a str in Python 3.
    fn serialize_bytes(self, value: &[u8]) -> Result<(), Refusal> {
        let text: String = value.iter().copied().map(char::from).collect();
        self.opcode(op::GLOBAL, b"_codecs\nencode\n");
        self.text(&text)?;
        self.text("latin1")?;
        self.opcode(op::TUPLE2, &[op::REDUCE]);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Refusal> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refusal> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Refusal> {
        self.opcode(op::NONE, &[]);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Refusal> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Refusal> {
        self.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        if name == rmp_serde::MSGPACK_EXT_STRUCT_NAME {
            return Err(Refusal::new(
                "Python has no extension values of MessagePack",
            ));
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        self.open(&[op::EMPTY_DICT])?;
        self.text(variant)?;
        value.serialize(&mut *self)?;
        self.pickle.push(op::SETITEM);
        self.depth -= 1;
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>, Refusal> {
        self.parts(&[op::EMPTY_LIST, op::MARK], &[op::APPENDS])
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>, Refusal> {
        self.parts(&[op::MARK], &[op::TUPLE])
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Parts<'a>, Refusal> {
        self.serialize_tuple(length)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Refusal> {
        self.variant(variant, &[op::MARK], &[op::TUPLE, op::SETITEM])
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'a>, Refusal> {
        self.parts(&[op::EMPTY_DICT, op::MARK], &[op::SETITEMS])
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Refusal> {
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Refusal> {
        let (open, close) = (&[op::EMPTY_DICT, op::MARK], &[op::SETITEMS, op::SETITEM]);
        self.variant(variant, open, close)
    }
}

/// What a list, tuple or dict holds, one after the other.
struct Parts<'a> {
    writer: &'a mut Writer,
    close: &'static [u8],
    /// How many levels end with it.
    levels: usize,
}

impl Parts<'_> {
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        value.serialize(&mut *self.writer)
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refusal> {
        self.writer.keys += 1;
        self.value(key)?;
        self.writer.keys -= 1;
        Ok(())
    }

    fn close(self) {
        self.writer.pickle.extend_from_slice(self.close);
        self.writer.depth -= self.levels;
    }
}

macro_rules! parts {
    ($($trait:ident { $($method:ident($($key:ident: $type:ty)?) $write:ident)* })*) => {$(
        impl ser::$trait for Parts<'_> {
            type Ok = ();
            type Error = Refusal;

            $(
                fn $method<T: Serialize + ?Sized>(
                    &mut self,
                    $($key: $type,)?
                    value: &T,
                ) -> Result<(), Refusal> {
                    $(self.key($key)?;)?
                    self.$write(value)
                }
            )*

            fn end(self) -> Result<(), Refusal> {
                self.close();
                Ok(())
            }
        }
    )*};
}

parts! {
    SerializeSeq { serialize_element() value }
    SerializeTuple { serialize_element() value }
    SerializeTupleStruct { serialize_field() value }
    SerializeTupleVariant { serialize_field() value }
    SerializeMap { serialize_key() key serialize_value() value }
    SerializeStruct { serialize_field(name: &'static str) value }
    SerializeStructVariant { serialize_field(name: &'static str) value }
}
