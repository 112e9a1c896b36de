use super::deadline::Expired;
use crate::error::{Error, Kind};
use crate::protocol::{Excerpt, Malformed};
use std::io;
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
    /// The server refused a storage command, and may have taken its value for further commands: what
    /// it answers next can be the reply to one of those. Or it answered several keys with an error, and
    /// nothing shows where that reply ends.
    OutOfStep,
    /// The server failed before, and is not tried yet.
    Down {
        failures: u32,
        retry_in: Duration,
        last: Option<Error>,
    },
    /// The connection's protocol cannot say what was asked for.
    Unsupported(Error),
}

impl Fault {
    /// Whether the server, or the way to it, is the reason: another may answer next time.
    pub(super) fn is_of_server(&self) -> bool {
        !matches!(
            self,
            Self::AllInUse(_) | Self::Unsupported(_) | Self::Down { .. }
        )
    }

    /// The error that the caller sees, with `timeout` as the time that the operation had.
    pub(crate) fn into_error(self, timeout: Duration) -> Error {
        match self {
            Self::Resolve(source) => {
                Error::new(Kind::Connect, "the host name cannot be resolved").caused_by(source)
            }
            Self::Connect(source) => Error::new(Kind::Connect, "cannot connect").caused_by(source),
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
            Self::OutOfStep => Error::new(
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
            Self::Unsupported(error) => error,
        }
    }
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
