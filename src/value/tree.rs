use super::msgpack::{WIDE_SIGNED, WIDE_UNSIGNED};
use super::transcoder::{AsBytes, Integer};
use serde::ser::{Serialize, SerializeTuple, Serializer};

/// Plain data of another language, on its way to MessagePack, from which serde reads it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    Null,
    Bool(bool),
    Integer(i128),
    /// An integer that [`Integer`](Self::Integer) cannot hold.
    Unsigned(u128),
    Float(f64),
    String(String),
    Bytes(Vec<u8>),
    List(Vec<Tree>),
    /// In the order stored.
    Map(Vec<(Tree, Tree)>),
}

impl From<Integer> for Tree {
    fn from(value: Integer) -> Self {
        match value {
            Integer::Signed(value) => Self::Integer(value),
            Integer::Unsigned(value) => Self::unsigned(value),
        }
    }
}

impl Tree {
    pub(super) fn unsigned(value: u128) -> Self {
        match i128::try_from(value) {
            Ok(value) => Self::Integer(value),
            Err(_) => Self::Unsigned(value),
        }
    }
}

/// As MessagePack, each number in the smallest type that holds it exactly: an `f64` that is an `f32`
/// as well can be read as either.
impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => serializer.serialize_i64(value),
                (_, Ok(value)) => serializer.serialize_u64(value),
                _ => wide(serializer, WIDE_SIGNED, value.to_be_bytes()),
            },
            Self::Unsigned(value) => wide(serializer, WIDE_UNSIGNED, value.to_be_bytes()),
            Self::Float(value) => match single(*value) {
                Some(value) => serializer.serialize_f32(value),
                None => serializer.serialize_f64(*value),
            },
            Self::String(value) => serializer.serialize_str(value),
            Self::Bytes(value) => serializer.serialize_bytes(value),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(entries) => {
                serializer.collect_map(entries.iter().map(|(key, value)| (key, value)))
            }
        }
    }
}

/// An extension value: MessagePack's own integers end at 64 bits.
fn wide<S: Serializer>(serializer: S, tag: i8, bytes: [u8; 16]) -> Result<S::Ok, S::Error> {
    struct Extension(i8, [u8; 16]);

    impl Serialize for Extension {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut parts = serializer.serialize_tuple(2)?;
            parts.serialize_element(&self.0)?;
            parts.serialize_element(&AsBytes(&self.1))?;
            parts.end()
        }
    }

    let name = rmp_serde::MSGPACK_EXT_STRUCT_NAME;
    serializer.serialize_newtype_struct(name, &Extension(tag, bytes))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "what is lost is looked for"
)]
pub(super) fn single(value: f64) -> Option<f32> {
    let single = value as f32;
    (f64::from(single).to_bits() == value.to_bits()).then_some(single)
}
