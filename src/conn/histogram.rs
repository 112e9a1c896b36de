use std::time::Duration;

/// Shorter times than 2^10 ns, about a microsecond, share a bucket.
const FIRST_OCTAVE: u32 = 10;
/// So do longer ones than 2^36 ns, about a minute.
const LAST_OCTAVE: u32 = 35;
/// An octave's buckets are equally wide: a sixteenth of its beginning.
const LOG_PER_OCTAVE: u32 = 4;
const PER_OCTAVE: usize = 1 << LOG_PER_OCTAVE;
const BUCKETS: usize = (LAST_OCTAVE - FIRST_OCTAVE + 1) as usize * PER_OCTAVE + 2;

/// How long exchanges with a server took: part of [`ServerMetrics`](crate::ServerMetrics).
///
/// An exchange is one request, or all that one call sends to that server. Its time counts from when
/// the call began to when the last reply was read or the call failed; that includes the wait for a
/// connection, making one, and a retry. [`Client::keys`](crate::Client::keys) is left out: its time is
/// that of the program, which reads as it likes.
///
/// The quantiles are right within 4 % from a microsecond to a minute; `max` is exact. All are zero
/// where there was no exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Latency {
    /// How many exchanges there were: those that failed included, but not what failed at once because
    /// the server [was down](crate::Error::is_down) or its protocol
    /// [has no such command](crate::Error::is_unsupported).
    pub count: u64,
    /// Half of them took no longer.
    pub p50: Duration,
    /// 90 % of them took no longer.
    pub p90: Duration,
    /// 99 % of them took no longer.
    pub p99: Duration,
    /// 99.9 % of them took no longer.
    pub p999: Duration,
    /// The longest.
    pub max: Duration,
}

/// Counts times in buckets whose widths grow with them.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    buckets: [u64; BUCKETS],
    count: u64,
    /// Nanoseconds.
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: [0; BUCKETS],
            count: 0,
            max: 0,
        }
    }
}

impl Histogram {
    pub(super) fn record(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket(nanos)] += 1;
        self.count += 1;
        self.max = self.max.max(nanos);
    }

    pub(super) fn latency(&self) -> Latency {
        Latency {
            count: self.count,
            p50: self.quantile(500),
            p90: self.quantile(900),
            p99: self.quantile(990),
            p999: self.quantile(999),
            max: Duration::from_nanos(self.max),
        }
    }

    /// The least time that so many in a thousand do not exceed.
    fn quantile(&self, per_mille: u64) -> Duration {
        let rank = self.count.saturating_mul(per_mille).div_ceil(1000);
        let mut seen = 0;
        let mut buckets = self.buckets.iter();
        let found = buckets.position(|count| {
            seen += count;
            seen >= rank
        });
        let nanos = found.and_then(middle).unwrap_or(self.max);
        Duration::from_nanos(nanos.min(self.max))
    }
}

fn bucket(nanos: u64) -> usize {
    match nanos.checked_ilog2() {
        None | Some(..FIRST_OCTAVE) => 0,
        Some(octave) if octave > LAST_OCTAVE => BUCKETS - 1,
        Some(octave) => {
            let before = (octave - FIRST_OCTAVE) as usize * PER_OCTAVE;
            // The bits behind the first.
            let steps = nanos >> (octave - LOG_PER_OCTAVE);
            let within = usize::try_from(steps).unwrap_or_default() % PER_OCTAVE;
            1 + before + within
        }
    }
}

/// The middle of a bucket, in nanoseconds; `None` for the last, which has no end.
fn middle(bucket: usize) -> Option<u64> {
    if bucket == BUCKETS - 1 {
        return None;
    }
    let Some(bucket) = bucket.checked_sub(1) else {
        return Some(1 << FIRST_OCTAVE);
    };
    let octave = FIRST_OCTAVE as usize + bucket / PER_OCTAVE;
    let log_width = octave - LOG_PER_OCTAVE as usize;
    let start = ((PER_OCTAVE + bucket % PER_OCTAVE) as u64) << log_width;
    Some(start + (1 << log_width) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(found: Duration, exact: u64, what: &str) {
        let found = u64::try_from(found.as_nanos()).unwrap();
        let allowed = exact / 25;
        assert!(found.abs_diff(exact) <= allowed, "{what}: {found}, {exact}");
    }

    #[test]
    fn quantiles_are_near_the_exact_ones() {
        type Next = fn(u64) -> u64;
        let rows: [(&str, Next); 4] = [
            ("all the same", |_| 12_345),
            ("even, to a millisecond", |random| {
                1_100 + random % 1_000_000
            }),
            ("of all sizes, to half a minute", |random| {
                1_100 + (random >> 16 >> (random % 30)) % 30_000_000_000
            }),
            ("two heaps", |random| {
                if random % 100 < 97 {
                    20_000 + random % 5_000
                } else {
                    1_000_000_000 + random % 100_000
                }
            }),
        ];
        for (row, next) in rows {
            let mut histogram = Histogram::default();
            let mut exact = Vec::new();
            let mut random: u64 = 1;
            for _ in 0..100_000 {
                // Xorshift: G. Marsaglia, 2003.
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let nanos = next(random);
                histogram.record(Duration::from_nanos(nanos));
                exact.push(nanos);
            }
            exact.sort_unstable();
            let latency = histogram.latency();
            assert_eq!(latency.count, 100_000);
            assert_near(latency.p50, exact[49_999], row);
            assert_near(latency.p90, exact[89_999], row);
            assert_near(latency.p99, exact[98_999], row);
            assert_near(latency.p999, exact[99_899], row);
            assert_eq!(latency.max, Duration::from_nanos(exact[99_999]), "{row}");
        }
    }

    #[test]
    fn each_time_is_near_the_middle_of_its_bucket() {
        // The ends of the buckets, and what is next to them.
        for octave in FIRST_OCTAVE..=LAST_OCTAVE {
            for step in 0..PER_OCTAVE as u64 {
                let start = (1 << octave) + (step << (octave - LOG_PER_OCTAVE));
                for nanos in [
                    start,
                    start + 1,
                    start + (1 << (octave - LOG_PER_OCTAVE)) - 1,
                ] {
                    let middle = middle(bucket(nanos)).unwrap();
                    assert_near(Duration::from_nanos(middle), nanos, "one");
                }
                assert_eq!(bucket(start), bucket(start - 1) + 1);
            }
        }
        assert_eq!(bucket(0), 0);
        assert_eq!(bucket((1 << (LAST_OCTAVE + 1)) - 1), BUCKETS - 2);
        assert_eq!(bucket(1 << (LAST_OCTAVE + 1)), BUCKETS - 1);
    }

    #[test]
    fn no_time_few_times_and_times_out_of_range() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.latency(), Latency::default());
        histogram.record(Duration::from_nanos(3));
        let latency = histogram.latency();
        assert_eq!((latency.p50, latency.p999), (latency.max, latency.max));
        histogram.record(Duration::MAX);
        let latency = histogram.latency();
        assert_eq!(latency.p50, Duration::from_nanos(1 << FIRST_OCTAVE));
        assert_eq!(latency.p90, Duration::from_nanos(u64::MAX));
        assert_eq!((latency.count, latency.max), (2, latency.p999));
    }
}
