use super::behaviors::{BEHAVIORS, Effect, FILES, Libmemcached, Note, refused};
use super::settings::Config;
use super::value::Value;
use crate::address::Server;
use crate::error::Error;
use crate::library::Library;
use std::path::Path;

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
        let new = || Libmemcached::new(Library::Libmemcached);
        let mut client = new();
        let mut seen = Vec::new();
        for token in tokens(string)? {
            let (name, value) = match token.split_once('=') {
                Some((name, value)) => (name.to_ascii_uppercase(), Some(value)),
                None => (token.to_ascii_uppercase(), None),
            };
            match (&*name, value) {
                ("END", None) => break,
                ("RESET", None) => client = new(),
                ("INCLUDE", None) => return Err(refused("INCLUDE", FILES)),
                ("ERROR" | "CSL_ERROR", None) => {
                    return Err(refused(&name, "the string calls itself an error"));
                }
                ("DEBUG", None) => client.note("DEBUG", "", "nothing is printed"),
                ("--SERVER" | "--SOCKET", Some(text)) => client.server(&server(&name, text)?)?,
                _ => {
                    let behavior = known(&name, value)?;
                    // These can only be set once, not even after RESET.
                    if ["--HASH", "--NAMESPACE"].contains(&&*name) && seen.contains(&name) {
                        return Err(refused(&name, "it can only be set once"));
                    }
                    set(&mut client, behavior, &name, value.unwrap_or_default())
                        .map_err(|reason| refused(&name, &reason))?;
                    seen.push(name);
                }
            }
        }
        client.finish()
    }
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

/// The effect of an option, and whether it takes a value.
fn known(name: &str, value: Option<&str>) -> Result<(Effect, bool), Error> {
    let options = BEHAVIORS
        .iter()
        .filter(|(_, _, option, _)| !option.is_empty());
    let found = options
        .clone()
        .find(|(_, _, option, _)| option.trim_end_matches('=') == name);
    let Some(&(_, _, option, effect)) = found else {
        let options: Vec<&str> = options.map(|&(_, _, option, _)| option).collect();
        return Err(Error::validation(format!(
            "configuration: there is no option {name:?}; allowed are --SERVER=, --SOCKET=, {}, \
             RESET and END",
            options.join(", ")
        )));
    };
    match (option.ends_with('='), value) {
        (true, None) => Err(refused(name, &format!("it needs a value: {name}=.."))),
        (false, Some(_)) => Err(refused(name, "it takes no value")),
        (takes_value, _) => Ok((effect, takes_value)),
    }
}

fn set(
    client: &mut Libmemcached,
    (effect, takes_value): (Effect, bool),
    name: &str,
    text: &str,
) -> Result<(), String> {
    let value = match effect {
        Effect::Hash => lowercase(text),
        Effect::Distribution => {
            let (spread, unused) = text.split_once(',').unwrap_or((text, ""));
            client.set(effect, name, &lowercase(spread), text)?;
            if text.contains(',') {
                client.set(Effect::UnusedHash, name, &lowercase(unused), text)?;
            }
            return Ok(());
        }
        Effect::Namespace => Value::Text(unquoted(text).to_owned()),
        Effect::Refused(_) => Value::Null,
        // A switch is on when it is there.
        _ if !takes_value => Value::Bool(true),
        _ => {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse().ok().filter(|_| digits);
            Value::Integer(number.ok_or_else(|| format!("{text:?} is not a number from 0 on"))?)
        }
    };
    client.set(effect, name, &value, text)
}

fn lowercase(text: &str) -> Value {
    Value::Text(text.to_ascii_lowercase())
}

/// A text, with or without quotes. A backslash in it stays, as it does in libmemcached.
fn unquoted(value: &str) -> &str {
    let bare = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    bare.unwrap_or(value)
}

/// Reads `host`, `host:port`, `host:port/?weight`; of a socket `"/path"`, `"/path"/?weight`: its manual
/// has the weight within the quotes, its parser does not.
fn server(name: &str, text: &str) -> Result<Server, Error> {
    let split = text.rsplit_once("/?");
    let split = split.filter(|(_, weight)| !weight.ends_with('"'));
    let (address, weight) = split.map_or((text, None), |(address, weight)| (address, Some(weight)));
    let server = match name {
        "--SOCKET" => Server::from(Path::new(unquoted(address))),
        _ => Server::from(address),
    };
    match weight.map(str::parse) {
        None => Ok(server),
        Some(Ok(weight)) => Ok(server.weight(weight)),
        Some(Err(_)) => Err(refused(name, "what follows /? must be a weight, a number")),
    }
}
