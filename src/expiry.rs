//! When an item expires: what the caller says, and what goes over the wire.

use crate::error::Error;
use std::time::{Duration, SystemTime};

/// The longest relative exptime, 30 days in seconds. memcached takes anything above as a unix time
/// (`REALTIME_MAXDELTA` in its `memcached.c`).
const MAX_RELATIVE: u64 = 60 * 60 * 24 * 30;

/// The largest exptime that memcached reads as it was written: it keeps 32 signed bits.
const MAX_WIRE: u64 = i32::MAX as u64;

/// When an item expires. Every method that stores takes `impl Into<Expiry>`, so an integer, a
/// [`Duration`] or a [`SystemTime`] will do.
///
/// | given | means |
/// |---|---|
/// | an integer | memcached's own exptime: 0 never, 1 to 2,592,000 seconds from now, above that a unix time |
/// | a [`Duration`] | from now on, rounded up to a whole second |
/// | a [`SystemTime`] | at that time, rounded up to a whole second |
///
/// So the integer 2,592,001 is **not** "30 days and a second" but a second in January 1970: the
/// item is gone at once. `Duration` has no such trap.
///
/// Nothing is judged until the value is used; then these are errors, and nothing is sent: an
/// integer below 0 or above 2,147,483,647 (memcached 1.6 answers `STORED` to those, and drops the
/// item), a `Duration` of zero (say [`Expiry::Never`]), and a time before 1970-01-31 or after
/// 2038-01-19, which the wire format cannot carry.
///
/// ```
/// use moecache::Expiry;
/// use std::time::Duration;
///
/// assert_eq!(Expiry::from(0), Expiry::Never);
/// assert_eq!(Expiry::from(Duration::from_secs(60)), Expiry::After(Duration::from_secs(60)));
/// ```
///
/// Source: `exptime` in memcached's `doc/protocol.txt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expiry {
    /// Until it is deleted or evicted.
    Never,
    /// memcached's own exptime, sent as it is: 0 to 2,147,483,647.
    Exptime(i128),
    /// This long from now.
    After(Duration),
    /// At this time.
    At(SystemTime),
}

impl Expiry {
    /// The exptime to send at the time `now`.
    pub(crate) fn to_wire(self, now: SystemTime) -> Result<u32, ExpiryError> {
        match self {
            Self::Never => Ok(0),
            Self::Exptime(exptime) => {
                let wire = u64::try_from(exptime).ok().and_then(wire);
                wire.ok_or(ExpiryError::Exptime(exptime))
            }
            Self::After(Duration::ZERO) => Err(ExpiryError::Zero),
            Self::After(after) => {
                let seconds = seconds_rounded_up(after);
                if seconds <= MAX_RELATIVE {
                    return Ok(wire(seconds).unwrap_or_default());
                }
                let at = unix_time(now).map(seconds_rounded_up).unwrap_or_default();
                wire(at.saturating_add(seconds)).ok_or(ExpiryError::TooLong(after))
            }
            Self::At(at) => {
                let seconds = unix_time(at).map(seconds_rounded_up).unwrap_or_default();
                if seconds <= MAX_RELATIVE {
                    return Err(ExpiryError::TooEarly);
                }
                wire(seconds).ok_or(ExpiryError::TooLate)
            }
        }
    }
}

fn wire(exptime: u64) -> Option<u32> {
    u32::try_from(exptime).ok().filter(|_| exptime <= MAX_WIRE)
}

fn unix_time(time: SystemTime) -> Option<Duration> {
    time.duration_since(SystemTime::UNIX_EPOCH).ok()
}

fn seconds_rounded_up(duration: Duration) -> u64 {
    duration
        .as_secs()
        .saturating_add(u64::from(duration.subsec_nanos() > 0))
}

macro_rules! from_integer {
    ($($integer:ty)*) => {$(
        impl From<$integer> for Expiry {
            fn from(exptime: $integer) -> Self {
                match exptime {
                    0 => Self::Never,
                    // Only a u128 over i128::MAX does not fit, and that is refused all the same.
                    _ => Self::Exptime(i128::try_from(exptime).unwrap_or(i128::MAX)),
                }
            }
        }
    )*};
}

from_integer!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

impl From<Duration> for Expiry {
    fn from(after: Duration) -> Self {
        Self::After(after)
    }
}

impl From<SystemTime> for Expiry {
    fn from(at: SystemTime) -> Self {
        Self::At(at)
    }
}

/// Why an [`Expiry`] cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExpiryError {
    #[error("expiry: {0}; allowed are 0 (never) to {MAX_WIRE}")]
    Exptime(i128),
    #[error("expiry: a duration of zero; for an item that never expires use Expiry::Never")]
    Zero,
    #[error(
        "expiry: {0:?} from now is after 2038-01-19, the last time memcached can hold; for an item \
         that never expires use Expiry::Never"
    )]
    TooLong(Duration),
    #[error("expiry: a time before 1970-01-31; memcached would take it as seconds from now")]
    TooEarly,
    #[error("expiry: a time after 2038-01-19, the last one memcached can hold")]
    TooLate,
}

impl From<ExpiryError> for Error {
    fn from(error: ExpiryError) -> Self {
        Self::validation(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21 00:00:00.25 UTC.
    const NOW: Duration = Duration::new(1_795_219_200, 250_000_000);

    #[test]
    fn rows() {
        use ExpiryError as E;
        let day = Duration::from_secs(86_400);
        let nanosecond = Duration::from_nanos(1);
        let at = |duration| Expiry::At(SystemTime::UNIX_EPOCH + duration);
        let rows: [(&str, Expiry, Result<u32, E>); 23] = [
            ("never", Expiry::Never, Ok(0)),
            ("zero", 0.into(), Ok(0)),
            ("a second", 1u8.into(), Ok(1)),
            ("30 days", 2_592_000u32.into(), Ok(2_592_000)),
            (
                "an integer is sent as it is",
                2_592_001i64.into(),
                Ok(2_592_001),
            ),
            ("the largest", 2_147_483_647usize.into(), Ok(2_147_483_647)),
            (
                "over the largest",
                2_147_483_648u64.into(),
                Err(E::Exptime(2_147_483_648)),
            ),
            ("negative", (-1).into(), Err(E::Exptime(-1))),
            (
                "the most negative",
                i64::MIN.into(),
                Err(E::Exptime(i64::MIN.into())),
            ),
            ("over i128", u128::MAX.into(), Err(E::Exptime(i128::MAX))),
            ("duration", Duration::from_secs(60).into(), Ok(60)),
            ("rounded up", Duration::from_millis(1).into(), Ok(1)),
            (
                "rounded up above a second",
                Duration::from_millis(1001).into(),
                Ok(2),
            ),
            ("no duration", Duration::ZERO.into(), Err(E::Zero)),
            ("30 days", (30 * day).into(), Ok(2_592_000)),
            (
                "over 30 days",
                (30 * day + nanosecond).into(),
                Ok(1_795_219_201 + 2_592_001),
            ),
            (
                "far too long",
                Duration::MAX.into(),
                Err(E::TooLong(Duration::MAX)),
            ),
            ("a time", at(NOW), Ok(1_795_219_201)),
            ("a past time", at(366 * day), Ok(31_622_400)),
            ("1970-01-31", at(30 * day), Err(E::TooEarly)),
            ("right after", at(30 * day + nanosecond), Ok(2_592_001)),
            (
                "before 1970",
                Expiry::At(SystemTime::UNIX_EPOCH - day),
                Err(E::TooEarly),
            ),
            (
                "after 2038",
                at(Duration::from_secs(2_147_483_648)),
                Err(E::TooLate),
            ),
        ];
        for (name, expiry, expected) in rows {
            assert_eq!(
                expiry.to_wire(SystemTime::UNIX_EPOCH + NOW),
                expected,
                "{name}"
            );
        }
    }
}
