//! What the meta commands ask for and give: memcached's `doc/protocol.txt`, "Meta Commands". May use
//! leaves only.

mod arithmetic;
mod get;
mod raw;
mod store;

pub use arithmetic::{MetaArithmetic, MetaArithmeticOutcome, MetaCounter};
pub use get::{MetaGet, MetaItem};
pub(crate) use raw::RawFlags;
pub use store::{MetaDelete, MetaMode, MetaSet, MetaSetOutcome};

use std::time::Duration;

/// How long an item has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ttl {
    /// It does not expire.
    Never,
    /// It expires after so many whole seconds.
    After(Duration),
}

/// A set of the flags of meta commands that take no token: what is to come back, and `u`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Wanted(u8);

impl Wanted {
    /// In the order in which they are sent.
    const LETTERS: [u8; 8] = *b"uvfcthls";

    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn with(self, letter: u8) -> Self {
        Self(self.0 | Self::bit(letter))
    }

    pub(crate) const fn without(self, letter: u8) -> Self {
        Self(self.0 & !Self::bit(letter))
    }

    pub(crate) const fn has(self, letter: u8) -> bool {
        self.0 & Self::bit(letter) != 0
    }

    /// Whether all of these are in `other`, too.
    pub(crate) const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    pub(crate) fn letters(self) -> impl Iterator<Item = u8> {
        Self::LETTERS.into_iter().filter(move |&it| self.has(it))
    }

    /// Its bit; none for what is not one of these flags.
    const fn bit(letter: u8) -> u8 {
        let mut at = 0;
        while at < Self::LETTERS.len() {
            if Self::LETTERS[at] == letter {
                return 1 << at;
            }
            at += 1;
        }
        0
    }
}
