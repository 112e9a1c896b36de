//! Whose each part of the ring is.

use super::sample::made;
use moecache::{Client, Result};

/// Into how many equal parts the ring is cut.
pub(super) const PARTS: usize = 1440;

/// How many made keys find out whose they are: some 70 for each part.
const KEYS: usize = 100_000;

/// A stretch of the ring, in parts.
pub(super) struct Arc {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The place of its server in the list, from 0.
    pub(super) server: usize,
}

pub(super) struct Ring {
    pub(super) arcs: Vec<Arc>,
    /// The hashes go from 0 to 2 to the power of this.
    pub(super) bits: u32,
}

impl Ring {
    /// `None` where there is no ring.
    pub(super) fn of(client: &Client) -> Result<Option<Self>> {
        let mut found = Vec::with_capacity(KEYS);
        for key in made().take(KEYS) {
            let explanation = client.explain(key)?;
            let (Some(hash), Some(_)) = (explanation.hash, explanation.point) else {
                return Ok(None);
            };
            found.push((hash, explanation.index));
        }
        let largest = found.iter().map(|&(hash, _)| hash).max();
        let bits = u64::BITS - largest.unwrap_or_default().leading_zeros();
        let servers = client.servers().len();
        let mut parts = vec![vec![0_u32; servers]; PARTS];
        for (hash, server) in found {
            let part = (u128::from(hash) * PARTS as u128) >> bits;
            parts[part as usize][server] += 1;
        }
        let arcs = arcs(parts.iter().map(|keys| most(keys)));
        Ok(Some(Self { arcs, bits }))
    }
}

/// The server with the most keys.
fn most(keys: &[u32]) -> usize {
    let most = keys.iter().enumerate().max_by_key(|&(_, keys)| keys);
    most.map_or(0, |(server, _)| server)
}

/// Neighbours of one colour are one arc, of at most half of the ring: SVG can draw no more at once.
fn arcs(servers: impl Iterator<Item = usize>) -> Vec<Arc> {
    let mut arcs: Vec<Arc> = Vec::new();
    for (from, server) in servers.enumerate() {
        match arcs.last_mut() {
            Some(last) if last.server == server && from != PARTS / 2 => last.to = from + 1,
            _ => arcs.push(Arc {
                from,
                to: from + 1,
                server,
            }),
        }
    }
    arcs
}
