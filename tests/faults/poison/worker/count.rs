use super::{Failed, Worker};
use crate::poison::tally::Never;

const COUNTERS: usize = 4;

/// How far the counters are apart: by its number each tells whose it is.
const APART: u64 = 1_000_000_000_000;

/// A counter, of which only its thread knows. Like other keys it is abandoned for another one when
/// it is not known any more what it counts.
pub(super) struct Counter {
    generation: u64,
    /// `None` if it is not there yet.
    count: Option<u64>,
}

impl Counter {
    pub(super) fn all() -> Vec<Self> {
        let new = |_| Self {
            generation: 0,
            count: None,
        };
        (0..COUNTERS).map(new).collect()
    }
}

impl Worker<'_> {
    /// Counts with one of the counters, or makes it.
    pub(super) fn count(&mut self) {
        let at = self.random.below(COUNTERS);
        let start = (self.thread * COUNTERS + at + 1) as u64 * APART;
        let delta = 1 + self.random.below(1000) as u64;
        let Counter { generation, count } = self.counters[at];
        let key = self.keys.counter(self.thread, at, generation);
        let (expected, result) = if let Some(count) = count {
            let result = self.call("incr", |client| client.incr(&key, delta));
            (count + delta, self.judge("incr", &key, true, result))
        } else {
            let result = self.call("set", |client| client.set_counter(&key, start, 0));
            let result = self.judge("set", &key, true, result);
            (start, result.map(|()| Some(start)))
        };
        let never = match result {
            Ok(Some(counted)) if counted == expected => {
                self.counters[at].count = Some(expected);
                return;
            }
            Ok(None) => Some(Never::Miss),
            Ok(Some(counted)) if counted / APART != start / APART => Some(Never::OtherKey),
            Ok(Some(counted)) if counted < expected => Some(Never::Older),
            Ok(Some(_)) => Some(Never::Phantom),
            Err(Failed::Ambiguously) => None,
            Err(Failed::WithoutEffect) => return,
        };
        if let Some(never) = never {
            let case = || format!("{key} counts {result:?}, and must {expected}");
            self.tally.never(never, case);
        }
        self.counters[at] = Counter {
            generation: generation + 1,
            count: None,
        };
        self.discard(&key);
    }
}
