#![expect(clippy::ref_option, reason = "serde asks for it")]

use crate::error::Error;
use crate::secret::Secret;
use serde::de::value::SeqDeserializer;
use serde::de::{self, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize, forward_to_deserialize_any};
use std::fmt;
use std::str::FromStr;

/// A setting as it was written: what TOML, JSON, YAML and a URL have in common. As a
/// [`Deserializer`] it takes numbers and switches written as text, as a URL has them, and says what is
/// allowed.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(untagged)]
pub(super) enum Value {
    /// As good as left out.
    #[default]
    Null,
    Bool(bool),
    Integer(i64),
    /// Beyond an `i64`.
    Large(u64),
    Float(f64),
    Text(String),
    List(Vec<Value>),
    Table(#[serde(deserialize_with = "entries")] Vec<(String, Value)>),
}

/// Reads all entries of a table, also those of one name.
fn entries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, Value)>, D::Error> {
    struct All;

    impl<'de> Visitor<'de> for All {
        type Value = Vec<(String, Value)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a table")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = table.next_entry()? {
                entries.push(entry);
            }
            Ok(entries)
        }
    }

    deserializer.deserialize_map(All)
}

/// For errors: the value, but not what is in a list or a table.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Large(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::List(_) => f.write_str("a list"),
            Self::Table(_) => f.write_str("a table"),
        }
    }
}

impl<'de> Deserializer<'de> for Value {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(on) => visitor.visit_bool(on),
            Self::Integer(number) => visitor.visit_i64(number),
            Self::Large(number) => visitor.visit_u64(number),
            Self::Float(number) => visitor.visit_f64(number),
            Self::Text(text) => visitor.visit_string(text),
            Self::List(values) => visitor.visit_seq(SeqDeserializer::new(values.into_iter())),
            Self::Table(entries) => visitor.visit_map(Entries {
                rest: entries.into_iter(),
                name: String::new(),
                value: Self::Null,
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self {
            Self::Null => visitor.visit_none(),
            value => visitor.visit_some(value),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let on = match &self {
            Self::Null => Some(false),
            Self::Bool(on) => Some(*on),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        };
        match on {
            Some(on) => visitor.visit_bool(on),
            None => Err(self.refused("allowed are true and false")),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_u64(self.number("the numbers from 0 on")?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_u32(self.number("1 and more")?)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_u16(self.number("1 to 65535")?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self {
            Self::Text(text) => visitor.visit_string(text),
            _ => Err(self.refused("it must be a text")),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 u8 f32 f64 char str bytes byte_buf unit unit_struct newtype_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl IntoDeserializer<'_, Refused> for Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl Value {
    fn refused(&self, allowed: &str) -> Refused {
        Refused(format!("{self} is not possible; {allowed}"))
    }

    fn number<T: TryFrom<u64>>(&self, allowed: &str) -> Result<T, Refused> {
        let number = self.integer().and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| self.refused(&format!("allowed are {allowed}")))
    }

    /// A number from 0 on, as one or in digits.
    fn integer(&self) -> Option<u64> {
        match self {
            Self::Integer(number) => u64::try_from(*number).ok(),
            Self::Large(number) => Some(*number),
            Self::Text(text) if is_digits(text) => text.parse().ok(),
            _ => None,
        }
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The entries of a table; an error in the value of one begins with its name.
struct Entries {
    rest: std::vec::IntoIter<(String, Value)>,
    name: String,
    value: Value,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Refused;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refused> {
        let Some((name, value)) = self.rest.next() else {
            return Ok(None);
        };
        (self.name, self.value) = (name, value);
        seed.deserialize(self.name.as_str().into_deserializer())
            .map(Some)
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, Refused> {
        let read = seed.deserialize(std::mem::take(&mut self.value));
        read.map_err(|Refused(reason)| {
            // What a type says of its own text may begin with the same name.
            let named = format!("{}: ", self.name);
            let is_named = reason.starts_with(&named);
            Refused(if is_named { reason } else { named + &reason })
        })
    }
}

/// Why a table is refused.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refused(String);

impl de::Error for Refused {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self(reason.to_string())
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let allowed = expected.join(", ");
        Self(format!(
            "there is no field {field:?}; allowed are {allowed}"
        ))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self(format!("{field}: given twice"))
    }
}

/// The number in front of one of `units`, and the unit.
fn split_unit<'t>(text: &'t str, units: &[(&str, u64)]) -> Option<(&'t str, u64)> {
    units.iter().find_map(|&(name, unit)| {
        let number = text.strip_suffix(name)?;
        Some((number.trim_end(), unit))
    })
}

/// Settings whose types parse and print.
pub(super) mod text {
    use super::{Deserialize, Deserializer, Error, FromStr, Serialize, Serializer, de, fmt};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: FromStr<Err = Error>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let parsed = text.map(|text| text.parse()).transpose();
        parsed.map_err(de::Error::custom)
    }

    pub(crate) fn serialize<S: Serializer, T: fmt::Display>(
        setting: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        setting
            .as_ref()
            .map(ToString::to_string)
            .serialize(serializer)
    }
}

/// Keys, whose bytes are text in a file.
pub(super) mod bytes {
    use super::{Deserialize, Deserializer, Serialize, Serializer};
    use serde::ser::Error as _;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(String::into_bytes))
    }

    pub(crate) fn serialize<S: Serializer>(
        setting: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = setting.as_deref().map(std::str::from_utf8).transpose();
        text.map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// Durations, with a unit or in seconds.
pub(super) mod time {
    use super::{
        Deserialize, Deserializer, Serialize, Serializer, Value, de, is_digits, split_unit,
    };
    use std::time::Duration;

    const ALLOWED: &str = "allowed are a number of seconds, texts like \"250us\", \"500ms\", \"2s\", \
                           \"1.5m\" and \"1h\", and \"forever\"";

    /// In nanoseconds, so that what ends with the name of another comes before it.
    const UNITS: [(&str, u64); 6] = [
        ("ns", 1),
        ("us", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let time = match &value {
            Value::Null => return Ok(None),
            Value::Float(seconds) => Duration::try_from_secs_f64(*seconds).ok(),
            Value::Text(text) => parse(text),
            _ => value.integer().map(Duration::from_secs),
        };
        let refused = || de::Error::custom(value.refused(ALLOWED));
        time.map(Some).ok_or_else(refused)
    }

    fn parse(text: &str) -> Option<Duration> {
        if text == "forever" {
            return Some(Duration::MAX);
        }
        let (number, unit) = split_unit(text, &UNITS).unwrap_or((text, 1_000_000_000));
        if is_digits(number) {
            let nanos = number.parse::<u128>().ok()?.checked_mul(unit.into())?;
            let seconds = u64::try_from(nanos / 1_000_000_000).ok()?;
            let rest = u32::try_from(nanos % 1_000_000_000).ok()?;
            return Some(Duration::new(seconds, rest));
        }
        // `parse` alone would take "inf" and "1e3".
        let is_number = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let number: f64 = number.parse().ok().filter(|_| is_number)?;
        Duration::try_from_secs_f64(number * Duration::from_nanos(unit).as_secs_f64()).ok()
    }

    /// Writes the largest of s, ms, us and ns that it is a whole number of.
    pub(crate) fn serialize<S: Serializer>(
        setting: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = setting.map(|time| {
            let nanos = time.as_nanos();
            let mut units = UNITS[..4].iter().rev();
            let whole = units.find(|(_, unit)| nanos % u128::from(*unit) == 0);
            match whole {
                Some((name, unit)) if time != Duration::MAX => {
                    format!("{}{name}", nanos / u128::from(*unit))
                }
                _ => "forever".to_owned(),
            }
        });
        text.serialize(serializer)
    }
}

/// Reads a size, in bytes or with a unit.
pub(super) fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    const ALLOWED: &str =
        "allowed are a number of bytes, and texts like \"64KiB\", \"64MiB\" and \"1GiB\"";
    const UNITS: [(&str, u64); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

    let value = Value::deserialize(deserializer)?;
    let size = match &value {
        Value::Null => return Ok(None),
        Value::Text(text) => {
            let (number, unit) = split_unit(text, &UNITS).unwrap_or((text, 1));
            let number = Value::Text(number.to_owned()).integer();
            number.and_then(|number| number.checked_mul(unit))
        }
        _ => value.integer(),
    };
    let size = size.and_then(|size| usize::try_from(size).ok());
    let refused = || de::Error::custom(value.refused(ALLOWED));
    size.map(Some).ok_or_else(refused)
}

/// Reads a secret; the error does not show what was written.
pub(super) fn secret<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Secret>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::Text(text) => Ok(Some(text.into())),
        _ => Err(de::Error::custom("it must be a text")),
    }
}

/// A list of texts and tables, or one text with commas in between.
pub(super) mod servers {
    use super::{
        Deserialize, Deserializer, Refused, Secret, Serialize, Serializer, Value, de, secret,
    };
    use crate::address::{Address, DEFAULT_PORT, Server};
    use serde::ser::{Error as _, SerializeSeq as _};
    use std::path::PathBuf;

    const ALLOWED: &str = "allowed is a text, or a table of host and port, or of path, and of weight, \
                           ring_name, username and password";

    /// A server as a table; it has a host or a path.
    #[derive(Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Table {
        #[serde(skip_serializing_if = "Option::is_none")]
        host: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        weight: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        ring_name: Option<String>,
        #[serde(skip_serializing)]
        username: Option<String>,
        #[serde(skip_serializing, deserialize_with = "secret")]
        password: Option<Secret>,
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Server>, D::Error> {
        let servers = match Value::deserialize(deserializer)? {
            Value::Null => Ok(Vec::new()),
            Value::List(values) => values.into_iter().map(server).collect(),
            Value::Text(text) => Ok(text.split(',').map(Server::from).collect()),
            other => Err(other.refused("it must be a list")),
        };
        let servers: Vec<Server> = servers.map_err(de::Error::custom)?;
        for server in &servers {
            server.address().map_err(de::Error::custom)?;
        }
        Ok(servers)
    }

    fn server(value: Value) -> Result<Server, Refused> {
        let table = match value {
            Value::Text(text) => return Ok(Server::from(text)),
            Value::Table(_) => Table::deserialize(value)?,
            _ => return Err(Refused(format!("{value} is not a server; {ALLOWED}"))),
        };
        let server = match (table.host, table.port, table.path) {
            (Some(host), port, None) => Server::from((host, port.unwrap_or(DEFAULT_PORT))),
            (None, None, Some(path)) => Server::from(PathBuf::from(path)),
            _ => return Err(Refused(format!("a server has a host or a path; {ALLOWED}"))),
        };
        let server = server.weight(table.weight.unwrap_or(1));
        let server = match table.ring_name {
            Some(name) => server.ring_name(name),
            None => server,
        };
        match (table.username, table.password) {
            (None, None) => Ok(server),
            (Some(username), Some(password)) => Ok(server.credentials(username, password)),
            _ => Err(Refused(
                "a server has a username and a password, or neither".into(),
            )),
        }
    }

    /// Writes all but their credentials: each as a text where one says it all.
    pub(crate) fn serialize<S: Serializer>(
        servers: &[Server],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(servers.len()))?;
        for server in servers {
            let address = server.address().map_err(S::Error::custom)?;
            let (weight, ring_name) = server.on_the_ring();
            let short = match weight {
                1 => server.to_string(),
                weight => format!("{server}:{weight}"),
            };
            // A host may be called unix, and a path end in a space.
            if Server::from(&short) == server.without_credentials() {
                list.serialize_element(&short)?;
                continue;
            }
            let (host, port, path) = match address {
                Address::Tcp { host, port } => (Some(host), Some(port), None),
                Address::Unix(path) => (None, None, Some(path)),
            };
            list.serialize_element(&Table {
                host,
                port,
                path,
                weight: (weight != 1).then_some(weight),
                ring_name: ring_name.map(str::to_owned),
                ..Table::default()
            })?;
        }
        list.end()
    }
}
