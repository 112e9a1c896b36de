//! What the requests of the meta protocol say besides their keys, as it goes over the wire.

use super::request::{Direction, Initial, Mode};
use crate::meta::Wanted;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct GetOptions {
    pub(crate) wanted: Wanted,
    pub(crate) touch: Option<u32>,
    pub(crate) vivify: Option<u32>,
    pub(crate) recache: Option<u32>,
}

impl GetOptions {
    /// Whether it can be told that it is the one to compute the value: asking twice loses that.
    pub(crate) fn may_win(&self) -> bool {
        self.vivify.is_some() || self.recache.is_some()
    }

    /// Whether asking twice gives the same answer. The first of two makes it so that the item was hit
    /// before, and when; unless it leaves no trace.
    pub(crate) fn is_repeatable(&self) -> bool {
        let leaves_trace = !self.wanted.has(b'u');
        let shows_traces = self.wanted.has(b'h') || self.wanted.has(b'l');
        !(self.may_win() || leaves_trace && shows_traces)
    }

    /// Whether it changes the item, or makes one.
    pub(crate) fn changes(&self) -> bool {
        self.touch.is_some() || self.may_win()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SetOptions {
    /// Not `Cas`: any of the others can have a cas id.
    pub(crate) mode: Mode,
    pub(crate) cas: Option<u64>,
    pub(crate) invalidate: bool,
    pub(crate) return_cas: bool,
}

impl SetOptions {
    /// Whether storing twice is the same as storing once.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.mode == Mode::Set && self.cas.is_none() && !self.invalidate
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct DeleteOptions {
    pub(crate) cas: Option<u64>,
    pub(crate) invalidate: bool,
    pub(crate) exptime: Option<u32>,
    pub(crate) tombstone: bool,
}

impl DeleteOptions {
    /// Whether deleting twice is the same as deleting once. Marking as stale is not: somebody may
    /// have won in between.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.cas.is_none() && !self.invalidate
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ArithmeticOptions {
    pub(crate) direction: Direction,
    pub(crate) delta: u64,
    pub(crate) initial: Option<Initial>,
    pub(crate) touch: Option<u32>,
    pub(crate) cas: Option<u64>,
    pub(crate) wanted: Wanted,
}
