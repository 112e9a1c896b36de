use super::Locator;
use crate::hash::{FNV_32_INIT, fnv1a_32};

/// How many points each server has on the ring (Enyim's `ServerAddressMutations`).
const POINTS_PER_SERVER: usize = 100;

/// The ring of EnyimMemcached's `DefaultNodeLocator`, which moecache copies.
///
/// Its quirks, all Enyim's, and all needed to find what it stored:
///
/// * The first point of each server, and every key, is hashed by a hasher that was never
///   initialised: FNV-1a from 0 instead of the offset basis.
/// * A key below the smallest point belongs to the server of the **largest** point. (The binary
///   search answers `-1` for it; the code takes that for "past the end" and steps back by one.)
/// * Where two servers share a point, the later one in the list owns it.
#[derive(Debug)]
pub(super) struct Ring {
    /// Sorted, without duplicates. Beside `owners`, not in pairs: the search then touches half as
    /// many cache lines.
    points: Box<[u32]>,
    /// The server of each point.
    owners: Box<[usize]>,
    /// How many points are below each 1,024th of the circle: the search is for the rest.
    below: Box<[usize]>,
}

/// How many bits of a hash say which 1,024th of the circle it is in.
const PART_BITS: u32 = 10;

fn part(hash: u32) -> usize {
    (hash >> (u32::BITS - PART_BITS)) as usize
}

impl Ring {
    /// The ring of the servers that these texts, `host:port`, stand for.
    pub(super) fn new(servers: &[String]) -> Self {
        let mut ring = Vec::with_capacity(servers.len() * POINTS_PER_SERVER);
        for (owner, server) in servers.iter().enumerate() {
            for point in 0..POINTS_PER_SERVER {
                let seed = if point == 0 { 0 } else { FNV_32_INIT };
                ring.push((
                    fnv1a_32(seed, format!("{server}-{point}").as_bytes()),
                    owner,
                ));
            }
        }
        // The sort is stable, so of equal points the later server comes last, and stays.
        ring.sort_by_key(|&(point, _)| point);
        ring.reverse();
        ring.dedup_by_key(|&mut (point, _)| point);
        ring.reverse();
        let (points, owners): (Vec<_>, Vec<_>) = ring.into_iter().unzip();
        let parts = 0..=1 << PART_BITS;
        let below = parts.map(|end| points.partition_point(|&point| part(point) < end));
        Self {
            below: below.collect(),
            points: points.into(),
            owners: owners.into(),
        }
    }
}

impl Locator for Ring {
    fn locate(&self, key: &[u8]) -> usize {
        let hash = fnv1a_32(0, key);
        let last = self.points.len() - 1;
        let part = part(hash);
        let (from, to) = (self.below[part], self.below[part + 1]);
        let found = self.points[from..to].partition_point(|&point| point < hash);
        let at = match from + found {
            0 if self.points[0] != hash => last,
            at if at > last => 0,
            at => at,
        };
        self.owners[at]
    }
}
