//! Locks and atomics of the code that loom checks: the standard library's, and loom's in its models.
//!
//! A model is a test that loom runs with every order in which its threads can take turns. `tests/README.md`
//! has the command.

#[cfg(not(all(loom, test)))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, atomic::AtomicBool};

#[cfg(all(loom, test))]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard, atomic::AtomicBool};

/// Runs a model in all orders of its threads with three interruptions at most, unless
/// `LOOM_MAX_PREEMPTIONS` says otherwise.
#[cfg(all(loom, test))]
pub(crate) fn model(run: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(3);
    builder.check(run);
}
