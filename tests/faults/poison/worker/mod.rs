//! What one thread does: it writes keys of its own, reads those of all, and judges what it is told.

mod count;
mod pipeline;
mod read;
mod write;

use self::count::Counter;
use crate::poison::keys::Keys;
use crate::poison::tally::{Never, Tally};
use crate::poison::{PATIENCE, SLACK, resources};
use crate::support::Random;
use crate::support::proxy::Mix;
use moecache::{Client, Error};
use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

pub struct Worker<'a> {
    /// It may be another one with other deadlines, later.
    pub client: &'a Client,
    /// That client's.
    pub timeout: Duration,
    keys: &'a Keys,
    thread: usize,
    mix: Mix,
    random: Random,
    counters: Vec<Counter>,
    pub tally: Tally,
}

/// The result of a call, its error judged.
type Judged<T> = Result<T, Failed>;

/// A call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failed {
    /// A write may have taken effect.
    Ambiguously,
    WithoutEffect,
}

impl<'a> Worker<'a> {
    /// With a client whose timeout is `PATIENCE`.
    pub fn new(client: &'a Client, keys: &'a Keys, thread: usize, mix: Mix, seed: u64) -> Self {
        Self {
            client,
            timeout: PATIENCE,
            keys,
            thread,
            mix,
            random: Random::new(seed),
            counters: Counter::all(),
            tally: Tally::default(),
        }
    }

    /// Stores all of its keys.
    pub fn set_all(&mut self) {
        self.keys.of(self.thread).for_each(|index| self.set(index));
    }

    /// Reads all of its keys.
    pub fn get_all(&mut self) {
        self.keys.of(self.thread).for_each(|index| self.get(index));
    }

    /// Any one operation.
    pub fn work(&mut self) {
        let any = self.random.below(self.keys.len());
        let own = self.keys.of(self.thread);
        let mine = own.start + self.random.below(own.len());
        match self.random.below(100) {
            0..25 => self.get(any),
            25..30 => self.gets(any),
            30..42 => self.get_many(),
            42..62 => self.set(mine),
            62..68 => self.set_many(),
            68..73 => self.delete(mine),
            73..78 => self.add(mine),
            78..84 => self.compare_and_swap(mine),
            84..90 => self.count(),
            90..93 => self.touch(mine),
            93..96 => self.get_and_touch(any),
            _ => self.pipeline(),
        }
    }

    /// Some of these keys, each once.
    fn some(&mut self, of: std::ops::Range<usize>, most: usize) -> BTreeSet<usize> {
        let count = 2 + self.random.below(most - 1);
        let random = &mut self.random;
        (0..count)
            .map(|_| of.start + random.below(of.len()))
            .collect()
    }

    /// Makes a call, and looks at the clock.
    fn call<T>(&mut self, operation: &str, call: impl FnOnce(&'a Client) -> T) -> T {
        let (start, waited) = (Instant::now(), resources::waited());
        let result = call(self.client);
        let took = start.elapsed();
        self.tally.operations += 1;
        self.tally.longest = self.tally.longest.max(took);
        // What the thread waited for a processor is not the client's doing.
        let late = took.saturating_sub(self.timeout + SLACK);
        if !late.is_zero() && late > resources::waited().saturating_sub(waited) {
            let case = || format!("{operation} took {took:?}");
            self.tally.never(Never::Overrun, case);
        }
        result
    }

    /// Whether an error is as documented: of a kind that a fault can cause, with the operation, the
    /// server of the key, and `is_ambiguous` for writes alone.
    fn judge<T>(
        &mut self,
        operation: &str,
        key: &str,
        is_write: bool,
        result: moecache::Result<T>,
    ) -> Judged<T> {
        let error = match result {
            Ok(result) => return Ok(result),
            Err(error) => error,
        };
        if error.is_decode() {
            self.tally
                .never(Never::Corrupt, || format!("{key}: {error:#}"));
            return Err(Failed::WithoutEffect);
        }
        if error.is_down() {
            // A program does something else meanwhile; 24 threads that ask again at once would leave
            // no time to the others.
            thread::sleep(Duration::from_millis(1));
        }
        let kind = self.kind(&error);
        self.tally.error(kind.unwrap_or("other"));
        if error.is_ambiguous() {
            self.tally.error("ambiguous");
        }
        let is_documented = kind.is_some()
            && error.operation() == Some(operation)
            && error.server() == self.client.server_for(key).ok().as_deref()
            && (is_write || !error.is_ambiguous());
        if !is_documented {
            self.tally.never(Never::Undocumented, || {
                format!("{operation} of {key}: {error:?}")
            });
        }
        Err(if error.is_ambiguous() {
            Failed::Ambiguously
        } else {
            Failed::WithoutEffect
        })
    }

    fn kind(&self, error: &Error) -> Option<&'static str> {
        let kinds = [
            (error.is_connect(), "connect"),
            (error.is_timeout(), "timeout"),
            (error.is_io(), "io"),
            // A right server keeps to the protocol, however bad the network.
            (error.is_protocol() && self.mix == Mix::Hostile, "protocol"),
        ];
        kinds
            .iter()
            .find(|(is_it, _)| *is_it)
            .map(|(_, kind)| *kind)
    }

    /// Counts it, unless the server said what it must have said.
    fn expect(&mut self, key: &str, what: &str, said: bool, expected: bool) {
        if said != expected {
            let never = if said { Never::Phantom } else { Never::Miss };
            self.tally.never(never, || {
                format!("{key}: {what}: {said}, and must be {expected}")
            });
        }
    }
}
