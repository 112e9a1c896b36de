use super::opcode as op;
use crate::error::Error;
use crate::value::fault::{Refusal, unstorable};
use crate::value::tree::Tree;

/// A pickle of protocol 2, in a form that Python 2 and 3 read as the same.
pub(super) fn write(tree: &Tree) -> Result<Vec<u8>, Error> {
    let mut writer = Writer {
        pickle: vec![op::PROTO, 2],
    };
    let written = writer.value(tree, false);
    written.map_err(|refusal| unstorable(refusal.to_string()))?;
    writer.pickle.push(op::STOP);
    Ok(writer.pickle)
}

struct Writer {
    pickle: Vec<u8>,
}

impl Writer {
    /// The value, or the key of a dict: tuples are all that Python hashes of what holds others.
    fn value(&mut self, tree: &Tree, is_key: bool) -> Result<(), Refusal> {
        match tree {
            Tree::Null => self.opcode(op::NONE, &[]),
            Tree::Bool(true) => self.opcode(op::NEWTRUE, &[]),
            Tree::Bool(false) => self.opcode(op::NEWFALSE, &[]),
            Tree::Integer(value) => self.integer(*value),
            Tree::Unsigned(value) => self.long(&value.to_le_bytes(), false),
            Tree::Float(value) => self.opcode(op::BINFLOAT, &value.to_be_bytes()),
            Tree::String(value) => self.text(value)?,
            Tree::Bytes(value) => self.bytes(value)?,
            Tree::List(_) | Tree::Map(_) if is_key => {
                let reason = "a dict of Python has no list or dict as a key";
                return Err(Refusal::new(reason));
            }
            Tree::List(items) => {
                self.opcode(op::EMPTY_LIST, &[op::MARK]);
                for item in items {
                    self.value(item, false)?;
                }
                self.opcode(op::APPENDS, &[]);
            }
            Tree::Tuple(items) => {
                self.opcode(op::MARK, &[]);
                for item in items {
                    self.value(item, is_key)?;
                }
                self.opcode(op::TUPLE, &[]);
            }
            Tree::Map(entries) => {
                self.opcode(op::EMPTY_DICT, &[op::MARK]);
                for (key, value) in entries {
                    self.value(key, true)?;
                    self.value(value, false)?;
                }
                self.opcode(op::SETITEMS, &[]);
            }
        }
        Ok(())
    }

    fn opcode(&mut self, opcode: u8, data: &[u8]) {
        self.pickle.push(opcode);
        self.pickle.extend_from_slice(data);
    }

    fn integer(&mut self, value: i128) {
        if let Ok(value) = u8::try_from(value) {
            self.opcode(op::BININT1, &[value]);
        } else if let Ok(value) = u16::try_from(value) {
            self.opcode(op::BININT2, &value.to_le_bytes());
        } else if let Ok(value) = i32::try_from(value) {
            self.opcode(op::BININT, &value.to_le_bytes());
        } else {
            self.long(&value.to_le_bytes(), value < 0);
        }
    }

    /// Two's complement in little endian, without the bytes that the sign makes superfluous.
    fn long(&mut self, bytes: &[u8], is_negative: bool) {
        let sign = if is_negative { 0xff } else { 0 };
        let mut bytes = bytes.to_vec();
        bytes.push(sign);
        while let [.., next, last] = bytes[..] {
            if last != sign || (next & 0x80 != 0) != is_negative {
                break;
            }
            bytes.pop();
        }
        self.pickle.push(op::LONG1);
        self.pickle.extend(u8::try_from(bytes.len()));
        self.pickle.extend(bytes);
    }

    fn text(&mut self, text: &str) -> Result<(), Refusal> {
        let length = u32::try_from(text.len());
        let length = length.map_err(|_| Refusal::new("a string is longer than 4 GiB"))?;
        self.opcode(op::BINUNICODE, &length.to_le_bytes());
        self.pickle.extend_from_slice(text.as_bytes());
        Ok(())
    }

    /// As Python 3 writes bytes: a call that makes them of a character for each, since Python 2's
    /// own opcodes for them are a str in Python 3.
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let text: String = bytes.iter().copied().map(char::from).collect();
        self.opcode(op::GLOBAL, b"_codecs\nencode\n");
        self.text(&text)?;
        self.text("latin1")?;
        self.opcode(op::TUPLE2, &[op::REDUCE]);
        Ok(())
    }
}
