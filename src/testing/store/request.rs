//! What is asked of a store, and what it says to it.

use super::slabs::{class_of, item_size};

/// A storage command whose line was accepted.
#[derive(Debug)]
pub(crate) struct Storage {
    pub(crate) verb: Verb,
    pub(crate) key: Vec<u8>,
    pub(crate) flags: u32,
    /// On the store's own clock, see [`Store::expiry`](super::Store::expiry).
    pub(crate) exptime: u32,
    /// The number of bytes that follow, without their CR LF.
    pub(crate) length: usize,
}

impl Storage {
    pub(super) fn size(&self) -> usize {
        item_size(&self.key, self.flags, self.length)
    }

    pub(super) fn class(&self) -> u8 {
        class_of(self.size())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Set,
    Add,
    Replace,
    Append,
    Prepend,
    Cas(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreOutcome {
    Stored,
    NotStored,
    Exists,
    NotFound,
}

/// Why an item cannot be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoom {
    TooLarge,
    NoMemory,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

/// What incr and decr come to, when they cannot count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Uncounted {
    NotFound,
    NotANumber,
}
