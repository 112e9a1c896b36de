use crate::error::{Error, Kind};
use crate::item::Item;
use crate::value::decoded::Decoded;
use crate::value::float;
use crate::value::pickle::NO_DATE_TIME;
use crate::value::transcoder::{Body, Transcoder, Value};

/// pymemcache without a serde: what Python's `str` shows of a value, under flags 0; and read, as
/// whatever it is, as bytes.
#[derive(Debug)]
pub(in crate::value) struct Plain;

const FLAGS: u32 = 0;

impl Transcoder for Plain {
    fn encode<'a>(&self, value: Value<'a>) -> Result<Body<'a>, Error> {
        let shown = match value {
            Value::Bytes(value) => return Ok(Body::borrowed(FLAGS, value)),
            Value::Str(value) => return ascii(value).map(|text| Body::borrowed(FLAGS, text)),
            Value::Null => "None".to_owned(),
            Value::Bool(true) => "True".to_owned(),
            Value::Bool(false) => "False".to_owned(),
            Value::F32(value) => float::python(value.into()),
            Value::F64(value) => float::python(value),
            Value::Char(value) => value.to_string(),
            Value::Object(_) => {
                let reason = "pymemcache without a serde stores of a list or dict only what Python \
                              shows, which nobody can read back";
                return Err(Error::new(Kind::Encode, reason));
            }
            _ => match value.integer() {
                Some(number) => number.to_string(),
                None => return Err(Error::new(Kind::Encode, NO_DATE_TIME)),
            },
        };
        ascii(&shown)?;
        Ok(Body::owned(FLAGS, shown.into_bytes()))
    }

    fn decode(&self, item: Item) -> Result<Decoded, Error> {
        // Bytes to its owner, which stores of everything but bytes a str.
        Ok(Decoded::StringOrBytes(item.data))
    }

    fn describe(&self, _: u32) -> &'static str {
        "bytes of pymemcache"
    }
}

/// pymemcache's default `encoding`, outside of which it raises.
fn ascii(text: &str) -> Result<&[u8], Error> {
    if text.is_ascii() {
        return Ok(text.as_bytes());
    }
    let reason = "pymemcache without a serde stores no strings but ASCII; bytes are stored as they \
                  are";
    Err(Error::new(Kind::Encode, reason))
}
