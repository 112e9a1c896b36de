use super::deadline::{Deadline, Expired};
use crate::error::{Error, Kind};
use crate::protocol::{Excerpt, Malformed};
use std::io::{self, ErrorKind};
use std::time::Duration;

/// Why a connection is dead, or was never made.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The host name has no address.
    Resolve(io::Error),
    /// None of the server's addresses took the connection; the last one's reason.
    Connect(io::Error),
    /// The server took the connection only to say that it has too many.
    TooManyConnections,
    /// The server refused the credentials, in these words.
    Authentication(Excerpt),
    /// It knows no such thing.
    NoAuthentication,
    ConnectTimeout(Duration),
    /// There was a connection, but no answer to what comes first on it.
    SetUpTimeout(Duration),
    /// The TLS handshake took too long.
    #[cfg_attr(
        not(feature = "tls"),
        expect(dead_code, reason = "there are no handshakes")
    )]
    HandshakeTimeout(Duration),
    Timeout,
    /// The peer closed or reset the connection.
    Lost(io::Error),
    Malformed(Malformed),
    /// All connections that the pool may have are in use, this many, and none came back in time.
    AllInUse(usize),
    /// The server takes no more connections than this many, and all were in use.
    NoneFree(usize),
    /// The server refused a storage command, and may have taken its value for further commands: what
    /// it answers next can be the reply to one of those. Or it answered several keys with an error, and
    /// nothing shows where that reply ends.
    OutOfSync,
    /// The server failed before, and is not tried yet.
    Down {
        failures: u32,
        retry_in: Duration,
        last: Option<Error>,
    },
    /// The server refused the last login, and there is no other yet.
    LoginPaused {
        retry_in: Duration,
        last: Option<Error>,
    },
    /// The connection's protocol cannot say what was asked for.
    Unsupported(Error),
}

/// What speaks against a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// It refused the connection, or there is no way to it.
    Unreachable,
    /// There was no connection in time.
    ConnectTimeout,
    /// Not one byte came from it while a call waited, on any connection.
    Silence,
    /// It closed new connections before it answered, the last one at once when it was probed.
    Dropped,
}

impl Fault {
    /// Whether the server, or the way to it, is the reason: another may answer next time.
    pub(super) fn is_of_server(&self) -> bool {
        !matches!(
            self,
            Self::AllInUse(_)
                | Self::NoneFree(_)
                | Self::Unsupported(_)
                | Self::Down { .. }
                | Self::LoginPaused { .. }
        )
    }

    /// The same, where it came between the connect and the first request.
    pub(super) fn during_set_up(self, limit: Deadline) -> Self {
        match self {
            Self::Timeout => Self::SetUpTimeout(limit.timeout()),
            fault => fault,
        }
    }

    /// Whether something was tried.
    pub(super) fn is_tried(&self) -> bool {
        !matches!(
            self,
            Self::Down { .. } | Self::LoginPaused { .. } | Self::Unsupported(_)
        )
    }

    /// What it says about the server, if nothing came from that meanwhile. A lost connection says nothing:
    /// idle connections are closed, and so are those on which a server or a proxy did not know the command.
    pub(super) fn evidence(&self) -> Option<Evidence> {
        match self {
            Self::Resolve(error) | Self::Connect(error) if is_local(error) => None,
            Self::Lost(error) => is_unreachable(error).then_some(Evidence::Unreachable),
            Self::Resolve(_) | Self::Connect(_) | Self::TooManyConnections => {
                Some(Evidence::Unreachable)
            }
            Self::ConnectTimeout(_) => Some(Evidence::ConnectTimeout),
            Self::HandshakeTimeout(_) | Self::SetUpTimeout(_) | Self::Timeout => {
                Some(Evidence::Silence)
            }
            // The server answers.
            Self::Authentication(_)
            | Self::NoAuthentication
            | Self::Malformed(_)
            | Self::OutOfSync
            // It was not asked.
            | Self::AllInUse(_)
            | Self::NoneFree(_)
            | Self::Down { .. }
            | Self::LoginPaused { .. }
            | Self::Unsupported(_) => None,
        }
    }

    /// The error that the caller sees, with `timeout` as the time that the operation had.
    pub(crate) fn into_error(self, timeout: Duration) -> Error {
        match self {
            Self::Resolve(source) => {
                Error::new(Kind::Connect, "the host name cannot be resolved").caused_by(source)
            }
            Self::Connect(source) => {
                let reason = match advice(&source) {
                    Some(advice) => format!("cannot connect: {advice}"),
                    None => "cannot connect".to_owned(),
                };
                Error::new(Kind::Connect, reason).caused_by(source)
            }
            Self::TooManyConnections => {
                Error::new(Kind::Connect, "the server has too many open connections")
            }
            Self::Authentication(line) => Error::new(
                Kind::Authentication,
                format!("the server refused the user name and the password: it answered {line}"),
            ),
            Self::NoAuthentication => Error::new(
                Kind::Authentication,
                "the server knows no authentication in the binary protocol (memcached's -S); give \
                 it no credentials",
            ),
            Self::ConnectTimeout(limit) => Error::new(
                Kind::ConnectTimeout,
                format!("cannot connect within {limit:?}"),
            ),
            Self::SetUpTimeout(limit) => Error::new(
                Kind::ConnectTimeout,
                format!("connected, but no answer from the server within {limit:?}"),
            ),
            Self::HandshakeTimeout(limit) => Error::new(
                Kind::ConnectTimeout,
                format!(
                    "no TLS handshake within {limit:?}; does the server speak TLS on this port?"
                ),
            ),
            Self::Timeout if timeout.is_zero() => {
                Error::new(Kind::Timeout, "the timeout is zero; nothing was sent")
            }
            Self::Timeout => Error::new(
                Kind::Timeout,
                format!("no complete reply within {timeout:?}"),
            ),
            Self::Lost(source) => Error::new(Kind::Io, "the connection was lost").caused_by(source),
            Self::Malformed(malformed) => malformed.into(),
            Self::AllInUse(max) => Error::new(
                Kind::Timeout,
                format!(
                    "all {max} connections that max_connections allows were in use for {timeout:?}"
                ),
            ),
            Self::NoneFree(open) => Error::new(
                Kind::Timeout,
                format!(
                    "the server takes no more connections, and all {open} that there are were in use \
                     for {timeout:?}"
                ),
            ),
            Self::OutOfSync => Error::new(
                Kind::Protocol,
                "the server refused an earlier command of this batch, and what it sent after that may \
                 be the reply to another",
            ),
            Self::Down {
                failures,
                retry_in,
                last,
            } => {
                let times = match failures {
                    1 => "once".to_owned(),
                    failures => format!("{failures} times in a row"),
                };
                let error = Error::new(
                    Kind::Down,
                    format!(
                        "not tried: the server failed {times}; it is tried again within {retry_in:?}"
                    ),
                );
                match last {
                    Some(last) => error.caused_by(last),
                    None => error,
                }
            }
            Self::LoginPaused { retry_in, last } => {
                let error = Error::new(
                    Kind::Authentication,
                    format!(
                        "not tried: the server refused the last login; the next is tried within \
                         {retry_in:?}"
                    ),
                );
                match last {
                    Some(last) => error.caused_by(last),
                    None => error,
                }
            }
            Self::Unsupported(error) => error,
        }
    }
}

/// What is to be done about it, where somebody knows.
fn advice(error: &io::Error) -> Option<&'static str> {
    let explained = error.get_ref()?.downcast_ref::<Explained>()?;
    Some(explained.advice)
}

/// An error, and what is to be done about it. It says what the error says, which is therefore no source of
/// it: it would be told twice.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub(super) struct Explained {
    pub(super) error: Box<dyn std::error::Error + Send + Sync>,
    pub(super) advice: &'static str,
}

/// Whether the error is about the machine that the client runs on: it has no more file descriptors, ports,
/// memory or threads.
fn is_local(error: &io::Error) -> bool {
    #[cfg(unix)]
    const LOCAL: &[i32] = &[
        libc::EMFILE,
        libc::ENFILE,
        libc::EADDRNOTAVAIL,
        libc::EADDRINUSE,
        libc::ENOBUFS,
        libc::ENOMEM,
        libc::EAGAIN,
    ];
    // WSAEMFILE, WSAEADDRINUSE, WSAEADDRNOTAVAIL, WSAENOBUFS.
    #[cfg(not(unix))]
    const LOCAL: &[i32] = &[10024, 10048, 10049, 10055];
    let code = error.raw_os_error();
    code.is_some_and(|code| LOCAL.contains(&code)) || error.kind() == ErrorKind::OutOfMemory
}

/// Whether the network says that there is no way to the server.
pub(super) fn is_unreachable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown
    )
}

impl From<Expired> for Fault {
    fn from(_: Expired) -> Self {
        Self::Timeout
    }
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}
