//! MessagePack: written by rmp-serde, checked as a whole by our own walker, read by our own
//! deserialiser (rmp-serde's quotes values in its errors).

mod read;
mod walk;

use super::fault::{Fault, Refusal};
use crate::error::{Error, Kind};
use read::Reader;
use serde::Serialize;
use std::io;
use walk::{Malformed, Walk};

/// One whole MessagePack value: every length in it is true, it nests at most 128 levels deep, and
/// nothing follows it. So no claim in it can make serde reserve more than the item's own size
/// warrants, nor overflow the stack.
#[expect(missing_debug_implementations, reason = "values are not for logs")]
pub struct Document(Vec<u8>);

impl Document {
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, Malformed> {
        let mut walk = Walk::new();
        walk.advance(&bytes)?;
        walk.finish(&bytes)?;
        Ok(Self(bytes))
    }

    pub(super) fn is_nil(&self) -> bool {
        self.0 == [0xc0]
    }

    pub(super) fn is_empty_array(&self) -> bool {
        self.0 == [0x90]
    }

    /// Runs `read` on the value, which it must take to the last byte.
    pub(super) fn read<'de, T>(
        &'de self,
        read: impl FnOnce(&mut Reader<'de>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut reader = Reader::new(&self.0);
        let value = read(&mut reader)?;
        reader.finish()?;
        Ok(value)
    }
}

/// The value in MessagePack, structs as maps with named fields: arrays would break with
/// `skip_serializing_if`.
///
/// rmp-serde writes `i128` and `u128` alike, as 16 bytes, so one outside of the other's range has to
/// be read as what it was stored.
pub(super) fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let mut sink = Sink {
        bytes: Vec::new(),
        walk: Walk::new(),
        malformed: None,
    };
    let mut serializer = rmp_serde::Serializer::new(&mut sink).with_struct_map();
    let outcome = value.serialize(&mut serializer);

    let reason = match (sink.malformed, outcome) {
        (Some(malformed), _) => malformed.when_written(),
        (None, Err(rmp_serde::encode::Error::Syntax(reason))) => Refusal::new(reason).to_string(),
        (None, Err(error)) => Refusal::new(error).to_string(),
        (None, Ok(())) => match sink.walk.finish(&sink.bytes) {
            Ok(()) => return Ok(sink.bytes),
            Err(malformed) => malformed.when_written(),
        },
    };
    Err(Error::new(Kind::Encode, reason))
}

/// Takes what the serialiser writes, and walks along: rmp-serde neither limits the depth nor checks
/// that a `Serialize` writes as many elements as it announced, and what comes out of either could
/// not be read back.
struct Sink {
    bytes: Vec<u8>,
    walk: Walk,
    malformed: Option<Malformed>,
}

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes.extend_from_slice(bytes);
        self.walk.advance(&self.bytes).map_err(|malformed| {
            self.malformed = Some(malformed);
            io::ErrorKind::InvalidData.into()
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
