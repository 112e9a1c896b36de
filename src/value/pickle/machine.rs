//! The stack machine that a pickle is a program for, without the opcodes that look up or call
//! anything. What it makes is a graph: parts may be shared, and may hold themselves. One opcode
//! adds one node at most, and the graph is never larger than a multiple of the pickle.

use super::literal;
use super::opcode as op;
use super::refused::Refused;
use crate::value::fault::class_name;
use crate::value::graph::{Id, NoTree, Node, expand};
use crate::value::tree::Tree;
use std::collections::HashMap;

// The functions that REDUCE is understood of: the older protocols have no opcodes for bytes,
// bytearrays and sets, and call for them instead.

/// `_codecs.encode(text, 'latin1')`.
const ENCODE: &str = "encode";
/// `bytes()` in Python 3; Python 2 has no other name for it than str.
const BYTES: &str = "bytes";
/// `bytearray(text, 'latin-1')` in Python 2, `bytearray(bytes)` in 3.
const BYTEARRAY: &str = "bytearray";
/// `set([..])` and `frozenset([..])`.
const SET: &str = "set";

/// Python 3 writes its own modules under the names that they have in 2, up to protocol 2.
fn function(module: &str, name: &str) -> Option<&'static str> {
    Some(match (module, name) {
        ("_codecs", "encode") => ENCODE,
        ("__builtin__" | "builtins", "bytes") => BYTES,
        ("__builtin__" | "builtins", "bytearray") => BYTEARRAY,
        ("__builtin__" | "builtins", "set" | "frozenset") => SET,
        _ => return None,
    })
}

/// The value of a pickle, in which what is used again takes at most `limit` bytes of memory.
pub(super) fn load(pickle: &[u8], limit: usize) -> Result<Tree, Refused> {
    let (graph, root) = run(pickle, limit)?;
    expand(graph, root, limit).map_err(|no_tree| match no_tree {
        NoTree::TooDeep => Refused::TooDeep,
        NoTree::TooLarge => Refused::TooLarge(limit),
        NoTree::Function => Refused::Object("a Python function".to_owned()),
    })
}

/// Runs the pickle to its end: the graph, and the node that is its value.
fn run(pickle: &[u8], limit: usize) -> Result<(Vec<Node>, Id), Refused> {
    let mut machine = Machine {
        limit,
        // Python calls at most twice for a value, each time with its own arguments.
        left: limit.max(pickle.len().saturating_mul(2)),
        rest: pickle,
        graph: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    while machine.step()? {}
    let root = machine.pop()?;
    match machine.rest {
        [] => Ok((machine.graph, root)),
        _ => Err(Refused::Trailing),
    }
}

struct Machine<'a> {
    limit: usize,
    /// How much calls may still copy of their arguments, which may be the same ones each time.
    left: usize,
    rest: &'a [u8],
    graph: Vec<Node>,
    stack: Vec<Id>,
    /// How high the stack was at each open MARK.
    marks: Vec<usize>,
    memo: HashMap<usize, Id>,
}

impl<'a> Machine<'a> {
    /// Runs one opcode; `false` is STOP.
    fn step(&mut self) -> Result<bool, Refused> {
        let [opcode] = self.array()?;
        match opcode {
            op::STOP => return Ok(false),
            op::PROTO => match self.array()? {
                [0..=5] => {}
                [protocol] => return Err(Refused::Protocol(protocol)),
            },
            // How much of the pickle comes at once; here all of it did.
            op::FRAME => drop(self.array::<8>()?),

            op::MARK => self.marks.push(self.stack.len()),
            op::POP if self.marks.last() == Some(&self.stack.len()) => drop(self.marks.pop()),
            op::POP => drop(self.pop()?),
            op::POP_MARK => drop(self.pop_to_mark()?),
            op::DUP => {
                let top = self.top()?;
                self.stack.push(top);
            }

            op::PUT => self.index().and_then(|at| self.memoize(at))?,
            op::BINPUT => self.length::<1>().and_then(|at| self.memoize(at))?,
            op::LONG_BINPUT => self.length::<4>().and_then(|at| self.memoize(at))?,
            op::MEMOIZE => self.memoize(self.memo.len())?,
            op::GET => self.index().and_then(|at| self.recall(at))?,
            op::BINGET => self.length::<1>().and_then(|at| self.recall(at))?,
            op::LONG_BINGET => self.length::<4>().and_then(|at| self.recall(at))?,

            op::EMPTY_LIST | op::EMPTY_TUPLE | op::EMPTY_SET => self.push(Node::List(Vec::new())),
            op::TUPLE1 => self.tuple(1)?,
            op::TUPLE2 => self.tuple(2)?,
            op::TUPLE3 => self.tuple(3)?,
            op::TUPLE | op::LIST | op::FROZENSET => {
                let items = self.pop_to_mark()?;
                self.push(Node::List(items));
            }
            op::APPEND => self.pop().and_then(|item| self.extend_list(&[item]))?,
            op::APPENDS | op::ADDITEMS => {
                self.pop_to_mark()
                    .and_then(|items| self.extend_list(&items))?;
            }
            op::EMPTY_DICT => self.push(Node::Map(Vec::new())),
            op::DICT => {
                let items = self.pop_to_mark()?;
                self.push(Node::Map(Vec::new()));
                self.extend_dict(&items)?;
            }
            op::SETITEM => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.extend_dict(&[key, value])?;
            }
            op::SETITEMS => self
                .pop_to_mark()
                .and_then(|items| self.extend_dict(&items))?,

            op::GLOBAL => {
                let (module, name) = (self.line()?, self.line()?);
                self.function(&text(module), &text(name))?;
            }
            op::STACK_GLOBAL => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (module, name) = (self.string(module)?, self.string(name)?);
                self.function(&module, &name)?;
            }
            op::REDUCE => self.reduce()?,
            _ => {
                let leaf = self.leaf(opcode)?;
                self.push(Node::Leaf(leaf));
            }
        }
        Ok(true)
    }

    /// The opcodes that push what holds nothing else.
    fn leaf(&mut self, opcode: u8) -> Result<Tree, Refused> {
        Ok(match opcode {
            op::NONE => Tree::Null,
            op::NEWTRUE => Tree::Bool(true),
            op::NEWFALSE => Tree::Bool(false),
            op::INT => literal::int(self.line()?)?,
            op::LONG => literal::long(self.line()?)?,
            op::BININT => Tree::Integer(i32::from_le_bytes(self.array()?).into()),
            op::BININT1 => Tree::Integer(u8::from_le_bytes(self.array()?).into()),
            op::BININT2 => Tree::Integer(u16::from_le_bytes(self.array()?).into()),
            op::LONG1 => literal::binary_long(self.counted::<1>()?)?,
            op::LONG4 => literal::binary_long(self.counted::<4>()?)?,
            op::FLOAT => literal::float(self.line()?)?,
            op::BINFLOAT => Tree::Float(f64::from_be_bytes(self.array()?)),
            op::STRING => literal::quoted(self.line()?)?,
            op::SHORT_BINSTRING => literal::str_or_bytes(self.counted::<1>()?),
            op::BINSTRING => literal::str_or_bytes(self.counted::<4>()?),
            op::UNICODE => literal::raw_unicode(self.line()?)?,
            op::SHORT_BINUNICODE => unicode(self.counted::<1>()?)?,
            op::BINUNICODE => unicode(self.counted::<4>()?)?,
            op::BINUNICODE8 => unicode(self.counted::<8>()?)?,
            op::SHORT_BINBYTES => Tree::Bytes(self.counted::<1>()?.to_owned()),
            op::BINBYTES => Tree::Bytes(self.counted::<4>()?.to_owned()),
            op::BINBYTES8 | op::BYTEARRAY8 => Tree::Bytes(self.counted::<8>()?.to_owned()),
            _ => return Err(self.refusal(opcode)),
        })
    }

    /// What the rest of the opcodes, none of which is run, would make.
    fn refusal(&mut self, opcode: u8) -> Refused {
        let object = match opcode {
            op::INST => match (self.line(), self.line()) {
                (Ok(module), Ok(name)) => return object(&text(module), &text(name)),
                _ => return Refused::Truncated,
            },
            op::BUILD | op::OBJ | op::NEWOBJ | op::NEWOBJ_EX => "a Python object",
            op::EXT1 | op::EXT2 | op::EXT4 => "a Python object of a registered class",
            op::PERSID | op::BINPERSID => "a reference to something outside of it",
            op::NEXT_BUFFER | op::READONLY_BUFFER => "a buffer that is stored elsewhere",
            _ => return Refused::Opcode(opcode),
        };
        Refused::Object(object.to_owned())
    }

    fn function(&mut self, module: &str, name: &str) -> Result<(), Refused> {
        let function = function(module, name).ok_or_else(|| object(module, name))?;
        self.push(Node::Function(function));
        Ok(())
    }

    /// A call, of which the outcome is known.
    fn reduce(&mut self) -> Result<(), Refused> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let (Node::List(arguments), Node::Function(function)) =
            (&self.graph[arguments], &self.graph[function])
        else {
            return Err(Refused::Incoherent);
        };
        let argument = |at: usize| arguments.get(at).map(|&id| &self.graph[id]);
        let copied = match argument(0) {
            Some(Node::Leaf(Tree::String(text))) => text.len(),
            Some(Node::Leaf(Tree::Bytes(bytes))) => bytes.len(),
            Some(Node::List(items)) => items.len(),
            _ => 0,
        };
        let left = self.left.checked_sub(copied);
        self.left = left.ok_or(Refused::TooLarge(self.limit))?;
        let made = match (*function, argument(0), argument(1), arguments.len()) {
            (
                ENCODE | BYTEARRAY,
                Some(Node::Leaf(Tree::String(text))),
                Some(Node::Leaf(Tree::String(encoding))),
                2,
            ) if matches!(encoding.as_str(), "latin1" | "latin-1") => {
                Node::Leaf(Tree::Bytes(literal::latin1(text).ok_or(Refused::Text)?))
            }
            (BYTES | BYTEARRAY, None, None, 0) => Node::Leaf(Tree::Bytes(Vec::new())),
            (BYTEARRAY, Some(Node::Leaf(Tree::Bytes(bytes))), None, 1) => {
                Node::Leaf(Tree::Bytes(bytes.clone()))
            }
            (SET, None, None, 0) => Node::List(Vec::new()),
            (SET, Some(Node::List(items)), None, 1) => Node::List(items.clone()),
            _ => return Err(Refused::Incoherent),
        };
        self.push(made);
        Ok(())
    }

    fn tuple(&mut self, length: usize) -> Result<(), Refused> {
        let from = self.stack.len().checked_sub(length);
        let from = from.filter(|from| *from >= self.marks.last().copied().unwrap_or(0));
        let items = self.stack.split_off(from.ok_or(Refused::Incoherent)?);
        self.push(Node::List(items));
        Ok(())
    }

    fn extend_list(&mut self, more: &[Id]) -> Result<(), Refused> {
        let top = self.top()?;
        let Node::List(items) = &mut self.graph[top] else {
            return Err(Refused::Incoherent);
        };
        items.extend_from_slice(more);
        Ok(())
    }

    fn extend_dict(&mut self, more: &[Id]) -> Result<(), Refused> {
        let top = self.top()?;
        let Node::Map(entries) = &mut self.graph[top] else {
            return Err(Refused::Incoherent);
        };
        let pairs = more.chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return Err(Refused::Incoherent);
        }
        entries.extend(pairs.map(|pair| (pair[0], pair[1])));
        Ok(())
    }

    fn push(&mut self, node: Node) {
        self.stack.push(self.graph.len());
        self.graph.push(node);
    }

    /// What is above the last mark only, as Python has it.
    fn top(&self) -> Result<Id, Refused> {
        let bottom = self.marks.last().copied().unwrap_or(0);
        let above = self.stack.get(bottom..).and_then(<[Id]>::last);
        above.copied().ok_or(Refused::Incoherent)
    }

    fn pop(&mut self) -> Result<Id, Refused> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, Refused> {
        let mark = self.marks.pop().ok_or(Refused::Incoherent)?;
        Ok(self.stack.split_off(mark))
    }

    fn memoize(&mut self, index: usize) -> Result<(), Refused> {
        let top = self.top()?;
        self.memo.insert(index, top);
        Ok(())
    }

    fn recall(&mut self, index: usize) -> Result<(), Refused> {
        let id = self.memo.get(&index).ok_or(Refused::Incoherent)?;
        self.stack.push(*id);
        Ok(())
    }

    fn string(&self, id: Id) -> Result<String, Refused> {
        match &self.graph[id] {
            Node::Leaf(Tree::String(text)) => Ok(text.clone()),
            _ => Err(Refused::Incoherent),
        }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Refused> {
        let taken = self.rest.split_at_checked(length);
        let (taken, rest) = taken.ok_or(Refused::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refused> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| Refused::Truncated)
    }

    /// A number of `N` bytes in little endian; one that `usize` cannot hold is cut short in any
    /// case.
    fn length<const N: usize>(&mut self) -> Result<usize, Refused> {
        let mut bytes = [0; 8];
        bytes[..N].copy_from_slice(&self.array::<N>()?);
        usize::try_from(u64::from_le_bytes(bytes)).map_err(|_| Refused::Truncated)
    }

    fn counted<const N: usize>(&mut self) -> Result<&'a [u8], Refused> {
        let length = self.length::<N>()?;
        self.take(length)
    }

    fn line(&mut self) -> Result<&'a [u8], Refused> {
        let end = memchr::memchr(b'\n', self.rest).ok_or(Refused::Truncated)?;
        let line = self.take(end)?;
        self.take(1)?;
        Ok(line)
    }

    fn index(&mut self) -> Result<usize, Refused> {
        let line = std::str::from_utf8(self.line()?).ok();
        let index = line.and_then(|line| line.parse().ok());
        index.ok_or(Refused::Number)
    }
}

fn unicode(bytes: &[u8]) -> Result<Tree, Refused> {
    let text = std::str::from_utf8(bytes).map_err(|_| Refused::Text)?;
    Ok(Tree::String(text.to_owned()))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// By the name of its class, as far as that is one.
fn object(module: &str, name: &str) -> Refused {
    let [module, name] = [module, name].map(|part| class_name(part.as_bytes(), "_."));
    Refused::Object(format!("a Python object of class {module}.{name}"))
}
