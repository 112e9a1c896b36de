//! Parts of a whole, as numbers and as bars of text.

/// The longest bar, in characters.
const WIDTH: f64 = 40.0;

const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// A bar of `part`, where `largest` would have all of the width; to an eighth of a character, and
/// none but zero is invisible.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is from 0 to 320"
)]
pub(super) fn bar(part: f64, largest: f64) -> String {
    if part <= 0.0 {
        return String::new();
    }
    let eighths = (part / largest * WIDTH * 8.0).round().max(1.0) as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

/// `part` of `whole`, from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "nobody counts so many keys")]
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}

pub(super) fn percent(ratio: f64) -> String {
    format!("{:.2} %", ratio * 100.0)
}

/// How many times the smallest the largest is.
pub(super) fn unevenness(shares: impl Iterator<Item = f64> + Clone) -> String {
    let largest = shares.clone().fold(0.0, f64::max);
    let smallest = shares.fold(f64::INFINITY, f64::min);
    if smallest > 0.0 {
        format!("{:.2}", largest / smallest)
    } else {
        "∞".to_owned()
    }
}
