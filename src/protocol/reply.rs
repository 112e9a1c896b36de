use crate::error::{Error, Kind};
use std::borrow::Cow;
use std::fmt;

/// What a decoder makes of the bytes received so far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step<'b> {
    /// Not enough for a decision.
    NeedMore,
    /// `used` bytes that say nothing about any request: a fence.
    Skip { used: usize },
    /// A part of the reply to the request under way, `used` bytes long.
    Part { used: usize, part: Line<'b> },
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
    /// The value of request `index` has ended, with these `used` bytes: the reply is complete.
    EndOfValue { used: usize, index: usize },
    /// Request `index` gets the [error](super::Decoder::line_error) that came for its line.
    LineError { used: usize, index: usize },
}

/// The reply to a [command](crate::middleware::Command), as the server gave it in any protocol.
///
/// `Display` says what it is, and neither it nor `Debug` shows a value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply<'b> {
    /// The item that was asked for.
    Hit(Hit<'b>),
    /// One of the protocol's words.
    Status(Status),
    /// The new value of a counter.
    Number(u64),
    /// The same with what a meta command asked for besides.
    Counter(Counter),
    /// Stored; this is the item's new cas id.
    Cas(u64),
    /// The outcome of an `ms` that asks for the size.
    Set(SetReply),
    /// The version of the server.
    Version(Cow<'b, [u8]>),
    /// An error line of the server.
    Refused(Refused<'b>),
    /// Several lines: [`Reply::lines`] makes such a reply.
    Lines(Box<Lines<'b>>),
}

/// The lines of a reply, and in the built-in client the item that came after them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lines<'b> {
    /// The lines, in their order.
    pub lines: Vec<Line<'b>>,
    /// Of an `mg` with flags of the program's own.
    pub(crate) hit: Option<Hit<'b>>,
}

/// An item that was found: a cache hit.
///
/// `Debug` gives the flags and the length of the data, which may be secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hit<'b> {
    /// What the client that stored the item says about its data.
    pub flags: u32,
    /// The data, as it is stored.
    pub data: Cow<'b, [u8]>,
    /// The cas id, where it was [asked for](crate::middleware::Command::wants_cas).
    pub cas: Option<u64>,
    pub(crate) details: Details,
}

/// A reply that is one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Stored.
    Stored,
    /// Not stored: the condition of `add`, `replace`, `append` or `prepend` does not hold.
    NotStored,
    /// Not done: the item has another cas id by now.
    Exists,
    /// The key was not found.
    NotFound,
    /// Deleted.
    Deleted,
    /// The item has its new expiry.
    Touched,
    /// Done; the end of a list of lines.
    Ok,
    /// The statistics are 0 again.
    Reset,
}

/// A line of a reply that has several.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Line<'b> {
    /// One of `stats`: `STAT name value`, `ITEM ..`, `PREFIX ..`.
    Stat {
        /// The name of the statistic.
        name: Cow<'b, [u8]>,
        /// The rest of the line.
        value: Cow<'b, [u8]>,
    },
    /// One of `lru_crawler metadump`: `key=.. exp=..`; one of the reply to a raw command; and the line
    /// that answers an `mg` with flags of the program's own.
    Item(Cow<'b, [u8]>),
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

/// The outcome of an `ms` that asks for the size of the item: for the built-in client to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetReply {
    pub(crate) status: Status,
    /// `None` if it was not asked for.
    pub(crate) cas: Option<u64>,
    /// `None` if it was not asked for, and from a server that does not know the flag.
    pub(crate) size: Option<u32>,
}

/// A counter with what an `ma` asked for besides: for the built-in client to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    pub(crate) number: u64,
    /// `None` if it was not asked for.
    pub(crate) cas: Option<u64>,
    /// Seconds; `None` if it was not asked for, and where the counter does not expire.
    pub(crate) ttl: Option<u32>,
}

/// An error line of the server, as it came, without its line end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused<'b> {
    /// `ERROR`, `CLIENT_ERROR ..` or `SERVER_ERROR ..`; in the binary protocol the text alone.
    pub line: Cow<'b, [u8]>,
    /// The request itself was wrong (`CLIENT_ERROR`, `ERROR`), and not the server in trouble.
    pub(crate) by_grammar: bool,
}

impl Refused<'_> {
    /// Whether the server wants to know first who the client is: what memcached answers then, in text
    /// to a line and to a `set`, and in binary.
    pub(crate) fn wants_credentials(&self) -> bool {
        const WANTS: [&[u8]; 5] = [
            b"CLIENT_ERROR unauthenticated",
            b"CLIENT_ERROR bad authentication token format",
            b"CLIENT_ERROR authentication failure",
            b"Auth failure.",
            b"Authentication failure",
        ];
        WANTS.contains(&&*self.line)
    }

    /// memcached sends this to a new connection over its `-c` limit and closes it.
    pub(crate) const TOO_MANY_CONNECTIONS: &'static [u8] = b"ERROR Too many open connections\r\n";
}

impl<'b> Reply<'b> {
    /// Makes the reply of a server that refuses a command: `SERVER_ERROR ..`, `CLIENT_ERROR ..` or
    /// `ERROR`, without a line end. The call fails with a [server error](Error::is_server).
    #[must_use]
    pub fn refused(line: impl Into<Cow<'b, [u8]>>) -> Self {
        let line = line.into();
        let by_grammar = !line.starts_with(b"SERVER_ERROR");
        Self::Refused(Refused { line, by_grammar })
    }

    /// Makes a list of lines, complete.
    #[must_use]
    pub fn lines(lines: impl Into<Vec<Line<'b>>>) -> Self {
        let (lines, hit) = (lines.into(), None);
        Self::Lines(Box::new(Lines { lines, hit }))
    }

    /// The same, with nothing borrowed.
    #[must_use]
    #[inline]
    pub fn into_owned(self) -> Reply<'static> {
        match self {
            Self::Hit(hit) => Reply::Hit(hit.into_owned()),
            Self::Status(status) => Reply::Status(status),
            Self::Number(number) => Reply::Number(number),
            Self::Counter(counter) => Reply::Counter(counter),
            Self::Cas(id) => Reply::Cas(id),
            Self::Set(set) => Reply::Set(set),
            Self::Version(version) => Reply::Version(owned(version)),
            Self::Refused(refused) => Reply::Refused(Refused {
                line: owned(refused.line),
                ..refused
            }),
            Self::Lines(lines) => Reply::Lines(Box::new(Lines {
                lines: lines.lines.into_iter().map(Line::into_owned).collect(),
                hit: lines.hit.map(Hit::into_owned),
            })),
        }
    }

    /// The lines, if there are any, and the reply behind them.
    pub(crate) fn split(self) -> (Vec<Line<'b>>, Self) {
        match self {
            Self::Lines(lines) => {
                let end = lines.hit.map_or(Self::Status(Status::Ok), Self::Hit);
                (lines.lines, end)
            }
            reply => (Vec::new(), reply),
        }
    }
}

fn owned(bytes: Cow<'_, [u8]>) -> Cow<'static, [u8]> {
    Cow::Owned(bytes.into_owned())
}

impl fmt::Display for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Hit(hit) => return write!(f, "a value of {} bytes", hit.data.len()),
            Self::Version(version) => return write!(f, "version {}", version.escape_ascii()),
            Self::Refused(refused) => return write!(f, "refused: {}", Excerpt::new(&refused.line)),
            Self::Lines(lines) => return write!(f, "{} lines", lines.lines.len()),
            Self::Status(Status::Stored) => "stored",
            Self::Status(Status::NotStored) => "not stored",
            Self::Status(Status::Exists) => "exists, with another cas id",
            Self::Status(Status::NotFound) => "not found",
            Self::Status(Status::Deleted) => "deleted",
            Self::Status(Status::Touched) => "touched",
            Self::Status(Status::Ok) => "done",
            Self::Status(Status::Reset) => "reset",
            Self::Number(_) => "a number",
            Self::Counter(_) => "a counter",
            Self::Cas(_) => "stored, with a cas id",
            Self::Set(_) => "stored or not, with the size",
        };
        f.write_str(text)
    }
}

impl<'b> Hit<'b> {
    /// Makes a hit without a cas id.
    #[must_use]
    pub fn new(flags: u32, data: impl Into<Cow<'b, [u8]>>) -> Self {
        Self {
            flags,
            data: data.into(),
            cas: None,
            details: Details::default(),
        }
    }

    pub(crate) fn into_owned(self) -> Hit<'static> {
        Hit {
            data: owned(self.data),
            ..self
        }
    }

    pub(crate) fn of(header: ValueHeader, data: impl Into<Cow<'b, [u8]>>) -> Self {
        Self {
            flags: header.flags,
            data: data.into(),
            cas: header.cas,
            details: header.details,
        }
    }
}

impl fmt::Debug for Hit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hit")
            .field("flags", &self.flags)
            .field("length", &self.data.len())
            .field("cas", &self.cas)
            .finish_non_exhaustive()
    }
}

impl Line<'_> {
    /// The same, with nothing borrowed.
    #[must_use]
    pub fn into_owned(self) -> Line<'static> {
        match self {
            Self::Stat { name, value } => Line::Stat {
                name: owned(name),
                value: owned(value),
            },
            Self::Item(line) => Line::Item(owned(line)),
        }
    }
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
