//! Servers that are in the list more than once, which some deployments do to give them more keys.

use super::{Locator, Node, Trace};
use std::sync::Arc;

/// The servers without those that are listed again, in list order.
pub(crate) fn unrepeated(nodes: &[Node]) -> impl Iterator<Item = &Node> {
    let is_first = |place: usize| {
        !nodes[..place]
            .iter()
            .any(|it| it.is_same_server(&nodes[place]))
    };
    (0..nodes.len())
        .filter(move |&place| is_first(place))
        .map(|place| &nodes[place])
}

/// Places keys by the whole list, as the library does, and answers with places among the
/// [`unrepeated`]: each of them has one connection pool.
#[derive(Debug)]
pub(crate) struct Repeated {
    locator: Arc<dyn Locator>,
    /// For each of the list, its place among the unrepeated.
    places: Box<[usize]>,
    /// How many those are.
    servers: usize,
}

impl Repeated {
    /// `None` if each server is listed once.
    pub(crate) fn among(nodes: &[Node], locator: &Arc<dyn Locator>) -> Option<Self> {
        let servers: Vec<&Node> = unrepeated(nodes).collect();
        if servers.len() == nodes.len() {
            return None;
        }
        let place = |node: &Node| servers.iter().position(|it| it.is_same_server(node));
        Some(Self {
            locator: Arc::clone(locator),
            places: nodes.iter().filter_map(place).collect(),
            servers: servers.len(),
        })
    }

    /// A place that is not in the list stays one.
    fn place(&self, listed: usize) -> usize {
        self.places.get(listed).copied().unwrap_or(usize::MAX)
    }
}

impl Locator for Repeated {
    fn locate(&self, key: &[u8]) -> usize {
        self.place(self.locator.locate(key))
    }

    fn explain(&self, key: &[u8]) -> Trace {
        let trace = self.locator.explain(key);
        Trace {
            server: self.place(trace.server),
            ..trace
        }
    }

    fn shares(&self) -> Option<Vec<f64>> {
        let mut shares = vec![0.0; self.servers];
        for (share, &place) in self.locator.shares()?.into_iter().zip(&self.places) {
            shares[place] += share;
        }
        Some(shares)
    }
}
