//! Python's pickles, as data: None, bool, int, float, str, bytes, bytearray, list, tuple, dict, set
//! and frozenset. No name in a pickle is looked up and nothing is called, so none can run code.
//!
//! Read is any of the protocols 0 to 5; written is 2, the newest that Python 2 and 3 both know.
//!
//! Source: the comments in CPython's `Lib/pickletools.py`, which describe every opcode.

#[cfg(feature = "pickle")]
mod literal;
#[cfg(feature = "pickle")]
mod machine;
#[cfg(feature = "pickle")]
mod opcode;
mod refused;
#[cfg(all(test, feature = "pickle"))]
mod tests;
#[cfg(feature = "pickle")]
mod write;

use super::transcoder::Decoded;
use super::tree::Tree;
use crate::error::Error;
use refused::Refused;
#[cfg(feature = "pickle")]
use {machine::load, write::write};

/// What is left of [`Value`](super::Value)'s list.
pub(super) const NO_DATE_TIME: &str = "Python has no form of a .NET DateTime";

/// The value of a pickle. `limit` is how many bytes it may have in parts that are written once and
/// used again.
///
/// All but bytes are read as objects are, so that a str that was a char, or the name of a variant,
/// can be read as one.
pub(super) fn read(data: &[u8], limit: usize) -> Result<Decoded, Refused> {
    Ok(match load(data, limit)? {
        Tree::Bytes(bytes) => Decoded::Bytes(bytes),
        tree => Decoded::Tree(tree),
    })
}

impl Decoded {
    /// The value of a Python pickle of plain data, of any protocol from 0 to 5. `limit` is how many
    /// bytes it may have in parts that are written once and used again.
    ///
    /// # Errors
    ///
    /// One of [kind decode](Error::is_decode) where it is malformed, nests more than 128 levels deep,
    /// exceeds the limit, or is not plain data, which is never executed; also where the feature
    /// `pickle` is not there.
    pub fn from_pickle(data: &[u8], limit: usize) -> Result<Self, Error> {
        read(data, limit).map_err(|how| Error::decode(format!("the item is a Python pickle {how}")))
    }
}

impl Tree {
    /// Writes a Python pickle of protocol 2. Strings are str, lists lists, tuples tuples, maps dicts;
    /// bytes are bytes, in Python 2 str.
    ///
    /// # Errors
    ///
    /// One of [kind encode](Error::is_encode) where a map has keys that Python cannot hash, such as
    /// lists; also where the feature `pickle` is not there.
    pub fn to_pickle(&self) -> Result<Vec<u8>, Error> {
        write(self)
    }
}

#[cfg(not(feature = "pickle"))]
fn load(_: &[u8], _: usize) -> Result<Tree, Refused> {
    Err(Refused::Feature)
}

#[cfg(not(feature = "pickle"))]
fn write(_: &Tree) -> Result<Vec<u8>, Error> {
    Err(super::fault::unstorable(
        "the value is stored as a Python pickle, which needs the feature pickle of moecache",
    ))
}
