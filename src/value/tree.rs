use super::byte::bytes_as_seq;
use super::fault::Fault;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, VariantAccess,
    Visitor,
};
use std::ops::Range;

/// How deep lists and maps may nest, written and read: the limit of `serde_json`, so that what was
/// read from JSON can be stored.
///
/// Measured in a debug build on a thread of 2 MiB, which is what `std::thread` gives: of eight
/// shapes that hold themselves the greediest, an adjacently tagged enum, overflowed the stack beyond
/// 433 levels of MessagePack, and beyond 363 of a tree.
pub(super) const MAX_DEPTH: usize = 128;

/// The integers that 64 bits hold, with a sign or without.
pub(super) const WORDS: Range<i128> = -(1 << 63)..1 << 64;

/// Plain data, as JSON, pickles, Marshal and PHP's `serialize` have it: what they are read to, and
/// what [`Object::to_tree`](super::Object::to_tree) makes so that they can be written.
///
/// It has no `Debug`: values are not for logs. What nests deeper than 128 levels may overflow the stack
/// when it is read or written.
#[derive(Clone, Default, PartialEq)]
#[cfg_attr(test, derive(Debug))]
#[cfg_attr(
    not(test),
    expect(missing_debug_implementations, reason = "values are not for logs")
)]
#[non_exhaustive]
pub enum Tree {
    /// None, or the unit.
    #[default]
    Null,
    /// A bool.
    Bool(bool),
    /// An integer.
    Integer(i128),
    /// An integer that [`Integer`](Self::Integer) cannot hold.
    Unsigned(u128),
    /// A float: also an `f32`, if it is one exactly.
    Float(f64),
    /// Text.
    String(String),
    /// Raw data.
    Bytes(Vec<u8>),
    /// A sequence.
    List(Vec<Tree>),
    /// A sequence that Rust calls a tuple: for Python, which tells them apart too.
    Tuple(Vec<Tree>),
    /// A map or a struct, in the order stored.
    Map(Vec<(Tree, Tree)>),
}

impl Tree {
    pub(super) fn unsigned(value: u128) -> Self {
        match i128::try_from(value) {
            Ok(value) => Self::Integer(value),
            Err(_) => Self::Unsigned(value),
        }
    }

    /// The serde deserializer of it.
    pub(super) fn reader(self) -> Reader {
        Reader {
            tree: self,
            is_key: false,
        }
    }

    /// What it is, for messages.
    fn describe(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a bool",
            Self::Integer(value) if WORDS.contains(value) => "an integer",
            Self::Integer(_) | Self::Unsigned(_) => "an integer of more than 64 bits",
            Self::Float(_) => "a float",
            Self::String(_) => "a string",
            Self::Bytes(_) => "bytes",
            Self::List(_) | Self::Tuple(_) => "a sequence",
            Self::Map(_) => "a map",
        }
    }
}

/// Reads a tree by what the type asks for, as far as one language has one type for two of another: PHP
/// has one array for lists and maps and one string for text and bytes, and makes integers of keys that
/// are digits; JSON may have no fraction in a float. A type that takes whatever there is gets what is
/// stored.
pub(super) struct Reader {
    tree: Tree,
    /// Whether it is the key of a map.
    is_key: bool,
}

impl Reader {
    fn mismatch<'de, V: Visitor<'de>>(&self, visitor: &V) -> Fault {
        Fault::found(self.tree.describe(), visitor)
    }
}

type Pair = (Reader, Reader);

fn pairs<'de>(
    entries: impl Iterator<Item = (Tree, Tree)>,
) -> MapDeserializer<'de, impl Iterator<Item = Pair>, Fault> {
    MapDeserializer::new(entries.map(|(key, value)| {
        let key = Reader {
            tree: key,
            is_key: true,
        };
        (key, value.reader())
    }))
}

fn map<'de, V: Visitor<'de>>(
    entries: impl Iterator<Item = (Tree, Tree)>,
    visitor: V,
) -> Result<V::Value, Fault> {
    let mut pairs = pairs(entries);
    let value = visitor.visit_map(&mut pairs)?;
    pairs.end()?;
    Ok(value)
}

impl<'de> Deserializer<'de> for Reader {
    type Error = Fault;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.tree {
            Tree::Null => visitor.visit_unit(),
            Tree::Bool(value) => visitor.visit_bool(value),
            Tree::Integer(value) => match (u64::try_from(value), i64::try_from(value)) {
                (Ok(value), _) => visitor.visit_u64(value),
                (_, Ok(value)) => visitor.visit_i64(value),
                _ => visitor.visit_i128(value),
            },
            Tree::Unsigned(value) => visitor.visit_u128(value),
            Tree::Float(value) => match single(value) {
                Some(value) => visitor.visit_f32(value),
                None => visitor.visit_f64(value),
            },
            Tree::String(value) => visitor.visit_string(value),
            // Not as bytes, which an untagged enum would take for a string.
            Tree::Bytes(value) => bytes_as_seq(value.into_iter(), visitor),
            Tree::List(items) | Tree::Tuple(items) => {
                let mut items = SeqDeserializer::new(items.into_iter().map(Tree::reader));
                let value = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(value)
            }
            Tree::Map(entries) => map(entries.into_iter(), visitor),
        }
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.tree {
            Tree::Integer(value) => visitor.visit_i128(value),
            Tree::Unsigned(_) => Err(Fault::does_not_fit(&visitor)),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.tree {
            Tree::Integer(value) => match u128::try_from(value) {
                Ok(value) => visitor.visit_u128(value),
                Err(_) => Err(Fault::does_not_fit(&visitor)),
            },
            Tree::Unsigned(value) => visitor.visit_u128(value),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.tree {
            Tree::Float(value) if single(value).is_some() => self.deserialize_any(visitor),
            Tree::Integer(value) if WORDS.contains(&value) => match float(value).and_then(single) {
                Some(value) => visitor.visit_f32(value),
                None => Err(Fault::does_not_fit(&visitor)),
            },
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.tree {
            Tree::Float(value) => visitor.visit_f64(value),
            Tree::Integer(value) if WORDS.contains(&value) => match float(value) {
                Some(value) => visitor.visit_f64(value),
                None => Err(Fault::does_not_fit(&visitor)),
            },
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.tree {
            Tree::String(value) => visitor.visit_string(value),
            Tree::Integer(value) if self.is_key => visitor.visit_string(value.to_string()),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_string(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_string(visitor)
    }

    /// The name of a field.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.tree {
            // A number would be the place of the field in the struct.
            Tree::Integer(_) => self.deserialize_string(visitor),
            Tree::Bytes(value) => visitor.visit_byte_buf(value),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.tree {
            Tree::Bytes(value) => visitor.visit_byte_buf(value),
            Tree::String(value) => visitor.visit_byte_buf(value.into_bytes()),
            Tree::List(_) | Tree::Tuple(_) => self.deserialize_any(visitor),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_byte_buf(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.tree {
            Tree::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    /// A tuple of no parts is how MessagePack has one.
    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.tree {
            Tree::List(items) | Tree::Tuple(items) if items.is_empty() => visitor.visit_unit(),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match name {
            // Only MessagePack has its extension values.
            rmp_serde::MSGPACK_EXT_STRUCT_NAME => Err(self.mismatch(&visitor)),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.tree {
            Tree::String(variant) => {
                visitor.visit_enum(IntoDeserializer::<Fault>::into_deserializer(variant))
            }
            Tree::Map(mut entries) if entries.len() == 1 => {
                let (name, content) = entries.remove(0);
                visitor.visit_enum(Variant { name, content })
            }
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.tree {
            Tree::List(items) | Tree::Tuple(items) => {
                let indices = (0..).map(Tree::Integer);
                map(indices.zip(items), visitor)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.tree {
            // Also an empty map.
            Tree::List(ref items) if items.is_empty() => self.deserialize_map(visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 unit seq tuple tuple_struct ignored_any
    }
}

/// The variant of an enum, which reads its content as a value of its own type would.
struct Variant {
    name: Tree,
    content: Tree,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Fault;
    type Variant = Reader;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Reader), Fault> {
        let name = Reader {
            tree: self.name,
            is_key: true,
        };
        Ok((seed.deserialize(name)?, self.content.reader()))
    }
}

impl<'de> VariantAccess<'de> for Reader {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Deserialize::deserialize(self)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_struct("", fields, visitor)
    }
}

impl IntoDeserializer<'_, Fault> for Reader {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The float that is the same number.
#[expect(
    clippy::cast_possible_truncation,
    reason = "what is lost is looked for"
)]
fn single(value: f64) -> Option<f32> {
    let single = value as f32;
    (f64::from(single).to_bits() == value.to_bits()).then_some(single)
}

/// The float that is the same number, or of which JSON's writers in JavaScript make these digits: as
/// many as tell it from the next float, and zeros.
#[expect(clippy::cast_precision_loss, reason = "what is lost is looked for")]
#[expect(clippy::cast_possible_truncation, reason = "it was an integer")]
fn float(value: i128) -> Option<f64> {
    let float = value as f64;
    let is_same = float as i128 == value || float.to_string() == value.to_string();
    is_same.then_some(float)
}
