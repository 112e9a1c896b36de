use crate::error::{Error, Kind};
use crate::protocol::{
    self, Counter, Details, Excerpt, Part, Refused, SetReply, Status, ValueHeader,
};
use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;

/// Takes the replies to the commands that a [`Driver`](super::Driver) runs, by their places among them.
pub trait Replies {
    /// What came of the command at `index`, counted from 0. Each has one.
    fn reply(&mut self, index: usize, reply: Reply<'_>);

    /// A line of the reply to the command at `index`, before the end of it, which is
    /// [`Reply::Done`]. It answers [`ControlFlow::Break`] if it takes no more: over 128 MiB of lines in
    /// all fail the command.
    fn line(&mut self, index: usize, line: Line<'_>) -> ControlFlow<()>;
}

/// What came of a command. [`Command::name`](super::Command::name) has what each may come to.
///
/// `Display` and `Debug` say what it is, and show no values.
#[derive(Clone)]
#[non_exhaustive]
pub enum Reply<'a> {
    /// The item that was asked for.
    Value(Value<'a>),
    /// It is stored.
    Stored,
    /// It is not: the condition of `add`, `replace`, `append` or `prepend` does not hold.
    NotStored,
    /// The item has another cas id by now.
    Exists,
    /// The key is not there.
    NotFound,
    /// The item is gone.
    Deleted,
    /// The item has its new expiry.
    Touched,
    /// Done; the end of a reply of lines.
    Done,
    /// What the counter counts now.
    Number(u64),
    /// The version of the server.
    Version(Cow<'a, str>),
    /// The server answered with this line, in place of what it was asked for: `ERROR`,
    /// `CLIENT_ERROR ..`, `SERVER_ERROR ..`, without a line end. The call fails with a
    /// [server error](Error::is_server).
    Refused(Cow<'a, [u8]>),
    /// It failed on the way. [`Error::of_io`] makes such an error, and
    /// [`Error::ambiguous`] says of a write that it may have taken effect.
    Failed(Error),
    /// What only the built-in driver gives, for a meta command.
    Meta(MetaReply),
}

/// An item that a command asked for.
///
/// `Debug` gives the flags and the length of the data, which may be secret.
#[derive(Clone)]
pub struct Value<'a> {
    pub(super) flags: u32,
    pub(super) data: Cow<'a, [u8]>,
    pub(super) cas: Option<u64>,
    /// What a meta command asked for besides.
    pub(super) details: Details,
}

impl<'a> Value<'a> {
    /// A value without a cas id.
    #[must_use]
    pub fn new(flags: u32, data: impl Into<Cow<'a, [u8]>>) -> Self {
        Self {
            flags,
            data: data.into(),
            cas: None,
            details: Details::default(),
        }
    }

    /// With the cas id, which a command may [want](super::Command::wants_cas).
    #[must_use]
    pub fn with_cas(self, cas: u64) -> Self {
        let cas = Some(cas);
        Self { cas, ..self }
    }

    /// The same with other data: for a driver that changes what it passes on.
    #[must_use]
    pub fn with_data<'b>(self, data: impl Into<Cow<'b, [u8]>>) -> Value<'b> {
        Value {
            data: data.into(),
            ..self
        }
    }

    /// The flags.
    #[must_use]
    pub fn flags(&self) -> u32 {
        self.flags
    }

    /// The data, as it is stored.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The cas id, if there is one.
    #[must_use]
    pub fn cas(&self) -> Option<u64> {
        self.cas
    }

    pub(super) fn header(&self) -> ValueHeader {
        ValueHeader {
            flags: self.flags,
            length: self.data.len(),
            cas: self.cas,
            details: self.details,
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value")
            .field("flags", &self.flags)
            .field("length", &self.data.len())
            .field("cas", &self.cas)
            .finish_non_exhaustive()
    }
}

/// What the built-in driver gives for a meta command, to be passed on as it is.
#[derive(Debug, Clone, Copy)]
pub struct MetaReply(pub(super) Meta);

#[derive(Debug, Clone, Copy)]
pub(super) enum Meta {
    Counter(Counter),
    /// Stored, with this cas id now.
    Cas(u64),
    /// What came of a set that asks for the size.
    Set(SetReply),
}

/// A line of a reply of many.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Line<'a> {
    /// One of `stats`: `STAT name value`.
    #[non_exhaustive]
    Stat {
        /// What it is about.
        name: &'a [u8],
        /// The rest of the line.
        value: &'a [u8],
    },
    /// One of `metadump`: `key=.. exp=..`; of a raw command; and the line that answers an `mg` with
    /// raw flags.
    Item(&'a [u8]),
}

impl<'a> Line<'a> {
    /// A statistic.
    #[must_use]
    pub fn stat(name: &'a [u8], value: &'a [u8]) -> Self {
        Self::Stat { name, value }
    }
}

impl<'a> From<Part<'a>> for Line<'a> {
    fn from(part: Part<'a>) -> Self {
        match part {
            Part::Stat { name, value } => Self::Stat { name, value },
            Part::Item(line) => Self::Item(line),
        }
    }
}

impl Reply<'_> {
    /// A driver that has no such command; nothing was sent.
    #[must_use]
    pub fn unsupported() -> Self {
        Self::Failed(Error::new(
            Kind::Unsupported,
            "the driver has no such command; nothing was sent",
        ))
    }

    /// The same, with nothing borrowed.
    #[must_use]
    pub fn into_owned(self) -> Reply<'static> {
        match self {
            Self::Value(value) => Reply::Value(Value {
                data: Cow::Owned(value.data.into_owned()),
                ..value
            }),
            Self::Stored => Reply::Stored,
            Self::NotStored => Reply::NotStored,
            Self::Exists => Reply::Exists,
            Self::NotFound => Reply::NotFound,
            Self::Deleted => Reply::Deleted,
            Self::Touched => Reply::Touched,
            Self::Done => Reply::Done,
            Self::Number(number) => Reply::Number(number),
            Self::Version(version) => Reply::Version(Cow::Owned(version.into_owned())),
            Self::Refused(line) => Reply::Refused(Cow::Owned(line.into_owned())),
            Self::Failed(error) => Reply::Failed(error),
            Self::Meta(meta) => Reply::Meta(meta),
        }
    }

    /// The same as it comes from a connection, unless it is a value or a failure.
    pub(super) fn as_received(&self) -> Option<protocol::Reply<'_>> {
        use protocol::Reply as Received;

        Some(match self {
            Self::Value(_) | Self::Failed(_) => return None,
            Self::Stored => Received::Status(Status::Stored),
            Self::NotStored => Received::Status(Status::NotStored),
            Self::Exists => Received::Status(Status::Exists),
            Self::NotFound => Received::Status(Status::NotFound),
            Self::Deleted => Received::Status(Status::Deleted),
            Self::Touched => Received::Status(Status::Touched),
            Self::Done => Received::Status(Status::Ok),
            Self::Number(number) => Received::Number(*number),
            Self::Version(version) => Received::Version(version.as_bytes()),
            Self::Refused(line) => Received::Refused(Refused {
                line,
                by_grammar: !line.starts_with(b"SERVER_ERROR"),
            }),
            Self::Meta(MetaReply(Meta::Counter(counter))) => Received::Counter(*counter),
            Self::Meta(MetaReply(Meta::Cas(id))) => Received::Cas(*id),
            Self::Meta(MetaReply(Meta::Set(set))) => Received::Set(*set),
        })
    }
}

impl<'a> From<protocol::Reply<'a>> for Reply<'a> {
    fn from(received: protocol::Reply<'a>) -> Self {
        use protocol::Reply as Received;

        match received {
            // A hit comes as a value, not as a reply.
            Received::Hit | Received::Status(Status::Ok | Status::Reset) => Self::Done,
            Received::Status(Status::Stored) => Self::Stored,
            Received::Status(Status::NotStored) => Self::NotStored,
            Received::Status(Status::Exists) => Self::Exists,
            Received::Status(Status::NotFound) => Self::NotFound,
            Received::Status(Status::Deleted) => Self::Deleted,
            Received::Status(Status::Touched) => Self::Touched,
            Received::Number(number) => Self::Number(number),
            Received::Version(version) => Self::Version(String::from_utf8_lossy(version)),
            Received::Refused(refused) => Self::Refused(Cow::Borrowed(refused.line)),
            Received::Counter(counter) => Self::Meta(MetaReply(Meta::Counter(counter))),
            Received::Cas(id) => Self::Meta(MetaReply(Meta::Cas(id))),
            Received::Set(set) => Self::Meta(MetaReply(Meta::Set(set))),
        }
    }
}

impl fmt::Display for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Value(value) => return write!(f, "a value of {} bytes", value.data.len()),
            Self::Version(version) => return write!(f, "version {version}"),
            Self::Refused(line) => return write!(f, "refused: {}", Excerpt::new(line)),
            Self::Failed(error) => return write!(f, "failed: {error}"),
            Self::Stored => "stored",
            Self::NotStored => "not stored",
            Self::Exists => "exists, with another cas id",
            Self::NotFound => "not found",
            Self::Deleted => "deleted",
            Self::Touched => "touched",
            Self::Done => "done",
            Self::Number(_) => "a number",
            Self::Meta(MetaReply(Meta::Counter(_))) => "a counter",
            Self::Meta(MetaReply(Meta::Cas(_))) => "stored, with a cas id",
            Self::Meta(MetaReply(Meta::Set(_))) => "stored or not, with the size",
        };
        f.write_str(text)
    }
}

impl fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({self})")
    }
}
