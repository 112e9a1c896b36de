//! Ruby's Marshal 4.8, as data: nil, true, false, Integer, Float, String, Symbol, Array and Hash.
//! Whatever else is in it is refused by name: no class is looked up, and nothing is called.
//!
//! Source: "Marshal Format" in Ruby's documentation (`doc/marshal.rdoc`), and its `marshal.c`.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub(super) use read::read;
pub(super) use write::write;

use super::fault::unstorable;
use super::msgpack::MAX_DEPTH;
use super::to_tree::primitive;
use super::transcoder::Value;
use crate::error::Error;

const VERSION: [u8; 2] = [4, 8];

/// What the transcoder is given, in Marshal.
pub(super) fn of(value: Value<'_>) -> Result<Vec<u8>, Error> {
    match (value, primitive(value)) {
        (Value::Object(value), _) => value.to_marshal(),
        (_, Some(tree)) => write(&tree),
        _ => Err(unstorable(
            "Ruby's Time is no plain data: store the seconds of the DateTime, or text",
        )),
    }
}

/// Why bytes are not plain data in Marshal. `Display` goes on from "the item is a Ruby object".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("in a version of Marshal other than 4.8")]
    Version,
    #[error("that is cut short")]
    Truncated,
    #[error("that is followed by other bytes")]
    Trailing,
    #[error("that is malformed")]
    Malformed,
    #[error("with an integer in it of more than 128 bits")]
    Wide,
    #[error("that nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("that holds itself")]
    HoldsItself,
    #[error("of more than {0} bytes, which max_decompressed_size does not allow")]
    TooLarge(usize),
    #[error("with {0} in it: not plain data; not executed")]
    Object(String),
}
