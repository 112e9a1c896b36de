//! spymemcached's `KetamaNodeLocator`.

use super::ring::{Ring, Search, Tie};
use super::{Named, ketama};
use crate::hash::{Hash, KeyHash};

/// How many points a server has (`getNodeRepetitions`).
const POINTS: u32 = 160;

/// 160 points a server, of digests if the hash is `KETAMA_HASH`, which is MD5, otherwise of as many
/// hashes.
pub(super) fn ketama(hash: Hash, key: KeyHash, servers: &[Named]) -> Ring {
    let points = servers.iter().flat_map(|server| {
        let points: Vec<u32> = if hash == Hash::Md5 {
            ketama::points(&server.text, ketama::DIGESTS).collect()
        } else {
            let text = |point| format!("{}-{point}", server.text);
            let points = (0..POINTS).map(|point| (key.of)(text(point).as_bytes()));
            points.collect()
        };
        points.into_iter().map(|point| (point, server.place))
    });
    ring(key, points.collect(), servers)
}

/// As many digests as libmemcached has by weight, whatever the hash.
pub(super) fn weighted(key: KeyHash, servers: &[Named]) -> Ring {
    ring(key, ketama::weighted_points(servers), servers)
}

/// The points are in a map, in which later servers overwrite earlier ones.
fn ring(key: KeyHash, points: Vec<(u32, usize)>, servers: &[Named]) -> Ring {
    Ring::new(key, Search::Next, Tie::Last, points, servers.len())
}
