//! PHP's `serialize`, as data: null, booleans, integers, floats, strings and arrays. Objects are
//! refused by name, and so are references.
//!
//! Source: `ext/standard/var.c` and `var_unserializer.re` in PHP's sources.

use crate::error::Error;
use crate::value::fault::{class_name, unstorable};
use crate::value::float;
use crate::value::tree::{MAX_DEPTH, Tree};

/// Why bytes are not plain data of PHP. `Display` goes on from "the item is a serialised PHP value".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("that is cut short")]
    Truncated,
    #[error("that is followed by other bytes")]
    Trailing,
    #[error("that is malformed")]
    Malformed,
    #[error("that nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("with {0} in it: not plain data; not executed")]
    Object(String),
}

impl Tree {
    /// Writes PHP's `serialize`: lists and maps are arrays, strings and bytes strings.
    ///
    /// # Errors
    ///
    /// One of [kind encode](Error::is_encode) where an integer does not fit 64 bits with a sign, or the
    /// keys of a map are neither integers nor strings.
    pub fn to_php(&self) -> Result<Vec<u8>, Error> {
        let mut output = Vec::new();
        write(&mut output, self)?;
        Ok(output)
    }
}

fn write(output: &mut Vec<u8>, tree: &Tree) -> Result<(), Error> {
    match tree {
        Tree::Null => output.extend(b"N;"),
        Tree::Bool(value) => output.extend(if *value { b"b:1;" } else { b"b:0;" }),
        Tree::Integer(value) => {
            let value = i64::try_from(*value).map_err(|_| too_wide())?;
            output.extend(format!("i:{value};").bytes());
        }
        Tree::Unsigned(_) => return Err(too_wide()),
        Tree::Float(value) => output.extend(format!("d:{};", float::php(*value)).bytes()),
        Tree::String(value) => string(output, value.as_bytes()),
        Tree::Bytes(value) => string(output, value),
        Tree::List(items) | Tree::Tuple(items) => {
            output.extend(format!("a:{}:{{", items.len()).bytes());
            for (at, item) in items.iter().enumerate() {
                output.extend(format!("i:{at};").bytes());
                write(output, item)?;
            }
            output.push(b'}');
        }
        Tree::Map(entries) => {
            output.extend(format!("a:{}:{{", entries.len()).bytes());
            for (key, value) in entries {
                if !matches!(key, Tree::Integer(_) | Tree::String(_)) {
                    return Err(unstorable(
                        "PHP's arrays have only integers and strings as keys",
                    ));
                }
                write(output, key)?;
                write(output, value)?;
            }
            output.push(b'}');
        }
    }
    Ok(())
}

fn string(output: &mut Vec<u8>, bytes: &[u8]) {
    output.extend(format!("s:{}:\"", bytes.len()).bytes());
    output.extend(bytes);
    output.extend(b"\";");
}

pub(super) fn too_wide() -> Error {
    unstorable("the number does not fit PHP's integers, of 64 bits with a sign")
}

pub(super) fn unserialize(data: &[u8]) -> Result<Tree, Refused> {
    let mut reader = Reader {
        input: data,
        depth: 0,
    };
    let tree = reader.value()?;
    if reader.input.is_empty() {
        Ok(tree)
    } else {
        Err(Refused::Trailing)
    }
}

struct Reader<'a> {
    input: &'a [u8],
    depth: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Result<Tree, Refused> {
        let [tag, separator] = self.chunk()?;
        match (tag, separator) {
            (b'N', b';') => Ok(Tree::Null),
            (b'b', b':') => match self.until(b';')? {
                "0" => Ok(Tree::Bool(false)),
                "1" => Ok(Tree::Bool(true)),
                _ => Err(Refused::Malformed),
            },
            (b'i', b':') => {
                let value: i64 = parse(self.until(b';')?)?;
                Ok(Tree::Integer(value.into()))
            }
            (b'd', b':') => Ok(Tree::Float(parse(self.until(b';')?)?)),
            (b's', b':') => {
                let text = self.quoted()?;
                self.expect(b';')?;
                // PHP's strings are bytes.
                Ok(match String::from_utf8(text.to_vec()) {
                    Ok(text) => Tree::String(text),
                    Err(error) => Tree::Bytes(error.into_bytes()),
                })
            }
            (b'a', b':') => self.array(),
            (b'O' | b'C', b':') => {
                let class = class_name(self.quoted()?, "\\:_");
                Err(Refused::Object(format!("a PHP object of class {class}")))
            }
            (b'E', b':') => {
                let case = class_name(self.quoted()?, "\\:_");
                Err(Refused::Object(format!("a case {case} of a PHP enum")))
            }
            (b'r' | b'R', b':') => Err(Refused::Object("a PHP reference".to_owned())),
            _ => Err(Refused::Malformed),
        }
    }

    /// A list, if its keys are 0, 1, 2 and so on.
    fn array(&mut self) -> Result<Tree, Refused> {
        if self.depth == MAX_DEPTH {
            return Err(Refused::TooDeep);
        }
        self.depth += 1;
        let length: usize = parse(self.until(b':')?)?;
        self.expect(b'{')?;
        let mut entries = Vec::new();
        let mut is_list = true;
        for at in 0..length {
            let key = self.value()?;
            match key {
                Tree::Integer(key) => is_list &= i128::try_from(at) == Ok(key),
                Tree::String(_) | Tree::Bytes(_) => is_list = false,
                _ => return Err(Refused::Malformed),
            }
            entries.push((key, self.value()?));
        }
        self.expect(b'}')?;
        self.depth -= 1;
        Ok(if is_list {
            Tree::List(entries.into_iter().map(|(_, value)| value).collect())
        } else {
            Tree::Map(entries)
        })
    }

    /// `5:"bytes"`.
    fn quoted(&mut self) -> Result<&'a [u8], Refused> {
        let length = parse(self.until(b':')?)?;
        self.expect(b'"')?;
        let (bytes, rest) = self
            .input
            .split_at_checked(length)
            .ok_or(Refused::Truncated)?;
        self.input = rest;
        self.expect(b'"')?;
        Ok(bytes)
    }

    /// The text before the next such byte, which goes with it.
    fn until(&mut self, end: u8) -> Result<&'a str, Refused> {
        let at = memchr::memchr(end, self.input).ok_or(Refused::Truncated)?;
        let (text, rest) = self.input.split_at(at);
        self.input = rest.get(1..).unwrap_or_default();
        std::str::from_utf8(text).map_err(|_| Refused::Malformed)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Refused> {
        let [found] = self.chunk()?;
        if found == byte {
            Ok(())
        } else {
            Err(Refused::Malformed)
        }
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], Refused> {
        let (chunk, rest) = self.input.split_first_chunk().ok_or(Refused::Truncated)?;
        self.input = rest;
        Ok(*chunk)
    }
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, Refused> {
    text.parse().map_err(|_| Refused::Malformed)
}
