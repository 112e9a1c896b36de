use super::histogram::Histogram;
use crate::error::{Error, Kind};
use crate::protocol::{Reply, Status};
use std::ops::AddAssign;
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
    /// A value.
    pub(super) fn hit(&mut self) {
        self.all += 1;
        self.hits += 1;
    }

    /// A reply to a request that `reads` a value, or to another.
    pub(super) fn reply(&mut self, reads: bool, reply: &Reply<'_>) {
        match reply {
            Reply::Status(Status::NotFound) if reads => self.misses += 1,
            Reply::Refused(_) => self.refused += 1,
            _ => {}
        }
        self.all += 1;
    }
}

impl AddAssign for Answers {
    fn add_assign(&mut self, other: Self) {
        self.all += other.all;
        self.hits += other.hits;
        self.misses += other.misses;
        self.refused += other.refused;
    }
}

/// What a call did on its connection: counted where no other thread looks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) answers: Answers,
    /// Bytes.
    pub(super) sent: u64,
    pub(super) received: u64,
    /// How long the exchange took, if it was completed.
    pub(super) latency: Option<Duration>,
}

impl Tally {
    /// What was answered was a step of a call: whatever it was, the call may go on, and is counted at its
    /// end.
    pub(super) fn be_step(&mut self) {
        self.answers = Answers::default();
        self.latency = None;
    }
}

/// What was done with a server since its pool was made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    /// Requests answered or failed.
    pub(crate) operations: u64,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) errors: ErrorCounts,
    /// Failures that were told as misses.
    pub(crate) missed: u64,
    /// Bytes.
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// Connections.
    pub(crate) made: u64,
    pub(crate) retries: u64,
    pub(super) latencies: Histogram,
}

impl Totals {
    pub(super) fn add(&mut self, tally: &Tally) {
        let answers = tally.answers;
        self.operations += answers.all;
        self.hits += answers.hits;
        self.misses += answers.misses;
        self.errors.server += answers.refused;
        self.sent += tally.sent;
        self.received += tally.received;
        if let Some(latency) = tally.latency {
            self.latencies.record(latency);
        }
    }

    /// A call that was made in steps is over.
    pub(super) fn succeed(&mut self, latency: Option<Duration>) {
        self.operations += 1;
        if let Some(latency) = latency {
            self.latencies.record(latency);
        }
    }

    /// So many requests of an exchange failed.
    pub(super) fn fail(&mut self, requests: u64, error: &Error, latency: Option<Duration>) {
        self.operations += requests;
        *self.errors.of(error) += requests;
        if let Some(latency) = latency {
            self.latencies.record(latency);
        }
    }
}
