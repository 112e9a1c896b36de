//! What the heirs of last.fm's ketama share: points from the words of MD5 digests.

use super::Named;
use crate::hash::md5_words;

/// How many digests a server has that weighs as much as the others; each makes four points.
pub(super) const DIGESTS: u32 = 40;

/// The points of the digests of `text-0`, `text-1` and so on.
pub(super) fn points(text: &str, digests: u32) -> impl Iterator<Item = u32> {
    (0..digests).flat_map(move |digest| md5_words(format!("{text}-{digest}").as_bytes()))
}

/// The points of servers by their weights. Those of libmemcached, twemproxy and spymemcached are the
/// same, down to the rounding of a 32-bit float.
pub(super) fn weighted_points(servers: &[Named]) -> Vec<(u32, usize)> {
    let total = servers.iter().map(|server| u64::from(server.weight)).sum();
    let digests = |weight| weighted_digests(weight, total, servers.len());
    let points = servers.iter().flat_map(|server| {
        points(&server.text, digests(server.weight)).map(|point| (point, server.place))
    });
    points.collect()
}

/// `floor(weight / total * 160 / 4 * servers + 1e-10)`.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "in `float`, as its owners compute it"
)]
fn weighted_digests(weight: u32, total: u64, servers: usize) -> u32 {
    let part = weight as f32 / total as f32;
    (part * 160.0 / 4.0 * servers as f32 + 1e-10).floor() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_rounded_in_a_32_bit_float() {
        let rows = [
            (1, 3, 3, 40),
            (2, 6, 3, 40),
            (1, 53, 4, 3),
            (50, 53, 4, 150),
            // 25 equal servers have 39 each: 25 times 1/25 is a little less than 1.
            (1, 25, 25, 39),
            (3, 75, 25, 39),
            (u32::MAX, u64::from(u32::MAX) + 1, 2, 80),
        ];
        for (weight, total, servers, expected) in rows {
            assert_eq!(
                weighted_digests(weight, total, servers),
                expected,
                "{weight} of {total}"
            );
        }
    }
}
