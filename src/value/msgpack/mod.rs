//! MessagePack: written by rmp-serde, checked as a whole by our own walker, read by our own
//! deserialiser (rmp-serde's quotes values in its errors).

mod access;
mod read;
mod walk;

use super::fault::{Fault, Refusal};
use super::tree::Tree;
use crate::error::{Error, Kind};
use read::Reader;
pub(super) use read::bytes_as_seq;
use serde::Serialize;
use std::io;
use walk::{Head, Malformed, Walk};

/// How deep arrays and maps may nest, written and read: the limit of `serde_json`, so that what was
/// read from JSON can be stored.
///
/// Measured in a debug build on a thread of 2 MiB, which is what `std::thread` gives: of eight
/// shapes that hold themselves the greediest, an adjacently tagged enum, overflowed the stack at
/// 440 levels.
pub(super) const MAX_DEPTH: usize = 128;

/// The types of extension values that are integers beyond 64 bits, 16 bytes in big endian. Only what
/// was read from the formats of other languages has them; what we store has 16 plain bytes, which
/// is rmp-serde's way. MessagePack keeps negative types for itself and has used but one.
pub(super) const WIDE_SIGNED: i8 = -127;
pub(super) const WIDE_UNSIGNED: i8 = -128;

/// One whole MessagePack value: every length in it is true, it nests at most `MAX_DEPTH` deep,
/// and nothing follows it. So no claim in it can make serde reserve more than the item's own size
/// warrants, nor overflow the stack.
#[expect(missing_debug_implementations, reason = "values are not for logs")]
pub struct Document {
    bytes: Vec<u8>,
    origin: Origin,
}

/// What the value was before it was MessagePack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    MessagePack,
    /// Another language, which tells its types apart.
    Typed,
    /// PHP: a list can be read as a map whose keys are its indices, and text as bytes.
    Php,
    /// JSON: a whole number can be read as a float.
    Json,
}

impl Document {
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, Malformed> {
        let mut walk = Walk::new();
        walk.advance(&bytes)?;
        walk.finish(&bytes)?;
        let origin = Origin::MessagePack;
        Ok(Self { bytes, origin })
    }

    /// What was read from the format of another language.
    pub(super) fn of(tree: &Tree) -> Result<Self, Error> {
        Self::of_untyped(tree, Origin::Typed)
    }

    /// The same, of what is MessagePack already.
    pub(super) fn of_parsed(bytes: Vec<u8>) -> Result<Self, Malformed> {
        let origin = Origin::Typed;
        Ok(Self {
            origin,
            ..Self::parse(bytes)?
        })
    }

    /// The same, of a language that does not tell all types apart.
    pub(super) fn of_untyped(tree: &Tree, origin: Origin) -> Result<Self, Error> {
        let bytes = to_vec(tree)?;
        Ok(Self { bytes, origin })
    }

    /// The bytes of another language's string, if it is one; Ruby's may be in any encoding.
    pub(super) fn into_bytes(self) -> Option<Vec<u8>> {
        match Head::parse(&self.bytes) {
            Ok(Some((Head::Str(_) | Head::Bin(_), used))) if self.origin != Origin::MessagePack => {
                self.bytes.get(used..).map(<[u8]>::to_vec)
            }
            _ => None,
        }
    }

    pub(super) fn is_empty_array(&self) -> bool {
        self.bytes == [0x90]
    }

    /// Runs `read` on the value, which it must take to the last byte.
    pub(super) fn read<'de, T>(
        &'de self,
        read: impl FnOnce(&mut Reader<'de>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut reader = Reader::new(&self.bytes, self.origin);
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
