//! What a law is tried on, and the words that it is written in.

use crate::store::{KeyValueStore, StoreError};
use std::cell::RefCell;
use std::fmt::Debug;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// How long is waited at a time for what comes by itself.
const STEP: Duration = Duration::from_millis(20);

/// How often: 10 seconds in all.
const STEPS: u32 = 500;

/// Why a law does not hold.
pub(super) enum Fault {
    Failed(String),
    Unsupported(String),
}

pub(super) type Verdict = Result<(), Fault>;

/// A call that a law expects to succeed, and did not.
impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unsupported { what, .. } => Self::Unsupported(what),
            error => Self::Failed(format!("{error:?}")),
        }
    }
}

/// A file that the check itself works with.
impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        StoreError::from(error).into()
    }
}

/// Breaks the law with `what`, unless it `holds`.
pub(super) fn ensure(holds: bool, what: impl FnOnce() -> String) -> Verdict {
    if holds {
        Ok(())
    } else {
        Err(Fault::Failed(what()))
    }
}

/// Whether `call` gave what it should, which is shown unless it is long.
pub(super) fn equal<T: PartialEq + Debug>(call: &str, got: &T, expected: &T) -> Verdict {
    ensure(got == expected, || {
        let shown = |value: &T| {
            let text = format!("{value:?}");
            match text.char_indices().nth(200) {
                Some((at, _)) => format!("{}..", &text[..at]),
                None => text,
            }
        };
        format!("{call}: {}; expected {}", shown(got), shown(expected))
    })
}

/// What should have failed with an error that is `expected`.
pub(super) fn refused<T>(
    call: &str,
    result: Result<T, StoreError>,
    name: &str,
    expected: impl FnOnce(&StoreError) -> bool,
) -> Verdict {
    match result {
        Err(error) if expected(&error) => Ok(()),
        Err(error @ StoreError::Unsupported { .. }) => Err(error.into()),
        Err(error) => Err(Fault::Failed(format!("{call}: {error:?}; expected {name}"))),
        Ok(_) => Err(Fault::Failed(format!(
            "{call}: it succeeded; expected {name}"
        ))),
    }
}

/// A store, and keys that nobody else has.
pub(super) struct Subject<'s> {
    pub(super) store: &'s dyn KeyValueStore,
    advance: &'s dyn Fn(Duration),
    /// What all keys begin with.
    base: String,
    keys: RefCell<Vec<String>>,
}

impl<'s> Subject<'s> {
    pub(super) fn new(store: &'s dyn KeyValueStore, advance: &'s dyn Fn(Duration)) -> Self {
        // The standard library's only source of random numbers.
        let number = RandomState::new().hash_one(0);
        Self {
            store,
            advance,
            base: format!("check-{number:016x}."),
            keys: RefCell::default(),
        }
    }

    /// The key of this name, which must be one.
    pub(super) fn key(&self, name: &str) -> String {
        let key = format!("{}{name}", self.base);
        self.keys.borrow_mut().push(key.clone());
        key
    }

    pub(super) fn clean_up(&self) {
        for key in self.keys.borrow().iter() {
            // The law has its verdict.
            let _ = self.store.delete(key);
        }
    }

    /// Waits until `check` holds, for what a server does in its own time.
    pub(super) fn eventually(&self, check: impl Fn() -> Verdict) -> Verdict {
        for _ in 1..STEPS {
            match check() {
                Err(Fault::Failed(_)) => (self.advance)(STEP),
                verdict => return verdict,
            }
        }
        check()
    }

    /// Waits until the store lists the keys of these names, and no others, below that prefix.
    pub(super) fn lists(&self, prefix: &str, names: &[&str]) -> Verdict {
        let whole = |name: &&str| format!("{}{name}", self.base);
        let mut expected: Vec<_> = names.iter().map(whole).collect();
        expected.sort();
        let prefix = whole(&prefix);
        self.eventually(|| {
            let mut listed = self.store.keys(&prefix)?;
            listed.sort();
            equal(&format!("keys({prefix:?})"), &listed, &expected)
        })
    }
}
