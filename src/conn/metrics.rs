use super::histogram::{Histogram, Latency};
use crate::error::{Error, Kind};
use crate::event::{Closed, Event, Hook};
use crate::protocol::{Reply, Status};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Requests that failed, by how they did: part of [`ServerMetrics`](crate::ServerMetrics). Each counts
/// once.
///
/// What did not come from the way to a server or from the server is in none of them: keys and values
/// that were refused before they were sent, what the server's protocol
/// [cannot say](Error::is_unsupported), and values that cannot be decoded. Nor is an answer that is no
/// error of the server's, such as "not found".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ErrorCounts {
    /// [`is_connect`](Error::is_connect): it was tried, and no connection could be made, or not in
    /// time.
    pub connect: u64,
    /// [`is_down`](Error::is_down): the server had failed before, and was not tried.
    pub down: u64,
    /// [`is_timeout`](Error::is_timeout), other than while connecting.
    pub timeout: u64,
    /// [`is_io`](Error::is_io), other than while connecting: the connection was lost.
    pub io: u64,
    /// [`is_protocol`](Error::is_protocol): the server broke the protocol.
    pub protocol: u64,
    /// [`is_server`](Error::is_server): the server answered with an error.
    pub server: u64,
    /// All others, such as a refused [login](Error::is_authentication).
    pub other: u64,
}

impl ErrorCounts {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        // Taken apart by name, so that none can be forgotten.
        let Self {
            connect,
            down,
            timeout,
            io,
            protocol,
            server,
            other,
        } = self;
        connect + down + timeout + io + protocol + server + other
    }

    fn of(&mut self, error: &Error) -> &mut u64 {
        match error.kind() {
            Kind::Connect | Kind::ConnectTimeout => &mut self.connect,
            Kind::Down => &mut self.down,
            Kind::Timeout => &mut self.timeout,
            Kind::Io => &mut self.io,
            Kind::Protocol => &mut self.protocol,
            Kind::Server => &mut self.server,
            _ => &mut self.other,
        }
    }
}

/// Requests that were answered.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Answers {
    pub(super) all: u64,
    pub(super) hits: u64,
    pub(super) misses: u64,
    pub(super) refused: u64,
}

impl Answers {
    /// Counts a value.
    #[inline]
    pub(super) fn hit(&mut self) {
        (self.all, self.hits) = (self.all + 1, self.hits + 1);
    }

    /// Counts any other reply, to a request that `reads` a value or does not.
    pub(super) fn count(&mut self, reads: bool, reply: &Reply<'_>) {
        match reply {
            Reply::Status(Status::NotFound) if reads => self.misses += 1,
            Reply::Refused(_) => self.refused += 1,
            _ => {}
        }
        self.all += 1;
    }
}

/// What a call did on its connection: counted where no other thread looks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) answers: Answers,
    /// Bytes.
    pub(super) sent: u64,
    pub(super) received: u64,
    /// How long the exchange took, if it was completed.
    pub(super) latency: Option<Duration>,
}

/// What was done with a server since its pool was made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    /// Requests answered or failed.
    pub(crate) operations: u64,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) errors: ErrorCounts,
    /// Failures that the caller saw as misses.
    pub(crate) missed: u64,
    /// Bytes.
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// Connections.
    pub(crate) made: u64,
    pub(crate) retries: u64,
    pub(super) latencies: Histogram,
}

/// The metrics of a server, and the hook that takes the events of its connections.
///
/// Calls count on their connections, and add that here as they give them back: the lock is held for
/// some additions, and never while an event is delivered.
#[derive(Debug)]
pub(super) struct Metrics {
    server: String,
    hook: Hook,
    totals: Mutex<Totals>,
    /// How often anything was read from the server, on any connection.
    pub(super) reads: AtomicU64,
}

/// A server's [`Totals`], and its connections at that moment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) totals: Totals,
    pub(crate) open: usize,
    pub(crate) idle: usize,
}

impl Snapshot {
    pub(crate) fn latency(&self) -> Latency {
        self.totals.latencies.latency()
    }
}

impl Metrics {
    pub(super) fn new(server: &str, hook: Hook) -> Self {
        Self {
            server: server.to_owned(),
            hook,
            totals: Mutex::default(),
            reads: AtomicU64::new(0),
        }
    }

    pub(super) fn totals(&self) -> MutexGuard<'_, Totals> {
        // Nothing panics while it is held.
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often anything has been read from the server, on any connection.
    pub(super) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// All begins again on a new connection.
    pub(super) fn retried(&self) {
        self.totals().retries += 1;
        let server = &self.server;
        self.hook.tell(&Event::Retried { server });
    }

    /// So many requests succeeded or failed, by themselves or as a call that was made in steps.
    pub(super) fn counted(
        &self,
        requests: u64,
        outcome: Result<(), &Error>,
        latency: Option<Duration>,
    ) {
        let mut totals = self.totals();
        totals.operations += requests;
        if let Err(error) = outcome {
            *totals.errors.of(error) += requests;
        }
        if let Some(latency) = latency {
            totals.latencies.record(latency);
        }
    }

    /// The caller sees a miss in place of this error.
    pub(super) fn missed(&self, error: &Error) {
        self.totals().missed += 1;
        let server = &self.server;
        self.hook.tell(&Event::Missed { server, error });
    }
}

/// Why a connection is closed, where it is: see [`Closed`].
#[derive(Debug)]
pub(super) enum End {
    Failed(Error),
    Stale,
    Idle,
    Surplus,
    ByClient,
    Abandoned,
}

impl End {
    fn reason(&self) -> Closed<'_> {
        match self {
            Self::Failed(error) => Closed::Failed(error),
            Self::Stale => Closed::Stale,
            Self::Idle => Closed::Idle,
            Self::Surplus => Closed::Surplus,
            Self::ByClient => Closed::ByClient,
            Self::Abandoned => Closed::Abandoned,
        }
    }
}

/// A connection's part of the metrics. What it counted is added when it is dropped with its connection, in
/// whichever way, and the event is sent: once for each that was opened.
#[derive(Debug)]
pub(super) struct Meter {
    /// `None` until the connection can be used.
    pub(super) metrics: Option<Arc<Metrics>>,
    pub(super) counts: Counts,
    /// The reason in the event if it is dropped now.
    pub(super) end: End,
}

impl Meter {
    pub(super) fn new() -> Self {
        Self {
            metrics: None,
            counts: Counts::default(),
            end: End::Abandoned,
        }
    }

    /// The connection is made: what was asked on it until now was no request of the program.
    pub(super) fn open(&mut self, metrics: &Arc<Metrics>) {
        self.counts.answers = Answers::default();
        self.metrics = Some(Arc::clone(metrics));
        metrics.totals().made += 1;
        let server = &metrics.server;
        metrics.hook.tell(&Event::Connected { server });
    }

    /// The connection is of no use any more.
    pub(super) fn fail(&mut self, error: Error) {
        let error = match &self.metrics {
            Some(metrics) => error.on(&metrics.server),
            None => error,
        };
        self.end = End::Failed(error);
    }

    /// Adds what was counted.
    pub(super) fn settle(&mut self) {
        let Some(metrics) = &self.metrics else { return };
        let counts = std::mem::take(&mut self.counts);
        let mut totals = metrics.totals();
        totals.operations += counts.answers.all;
        totals.hits += counts.answers.hits;
        totals.misses += counts.answers.misses;
        totals.errors.server += counts.answers.refused;
        totals.sent += counts.sent;
        totals.received += counts.received;
        if let Some(latency) = counts.latency {
            totals.latencies.record(latency);
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.settle();
        if let Some(metrics) = &self.metrics {
            metrics.hook.tell(&Event::Closed {
                server: &metrics.server,
                reason: self.end.reason(),
            });
        }
    }
}
