use super::behaviour::{BEHAVIOURS, Behaviour, Effect, FILES, UNUSED_HASH};
use super::libmemcached::{Libmemcached, Spread};
use super::note::Note;
use super::settings::Config;
use crate::address::Server;
use crate::error::Error;
use crate::hash::Hash;
use crate::library::Library;
use std::path::Path;

/// The hashes that `--HASH` and `--DISTRIBUTION` know; hsieh only where it was compiled in.
const HASHES: [&str; 9] = [
    "md5", "crc", "fnv1_64", "fnv1a_64", "fnv1_32", "fnv1a_32", "hsieh", "murmur", "jenkins",
];

impl Config {
    /// Reads libmemcached's configuration string (its `libmemcached_configuration` manual): the
    /// settings of a client that finds every key where one made by `memcached(string, length)` does,
    /// and a [`Note`] for each option that has no effect here.
    ///
    /// ```
    /// use moecache::Config;
    ///
    /// let (config, notes) = Config::from_libmemcached(
    ///     "--DISTRIBUTION=consistent --HASH=FNV1A_32 --SERVER=10.0.0.1:11211 \
    ///      --SERVER=10.0.0.2:11211/?5 --BINARY-PROTOCOL --RETRY-TIMEOUT=2",
    /// )?;
    /// assert_eq!(
    ///     config.compatible_with.unwrap().to_string(),
    ///     "libmemcached:ketama_weighted/fnv1a_32"
    /// );
    /// let notes: Vec<String> = notes.iter().map(ToString::to_string).collect();
    /// assert_eq!(
    ///     notes,
    ///     ["--RETRY-TIMEOUT=2 has no effect: a server that failed is asked again within max_back_off, \
    ///      a second by default"]
    /// );
    /// # Ok::<(), moecache::Error>(())
    /// ```
    ///
    /// The order of the options counts as it does there: weights count only after
    /// `--DISTRIBUTION=consistent`, and a ring is made with the hash that is set by then, while keys
    /// are hashed with the one set last. With `--POOL-MIN` or `--POOL-MAX` it is the string of a
    /// `memcached_pool(string, length)`, whose handles differ in just that: they count the weights,
    /// and know one hash. Case does not count.
    ///
    /// Values are [`Raw`](crate::value::Format::Raw): libmemcached leaves them to the program.
    ///
    /// # Errors
    ///
    /// A validation error for an option that libmemcached does not know, with those that it does;
    /// for a value that is not possible; for `--DISTRIBUTION=random`; and for what would read a
    /// file, `--CONFIGURE-FILE` and `INCLUDE`.
    pub fn from_libmemcached(string: &str) -> Result<(Self, Vec<Note>), Error> {
        let mut client = Libmemcached::default();
        let mut seen = Vec::new();
        for token in tokens(string)? {
            let (name, value) = match token.split_once('=') {
                Some((name, value)) => (name.to_ascii_uppercase(), Some(value)),
                None => (token.to_ascii_uppercase(), None),
            };
            match (&*name, value) {
                ("END", None) => break,
                ("RESET", None) => client = Libmemcached::default(),
                ("INCLUDE", None) => return Err(refused("INCLUDE", FILES)),
                ("ERROR" | "CSL_ERROR", None) => {
                    return Err(refused(&name, "the string calls itself an error"));
                }
                ("DEBUG", None) => client.note("DEBUG", "", "nothing is printed"),
                ("--SERVER", Some(text)) => client.server(&server(text)?, Library::Libmemcached)?,
                ("--SOCKET", Some(text)) => client.server(&socket(text)?, Library::Libmemcached)?,
                _ => {
                    let behaviour = known(&name, value)?;
                    // The hash and the namespace can only be set once, not even after RESET.
                    let once = matches!(behaviour.effect, Effect::Hash | Effect::Namespace);
                    if once && seen.contains(&name) {
                        return Err(refused(&name, "it can only be set once"));
                    }
                    set(&mut client, behaviour, &name, value.unwrap_or_default())
                        .map_err(|reason| refused(&name, &reason))?;
                    seen.push(name);
                }
            }
        }
        client.finish(Library::Libmemcached)
    }
}

fn refused(name: &str, reason: &str) -> Error {
    Error::validation(format!("{name}: {reason}"))
}

/// What stands between white space; a text in quotes may hold some. (libmemcached itself wants
/// exactly one space between two options.)
fn tokens(string: &str) -> Result<Vec<&str>, Error> {
    let mut tokens = Vec::new();
    let mut start = None;
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, c) in string.char_indices() {
        if is_quoted {
            is_quoted = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
        } else if c.is_whitespace() {
            tokens.extend(start.take().map(|start: usize| &string[start..at]));
        } else {
            start.get_or_insert(at);
            is_quoted = c == '"';
        }
    }
    if is_quoted {
        return Err(refused("configuration", "a quote is not closed"));
    }
    tokens.extend(start.map(|start| &string[start..]));
    Ok(tokens)
}

fn known(name: &str, value: Option<&str>) -> Result<&'static Behaviour, Error> {
    let takes_value = |behaviour: &Behaviour| behaviour.option.ends_with('=');
    let found = BEHAVIOURS
        .iter()
        .find(|behaviour| behaviour.option.trim_end_matches('=') == name && !name.is_empty());
    match (found, value) {
        (Some(behaviour), None) if takes_value(behaviour) => {
            Err(refused(name, &format!("it needs a value: {name}=..")))
        }
        (Some(behaviour), Some(_)) if !takes_value(behaviour) => {
            Err(refused(name, "it takes no value"))
        }
        (Some(behaviour), _) => Ok(behaviour),
        (None, _) => {
            let options = BEHAVIOURS.iter().map(|behaviour| behaviour.option);
            let options: Vec<&str> = options.filter(|option| !option.is_empty()).collect();
            Err(Error::validation(format!(
                "configuration: there is no option {name:?}; allowed are --SERVER=, --SOCKET=, {}, \
                 RESET and END",
                options.join(", ")
            )))
        }
    }
}

fn set(
    client: &mut Libmemcached,
    behaviour: &Behaviour,
    name: &str,
    value: &str,
) -> Result<(), String> {
    match behaviour.effect {
        Effect::Refused(reason) => return Err(reason.to_owned()),
        Effect::Hash => client.hash(hash(value)?),
        Effect::Namespace => client.namespace(text(value))?,
        Effect::Distribution => {
            let (spread, unused) = match value.split_once(',') {
                Some((spread, unused)) => (spread, Some(unused)),
                None => (value, None),
            };
            client.distribution(match &*spread.to_ascii_lowercase() {
                "modula" => Spread::Modula,
                "consistent" => Spread::Consistent,
                "random" => Spread::Random,
                _ => {
                    return Err(format!(
                        "{spread:?} is not known; allowed are modula, consistent and random"
                    ));
                }
            });
            if let Some(unused) = unused {
                hash(unused)?;
                client.note(name, value, UNUSED_HASH);
            }
        }
        // A switch is on when it is there.
        effect if !behaviour.option.ends_with('=') => client.number(effect, name, 1, value)?,
        effect => {
            let digits = value.bytes().all(|byte| byte.is_ascii_digit());
            let number = value.parse().ok().filter(|_| digits);
            let number = number.ok_or_else(|| format!("{value:?} is not a number from 0 on"))?;
            client.number(effect, name, number, value)?;
        }
    }
    Ok(())
}

fn hash(name: &str) -> Result<Hash, String> {
    let lower = name.to_ascii_lowercase();
    let known = HASHES.contains(&&*lower).then(|| lower.parse().ok());
    known.flatten().ok_or_else(|| {
        let known = HASHES.join(", ");
        format!("{name:?} is not a hash that it knows; allowed are {known}")
    })
}

/// A text, with or without quotes. A backslash in it stays, as it does in libmemcached.
fn text(value: &str) -> &str {
    let bare = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    bare.unwrap_or(value)
}

/// `host`, `host:port`, `host:port/?weight`.
fn server(text: &str) -> Result<Server, Error> {
    let (address, weight) = weighted("--SERVER", text)?;
    Ok(heavy(Server::from(address), weight))
}

/// `"/path"`, `"/path"/?weight`; its manual has the weight within the quotes, its parser does not.
fn socket(value: &str) -> Result<Server, Error> {
    let (path, weight) = weighted("--SOCKET", value)?;
    Ok(heavy(Server::from(Path::new(text(path))), weight))
}

fn weighted<'a>(name: &str, text: &'a str) -> Result<(&'a str, Option<u32>), Error> {
    let (address, weight) = match text.rsplit_once("/?") {
        Some((address, weight)) if !weight.ends_with('"') => (address, weight),
        _ => return Ok((text, None)),
    };
    match weight.parse() {
        Ok(weight) => Ok((address, Some(weight))),
        Err(_) => Err(refused(name, "what follows /? must be a weight, a number")),
    }
}

fn heavy(server: Server, weight: Option<u32>) -> Server {
    match weight {
        Some(weight) => server.weight(weight),
        None => server,
    }
}
