//! libmemcached's, which are those of pylibmc and php-memcached too.

use super::modula::Modula;
use super::ring::{Ring, Search, Tie};
use super::{Distribution, Locator, Named, Node, ketama};
use crate::address::{Address, Server};
use crate::error::Error;
use crate::hash::KeyHash;
use std::sync::Arc;

/// How many points a server has that is not weighted (`MEMCACHED_POINTS_PER_SERVER`).
const POINTS: usize = 100;

/// `SORT_HOSTS`: the hash modulo the number of servers, which are sorted by host, byte by byte, and
/// port.
pub(super) fn modula_sort_hosts(hash: KeyHash, servers: &[Node]) -> Result<Modula, Error> {
    let mut sorted = Vec::new();
    for (place, server) in servers.iter().enumerate() {
        let address = match &server.ring_name {
            Some(name) => Server::from(name).address()?,
            None => server.address.clone(),
        };
        sorted.push(match address {
            Address::Tcp { host, port } => (host, port, place),
            Address::Unix(path) => (path, 0, place),
        });
    }
    sorted.sort();
    let order = sorted.into_iter().map(|(.., place)| (place, 1));
    let note = " in the list sorted by host and port";
    Ok(Modula::new(hash, order, note))
}

/// The rings: points of `text-0`, `text-1` and so on, hashed as the keys are, or by MD5 where they
/// are weighted.
///
/// libmemcached's quirk: a server whose weight is over 1 switches to weighted points, whatever was
/// chosen, and leaves the hash of the keys as it is. (`KETAMA_WEIGHTED` itself sets it to MD5.)
pub(super) fn ring(
    distribution: Distribution,
    hash: KeyHash,
    servers: &[Named],
) -> Arc<dyn Locator> {
    let is_weighted = match distribution {
        Distribution::LibmemcachedConsistent | Distribution::LibmemcachedKetamaSpyUnweighted => {
            servers.iter().any(|server| server.weight > 1)
        }
        Distribution::LibmemcachedConsistentHashLater => false,
        _ => true,
    };
    // The hash that is set when the ring is made; that of the keys may have been set later.
    let of_points = match distribution {
        Distribution::LibmemcachedConsistentHashLater => KeyHash::ONE_AT_A_TIME,
        _ => hash,
    };
    let points = if is_weighted {
        ketama::weighted_points(servers)
    } else {
        let points = servers.iter().flat_map(|server| {
            let text = |point| format!("{}-{point}", server.text);
            (0..POINTS).map(move |point| ((of_points.of)(text(point).as_bytes()), server.place))
        });
        points.collect()
    };
    Arc::new(Ring::new(
        hash,
        Search::Next,
        Tie::First,
        points,
        servers.len(),
    ))
}
