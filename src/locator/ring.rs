use super::{Locator, Trace};
use crate::hash::KeyHash;

/// Points on a circle of hashes, each of them a server's; a key's hash belongs to one point.
///
/// Whatever the rule, the circle falls into arcs whose hashes belong to one server. These are what is
/// searched; the points are kept for those who ask why.
#[derive(Debug)]
pub(super) struct Ring {
    hash: KeyHash,
    /// The last hash of each arc, in order; the last of all is the largest that there is. Beside
    /// `owners`, not in pairs: the search then touches half as many cache lines.
    ends: Box<[u32]>,
    /// The server of each arc.
    owners: Box<[usize]>,
    /// How many ends are below each 1,024th of the circle: the search is for the rest.
    below: Box<[usize]>,
    search: Search,
    /// Sorted, without duplicates, and not empty.
    points: Box<[u32]>,
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

impl Search {
    /// The last hash of each arc between the points, with its server.
    fn arcs(self, points: &[(u32, usize)]) -> Vec<(u32, usize)> {
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return vec![(u32::MAX, 0)];
        };
        let up_to = |point: u32, owner| Some((point.checked_sub(1)?, owner));
        match self {
            Self::Next => {
                let points = points.iter().copied();
                points.chain([(u32::MAX, first.1)]).collect()
            }
            Self::NextButLargestBelowAll => {
                let below_all = up_to(first.0, last.1);
                below_all
                    .into_iter()
                    .chain(Self::Next.arcs(points))
                    .collect()
            }
            Self::Previous => {
                let previous = [last].into_iter().chain(points);
                let arcs = points.iter().zip(previous);
                let arcs = arcs.filter_map(|(point, previous)| up_to(point.0, previous.1));
                arcs.chain([(u32::MAX, last.1)]).collect()
            }
        }
    }
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
        let (ends, owners): (Vec<_>, Vec<_>) = search.arcs(&points).into_iter().unzip();
        let parts = 0..=1 << PART_BITS;
        let below = parts.map(|limit| ends.partition_point(|&end| part(end) < limit));
        Self {
            hash,
            below: below.collect(),
            ends: ends.into(),
            owners: owners.into(),
            search,
            points: points.into_iter().map(|(point, _)| point).collect(),
            servers,
        }
    }

    /// The point that a hash belongs to, and the rule that led there.
    fn point(&self, hash: u32) -> Option<(u32, &'static str)> {
        let (&first, &last) = (self.points.first()?, self.points.last()?);
        let at = self.points.partition_point(|&point| point < hash);
        let next = self.points.get(at).copied();
        let previous = at.checked_sub(1).map(|at| self.points[at]);
        Some(match (self.search, previous, next) {
            (_, _, Some(point)) if point == hash => (point, "exactly on a point"),
            (Search::Previous, Some(point), _) => (point, "the next smaller point"),
            (Search::Previous, None, _) => (last, "below the smallest point: round to the largest"),
            (Search::NextButLargestBelowAll, None, _) => (
                last,
                "below the smallest point: Enyim's search then takes the largest",
            ),
            (_, _, Some(point)) => (point, "the next larger point"),
            (_, _, None) => (first, "above the largest point: round to the smallest"),
        })
    }
}

impl Locator for Ring {
    fn locate(&self, key: &[u8]) -> usize {
        let hash = (self.hash.of)(key);
        let part = part(hash);
        let (from, to) = (self.below[part], self.below[part + 1]);
        let arc = from + self.ends[from..to].partition_point(|&end| end < hash);
        self.owners[arc]
    }

    fn explain(&self, key: &[u8]) -> Trace {
        let hash = (self.hash.of)(key);
        let (point, rule) = self.point(hash).unzip();
        Trace {
            hash: Some(hash.into()),
            point: point.map(u64::from),
            rule: rule.unwrap_or_default().to_owned(),
            ..Trace::new(self.locate(key))
        }
    }

    fn shares(&self) -> Option<Vec<f64>> {
        let hashes = u64::from(self.hash.max?) + 1;
        let mut shares = vec![0; self.servers];
        let mut from = 0;
        for (&end, &owner) in self.ends.iter().zip(&self.owners) {
            let to = hashes.min(u64::from(end) + 1);
            shares[owner] += to - from;
            from = to;
        }
        Some(fractions(&shares, hashes))
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
            let owner = usize::from(point != 200);
            assert_eq!(trace.server, owner, "{search:?} {hash}");
        }
    }

    /// On small rings of many shapes, the server of a hash is the owner of the point that explains
    /// it, at the ends of the circle too.
    #[test]
    fn arcs_and_points_agree() {
        let spots = [0, 1, 2, 3, 0x003f_ffff, 0x0040_0000, MAX - 1, MAX];
        let hashes = spots
            .iter()
            .flat_map(|&spot| [spot, spot.wrapping_add(5), !spot]);
        for shape in 1..1_u32 << spots.len() {
            let chosen = (0..spots.len()).filter(|n| shape >> n & 1 == 1);
            let points: Vec<_> = chosen.map(|n| (spots[n], n)).collect();
            for search in [
                Search::Next,
                Search::NextButLargestBelowAll,
                Search::Previous,
            ] {
                let ring = Ring::new(NUMBER, search, Tie::First, points.clone(), spots.len());
                for hash in hashes.clone() {
                    let trace = ring.explain(&hash.to_be_bytes());
                    let owner = spots[trace.server];
                    assert_eq!(
                        trace.point,
                        Some(owner.into()),
                        "{points:?} {search:?} {hash}"
                    );
                }
                assert!((ring.shares().unwrap().iter().sum::<f64>() - 1.0).abs() < 1e-12);
            }
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
