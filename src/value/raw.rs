//! Values of clients that leave flags to the program: libmemcached, gomemcache, and what is behind
//! twemproxy.

use super::fault::unstorable;
use super::foreign;
use super::transcoder::{Body, Decoded, Transcoder, Value};
use crate::error::Error;
use crate::item::Item;

/// Text, and integers in decimal, under flags 0. Under any others, which are the program's own, is
/// data that only the program understands: bytes, as gomemcache gives them, and nothing else.
#[derive(Debug)]
pub(super) struct Raw;

impl Transcoder for Raw {
    fn encode<'a>(&self, value: Value<'a>) -> Result<Body<'a>, Error> {
        match (value, value.integer()) {
            (Value::Str(value), _) => Ok(Body::borrowed(0, value.as_bytes())),
            (Value::Bytes(value), _) => Ok(Body::borrowed(0, value)),
            (_, Some(number)) => Ok(Body::owned(0, number.to_string().into_bytes())),
            _ => Err(unstorable(
                "libmemcached's format holds strings, bytes and integers: choose a format, or \
                 serialise the value and store it with set_bytes",
            )),
        }
    }

    fn decode(&self, item: Item) -> Result<Decoded, Error> {
        Ok(match item.flags {
            0 => Decoded::StringOrBytes(item.data),
            _ => Decoded::Bytes(item.data),
        })
    }

    fn describe(&self, flags: u32) -> &'static str {
        match flags {
            0 => "data without a type",
            _ => foreign::describe(flags).unwrap_or("data with flags of another program"),
        }
    }
}
