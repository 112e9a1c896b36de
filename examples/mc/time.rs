//! Durations and expiries as they are typed.

use moecache::Expiry;
use std::time::Duration;

/// `90` (seconds), `500ms`, `90s`, `15m`, `2h`, `7d`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let milliseconds: u64 =
        match unit {
            "ms" => 1,
            "" | "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(
                "a whole number is needed, and a unit unless it is seconds: 500ms, 90, 15m, 2h, 7d"
                    .to_owned(),
            ),
        };
    let number: u64 = number.parse().map_err(|_| {
        let none = "a whole number is needed before the unit";
        if digits == 0 { none } else { "too long" }.to_owned()
    })?;
    let duration = number.checked_mul(milliseconds).map(Duration::from_millis);
    duration.ok_or_else(|| "too long".to_owned())
}

/// What memcached can hold ends in January 2038.
const LONGEST: Duration = Duration::from_secs(3650 * 86_400);

/// A duration from now, or `never`.
pub(crate) fn expiry(text: &str) -> Result<Expiry, String> {
    if text == "never" {
        return Ok(Expiry::Never);
    }
    match duration(text)? {
        // The library's own error names `Expiry::Never`, which nobody can type here.
        Duration::ZERO => Err("zero; for a value that does not expire say never".to_owned()),
        duration if duration > LONGEST => Err("too long; the longest is 3650d".to_owned()),
        duration => Ok(duration.into()),
    }
}
