//! What is asked of a store, and what it says to it.

use super::items::Marks;
use super::slabs::{class_of, item_size};

/// A storage command whose line was accepted.
#[derive(Debug)]
pub(crate) struct Storage {
    pub(crate) verb: Verb,
    pub(crate) key: Vec<u8>,
    pub(crate) flags: u32,
    /// On the store's own clock, see [`Store::expiry`](super::Store::expiry).
    pub(crate) exptime: u32,
    /// The cas id that the item must have; 0 is any, except for [`Verb::Cas`], to which it is none.
    pub(crate) cas: u64,
    /// An item with a newer cas id is replaced too, and the new one is stale.
    pub(crate) may_be_stale: bool,
    pub(crate) marks: Marks,
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
    Cas,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreOutcome {
    /// And its cas id.
    Stored(u64),
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

/// A number after it was changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) number: u64,
    pub(crate) cas: u64,
    /// It has more digits than before, so that there is a new item for it.
    pub(crate) is_longer: bool,
}

/// What incr and decr come to, when they cannot count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Uncounted {
    NotFound,
    NotANumber,
    Exists,
}

/// A number to add or take away.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delta {
    pub(crate) direction: Direction,
    pub(crate) amount: u64,
    /// The cas id that the item must have; 0 is any.
    pub(crate) cas: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeleteOutcome {
    Deleted,
    NotFound,
    Exists,
}
