use super::write::VERSION;
use crate::value::fault::class_name;
use crate::value::graph::{Id, NoTree, Node, expand, size};
use crate::value::transcoder::Decoded;
use crate::value::tree::{MAX_DEPTH, Tree};

/// Why bytes are not plain data in Marshal. `Display` goes on from "the item is a Ruby object".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("in a version of Marshal other than 4.8")]
    Version,
    #[error("that is cut short")]
    Truncated,
    #[error("that is followed by other bytes")]
    Trailing,
    #[error("that is malformed")]
    Malformed,
    #[error("with an integer in it of more than 128 bits")]
    Wide,
    #[error("that nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("that holds itself")]
    HoldsItself,
    #[error("of more than {0} bytes, which max_decompressed_size does not allow")]
    TooLarge(usize),
    #[error("with {0} in it: not plain data; not executed")]
    Object(String),
}

/// What links may make of a value of this many bytes in any case, and what the parts of it may take
/// before that: so much that every other byte may be a value.
const MOST_PER_BYTE: usize = 16;

/// `limit` is how many bytes of memory links may make of the value: a few hundred bytes can stand for
/// terabytes. It also limits what its parts take, each of which may be of one byte here.
pub(crate) fn read(data: &[u8], limit: usize) -> Result<Decoded, Refused> {
    let (version, input) = data.split_first_chunk().ok_or(Refused::Truncated)?;
    if *version != VERSION {
        return Err(Refused::Version);
    }
    let bound = limit.max(data.len().saturating_mul(MOST_PER_BYTE));
    let mut reader = Reader {
        input,
        symbols: Vec::new(),
        objects: Vec::new(),
        graph: Vec::new(),
        left: bound,
        depth: 0,
        limit,
    };
    let root = reader.value()?;
    if !reader.input.is_empty() {
        return Err(Refused::Trailing);
    }
    let tree = expand(reader.graph, root, bound).map_err(|no_tree| match no_tree {
        NoTree::TooDeep => Refused::TooDeep,
        NoTree::TooLarge => Refused::TooLarge(limit),
        NoTree::Function => Refused::Malformed,
    })?;
    Ok(match (tree, input) {
        // A String of no stated encoding.
        (Tree::Bytes(bytes), [b'"', ..]) => Decoded::Bytes(bytes),
        (tree, _) => Decoded::Tree(tree),
    })
}

struct Reader<'a> {
    input: &'a [u8],
    /// In the order of their first appearance, which is how links count.
    symbols: Vec<Symbol<'a>>,
    /// The same for everything that Ruby allocates.
    objects: Vec<Object>,
    graph: Vec<Node>,
    /// How many bytes of memory further nodes may take.
    left: usize,
    depth: usize,
    limit: usize,
}

struct Symbol<'a> {
    name: &'a [u8],
    /// Its one node, once it is a value and not only the name of something.
    node: Option<Id>,
}

#[derive(Clone, Copy)]
enum Object {
    /// Not yet read to its end.
    Open,
    Read(Id),
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
    fn value(&mut self) -> Result<Id, Refused> {
        let leaf = match self.byte()? {
            b'0' => Tree::Null,
            b'T' => Tree::Bool(true),
            b'F' => Tree::Bool(false),
            b'i' => Tree::Integer(self.long()?.into()),
            b':' => {
                self.symbol()?;
                return self.symbol_node(self.symbols.len() - 1);
            }
            b';' => {
                let at = self.length()?;
                return self.symbol_node(at);
            }
            b'@' => return self.link(),
            b'I' => return self.with_variables(),
            b'l' => return self.object(|reader| reader.bignum().map(Node::Leaf)),
            b'f' => return self.object(|reader| Ok(Node::Leaf(Tree::Float(reader.float()?)))),
            b'"' => return self.object(|reader| Ok(Node::Leaf(bytes(reader.bytes()?)))),
            b'[' => return self.object(Self::array),
            b'{' => return self.object(Self::hash),
            b'}' => return self.object(Self::hash_with_default),
            tag => return Err(self.refusal(tag)),
        };
        self.push(Node::Leaf(leaf))
    }

    fn push(&mut self, node: Node) -> Result<Id, Refused> {
        let left = self.left.checked_sub(size(&node));
        self.left = left.ok_or(Refused::TooLarge(self.limit))?;
        self.graph.push(node);
        Ok(self.graph.len() - 1)
    }

    /// Reads what links can point to.
    fn object(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Node, Refused>,
    ) -> Result<Id, Refused> {
        let at = self.objects.len();
        self.objects.push(Object::Open);
        let node = read(self)?;
        let id = self.push(node)?;
        self.objects[at] = Object::Read(id);
        Ok(id)
    }

    fn link(&mut self) -> Result<Id, Refused> {
        let at = self.length()?;
        match self.objects.get(at) {
            Some(&Object::Read(id)) => Ok(id),
            Some(Object::Open) => Err(Refused::HoldsItself),
            Some(Object::Default) => {
                let what = "a link into the default value of a Hash";
                Err(Refused::Object(what.to_owned()))
            }
            Some(Object::Name) | None => Err(Refused::Malformed),
        }
    }

    fn array(&mut self) -> Result<Node, Refused> {
        self.deeper()?;
        let items = (0..self.count()?).map(|_| self.value());
        let items = items.collect::<Result<_, _>>()?;
        self.depth -= 1;
        Ok(Node::List(items))
    }

    fn hash(&mut self) -> Result<Node, Refused> {
        self.deeper()?;
        let entries = (0..self.count()?).map(|_| Ok((self.value()?, self.value()?)));
        let entries = entries.collect::<Result<_, _>>()?;
        self.depth -= 1;
        Ok(Node::Map(entries))
    }

    /// The value of keys that are not there is read, and left out.
    fn hash_with_default(&mut self) -> Result<Node, Refused> {
        let hash = self.hash()?;
        let first = self.objects.len();
        self.deeper()?;
        self.value()?;
        self.depth -= 1;
        self.objects[first..].fill(Object::Default);
        Ok(hash)
    }

    fn deeper(&mut self) -> Result<(), Refused> {
        if self.depth == MAX_DEPTH {
            return Err(Refused::TooDeep);
        }
        self.depth += 1;
        Ok(())
    }

    /// How many elements follow, each of which takes a byte at least.
    fn count(&mut self) -> Result<usize, Refused> {
        let count = self.length()?;
        if count > self.input.len() {
            return Err(Refused::Truncated);
        }
        Ok(count)
    }

    /// `I`: instance variables follow, of which strings and symbols have their encoding.
    fn with_variables(&mut self) -> Result<Id, Refused> {
        match self.byte()? {
            b'"' => self.object(|reader| {
                let data = reader.bytes()?;
                Ok(Node::Leaf(match reader.encoding()? {
                    Some(Encoding::Utf8 | Encoding::Ascii) => text(data),
                    Some(Encoding::Other) | None => bytes(data),
                }))
            }),
            b':' => {
                let at = self.symbols.len();
                self.symbol()?;
                self.encoding()?;
                self.symbol_node(at)
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
        let name = self.bytes()?;
        self.symbols.push(Symbol { name, node: None });
        Ok(name)
    }

    fn linked_symbol(&mut self) -> Result<&'a [u8], Refused> {
        let at = self.length()?;
        let symbol = self.symbols.get(at).ok_or(Refused::Malformed)?;
        Ok(symbol.name)
    }

    /// The symbol as a value: one node, however often it is linked to.
    fn symbol_node(&mut self, at: usize) -> Result<Id, Refused> {
        let symbol = self.symbols.get(at).ok_or(Refused::Malformed)?;
        if let Some(id) = symbol.node {
            return Ok(id);
        }
        let id = self.push(Node::Leaf(text(symbol.name)))?;
        self.symbols[at].node = Some(id);
        Ok(id)
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
            Ok(class) => Refused::Object(format!("{what} {}", class_name(class, ":_"))),
            Err(refused) => refused,
        }
    }
}

/// Ruby keeps whatever bytes it is given in a String of any encoding.
fn text(data: &[u8]) -> Tree {
    match std::str::from_utf8(data) {
        Ok(text) => Tree::String(text.to_owned()),
        Err(_) => bytes(data),
    }
}

fn bytes(data: &[u8]) -> Tree {
    Tree::Bytes(data.to_vec())
}
