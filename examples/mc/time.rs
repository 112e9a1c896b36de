//! Durations and expiries as they are typed and shown.

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

/// A duration from now, or none.
pub(crate) fn delay(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        duration if duration > LONGEST => Err("too long; the longest is 3650d".to_owned()),
        duration => Ok(duration),
    }
}

/// A duration from now, or `never`.
pub(crate) fn expiry(text: &str) -> Result<Expiry, String> {
    if text == "never" {
        return Ok(Expiry::Never);
    }
    match delay(text)? {
        // The library's own error names `Expiry::Never`, which nobody can type here.
        Duration::ZERO => Err("zero; for a value that does not expire say never".to_owned()),
        duration => Ok(duration.into()),
    }
}

/// The two largest units: "3d 4h", "12s".
pub(crate) fn two_units(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, ..) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}
