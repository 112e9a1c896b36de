//! dalli's ring.

use super::{Locator, Named};
use crate::error::Error;
use std::sync::Arc;

/// 160 points a server by weight: the first word of the SHA-1 of `text:0`, `text:1` and so on, big
/// endian. Keys are hashed by CRC-32, and belong to the point at or below.
///
/// Where servers share a point, Ruby's sort, which is not stable, leaves open who owns it.
#[cfg(feature = "sha1")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature it fails")]
pub(super) fn ring(servers: &[Named]) -> Result<Arc<dyn Locator>, Error> {
    use super::ring::{Ring, Search, Tie};
    use crate::hash::{KeyHash, sha1_words};

    let count = servers.len() as u64;
    let total = servers.iter().map(|server| u64::from(server.weight)).sum();
    let points = servers.iter().flat_map(|server| {
        (0..points_of(server.weight, total, count)).map(|point| {
            let text = format!("{}:{point}", server.text);
            (sha1_words(text.as_bytes())[0].swap_bytes(), server.place)
        })
    });
    let points = points.collect();
    let ring = Ring::new(
        KeyHash::CRC32,
        Search::Previous,
        Tie::Last,
        points,
        servers.len(),
    );
    Ok(Arc::new(ring))
}

/// `(servers * 160 * weight / Float(total)).floor`.
#[cfg(feature = "sha1")]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "in `Float`, as dalli computes it"
)]
fn points_of(weight: u32, total: u64, servers: u64) -> u64 {
    ((servers * 160 * u64::from(weight)) as f64 / total as f64).floor() as u64
}

#[cfg(not(feature = "sha1"))]
pub(super) fn ring(_servers: &[Named]) -> Result<Arc<dyn Locator>, Error> {
    Err(super::needs_feature("distribution", "dalli:ring", "sha1"))
}
