//! Who makes an entry, among the threads of a process: one.

use super::look::Settled;
use crate::item::Item;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The entries that are being made, by their keys.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<Vec<u8>, Arc<Flight>>>);

/// An entry that is being made.
#[derive(Debug, Default)]
pub(super) struct Flight {
    state: Mutex<State>,
    over: Condvar,
}

#[derive(Debug, Clone, Default)]
enum State {
    #[default]
    Running,
    Over,
    Made(Arc<Made>),
}

/// What one thread made and could not store, for those that wait for it.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) value: Item,
    /// The generations when its making began; `None` if they could not be had.
    pub(super) settled: Option<Settled>,
}

pub(super) enum Joined<'f> {
    /// This thread makes it.
    Lead(Lead<'f>),
    /// Another does.
    Follow(Arc<Flight>),
}

/// The thread that makes it: when this is dropped, the others go on.
pub(super) struct Lead<'f> {
    flights: &'f Flights,
    key: Vec<u8>,
    flight: Arc<Flight>,
}

impl Flights {
    pub(super) fn join(&self, key: &[u8]) -> Joined<'_> {
        match self.lock().entry(key.to_owned()) {
            Entry::Occupied(there) => Joined::Follow(Arc::clone(there.get())),
            Entry::Vacant(vacant) => {
                let flight = Arc::default();
                vacant.insert(Arc::clone(&flight));
                Joined::Lead(Lead {
                    flights: self,
                    key: key.to_owned(),
                    flight,
                })
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Arc<Flight>>> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// What was made and is not stored; `None` if it is, or nothing was made, or not by the deadline.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Option<Arc<Made>> {
        let mut state = self.lock();
        loop {
            match &*state {
                State::Made(made) => return Some(Arc::clone(made)),
                State::Over => return None,
                State::Running => {}
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return None;
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lead<'_> {
    /// Hands over what was made.
    pub(super) fn finish(&self, made: Made) {
        *self.flight.lock() = State::Made(Arc::new(made));
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        // First out of the map, so that nobody joins what is over.
        self.flights.lock().remove(&self.key);
        let mut state = self.flight.lock();
        if matches!(*state, State::Running) {
            *state = State::Over;
        }
        drop(state);
        self.flight.over.notify_all();
    }
}
