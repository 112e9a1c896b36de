use super::behaviors::{BEHAVIORS, Libmemcached, Note, refused};
use super::settings::Config;
use super::value::Value;
use crate::address::IntoServers;
use crate::error::Error;
use crate::library::Library;
use serde::de::{Deserialize, Deserializer};
use std::fmt;

/// The behaviors of a [pylibmc](https://pypi.org/project/pylibmc/) client, as the dictionary that
/// its constructor takes, in any format that serde knows. The constructor's arguments `binary`,
/// `username` and `password` may be in it too. For [`Config::from_pylibmc`].
#[derive(Clone, PartialEq, Default)]
pub struct Behaviors(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Behaviors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Table(behaviors) => Ok(Self(behaviors)),
            other => Err(serde::de::Error::custom(format!(
                "behaviors: {other} is not possible; it must be a table of names and values"
            ))),
        }
    }
}

/// Only the names: a password may be among the values.
impl fmt::Debug for Behaviors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|(name, _)| name);
        f.debug_set().entries(names).finish()
    }
}

impl Config {
    /// Reads what a pylibmc client is made of: the settings of a client that finds every key where
    /// `pylibmc.Client(servers, behaviors=behaviors)` does, and reads and writes its values, and a
    /// [`Note`] for each behavior that has no effect here.
    ///
    /// ```
    /// use moecache::{Behaviors, Config};
    ///
    /// let behaviors: Behaviors = serde_json::from_str(
    ///     r#"{"ketama": true, "hash": "fnv1a_32", "tcp_nodelay": true, "no_block": true}"#,
    /// )?;
    /// let (config, notes) = Config::from_pylibmc(["10.0.0.1", "10.0.0.2:11212"], &behaviors)?;
    /// assert_eq!(config.compatible_with.unwrap().to_string(), "pylibmc:consistent/fnv1a_32");
    /// assert_eq!(notes[0].name, "no_block");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// As in pylibmc, the order of the dictionary does not count: `distribution` is set last of all
    /// that place keys, and `ketama_weighted` sets the hash to MD5, whatever `hash` says. `ketama`
    /// does not, despite its documentation.
    ///
    /// A user name and a password are for SASL, and so set the binary protocol, as in libmemcached.
    ///
    /// **Pools.** `pylibmc.ClientPool` and `ThreadMappedPool` hand out clones, and libmemcached
    /// forgets `ketama_weighted` when it makes one, unless the weight of a server is over 1: join
    /// them with `distribution: "consistent"` and `hash: "md5"`.
    ///
    /// # Errors
    ///
    /// A validation error for a behavior that pylibmc 1.6 does not know, with those that it does;
    /// for a value that is not possible, but for a password without the value; and for a distribution
    /// that finds no key again.
    pub fn from_pylibmc(
        servers: impl IntoServers,
        behaviors: &Behaviors,
    ) -> Result<(Self, Vec<Note>), Error> {
        let mut given: Vec<(usize, &str, &Value)> = Vec::new();
        for (name, value) in &behaviors.0 {
            let at = place(name).ok_or_else(|| unknown(name))?;
            if given.iter().any(|&(other, ..)| other == at) {
                return Err(refused(name, "it is given twice"));
            }
            given.push((at, name, value));
        }
        given.sort_unstable_by_key(|&(at, ..)| at);

        let mut client = Libmemcached::new(Library::Pylibmc);
        for (at, name, value) in given {
            let shown = match value {
                Value::Text(text) => text.clone(),
                _ => value.to_string(),
            };
            client
                .set(BEHAVIORS[at].3, name, value, &shown)
                .map_err(|reason| refused(name, &reason))?;
        }
        for server in servers.into_servers() {
            client.server(&server)?;
        }
        client.finish()
    }
}

/// Where a behavior is in the table.
fn place(name: &str) -> Option<usize> {
    // pylibmc's own alias.
    let name = if name == "_retry_timeout" {
        "retry_timeout"
    } else {
        name
    };
    let mut known = BEHAVIORS.iter();
    known.position(|(_, known, ..)| *known == name && !name.is_empty())
}

fn unknown(name: &str) -> Error {
    let known = BEHAVIORS.iter().map(|&(_, name, ..)| name);
    let known: Vec<&str> = known.filter(|name| !name.is_empty()).collect();
    Error::validation(format!(
        "behaviors: there is no {name:?}; allowed are {}",
        known.join(", ")
    ))
}
