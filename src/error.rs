//! The one error type of the crate.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

/// What every fallible call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed: what was being done, on which server, and the reason.
///
/// `Display` gives the operation, the server and the reason on one line; the cause, where there is
/// one, is only in [`source`](StdError::source), and in what `{error:#}` gives.
///
/// Neither shows keys or values, with two exceptions: a reply that breaks the protocol is quoted,
/// escaped and cut to 128 bytes, whatever it is; and so is what a `Serialize` or `Deserialize` of
/// your own says, cut to 200 characters.
///
/// The predicates tell what to do about it. They do not exclude each other: a connect that timed
/// out is both [`is_connect`](Self::is_connect) and [`is_timeout`](Self::is_timeout).
///
/// ```
/// use moecache::Client;
///
/// let client = Client::new("127.0.0.1:11211")?;
/// let error = client.get::<String>("not a key").unwrap_err();
/// assert!(error.is_validation());
/// assert_eq!(
///     error.to_string(),
///     "get: key: byte 0x20 at position 3 is not allowed; allowed are the printable ASCII \
///      characters 0x21 to 0x7e"
/// );
/// # Ok::<(), moecache::Error>(())
/// ```
#[derive(Clone)]
pub struct Error(Box<Failure>);

#[derive(Clone)]
struct Failure {
    kind: Kind,
    reason: String,
    operation: Option<&'static str>,
    server: Option<String>,
    ambiguous: bool,
    /// Shared, so that one failure can be that of many keys.
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What kind of failure an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Validation,
    Server,
    Protocol,
    Connect,
    Io,
    Timeout,
    ConnectTimeout,
    Down,
    Encode,
    Decode,
    Unsupported,
    Conflict,
    Authentication,
}

impl Error {
    pub(crate) fn new(kind: Kind, reason: impl Into<String>) -> Self {
        Self(Box::new(Failure {
            kind,
            reason: reason.into(),
            operation: None,
            server: None,
            ambiguous: false,
            source: None,
        }))
    }

    /// A [validation error](Self::is_validation), for a program's own
    /// [locator](crate::ClientBuilder::locator): what is wrong, and what is allowed.
    pub fn validation(reason: impl Into<String>) -> Self {
        Self::new(Kind::Validation, reason)
    }

    /// An [encode error](Self::is_encode), for a program's own
    /// [`Transcoder`](crate::value::Transcoder): why it cannot store a value. It must not show the
    /// value.
    pub fn encode(reason: impl Into<String>) -> Self {
        Self::new(Kind::Encode, reason)
    }

    /// A [decode error](Self::is_decode), for a program's own
    /// [`Transcoder`](crate::value::Transcoder): why an item is no value. It must not show the data.
    pub fn decode(reason: impl Into<String>) -> Self {
        Self::new(Kind::Decode, reason)
    }

    /// The error of [middleware](crate::middleware) that stands in the place of a server and failed: by the kind
    /// of `source` a [connect error](Self::is_connect) (`ConnectionRefused`, `NotConnected`,
    /// `HostUnreachable`, `NetworkUnreachable`, `AddrNotAvailable`), a [timeout](Self::is_timeout)
    /// (`TimedOut`, `WouldBlock`), a [protocol error](Self::is_protocol) (`InvalidData`), or else an
    /// [io error](Self::is_io).
    #[must_use]
    pub fn of_io(source: io::Error) -> Self {
        let (kind, reason) = match source.kind() {
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::NotConnected
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::AddrNotAvailable => (Kind::Connect, "cannot connect"),
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
                (Kind::Timeout, "there was no answer in time")
            }
            io::ErrorKind::InvalidData => (Kind::Protocol, "the server broke the protocol"),
            _ => (Kind::Io, "the connection failed"),
        };
        Self::new(kind, reason).caused_by(source)
    }

    pub(crate) fn kind(&self) -> Kind {
        self.0.kind
    }

    pub(crate) fn caused_by(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// Says more behind the reason.
    pub(crate) fn and(mut self, hint: &str) -> Self {
        self.0.reason.push_str(hint);
        self
    }

    /// Names the operation, unless an inner layer already did.
    pub(crate) fn during(mut self, operation: &'static str) -> Self {
        self.0.operation.get_or_insert(operation);
        self
    }

    /// Names the operation, in place of the one that it is made of.
    pub(crate) fn of(mut self, operation: &'static str) -> Self {
        self.0.operation = Some(operation);
        self
    }

    pub(crate) fn on(mut self, server: &str) -> Self {
        self.0.server.get_or_insert_with(|| server.to_owned());
        self
    }

    /// The same of a write that may have taken effect: see [`is_ambiguous`](Self::is_ambiguous). For
    /// [middleware](crate::middleware) that stands in the place of a server.
    #[must_use]
    pub fn ambiguous(mut self) -> Self {
        self.0.ambiguous = true;
        self
    }

    /// The server that the failed call was for, as in [`Client::servers`](crate::Client::servers).
    /// `None` where no server was involved, as for a bad key.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.0.server.as_deref()
    }

    /// The operation that failed: `"get"`, `"set"`, `"stats"` and so on.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        self.0.operation
    }

    /// The caller passed something that is not allowed: a key, an expiry, a value over the
    /// configured maximum, a server list. Nothing was sent.
    #[must_use]
    pub fn is_validation(&self) -> bool {
        self.0.kind == Kind::Validation
    }

    /// The server understood the request and answered with an error of its own: `SERVER_ERROR`,
    /// `CLIENT_ERROR` or `ERROR`. It did not do what it was asked for; but a `set` that it refuses
    /// because the value is too large has removed the key's old value.
    #[must_use]
    pub fn is_server(&self) -> bool {
        self.0.kind == Kind::Server
    }

    /// The server broke the protocol: what answers is not memcached, or something between it and
    /// this client changed the bytes. The connection was closed.
    #[must_use]
    pub fn is_protocol(&self) -> bool {
        self.0.kind == Kind::Protocol
    }

    /// No connection could be made: refused, unreachable, no such host, too many open connections,
    /// or the time for it ran out. Nothing was sent; unless the call had first tried a pooled
    /// connection that turned out to be dead, and then a write is
    /// [ambiguous](Self::is_ambiguous).
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(
            self.0.kind,
            Kind::Connect | Kind::ConnectTimeout | Kind::Down
        )
    }

    /// The server's circuit breaker is open: the server failed before, and this call did not try it. The
    /// first that comes after a back-off of 10 ms to [`max_back_off`](crate::ClientBuilder::max_back_off) will. The source is how it failed.
    /// This is a [connect error](Self::is_connect), too.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.0.kind == Kind::Down
    }

    /// Whether the server failed, or the way to it: what a
    /// [failure policy](crate::FailurePolicy) is about.
    pub(crate) fn is_of_failing_server(&self) -> bool {
        let is_protocol = self.is_protocol();
        is_protocol || self.is_connect() || self.is_io() || self.is_timeout()
    }

    /// The deadline passed, while connecting or while waiting for the reply.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, Kind::Timeout | Kind::ConnectTimeout)
    }

    /// The connection failed: it was refused, reset or closed.
    #[must_use]
    pub fn is_io(&self) -> bool {
        matches!(self.0.kind, Kind::Connect | Kind::Io)
    }

    /// The value cannot be stored: its `Serialize` failed, or it cannot be represented in
    /// the stored format. Nothing was
    /// sent.
    #[must_use]
    pub fn is_encode(&self) -> bool {
        self.0.kind == Kind::Encode
    }

    /// The item was received, but it is not what was asked for: another type, another client's
    /// format, or damaged. [`Client::get`](crate::Client::get) of an [`Item`](crate::Item) gives it as it is.
    #[must_use]
    pub fn is_decode(&self) -> bool {
        self.0.kind == Kind::Decode
    }

    /// The protocol that is spoken to the server has no such command: see
    /// [`Protocol`](crate::Protocol). Nothing was sent.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        self.0.kind == Kind::Unsupported
    }

    /// The server did not let the client in: it refused the user name and the password, or wants them
    /// and was given none, or knows no such thing; see
    /// [`ClientBuilder::credentials`](crate::ClientBuilder::credentials). It did nothing. Nothing is
    /// tried again: the next call will fail in the same way.
    #[must_use]
    pub fn is_authentication(&self) -> bool {
        self.0.kind == Kind::Authentication
    }

    /// Others changed the same item, again and again. Nothing was stored.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.0.kind == Kind::Conflict
    }

    /// The request was sent, or a part of it, and whether it took effect is not known. Only writes are
    /// ambiguous.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.0.ambiguous
    }

    /// The same call may succeed later, and repeating it cannot apply it twice: a connection
    /// problem or a timeout that is not [ambiguous](Self::is_ambiguous), or a
    /// [conflict](Self::is_conflict).
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        let passes = self.is_connect() || self.is_io() || self.is_timeout() || self.is_conflict();
        passes && !self.is_ambiguous()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure {
            reason,
            operation,
            server,
            ambiguous,
            ..
        } = &*self.0;
        match (operation, server) {
            (Some(operation), Some(server)) => write!(f, "{operation} on {server}: ")?,
            (Some(operation), None) => write!(f, "{operation}: ")?,
            (None, Some(server)) => write!(f, "{server}: ")?,
            (None, None) => {}
        }
        f.write_str(reason)?;
        if *ambiguous {
            f.write_str("; the request was sent, and whether it took effect is not known")?;
        }
        if f.alternate() {
            let mut cause = self.source();
            while let Some(error) = cause {
                write!(f, ": {error}")?;
                cause = error.source();
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Taken apart by name, so that no field can be forgotten.
        let Failure {
            kind,
            reason,
            operation,
            server,
            ambiguous,
            source,
        } = &*self.0;
        f.debug_struct("Error")
            .field("kind", kind)
            .field("reason", reason)
            .field("operation", operation)
            .field("server", server)
            .field("ambiguous", ambiguous)
            .field("source", source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

/// For functions that return [`io::Result`]. The kind is that of the cause where that is an
/// `io::Error` (`ConnectionRefused`, `UnexpectedEof`); otherwise `InvalidInput` for validation and
/// encode errors, `InvalidData` for protocol and decode errors, `TimedOut`, `NotConnected`,
/// `Unsupported`, `PermissionDenied` where the server did not let the client in, and `Other` for an
/// error of the server and a conflict. [`io::Error::downcast`] gives the `Error` back.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let cause = error
            .0
            .source
            .as_ref()
            .and_then(|cause| cause.downcast_ref::<Self>());
        let kind = match (error.0.kind, cause) {
            (_, Some(cause)) => cause.kind(),
            (Kind::Validation | Kind::Encode, None) => io::ErrorKind::InvalidInput,
            (Kind::Protocol | Kind::Decode, None) => io::ErrorKind::InvalidData,
            (Kind::Timeout | Kind::ConnectTimeout, None) => io::ErrorKind::TimedOut,
            (Kind::Connect | Kind::Down | Kind::Io, None) => io::ErrorKind::NotConnected,
            (Kind::Authentication, None) => io::ErrorKind::PermissionDenied,
            (Kind::Unsupported, None) => io::ErrorKind::Unsupported,
            (Kind::Server | Kind::Conflict, None) => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
