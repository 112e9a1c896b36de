//! .NET's `DateTime` in ISO 8601.

use moecache::value::DateTime;

const TICKS_A_SECOND: i64 = 10_000_000;
const TICKS_A_DAY: i64 = 86_400 * TICKS_A_SECOND;

/// The lowest 62 bits; the two above are the kind.
const TICKS: i64 = (1 << 62) - 1;

/// The last tick of the year 9999.
const LAST_TICK: i64 = 3_155_378_975_999_999_999;

/// As .NET's "o" format, but for a local time, which is stored in UTC and shown so.
pub(crate) fn iso_8601(time: DateTime) -> String {
    let ticks = time.0 & TICKS;
    // One far from any calendar, or a local time that was pushed out of year 1.
    if ticks > LAST_TICK {
        return format!("DateTime({})", time.0);
    }
    let (year, month, day) = civil(ticks / TICKS_A_DAY);
    let seconds = ticks % TICKS_A_DAY / TICKS_A_SECOND;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = ticks % TICKS_A_SECOND;
    let unspecified = time.0 & !TICKS == 0;
    let zone = if unspecified { "" } else { "Z" };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:07}{zone}")
}

/// Year, month and day of a day counted from 0001-01-01, by the Gregorian calendar.
///
/// The year is taken to begin in March, so that the day that comes and goes is its last.
/// Source: `civil_from_days` in Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".
fn civil(days: i64) -> (i64, i64, i64) {
    let since_march_0 = days + 306;
    let era = since_march_0 / 146_097;
    let day_of_era = since_march_0 % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months_since_march + 2) / 5 + 1;
    let month = (months_since_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}
