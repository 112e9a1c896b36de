use super::settings::Config;
use super::value::Value;
use crate::error::Error;
use crate::percent;
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
        let mut settings: Vec<(String, Value)> = Vec::new();
        // Up to the last, so that nothing of a password that holds one is taken for a server.
        let rest = match rest.rsplit_once('@') {
            Some((encoded, rest)) => {
                let (username, password) = credentials(encoded)?;
                settings.push(("username".to_owned(), Value::Text(username)));
                settings.push(("password".to_owned(), Value::Text(password)));
                rest
            }
            None => rest,
        };
        if tls {
            settings.push(("tls".to_owned(), Value::Bool(true)));
        }
        let (servers, query) = rest.split_once('?').unwrap_or((rest, ""));
        let listed = servers.split(',').filter(|_| !servers.is_empty());
        let listed: Result<_, Error> = listed.map(server).collect();
        settings.push(("servers".to_owned(), Value::List(listed?)));
        for setting in query.split('&').filter(|setting| !setting.is_empty()) {
            let Some((name, value)) = setting.split_once('=') else {
                return refused("after the ? there must be settings as in timeout=500ms&hash=md5");
            };
            let name = decoded(name)?;
            if settings.iter().any(|(known, _)| *known == name) {
                return refused(&format!("{name} is given twice"));
            }
            settings.push((name, Value::Text(decoded(value)?)));
        }
        Self::from_value(Value::Table(settings))
    }
}

/// Reads `user:password`.
fn credentials(encoded: &str) -> Result<(String, String), Error> {
    // Those of RFC 3986, section 3.2.1, but for what also stands between servers.
    let is_plain = |c: char| c.is_alphanumeric() || "-._~!$&'()*+;=%".contains(c);
    match encoded.split_once(':') {
        Some((username, password)) if username.chars().chain(password.chars()).all(is_plain) => {
            Ok((decoded(username)?, decoded(password)?))
        }
        _ => refused(CREDENTIALS),
    }
}

const CREDENTIALS: &str = "before the @ there must be one user:password for all servers, in front of \
                           the first, percent-encoded; in a value write %40 for @";

fn refused<T>(reason: &str) -> Result<T, Error> {
    Err(Error::validation(format!("url: {reason}")))
}

/// Reads one server; the slash that many put before a `?` is no part of it.
fn server(encoded: &str) -> Result<Value, Error> {
    let server = decoded(encoded)?;
    let is_path = server.starts_with('/') || server.starts_with("unix:");
    Ok(Value::Text(match server.strip_suffix('/') {
        Some(server) if !is_path => server.to_owned(),
        _ => server,
    }))
}

/// Decodes percent-encoded text.
fn decoded(text: &str) -> Result<String, Error> {
    let Some(bytes) = percent::decode(text.as_bytes()) else {
        return refused("after a % there must be two hexadecimal digits");
    };
    String::from_utf8(bytes).or_else(|_| refused("what is percent-encoded must be UTF-8"))
}
