use crate::error::{Error, Kind};
use std::fmt;

/// What a decoder makes of the bytes received so far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step<'b> {
    /// Not enough for a decision.
    NeedMore,
    /// `used` bytes that say nothing about any request: a fence.
    Skip { used: usize },
    /// A part of the reply to the request under way, `used` bytes long.
    Part { used: usize, part: Part<'b> },
    /// What comes before a value, `used` bytes long. The caller takes `header.length` bytes wherever
    /// it wants them, and then goes on with the bytes after those.
    Value {
        used: usize,
        index: usize,
        header: ValueHeader,
    },
    /// The same, with all of the value there already, and what ends it: `length` bytes after `used`,
    /// and then `tail` bytes. The reply is complete.
    Whole {
        used: usize,
        index: usize,
        header: ValueHeader,
        tail: usize,
    },
    /// The reply to request `index` is complete with these `used` bytes: none, where it follows from
    /// what came for another.
    Reply {
        used: usize,
        index: usize,
        reply: Reply<'b>,
    },
    /// Request `index` gets the [error](super::Decoder::line_error) that came for its line.
    LineError { used: usize, index: usize },
}

/// A line of a reply of many lines.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part<'b> {
    /// One of `stats`: `STAT name value`, `ITEM ..`, `PREFIX ..`.
    Stat { name: &'b [u8], value: &'b [u8] },
    /// One of `lru_crawler metadump`: `key=.. exp=..`; one of what a raw command comes to; and the
    /// line that answers an `mg` with flags of the program's own.
    Item(&'b [u8]),
}

/// The reply to a request, in any protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply<'b> {
    /// The value that came before.
    Hit,
    Status(Status),
    /// What a counter counts now.
    Number(u64),
    /// The same, with what else was asked for.
    Counter(Counter),
    /// Stored, and this is the item's cas id now.
    Cas(u64),
    /// What came of a set that asks for the size.
    Set(SetReply),
    Version(&'b [u8]),
    Refused(Refused<'b>),
}

/// A reply that is one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Stored,
    /// The condition of add, replace, append or prepend does not hold.
    NotStored,
    /// The item has another cas id by now.
    Exists,
    NotFound,
    Deleted,
    Touched,
    /// Done; the end of a reply of many lines.
    Ok,
    Reset,
}

/// What is said about a value before it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ValueHeader {
    pub(crate) flags: u32,
    pub(crate) length: usize,
    pub(crate) cas: Option<u64>,
    pub(crate) details: Details,
}

/// What the meta protocol says about an item besides. What was not asked for is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "what the server says")]
pub(crate) struct Details {
    /// Seconds; `None` where it does not expire, too.
    pub(crate) ttl: Option<u32>,
    /// Seconds ago.
    pub(crate) last_access: u32,
    pub(crate) size: u32,
    pub(crate) hit_before: Option<bool>,
    /// To this client it falls to compute the value.
    pub(crate) won: bool,
    pub(crate) stale: bool,
    pub(crate) already_won: bool,
    /// The value did not come: the item has the cas id that it is not wanted with.
    pub(crate) is_left_out: bool,
}

/// What came of a set that asks for the size. What was not asked for is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SetReply {
    pub(crate) status: Status,
    pub(crate) cas: Option<u64>,
    /// `None` from a server that does not know the flag, too.
    pub(crate) size: Option<u32>,
}

/// A counter. What was not asked for is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counter {
    pub(crate) number: u64,
    pub(crate) cas: Option<u64>,
    /// Seconds; `None` where it does not expire, too.
    pub(crate) ttl: Option<u32>,
}

/// An error line of the server, as it came, without its line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused<'b> {
    pub(crate) line: &'b [u8],
    /// The request itself was wrong (`CLIENT_ERROR`, `ERROR`), and not the server in trouble.
    pub(crate) by_grammar: bool,
}

impl Refused<'_> {
    /// Whether the server wants to know first who the client is: what memcached answers then, in text
    /// to a line and to a `set`, and in binary.
    pub(crate) fn wants_credentials(line: &[u8]) -> bool {
        const WANTS: [&[u8]; 5] = [
            b"CLIENT_ERROR unauthenticated",
            b"CLIENT_ERROR bad authentication token format",
            b"CLIENT_ERROR authentication failure",
            b"Auth failure.",
            b"Authentication failure",
        ];
        WANTS.contains(&line)
    }

    /// memcached sends this to a new connection over its `-c` limit and closes it.
    pub(crate) const TOO_MANY_CONNECTIONS: &'static [u8] = b"ERROR Too many open connections\r\n";
}

/// Why the bytes received are not a reply to the request that was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("a line of over {max} bytes, the configured maximum")]
    LongLine { max: usize },
    #[error("unexpected reply {0}")]
    Unexpected(Excerpt),
    #[error("a value for a key that was not asked for")]
    WrongKey,
    #[error("a reply to a request that is not under way")]
    WrongOpaque,
    #[error("a value of {length} bytes; the configured maximum is {max}")]
    TooLarge { length: u64, max: usize },
    #[error("more than the reply to the first request")]
    Surplus,
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
