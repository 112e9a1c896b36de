//! twemproxy's. Its servers are sorted by their names, the shorter ones first: so its order is not
//! that of the list.

use super::modula::Modula;
use super::ring::{Ring, Search, Tie};
use super::{Named, ketama};
use crate::hash::KeyHash;

/// libmemcached's weighted ring. Where servers share a point, the first by name owns it.
pub(super) fn ketama(hash: KeyHash, servers: Vec<Named>) -> Ring {
    let count = servers.len();
    let points = ketama::weighted_points(&sorted(servers));
    Ring::new(hash, Search::Next, Tie::First, points, count)
}

/// The hash modulo the sum of the weights.
pub(super) fn modula(hash: KeyHash, servers: Vec<Named>) -> Modula {
    let sorted = sorted(servers);
    let servers = sorted.iter().map(|server| (server.place, server.weight));
    let note = " in the list sorted by length of name and name, each as often as it weighs";
    Modula::new(hash, servers, note)
}

fn sorted(mut servers: Vec<Named>) -> Vec<Named> {
    servers.sort_by(|a, b| (a.text.len(), &a.text).cmp(&(b.text.len(), &b.text)));
    servers
}
