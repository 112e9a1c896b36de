//! From Marshal straight to MessagePack, so that what Ruby links to is copied from what was already
//! written.

use super::{Refused, VERSION};
use crate::value::decoded::Decoded;
use crate::value::msgpack::{Document, MAX_DEPTH};
use crate::value::tree::Tree;

/// What is written for each byte of the input, without links, is less than that.
const MOST_PER_BYTE: usize = 16;

/// `limit` is how many bytes links may make of the value: a few hundred bytes can stand for
/// terabytes.
pub(in crate::value) fn read(data: &[u8], limit: usize) -> Result<Decoded, Refused> {
    let Some((version, input)) = data.split_first_chunk() else {
        return Err(Refused::Truncated);
    };
    if *version != VERSION {
        return Err(Refused::Version);
    }
    let mut reader = Reader {
        input,
        symbols: Vec::new(),
        objects: Vec::new(),
        output: Vec::new(),
        limit: limit.max(data.len().saturating_mul(MOST_PER_BYTE)),
        depth: 0,
    };
    if let [b'"', ..] = input {
        reader.byte()?;
        let bytes = reader.bytes()?;
        reader.finish()?;
        return Ok(Decoded::Bytes(bytes.to_vec()));
    }
    reader.value()?;
    reader.finish()?;
    let document = Document::of_parsed(reader.output);
    document
        .map(Decoded::Object)
        .map_err(|_| Refused::Malformed)
}

struct Reader<'a> {
    input: &'a [u8],
    /// In the order of their first appearance, which is how links count.
    symbols: Vec<&'a [u8]>,
    /// The same for everything that Ruby allocates.
    objects: Vec<Object>,
    output: Vec<u8>,
    limit: usize,
    depth: usize,
}

#[derive(Clone, Copy)]
enum Object {
    /// Not yet read to its end.
    Open,
    /// Where it is in the output.
    Written { start: usize, end: usize },
    /// The name of an encoding, which is no part of the value.
    Name,
    /// In the value of a Hash for keys that are not there, which is none either.
    Default,
}

/// What a string's instance variables say of it.
#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Ascii,
    Other,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Result<(), Refused> {
        match self.byte()? {
            b'0' => self.emit(&Tree::Null),
            b'T' => self.emit(&Tree::Bool(true)),
            b'F' => self.emit(&Tree::Bool(false)),
            b'i' => {
                let value = self.long()?;
                self.emit(&Tree::Integer(value.into()))
            }
            b':' => {
                let symbol = self.symbol()?;
                self.text(symbol)
            }
            b';' => {
                let symbol = self.linked_symbol()?;
                self.text(symbol)
            }
            b'@' => self.link(),
            b'I' => self.with_variables(),
            b'l' => self.object(|reader| {
                let value = reader.bignum()?;
                reader.emit(&value)
            }),
            b'f' => self.object(|reader| {
                let value = reader.float()?;
                reader.emit(&Tree::Float(value))
            }),
            b'"' => self.object(|reader| {
                let bytes = reader.bytes()?;
                reader.emit(&Tree::Bytes(bytes.to_vec()))
            }),
            b'[' => self.object(Self::array),
            b'{' => self.object(Self::hash),
            b'}' => self.object(Self::hash_with_default),
            tag => Err(self.refusal(tag)),
        }
    }

    /// Reads what links can point to.
    fn object(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let at = self.objects.len();
        let start = self.output.len();
        self.objects.push(Object::Open);
        read(self)?;
        let end = self.output.len();
        if let Some(object) = self.objects.get_mut(at) {
            *object = Object::Written { start, end };
        }
        Ok(())
    }

    fn link(&mut self) -> Result<(), Refused> {
        let at = self.length()?;
        match self.objects.get(at) {
            Some(&Object::Written { start, end }) => {
                self.grow(end - start)?;
                self.output.extend_from_within(start..end);
                Ok(())
            }
            Some(Object::Open) => Err(Refused::HoldsItself),
            Some(Object::Default) => {
                let what = "a link into the default value of a Hash";
                Err(Refused::Object(what.to_owned()))
            }
            Some(Object::Name) | None => Err(Refused::Malformed),
        }
    }

    fn array(&mut self) -> Result<(), Refused> {
        let length = self.length()?;
        self.open(length, 0x90, 0xdd)?;
        for _ in 0..length {
            self.value()?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn hash(&mut self) -> Result<(), Refused> {
        let length = self.length()?;
        self.open(length, 0x80, 0xdf)?;
        for _ in 0..length {
            self.value()?;
            self.value()?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// The value of keys that are not there is read, and left out again.
    fn hash_with_default(&mut self) -> Result<(), Refused> {
        self.hash()?;
        let (end, first) = (self.output.len(), self.objects.len());
        self.deeper()?;
        self.value()?;
        self.depth -= 1;
        self.output.truncate(end);
        self.objects[first..].fill(Object::Default);
        Ok(())
    }

    fn deeper(&mut self) -> Result<(), Refused> {
        if self.depth == MAX_DEPTH {
            return Err(Refused::TooDeep);
        }
        self.depth += 1;
        Ok(())
    }

    /// An array or map of MessagePack: with up to 15 elements in one byte, and else with 32 bits.
    fn open(&mut self, length: usize, short: u8, long: u8) -> Result<(), Refused> {
        self.deeper()?;
        // Each element takes a byte at least.
        if length > self.input.len() {
            return Err(Refused::Truncated);
        }
        self.grow(5)?;
        match (u8::try_from(length), u32::try_from(length)) {
            (Ok(length @ 0..=15), _) => self.output.push(short | length),
            (_, Ok(length)) => {
                self.output.push(long);
                self.output.extend(length.to_be_bytes());
            }
            _ => return Err(Refused::Malformed),
        }
        Ok(())
    }

    /// `I`: instance variables follow, of which strings and symbols have their encoding.
    fn with_variables(&mut self) -> Result<(), Refused> {
        match self.byte()? {
            b'"' => self.object(|reader| {
                let bytes = reader.bytes()?;
                match reader.encoding()? {
                    Some(Encoding::Utf8 | Encoding::Ascii) => reader.text(bytes),
                    Some(Encoding::Other) | None => reader.emit(&Tree::Bytes(bytes.to_vec())),
                }
            }),
            b':' => {
                let symbol = self.symbol()?;
                self.encoding()?;
                self.text(symbol)
            }
            tag @ (b'[' | b'{' | b'}' | b'f' | b'l') => {
                let what = match tag {
                    b'[' => "an Array",
                    b'{' | b'}' => "a Hash",
                    _ => "a number",
                };
                Err(Refused::Object(format!("{what} with instance variables")))
            }
            tag => Err(self.refusal(tag)),
        }
    }

    fn encoding(&mut self) -> Result<Option<Encoding>, Refused> {
        let mut encoding = None;
        for _ in 0..self.length()? {
            let name = match self.byte()? {
                b':' => self.symbol()?,
                b';' => self.linked_symbol()?,
                _ => return Err(Refused::Malformed),
            };
            encoding = Some(match (name, self.byte()?) {
                (b"E", b'T') => Encoding::Utf8,
                (b"E", b'F') => Encoding::Ascii,
                (b"encoding", tag) => {
                    self.encoding_name(tag)?;
                    Encoding::Other
                }
                _ => {
                    let what = "a String with instance variables";
                    return Err(Refused::Object(what.to_owned()));
                }
            });
        }
        Ok(encoding)
    }

    fn encoding_name(&mut self, tag: u8) -> Result<(), Refused> {
        match tag {
            b'"' => {
                self.bytes()?;
                self.objects.push(Object::Name);
                Ok(())
            }
            b'@' => match self.length().map(|at| self.objects.get(at))? {
                Some(Object::Name) => Ok(()),
                _ => Err(Refused::Malformed),
            },
            _ => Err(Refused::Malformed),
        }
    }

    fn symbol(&mut self) -> Result<&'a [u8], Refused> {
        let symbol = self.bytes()?;
        self.symbols.push(symbol);
        Ok(symbol)
    }

    fn linked_symbol(&mut self) -> Result<&'a [u8], Refused> {
        let at = self.length()?;
        self.symbols.get(at).copied().ok_or(Refused::Malformed)
    }

    /// Ruby keeps whatever bytes it is given in a String of any encoding.
    fn text(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.emit(&Tree::String(text.to_owned())),
            Err(_) => self.emit(&Tree::Bytes(bytes.to_vec())),
        }
    }

    fn float(&mut self) -> Result<f64, Refused> {
        match self.bytes()? {
            b"inf" => Ok(f64::INFINITY),
            b"-inf" => Ok(f64::NEG_INFINITY),
            b"nan" => Ok(f64::NAN),
            text => {
                let text = std::str::from_utf8(text).ok();
                // Rust has words for what is above.
                let text = text.filter(|text| !text.contains(['n', 'N']));
                text.and_then(|text| text.parse().ok())
                    .ok_or(Refused::Malformed)
            }
        }
    }

    fn bignum(&mut self) -> Result<Tree, Refused> {
        let sign = self.byte()?;
        let length = self.length()?.checked_mul(2).ok_or(Refused::Truncated)?;
        let bytes = self.take(length)?;
        let significant = bytes
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |at| at + 1);
        let mut magnitude = [0; 16];
        let low = magnitude.get_mut(..significant).ok_or(Refused::Wide)?;
        low.copy_from_slice(&bytes[..significant]);
        let magnitude = u128::from_le_bytes(magnitude);
        match sign {
            b'+' => Ok(Tree::unsigned(magnitude)),
            b'-' => 0_i128
                .checked_sub_unsigned(magnitude)
                .map(Tree::Integer)
                .ok_or(Refused::Wide),
            _ => Err(Refused::Malformed),
        }
    }

    fn emit(&mut self, tree: &Tree) -> Result<(), Refused> {
        rmp_serde::encode::write(&mut self.output, tree).map_err(|_| Refused::Malformed)?;
        self.grow(0)
    }

    fn grow(&self, count: usize) -> Result<(), Refused> {
        if self.output.len().saturating_add(count) > self.limit {
            return Err(Refused::TooLarge(self.limit));
        }
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, Refused> {
        let (&byte, rest) = self.input.split_first().ok_or(Refused::Truncated)?;
        self.input = rest;
        Ok(byte)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Refused> {
        let (taken, rest) = self
            .input
            .split_at_checked(length)
            .ok_or(Refused::Truncated)?;
        self.input = rest;
        Ok(taken)
    }

    fn bytes(&mut self) -> Result<&'a [u8], Refused> {
        let length = self.length()?;
        self.take(length)
    }

    fn length(&mut self) -> Result<usize, Refused> {
        usize::try_from(self.long()?).map_err(|_| Refused::Malformed)
    }

    /// The counterpart of the writer's `long`.
    fn long(&mut self) -> Result<i32, Refused> {
        let [count] = [self.byte()?].map(|byte| i8::from_be_bytes([byte]));
        match count {
            0 => Ok(0),
            5..=i8::MAX => Ok(i32::from(count) - 5),
            i8::MIN..=-5 => Ok(i32::from(count) + 5),
            1..=4 | -4..=-1 => {
                let given = self.take(usize::from(count.unsigned_abs()))?;
                let mut bytes = [if count < 0 { 0xff } else { 0 }; 4];
                bytes[..given.len()].copy_from_slice(given);
                Ok(i32::from_le_bytes(bytes))
            }
        }
    }

    fn finish(&self) -> Result<(), Refused> {
        if self.input.is_empty() {
            Ok(())
        } else {
            Err(Refused::Trailing)
        }
    }

    /// Of what is not plain data; most of it starts with the name of its class.
    fn refusal(&mut self, tag: u8) -> Refused {
        let what = match tag {
            b'o' | b'u' | b'U' | b'C' | b'd' => "a Ruby object of class",
            b'S' => "a Ruby Struct of class",
            b'e' => "a Ruby object extended by",
            b'c' => return Refused::Object("a Ruby class".to_owned()),
            b'm' | b'M' => return Refused::Object("a Ruby module".to_owned()),
            b'/' => return Refused::Object("a regular expression".to_owned()),
            _ => return Refused::Malformed,
        };
        let class = match self.byte() {
            Ok(b':') => self.symbol(),
            Ok(b';') => self.linked_symbol(),
            _ => Err(Refused::Malformed),
        };
        match class {
            Ok(class) => Refused::Object(format!("{what} {}", name(class))),
            Err(refused) => refused,
        }
    }
}

/// The name of a class, kept to one line of bounded length: anybody may have written it.
fn name(class: &[u8]) -> String {
    const LONGEST: usize = 80;
    let class = String::from_utf8_lossy(class);
    let printable = class
        .chars()
        .filter(|c| c.is_alphanumeric() || ":_".contains(*c));
    printable.take(LONGEST).collect()
}
