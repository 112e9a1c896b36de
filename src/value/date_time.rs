//! .NET's `DateTime`.

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use std::fmt;
use std::time::{Duration, SystemTime};

/// The newtype's name, by which the top level of a value tells it from an integer.
pub(super) const NAME: &str = "$moecache::value::DateTime";

const KIND_UTC: i64 = 1 << 62;
const TICKS: i64 = KIND_UTC - 1;

/// 1970-01-01, in ticks since 0001-01-01.
const UNIX_EPOCH: i128 = 621_355_968_000_000_000;

/// The last tick of the year 9999, `DateTime.MaxValue.Ticks`.
const LAST_TICK: i128 = 3_155_378_975_999_999_999;

/// A .NET `DateTime`, as `DateTime.ToBinary()` gives it and `DateTime.FromBinary` takes it; stored
/// under flags 272.
///
/// The lower 62 bits count ticks of 100 ns since 0001-01-01T00:00:00. The top two are the kind:
/// `00` unspecified (a wall clock of nobody knows where), `01` UTC, `10` local. The ticks of a
/// local time are UTC too; it differs from one in UTC only in how .NET shows it.
///
/// Inside of another value (a struct's field, an element of a list) it is stored as the integer.
///
/// ```
/// use moecache::value::DateTime;
/// use std::time::{Duration, SystemTime};
///
/// let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_356_998_399);
/// let date_time = DateTime::from_system_time(time).expect("a year from 1 to 9999");
/// assert_eq!(date_time.0, 0x48cf_b5ca_130a_6980);
/// assert_eq!(date_time.to_system_time(), Some(time));
/// ```
///
/// Source: `DateTime.ToBinary` in the .NET documentation, and what EnyimMemcached stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateTime(pub i64);

impl DateTime {
    /// The time in UTC, rounded down to a tick of 100 ns; `None` outside of the years 1 to 9999,
    /// which .NET cannot hold.
    #[must_use]
    pub fn from_system_time(time: SystemTime) -> Option<Self> {
        let nanoseconds = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i128::try_from(after.as_nanos()).ok()?,
            Err(before) => -i128::try_from(before.duration().as_nanos()).ok()?,
        };
        let ticks = UNIX_EPOCH + nanoseconds.div_euclid(100);
        if !(0..=LAST_TICK).contains(&ticks) {
            return None;
        }
        Some(Self(i64::try_from(ticks).ok()? | KIND_UTC))
    }

    /// The moment that a UTC or local time names; `None` for an unspecified one, which names none.
    #[must_use]
    pub fn to_system_time(self) -> Option<SystemTime> {
        let unspecified = self.0 & !TICKS == 0;
        if unspecified {
            return None;
        }
        let mut ticks = i128::from(self.0 & TICKS);
        // A local time near year 1 may be before it in UTC, and is stored modulo 2^62.
        if ticks > LAST_TICK {
            ticks -= 1 << 62;
        }
        let since_epoch = (ticks - UNIX_EPOCH) * 100;
        let distance = u64::try_from(since_epoch.unsigned_abs() / 1_000_000_000).ok()?;
        let rest = u32::try_from(since_epoch.unsigned_abs() % 1_000_000_000).ok()?;
        let distance = Duration::new(distance, rest);
        if since_epoch < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(distance)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(distance)
        }
    }
}

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(NAME, &self.0)
    }
}

impl<'de> Deserialize<'de> for DateTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Inner;

        impl<'de> Visitor<'de> for Inner {
            type Value = DateTime;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a DateTime")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<DateTime, D::Error> {
                i64::deserialize(deserializer).map(DateTime)
            }
        }

        deserializer.deserialize_newtype_struct(NAME, Inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let unix = |seconds: u64, nanoseconds| {
            Some(SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds))
        };
        let before = |seconds| SystemTime::UNIX_EPOCH.checked_sub(Duration::from_secs(seconds));
        // The first four are in EnyimMemcached's vectors.
        let rows = [
            ("2012", 0x48cf_b5ca_130a_6980, unix(1_356_998_399, 0)),
            ("1970", 0x489f_7ff5_f7b5_8000, unix(0, 0)),
            (
                "to the tick",
                0x48dc_38c2_0aba_6ad3,
                unix(1_709_168_523, 456_789_100),
            ),
            ("local", 0x88d2_6a5c_4896_3400_u64, unix(1_433_147_400, 0)),
            ("unspecified", 0x08c1_2266_dd19_2000, None),
            ("year 1", 0x4000_0000_0000_0000, before(62_135_596_800)),
            (
                "year 1, local, east of UTC",
                0xbfff_fff7_9e3b_9800,
                before(62_135_600_400),
            ),
        ];
        for (name, bits, moment) in rows {
            let date_time = DateTime(i64::from_le_bytes(bits.to_le_bytes()));
            assert_eq!(date_time.to_system_time(), moment, "{name}");
            if bits >> 62 == 1 {
                let back = moment.and_then(DateTime::from_system_time);
                assert_eq!(back, Some(date_time), "{name}");
            }
        }
    }

    #[test]
    fn out_of_range() {
        let year_0 = SystemTime::UNIX_EPOCH - Duration::from_secs(62_135_596_801);
        let year_10000 = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_800);
        assert_eq!(DateTime::from_system_time(year_0), None);
        assert_eq!(DateTime::from_system_time(year_10000), None);
    }
}
