use std::time::Duration;

/// Something for a [`Proxy`](super::Proxy) to do wrong.
///
/// A reply is all that the server answers to one request, the values of a whole `get` line included;
/// of quiet requests (meta `q`, binary `GETQ` and so on), all that comes up to the fence behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    // A bad network. The server is right, and its bytes come in order or not at all.
    /// The reply comes this much later.
    Delay(Duration),
    /// The request reaches the server this much later, even if the client is gone by then: so a
    /// write may be applied after it was given up.
    DelayRequest(Duration),
    /// The reply comes one byte at a time, with this pause before each.
    Drip(Duration),
    /// The reply comes in pieces of these lengths, a moment apart, and then the rest.
    Chunks(Vec<usize>),
    /// So many bytes of the reply come, and then the connection is closed: 0 is before the reply,
    /// `usize::MAX` after all of it. The server has carried the request out.
    Cut { after: usize },
    /// The same with a reset (RST). The client may lose bytes that it has received.
    Reset { after: usize },
    /// The connection is closed, and the server never sees the request.
    Hangup,
    /// So many bytes of the reply come, and then nothing any more; the connection stays open.
    Stall { after: usize },
    /// The server never sees the request, nor anything that comes after it; the connection stays open.
    SwallowRequest,
    /// The server carries the request out, and nothing comes back any more; the connection stays open.
    SwallowReply,
    /// After the reply the server is gone for so long: connections are refused, and those that there
    /// are, are closed.
    Refuse(Duration),

    // The same, of the next connection.
    /// It is accepted and closed at once.
    AcceptAndClose,
    /// It is told `ERROR Too many open connections` and closed, as memcached does beyond `-c`.
    TooManyConnections,
    /// It is accepted, and nothing that is sent on it goes anywhere.
    Mute,

    // A server that lies. The request was carried out.
    /// In place of the reply comes an earlier one of the same connection. Like the next, only one
    /// that cannot be taken for the right reply: it names another key or request, or is none that
    /// such a request can have.
    ReplayOwn,
    /// In place of the reply comes an earlier one of another connection.
    ReplayOther,
    /// A value is said to be that of another key; in binary, of a key that nobody asked to be told.
    ForgedKey,
    /// A reply is said to be to another request: meta, binary.
    ForgedOpaque,
    /// A reply is said to be to another command: binary.
    ForgedCommand,
    /// A value comes twice; in meta and binary any reply.
    Doubled,
    /// There is no line end after a value: text, meta.
    NoLineEnd,
    /// The last byte of a value is missing: text, meta. (In binary, nothing tells that.)
    Truncated,
    /// A value is said to have this length.
    BadLength(Length),
    /// In place of the reply comes a line that does not end.
    EndlessLine,
    /// These bytes come in place of the reply.
    Garbage(Vec<u8>),
    /// These bytes come right after the reply.
    Surplus(Vec<u8>),
    /// These bytes come when the connection has idled for some milliseconds after the reply.
    Stray(Vec<u8>),
}

/// What a server may say that the length of a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// One byte less than a gigabyte: allowed by default, and never sent.
    Gigabyte,
    /// More than any client takes: 4 GiB less a byte.
    Huge,
    /// `-1`; in binary, the extras are longer than the body.
    Negative,
    /// `1e3`; in binary as `Negative`.
    NotANumber,
    /// `18446744073709551617`, that is 2^64 + 1; in binary as `Huge`.
    Overflow,
}

impl Length {
    pub const ALL: [Self; 5] = [
        Self::Gigabyte,
        Self::Huge,
        Self::Negative,
        Self::NotANumber,
        Self::Overflow,
    ];
}

impl Fault {
    /// What it is counted as.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Delay(_) => "delay",
            Self::DelayRequest(_) => "delayed request",
            Self::Drip(_) => "drip",
            Self::Chunks(_) => "chunks",
            Self::Cut { .. } => "cut",
            Self::Reset { .. } => "reset",
            Self::Hangup => "hangup",
            Self::Stall { .. } => "stall",
            Self::SwallowRequest => "swallowed request",
            Self::SwallowReply => "swallowed reply",
            Self::Refuse(_) => "refused for a while",
            Self::AcceptAndClose => "accepted and closed",
            Self::TooManyConnections => "too many connections",
            Self::Mute => "mute connection",
            Self::ReplayOwn => "replay",
            Self::ReplayOther => "replay of another connection",
            Self::ForgedKey => "forged key",
            Self::ForgedOpaque => "forged opaque",
            Self::ForgedCommand => "forged command",
            Self::Doubled => "doubled",
            Self::NoLineEnd => "no line end",
            Self::Truncated => "truncated",
            Self::BadLength(_) => "bad length",
            Self::EndlessLine => "endless line",
            Self::Garbage(_) => "garbage",
            Self::Surplus(_) => "surplus",
            Self::Stray(_) => "stray bytes",
        }
    }

    /// Whether it happens to a connection, and not to a reply.
    pub(super) fn is_of_connection(&self) -> bool {
        matches!(
            self,
            Self::AcceptAndClose | Self::TooManyConnections | Self::Mute
        )
    }
}
