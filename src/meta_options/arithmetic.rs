use super::{RawFlags, Ttl, Wanted};
use crate::expiry::Expiry;

/// What `ma` has besides raw flags: setters, and what the client needs for itself.
const KNOWN: &[u8] = b"bcqtvCDEJMNOT";

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
    pub(crate) new_cas: Option<u64>,
    pub(crate) flags: RawFlags,
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
            new_cas: None,
            flags: RawFlags::default(),
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

    /// Gives the item this cas id, in place of the server's next (`E`): for versions that come
    /// from elsewhere, such as a row's in a database. 0 is a validation error of the call: no item has
    /// it.
    ///
    /// memcached has this since 1.6.27; older ones answer with an error, and change nothing.
    pub fn new_cas(mut self, id: u64) -> Self {
        self.new_cas = Some(id);
        self
    }

    /// Sends one more flag, as it is: a letter, and what belongs to it. For those that memcached gets
    /// after this version of the crate, and for those that a proxy reads (`L` and `P`). What the
    /// reply says of it is dropped.
    ///
    /// One word of printable ASCII; the letters of the other setters, and those that the client needs
    /// for itself (`O`, `q`, `b`), are a validation error of the call, and so are more than 64 bytes
    /// in all. A call with such flags is never repeated: nobody here knows what they do.
    pub fn raw_flag(mut self, flag: &str) -> Self {
        self.flags = self.flags.with(flag, KNOWN);
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
