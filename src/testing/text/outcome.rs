//! What a command comes to, and the lines that several commands answer with.

use crate::testing::store::{NoRoom, Storage};
use std::borrow::Cow;

pub(super) const KEY_MAX: usize = 250;
pub(super) const BAD_FORMAT: &str = "CLIENT_ERROR bad command line format";
pub(super) const NOT_A_NUMBER: &str =
    "CLIENT_ERROR cannot increment or decrement non-numeric value";
const TOO_LARGE: &str = "SERVER_ERROR object too large for cache";
const NO_MEMORY: &str = "SERVER_ERROR out of memory storing object";

pub(super) enum Outcome {
    /// One line, without its CR LF.
    Line(Cow<'static, str>),
    /// As it is sent; it may be several lines, or nothing.
    Report(Vec<u8>),
    /// As it is sent, and that without waiting for more commands.
    AtOnce(Vec<u8>),
    /// As [`AtOnce`](Self::AtOnce); what was read along with the command is looked at only when
    /// there is more to read.
    Dump(Vec<u8>),
    /// This line, in place of all replies that are still unsent.
    TakeBack(&'static str),
    /// The value of a storage command comes next.
    Data(Storage),
    /// The value of `ms` comes next.
    MetaData(Storage, MetaStored),
    /// This line, and the value that comes next is skipped.
    Swallow {
        text: &'static str,
        length: usize,
    },
    Quit,
    Close,
}

/// The answer of an `ms` once its value is there.
#[derive(Debug)]
pub(super) struct MetaStored {
    pub(super) key: Vec<u8>,
    pub(super) base64: bool,
    pub(super) quiet: bool,
    /// The flags to return, in their order.
    pub(super) returned: Vec<Vec<u8>>,
}

pub(super) type Args<'a> = &'a [&'a [u8]];

pub(super) fn refusal(reason: NoRoom) -> &'static str {
    match reason {
        NoRoom::TooLarge => TOO_LARGE,
        NoRoom::NoMemory => NO_MEMORY,
    }
}

pub(super) fn line(text: &'static str) -> Outcome {
    Outcome::Line(text.into())
}
