use crate::error::Error;
use crate::item::Item;
use crate::value::decoded::{Decoded, decimal};
use crate::value::enyim::Enyim;
use crate::value::fault::damaged;
use crate::value::foreign::{self, unknown};
use crate::value::pickle;
use crate::value::transcoder::{Body, Transcoder, Value};

/// Python's moecache 1.0: strings as EnyimMemcached has them, and pickles.
#[derive(Debug)]
pub(in crate::value) struct MoecachePickle {
    /// The most bytes that a value may have once it is unpickled.
    pub(in crate::value) limit: usize,
}

const STR: u32 = 274;
const PICKLE: u32 = 256;
const A_PICKLE: &str = "a Python pickle";

impl Transcoder for MoecachePickle {
    fn encode<'a>(&self, value: Value<'a>) -> Result<Body<'a>, Error> {
        match value {
            Value::Str(value) => Ok(Body::borrowed(STR, value.as_bytes())),
            _ => Ok(Body::owned(
                PICKLE,
                value.to_tree(pickle::NO_DATE_TIME)?.to_pickle()?,
            )),
        }
    }

    fn decode(&self, item: Item) -> Result<Decoded, Error> {
        let Item { flags, data, .. } = item;
        match flags {
            // In Python 2 it is bytes, which need not be text; Python 3 raises on such.
            // A counter, too.
            STR if decimal(&data).is_some() => Ok(Decoded::Text(data)),
            STR => Ok(match String::from_utf8(data) {
                Ok(string) => Decoded::String(string),
                Err(error) => Decoded::Bytes(error.into_bytes()),
            }),
            PICKLE => {
                pickle::read(&data, self.limit).map_err(|refused| damaged(A_PICKLE, flags, refused))
            }
            _ => Err(unknown("moecache", flags)),
        }
    }

    /// Those of a str: it reads no others that stand before digits.
    fn counter_flags(&self, _: u64) -> u32 {
        STR
    }

    fn describe(&self, flags: u32) -> &'static str {
        match flags {
            STR => "a Python str",
            PICKLE => A_PICKLE,
            _ => foreign::describe(flags).unwrap_or("something unknown"),
        }
    }
}

/// The default format: EnyimMemcached's, in which the flags of moecache's pickles have no meaning. They
/// are read as well.
#[derive(Debug)]
pub(in crate::value) struct AndPickles {
    pub(in crate::value) format: Enyim,
    /// The most bytes that a value may have once it is unpickled.
    pub(in crate::value) limit: usize,
}

impl Transcoder for AndPickles {
    fn encode<'a>(&self, value: Value<'a>) -> Result<Body<'a>, Error> {
        self.format.encode(value)
    }

    fn decode(&self, item: Item) -> Result<Decoded, Error> {
        match item.flags {
            // No pickle is empty: the format knows what is.
            PICKLE if !item.data.is_empty() => unpickle(&item.data, self.limit),
            _ => self.format.decode(item),
        }
    }

    fn describe(&self, flags: u32) -> &'static str {
        match flags {
            PICKLE => "a Python pickle, or a .NET null",
            _ => self.format.describe(flags),
        }
    }
}

fn unpickle(data: &[u8], limit: usize) -> Result<Decoded, Error> {
    pickle::read(data, limit).map_err(|refused| damaged(A_PICKLE, PICKLE, refused))
}
