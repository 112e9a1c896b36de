//! The clock inside a store: whole seconds since shortly before it started, as in memcached.

use std::time::SystemTime;

/// Exptimes up to this are relative (`REALTIME_MAXDELTA` in memcached's `memcached.c`).
const MAX_RELATIVE: i64 = 60 * 60 * 24 * 30;

/// By how much the clock is ahead at the start, so that no time of interest is 0 or 1
/// (`ITEM_UPDATE_INTERVAL`, 60, and 2 more).
const HEAD_START: u32 = 62;

/// What `stats` calls uptime leaves out only 60 of them.
const UPTIME_OFFSET: u32 = 60;

#[derive(Debug)]
pub(crate) struct Time {
    /// The unix time at which the clock was 0.
    zero: u64,
    now: u32,
}

impl Time {
    pub(crate) fn starting(now: SystemTime) -> Self {
        let zero = unix_seconds(now).saturating_sub(HEAD_START.into());
        let mut time = Self { zero, now: 0 };
        time.set(now);
        time
    }

    /// Never goes back, even if the system's clock does.
    pub(crate) fn set(&mut self, now: SystemTime) {
        let elapsed = unix_seconds(now).saturating_sub(self.zero);
        self.now = self.now.max(u32::try_from(elapsed).unwrap_or(u32::MAX));
    }

    pub(crate) fn now(&self) -> u32 {
        self.now
    }

    pub(crate) fn uptime(&self) -> u32 {
        self.now.saturating_sub(UPTIME_OFFSET)
    }

    /// The seconds since the start.
    pub(crate) fn running(&self) -> u32 {
        self.now.saturating_sub(HEAD_START)
    }

    /// The unix time of a reading of this clock.
    pub(crate) fn unix(&self, reading: u32) -> u64 {
        self.zero + u64::from(reading)
    }

    /// An exptime on this clock: 0 is never, and anything in the past, negative ones included, is 1
    /// (`realtime` in memcached's `memcached.c`).
    pub(crate) fn expiry(&self, exptime: i64) -> u32 {
        match u32::try_from(exptime) {
            Err(_) => 1,
            Ok(0) => 0,
            Ok(seconds) if exptime <= MAX_RELATIVE => self.now.saturating_add(seconds),
            Ok(unix) => {
                let elapsed = u64::from(unix).saturating_sub(self.zero);
                u32::try_from(elapsed).unwrap_or(u32::MAX).max(1)
            }
        }
    }
}

fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map(|since| since.as_secs())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn exptimes() {
        let time = Time::starting(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        let rows = [
            (0, 0),
            (-1, 1),
            (i64::from(i32::MIN), 1),
            (1, 63),
            (2_592_000, 2_592_062),
            (2_592_001, 1),
            (1_799_999_938, 1),
            (1_799_999_939, 1),
            (1_800_000_000, 62),
            (1_800_000_001, 63),
            (i64::from(i32::MAX), 347_483_709),
            (i64::from(u32::MAX), 2_494_967_357),
        ];
        for (exptime, reading) in rows {
            assert_eq!(time.expiry(exptime), reading, "{exptime}");
        }
    }
}
