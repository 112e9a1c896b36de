//! dalli's ring.

use super::ring::{Ring, Search, Tie};
use super::{Named, needs_feature};
use crate::error::Error;
use crate::hash::{KeyHash, SHA1};

/// 160 points a server by weight: the first word of the SHA-1 of `text:0`, `text:1` and so on, big
/// endian. Keys are hashed by CRC-32, and belong to the point at or below.
///
/// Where servers share a point, Ruby's sort, which is not stable, leaves open who owns it.
pub(super) fn ring(servers: &[Named]) -> Result<Ring, Error> {
    let sha1 = SHA1.ok_or_else(|| needs_feature("distribution: dalli:ring", "sha1"))?;
    let count = servers.len() as u64;
    let total = servers.iter().map(|server| u64::from(server.weight)).sum();
    let points = servers.iter().flat_map(|server| {
        (0..points_of(server.weight, total, count)).map(move |point| {
            let text = format!("{}:{point}", server.text);
            ((sha1.first)(text.as_bytes()).swap_bytes(), server.place)
        })
    });
    let points = points.collect();
    let hash = KeyHash::CRC32;
    Ok(Ring::new(
        hash,
        Search::Previous,
        Tie::Last,
        points,
        servers.len(),
    ))
}

/// `(servers * 160 * weight / Float(total)).floor`.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "in `Float`, as dalli computes it"
)]
fn points_of(weight: u32, total: u64, servers: u64) -> u64 {
    ((servers * 160 * u64::from(weight)) as f64 / total as f64).floor() as u64
}
