//! Values whose parts may be shared, or hold themselves, as pickles and Marshal have them. What is
//! shared is written out each time: 200 bytes can stand for terabytes, so how much comes of that is
//! limited.

use super::tree::{MAX_DEPTH, Tree};

/// A node's place in the graph.
pub(super) type Id = usize;

pub(super) enum Node {
    /// What holds nothing else.
    Leaf(Tree),
    /// A list, tuple or set.
    List(Vec<Id>),
    Map(Vec<(Id, Id)>),
    /// The name of a function; no value.
    #[cfg_attr(
        not(feature = "pickle"),
        expect(dead_code, reason = "Marshal has no functions")
    )]
    Function(&'static str),
}

/// Why there is no tree of a graph.
pub(super) enum NoTree {
    TooDeep,
    TooLarge,
    Function,
}

/// The tree of the node, in which what is there again takes at most `limit` bytes of memory.
pub(super) fn expand(graph: &[Node], root: Id, limit: usize) -> Result<Tree, NoTree> {
    let mut expansion = Expansion {
        graph,
        seen: vec![false; graph.len()],
        left: limit,
    };
    expansion.tree(root, 0)
}

struct Expansion<'a> {
    graph: &'a [Node],
    /// What is there for the first time costs nothing: what was read is that long.
    seen: Vec<bool>,
    /// How many bytes of memory may still go to what is there again.
    left: usize,
}

impl Expansion<'_> {
    fn tree(&mut self, id: Id, depth: usize) -> Result<Tree, NoTree> {
        let node = &self.graph[id];
        if std::mem::replace(&mut self.seen[id], true) {
            let left = self.left.checked_sub(size(node));
            self.left = left.ok_or(NoTree::TooLarge)?;
        }
        // What holds itself has no end of levels.
        if depth == MAX_DEPTH && matches!(node, Node::List(_) | Node::Map(_)) {
            return Err(NoTree::TooDeep);
        }
        Ok(match node {
            Node::Leaf(leaf) => leaf.clone(),
            Node::List(items) => {
                let items = items.iter().map(|&item| self.tree(item, depth + 1));
                Tree::List(items.collect::<Result<_, _>>()?)
            }
            Node::Map(entries) => {
                let entries = entries.iter().map(|&(key, value)| {
                    let key = self.tree(key, depth + 1)?;
                    Ok((key, self.tree(value, depth + 1)?))
                });
                Tree::Map(entries.collect::<Result<_, _>>()?)
            }
            Node::Function(_) => return Err(NoTree::Function),
        })
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
