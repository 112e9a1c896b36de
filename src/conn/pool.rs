mod admitted;
mod lease;

pub(super) use self::admitted::Admitted;
use self::lease::Pooled;
pub(super) use self::lease::{Failed, Hold, Lease, Opening, Purpose};
use super::breaker::{BackOff, Circuit, CircuitBreaker, Evidence, Pass, Verdict};
use super::connect::{Endpoint, ask, probe};
use super::connection::{Connection, Incoming};
use super::conversation::Conversation;
use super::deadline::Deadline;
use super::driver::{Batch, Exchange};
use super::fault::Fault;
use super::ledger::{End, Ledger, Snapshot};
use super::sink::Sink;
use super::stream::Patience;
use super::tls::Security;
use super::version::Protocol;
use crate::address::Address;
use crate::error::Error;
use crate::event::{Event, Hook};
use crate::protocol::{Bounds, Decoder, Dialect, Output, Request, Window};
use crate::secret::Credentials;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the pools of a client have in common.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) protocol: Protocol,
    /// For the servers that have none of their own.
    pub(crate) credentials: Option<Credentials>,
    pub(crate) tls: Option<Security>,
    /// Whether what is written is sent at once: Nagle's algorithm is off.
    pub(crate) nodelay: bool,
    /// How long a connect may take, where that differs from the time of the whole operation.
    pub(crate) connect_timeout: Option<Duration>,
    /// The most that is read of what a server sends.
    pub(crate) bounds: Bounds,
    /// The most keys of one `get` line.
    pub(crate) max_keys: usize,
    /// The most connections at a time, idle ones included.
    pub(crate) max_connections: usize,
    /// The most that idle.
    pub(crate) max_idle: usize,
    /// How long one may idle before it is closed.
    pub(crate) idle_timeout: Duration,
    /// How long a server that fails is left alone.
    pub(crate) back_off: BackOff,
    /// Who is told of what happens to them.
    pub(crate) hook: Hook,
}

/// The connections to one server.
///
/// A connection is in the pool only while nothing uses it, and taking it out moves it: no lock is
/// held over IO, and what is dropped on the way, by an error or a panic, is closed and never comes
/// back. The lock guards a list and two counters; whoever has it takes or puts one and lets go, in
/// well under a microsecond, while the round trip that follows takes ten and more: some hundred
/// threads would have to be between two calls at once before one waited for another.
#[derive(Debug)]
pub(crate) struct Pool {
    /// `host:port` or a path, for messages.
    name: String,
    endpoint: Endpoint,
    options: Arc<Options>,
    ledger: Arc<Ledger>,
    breaker: CircuitBreaker,
    connections: Mutex<Connections>,
    /// A connection came back, or may now be made.
    changed: Condvar,
    /// Whether new connections speak text, where they would be asked: to ask one was the end of it.
    speaks_text: AtomicBool,
}

#[derive(Debug, Default)]
struct Connections {
    /// The one used last is on top, so that a burst's surplus idles at the bottom, and is closed.
    idle: VecDeque<Pooled>,
    /// All of them: idle, in use, and being made.
    open: usize,
    /// How many threads wait for one.
    waiting: usize,
    /// How often the pool was closed: a connection made before that does not come back.
    closed: u64,
    /// Where the server took no more: how many there were, and until when no other is tried.
    enough: Option<(usize, Instant)>,
}

impl Connections {
    /// The most that there may be now, if `max` are allowed.
    fn cap(&self, max: usize) -> usize {
        match self.enough {
            Some((enough, until)) if Instant::now() < until => enough.min(max),
            _ => max,
        }
    }
}

/// How long a server that took no more connections is not asked for another: those that there are do
/// meanwhile.
const ENOUGH: Duration = Duration::from_secs(1);

impl Pool {
    /// # Errors
    ///
    /// Those of [`Endpoint::new`].
    pub(crate) fn new(
        server: &Address,
        credentials: Option<&Credentials>,
        options: Arc<Options>,
    ) -> Result<Self, Error> {
        let name = server.to_string();
        let ledger = Ledger::new(&name, options.hook.clone());
        Ok(Self {
            name,
            endpoint: Endpoint::new(server, credentials, &options)?,
            breaker: CircuitBreaker::new(options.back_off),
            options,
            ledger: Arc::new(ledger),
            connections: Mutex::default(),
            changed: Condvar::new(),
            speaks_text: AtomicBool::new(false),
        })
    }

    /// What a new connection speaks; `None` if it is to be asked.
    pub(super) fn dialect(&self) -> Option<Dialect> {
        let fixed = self.options.protocol.dialect();
        fixed.or_else(|| {
            self.speaks_text
                .load(Ordering::Relaxed)
                .then_some(Dialect::Text)
        })
    }

    /// Takes the server for one that speaks text, or no more. (Never for one that speaks meta: what
    /// answers on the next connection may be another.)
    pub(super) fn remember_text(&self, speaks_text: bool) {
        self.speaks_text.store(speaks_text, Ordering::Relaxed);
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What to say of a connection that ended before the server answered anything on it.
    pub(super) fn why_closed_early(&self) -> &'static str {
        if self.endpoint.is_plain() {
            "; the server closed it before it answered anything: perhaps it speaks TLS on this port \
             (ClientBuilder::tls, tls in a Config), or does not know the protocol or the command"
        } else {
            ""
        }
    }

    pub(super) fn bounds(&self) -> Bounds {
        self.options.bounds
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        // Nothing panics while it is held, and there is nothing in it that could be half done.
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// So many connections are no more.
    fn release(&self, count: usize) {
        let mut connections = self.connections();
        connections.open -= count;
        if connections.waiting > 0 {
            drop(connections);
            self.changed.notify_all();
        }
    }

    /// The usual case, and the shortest way through it: one request on a connection that is there.
    /// `false` if none is; if it fails, what is left to do is a conversation's.
    fn exchange_one<'p>(
        &'p self,
        request: &Request<'_>,
        batch: Batch<'_>,
        sink: &mut dyn Sink,
        deadline: Deadline,
    ) -> Result<bool, Failed<&'p Self>> {
        let first = batch.first;
        if self.breaker.is_troubled() {
            return Ok(false);
        }
        let heard = self.ledger.heard();
        let Some(mut lease) = Lease::idle(&self, deadline.started()) else {
            return Ok(false);
        };
        let connection = lease.connection();
        if connection.dialect.check(request).is_err() {
            lease.put();
            return Ok(false);
        }
        let requests = std::slice::from_ref(request);
        let mut written = 0;
        let mut incoming = Incoming::default();
        connection.begin(1, deadline.started());
        let mut output = Output::reusing(std::mem::take(&mut connection.output));
        let window = Window::single(
            connection.dialect,
            requests,
            batch.is_many,
            connection.opaque,
            &mut output,
        );
        connection.opaque = connection.opaque.wrapping_add(window.opaques());
        let full = Patience::Full;
        let sent = connection.send(&output, &mut written, deadline, full);
        let received = sent.and_then(|_| {
            let bounds = self.options.bounds;
            let mut decoder = Decoder::new(connection.dialect, requests, window, bounds);
            connection.receive(&mut decoder, &mut incoming, first, sink, deadline, full)
        });
        match received {
            Ok(_) => {
                connection.output = output.into_buffer();
                connection.finish(!incoming.is_out_of_step && !request.reply_end_is_uncertain());
                connection.account.tally.latency = Some(deadline.started().elapsed());
                if batch.is_step {
                    connection.account.tally.be_step();
                }
                lease.put();
                if self.breaker.is_troubled() {
                    self.answered();
                }
                Ok(true)
            }
            Err(fault) => Err(Failed {
                fault,
                lease,
                heard,
                is_in_doubt: written > 0,
            }),
        }
    }

    /// Lets a call through unless the circuit breaker is open, or in any case.
    pub(super) fn admit(&self, insists: bool) -> Result<Pass, Fault> {
        self.breaker.admit(insists)
    }

    /// A complete answer came from the server.
    pub(super) fn answered(&self) {
        if self.breaker.answered() {
            self.options.hook.tell(&Event::Up { server: &self.name });
        }
    }

    /// A call that was let through failed.
    pub(super) fn failed(
        &self,
        pass: Pass,
        evidence: Option<Evidence>,
        deadline: Deadline,
        error: &Error,
    ) {
        match self.breaker.failed(pass, evidence, deadline, error) {
            Verdict::Nothing => {}
            Verdict::Suspect => self.close_idle(),
            Verdict::Open(retry_in) => {
                self.close_idle();
                self.options.hook.tell(&Event::Down {
                    server: &self.name,
                    error,
                    retry_in,
                });
            }
        }
    }

    /// A call that was let through ended otherwise.
    pub(super) fn gave_up(&self, pass: Pass) {
        self.breaker.gave_up(pass);
    }

    /// A new connection was closed before anything came on it; whether the server is to be probed.
    pub(super) fn dropped(&self) -> bool {
        self.breaker.dropped()
    }

    /// The server refused a login, which is an answer.
    pub(super) fn login_refused(&self, deadline: Deadline, error: &Error) {
        self.answered();
        self.breaker.login_refused(deadline, error);
    }

    /// A call has to wait for the server for so long before its silence says anything.
    pub(super) fn shortest_wait(&self) -> Duration {
        self.options.back_off.shortest_wait
    }

    /// Closes the connections that idle: they may be as dead as another that was as old.
    fn close_idle(&self) {
        let mut idle = std::mem::take(&mut self.connections().idle);
        for pooled in &mut idle {
            pooled.connection.account.end = End::Stale;
        }
        let count = idle.len();
        drop(idle); // Not under the lock.
        self.release(count);
    }

    /// The server took no more connections than those that there are without this one, which have to do
    /// for a while. `false` if there are none.
    fn turned_away(&self) -> bool {
        let mut connections = self.connections();
        connections.open -= 1;
        let open = connections.open;
        connections.enough = (open > 0).then(|| (open, Instant::now() + ENOUGH));
        drop(connections);
        self.changed.notify_all();
        open > 0
    }

    /// A new connection, which speaks what it should.
    fn connect(&self, deadline: &mut Deadline, opening: Opening) -> Result<Connection, Fault> {
        let logs_in = self.endpoint.logs_in();
        if logs_in {
            self.breaker.log_in(opening.insists)?;
        }
        let mut connection = self.reach(deadline)?;
        if logs_in {
            self.answered();
            self.breaker.logged_in();
        }
        if let Some(dialect) = self.dialect() {
            connection.dialect = dialect;
        } else if ask(&mut connection, *deadline)?.is_some() {
            self.answered();
            return Ok(connection);
        } else {
            self.remember_text(true);
            drop(connection);
            connection = self.reach(deadline)?;
        }
        if opening.purpose == Purpose::Request || logs_in {
            return Ok(connection);
        }
        // Not the request itself, which may be for a key that is slow behind a proxy.
        match probe(&mut connection, *deadline) {
            Ok(()) => self.answered(),
            // That is an answer. What comes next on it, is not certain.
            Err(Fault::Malformed(_)) => {
                self.answered();
                connection = self.reach_like(connection, deadline)?;
            }
            // Old proxies close connections on `version`: the request has to do.
            Err(Fault::Lost(_)) if opening.purpose == Purpose::Probe => {
                connection = self.reach_like(connection, deadline)?;
            }
            Err(fault) => return Err(fault),
        }
        Ok(connection)
    }

    /// A new connection in the place of one that was for a probe.
    fn reach_like(&self, probed: Connection, deadline: &mut Deadline) -> Result<Connection, Fault> {
        let dialect = probed.dialect;
        drop(probed);
        let mut connection = self.reach(deadline)?;
        connection.dialect = dialect;
        Ok(connection)
    }

    /// A new connection.
    fn reach(&self, deadline: &mut Deadline) -> Result<Connection, Fault> {
        let started = Instant::now();
        // First: a server for which nothing is left is not to blame.
        *deadline = deadline.resumed(started);
        deadline.remaining(started)?;
        let limit = match self.options.connect_timeout {
            // Where it is longer than the operation's own time, the call may take both.
            Some(timeout) if timeout > deadline.timeout() => Deadline::after(timeout, started),
            Some(timeout) => deadline.min(Deadline::after(timeout, started)),
            None => *deadline,
        };
        let mut connection = self.endpoint.connect(limit)?;
        connection.limits.keys = self.options.max_keys;
        if limit.timeout() > deadline.timeout() {
            *deadline = deadline.postponed(started.elapsed());
        }
        Ok(connection)
    }
}

/// A server, as the layers above see it.
impl Pool {
    /// The server, as messages name it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Sends the requests of `batch` and receives their replies, by `deadline`.
    pub(crate) fn exchange(&self, batch: Batch<'_>, sink: &mut dyn Sink, deadline: Deadline) {
        let conversation = || Conversation::new(self, batch, deadline);
        match batch.requests {
            [request] => match self.exchange_one(request, batch, sink, deadline) {
                Ok(true) => {}
                Ok(false) => conversation().run(sink),
                Err(failed) => conversation().take_over(failed, sink),
            },
            _ => conversation().run(sink),
        }
    }

    /// The same in steps, so that several servers work at the same time.
    pub(crate) fn converse<'a>(
        &'a self,
        batch: Batch<'a>,
        deadline: Deadline,
    ) -> Box<dyn Exchange + 'a> {
        Box::new(Conversation::new(self, batch, deadline))
    }

    /// The same for requests that are always there, on a server that is kept as long as it takes.
    pub(crate) fn converse_on(
        self: Arc<Self>,
        batch: Batch<'static>,
        deadline: Deadline,
    ) -> Box<dyn Exchange> {
        Box::new(Conversation::new(self, batch, deadline).at_leisure())
    }

    /// Counts a call that was made in steps: a success, or an error that no exchange had.
    pub(crate) fn counted(&self, outcome: Result<(), &Error>, latency: Option<Duration>) {
        self.ledger.counted(outcome, latency);
    }

    /// Counts a failure that is hidden from the caller.
    pub(crate) fn missed(&self, error: &Error) {
        self.ledger.missed(error);
    }

    /// The state of its circuit breaker.
    pub(crate) fn circuit(&self) -> Circuit {
        self.breaker.circuit()
    }

    /// Whether it has a connection. Nothing is sent.
    pub(crate) fn is_connected(&self) -> bool {
        self.connections().open > 0
    }

    /// Closes the idle connections, and those in use as they finish.
    pub(crate) fn close(&self) {
        self.remember_text(false);
        let mut connections = self.connections();
        connections.closed += 1;
        let idle = std::mem::take(&mut connections.idle);
        drop(connections);
        let count = idle.len();
        drop(idle); // Not under the lock.
        self.release(count);
    }

    /// What was counted until now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let connections = self.connections();
        let (open, idle) = (connections.open, connections.idle.len());
        drop(connections);
        Snapshot {
            totals: self.ledger.totals().clone(),
            open,
            idle,
        }
    }
}

#[cfg(fuzzing)]
#[path = "pool_scripted.rs"]
mod scripted;
#[cfg(fuzzing)]
pub(crate) use scripted::{Peer, Scripted};

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
