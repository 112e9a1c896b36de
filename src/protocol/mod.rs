//! What goes over the wire and what comes back, as bytes: nothing here holds a socket. May use the
//! leaves only.

#[cfg(any(test, fuzzing))]
pub(crate) mod replay;
pub(crate) mod text;

use crate::error::{Error, Kind};
use crate::item::ItemRef;
use crate::key::Key;
use std::fmt;

/// One command.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Request<'a> {
    Get {
        key: Key<'a>,
    },
    Set {
        key: Key<'a>,
        item: ItemRef<'a>,
        exptime: u32,
    },
    Delete {
        key: Key<'a>,
    },
    Stats {
        arguments: StatsArguments<'a>,
    },
    Version,
}

impl Request<'_> {
    /// Whether sending it twice has the same effect as sending it once, so that it may be repeated
    /// on a fresh connection when a pooled one turns out to be dead. Every new command has to say.
    pub(crate) fn is_repeatable(&self) -> bool {
        match self {
            // `stats reset` and `stats detail on` change the server, but to the same state.
            Self::Get { .. }
            | Self::Set { .. }
            | Self::Delete { .. }
            | Self::Stats { .. }
            | Self::Version => true,
        }
    }

    /// Whether it changes what the server holds, so that it matters when its reply is lost.
    pub(crate) fn is_write(&self) -> bool {
        matches!(self, Self::Set { .. } | Self::Delete { .. })
    }

    /// Whether a value follows the command line.
    pub(crate) fn is_storage(&self) -> bool {
        matches!(self, Self::Set { .. })
    }

    /// Whether some servers may send more than the reply that is expected, so that the connection
    /// is not used again.
    pub(crate) fn reply_end_is_uncertain(&self) -> bool {
        matches!(self, Self::Stats { arguments } if arguments.has_one_line())
    }
}

/// What follows `stats` on its line: nothing, or words of printable ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatsArguments<'a>(&'a str);

impl<'a> StatsArguments<'a> {
    /// The longest that is sent, in bytes. memcached's own are all under 20.
    const MAX_LENGTH: usize = 250;

    pub(crate) fn new(arguments: &'a str) -> Result<Self, Error> {
        if arguments.len() > Self::MAX_LENGTH {
            return Err(Error::validation(format!(
                "arguments: {} bytes long; up to {} are allowed",
                arguments.len(),
                Self::MAX_LENGTH
            )));
        }
        match arguments
            .bytes()
            .position(|byte| !(b' '..=b'~').contains(&byte))
        {
            Some(at) => Err(Error::validation(format!(
                "arguments: byte 0x{:02x} at position {at} is not allowed; allowed are the \
                 printable ASCII characters and the space",
                arguments.as_bytes()[at]
            ))),
            None => Ok(Self(arguments)),
        }
    }

    pub(crate) fn as_str(&self) -> &'a str {
        self.0
    }

    /// Whether the server answers with one STAT line and no END, as memcached 1.6.18 does.
    fn has_one_line(&self) -> bool {
        let command = self.0.split(' ').find(|word| !word.is_empty());
        matches!(command, Some("sizes_enable" | "sizes_disable"))
    }
}

/// What a decoder makes of the bytes received so far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step<'b> {
    /// Not enough for a decision.
    NeedMore,
    /// A line, `used` bytes long with its end.
    Line { used: usize, reply: Reply<'b> },
    /// The line before a value, `used` bytes long. The caller takes `header.length` bytes wherever it
    /// wants them, and then goes on with the bytes after those.
    Value { used: usize, header: ValueHeader },
}

/// A line of a reply.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply<'b> {
    Status(Status),
    /// One line of `stats`: `STAT name value`, `ITEM ..`, `PREFIX ..`.
    Stat {
        name: &'b [u8],
        value: &'b [u8],
    },
    Refused(Refused<'b>),
}

/// A reply that is one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Stored,
    Deleted,
    NotFound,
    /// The end of what came before; of nothing, when a key was not there.
    End,
    Ok,
    Reset,
    /// `VERSION` and which.
    Version,
}

/// What is said about a value before it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ValueHeader {
    pub(crate) flags: u32,
    pub(crate) length: usize,
}

/// An error line of the server, as it came, without its line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused<'b> {
    pub(crate) line: &'b [u8],
    /// The request itself was wrong (`CLIENT_ERROR`, `ERROR`), and not the server in trouble.
    pub(crate) by_grammar: bool,
}

impl Refused<'_> {
    /// memcached sends this to a new connection over its `-c` limit and closes it.
    pub(crate) const TOO_MANY_CONNECTIONS: &'static [u8] = b"ERROR Too many open connections";

    pub(crate) fn is_too_many_connections(&self) -> bool {
        self.line == Self::TOO_MANY_CONNECTIONS
    }
}

/// Why the bytes received are not a reply to the request that was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("a line of over {} bytes", text::MAX_LINE)]
    LongLine,
    #[error("unexpected reply {0}")]
    Unexpected(Excerpt),
    #[error("a value for a key that was not asked for")]
    WrongKey,
    #[error("a value of {length} bytes; the configured maximum is {max}")]
    TooLarge { length: u64, max: usize },
    #[error("no line end after a value")]
    Unterminated,
    #[error("a reply to stats of over {0} bytes")]
    TooManyStats(usize),
}

impl From<Malformed> for Error {
    fn from(malformed: Malformed) -> Self {
        Self::new(
            Kind::Protocol,
            format!("the server broke the protocol: {malformed}"),
        )
    }
}

/// The start of what a server sent, for messages: escaped, and cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Excerpt(String);

impl Excerpt {
    const MAX: usize = 128;

    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut text = String::new();
        for byte in bytes {
            let escaped = byte.escape_ascii();
            if text.len() + escaped.len() > Self::MAX {
                text.push_str("...");
                break;
            }
            text.extend(escaped.map(char::from));
        }
        Self(text)
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}
