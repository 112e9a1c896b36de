use super::histogram::Latency;
use super::tally::{Answers, Tally, Totals};
use crate::error::Error;
use crate::event::{Closed, Event, Hook};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is counted of a server, and who is told of what happens to its connections.
///
/// Calls count on their connections, and add that here as they give them back: the lock is held for
/// some additions, and never while somebody is told.
#[derive(Debug)]
pub(super) struct Ledger {
    server: String,
    hook: Hook,
    totals: Mutex<Totals>,
    /// How often anything was read from the server, on any connection.
    heard: AtomicU64,
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

impl Ledger {
    pub(super) fn new(server: &str, hook: Hook) -> Self {
        Self {
            server: server.to_owned(),
            hook,
            totals: Mutex::default(),
            heard: AtomicU64::new(0),
        }
    }

    pub(super) fn totals(&self) -> MutexGuard<'_, Totals> {
        // Nothing panics while it is held.
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that is another as soon as anything has come from the server since.
    pub(super) fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    /// All begins again on a new connection.
    pub(super) fn retried(&self) {
        self.totals().retries += 1;
        let server = &self.server;
        self.hook.tell(&Event::Retried { server });
    }

    /// So many requests of an exchange failed.
    pub(super) fn failed(&self, requests: u64, error: &Error, latency: Option<Duration>) {
        self.totals().fail(requests, error, latency);
    }

    /// A call that was made in steps is over.
    pub(super) fn counted(&self, outcome: Result<(), &Error>, latency: Option<Duration>) {
        match outcome {
            Ok(()) => self.totals().succeed(latency),
            Err(error) => self.totals().fail(1, error, latency),
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

/// A connection's part of the ledger. What is dropped with its connection, on whatever way, is counted
/// and told: once for each that was opened.
#[derive(Debug)]
pub(super) struct Account {
    /// `None` until the connection can be used.
    ledger: Option<Arc<Ledger>>,
    pub(super) tally: Tally,
    /// What is told if it is dropped now.
    pub(super) end: End,
}

impl Account {
    pub(super) fn new() -> Self {
        Self {
            ledger: None,
            tally: Tally::default(),
            end: End::Abandoned,
        }
    }

    /// The connection is made: what was asked on it until now was no request of the program.
    pub(super) fn open(&mut self, ledger: &Arc<Ledger>) {
        self.tally.answers = Answers::default();
        self.ledger = Some(Arc::clone(ledger));
        ledger.totals().made += 1;
        let server = &ledger.server;
        ledger.hook.tell(&Event::Connected { server });
    }

    /// Something came on it.
    pub(super) fn hear(&self) {
        if let Some(ledger) = &self.ledger {
            ledger.heard.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The connection is of no use any more.
    pub(super) fn fail(&mut self, error: Error) {
        let error = match &self.ledger {
            Some(ledger) => error.on(&ledger.server),
            None => error,
        };
        self.end = End::Failed(error);
    }

    /// Adds what was counted.
    pub(super) fn settle(&mut self) {
        if let Some(ledger) = &self.ledger {
            ledger.totals().add(&std::mem::take(&mut self.tally));
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.settle();
        if let Some(ledger) = &self.ledger {
            ledger.hook.tell(&Event::Closed {
                server: &ledger.server,
                reason: self.end.reason(),
            });
        }
    }
}
