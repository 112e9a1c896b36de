use super::Config;
use super::value::Value;
use crate::error::Error;
use std::str::FromStr;

/// `memcache://a:11211,b:11211:5,/run/c.sock?compatible_with=pylibmc&timeout=500ms`; see
/// [`Config`]. Case does not count in the scheme.
impl FromStr for Config {
    type Err = Error;

    // No error shows the URL: there may be a password in it.
    fn from_str(url: &str) -> Result<Self, Error> {
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let tls = match &*scheme.to_ascii_lowercase() {
            "memcache" | "memcached" => false,
            "memcaches" | "memcacheds" | "memcache+tls" | "memcached+tls" => true,
            "memcache+udp" | "memcached+udp" => {
                return refused(
                    "memcache+udp:// is not possible: UDP loses what is asked and answered; write \
                     memcache://, to the same host and port",
                );
            }
            "unix" => {
                return refused("a unix socket is written memcache:///run/memcached.sock");
            }
            _ => {
                return refused(
                    "it must begin with memcache://, memcached:// or memcaches://, which is for TLS, \
                     as memcache+tls:// is",
                );
            }
        };
        if rest.contains('#') {
            return refused("there is no use for what comes after #; in a value write %23");
        }
        let mut config = Self {
            tls,
            ..Self::default()
        };
        let mut seen = vec!["servers".to_owned()];
        // Up to the last, so that nothing of a password that holds one is taken for a server.
        let rest = match rest.rsplit_once('@') {
            Some((credentials, rest)) => {
                config.take_credentials(credentials)?;
                seen.extend(["username", "password"].map(str::to_owned));
                rest
            }
            None => rest,
        };
        if tls {
            seen.push("tls".to_owned());
        }
        let (servers, query) = match rest.split_once('?') {
            Some((servers, query)) => (servers, query),
            None => (rest, ""),
        };
        if !servers.is_empty() {
            let servers: Result<Vec<Value>, Error> = servers.split(',').map(server).collect();
            config.set("servers", &Value::List(servers?))?;
        }
        for setting in query.split('&').filter(|setting| !setting.is_empty()) {
            let Some((name, value)) = setting.split_once('=') else {
                return refused("after the ? there must be settings as in timeout=500ms&hash=md5");
            };
            let name = decoded(name)?;
            if seen.contains(&name) {
                return refused(&format!("{name} is given twice"));
            }
            config.set(&name, &Value::Text(decoded(value)?))?;
            seen.push(name);
        }
        Ok(config)
    }
}

impl Config {
    /// Takes `user:password`.
    fn take_credentials(&mut self, encoded: &str) -> Result<(), Error> {
        // Those of RFC 3986, section 3.2.1, but for what also stands between servers.
        let is_plain = |c: char| c.is_alphanumeric() || "-._~!$&'()*+;=%".contains(c);
        let Some((username, password)) = encoded.split_once(':') else {
            return refused(CREDENTIALS);
        };
        if !username.chars().chain(password.chars()).all(is_plain) {
            return refused(CREDENTIALS);
        }
        self.username = Some(decoded(username)?.into());
        self.password = Some(decoded(password)?.into());
        Ok(())
    }
}

const CREDENTIALS: &str = "before the @ there must be one user:password for all servers, in front of \
                           the first, percent-encoded; in a value write %40 for @";

fn refused<T>(reason: &str) -> Result<T, Error> {
    Err(Error::validation(format!("url: {reason}")))
}

/// One server; the slash that many put before a `?` is no part of it.
fn server(encoded: &str) -> Result<Value, Error> {
    let server = decoded(encoded)?;
    let is_path = server.starts_with('/') || server.starts_with("unix:");
    Ok(Value::Text(match server.strip_suffix('/') {
        Some(server) if !is_path => server.to_owned(),
        _ => server,
    }))
}

/// RFC 3986, section 2.1. A `+` is itself.
fn decoded(text: &str) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return refused("after a % there must be two hexadecimal digits");
        };
        bytes.extend(u8::try_from(high << 4 | low));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(_) => refused("what is percent-encoded must be UTF-8"),
    }
}
