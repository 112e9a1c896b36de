use super::Config;
use super::value::Value;
use crate::address::{Address, DEFAULT_PORT, Server};
use crate::error::Error;
use crate::secret::Secret;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

impl Config {
    /// Every field with its name: what a file and a URL may set.
    pub(super) fn fields(&mut self) -> [(&'static str, Field<'_>); 37] {
        [
            ("servers", Field::Servers(&mut self.servers)),
            ("compatible_with", Field::Name(&mut self.compatible_with)),
            ("distribution", Field::Name(&mut self.distribution)),
            ("hash", Field::Name(&mut self.hash)),
            ("hash_tag", Field::Name(&mut self.hash_tag)),
            ("resolve_names", Field::Switch(&mut self.resolve_names)),
            ("format", Field::Name(&mut self.format)),
            ("compression", Field::Name(&mut self.compression)),
            (
                "max_decompressed_size",
                Field::Size(&mut self.max_decompressed_size),
            ),
            ("timeout", Field::Time(&mut self.timeout)),
            ("connect_timeout", Field::Time(&mut self.connect_timeout)),
            ("max_value_size", Field::Size(&mut self.max_value_size)),
            ("max_read_size", Field::Size(&mut self.max_read_size)),
            ("max_line_size", Field::Size(&mut self.max_line_size)),
            ("max_keys_per_get", Field::Count(&mut self.max_keys_per_get)),
            ("protocol", Field::Name(&mut self.protocol)),
            ("username", Field::Secret(&mut self.username)),
            ("password", Field::Secret(&mut self.password)),
            ("tls", Field::Switch(&mut self.tls)),
            ("tls_roots", Field::Path(&mut self.tls_roots)),
            ("tls_pinned", Field::Path(&mut self.tls_pinned)),
            ("tls_certificate", Field::Path(&mut self.tls_certificate)),
            ("tls_key", Field::Path(&mut self.tls_key)),
            ("tls_server_name", Field::Text(&mut self.tls_server_name)),
            ("prefix", Field::Text(&mut self.prefix)),
            ("prefix_placement", Field::Name(&mut self.prefix_placement)),
            ("key_transform", Field::Name(&mut self.key_transform)),
            ("binary_keys", Field::Switch(&mut self.binary_keys)),
            ("key_bytes", Field::Name(&mut self.key_bytes)),
            ("max_key_length", Field::Count(&mut self.max_key_length)),
            ("queue_keys", Field::Choice(&mut self.queue_keys)),
            ("tcp_nodelay", Field::Choice(&mut self.tcp_nodelay)),
            ("max_connections", Field::Count(&mut self.max_connections)),
            (
                "max_idle_connections",
                Field::Count(&mut self.max_idle_connections),
            ),
            ("idle_timeout", Field::Time(&mut self.idle_timeout)),
            ("failure_policy", Field::Name(&mut self.failure_policy)),
            ("max_back_off", Field::Time(&mut self.max_back_off)),
        ]
    }

    /// Sets the field of that name.
    pub(super) fn set(&mut self, name: &str, value: &Value) -> Result<(), Error> {
        let mut fields = self.fields();
        let Some((name, field)) = fields.iter_mut().find(|(known, _)| *known == name) else {
            let names = fields.map(|(name, _)| name).join(", ");
            return Err(Error::validation(format!(
                "config: there is no field {name:?}; allowed are {names}"
            )));
        };
        // What a type says of its own text may begin with the same name.
        field.read(value).map_err(|reason| {
            let reason = reason.strip_prefix(&format!("{name}: ")).unwrap_or(&reason);
            Error::validation(format!("{name}: {reason}"))
        })
    }
}

/// A field of [`Config`], by what is written there.
pub(super) enum Field<'a> {
    Servers(&'a mut Vec<Server>),
    /// Something that has a name.
    Name(&'a mut dyn Named),
    Text(&'a mut Option<String>),
    Path(&'a mut Option<PathBuf>),
    /// Read, and neither written nor shown.
    Secret(&'a mut Option<Secret>),
    Time(&'a mut Option<Duration>),
    /// In bytes.
    Size(&'a mut Option<usize>),
    Count(&'a mut Option<usize>),
    /// Off unless it is on.
    Switch(&'a mut bool),
    /// A switch whose default is the builder's.
    Choice(&'a mut Option<bool>),
}

impl Field<'_> {
    /// Takes the value, or says why not.
    fn read(&mut self, value: &Value) -> Result<(), String> {
        if *value == Value::Null {
            return Ok(());
        }
        let refused = |allowed: &str| format!("{value} is not possible; allowed are {allowed}");
        match self {
            Self::Servers(field) => **field = servers(value)?,
            Self::Name(field) => {
                let name = text(value)?;
                field.parse(name).map_err(|error| error.to_string())?;
            }
            Self::Text(field) => **field = Some(text(value)?.to_owned()),
            Self::Path(field) => **field = Some(PathBuf::from(text(value)?)),
            Self::Secret(field) => **field = Some(secret(value)?),
            Self::Time(field) => **field = Some(duration(value).ok_or_else(|| refused(TIMES))?),
            Self::Size(field) => **field = Some(size(value).ok_or_else(|| refused(SIZES))?),
            Self::Count(field) => {
                let count = integer(value).ok_or_else(|| refused("the numbers from 0 on"))?;
                **field = Some(count);
            }
            Self::Switch(field) => {
                **field = switch(value).ok_or_else(|| refused("true and false"))?;
            }
            Self::Choice(field) => {
                **field = Some(switch(value).ok_or_else(|| refused("true and false"))?);
            }
        }
        Ok(())
    }

    /// What [`read`](Self::read) takes for the same; `None` for what is left out.
    pub(super) fn write(&self) -> Result<Option<Value>, Error> {
        let integer = |number: usize| Value::Integer(number as i128);
        Ok(match self {
            Self::Servers(servers) if servers.is_empty() => None,
            Self::Servers(servers) => {
                let servers: Result<Vec<_>, _> = servers.iter().map(written).collect();
                Some(Value::List(servers?))
            }
            Self::Name(name) => name.print().map(Value::Text),
            Self::Path(path) => path.as_ref().map(|path| path_text(path)).transpose()?,
            Self::Secret(_) => None,
            Self::Text(text) => text.as_ref().map(|text| Value::Text(text.clone())),
            Self::Time(time) => time.map(|time| Value::Text(time_text(time))),
            Self::Size(number) | Self::Count(number) => number.map(integer),
            Self::Switch(on) => on.then_some(Value::Bool(true)),
            Self::Choice(choice) => choice.map(Value::Bool),
        })
    }
}

/// A field whose type parses and prints.
pub(super) trait Named {
    fn parse(&mut self, text: &str) -> Result<(), Error>;
    fn print(&self) -> Option<String>;
}

impl<T: FromStr<Err = Error> + Display> Named for Option<T> {
    fn parse(&mut self, text: &str) -> Result<(), Error> {
        *self = Some(text.parse()?);
        Ok(())
    }

    fn print(&self) -> Option<String> {
        self.as_ref().map(ToString::to_string)
    }
}

/// A list of texts and tables, or one text with commas in between.
fn servers(value: &Value) -> Result<Vec<Server>, String> {
    let servers: Result<Vec<Server>, String> = match value {
        Value::List(values) => values.iter().map(server).collect(),
        Value::Text(text) => Ok(text.split(',').map(Server::from).collect()),
        _ => return Err(format!("{value} is not possible; it must be a list")),
    };
    let servers = servers?;
    for server in &servers {
        server.address().map_err(|error| error.to_string())?;
    }
    Ok(servers)
}

fn server(value: &Value) -> Result<Server, String> {
    const ALLOWED: &str = "a text, or a table of host and port, or of path, and of weight, ring_name, username and password";
    let entries = match value {
        Value::Text(text) => return Ok(Server::from(text)),
        Value::Table(entries) => entries,
        _ => return Err(format!("{value} is not a server; allowed is {ALLOWED}")),
    };
    let (mut host, mut port, mut path, mut weight, mut ring_name) = (None, None, None, None, None);
    let (mut username, mut password) = (None, None);
    for (name, value) in entries {
        let refused = |allowed: &str| format!("{name}: {value} is not possible; allowed {allowed}");
        let text = || match value {
            Value::Text(text) => Ok(Some(text.clone())),
            _ => Err(refused("is a text")),
        };
        match &**name {
            "host" => host = text()?,
            "path" => path = text()?,
            "ring_name" => ring_name = text()?,
            "username" => username = text()?,
            "password" => {
                let text = secret(value).map_err(|error| format!("password: {error}"));
                password = Some(text?);
            }
            "port" => port = Some(integer(value).ok_or_else(|| refused("are 1 to 65535"))?),
            "weight" => weight = Some(integer(value).ok_or_else(|| refused("are 1 and more"))?),
            _ => return Err(format!("a server has no {name:?}; allowed is {ALLOWED}")),
        }
    }
    let server = match (host, port, path) {
        (Some(host), port, None) => Server::from((host, port.unwrap_or(DEFAULT_PORT))),
        (None, None, Some(path)) => Server::from(PathBuf::from(path)),
        _ => {
            return Err(format!(
                "a server has a host or a path; allowed is {ALLOWED}"
            ));
        }
    };
    let server = server.weight(weight.unwrap_or(1));
    let server = match ring_name {
        Some(name) => server.ring_name(name),
        None => server,
    };
    match (username, password) {
        (None, None) => Ok(server),
        (Some(username), Some(password)) => Ok(server.credentials(username, password)),
        _ => Err("a server has a username and a password, or neither".to_owned()),
    }
}

/// What [`server`] takes for it, but for its credentials: a text where one says it all.
fn written(server: &Server) -> Result<Value, Error> {
    let text = |text: &str| Value::Text(text.to_owned());
    let (weight, ring_name) = server.on_the_ring();
    let address = match server.address()? {
        Address::Tcp { host, port } => {
            vec![("host", text(&host)), ("port", Value::Integer(port.into()))]
        }
        Address::Unix(path) => vec![("path", text(&path))],
    };
    let short = match weight {
        1 => server.to_string(),
        weight => format!("{server}:{weight}"),
    };
    // A host may be called unix, and a path end in a space.
    if Server::from(&short) == server.without_credentials() {
        return Ok(Value::Text(short));
    }
    let weight = (weight != 1).then_some(("weight", Value::Integer(weight.into())));
    let ring_name = ring_name.map(|name| ("ring_name", text(name)));
    let entries = address.into_iter().chain(weight).chain(ring_name);
    Ok(Value::Table(
        entries
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    ))
}

fn path_text(path: &Path) -> Result<Value, Error> {
    let text = path.to_str().ok_or_else(|| {
        let path = path.display();
        Error::validation(format!("tls: the path {path} is not UTF-8"))
    })?;
    Ok(Value::Text(text.to_owned()))
}

/// The error does not show what was written.
fn secret(value: &Value) -> Result<Secret, String> {
    match value {
        Value::Text(text) => Ok(Secret::from(&**text)),
        _ => Err("it must be a text".to_owned()),
    }
}

fn text(value: &Value) -> Result<&str, String> {
    match value {
        Value::Text(text) => Ok(text),
        _ => Err(format!("{value} is not possible; it must be a text")),
    }
}

/// A number that fits, as one or in digits.
fn integer<T: TryFrom<i128> + FromStr>(value: &Value) -> Option<T> {
    match value {
        Value::Integer(number) => T::try_from(*number).ok(),
        Value::Text(text) if is_digits(text) => text.parse().ok(),
        _ => None,
    }
}

fn switch(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(on) => Some(*on),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}

const SIZES: &str = "a number of bytes, and texts like \"64KiB\", \"64MiB\" and \"1GiB\"";

fn size(value: &Value) -> Option<usize> {
    const UNITS: [(&str, usize); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    if let Value::Text(text) = value {
        let unit = UNITS.iter().find_map(|&(name, unit)| {
            let number = text.strip_suffix(name)?;
            Some((number.trim_end(), unit))
        });
        let (number, unit) = unit.unwrap_or((text, 1));
        return integer::<usize>(&Value::Text(number.to_owned()))?.checked_mul(unit);
    }
    integer(value)
}

const TIMES: &str = "a number of seconds, texts like \"250us\", \"500ms\", \"2s\", \"1.5m\" and \
                     \"1h\", and \"forever\"";

/// The units of time, in nanoseconds, so that what ends with the name of another comes before it.
const UNITS: [(&str, u64); 6] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

fn duration(value: &Value) -> Option<Duration> {
    match value {
        Value::Integer(seconds) => Some(Duration::from_secs(u64::try_from(*seconds).ok()?)),
        Value::Float(seconds) => Duration::try_from_secs_f64(*seconds).ok(),
        Value::Text(text) if text == "forever" => Some(Duration::MAX),
        Value::Text(text) => {
            let unit = UNITS.iter().find_map(|&(name, unit)| {
                let number = text.strip_suffix(name)?;
                Some((number.trim_end(), unit))
            });
            let (number, unit) = unit.unwrap_or((text, 1_000_000_000));
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
        _ => None,
    }
}

/// In the largest of s, ms, us and ns that it is a whole number of.
fn time_text(time: Duration) -> String {
    if time == Duration::MAX {
        return "forever".to_owned();
    }
    let units = UNITS[..4].iter().rev();
    let nanos = time.as_nanos();
    let mut whole = units.filter(|(_, unit)| nanos % u128::from(*unit) == 0);
    whole.next().map_or_else(String::new, |(name, unit)| {
        format!("{}{name}", nanos / u128::from(*unit))
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
