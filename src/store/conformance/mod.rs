//! Checks a store against all that [`KeyValueStore`] promises: for stores of your own, and for what a
//! server at hand can do.
//!
//! ```
//! use moecache::store::{MemoryStore, conformance};
//!
//! let report = conformance::check(&MemoryStore::new());
//! assert!(report.is_conformant(), "{report}");
//! ```
//!
//! The store may have other data and be in use: every key begins with `check-` and a number that is
//! drawn for the run, and is deleted at the end. It takes some seconds, in which data expires.

mod laws;
mod lifetimes;
mod lists;
mod streams;
mod subject;

use self::laws::LAWS;
use self::subject::{Fault, Subject};
use super::KeyValueStore;
use std::fmt;
use std::thread;
use std::time::Duration;

/// Runs all laws on a store.
///
/// A law that needs what the store cannot do, so that it says [`StoreError::Unsupported`], is in
/// [`Report::unsupported`], and no failure.
///
/// [`StoreError::Unsupported`]: super::StoreError::Unsupported
pub fn check(store: &dyn KeyValueStore) -> Report {
    check_with_clock(store, thread::sleep)
}

/// The same with a store whose clock is the program's: `advance` is called where time is to pass.
///
/// ```
/// use moecache::store::{MemoryStore, conformance};
/// use std::sync::{Arc, Mutex};
/// use std::time::Instant;
///
/// let clock = Arc::new(Mutex::new(Instant::now()));
/// let shown = Arc::clone(&clock);
/// let store = MemoryStore::with_clock(move || *shown.lock().unwrap());
/// let report = conformance::check_with_clock(&store, |by| *clock.lock().unwrap() += by);
/// assert!(report.is_conformant(), "{report}");
/// ```
pub fn check_with_clock(store: &dyn KeyValueStore, advance: impl Fn(Duration)) -> Report {
    let mut report = Report::default();
    for &(law, check) in LAWS {
        let subject = Subject::new(store, &advance);
        match check(&subject) {
            Ok(()) => report.held.push(law),
            Err(Fault::Failed(what)) => report.failures.push((law, what)),
            Err(Fault::Unsupported(what)) => report.unsupported.push((law, what)),
        }
        subject.clean_up();
    }
    report
}

/// What came of a check. `Display` has a line for each law that does not hold.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Report {
    held: Vec<&'static str>,
    failures: Vec<(&'static str, String)>,
    unsupported: Vec<(&'static str, String)>,
}

impl Report {
    /// Whether no law was broken.
    #[must_use]
    pub fn is_conformant(&self) -> bool {
        self.failures.is_empty()
    }

    /// The laws that hold.
    pub fn held(&self) -> impl Iterator<Item = &str> {
        self.held.iter().copied()
    }

    /// The laws that were broken, each with what happened.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.failures.iter().map(|(law, what)| (*law, &**what))
    }

    /// The laws that the store cannot keep, each with what it says to that.
    pub fn unsupported(&self) -> impl Iterator<Item = (&str, &str)> {
        self.unsupported.iter().map(|(law, what)| (*law, &**what))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "of {} laws, {} hold, {} are broken, and {} ask for what the store does not support",
            self.held.len() + self.failures.len() + self.unsupported.len(),
            self.held.len(),
            self.failures.len(),
            self.unsupported.len()
        )?;
        for (law, what) in self.failures() {
            write!(f, "\nbroken: {law}: {what}")?;
        }
        for (law, what) in self.unsupported() {
            write!(f, "\nunsupported: {law}: {what}")?;
        }
        Ok(())
    }
}
