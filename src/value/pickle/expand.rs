//! From the graph that a pickle makes to a tree. What is shared is written out each time: a pickle
//! of 200 bytes can stand for terabytes, so how much comes of that is limited.

use super::Refused;
use super::machine::{Id, Node};
use crate::value::msgpack::MAX_DEPTH;
use crate::value::tree::Tree;

pub(super) fn expand(graph: &[Node], root: Id, limit: usize) -> Result<Tree, Refused> {
    let mut expansion = Expansion {
        graph,
        seen: vec![false; graph.len()],
        limit,
        left: limit,
    };
    expansion.tree(root, 0)
}

struct Expansion<'a> {
    graph: &'a [Node],
    /// What is there for the first time costs nothing: the pickle is that long.
    seen: Vec<bool>,
    limit: usize,
    /// How many bytes of memory may still go to what is there again.
    left: usize,
}

impl Expansion<'_> {
    fn tree(&mut self, id: Id, depth: usize) -> Result<Tree, Refused> {
        let node = &self.graph[id];
        if std::mem::replace(&mut self.seen[id], true) {
            let left = self.left.checked_sub(size(node));
            self.left = left.ok_or(Refused::TooLarge(self.limit))?;
        }
        match node {
            Node::Leaf(leaf) => Ok(leaf.clone()),
            Node::List(items) => {
                let depth = deeper(depth)?;
                let items = items.iter().map(|&item| self.tree(item, depth));
                Ok(Tree::List(items.collect::<Result<_, _>>()?))
            }
            Node::Dict(entries) => {
                let depth = deeper(depth)?;
                let entries = entries.iter().map(|&(key, value)| {
                    let key = self.tree(key, depth)?;
                    Ok((key, self.tree(value, depth)?))
                });
                Ok(Tree::Map(entries.collect::<Result<_, _>>()?))
            }
            Node::Function(_) => Err(Refused::Object("a Python function".to_owned())),
        }
    }
}

/// The memory that the node takes, without what it holds.
fn size(node: &Node) -> usize {
    let data = match node {
        Node::Leaf(Tree::String(text)) => text.len(),
        Node::Leaf(Tree::Bytes(bytes)) => bytes.len(),
        _ => 0,
    };
    size_of::<Tree>() + data
}

/// One level deeper. What holds itself has no end of them.
fn deeper(depth: usize) -> Result<usize, Refused> {
    if depth < MAX_DEPTH {
        Ok(depth + 1)
    } else {
        Err(Refused::TooDeep)
    }
}
