//! Python's pickles, as data: None, bool, int, float, str, bytes, bytearray, list, tuple, dict, set
//! and frozenset. No name in a pickle is looked up and nothing is called, so none can run code.
//!
//! Read is any of the protocols 0 to 5; written is 2, the newest that Python 2 and 3 both know.
//!
//! Source: the comments in CPython's `Lib/pickletools.py`, which describe every opcode.

#[cfg(feature = "pickle")]
mod expand;
#[cfg(feature = "pickle")]
mod literal;
#[cfg(feature = "pickle")]
mod machine;
#[cfg(feature = "pickle")]
mod opcode;
#[cfg(all(test, feature = "pickle"))]
mod tests;
#[cfg(feature = "pickle")]
mod write;

use super::decoded::Decoded;
#[cfg(feature = "pickle")]
use super::msgpack::Document;
use super::msgpack::MAX_DEPTH;
use super::transcoder::{AsBytes, Object, Value};
#[cfg(feature = "pickle")]
use super::tree::Tree;
use crate::error::{Error, Kind};
use serde::Serialize;

/// Why a pickle is not plain data. `Display` goes on from "the item is a Python pickle".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(
    not(feature = "pickle"),
    expect(dead_code, reason = "all but the first are found by reading it")
)]
pub(super) enum Refused {
    #[cfg(not(feature = "pickle"))]
    #[error("which needs the feature pickle of moecache")]
    Feature,
    #[error("that is cut short")]
    Truncated,
    #[error("that is followed by other bytes")]
    Trailing,
    #[error("with an opcode in it, {0:#04x}, that is not known")]
    Opcode(u8),
    #[error("of protocol {0}; known are 0 to 5")]
    Protocol(u8),
    #[error("whose opcodes do not fit together")]
    Incoherent,
    #[error("with a number in it that is none")]
    Number,
    #[error("with an integer in it of more than 128 bits")]
    Wide,
    #[error("with text in it that is not Unicode")]
    Text,
    #[error("that nests deeper than {MAX_DEPTH} levels, or holds itself")]
    TooDeep,
    #[error("that repeats parts of it to more than the {0} bytes of max_decompressed_size")]
    TooLarge(usize),
    #[error("with {0} in it: not plain data; not executed")]
    Object(String),
}

/// The value of a pickle. `limit` is how many bytes it may have in parts that are written once and
/// used again.
///
/// All but bytes are read as MessagePack is, so that a str that was a char, or the name of a
/// variant, can be read as one.
#[cfg(feature = "pickle")]
pub(super) fn read(data: &[u8], limit: usize) -> Result<Decoded, Refused> {
    match load(data, limit)? {
        Tree::Bytes(bytes) => Ok(Decoded::Bytes(bytes)),
        tree => Document::of(&tree)
            .map(Decoded::Object)
            .map_err(|_| Refused::TooDeep),
    }
}

#[cfg(feature = "pickle")]
fn load(data: &[u8], limit: usize) -> Result<Tree, Refused> {
    let (graph, root) = machine::run(data, limit)?;
    expand::expand(&graph, root, limit)
}

#[cfg(not(feature = "pickle"))]
pub(super) fn read(_: &[u8], _: usize) -> Result<Decoded, Refused> {
    Err(Refused::Feature)
}

/// A pickle of what the transcoder is given.
pub(super) fn of(value: Value<'_>) -> Result<Vec<u8>, Error> {
    match value {
        Value::Null => ().to_pickle(),
        Value::Bool(value) => value.to_pickle(),
        Value::F32(value) => value.to_pickle(),
        Value::F64(value) => value.to_pickle(),
        Value::Char(value) => value.to_pickle(),
        Value::Str(value) => value.to_pickle(),
        Value::Bytes(value) => AsBytes(value).to_pickle(),
        Value::Object(value) => value.to_pickle(),
        _ => match value.integer() {
            Some(number) => number.to_pickle(),
            None => Err(Error::new(Kind::Encode, NO_DATE_TIME)),
        },
    }
}

/// What is left of [`Value`]'s list.
pub(super) const NO_DATE_TIME: &str = "Python has no form of a .NET DateTime";

/// What implements [`Object::to_pickle`].
#[cfg(feature = "pickle")]
pub(super) fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    write::to_vec(value)
}

#[cfg(not(feature = "pickle"))]
pub(super) fn to_vec<T: Serialize + ?Sized>(_: &T) -> Result<Vec<u8>, Error> {
    let reason =
        "the value is stored as a Python pickle, which needs the feature pickle of moecache";
    Err(Error::new(Kind::Encode, reason))
}
