use super::{Ttl, Wanted};
use crate::expiry::Expiry;

/// How [`Client::meta_arithmetic`](crate::Client::meta_arithmetic) counts.
///
/// Source: "Meta Arithmetic" in memcached's `doc/protocol.txt`; each setter names its flag there.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct MetaArithmetic {
    pub(crate) down: bool,
    pub(crate) delta: u64,
    pub(crate) initial: Option<(u64, Expiry)>,
    pub(crate) touch: Option<Expiry>,
    pub(crate) cas: Option<u64>,
    pub(crate) wanted: Wanted,
}

impl MetaArithmetic {
    /// Adds `delta`; past 2^64 - 1 it goes on from 0.
    pub fn up(delta: u64) -> Self {
        Self {
            down: false,
            delta,
            initial: None,
            touch: None,
            cas: None,
            wanted: Wanted::default(),
        }
    }

    /// Takes `delta` away; it stops at 0 (`MD`).
    pub fn down(delta: u64) -> Self {
        Self {
            down: true,
            ..Self::up(delta)
        }
    }

    /// Makes a counter that is not there: it counts `value` then, until `expiry` (`N` and `J`).
    pub fn initial(mut self, value: u64, expiry: impl Into<Expiry>) -> Self {
        self.initial = Some((value, expiry.into()));
        self
    }

    /// Gives the counter a new expiry (`T`).
    pub fn touch(mut self, expiry: impl Into<Expiry>) -> Self {
        self.touch = Some(expiry.into());
        self
    }

    /// Only if the item still has this cas id (`C`). 0 is none: memcached takes it for no condition,
    /// so that it is an error.
    pub fn cas(mut self, id: u64) -> Self {
        self.cas = Some(id);
        self
    }

    /// Asks for the cas id that the counter has then: [`MetaCounter::cas`] (`c`).
    pub fn return_cas(mut self) -> Self {
        self.wanted = self.wanted.with(b'c');
        self
    }

    /// Asks how long the counter has left: [`MetaCounter::ttl`] (`t`).
    pub fn return_ttl(mut self) -> Self {
        self.wanted = self.wanted.with(b't');
        self
    }
}

/// What came of [`Client::meta_arithmetic`](crate::Client::meta_arithmetic).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
#[non_exhaustive]
pub enum MetaArithmeticOutcome {
    /// It counted, or made the counter.
    Counted(MetaCounter),
    /// The item has another cas id, and was left as it is.
    Changed,
    /// The key is not there.
    Missing,
}

/// A counter, after [`Client::meta_arithmetic`](crate::Client::meta_arithmetic).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct MetaCounter {
    /// What it counts now.
    pub count: u64,
    /// The cas id, where [`MetaArithmetic::return_cas`] asks for it.
    pub cas: Option<u64>,
    /// How long it has left, where [`MetaArithmetic::return_ttl`] asks for it.
    pub ttl: Option<Ttl>,
}

impl MetaCounter {
    pub(crate) fn new(count: u64, cas: Option<u64>, ttl: Option<Ttl>) -> Self {
        Self { count, cas, ttl }
    }
}
