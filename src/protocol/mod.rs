//! What goes over the wire and what comes back, as bytes: nothing here holds a socket. May use the
//! leaves only.
//!
//! [`Window::encode`] writes as many requests as may be on their way at once, [`Decoder`] reads their
//! replies; `text`, `meta` and `binary` are the three protocols below them.

mod binary;
mod codec;
mod decoder;
mod dialect;
mod ends;
mod lines;
mod meta;
mod meta_line;
mod options;
mod output;
mod raw;
mod raw_reply;
#[cfg(any(test, fuzzing))]
pub(crate) mod replay;
mod reply;
mod request;
mod text;
mod values;
mod window;

pub(crate) use decoder::{Bounds, Decoder};
pub(crate) use dialect::Dialect;
pub(crate) use options::{
    ArithmeticOptions, DeleteOptions, Direction, GetOptions, Initial, Mode, More, SetOptions,
};
pub(crate) use output::{MAX_PARTS, Output};
pub(crate) use raw::{Expected, RawLine};
pub use reply::{Counter, Hit, Line, Lines, Refused, Reply, SetReply, Status};
pub(crate) use reply::{Excerpt, Malformed, Step, ValueHeader};
pub(crate) use request::{Confidential, Request, StatsArguments, Walk};
pub(crate) use window::{Limits, Window};
