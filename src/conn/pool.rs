use super::connection::{Answer, Connection, Progress, Sink};
use super::deadline::Deadline;
use super::fault::Fault;
use super::resolve::Resolver;
use super::stream::Stream;
use crate::error::Error;
use crate::protocol::Request;
use crate::server::Address;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a connection may idle before it is closed, while others are in use.
const LONGEST_IDLE: Duration = Duration::from_secs(60);

/// What the pools of a client have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// How long a connect may take, where that differs from the time of the whole operation.
    pub(crate) connect_timeout: Option<Duration>,
    /// The largest value that is read, in bytes.
    pub(crate) max_read: usize,
}

/// The connections to one server.
///
/// A connection is in the pool only while nothing uses it, and taking it out moves it: no lock is
/// held over IO, and what is dropped on the way, by an error or a panic, is closed and never comes
/// back.
#[derive(Debug)]
pub(crate) struct Pool {
    /// `host:port`, for messages.
    name: String,
    resolver: Resolver,
    options: Options,
    /// The one used last is on top, so that a burst's surplus idles at the bottom, and is closed.
    idle: Mutex<VecDeque<Pooled>>,
    /// How often the pool was closed: a connection made before that does not come back.
    closed: AtomicU64,
}

#[derive(Debug)]
struct Pooled {
    connection: Connection,
    closed_before: u64,
}

impl Pooled {
    fn has_idled_too_long(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.connection.last_used()) > LONGEST_IDLE
    }
}

impl Pool {
    pub(crate) fn new(server: Address, options: Options) -> Self {
        Self {
            name: server.to_string(),
            resolver: Resolver::new(server),
            options,
            idle: Mutex::default(),
            closed: AtomicU64::new(0),
        }
    }

    /// The server, `host:port`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Closes the idle connections, and those in use as they finish.
    pub(crate) fn close(&self) {
        self.closed.fetch_add(1, Ordering::Relaxed);
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        drop(idle); // Not under the lock.
    }

    /// Sends `request` and receives its reply, on a pooled connection or a new one.
    ///
    /// A pooled connection that ends before the first byte of the reply was closed by the server
    /// while it idled. If repeating the request does no harm, that is done once, on a new one.
    pub(crate) fn exchange(
        &self,
        request: &Request<'_>,
        sink: &mut dyn Sink,
        mut deadline: Deadline,
    ) -> Result<Answer, Error> {
        let timeout = deadline.timeout();
        let mut in_doubt = false;
        self.attempt(request, sink, &mut deadline, &mut in_doubt)
            .map_err(|fault| {
                let error = fault.into_error(timeout).on(&self.name);
                if in_doubt { error.ambiguous() } else { error }
            })
    }

    /// `in_doubt` tells whether a write may have taken effect, should this fail.
    fn attempt(
        &self,
        request: &Request<'_>,
        sink: &mut dyn Sink,
        deadline: &mut Deadline,
        in_doubt: &mut bool,
    ) -> Result<Answer, Fault> {
        let mut idle = self.take();
        loop {
            let reused = idle.is_some();
            let mut pooled = match idle.take() {
                Some(pooled) => pooled,
                None => self.connect(deadline)?,
            };
            let connection = &mut pooled.connection;
            match connection.exchange(request, self.options.max_read, sink, *deadline) {
                Ok(answer) => {
                    self.put(pooled);
                    return Ok(answer);
                }
                Err(fault) => {
                    let sent = connection.progress() >= Progress::Sent;
                    let turned_away = matches!(fault, Fault::TooManyConnections);
                    *in_doubt |= sent && !turned_away && request.is_write();
                    let stale = reused
                        && matches!(fault, Fault::Lost(_))
                        && connection.progress() < Progress::Receiving;
                    if !(stale && request.is_repeatable()) {
                        return Err(fault);
                    }
                }
            }
        }
    }

    /// An idle connection that is still good.
    fn take(&self) -> Option<Pooled> {
        loop {
            let top = self
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_back();
            match top {
                Some(pooled) if !pooled.connection.is_usable() => drop(pooled),
                top => return top,
            }
        }
    }

    fn put(&self, pooled: Pooled) {
        if pooled.connection.progress() != Progress::Clean {
            return;
        }
        let now = pooled.connection.last_used();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that a close either counted before this or finds the connection.
        if pooled.closed_before == self.closed.load(Ordering::Relaxed) {
            idle.push_back(pooled);
        }
        // One at a time will do: connections come back far more often than they are made.
        let surplus = match idle.front() {
            Some(bottom) if bottom.has_idled_too_long(now) => idle.pop_front(),
            _ => None,
        };
        drop(idle);
        drop(surplus); // Closed outside of the lock.
    }

    /// A new connection, to the first of the server's addresses that takes it. They share the time.
    fn connect(&self, deadline: &mut Deadline) -> Result<Pooled, Fault> {
        let closed_before = self.closed.load(Ordering::Relaxed);
        let started = Instant::now();
        deadline.remaining(started)?;
        let limit = match self.options.connect_timeout {
            // Where it is longer than the operation's own time, the call may take both.
            Some(timeout) if timeout > deadline.timeout() => Deadline::after(timeout, started),
            Some(timeout) => deadline.min(Deadline::after(timeout, started)),
            None => *deadline,
        };
        let too_late = || Fault::ConnectTimeout(limit.timeout());
        let addresses = match self.resolver.resolve(limit) {
            Err(Fault::Timeout) => return Err(too_late()),
            addresses => addresses?,
        };
        let mut failed = None;
        for (tried, address) in addresses.iter().enumerate() {
            let left = limit.remaining(Instant::now()).map_err(|_| too_late())?;
            let share = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
            match Stream::connect(*address, left.map(|left| left / share)) {
                Ok(stream) => {
                    if limit.timeout() > deadline.timeout() {
                        *deadline = deadline.postponed(started.elapsed());
                    }
                    return Ok(Pooled {
                        connection: Connection::new(stream),
                        closed_before,
                    });
                }
                Err(error) => failed = Some(error),
            }
        }
        match (failed, limit.remaining(Instant::now())) {
            (Some(error), Ok(_)) => Err(Fault::Connect(error)),
            _ => Err(too_late()),
        }
    }
}
