//! JSON, as dalli and php-memcached can be set up to keep values.

#[cfg(all(test, feature = "json"))]
mod tests;
#[cfg(feature = "json")]
mod text;

#[cfg(not(feature = "json"))]
use super::decoded::Decoded;
use super::fault::unstorable;
use super::to_tree::primitive;
use super::transcoder::Value;
use super::tree::Tree;
use crate::error::Error;
#[cfg(feature = "json")]
pub(super) use text::read;
#[cfg(feature = "json")]
use text::write;

/// What the transcoder is given, in JSON.
pub(super) fn of(value: Value<'_>) -> Result<Vec<u8>, Error> {
    match (value, primitive(value)) {
        (Value::Object(value), _) => value.to_json(),
        (_, Some(tree)) => to_vec(&tree),
        _ => Err(unstorable(
            "JSON has no dates: store the seconds of the DateTime, or text",
        )),
    }
}

pub(super) fn to_vec(tree: &Tree) -> Result<Vec<u8>, Error> {
    write(tree).map_err(|reason| unstorable(format!("the value {reason}")))
}

/// Why there is no JSON of a value, or no value of the JSON. `Display` goes on from "the value" and
/// "the item is JSON (flags 1) that".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoJson {
    #[cfg(not(feature = "json"))]
    #[error("needs the feature json of moecache")]
    Feature,
    #[cfg(feature = "json")]
    #[error("is malformed, or nests deeper than 128 levels")]
    Malformed,
    #[cfg(feature = "json")]
    #[error("has bytes in it, which JSON cannot hold: store a string")]
    Bytes,
    #[cfg(feature = "json")]
    #[error("has a float in it that is infinite or not a number, which JSON cannot hold")]
    NotFinite,
    #[cfg(feature = "json")]
    #[error("has an integer of more than 64 bits in it, which is read from JSON as a float")]
    Wide,
    #[cfg(feature = "json")]
    #[error("has a map in it whose keys are not strings, which JSON cannot hold")]
    Keys,
}

#[cfg(not(feature = "json"))]
pub(super) fn read(_: &[u8]) -> Result<Decoded, NoJson> {
    Err(NoJson::Feature)
}

#[cfg(not(feature = "json"))]
fn write(_: &Tree) -> Result<Vec<u8>, NoJson> {
    Err(NoJson::Feature)
}
