//! The check of a whole body, without recursion and without an allocation.
//!
//! Source: the MessagePack specification, <https://github.com/msgpack/msgpack/blob/master/spec.md>.

use crate::value::tree::MAX_DEPTH;

/// What one value starts with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Head {
    Nil,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    F32(f32),
    F64(f64),
    /// So many bytes of text follow.
    Str(usize),
    /// So many bytes follow.
    Bin(usize),
    /// So many bytes of this type follow.
    Ext(i8, usize),
    /// So many values follow.
    Array(usize),
    /// So many pairs of values follow.
    Map(usize),
}

/// Why bytes are not one MessagePack value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("that is cut short")]
    Truncated,
    #[error("that is followed by other bytes")]
    Trailing,
    #[error("that nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("with a byte in it that starts no MessagePack value")]
    Reserved,
}

impl Malformed {
    /// The same, of a value that is being stored.
    pub(super) fn when_written(self) -> String {
        match self {
            Self::TooDeep => format!("the value nests deeper than {MAX_DEPTH} levels"),
            Self::Truncated | Self::Trailing | Self::Reserved => {
                "the value's Serialize did not write as many elements as it announced".to_owned()
            }
        }
    }
}

impl Head {
    /// The head at the start of the bytes and its length, or `None` where more bytes are needed.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Malformed> {
        let Some((&marker, rest)) = bytes.split_first() else {
            return Ok(None);
        };
        let head = match marker {
            0x00..=0x7f => Some((Self::Unsigned(marker.into()), 0)),
            0x80..=0x8f => Some((Self::Map((marker & 0x0f).into()), 0)),
            0x90..=0x9f => Some((Self::Array((marker & 0x0f).into()), 0)),
            0xa0..=0xbf => Some((Self::Str((marker & 0x1f).into()), 0)),
            0xc0 => Some((Self::Nil, 0)),
            0xc1 => return Err(Malformed::Reserved),
            0xc2 => Some((Self::Bool(false), 0)),
            0xc3 => Some((Self::Bool(true), 0)),
            0xc4 => number(rest, |n| Self::Bin(u8::from_be_bytes(n).into())),
            0xc5 => number(rest, |n| Self::Bin(u16::from_be_bytes(n).into())),
            0xc6 => number(rest, |n| Self::Bin(length(n))),
            0xc7 => number(rest, |[n, tag]| Self::Ext(signed(tag), n.into())),
            0xc8 => number(rest, |[a, b, tag]| {
                Self::Ext(signed(tag), u16::from_be_bytes([a, b]).into())
            }),
            0xc9 => number(rest, |[a, b, c, d, tag]| {
                Self::Ext(signed(tag), length([a, b, c, d]))
            }),
            0xca => number(rest, |n| Self::F32(f32::from_be_bytes(n))),
            0xcb => number(rest, |n| Self::F64(f64::from_be_bytes(n))),
            0xcc => number(rest, |n| Self::Unsigned(u8::from_be_bytes(n).into())),
            0xcd => number(rest, |n| Self::Unsigned(u16::from_be_bytes(n).into())),
            0xce => number(rest, |n| Self::Unsigned(u32::from_be_bytes(n).into())),
            0xcf => number(rest, |n| Self::Unsigned(u64::from_be_bytes(n))),
            0xd0 => number(rest, |n| Self::Signed(i8::from_be_bytes(n).into())),
            0xd1 => number(rest, |n| Self::Signed(i16::from_be_bytes(n).into())),
            0xd2 => number(rest, |n| Self::Signed(i32::from_be_bytes(n).into())),
            0xd3 => number(rest, |n| Self::Signed(i64::from_be_bytes(n))),
            0xd4..=0xd8 => number(rest, |[tag]| Self::Ext(signed(tag), 1 << (marker - 0xd4))),
            0xd9 => number(rest, |n| Self::Str(u8::from_be_bytes(n).into())),
            0xda => number(rest, |n| Self::Str(u16::from_be_bytes(n).into())),
            0xdb => number(rest, |n| Self::Str(length(n))),
            0xdc => number(rest, |n| Self::Array(u16::from_be_bytes(n).into())),
            0xdd => number(rest, |n| Self::Array(length(n))),
            0xde => number(rest, |n| Self::Map(u16::from_be_bytes(n).into())),
            0xdf => number(rest, |n| Self::Map(length(n))),
            0xe0..=0xff => Some((Self::Signed(signed(marker).into()), 0)),
        };
        Ok(head.map(|(head, used)| (head, 1 + used)))
    }

    /// What it is, for messages.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Nil => "null",
            Self::Bool(_) => "a bool",
            Self::Unsigned(_) | Self::Signed(_) => "an integer",
            Self::F32(_) | Self::F64(_) => "a float",
            Self::Str(_) => "a string",
            Self::Bin(_) => "bytes",
            Self::Ext(..) => "a MessagePack extension",
            Self::Array(_) => "a sequence",
            Self::Map(_) => "a map",
        }
    }

    /// How many bytes follow the head that belong to it.
    fn payload(self) -> usize {
        match self {
            Self::Str(length) | Self::Bin(length) | Self::Ext(_, length) => length,
            _ => 0,
        }
    }
}

fn number<const N: usize>(
    bytes: &[u8],
    head: impl FnOnce([u8; N]) -> Head,
) -> Option<(Head, usize)> {
    bytes.first_chunk().map(|bytes| (head(*bytes), N))
}

fn signed(byte: u8) -> i8 {
    i8::from_be_bytes([byte])
}

/// A length that `usize` cannot hold is cut short in any case.
fn length(bytes: [u8; 4]) -> usize {
    usize::try_from(u32::from_be_bytes(bytes)).unwrap_or(usize::MAX)
}

/// A walk over one value that can be taken up again when more of it is there.
pub(super) struct Walk {
    /// Where the next head is: past the end while a payload is incomplete.
    at: usize,
    /// Of each open array or map, outermost first, how many values are still to come.
    open: [u64; MAX_DEPTH],
    depth: usize,
    complete: bool,
}

impl Walk {
    pub(super) fn new() -> Self {
        Self {
            at: 0,
            open: [0; MAX_DEPTH],
            depth: 0,
            complete: false,
        }
    }

    /// Goes on as far as the bytes reach: the same ones as before, and more.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        while let Some(rest) = bytes.get(self.at..).filter(|rest| !rest.is_empty()) {
            if self.complete {
                return Err(Malformed::Trailing);
            }
            let Some((head, used)) = Head::parse(rest)? else {
                return Ok(());
            };
            self.at = self.at.saturating_add(used).saturating_add(head.payload());
            match head {
                Head::Array(length) if length > 0 => self.open(length as u64)?,
                Head::Map(pairs) if pairs > 0 => self.open(2 * pairs as u64)?,
                _ => self.close(),
            }
        }
        Ok(())
    }

    /// Judges the bytes as all there are.
    pub(super) fn finish(&self, bytes: &[u8]) -> Result<(), Malformed> {
        if self.complete && self.at == bytes.len() {
            Ok(())
        } else {
            Err(Malformed::Truncated)
        }
    }

    fn open(&mut self, values: u64) -> Result<(), Malformed> {
        let level = self.open.get_mut(self.depth).ok_or(Malformed::TooDeep)?;
        *level = values;
        self.depth += 1;
        Ok(())
    }

    /// A value is complete, and with it each array and map whose last one it is.
    fn close(&mut self) {
        while let Some(level) = self.depth.checked_sub(1) {
            self.open[level] -= 1;
            if self.open[level] > 0 {
                return;
            }
            self.depth = level;
        }
        self.complete = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks() {
        use Malformed as M;
        let nested = |depth: usize| [vec![0x91; depth], vec![0xc0]].concat();
        let rows: Vec<(&str, Vec<u8>, Result<(), Malformed>)> = vec![
            ("nil", vec![0xc0], Ok(())),
            ("nothing", vec![], Err(M::Truncated)),
            ("reserved", vec![0x91, 0xc1], Err(M::Reserved)),
            ("two values", vec![0xc0, 0xc0], Err(M::Trailing)),
            ("after an array", vec![0x91, 1, 2], Err(M::Trailing)),
            ("empty array", vec![0x90], Ok(())),
            ("a map, nested", vec![0x82, 1, 0x80, 2, 0x91, 0xc3], Ok(())),
            ("a map without its value", vec![0x81, 1], Err(M::Truncated)),
            ("half a number", vec![0xcd, 1], Err(M::Truncated)),
            ("half a string", vec![0xa2, b'a'], Err(M::Truncated)),
            ("a string, and more", vec![0xa1, b'a', 0], Err(M::Trailing)),
            ("ext", vec![0xd5, 0xff, 1, 2], Ok(())),
            ("ext 8", vec![0xc7, 1, 5, 0], Ok(())),
            (
                "half an ext 32",
                vec![0xc9, 0, 0, 0, 2, 5, 0],
                Err(M::Truncated),
            ),
            (
                "an array of 4 billion",
                vec![0xdd, 0xff, 0xff, 0xff, 0xff],
                Err(M::Truncated),
            ),
            (
                "a map of 4 billion",
                vec![0xdf, 0xff, 0xff, 0xff, 0xff],
                Err(M::Truncated),
            ),
            (
                "a string of 4 GB",
                vec![0xdb, 0xff, 0xff, 0xff, 0xff],
                Err(M::Truncated),
            ),
            ("deep", nested(MAX_DEPTH), Ok(())),
            ("too deep", nested(MAX_DEPTH + 1), Err(M::TooDeep)),
            ("a depth bomb", vec![0x91; 1 << 20], Err(M::TooDeep)),
        ];
        for (name, bytes, expected) in rows {
            let mut whole = Walk::new();
            let outcome = whole.advance(&bytes).and_then(|()| whole.finish(&bytes));
            assert_eq!(outcome, expected, "{name}");

            let mut growing = Walk::new();
            let outcome = (1..=bytes.len().min(300))
                .try_for_each(|end| growing.advance(&bytes[..end]))
                .and_then(|()| growing.finish(&bytes));
            assert_eq!(outcome, expected, "{name}, byte by byte");
        }
    }
}
