use super::connection::{Connection, Incoming, Progress};
use super::deadline::{Deadline, Expired};
use super::fault::Fault;
use super::resolve::{Resolver, getaddrinfo};
use super::stream::{Patience, Stream};
use super::version::Version;
use crate::protocol::{Bounds, Decoder, Dialect, Limits, Malformed, Output, Request, Window};
use crate::server::Address;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

/// How much too early a timeout may end: it is counted in milliseconds.
const TIMER_SLACK: Duration = Duration::from_millis(10);

/// Where a server listens.
#[derive(Debug)]
pub(super) enum Endpoint {
    Tcp(Resolver),
    Unix(String),
    /// Connections that are there, one after the other.
    #[cfg(fuzzing)]
    Scripted(super::pool::Scripted),
}

impl Endpoint {
    pub(super) fn new(server: &Address) -> Self {
        match server {
            Address::Tcp { host, port } => Self::Tcp(Resolver::new(host, *port, getaddrinfo)),
            Address::Unix(path) => Self::Unix(path.clone()),
        }
    }

    /// A new connection, within `limit`.
    pub(super) fn connect(&self, limit: Deadline) -> Result<Connection, Fault> {
        match self {
            Self::Tcp(resolver) => Ok(Connection::new(connect(resolver, limit)?, Limits::TCP)),
            Self::Unix(path) => {
                let left = limit.remaining(Instant::now())?;
                let stream = Stream::connect_path(path, left);
                let stream = stream.map_err(|error| failed(error, limit))?;
                Ok(Connection::new(stream, Limits::UNIX))
            }
            #[cfg(fuzzing)]
            Self::Scripted(connections) => connections.next(),
        }
    }
}

/// Connects to the first of the server's addresses that takes it. They share the time.
fn connect(resolver: &Resolver, limit: Deadline) -> Result<Stream, Fault> {
    let too_late = || Fault::ConnectTimeout(limit.timeout());
    let addresses = match resolver.resolve(limit) {
        Err(Fault::Timeout) => return Err(too_late()),
        addresses => addresses?,
    };
    let mut last = None;
    for (tried, address) in addresses.iter().enumerate() {
        let left = limit.remaining(Instant::now()).map_err(|_| too_late())?;
        let share = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        match Stream::connect(*address, left.map(|left| left / share)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(too_late, |error| failed(error, limit)))
}

/// Why no connection was made.
fn failed(error: io::Error, limit: Deadline) -> Fault {
    // The kernel has a timeout of its own, in minutes; ours may end a moment before the limit.
    let is_ours = match limit.remaining(Instant::now()) {
        Ok(left) => left.is_some_and(|left| left < TIMER_SLACK),
        Err(Expired) => true,
    };
    if is_ours && error.kind() == ErrorKind::TimedOut {
        Fault::ConnectTimeout(limit.timeout())
    } else {
        Fault::Connect(error)
    }
}

/// Asks a server on a new connection which version it is, and thereby what it speaks. `None` if it
/// is in no state to say: then it is text for now.
pub(super) fn ask(
    connection: &mut Connection,
    deadline: Deadline,
) -> Result<Option<Dialect>, Fault> {
    let requests = [Request::Version];
    let mut output = Output::default();
    let (text, limits) = (Dialect::Text, connection.limits);
    let window = Window::encode(text, &requests, (0, 1), limits, false, 0, &mut output);
    connection.send(&output, &mut 0, deadline, Patience::Full)?;
    let bounds = Bounds {
        value: 0,
        line: Bounds::DEFAULT_LINE,
    };
    let mut decoder = Decoder::new(text, &requests, window, bounds);
    let mut version = Version::default();
    let incoming = &mut Incoming::default();
    let full = Patience::Full;
    connection.receive(&mut decoder, incoming, 0, &mut version, deadline, full)?;
    connection.finish(true);
    if connection.progress != Progress::Clean {
        return Err(Fault::Malformed(Malformed::Surplus));
    }
    Ok(version.best())
}
