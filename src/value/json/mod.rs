//! JSON, as dalli and php-memcached can be set up to keep values.

#[cfg(test)]
#[cfg(feature = "json")]
mod tests;
#[cfg(feature = "json")]
mod text;

use super::fault::unstorable;
use super::transcoder::Decoded;
use super::tree::Tree;
use crate::error::Error;
#[cfg(feature = "json")]
pub(super) use text::read;
#[cfg(feature = "json")]
use text::write;

pub(super) const NO_DATE_TIME: &str =
    "JSON has no dates: store the seconds of the DateTime, or text";

impl Decoded {
    /// The value of JSON.
    ///
    /// # Errors
    ///
    /// One of [kind decode](Error::is_decode) where it is malformed or nests more than 128 levels deep;
    /// also where the feature `json` is not there.
    pub fn from_json(data: &[u8]) -> Result<Self, Error> {
        read(data).map_err(|how| Error::decode(format!("the item is JSON that {how}")))
    }
}

impl Tree {
    /// Writes JSON. Maps are objects.
    ///
    /// # Errors
    ///
    /// One of [kind encode](Error::is_encode) where there are bytes, floats that are not finite, or maps
    /// whose keys are not strings; where an integer of more than 64 bits is in something else; also
    /// where the feature `json` is not there.
    pub fn to_json(&self) -> Result<Vec<u8>, Error> {
        write(self).map_err(|reason| unstorable(format!("the value {reason}")))
    }
}

/// The value, or why there is none: goes on from "the item is JSON (flags 1) that".
#[cfg(not(feature = "json"))]
pub(super) fn read(_: &[u8]) -> Result<Decoded, &'static str> {
    Err("needs the feature json of moecache")
}

#[cfg(not(feature = "json"))]
fn write(_: &Tree) -> Result<Vec<u8>, &'static str> {
    Err("needs the feature json of moecache")
}
