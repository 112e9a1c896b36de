//! A serialiser to a [`Tree`]: for formats that say how many elements follow, or that do not take
//! everything.

use super::fault::Refusal;
use super::tree::{MAX_DEPTH, Tree};
use crate::error::{Error, Kind};
use serde::Serialize;
use serde::ser::{self, Serializer};

/// Structs and variants as MessagePack has them: maps, and a variant's content under its name.
pub(super) fn to_tree<T: Serialize + ?Sized>(value: &T) -> Result<Tree, Error> {
    let tree = value.serialize(Builder { depth: 0 });
    tree.map_err(|refusal| Error::new(Kind::Encode, refusal.to_string()))
}

#[derive(Clone, Copy)]
struct Builder {
    depth: usize,
}

impl Builder {
    /// Of what is inside.
    fn deeper(self, levels: usize) -> Result<Self, Refusal> {
        let depth = self.depth + levels;
        if depth > MAX_DEPTH {
            let reason = format!("it nests deeper than {MAX_DEPTH} levels");
            return Err(Refusal::new(reason));
        }
        Ok(Self { depth })
    }

    fn parts(self, variant: Option<&'static str>) -> Result<Parts, Refusal> {
        let levels = if variant.is_some() { 2 } else { 1 };
        Ok(Parts {
            inside: self.deeper(levels)?,
            variant,
            keys: Vec::new(),
            values: Vec::new(),
        })
    }
}

/// The content, of a variant under its name.
fn named(variant: Option<&'static str>, content: Tree) -> Tree {
    match variant {
        Some(variant) => Tree::Map(vec![(Tree::String(variant.to_owned()), content)]),
        None => content,
    }
}

macro_rules! primitives {
    ($($method:ident $type:ty => $make:expr;)*) => {$(
        fn $method(self, value: $type) -> Result<Tree, Refusal> {
            Ok($make(value))
        }
    )*};
}

/// What holds others; after the semicolon, the contents of variants.
macro_rules! opens {
    ($($method:ident($($argument:ty),*))*; $($of_variant:ident)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<Parts, Refusal> {
            self.parts(None)
        })*
        $(fn $of_variant(
            self,
            _: &'static str,
            _: u32,
            variant: &'static str,
            _: usize,
        ) -> Result<Parts, Refusal> {
            self.parts(Some(variant))
        })*
    };
}

impl Serializer for Builder {
    type Ok = Tree;
    type Error = Refusal;
    type SerializeSeq = Parts;
    type SerializeTuple = Parts;
    type SerializeTupleStruct = Parts;
    type SerializeTupleVariant = Parts;
    type SerializeMap = Parts;
    type SerializeStruct = Parts;
    type SerializeStructVariant = Parts;

    fn is_human_readable(&self) -> bool {
        false
    }

    primitives! {
        serialize_bool bool => Tree::Bool;
        serialize_i8 i8 => |value| Tree::Integer(i128::from(value));
        serialize_i16 i16 => |value| Tree::Integer(i128::from(value));
        serialize_i32 i32 => |value| Tree::Integer(i128::from(value));
        serialize_i64 i64 => |value| Tree::Integer(i128::from(value));
        serialize_i128 i128 => Tree::Integer;
        serialize_u8 u8 => |value| Tree::Integer(i128::from(value));
        serialize_u16 u16 => |value| Tree::Integer(i128::from(value));
        serialize_u32 u32 => |value| Tree::Integer(i128::from(value));
        serialize_u64 u64 => |value| Tree::Integer(i128::from(value));
        serialize_u128 u128 => Tree::unsigned;
        serialize_f32 f32 => |value| Tree::Float(f64::from(value));
        serialize_f64 f64 => Tree::Float;
        serialize_char char => |value| Tree::String(String::from(value));
        serialize_str &str => |value| Tree::String(str::to_owned(value));
        serialize_bytes &[u8] => |value| Tree::Bytes(<[u8]>::to_vec(value));
    }

    fn serialize_none(self) -> Result<Tree, Refusal> {
        Ok(Tree::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Tree, Refusal> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Tree, Refusal> {
        Ok(Tree::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Tree, Refusal> {
        Ok(Tree::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Tree, Refusal> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Tree, Refusal> {
        if name == rmp_serde::MSGPACK_EXT_STRUCT_NAME {
            let reason = "only MessagePack has its extension values";
            return Err(Refusal::new(reason));
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Tree, Refusal> {
        let content = value.serialize(self.deeper(1)?)?;
        Ok(named(Some(variant), content))
    }

    opens! {
        serialize_seq(Option<usize>)
        serialize_tuple(usize)
        serialize_tuple_struct(&'static str, usize)
        serialize_map(Option<usize>)
        serialize_struct(&'static str, usize);
        serialize_tuple_variant
        serialize_struct_variant
    }
}

/// What a list or map holds: of a list only values.
struct Parts {
    inside: Builder,
    variant: Option<&'static str>,
    keys: Vec<Tree>,
    values: Vec<Tree>,
}

impl Parts {
    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refusal> {
        self.keys.push(key.serialize(self.inside)?);
        Ok(())
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        self.values.push(value.serialize(self.inside)?);
        Ok(())
    }

    fn list(self) -> Tree {
        Tree::List(self.values)
    }

    fn tuple(self) -> Tree {
        named(self.variant, Tree::Tuple(self.values))
    }

    fn map(self) -> Tree {
        let entries = self.keys.into_iter().zip(self.values);
        named(self.variant, Tree::Map(entries.collect()))
    }
}

macro_rules! parts {
    ($($trait:ident $end:ident { $($method:ident($($key:ident: $type:ty)?) $add:ident)* })*) => {$(
        impl ser::$trait for Parts {
            type Ok = Tree;
            type Error = Refusal;

            $(
                fn $method<T: Serialize + ?Sized>(
                    &mut self,
                    $($key: $type,)?
                    value: &T,
                ) -> Result<(), Refusal> {
                    $(self.key($key)?;)?
                    self.$add(value)
                }
            )*

            fn end(self) -> Result<Tree, Refusal> {
                Ok(self.$end())
            }
        }
    )*};
}

parts! {
    SerializeSeq list { serialize_element() value }
    SerializeTuple tuple { serialize_element() value }
    SerializeTupleStruct tuple { serialize_field() value }
    SerializeTupleVariant tuple { serialize_field() value }
    SerializeMap map { serialize_key() key serialize_value() value }
    SerializeStruct map { serialize_field(name: &'static str) value }
    SerializeStructVariant map { serialize_field(name: &'static str) value }
}
