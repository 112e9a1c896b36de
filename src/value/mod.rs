//! Values: what a Rust value becomes in memcached, and what stored bytes become in Rust.
//!
//! A transcoder maps values to flags and bytes and back, as one family of clients does; serde types
//! are lowered to its values (`lower`), and read from what it decoded (`read`). May use the leaves
//! of the crate only.

mod date_time;
mod enyim;
mod fault;
mod foreign;
mod just_byte;
mod lower;
mod msgpack;
mod read;
#[cfg(test)]
mod tests;
mod transcoder;

pub use date_time::DateTime;

pub(crate) use enyim::Enyim;
pub(crate) use transcoder::{Body, Transcoder};

use crate::error::{Error, Kind};
use crate::item::Item;
use fault::Fault;
use lower::{Lower, Lowered};
use serde::Serialize;
use serde::de::DeserializeOwned;
use transcoder::{Decoded, Value};

/// Hands `then` what the transcoder makes of `value`.
///
/// A continuation, because a string or byte slice that serde lends for the length of a call can
/// reach the socket only from inside that call without being copied. `then` runs once, and only
/// after `value` is encoded in full.
pub(crate) fn encode<V: Serialize + ?Sized, R>(
    transcoder: &dyn Transcoder,
    value: &V,
    then: impl FnOnce(Body<'_>) -> Result<R, Error>,
) -> Result<R, Error> {
    let lower = Lower::new(|value: Value<'_>| transcoder.encode(value).and_then(then));
    match value.serialize(lower) {
        Ok(Lowered::Done(result)) => result,
        Ok(Lowered::Object(encode)) => encode(Value::Object(&value)),
        Err(refusal) => Err(Error::new(Kind::Encode, refusal.to_string())),
    }
}

/// Bytes as they are, without serde.
pub(crate) fn encode_bytes<'a>(
    transcoder: &dyn Transcoder,
    bytes: &'a [u8],
) -> Result<Body<'a>, Error> {
    transcoder.encode(Value::Bytes(bytes))
}

/// The Rust value that the item holds. An error says what is stored and what was asked for.
///
/// serde reads an untagged enum, an internally tagged one and what stands under `flatten` through a
/// copy of its own, which calls itself human-readable. What stands in there and has a form of its
/// own for machines, such as an `IpAddr`, does not match: an error, as with every binary format.
pub(crate) fn decode<T: DeserializeOwned>(
    transcoder: &dyn Transcoder,
    item: Item,
) -> Result<T, Error> {
    let flags = item.flags;
    let mut decoded = transcoder.decode(item)?;
    T::deserialize(read::Reader::new(&mut decoded))
        .map_err(|fault| refused(transcoder, flags, &fault))
}

/// The bytes of raw data, of a string or of text, moved and not copied.
pub(crate) fn decode_bytes(transcoder: &dyn Transcoder, item: Item) -> Result<Vec<u8>, Error> {
    let flags = item.flags;
    match transcoder.decode(item)? {
        Decoded::Bytes(bytes) | Decoded::Text(bytes) => Ok(bytes),
        Decoded::String(string) => Ok(string.into_bytes()),
        // serde does not say of what an empty sequence is one, so an empty `Vec<u8>` is stored as
        // an empty array.
        Decoded::Object(document) if document.is_empty_array() => Ok(Vec::new()),
        _ => {
            let fault = Fault::mismatch(&"bytes");
            Err(refused(transcoder, flags, &fault))
        }
    }
}

fn refused(transcoder: &dyn Transcoder, flags: u32, fault: &Fault) -> Error {
    let stored = transcoder.describe(flags);
    Error::new(
        Kind::Decode,
        format!("the item is {stored} (flags {flags}){fault}"),
    )
}
