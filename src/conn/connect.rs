use super::connection::{Connection, Progress};
use super::deadline::{Deadline, Expired};
use super::fault::Fault;
use super::handler::ReplyHandler;
use super::options::Options;
use super::resolve::{Resolver, getaddrinfo};
use super::tls::{Connector, Session};
use super::version::{Answers, Protocol, QUESTIONS, understand};
use super::wire::{Wait, Wire};
use crate::address::Address;
use crate::error::Error;
use crate::protocol::{Confidential, Dialect, Excerpt, Limits, Malformed, Output, Reply, Request};
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
    Scripted(super::scripted::Scripted),
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
            check(credentials, *protocol)?;
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
            connection.dialect = self.dialect;
            let logged_in = log_in(&mut connection, credentials, limit);
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
                let mut wire = connect(resolver, self.nodelay, limit)?;
                let session = match &self.tls {
                    Some(tls) => Some(Session::handshake(tls, &mut wire, limit)?),
                    None => None,
                };
                Ok(Connection::new(wire, session, Limits::TCP))
            }
            Place::Unix(path) => {
                let left = limit.remaining(Instant::now())?;
                let wire = Wire::connect_path(path, left);
                let wire = wire.map_err(|error| failed(error, limit))?;
                Ok(Connection::new(wire, None, Limits::UNIX))
            }
            #[cfg(fuzzing)]
            Place::Scripted(connections) => connections.next(),
        }
    }
}

/// Connects to the first of the server's addresses that takes it. They share the time.
fn connect(resolver: &Resolver, nodelay: bool, limit: Deadline) -> Result<Wire, Fault> {
    let addresses = resolver.resolve(limit)?;
    let mut last = None;
    for (tried, address) in addresses.iter().enumerate() {
        let left = limit.remaining(Instant::now())?;
        let share = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        match Wire::connect(*address, nodelay, left.map(|left| left / share)) {
            Ok(wire) => return Ok(wire),
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

/// Logs in on a new connection, before anything else is sent on it.
///
/// In binary by SASL's PLAIN. In text as memcached's `doc/protocol.txt` has it under
/// "Authentication": a `set` whose value is the user name and the password, while its key and all
/// else in its line are ignored. It is the same for meta, and where the server is still to be asked
/// what it speaks.
fn log_in(
    connection: &mut Connection,
    credentials: &Credentials,
    deadline: Deadline,
) -> Result<(), Fault> {
    let message = match connection.dialect {
        Dialect::Binary => format!("\0{}\0{}", credentials.username(), credentials.reveal()),
        Dialect::Text | Dialect::Meta => {
            format!("{} {}", credentials.username(), credentials.reveal())
        }
    };
    let request = Request::Authenticate {
        message: Confidential(message.as_bytes()),
    };
    let mut verdict = Verdict(Ok(()));
    first_exchange(connection, &request, &mut verdict, deadline)?;
    verdict.0
}

/// Refuses credentials that the protocol cannot carry.
fn check(credentials: &Credentials, protocol: Protocol) -> Result<(), Error> {
    match protocol {
        Protocol::Binary => credentials.check(),
        Protocol::Text | Protocol::Meta | Protocol::Auto => credentials.check_for_a_line(),
    }
}

/// The server's answer to a login.
struct Verdict(Result<(), Fault>);

impl ReplyHandler for Verdict {
    fn reply(&mut self, _: usize, reply: Result<Reply<'_>, Error>) {
        // The decoder lets nothing else through than that, and that it was stored.
        if let Ok(Reply::Refused(refused)) = reply {
            self.0 = Err(match &*refused.line {
                b"Unknown command" => Fault::NoAuthentication,
                line => Fault::Authentication(Excerpt::new(line)),
            });
        }
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
    let (mut questions, full) = (Output::default(), Wait::UntilDeadline);
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
        match connection.fill(None, limit, full) {
            Err(Fault::Timeout) if had > 0 => return Ok(answers),
            filled => filled?,
        };
    }
}

/// Asks the server for its version on this new connection: whether it answers, whatever it says.
pub(super) fn probe(connection: &mut Connection, deadline: Deadline) -> Result<(), Fault> {
    let answered = first_exchange(connection, &Request::Version, &mut Ignore, deadline);
    answered.map_err(|fault| fault.during_set_up(deadline))
}

/// Takes whatever is answered.
struct Ignore;

impl ReplyHandler for Ignore {
    fn reply(&mut self, _: usize, _: Result<Reply<'_>, Error>) {}
}

/// Sends the first request on a connection, one without a value, and receives the reply.
fn first_exchange(
    connection: &mut Connection,
    request: &Request<'_>,
    handler: &mut dyn ReplyHandler,
    deadline: Deadline,
) -> Result<(), Fault> {
    connection.exchange(request, 0, false, handler, deadline)?;
    connection.finish(true);
    if connection.progress != Progress::Clean {
        return Err(Fault::Malformed(Malformed::Surplus));
    }
    Ok(())
}
