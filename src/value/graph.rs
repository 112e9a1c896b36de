//! Values whose parts may be shared, or hold themselves, as pickles and Marshal have them. What is
//! shared is written out each time: 200 bytes can stand for terabytes, so how much comes of that is
//! limited.

use super::tree::{MAX_DEPTH, Tree};

/// A node's place in the graph.
pub(super) type Id = usize;

#[derive(Clone)]
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
pub(super) fn expand(graph: Vec<Node>, root: Id, limit: usize) -> Result<Tree, NoTree> {
    let mut uses = vec![0_usize; graph.len()];
    uses[root] = 1;
    for node in &graph {
        match node {
            Node::List(items) => items.iter().for_each(|&id| uses[id] += 1),
            Node::Map(entries) => {
                for &(key, value) in entries {
                    uses[key] += 1;
                    uses[value] += 1;
                }
            }
            Node::Leaf(_) | Node::Function(_) => {}
        }
    }
    let mut expansion = Expansion {
        seen: vec![false; graph.len()],
        graph,
        uses,
        left: limit,
    };
    expansion.tree(root, 0, false)
}

struct Expansion {
    graph: Vec<Node>,
    /// How often each node is in another one, or the root.
    uses: Vec<usize>,
    /// What is there for the first time costs nothing: what was read is that long.
    seen: Vec<bool>,
    /// How many bytes of memory may still go to what is there again.
    left: usize,
}

impl Expansion {
    /// `is_shared` says that the node may be asked for again, so that it has to be copied.
    fn tree(&mut self, id: Id, depth: usize, is_shared: bool) -> Result<Tree, NoTree> {
        let is_shared = is_shared || self.uses[id] > 1;
        let node = &mut self.graph[id];
        if std::mem::replace(&mut self.seen[id], true) {
            let left = self.left.checked_sub(size(node));
            self.left = left.ok_or(NoTree::TooLarge)?;
        }
        // What holds itself has no end of levels.
        if depth == MAX_DEPTH && matches!(node, Node::List(_) | Node::Map(_)) {
            return Err(NoTree::TooDeep);
        }
        let node = if is_shared {
            node.clone()
        } else {
            std::mem::replace(node, Node::List(Vec::new()))
        };
        Ok(match node {
            Node::Leaf(leaf) => leaf,
            Node::List(items) => {
                let items = items.into_iter();
                let items = items.map(|item| self.tree(item, depth + 1, is_shared));
                Tree::List(items.collect::<Result<_, _>>()?)
            }
            Node::Map(entries) => {
                let entries = entries.into_iter().map(|(key, value)| {
                    let key = self.tree(key, depth + 1, is_shared)?;
                    Ok((key, self.tree(value, depth + 1, is_shared)?))
                });
                Tree::Map(entries.collect::<Result<_, _>>()?)
            }
            Node::Function(_) => return Err(NoTree::Function),
        })
    }
}

/// The memory that the node takes, without what it holds.
pub(super) fn size(node: &Node) -> usize {
    let data = match node {
        Node::Leaf(Tree::String(text)) => text.len(),
        Node::Leaf(Tree::Bytes(bytes)) => bytes.len(),
        _ => 0,
    };
    size_of::<Tree>() + data
}
