use super::sink::Sink;
use crate::error::Error;
use crate::protocol::{Dialect, Reply, ValueHeader};
use std::fmt;
use std::str::FromStr;

/// Which of memcached's protocols is spoken to the servers.
///
/// ```
/// use moecache::{Client, Protocol};
///
/// let client = Client::builder()
///     .servers("10.0.0.1:11211")
///     .protocol(Protocol::Auto)
///     .build()?;
/// # Ok::<(), moecache::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Protocol {
    /// The classic text protocol, which every server and every proxy knows.
    #[default]
    Text,
    /// The meta protocol of memcached 1.6.18 and later: lines as well, with replies that name their
    /// requests, and more commands. Not for older servers: before 1.6.10 its syntax was another, and
    /// such a server **may run the values that it is sent as commands**. `Auto` asks first.
    Meta,
    /// The binary protocol, for old deployments. Later versions of memcached call it deprecated,
    /// and proxies do not know it.
    Binary,
    /// Meta where the server's version is 1.6.18 or later, and text elsewhere. Each server is asked
    /// once, on the first connection to it, and again on the first after it has failed.
    Auto,
}

impl Protocol {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Text, "text"),
        (Self::Meta, "meta"),
        (Self::Binary, "binary"),
        (Self::Auto, "auto"),
    ];

    /// The one that it says; `None` where the server is to be asked.
    pub(crate) fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Text => Some(Dialect::Text),
            Self::Meta => Some(Dialect::Meta),
            Self::Binary => Some(Dialect::Binary),
            Self::Auto => None,
        }
    }
}

/// `text`, `meta`, `binary` or `auto`.
impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(protocol, _)| protocol == self);
        f.write_str(name.map_or("", |(_, name)| name))
    }
}

/// What `Display` gives, in any case, and `ascii` for text, as others call it.
impl FromStr for Protocol {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let name = if text.eq_ignore_ascii_case("ascii") {
            "text"
        } else {
            text
        };
        let mut known = Self::ALL.iter();
        match known.find(|(_, known)| known.eq_ignore_ascii_case(name)) {
            Some((protocol, _)) => Ok(*protocol),
            None => Err(Error::validation(format!(
                "protocol: {text:?} is not known; allowed are {}",
                Self::ALL.map(|(_, name)| name).join(", ")
            ))),
        }
    }
}

/// The version that a server says it is, and what that version speaks.
#[derive(Debug, Default)]
pub(super) struct Version(Option<(u32, u32, u32)>);

impl Version {
    /// The best protocol that it speaks. The meta commands came with memcached 1.6.0, but had another
    /// syntax up to 1.6.9 (`ms` without a length: the value would be run as commands), and a miss
    /// has an opaque since 1.6.18 alone.
    /// `None` if it did not say.
    pub(super) fn best(&self) -> Option<Dialect> {
        let version = self.0?;
        Some(if version >= (1, 6, 18) {
            Dialect::Meta
        } else {
            Dialect::Text
        })
    }

    fn parse(text: &[u8]) -> Self {
        let mut numbers = text.split(|byte| !byte.is_ascii_digit()).map(|digits| {
            let digits = std::str::from_utf8(digits).unwrap_or_default();
            digits.parse().unwrap_or_default()
        });
        let mut next = || numbers.next().unwrap_or_default();
        Self(Some((next(), next(), next())))
    }
}

/// Takes the reply to `version`.
impl Sink for Version {
    fn value(&mut self, _: usize, _: ValueHeader, _: Vec<u8>) {}

    fn reply(&mut self, _: usize, reply: Reply<'_>) {
        match reply {
            Reply::Version(text) => *self = Self::parse(text),
            // It does not know the command: nor anything newer.
            Reply::Refused(refused) if refused.by_grammar => *self = Self::parse(b""),
            _ => {}
        }
    }

    fn failed(&mut self, _: usize, _: Error) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_protocol_of_a_version() {
        for (version, best) in [
            ("1.6.18", Dialect::Meta),
            ("1.6.18_beta1", Dialect::Meta),
            ("1.6.17", Dialect::Text),
            ("1.6", Dialect::Text),
            ("1.10.0", Dialect::Meta),
            ("2.0", Dialect::Meta),
            ("1.5.22", Dialect::Text),
            ("1.4.15 (Ubuntu)", Dialect::Text),
            ("unknown", Dialect::Text),
            ("", Dialect::Text),
        ] {
            let parsed = Version::parse(version.as_bytes());
            assert_eq!(parsed.best(), Some(best), "{version}");
        }
    }
}
