//! What requests say besides their keys, as it goes over the wire.

use crate::meta_options::{RawFlags, Wanted};

/// Under which condition an item is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Set,
    /// Only if the key is not there.
    Add,
    /// Only if it is.
    Replace,
    Append,
    Prepend,
    /// Only if the item still has this cas id.
    Cas(u64),
}

impl Mode {
    /// The operation, for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Append => "append",
            Self::Prepend => "prepend",
            Self::Cas(_) => "compare_and_swap",
        }
    }
}

/// Which way to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

impl Direction {
    /// The operation, for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Up => "incr",
            Self::Down => "decr",
        }
    }
}

/// What a counter that is not there is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Initial {
    pub(crate) value: u64,
    pub(crate) exptime: u32,
}

/// What few meta commands say: apart, so that requests stay small.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct More {
    /// The cas id that the item is to have then.
    pub(crate) new_cas: Option<u64>,
    /// Of a set that appends or prepends: the expiry of what is made where there is nothing.
    pub(crate) vivify: Option<u32>,
    /// Whether a set asks for the size of the value.
    pub(crate) return_size: bool,
    /// The program's own.
    pub(crate) flags: RawFlags,
}

impl More {
    /// Whether a set asks for the size: where it may make the item, too. A server that does not know
    /// the one flag does not know the other, and that it says nothing of the size tells so.
    pub(super) fn asks_for_size(&self) -> bool {
        self.return_size || self.vivify.is_some()
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct GetOptions<'a> {
    pub(crate) wanted: Wanted,
    pub(crate) touch: Option<u32>,
    pub(crate) vivify: Option<u32>,
    pub(crate) recache: Option<u32>,
    /// The value is not wanted if the item has this cas id.
    pub(crate) unless_cas: Option<u64>,
    pub(crate) more: Option<&'a More>,
}

impl GetOptions<'_> {
    /// Whether it can be told that it is the one to compute the value: asking twice loses that.
    pub(crate) fn may_win(&self) -> bool {
        self.vivify.is_some() || self.recache.is_some() || has_raw(self.more)
    }

    /// Whether asking twice gives the same answer. The first of two makes it so that the item was hit
    /// before, and when; unless it leaves no trace.
    pub(crate) fn is_idempotent(&self) -> bool {
        let leaves_trace = !self.wanted.has(b'u');
        let shows_traces = self.wanted.has(b'h') || self.wanted.has(b'l');
        !(self.may_win() || leaves_trace && shows_traces)
    }

    /// Whether it changes the item, or makes one.
    pub(crate) fn changes(&self) -> bool {
        self.touch.is_some() || self.may_win()
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct SetOptions<'a> {
    /// Not `Cas`: any of the others can have a cas id.
    pub(crate) mode: Mode,
    pub(crate) cas: Option<u64>,
    pub(crate) invalidate: bool,
    pub(crate) return_cas: bool,
    pub(crate) more: Option<&'a More>,
}

impl SetOptions<'_> {
    /// Whether storing twice is the same as storing once.
    pub(crate) fn is_idempotent(&self) -> bool {
        self.mode == Mode::Set && self.cas.is_none() && !self.invalidate && !has_raw(self.more)
    }

    pub(super) fn asks_for_size(&self) -> bool {
        self.more.is_some_and(More::asks_for_size)
    }

    /// Whether it is a plain set that asks for the cas id, which the binary protocol has, too.
    pub(crate) fn is_plain_set(&self) -> bool {
        self.is_idempotent() && self.return_cas && self.more.is_none()
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DeleteOptions<'a> {
    pub(crate) cas: Option<u64>,
    pub(crate) invalidate: bool,
    pub(crate) exptime: Option<u32>,
    pub(crate) tombstone: bool,
    pub(crate) more: Option<&'a More>,
}

impl DeleteOptions<'_> {
    /// Whether deleting twice is the same as deleting once. Marking as stale is not: somebody may
    /// have won in between.
    pub(crate) fn is_idempotent(&self) -> bool {
        self.cas.is_none() && !self.invalidate && !has_raw(self.more)
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct ArithmeticOptions<'a> {
    pub(crate) direction: Direction,
    pub(crate) delta: u64,
    pub(crate) initial: Option<Initial>,
    pub(crate) touch: Option<u32>,
    pub(crate) cas: Option<u64>,
    pub(crate) wanted: Wanted,
    pub(crate) more: Option<&'a More>,
}

/// Whether there are flags of the program's own, of which nobody here knows what they do.
fn has_raw(more: Option<&More>) -> bool {
    more.is_some_and(|more| !more.flags.is_empty())
}
