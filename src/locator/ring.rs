use super::{Locator, Trace};
use crate::hash::KeyHash;

/// Points on a circle of hashes, each of them a server's; a key's hash belongs to one point.
#[derive(Debug)]
pub(super) struct Ring {
    hash: KeyHash,
    search: Search,
    /// Sorted, without duplicates, and not empty. Beside `owners`, not in pairs: the search then
    /// touches half as many cache lines.
    points: Box<[u32]>,
    /// The server of each point.
    owners: Box<[usize]>,
    /// How many points are below each 1,024th of the circle: the search is for the rest.
    below: Box<[usize]>,
    servers: usize,
}

/// Which point a hash belongs to that is not exactly on one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Search {
    /// The next larger one; above the largest the smallest.
    Next,
    /// EnyimMemcached's quirk, which moecache copies: the same, but **below the smallest the
    /// largest**. (The binary search answers `~0` for it; the code takes that for "smaller than
    /// everything" and steps back by one, though the next larger one is there.)
    NextButLargestBelowAll,
    /// Dalli's: the next smaller one; below the smallest the largest.
    Previous,
}

/// Who owns a point that several servers have.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tie {
    /// The server that was given first.
    First,
    /// The one that was given last: it overwrites the others in a dictionary.
    Last,
}

/// How many bits of a hash say which 1,024th of the circle it is in.
const PART_BITS: u32 = 10;

fn part(hash: u32) -> usize {
    (hash >> (u32::BITS - PART_BITS)) as usize
}

impl Ring {
    /// The ring of these points, each with the place of its server in the list, of which there are
    /// `servers`.
    pub(super) fn new(
        hash: KeyHash,
        search: Search,
        tie: Tie,
        mut points: Vec<(u32, usize)>,
        servers: usize,
    ) -> Self {
        if matches!(tie, Tie::Last) {
            points.reverse();
        }
        // The sort is stable, and of equal points the first stays.
        points.sort_by_key(|&(point, _)| point);
        points.dedup_by_key(|&mut (point, _)| point);
        let (points, owners): (Vec<_>, Vec<_>) = points.into_iter().unzip();
        let parts = 0..=1 << PART_BITS;
        let below = parts.map(|end| points.partition_point(|&point| part(point) < end));
        Self {
            hash,
            search,
            below: below.collect(),
            points: points.into(),
            owners: owners.into(),
            servers,
        }
    }

    /// The place of the point that a hash belongs to.
    fn at(&self, hash: u32) -> usize {
        let last = self.points.len() - 1;
        let part = part(hash);
        let (from, to) = (self.below[part], self.below[part + 1]);
        let next = from + self.points[from..to].partition_point(|&point| point < hash);
        match self.search {
            Search::Next if next > last => 0,
            Search::Next => next,
            Search::NextButLargestBelowAll => match next {
                0 if self.points[0] != hash => last,
                next if next > last => 0,
                next => next,
            },
            Search::Previous => match self.points.get(next) {
                Some(&point) if point == hash => next,
                _ => next.checked_sub(1).unwrap_or(last),
            },
        }
    }

    /// The rule that leads from the hash to this point.
    fn rule(&self, hash: u32, point: u32) -> &'static str {
        let is_below_all = hash < self.points[0];
        match self.search {
            _ if hash == point => "exactly on a point",
            Search::NextButLargestBelowAll if is_below_all && point > self.points[0] => {
                "below the smallest point: Enyim's search then takes the largest"
            }
            Search::Previous if is_below_all => "below the smallest point: round to the largest",
            Search::Previous => "the next smaller point",
            _ if point < hash => "above the largest point: round to the smallest",
            _ => "the next larger point",
        }
    }
}

impl Locator for Ring {
    fn locate(&self, key: &[u8]) -> usize {
        self.owners[self.at((self.hash.of)(key))]
    }

    fn explain(&self, key: &[u8]) -> Trace {
        let hash = (self.hash.of)(key);
        let at = self.at(hash);
        let point = self.points[at];
        Trace {
            hash: Some(hash.into()),
            point: Some(point.into()),
            rule: self.rule(hash, point).to_owned(),
            ..Trace::new(self.owners[at])
        }
    }

    /// Walks the edges before and behind each point: from one to the next, all hashes belong to the
    /// same server.
    fn shares(&self) -> Option<Vec<f64>> {
        let end = u64::from(self.hash.max?) + 1;
        let points = self.points.iter().map(|&point| u64::from(point));
        let edges = points.flat_map(|point| [point, point + 1]).chain([end]);
        let mut shares = vec![0; self.servers];
        let mut from = 0;
        for to in edges.map(|edge| edge.min(end)) {
            if let Some(hash) = u32::try_from(from).ok().filter(|_| from < to) {
                shares[self.owners[self.at(hash)]] += to - from;
            }
            from = to;
        }
        Some(fractions(&shares, end))
    }
}

/// The shares of a space of so many hashes.
#[expect(
    clippy::cast_precision_loss,
    reason = "at most 2^32, which a f64 holds exactly"
)]
pub(super) fn fractions(shares: &[u64], of: u64) -> Vec<f64> {
    let shares = shares.iter();
    shares.map(|&share| share as f64 / of as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes a key of four bytes to the number that they are.
    const NUMBER: KeyHash = KeyHash::new(|key| u32::from_be_bytes(key.try_into().unwrap()));

    const MAX: u32 = u32::MAX;

    fn ring(search: Search, tie: Tie) -> Ring {
        let points = vec![(200, 0), (100, 1), (200, 2), (4_000_000_000, 1)];
        Ring::new(NUMBER, search, tie, points, 3)
    }

    #[test]
    fn a_hash_belongs_to_a_point() {
        use Search::{Next, NextButLargestBelowAll, Previous};
        let rows = [
            (Next, 0, 100, "the next larger point"),
            (Next, 100, 100, "exactly on a point"),
            (Next, 101, 200, "the next larger point"),
            (Next, 201, 4_000_000_000, "the next larger point"),
            (
                Next,
                4_000_000_001,
                100,
                "above the largest point: round to the smallest",
            ),
            (
                NextButLargestBelowAll,
                99,
                4_000_000_000,
                "below the smallest point: Enyim's search then takes the largest",
            ),
            (NextButLargestBelowAll, 100, 100, "exactly on a point"),
            (NextButLargestBelowAll, 101, 200, "the next larger point"),
            (
                NextButLargestBelowAll,
                MAX,
                100,
                "above the largest point: round to the smallest",
            ),
            (
                Previous,
                99,
                4_000_000_000,
                "below the smallest point: round to the largest",
            ),
            (Previous, 100, 100, "exactly on a point"),
            (Previous, 199, 100, "the next smaller point"),
            (Previous, MAX, 4_000_000_000, "the next smaller point"),
        ];
        for (search, hash, point, rule) in rows {
            let trace = ring(search, Tie::First).explain(&u32::to_be_bytes(hash));
            assert_eq!(trace.point, Some(point), "{search:?} {hash}");
            assert_eq!(trace.rule, rule, "{search:?} {hash}");
        }
    }

    #[test]
    fn a_shared_point_has_one_owner() {
        for (tie, owner) in [(Tie::First, 0), (Tie::Last, 2)] {
            let located = ring(Search::Next, tie).locate(&150_u32.to_be_bytes());
            assert_eq!(located, owner, "{tie:?}");
        }
    }

    #[test]
    fn shares_are_exact() {
        let all = 2_f64.powi(32);
        let rows = [
            (Search::Next, [100.0, all - 100.0, 0.0]),
            (Search::NextButLargestBelowAll, [100.0, all - 100.0, 0.0]),
            (
                Search::Previous,
                [4_000_000_000.0 - 200.0, all - 4_000_000_000.0 + 200.0, 0.0],
            ),
        ];
        for (search, shares) in rows {
            let expected = shares.map(|share| share / all);
            assert_eq!(
                ring(search, Tie::First).shares().unwrap(),
                expected,
                "{search:?}"
            );
        }
        // Of a hash that does not fill the circle, only what it can be counts.
        let few = KeyHash {
            max: Some(149),
            ..NUMBER
        };
        let points = vec![(100, 0), (200, 1)];
        let shares = Ring::new(few, Search::Next, Tie::First, points, 2).shares();
        assert_eq!(shares.unwrap(), [101.0 / 150.0, 49.0 / 150.0]);
    }
}
