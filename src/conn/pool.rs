use super::breaker::{Circuit, CircuitBreaker, Pass, Verdict};
use super::connect::{Endpoint, ask, probe};
use super::connection::{Connection, Progress};
use super::deadline::{Deadline, Expired};
use super::fault::{Evidence, Fault};
use super::metrics::{End, Metrics, Snapshot};
use super::options::Options;
use crate::address::Address;
use crate::error::Error;
use crate::event::Event;
use crate::protocol::Dialect;
use crate::secret::Credentials;
use crate::sync::{AtomicBool, Condvar, Mutex, MutexGuard};
use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

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
    pub(super) metrics: Arc<Metrics>,
    pub(super) breaker: CircuitBreaker,
    connections: Mutex<Connections>,
    /// A connection came back, or may now be made.
    changed: Condvar,
    /// Whether new connections speak text, where they would be asked: to ask one was the end of it.
    speaks_text: AtomicBool,
}

#[derive(Debug, Default)]
struct Connections {
    /// The one used last is on top, so that a burst's surplus idles at the bottom, and is closed.
    idle: VecDeque<Box<Lease>>,
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
        let metrics = Metrics::new(&name, options.hook.clone());
        Ok(Self {
            name,
            endpoint: Endpoint::new(server, credentials, &options)?,
            breaker: CircuitBreaker::new(options.back_off),
            options,
            metrics: Arc::new(metrics),
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

    /// What to say of a connection that ended before the server answered anything on it.
    pub(super) fn why_closed_early(&self) -> &'static str {
        if self.endpoint.is_plain() {
            "; the server closed it before it answered anything: perhaps it speaks TLS on this port \
             (ClientBuilder::tls, tls in a Config), or does not know the protocol or the command"
        } else {
            ""
        }
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        // Nothing panics while it is held, and there is nothing in it that could be half done.
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection is no more.
    fn release(&self) {
        let mut connections = self.connections();
        connections.open -= 1;
        if connections.waiting > 0 {
            drop(connections);
            self.changed.notify_all();
        }
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
        for lease in &mut idle {
            lease.meter.end = End::Stale;
        }
    }

    /// The server took no more connections than those that there are without this one, which have to do
    /// for a while. `false` if there are none.
    fn turned_away(&self, mut permit: Permit) -> bool {
        permit.pool = Weak::new(); // It is given back here.
        let mut connections = self.connections();
        connections.open -= 1;
        let open = connections.open;
        connections.enough = (open > 0).then(|| (open, Instant::now() + ENOUGH));
        drop(connections);
        self.changed.notify_all();
        open > 0
    }

    /// An idle connection that is still good.
    pub(super) fn idle(&self, now: Instant) -> Option<Box<Lease>> {
        loop {
            let mut lease = self.connections().idle.pop_back()?;
            let idle = now.saturating_duration_since(lease.last_used());
            if idle > self.options.idle_timeout {
                lease.meter.end = End::Idle;
            } else if lease.is_usable(idle) {
                lease.meter.end = End::Abandoned;
                return Some(lease);
            } else {
                lease.meter.end = End::Stale;
                self.remember_text(false);
            }
        }
    }

    /// Takes a connection back, if its replies were all read.
    pub(super) fn put(&self, mut lease: Box<Lease>) {
        if lease.progress != Progress::Clean {
            return;
        }
        lease.meter.settle();
        lease.meter.end = End::ByClient; // Whether it is closed or not.
        let now = lease.last_used();
        let options = &self.options;
        let mut connections = self.connections();
        // Under the lock, so that a close either counted before this or finds the connection.
        if lease.closed_before != connections.closed {
            drop(connections);
            return;
        }
        connections.idle.push_back(lease);
        // One at a time will do: connections come back far more often than they are made.
        let count = connections.idle.len();
        let has_idled_too_long = |bottom: &Connection| {
            now.saturating_duration_since(bottom.last_used()) > options.idle_timeout
        };
        let end = match connections.idle.front() {
            _ if count > options.max_idle => Some(End::Surplus),
            Some(bottom) if count > 1 && has_idled_too_long(bottom) => Some(End::Idle),
            _ => None,
        };
        let surplus = end.and_then(|end| Some((end, connections.idle.pop_front()?)));
        let someone_waits = connections.waiting > 0;
        drop(connections);
        if someone_waits {
            self.changed.notify_one();
        }
        if let Some((end, mut surplus)) = surplus {
            surplus.meter.end = end; // Closed outside of the lock.
        }
    }

    /// Closes a connection because the server had too many. Whether there are others.
    pub(super) fn close_turned_away(&self, lease: Box<Lease>) -> bool {
        let Lease { connection, permit } = *lease;
        drop(connection);
        self.turned_away(permit)
    }

    /// A connection: a new one; or, when there may be no more, the next that comes back, and then
    /// the second value is `true`. The wait for it is not the server's.
    pub(super) fn open(
        self: &Arc<Self>,
        deadline: &mut Deadline,
        mut opening: Opening,
    ) -> Result<(Box<Lease>, bool), Fault> {
        loop {
            let closed_before = match self.wait(deadline, opening)? {
                Waited::ForIdle(lease) => return Ok((lease, true)),
                Waited::ForPermit { closed_before } => closed_before,
            };
            let pool = Arc::downgrade(self);
            let permit = Permit { pool };
            match self.connect(deadline, opening) {
                Ok(mut connection) => {
                    connection.closed_before = closed_before;
                    connection.limits.keys = self.options.max_keys;
                    connection.bounds = self.options.bounds;
                    connection.meter.open(&self.metrics);
                    return Ok((Box::new(Lease { connection, permit }), false));
                }
                Err(Fault::TooManyConnections) => {
                    if !self.turned_away(permit) {
                        return Err(Fault::TooManyConnections);
                    }
                    opening.was_turned_away = true;
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Waits for a connection that idles, or until another may be made.
    fn wait(&self, deadline: &mut Deadline, opening: Opening) -> Result<Waited, Fault> {
        let max = self.options.max_connections;
        let mut connections = self.connections();
        loop {
            if opening.was_turned_away && connections.open == 0 {
                return Err(Fault::TooManyConnections);
            }
            let cap = connections.cap(max);
            if connections.open < cap {
                connections.open += 1;
                let closed_before = connections.closed;
                return Ok(Waited::ForPermit { closed_before });
            }
            if !connections.idle.is_empty() {
                drop(connections);
                let now = Instant::now();
                if let Some(lease) = self.idle(now) {
                    *deadline = deadline.restarted(now);
                    return Ok(Waited::ForIdle(lease));
                }
                connections = self.connections();
                continue;
            }
            let left = deadline.remaining(Instant::now());
            let left = left.map_err(|Expired| {
                if cap < max {
                    Fault::NoneFree(cap)
                } else {
                    Fault::AllInUse(max)
                }
            })?;
            // A server that took no more may take another by then.
            let left = if cap < max {
                Some(left.unwrap_or(ENOUGH).min(ENOUGH))
            } else {
                left
            };
            connections.waiting += 1;
            connections = if let Some(left) = left {
                let waited = self.changed.wait_timeout(connections, left);
                waited.unwrap_or_else(PoisonError::into_inner).0
            } else {
                let waited = self.changed.wait(connections);
                waited.unwrap_or_else(PoisonError::into_inner)
            };
            connections.waiting -= 1;
        }
    }

    /// A new connection, which speaks what it should.
    fn connect(&self, deadline: &mut Deadline, opening: Opening) -> Result<Connection, Fault> {
        let logs_in = self.endpoint.logs_in();
        if logs_in {
            self.breaker.log_in(opening.bypasses_breaker)?;
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
        *deadline = deadline.restarted(started);
        deadline.remaining(started)?;
        let limit = match self.options.connect_timeout {
            // Where it is longer than the operation's own time, the call may take both.
            Some(timeout) if timeout > deadline.timeout() => Deadline::after(timeout, started),
            Some(timeout) => deadline.min(Deadline::after(timeout, started)),
            None => *deadline,
        };
        let connection = self.endpoint.connect(limit)?;
        if limit.timeout() > deadline.timeout() {
            *deadline = deadline.extended(started.elapsed());
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

    /// Counts a call that was made in steps: a success, or an error that no exchange had.
    pub(crate) fn counted(&self, outcome: Result<(), &Error>, latency: Option<Duration>) {
        self.metrics.counted(1, outcome, latency);
    }

    /// Counts a failure that is hidden from the caller.
    pub(crate) fn missed(&self, error: &Error) {
        self.metrics.missed(error);
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
        drop(idle); // Not under the lock.
    }

    /// What was counted until now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let connections = self.connections();
        let (open, idle) = (connections.open, connections.idle.len());
        drop(connections);
        Snapshot {
            totals: self.metrics.totals().clone(),
            open,
            idle,
        }
    }
}

/// A connection of the pool, idle or taken out of it: then it is closed unless it is [put](Pool::put) back.
/// In a box, which moves cheaply: each call takes it out of a list and puts it back.
#[derive(Debug)]
pub(super) struct Lease {
    /// Dropped before the permit: there is one less only then.
    connection: Connection,
    permit: Permit,
}

impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

/// The right to have one connection. It is given back when it is dropped, so not under the pool's lock.
#[derive(Debug)]
struct Permit {
    pool: Weak<Pool>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.release();
        }
    }
}

/// What a wait for a connection ended with.
enum Waited {
    ForIdle(Box<Lease>),
    /// One more may be made; it is counted already.
    ForPermit {
        closed_before: u64,
    },
}

/// How a connection is taken up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opening {
    pub(super) purpose: Purpose,
    /// Whether the server is to be asked in any case.
    pub(super) bypasses_breaker: bool,
    /// Whether the server has just refused a connection, so that one that is there has to do.
    pub(super) was_turned_away: bool,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Request,
    /// To find out whether a server is back, and then for a request.
    Probe,
    /// To find out whether a server answers, and for nothing else.
    Check,
}

/// For the fuzz targets: a pool whose connections are scripted.
#[cfg(fuzzing)]
impl Pool {
    pub(crate) fn scripted(options: Options) -> Arc<Self> {
        let address = Address::Unix("/scripted".to_owned());
        let mut pool = Self::new(&address, None, Arc::new(options)).unwrap();
        pool.endpoint.place = super::connect::Place::Scripted(super::scripted::Scripted::default());
        Arc::new(pool)
    }

    /// Makes the connection that is made next; gives the other end of it.
    pub(crate) fn accept(&self) -> super::scripted::Peer {
        match &self.endpoint.place {
            super::connect::Place::Scripted(connections) => connections.accept(),
            _ => panic!("its connections are not scripted"),
        }
    }

    /// Whether the next connection begins with the questions what the server speaks.
    pub(crate) fn asks(&self) -> bool {
        self.dialect().is_none()
    }

    /// As where an idle connection was found to be no good.
    pub(crate) fn forget(&self) {
        self.remember_text(false);
    }

    /// Whether there is an idle connection; one that is not good any more is closed.
    pub(crate) fn has_idle(&self, now: Instant) -> bool {
        let lease = self.idle(now);
        lease.map(|lease| self.put(lease)).is_some()
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;

#[cfg(all(loom, test))]
#[path = "pool_models.rs"]
mod models;
