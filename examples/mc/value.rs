//! Any value, whatever its type.

use crate::date_time::iso_8601;
use moecache::value::DateTime;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;
use std::str::FromStr;

/// What `Client::get` gives to a type that takes whatever is stored; and what JSON holds, its keys
/// in the order in which they were written.
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// Apart from the other integers, because raw data comes as a sequence of them.
    Byte(u8),
    Integer(i128),
    /// Apart from the wider one, so that 0.1 is not shown as 0.10000000149011612.
    F32(f32),
    F64(f64),
    String(String),
    Bytes(Vec<u8>),
    DateTime(DateTime),
    Array(Vec<Self>),
    Object(Vec<(Self, Self)>),
}

impl Value {
    /// As `Display`, and without control characters.
    pub(crate) fn on_one_line(&self) -> String {
        match self {
            Self::Bytes(bytes) => format!("b\"{}\"", bytes.escape_ascii()),
            Self::String(string) if string.contains(char::is_control) => json(string),
            value => value.to_string(),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Byte(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            // Debug marks a float as one (1.0), and keeps 1e300 short.
            Self::F32(value) => write!(f, "{value:?}"),
            Self::F64(value) => write!(f, "{value:?}"),
            Self::String(value) => f.write_str(value),
            Self::Bytes(value) => value.escape_ascii().fmt(f),
            Self::DateTime(value) => f.write_str(&iso_8601(*value)),
            Self::Array(_) | Self::Object(_) => f.write_str(&json(self)),
        }
    }
}

fn json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| error.to_string())
}

impl FromStr for Value {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Byte(value) => serializer.serialize_u8(*value),
            Self::Integer(value) => {
                if let Ok(value) = i64::try_from(*value) {
                    serializer.serialize_i64(value)
                } else if let Ok(value) = u64::try_from(*value) {
                    serializer.serialize_u64(value)
                } else {
                    serializer.serialize_i128(*value)
                }
            }
            Self::F32(value) => serializer.serialize_f32(*value),
            Self::F64(value) => serializer.serialize_f64(*value),
            Self::String(value) => serializer.serialize_str(value),
            Self::Bytes(value) => serializer.serialize_bytes(value),
            Self::DateTime(value) => value.serialize(serializer),
            Self::Array(values) => serializer.collect_seq(values),
            Self::Object(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    // JSON's keys are strings; MessagePack's may be anything.
                    map.serialize_entry(&key.to_string(), value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u8<E: Error>(self, value: u8) -> Result<Value, E> {
        Ok(Value::Byte(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_f32<E: Error>(self, value: f32) -> Result<Value, E> {
        Ok(Value::F32(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::F64(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_bytes<E: Error>(self, value: &[u8]) -> Result<Value, E> {
        Ok(Value::Bytes(value.to_vec()))
    }

    fn visit_byte_buf<E: Error>(self, value: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Bytes(value))
    }

    /// A `DateTime`, or an extension type of msgpack: its tag and its data.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        Ok(match Value::deserialize(inner)? {
            Value::Integer(ticks) => {
                let ticks = i64::try_from(ticks).map_err(D::Error::custom)?;
                Value::DateTime(DateTime(ticks))
            }
            extension => extension,
        })
    }

    /// Raw data if its elements are `u8`s: the numbers in an array are wider.
    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let (mut bytes, mut values) = (Vec::new(), Vec::new());
        while let Some(value) = access.next_element()? {
            match value {
                Value::Byte(byte) => bytes.push(byte),
                value => values.push(value),
            }
        }
        Ok(if bytes.is_empty() {
            Value::Array(values)
        } else {
            Value::Bytes(bytes)
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Value::Object(entries))
    }
}
