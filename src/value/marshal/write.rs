use crate::error::Error;
use crate::value::fault::unstorable;
use crate::value::float;
use crate::value::tree::Tree;

pub(super) const VERSION: [u8; 2] = [4, 8];

impl Tree {
    /// Writes Ruby's Marshal 4.8, byte for byte as Ruby does but for what it has twice. Maps are Hashes,
    /// their keys Strings where they are strings.
    ///
    /// # Errors
    ///
    /// One of [kind encode](Error::is_encode) where something is longer than Marshal's lengths reach,
    /// 2,147,483,647.
    pub fn to_marshal(&self) -> Result<Vec<u8>, Error> {
        let mut writer = Writer {
            output: VERSION.to_vec(),
            has_encoding: false,
        };
        writer.value(self)?;
        Ok(writer.output)
    }
}

struct Writer {
    output: Vec<u8>,
    /// Whether the symbol `:E` was written: it is a link from then on.
    has_encoding: bool,
}

impl Writer {
    fn value(&mut self, tree: &Tree) -> Result<(), Error> {
        match tree {
            Tree::Null => self.output.push(b'0'),
            Tree::Bool(value) => self.output.push(if *value { b'T' } else { b'F' }),
            Tree::Integer(value) => self.integer(*value)?,
            Tree::Unsigned(value) => self.bignum(b'+', *value)?,
            Tree::Float(value) => self.bytes(b'f', float::ruby(*value).as_bytes())?,
            Tree::String(value) => self.string(value)?,
            Tree::Bytes(value) => self.bytes(b'"', value)?,
            Tree::List(items) | Tree::Tuple(items) => {
                self.output.push(b'[');
                self.length(items.len())?;
                for item in items {
                    self.value(item)?;
                }
            }
            Tree::Map(entries) => {
                self.output.push(b'{');
                self.length(entries.len())?;
                for (key, value) in entries {
                    self.value(key)?;
                    self.value(value)?;
                }
            }
        }
        Ok(())
    }

    /// A Fixnum is what fits 31 bits, on every machine.
    fn integer(&mut self, value: i128) -> Result<(), Error> {
        const FIXNUMS: std::ops::Range<i32> = -(1 << 30)..1 << 30;
        match i32::try_from(value) {
            Ok(value) if FIXNUMS.contains(&value) => {
                self.output.push(b'i');
                self.long(value);
                Ok(())
            }
            _ if value < 0 => self.bignum(b'-', value.unsigned_abs()),
            _ => self.bignum(b'+', value.unsigned_abs()),
        }
    }

    /// Sign, length in units of 16 bits, and these in little endian.
    fn bignum(&mut self, sign: u8, magnitude: u128) -> Result<(), Error> {
        let bytes = magnitude.to_le_bytes();
        let used = bytes.len() - (magnitude.leading_zeros() / 16 * 2) as usize;
        self.output.extend([b'l', sign]);
        self.length(used / 2)?;
        self.output.extend_from_slice(&bytes[..used]);
        Ok(())
    }

    fn bytes(&mut self, tag: u8, bytes: &[u8]) -> Result<(), Error> {
        self.output.push(tag);
        self.length(bytes.len())?;
        self.output.extend_from_slice(bytes);
        Ok(())
    }

    /// A string with an instance variable, `:E`, that is true for UTF-8.
    fn string(&mut self, text: &str) -> Result<(), Error> {
        self.output.push(b'I');
        self.bytes(b'"', text.as_bytes())?;
        self.long(1);
        if self.has_encoding {
            self.output.push(b';');
            self.long(0);
        } else {
            self.bytes(b':', b"E")?;
            self.has_encoding = true;
        }
        self.output.push(b'T');
        Ok(())
    }

    fn length(&mut self, length: usize) -> Result<(), Error> {
        let length = i32::try_from(length);
        let too_long = |_| unstorable("Ruby's Marshal has no lengths over 2147483647");
        self.long(length.map_err(too_long)?);
        Ok(())
    }

    /// One byte for 0, one, five off, for small numbers, and else how many bytes follow.
    fn long(&mut self, value: i32) {
        let [low, ..] = value.to_le_bytes();
        match value {
            0 => self.output.push(0),
            1..=122 => self.output.push(low + 5),
            -123..=-1 => self.output.push(low.wrapping_sub(5)),
            _ => {
                let bytes = value.to_le_bytes();
                let sign = if value < 0 { 0xff } else { 0 };
                let superfluous = bytes.iter().rev().take_while(|&&byte| byte == sign);
                let used = bytes.len() - superfluous.count();
                let count = low_byte(used);
                self.output.push(if value < 0 {
                    count.wrapping_neg()
                } else {
                    count
                });
                self.output.extend_from_slice(&bytes[..used]);
            }
        }
    }
}

/// Of a number up to four.
fn low_byte(count: usize) -> u8 {
    count.to_le_bytes()[0]
}
