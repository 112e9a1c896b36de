use super::{ENOUGH, Pool};
use crate::conn::connection::{Connection, Progress};
use crate::conn::deadline::{Deadline, Expired};
use crate::conn::fault::Fault;
use crate::conn::ledger::End;
use std::ops::Deref;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// A pool as those have it who use a connection: borrowed for the time of a call, or shared where
/// there is no telling how long.
pub(in crate::conn) trait Hold: Deref<Target = Pool> + Clone + Send {}

impl<P: Deref<Target = Pool> + Clone + Send> Hold for P {}

/// A connection taken out of the pool. Unless it is [put back](Self::put) it is closed.
#[derive(Debug)]
pub(in crate::conn) struct Lease<P: Hold> {
    pub(super) pooled: Pooled,
    permit: Permit<P>,
}

/// An exchange of one request that failed.
pub(in crate::conn) struct Failed<P: Hold> {
    pub(in crate::conn) fault: Fault,
    pub(in crate::conn) lease: Lease<P>,
    /// What the [ledger](crate::conn::ledger::Ledger::heard) said before it was sent.
    pub(in crate::conn) heard: u64,
    pub(in crate::conn) is_in_doubt: bool,
}

/// How a connection is taken up.
#[derive(Debug, Clone, Copy)]
pub(in crate::conn) struct Opening {
    pub(in crate::conn) purpose: Purpose,
    /// Whether the server is to be asked in any case.
    pub(in crate::conn) insists: bool,
    /// Whether the server has just refused a connection, so that one that is there has to do.
    pub(in crate::conn) was_turned_away: bool,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::conn) enum Purpose {
    Request,
    /// To find out whether a server is back, and then for a request.
    Probe,
    /// To find out whether a server answers, and for nothing else.
    Check,
}

impl<P: Hold> Lease<P> {
    pub(in crate::conn) fn connection(&mut self) -> &mut Connection {
        &mut self.pooled.connection
    }

    /// How long the server was waited for since the batch began.
    pub(in crate::conn) fn waited(&self) -> Duration {
        self.pooled.connection.waited()
    }

    pub(in crate::conn) fn progress(&self) -> Progress {
        self.pooled.connection.progress
    }

    /// Whether it may have been closed because of the question what the server speaks.
    pub(in crate::conn) fn is_just_asked(&self) -> bool {
        self.pooled.connection.is_just_asked()
    }

    /// An idle connection that is still good.
    pub(in crate::conn) fn idle(pool: &P, now: Instant) -> Option<Self> {
        loop {
            let pooled = pool.connections().idle.pop_back()?;
            if let Some(lease) = Self::take(pool, pooled, now) {
                return Some(lease);
            }
        }
    }

    /// What was taken out of the idle ones, unless it is not good any more.
    fn take(pool: &P, pooled: Pooled, now: Instant) -> Option<Self> {
        let permit = Permit::new(pool);
        let mut lease = Self { pooled, permit };
        let connection = lease.connection();
        let idle = now.saturating_duration_since(connection.last_used());
        if idle > pool.options.idle_timeout {
            connection.account.end = End::Idle;
            return None;
        }
        if !connection.is_usable(idle) {
            connection.account.end = End::Stale;
            pool.remember_text(false);
            return None;
        }
        connection.account.end = End::Abandoned;
        Some(lease)
    }

    /// A connection: a new one; or, when there may be no more, the next that comes back, and then
    /// the second value is `true`. The wait for it is not the server's.
    pub(in crate::conn) fn open(
        pool: &P,
        deadline: &mut Deadline,
        mut opening: Opening,
    ) -> Result<(Self, bool), Fault> {
        loop {
            let closed_before = match Self::wait(pool, deadline, opening)? {
                Waited::ForIdle(lease) => return Ok((lease, true)),
                Waited::ForPermit { closed_before } => closed_before,
            };
            let permit = Permit::new(pool);
            match pool.connect(deadline, opening) {
                Ok(connection) => {
                    let mut connection = Box::new(connection);
                    connection.account.open(&pool.ledger);
                    let pooled = Pooled {
                        connection,
                        closed_before,
                    };
                    return Ok((Self { pooled, permit }, false));
                }
                Err(Fault::TooManyConnections) => {
                    if !permit.turned_away() {
                        return Err(Fault::TooManyConnections);
                    }
                    opening.was_turned_away = true;
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Waits for a connection that idles, or until another may be made.
    fn wait(pool: &P, deadline: &mut Deadline, opening: Opening) -> Result<Waited<P>, Fault> {
        let max = pool.options.max_connections;
        let mut connections = pool.connections();
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
            if let Some(pooled) = connections.idle.pop_back() {
                drop(connections);
                let now = Instant::now();
                if let Some(lease) = Self::take(pool, pooled, now) {
                    *deadline = deadline.resumed(now);
                    return Ok(Waited::ForIdle(lease));
                }
                connections = pool.connections();
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
                let waited = pool.changed.wait_timeout(connections, left);
                waited.unwrap_or_else(PoisonError::into_inner).0
            } else {
                let waited = pool.changed.wait(connections);
                waited.unwrap_or_else(PoisonError::into_inner)
            };
            connections.waiting -= 1;
        }
    }

    /// Closes it: the server had too many. Whether there are others.
    pub(in crate::conn) fn turned_away(self) -> bool {
        drop(self.pooled);
        self.permit.turned_away()
    }

    /// Gives the connection back to the pool, if its replies were all read.
    pub(in crate::conn) fn put(self) {
        if self.progress() != Progress::Clean {
            return;
        }
        let Self {
            mut pooled,
            mut permit,
        } = self;
        pooled.connection.account.settle();
        pooled.connection.account.end = End::ByClient; // Whether it is closed or not.
        let pool = permit.pool.clone();
        let now = pooled.connection.last_used();
        let options = &pool.options;
        let mut connections = pool.connections();
        // Under the lock, so that a close either counted before this or finds the connection.
        if pooled.closed_before != connections.closed {
            drop(connections);
            drop(pooled); // Before the permit: there is one less only then.
            return;
        }
        permit.is_kept = true;
        connections.idle.push_back(pooled);
        // One at a time will do: connections come back far more often than they are made.
        let count = connections.idle.len();
        let end = match connections.idle.front() {
            _ if count > options.max_idle => Some(End::Surplus),
            Some(bottom) if bottom.has_idled_too_long(now, options.idle_timeout) => Some(End::Idle),
            _ => None,
        };
        let surplus = end.and_then(|end| Some((end, connections.idle.pop_front()?)));
        let someone_waits = connections.waiting > 0;
        drop(connections);
        if someone_waits {
            pool.changed.notify_one();
        }
        if let Some((end, mut surplus)) = surplus {
            surplus.connection.account.end = end;
            drop(surplus); // Closed outside of the lock.
            pool.release(1);
        }
    }
}

/// What a wait for a connection ended with.
enum Waited<P: Hold> {
    ForIdle(Lease<P>),
    /// One more may be made; it is counted already.
    ForPermit {
        closed_before: u64,
    },
}

/// A connection, and how often the pool had been closed when it was made.
#[derive(Debug)]
pub(super) struct Pooled {
    /// In a box, which moves cheaply: each call takes it out of a list and puts it back.
    pub(super) connection: Box<Connection>,
    pub(super) closed_before: u64,
}

impl Pooled {
    pub(super) fn has_idled_too_long(&self, now: Instant, limit: Duration) -> bool {
        now.saturating_duration_since(self.connection.last_used()) > limit
    }
}

/// The right to have one connection.
#[derive(Debug)]
struct Permit<P: Hold> {
    pool: P,
    /// Whether the connection lives on in the pool.
    is_kept: bool,
}

impl<P: Hold> Permit<P> {
    fn new(pool: &P) -> Self {
        Self {
            pool: pool.clone(),
            is_kept: false,
        }
    }

    /// The server had too many connections for this one; whether there are others.
    fn turned_away(mut self) -> bool {
        self.is_kept = true; // It is counted here.
        self.pool.turned_away()
    }
}

impl<P: Hold> Drop for Permit<P> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.pool.release(1);
        }
    }
}
