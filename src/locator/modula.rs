use super::ring::fractions;
use super::{Locator, Trace};
use crate::hash::KeyHash;

/// The hash modulo the number of buckets, of which each server has one, or as many as it weighs.
#[derive(Debug)]
pub(super) struct Modula {
    hash: KeyHash,
    /// The servers in the order of their buckets.
    order: Box<[usize]>,
    /// The bucket after the last one of each, in the same order: a weight may be too large for a
    /// list of all buckets.
    ends: Box<[u64]>,
    /// How the buckets come about, where it is not one for each server of the list: `, ..`.
    note: &'static str,
}

impl Modula {
    /// Servers by their places in the list and their weights, in the order of their buckets.
    pub(super) fn new(
        hash: KeyHash,
        servers: impl Iterator<Item = (usize, u32)>,
        note: &'static str,
    ) -> Self {
        let (order, ends): (Vec<_>, Vec<_>) = servers
            .scan(0, |end, (server, weight)| {
                *end += u64::from(weight);
                Some((server, *end))
            })
            .unzip();
        Self {
            hash,
            order: order.into(),
            ends: ends.into(),
            note,
        }
    }

    /// One bucket for each of the list.
    pub(super) fn of_equals(hash: KeyHash, servers: usize) -> Self {
        Self::new(hash, (0..servers).map(|server| (server, 1)), "")
    }

    fn buckets(&self) -> u64 {
        self.ends.last().copied().unwrap_or(1)
    }

    fn owner(&self, bucket: u64) -> usize {
        self.order[self.ends.partition_point(|&end| end <= bucket)]
    }
}

impl Locator for Modula {
    fn locate(&self, key: &[u8]) -> usize {
        self.owner(u64::from((self.hash.of)(key)) % self.buckets())
    }

    fn explain(&self, key: &[u8]) -> Trace {
        let hash = u64::from((self.hash.of)(key));
        let buckets = self.buckets();
        let bucket = hash % buckets;
        Trace {
            hash: Some(hash),
            rule: format!("hash % {buckets} = {bucket}{}", self.note),
            ..Trace::new(self.owner(bucket))
        }
    }

    fn shares(&self) -> Option<Vec<f64>> {
        let hashes = u64::from(self.hash.max?) + 1;
        let (rounds, rest) = (hashes / self.buckets(), hashes % self.buckets());
        // How many hashes fall into the buckets below this one.
        let below = |bucket: u64| rounds * bucket + rest.min(bucket);
        let mut shares = vec![0; self.order.len()];
        let mut start = 0;
        for (&server, &end) in self.order.iter().zip(&self.ends) {
            shares[server] = below(end) - below(start);
            start = end;
        }
        Some(fractions(&shares, hashes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: KeyHash = KeyHash {
        of: |key| key.len().try_into().unwrap(),
        max: Some(9),
    };

    #[test]
    fn servers_have_as_many_buckets_as_they_weigh() {
        let servers = [(2, 1), (0, 3), (1, u32::MAX)];
        let modula = Modula::new(LENGTH, servers.into_iter(), ", weighted");
        let located: Vec<_> = (0..7).map(|n| modula.locate(&b"......"[..n])).collect();
        assert_eq!(located, [2, 0, 0, 0, 1, 1, 1]);
        assert_eq!(modula.shares().unwrap(), [0.3, 0.6, 0.1]);
        let trace = modula.explain(b"...");
        assert_eq!(trace.rule, "hash % 4294967299 = 3, weighted");
        assert_eq!((trace.server, trace.hash), (0, Some(3)));
    }

    #[test]
    fn the_last_buckets_may_have_fewer_hashes() {
        let modula = Modula::of_equals(LENGTH, 4);
        assert_eq!(modula.locate(b"......"), 2);
        assert_eq!(modula.shares().unwrap(), [0.3, 0.3, 0.2, 0.2]);
    }
}
