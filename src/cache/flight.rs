//! Single flight among the threads of a process: one makes an entry, the others wait for it.

use super::generation::Token;
use crate::item::Item;
use crate::sync::{Condvar, Mutex, MutexGuard};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// The entries that are being made, by their keys.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<Vec<u8>, Arc<Flight>>>);

/// An entry that is being made.
#[derive(Debug)]
pub(super) struct Flight {
    state: Mutex<State>,
    over: Condvar,
}

#[derive(Debug)]
struct State {
    /// Since when the one who makes it now does.
    since: Instant,
    /// Who that is, among all processes, as far as it is known.
    maker: Option<Token>,
    end: Option<End>,
}

#[derive(Debug, Clone)]
enum End {
    /// There is nothing to hand on.
    Nothing,
    Made(Arc<Made>),
}

/// What one thread made.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) value: Item,
    /// When its making began: it is for those who asked before that, and for nobody else. What they
    /// invalidated, or saw invalidated, cannot be in it.
    pub(super) began: Instant,
}

/// How long a call waits: for [`Cache::max_wait`](super::Cache::max_wait) for each who makes the entry,
/// and for no more than two of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    pub(super) began: Instant,
    max: Duration,
}

impl Wait {
    pub(super) fn begin(max: Duration) -> Self {
        let began = Instant::now();
        Self { began, max }
    }

    /// Until when it waits for one who makes it since then; `None` without end.
    pub(super) fn until(self, since: Instant) -> Option<Instant> {
        let until = since.max(self.began).checked_add(self.max)?;
        Some(self.last().map_or(until, |last| until.min(last)))
    }

    /// Whether it has waited for all that it waits for.
    pub(super) fn is_over(self) -> bool {
        self.last().is_some_and(|last| Instant::now() >= last)
    }

    fn last(self) -> Option<Instant> {
        self.began.checked_add(self.max.checked_mul(2)?)
    }
}

pub(super) enum Joined<'f> {
    /// This thread makes it.
    Lead(Lead<'f>),
    /// Another does.
    Follow(Arc<Flight>),
}

/// What came of waiting.
pub(super) enum Waited {
    Made(Arc<Made>),
    /// It is over, and there is nothing to hand on.
    Over,
    /// Whoever makes it takes too long.
    TimeUp,
}

/// The thread that makes it: when this is dropped, the others go on.
pub(super) struct Lead<'f> {
    flights: &'f Flights,
    key: Vec<u8>,
    flight: Arc<Flight>,
}

impl Flights {
    /// Makes the entry, or follows who does. One who takes too long, `late`, is followed no more: the
    /// first that comes with it takes over.
    pub(super) fn join(&self, key: &[u8], late: Option<&Arc<Flight>>) -> Joined<'_> {
        let mut flights = self.lock();
        let flight = match flights.entry(key.to_owned()) {
            Entry::Occupied(mut there) => {
                if !late.is_some_and(|late| Arc::ptr_eq(late, there.get())) {
                    return Joined::Follow(Arc::clone(there.get()));
                }
                let maker = there.get().lock().maker;
                let flight = Arc::new(Flight::new(maker));
                let late = there.insert(Arc::clone(&flight));
                // Those who wait for it follow this one from now on.
                late.end(End::Nothing);
                flight
            }
            Entry::Vacant(vacant) => Arc::clone(vacant.insert(Arc::new(Flight::new(None)))),
        };
        Joined::Lead(Lead {
            flights: self,
            key: key.to_owned(),
            flight,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Arc<Flight>>> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    fn new(maker: Option<Token>) -> Self {
        Self {
            state: Mutex::new(State {
                since: Instant::now(),
                maker,
                end: None,
            }),
            over: Condvar::new(),
        }
    }

    pub(super) fn wait(&self, wait: Wait) -> Waited {
        let mut state = self.lock();
        loop {
            match &state.end {
                Some(End::Made(made)) => return Waited::Made(Arc::clone(made)),
                Some(End::Nothing) => return Waited::Over,
                None => {}
            }
            let until = wait.until(state.since);
            let left = until.map(|at| at.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Waited::TimeUp;
            }
            state = if let Some(left) = left {
                let waited = self.over.wait_timeout(state, left);
                waited.unwrap_or_else(PoisonError::into_inner).0
            } else {
                let waited = self.over.wait(state);
                waited.unwrap_or_else(PoisonError::into_inner)
            };
        }
    }

    fn end(&self, end: End) {
        let mut state = self.lock();
        if state.end.is_none() {
            state.end = Some(end);
        }
        drop(state);
        self.over.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lead<'_> {
    /// Another makes it from now on: this thread, or one of another process.
    pub(super) fn begin(&self) {
        self.flight.lock().since = Instant::now();
    }

    /// Tells who makes it, and whether that is another than before.
    pub(super) fn see(&self, maker: Token) -> bool {
        let last = self.flight.lock().maker.replace(maker);
        last.is_some_and(|last| last != maker)
    }

    /// Hands on what was made.
    pub(super) fn finish(&self, made: Made) {
        self.leave();
        self.flight.end(End::Made(Arc::new(made)));
    }

    /// Nobody joins what is over.
    fn leave(&self) {
        let mut flights = self.flights.lock();
        // Another may have taken over.
        let is_own = |there: &Arc<Flight>| Arc::ptr_eq(there, &self.flight);
        if flights.get(&self.key).is_some_and(is_own) {
            flights.remove(&self.key);
        }
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        self.leave();
        self.flight.end(End::Nothing);
    }
}

#[cfg(all(loom, test))]
#[path = "flight_models.rs"]
mod models;
