use super::Config;
use super::value::Value;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};
use std::fmt;

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Config;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of settings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Config, A::Error> {
                let mut config = Config::default();
                let mut seen: Vec<String> = Vec::new();
                while let Some(name) = table.next_key::<String>()? {
                    if seen.contains(&name) {
                        return Err(A::Error::custom(format!("{name}: given twice")));
                    }
                    let value: Value = table.next_value()?;
                    config.set(&name, &value).map_err(A::Error::custom)?;
                    seen.push(name);
                }
                Ok(config)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// What differs from the default, so that it reads back as the same; but for user names and passwords.
impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut config = self.clone();
        let mut table = serializer.serialize_map(None)?;
        for (name, field) in config.fields() {
            if let Some(value) = field.write().map_err(S::Error::custom)? {
                table.serialize_entry(name, &value)?;
            }
        }
        table.end()
    }
}
