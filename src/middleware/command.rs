use crate::error::{Error, Kind, Result};
use crate::item::ItemRef;
use crate::protocol::{Mode, Reply, Request, Walk};
use std::fmt;

/// A command for a server, with the key as it is sent, prefix and all, and the value as it is stored.
///
/// `Display` and `Debug` show the name and the key, escaped, and the length of a value; never the value.
#[derive(Clone, Copy)]
pub struct Command<'a>(pub(super) Request<'a>);

impl<'a> Command<'a> {
    /// Returns its name. Each has some of the parts below, and its own [replies](Reply):
    ///
    /// | name | has | replies |
    /// |---|---|---|
    /// | `get`, `gets` | key | [`Hit`](Reply::Hit), [`NotFound`](super::Status::NotFound) |
    /// | `gat` | key, exptime | `Hit`, `NotFound` |
    /// | `set` | key, item, exptime | `Stored` |
    /// | `add`, `replace`, `append`, `prepend` | the same | `Stored`, `NotStored` |
    /// | `cas` | the same, and cas | `Stored`, `Exists`, `NotFound` |
    /// | `delete` | key, cas or none | `Deleted`, `NotFound`, `Exists` |
    /// | `touch` | key, exptime | `Touched`, `NotFound` |
    /// | `incr`, `decr` | key, delta, initial or none | [`Number`](Reply::Number), `NotFound` |
    /// | `flush_all` | number: seconds | `Ok` |
    /// | `verbosity` | number | `Ok` |
    /// | `version` | | [`Version`](Reply::Version) |
    /// | `stats` | arguments | [`Lines`](Reply::Lines), `Ok` |
    /// | `metadump` | arguments | the same |
    /// | `raw` | raw | the same; or `Hit`, `NotFound` |
    /// | `mg`, `ms`, `md`, `ma` | key; `ms` item and exptime | those of the server |
    ///
    /// Any may be [`Refused`](Reply::Refused) by the server.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.0 {
            Request::Get { cas: false, .. } => "get",
            Request::Get { cas: true, .. } => "gets",
            Request::GetAndTouch { .. } => "gat",
            Request::Store { mode, .. } => match mode {
                Mode::Cas(_) => "cas",
                mode => mode.name(),
            },
            Request::Delete { .. } => "delete",
            Request::Touch { .. } => "touch",
            Request::Arithmetic { direction, .. } => direction.name(),
            Request::MetaGet { .. } => "mg",
            Request::MetaSet { .. } => "ms",
            Request::MetaDelete { .. } => "md",
            Request::MetaArithmetic { .. } => "ma",
            Request::FlushAll { .. } => "flush_all",
            Request::Verbosity { .. } => "verbosity",
            Request::Stats { .. } => "stats",
            Request::Version => "version",
            // Connections say it for themselves; no middleware sees it.
            Request::Authenticate { .. } => "authenticate",
            Request::Metadump { .. } => "metadump",
            Request::Raw { .. } => "raw",
        }
    }

    /// Returns the key, 1 to 250 bytes; `None` for a command that is about the server.
    #[must_use]
    pub fn key(&self) -> Option<&'a [u8]> {
        self.0.key().map(|key| key.as_bytes())
    }

    /// Returns the flags and the data to store. What is appended or prepended has flags 0, and the item keeps
    /// its own.
    #[must_use]
    pub fn item(&self) -> Option<ItemRef<'a>> {
        match self.0 {
            Request::Store { item, .. } | Request::MetaSet { item, .. } => Some(item),
            _ => None,
        }
    }

    /// Returns the item's exptime, as memcached has it: 0 for never, up to 2,592,000 (30 days) seconds
    /// from now, above that a Unix time. Of `append` and `prepend` it is 0, and the item keeps its own.
    #[must_use]
    pub fn exptime(&self) -> Option<u32> {
        match self.0 {
            Request::GetAndTouch { exptime, .. }
            | Request::Store { exptime, .. }
            | Request::Touch { exptime, .. }
            | Request::MetaSet { exptime, .. } => Some(exptime),
            _ => None,
        }
    }

    /// Returns the number to count by. `incr` starts again from 0 after 2^64 - 1, `decr` ends at 0.
    #[must_use]
    pub fn delta(&self) -> Option<u64> {
        match self.0 {
            Request::Arithmetic { delta, .. } => Some(delta),
            _ => None,
        }
    }

    /// Returns the start and the exptime of a counter that is made if the key was not found; `None` where
    /// it is not made.
    #[must_use]
    pub fn initial(&self) -> Option<(u64, u32)> {
        match self.0 {
            Request::Arithmetic { initial, .. } => {
                initial.map(|initial| (initial.value, initial.exptime))
            }
            _ => None,
        }
    }

    /// Returns the cas id that the item must still have, of `cas`; and of `delete`, where it matters.
    #[must_use]
    pub fn cas(&self) -> Option<u64> {
        match self.0 {
            Request::Store {
                mode: Mode::Cas(id),
                ..
            } => Some(id),
            Request::Delete { cas, .. } => cas,
            _ => None,
        }
    }

    /// Whether a hit must have the cas id: of `gets` and `gat`.
    #[must_use]
    pub fn wants_cas(&self) -> bool {
        matches!(
            self.0,
            Request::Get { cas: true, .. } | Request::GetAndTouch { cas: true, .. }
        )
    }

    /// Returns the seconds after which `flush_all` is to take effect, or the level of `verbosity`.
    #[must_use]
    pub fn number(&self) -> Option<u32> {
        match self.0 {
            Request::FlushAll { delay } => Some(delay),
            Request::Verbosity { level } => Some(level),
            _ => None,
        }
    }

    /// Returns the words behind `stats`: none, or some of printable ASCII. Behind `metadump` it is `hash`,
    /// and `all` if that was refused.
    #[must_use]
    pub fn arguments(&self) -> Option<&'a str> {
        match self.0 {
            Request::Stats { arguments } => Some(arguments.as_str()),
            Request::Metadump { walk: Walk::Hash } => Some("hash"),
            Request::Metadump { walk: Walk::Lru } => Some("all"),
            _ => None,
        }
    }

    /// Returns the line of a [raw command](crate::Client::raw), without its end.
    #[must_use]
    pub fn raw(&self) -> Option<&'a [u8]> {
        match self.0 {
            Request::Raw { line } => Some(line.text()),
            _ => None,
        }
    }

    /// Whether it changes what the server holds.
    #[must_use]
    pub fn is_write(&self) -> bool {
        self.0.is_write()
    }

    /// Whether it is idempotent: carried out twice, it does what it does once, but for the reply.
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        self.0.is_idempotent()
    }

    /// Makes the [error](Error::is_unsupported) of a middleware that has no such command.
    #[must_use]
    pub fn unsupported(&self) -> Error {
        let reason = format!("the middleware has no {}; nothing was sent", self.name());
        Error::new(Kind::Unsupported, reason)
    }

    /// Refuses a hit without the cas id, as the decoders do.
    pub(super) fn check(&self, reply: Reply<'static>) -> Result<Reply<'static>> {
        match reply {
            Reply::Hit(hit) if self.wants_cas() && hit.cas.is_none() => {
                let reason = "the middleware gave a value without the cas id that was asked for";
                Err(Error::new(Kind::Protocol, reason))
            }
            reply => Ok(reply),
        }
    }
}

impl fmt::Display for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        if let Some(key) = self.key() {
            write!(f, " {}", key.escape_ascii())?;
        }
        if let Some(item) = self.item() {
            write!(f, ", {} bytes", item.data.len())?;
        }
        match self.arguments() {
            Some(arguments) if !arguments.is_empty() => write!(f, " {arguments}"),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyRule;
    use crate::protocol::Direction;

    #[test]
    fn display_shows_no_values() {
        let key = KeyRule::NonAscii.key(b"k\xff").unwrap();
        let item = ItemRef::from((7, b"secret"));
        let command = Command(Request::Store {
            mode: Mode::Set,
            key,
            item,
            exptime: 60,
        });
        assert_eq!(command.to_string(), r"set k\xff, 6 bytes");
        assert_eq!(format!("{command:?}"), r"Command(set k\xff, 6 bytes)");
        let delta = Command(Request::Arithmetic {
            direction: Direction::Down,
            key,
            delta: 3,
            initial: None,
        });
        assert_eq!(delta.to_string(), r"decr k\xff");
        assert_eq!(Command(Request::Version).to_string(), "version");
    }
}
