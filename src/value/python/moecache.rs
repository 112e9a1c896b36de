use super::{damaged, unknown};
use crate::error::Error;
use crate::item::Item;
use crate::value::pickle;
use crate::value::transcoder::{Body, Decoded, Transcoder, Value};

/// Python's moecache 1.0: strings as EnyimMemcached has them, and pickles.
#[derive(Debug)]
pub(in crate::value) struct MoecachePickle {
    /// The most bytes that a value may have once it is unpickled.
    pub(in crate::value) limit: usize,
}

const STR: u32 = 274;
const PICKLE: u32 = 256;

impl Transcoder for MoecachePickle {
    fn encode<'a>(&self, value: Value<'a>) -> Result<Body<'a>, Error> {
        match value {
            Value::Str(value) => Ok(Body::borrowed(STR, value.as_bytes())),
            _ => Ok(Body::owned(PICKLE, pickle::of(value)?)),
        }
    }

    fn decode(&self, item: Item) -> Result<Decoded, Error> {
        let Item { flags, data, .. } = item;
        match flags {
            // In Python 2 it is bytes, which need not be text; Python 3 raises on such.
            STR => Ok(match String::from_utf8(data) {
                Ok(string) => Decoded::String(string),
                Err(error) => Decoded::Bytes(error.into_bytes()),
            }),
            PICKLE => pickle::read(&data, self.limit)
                .map_err(|refused| damaged(self.describe(flags), flags, refused)),
            _ => Err(unknown("moecache", flags)),
        }
    }

    fn describe(&self, flags: u32) -> &'static str {
        match flags {
            STR => "a Python str",
            PICKLE => "a Python pickle",
            _ => "something unknown",
        }
    }
}
