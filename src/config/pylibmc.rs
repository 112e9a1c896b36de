use super::behaviour::{BEHAVIOURS, Behaviour, Effect, UNUSED_HASH};
use super::libmemcached::{Libmemcached, Spread};
use super::note::Note;
use super::settings::Config;
use super::value::Value;
use crate::address::IntoServers;
use crate::error::Error;
use crate::hash::Hash;
use crate::library::Library;
use serde::de::{Deserialize, Deserializer};
use std::fmt;

/// The hashes that pylibmc 1.6 knows.
const HASHES: [&str; 10] = [
    "default", "md5", "crc", "fnv1_64", "fnv1a_64", "fnv1_32", "fnv1a_32", "hsieh", "murmur",
    "jenkins",
];

const DISTRIBUTIONS: [(&str, Spread); 7] = [
    ("modula", Spread::Modula),
    ("consistent", Spread::Consistent),
    ("consistent ketama", Spread::Consistent),
    ("consistent ketama spy", Spread::Spy),
    ("consistent weighted", Spread::Weighted),
    ("random", Spread::Random),
    ("virtual bucket", Spread::VirtualBucket),
];

/// The behaviours of a [pylibmc](https://pypi.org/project/pylibmc/) client, as the dictionary that
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
    /// [`Note`] for each behaviour that has no effect here.
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
    /// A validation error for a behaviour that pylibmc 1.6 does not know, with those that it does;
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

        let mut client = Libmemcached::default();
        for (at, name, value) in given {
            set(&mut client, &BEHAVIOURS[at], name, value)
                .map_err(|reason| refused(name, &reason))?;
        }
        for server in servers.into_servers() {
            client.server(&server, Library::Pylibmc)?;
        }
        client.finish(Library::Pylibmc)
    }
}

fn refused(name: &str, reason: &str) -> Error {
    Error::validation(format!("{name}: {reason}"))
}

/// Where a behaviour is in the table.
fn place(name: &str) -> Option<usize> {
    // pylibmc's own alias.
    let name = if name == "_retry_timeout" {
        "retry_timeout"
    } else {
        name
    };
    let mut known = BEHAVIOURS.iter();
    known.position(|behaviour| behaviour.pylibmc == name && !name.is_empty())
}

fn unknown(name: &str) -> Error {
    let known = BEHAVIOURS.iter().map(|behaviour| behaviour.pylibmc);
    let known: Vec<&str> = known.filter(|name| !name.is_empty()).collect();
    Error::validation(format!(
        "behaviors: there is no {name:?}; allowed are {}",
        known.join(", ")
    ))
}

fn set(
    client: &mut Libmemcached,
    behaviour: &Behaviour,
    name: &str,
    value: &Value,
) -> Result<(), String> {
    match (behaviour.effect, value) {
        // Before what shows the value: it may be a password.
        (Effect::Refused(_) | Effect::Username | Effect::Password, Value::Null) => {}
        (Effect::Refused(reason), _) => return Err(reason.to_owned()),
        (Effect::Username, Value::Text(username)) => client.username(username),
        (Effect::Password, Value::Text(password)) => client.password(password),
        (Effect::Password, _) => return Err("it must be a text".to_owned()),
        (Effect::Hash, Value::Text(name)) => client.hash(hash(name)?),
        (Effect::UnusedHash, Value::Text(unused)) => {
            hash(unused)?;
            client.note(name, unused, UNUSED_HASH);
        }
        (Effect::UnusedHash, Value::Integer(unused)) => {
            client.note(name, &unused.to_string(), UNUSED_HASH);
        }
        (Effect::Distribution, Value::Text(name)) => {
            let known = DISTRIBUTIONS.iter();
            let mut known = known.filter(|(known, _)| *known == name.replace('_', " "));
            let (_, spread) = known.next().ok_or_else(|| {
                let known = DISTRIBUTIONS.map(|(name, _)| name).join(", ");
                format!("{name:?} is not known; allowed are {known}")
            })?;
            client.distribution(*spread);
        }
        (Effect::Namespace, Value::Text(text)) => client.namespace(text)?,
        (
            Effect::Hash
            | Effect::UnusedHash
            | Effect::Distribution
            | Effect::Username
            | Effect::Namespace,
            _,
        ) => {
            return Err(format!("{value} is not possible; it must be a text"));
        }
        (effect, _) => {
            let number = match value {
                Value::Bool(on) => Some(i64::from(*on)),
                Value::Integer(number) => Some(*number),
                _ => None,
            };
            let number = number.ok_or_else(|| {
                format!("{value} is not possible; it must be a whole number, or true or false")
            })?;
            client.number(effect, name, number, &value.to_string())?;
        }
    }
    Ok(())
}

fn hash(name: &str) -> Result<Hash, String> {
    let known = HASHES.contains(&name).then(|| name.parse().ok());
    known.flatten().ok_or_else(|| {
        let known = HASHES.join(", ");
        format!("{name:?} is not a hash that it knows; allowed are {known}")
    })
}
