use super::authenticate::{self, authenticate};
use super::connection::{Connection, Incoming, Progress};
use super::deadline::{Deadline, Expired};
use super::fault::Fault;
use super::pool::Options;
use super::resolve::{Resolver, getaddrinfo};
use super::sink::Sink;
use super::stream::{Patience, Stream};
use super::tls::Connector;
use super::version::{Answers, QUESTIONS, understand};
use crate::address::Address;
use crate::error::Error;
use crate::protocol::{
    Bounds, Decoder, Dialect, Limits, Malformed, Output, Reply, Request, Window,
};
use crate::secret::Credentials;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

/// How much too early a timeout may end: it is counted in milliseconds.
const TIMER_SLACK: Duration = Duration::from_millis(10);

/// A server, and how to be let in.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) place: Place,
    tls: Option<Connector>,
    nodelay: bool,
    credentials: Option<Credentials>,
    /// What is spoken first.
    dialect: Dialect,
}

/// Where a server listens.
#[derive(Debug)]
pub(super) enum Place {
    Tcp(Resolver),
    Unix(String),
    /// Connections that are there, one after the other.
    #[cfg(fuzzing)]
    Scripted(super::pool::Scripted),
}

impl Endpoint {
    /// # Errors
    ///
    /// A validation error for credentials that the protocol cannot say, and for TLS on what cannot
    /// have it.
    pub(super) fn new(
        server: &Address,
        credentials: Option<&Credentials>,
        options: &Options,
    ) -> Result<Self, Error> {
        let Options { protocol, tls, .. } = options;
        let credentials = credentials.or(options.credentials.as_ref());
        if let Some(credentials) = credentials {
            authenticate::check(credentials, *protocol)?;
        }
        Ok(Self {
            place: match server {
                Address::Tcp { host, port } => Place::Tcp(Resolver::new(host, *port, getaddrinfo)),
                Address::Unix(path) => Place::Unix(path.clone()),
            },
            tls: match tls {
                Some(security) => Some(security.connector(server)?),
                None => None,
            },
            nodelay: options.nodelay,
            credentials: credentials.cloned(),
            dialect: protocol.dialect().unwrap_or(Dialect::Text),
        })
    }

    /// Whether it is a host that is spoken to without TLS.
    pub(super) fn is_plain(&self) -> bool {
        self.tls.is_none() && matches!(self.place, Place::Tcp(_))
    }

    /// A new connection on which the server takes requests, within `limit`.
    pub(super) fn connect(&self, limit: Deadline) -> Result<Connection, Fault> {
        let mut connection = self.reach(limit).map_err(|fault| match fault {
            Fault::Timeout => Fault::ConnectTimeout(limit.timeout()),
            fault => fault,
        })?;
        if let Some(credentials) = &self.credentials {
            let logged_in = authenticate(&mut connection, credentials, self.dialect, limit);
            logged_in.map_err(|fault| fault.during_set_up(limit))?;
        }
        Ok(connection)
    }

    /// Whether a new connection logs in.
    pub(super) fn logs_in(&self) -> bool {
        self.credentials.is_some()
    }

    fn reach(&self, limit: Deadline) -> Result<Connection, Fault> {
        match &self.place {
            Place::Tcp(resolver) => {
                let stream = connect(resolver, self.nodelay, limit)?;
                let stream = match &self.tls {
                    Some(tls) => stream.secure(tls, limit)?,
                    None => stream,
                };
                Ok(Connection::new(stream, Limits::TCP))
            }
            Place::Unix(path) => {
                let left = limit.remaining(Instant::now())?;
                let stream = Stream::connect_path(path, left);
                let stream = stream.map_err(|error| failed(error, limit))?;
                Ok(Connection::new(stream, Limits::UNIX))
            }
            #[cfg(fuzzing)]
            Place::Scripted(connections) => connections.next(),
        }
    }
}

/// Connects to the first of the server's addresses that takes it. They share the time.
fn connect(resolver: &Resolver, nodelay: bool, limit: Deadline) -> Result<Stream, Fault> {
    let addresses = resolver.resolve(limit)?;
    let mut last = None;
    for (tried, address) in addresses.iter().enumerate() {
        let left = limit.remaining(Instant::now())?;
        let share = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        match Stream::connect(*address, nodelay, left.map(|left| left / share)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or(Fault::Timeout, |error| failed(error, limit)))
}

/// Why no connection was made.
fn failed(error: io::Error, limit: Deadline) -> Fault {
    // The kernel has a timeout of its own, in minutes; ours may end a moment before the limit.
    let is_ours = match limit.remaining(Instant::now()) {
        Ok(left) => left.is_some_and(|left| left < TIMER_SLACK),
        Err(Expired) => true,
    };
    if is_ours && error.kind() == ErrorKind::TimedOut {
        Fault::Timeout
    } else {
        Fault::Connect(error)
    }
}

/// The longest wait for the second answer of a server that has given the first: some give none.
const SECOND_ANSWER: Duration = Duration::from_millis(250);

/// Asks the server what it speaks on this new connection. `None` if it is not certain what comes next
/// on it, so that it must be replaced by one that speaks text and is not asked.
pub(super) fn ask(
    connection: &mut Connection,
    deadline: Deadline,
) -> Result<Option<Dialect>, Fault> {
    let answered = answers(connection, deadline);
    match answered {
        Ok(Answers::Complete(dialect)) => Ok(connection.was_asked(dialect).then_some(dialect)),
        Ok(Answers::Incomplete { .. } | Answers::Unclear) | Err(Fault::Lost(_)) => Ok(None),
        // Not a word: it may as well be down.
        Err(fault) => Err(fault.during_set_up(deadline)),
    }
}

fn answers(connection: &mut Connection, deadline: Deadline) -> Result<Answers, Fault> {
    let (mut questions, full) = (Output::default(), Patience::Full);
    questions.push(QUESTIONS);
    connection.send(&questions, &mut 0, deadline, full)?;
    let (mut limit, mut had) = (deadline, 0);
    loop {
        let answers = understand(connection.received());
        let Answers::Incomplete { lines } = answers else {
            return Ok(answers);
        };
        if lines > had {
            let now = Instant::now();
            let left = deadline.remaining(now)?;
            let wait = left.map_or(SECOND_ANSWER, |left| SECOND_ANSWER.min(left / 2));
            (limit, had) = (deadline.min(Deadline::after(wait, now)), lines);
        }
        match connection.fill(limit, full) {
            Err(Fault::Timeout) if had > 0 => return Ok(answers),
            filled => filled?,
        };
    }
}

/// Asks the server for its version on this new connection: whether it answers, whatever it says.
pub(super) fn probe(connection: &mut Connection, deadline: Deadline) -> Result<(), Fault> {
    let dialect = connection.dialect;
    let answered = exchange(
        connection,
        dialect,
        &Request::Version,
        &mut Ignore,
        deadline,
    );
    answered.map_err(|fault| fault.during_set_up(deadline))
}

/// Takes whatever is answered.
struct Ignore;

impl Sink for Ignore {
    fn reply(&mut self, _: usize, _: Result<Reply<'_>, Error>) {}
}

/// The first words on a connection: one request without a value, and the reply to it.
pub(super) fn exchange(
    connection: &mut Connection,
    dialect: Dialect,
    request: &Request<'_>,
    sink: &mut dyn Sink,
    deadline: Deadline,
) -> Result<(), Fault> {
    let requests = std::slice::from_ref(request);
    let mut output = Output::default();
    let window = Window::single(dialect, requests, false, connection.opaque, &mut output);
    if dialect == Dialect::Binary {
        // Lines of text have none.
        connection.opaque = connection.opaque.wrapping_add(window.opaques());
    }
    let full = Patience::Full;
    connection.send(&output, &mut 0, deadline, full)?;
    let bounds = Bounds {
        value: 0,
        line: Bounds::DEFAULT_LINE,
        queues: false,
    };
    let mut decoder = Decoder::new(dialect, requests, window, bounds);
    let incoming = &mut Incoming::default();
    connection.receive(&mut decoder, incoming, 0, sink, deadline, full)?;
    connection.finish(true);
    if connection.progress != Progress::Clean {
        return Err(Fault::Malformed(Malformed::Surplus));
    }
    Ok(())
}
