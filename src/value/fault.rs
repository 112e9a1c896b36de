//! What serde reports: errors that say which types do not match, and never show a value.

use crate::error::{Error, Kind};
use serde::de::{self, Expected, Unexpected};
use serde::ser;
use std::fmt::{self, Display};

/// Why a stored value is not what was asked for. `Display` goes on from "the item is an i32 (.NET Int32,
/// flags 265)".
#[derive(Debug)]
pub(crate) enum Fault {
    /// Another type is stored.
    Mismatch { expected: String },
    /// What else is wrong.
    Other(String),
    /// There is nothing to read: the item cannot be decoded, or is no value where one is asked for.
    Undecodable,
}

impl Fault {
    pub(super) fn mismatch(expected: &dyn Expected) -> Self {
        Self::Mismatch {
            expected: expected.to_string(),
        }
    }

    pub(super) fn does_not_fit(expected: &dyn Expected) -> Self {
        Self::Other(format!("the stored number does not fit {expected}"))
    }

    /// Something else than expected inside of an object.
    pub(super) fn found(found: &str, expected: &dyn Expected) -> Self {
        Self::Other(format!("{found} where {expected} was expected"))
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mismatch { expected } => write!(f, ", not {expected}"),
            Self::Other(reason) => write!(f, ": {reason}"),
            Self::Undecodable => f.write_str(" that cannot be decoded"),
        }
    }
}

impl std::error::Error for Fault {}

/// serde's own texts quote what was found; these do not.
impl de::Error for Fault {
    fn custom<T: Display>(reason: T) -> Self {
        Self::Other(own_words(reason))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::found(kind(&found), expected)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match found {
            Unexpected::Unsigned(_) | Unexpected::Signed(_) => Self::does_not_fit(expected),
            found => Self::Other(format!("{} that is not {expected}", kind(&found))),
        }
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        let expected = expected.join(", ");
        Self::Other(format!("a variant that is none of: {expected}"))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        let expected = expected.join(", ");
        Self::Other(format!("a field that is none of: {expected}"))
    }
}

/// Why a value cannot be stored: the words of its own `Serialize`.
#[derive(Debug)]
pub(super) struct Refusal(String);

impl Refusal {
    pub(super) fn new(reason: impl Display) -> Self {
        Self(own_words(reason))
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the value cannot be serialised: {}", self.0)
    }
}

impl std::error::Error for Refusal {}

impl ser::Error for Refusal {
    fn custom<T: Display>(reason: T) -> Self {
        Self::new(reason)
    }
}

/// A description of flags together with them: "a Python pickle (flags 1)", "an i32 (.NET Int32, flags
/// 265)".
pub(super) fn stored(description: &str, flags: u32) -> String {
    match description.strip_suffix(')') {
        Some(open) => format!("{open}, flags {flags})"),
        None => format!("{description} (flags {flags})"),
    }
}

/// The error of an item whose data is not what its flags say.
pub(super) fn damaged(stored: &str, flags: u32, how: impl Display) -> Error {
    Error::new(
        Kind::Decode,
        format!("the item is {} {how}", self::stored(stored, flags)),
    )
}

/// The error of a value that a client's format has no form of.
pub(super) fn unstorable(reason: impl Into<String>) -> Error {
    Error::new(Kind::Encode, reason)
}

/// What a type's own `Serialize` or `Deserialize` says, kept to one line of bounded length: it may
/// quote stored data, which anybody may have written.
fn own_words(reason: impl Display) -> String {
    const LONGEST: usize = 200;
    let reason = reason.to_string();
    let printable = reason.chars().map(|c| if c.is_control() { ' ' } else { c });
    printable.take(LONGEST).collect()
}

/// The name of a class in stored data, kept to one line of bounded length: anybody may have written
/// it. `marks` are what a name has besides letters and digits.
pub(super) fn class_name(name: &[u8], marks: &str) -> String {
    const LONGEST: usize = 80;
    let name = String::from_utf8_lossy(name);
    let of_a_name = name
        .chars()
        .filter(|&c| c.is_alphanumeric() || marks.contains(c));
    of_a_name.take(LONGEST).collect()
}

fn kind(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "a bool",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "an integer",
        Unexpected::Float(_) => "a float",
        Unexpected::Char(_) => "a character",
        Unexpected::Str(_) => "a string",
        Unexpected::Bytes(_) => "bytes",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::NewtypeStruct => "a newtype",
        Unexpected::Seq => "a sequence",
        Unexpected::Map => "a map",
        Unexpected::Enum
        | Unexpected::UnitVariant
        | Unexpected::NewtypeVariant
        | Unexpected::TupleVariant
        | Unexpected::StructVariant => "a variant",
        // Text of the type's own making.
        Unexpected::Other(_) => "something",
    }
}
