//! The conformance suite finds what is wrong with a store.

use moecache::store::{KeyValueStore, Keys, Lifetime, MemoryStore, StoreError, conformance};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    CutsData,
    FoldsCase,
    TakesAnyKey,
    MissesAreEmpty,
    MissesBlameAnother,
    DeleteWantsAKey,
    DeletesNothing,
    KeepsTheFirst,
    ListsTwice,
    ListsAll,
    PrefixIsPattern,
    ForgetsLifetimes,
    KeepsLifetimes,
    TakesZero,
    ShortKeys,
}

struct Flawed {
    flaw: Flaw,
    store: MemoryStore,
}

impl Flawed {
    fn name(&self, key: &str) -> String {
        match self.flaw {
            Flaw::FoldsCase => key.to_lowercase(),
            Flaw::TakesAnyKey => key
                .bytes()
                .map(|byte| format!("{byte:02x}"))
                .chain(["k".to_owned()])
                .collect::<String>()
                .chars()
                .take(250)
                .collect(),
            _ => key.to_owned(),
        }
    }
}

impl KeyValueStore for Flawed {
    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        let mut got = self.store.get(&self.name(key));
        match (self.flaw, &mut got) {
            (Flaw::CutsData, Ok(data)) => data.truncate(50_000),
            (Flaw::MissesAreEmpty, Err(StoreError::NotFound(_))) => return Ok(Vec::new()),
            (Flaw::MissesBlameAnother, Err(StoreError::NotFound(named))) => named.clear(),
            _ => {}
        }
        got
    }

    fn put_with(&self, key: &str, data: &[u8], lifetime: Lifetime) -> Result<(), StoreError> {
        let name = self.name(key);
        let is_there = self.store.contains(&name)?;
        let lifetime = match self.flaw {
            Flaw::KeepsTheFirst if is_there => return Ok(()),
            Flaw::ShortKeys if key.len() > 100 => {
                return Err(StoreError::InvalidKey("too long".to_owned()));
            }
            Flaw::ForgetsLifetimes => {
                lifetime.duration()?;
                Lifetime::Never
            }
            Flaw::TakesZero if lifetime.duration().is_err() => Lifetime::Never,
            Flaw::KeepsLifetimes if is_there => Lifetime::For(std::time::Duration::from_secs(1)),
            _ => lifetime,
        };
        self.store.put_with(&name, data, lifetime)
    }

    fn delete(&self, key: &str) -> Result<(), StoreError> {
        let name = self.name(key);
        match self.flaw {
            Flaw::DeleteWantsAKey => self.store.get(&name).map(drop)?,
            Flaw::DeletesNothing => return self.store.check_key(key),
            _ => {}
        }
        self.store.delete(&name)
    }

    fn iter_keys<'s>(&'s self, prefix: &str) -> Keys<'s> {
        match self.flaw {
            Flaw::ListsTwice => {
                let twice = self.store.iter_keys(prefix);
                Box::new(twice.chain(self.store.iter_keys(prefix)))
            }
            Flaw::ListsAll => self.store.iter_keys(""),
            Flaw::PrefixIsPattern => match prefix.split_once('?') {
                Some((before, _)) => self.store.iter_keys(before),
                None => self.store.iter_keys(prefix),
            },
            _ => self.store.iter_keys(prefix),
        }
    }

    fn check_key(&self, key: &str) -> Result<(), StoreError> {
        match self.flaw {
            Flaw::TakesAnyKey => Ok(()),
            _ => self.store.check_key(key),
        }
    }
}

#[test]
fn each_flaw_is_found() {
    let rows: [(Flaw, &[&str]); 15] = [
        (Flaw::CutsData, &["what is put is got"]),
        (
            Flaw::FoldsCase,
            &["every allowed character makes another key"],
        ),
        (Flaw::TakesAnyKey, &["what is not a key is refused"]),
        (Flaw::MissesAreEmpty, &["what is not there is NotFound"]),
        (Flaw::MissesBlameAnother, &["what is not there is NotFound"]),
        (
            Flaw::DeleteWantsAKey,
            &["delete removes, and again is no error"],
        ),
        (
            Flaw::DeletesNothing,
            &["delete removes, and again is no error"],
        ),
        (Flaw::KeepsTheFirst, &["a put replaces what was there"]),
        (Flaw::ListsTwice, &["keys lists each key once"]),
        (
            Flaw::ListsAll,
            &["keys lists each key once", "a prefix is no pattern"],
        ),
        (Flaw::PrefixIsPattern, &["a prefix is no pattern"]),
        (Flaw::ForgetsLifetimes, &["what has lived its time is gone"]),
        (Flaw::KeepsLifetimes, &["a put replaces the lifetime"]),
        (Flaw::TakesZero, &["a lifetime of zero is refused"]),
        (Flaw::ShortKeys, &["a key may be as long as the store says"]),
    ];
    assert_eq!(broken(Flaw::None), [""; 0]);
    for (flaw, expected) in rows {
        let broken = broken(flaw);
        for law in expected {
            assert!(broken.iter().any(|it| it == law), "{flaw:?}: {broken:?}");
        }
    }
}

fn broken(flaw: Flaw) -> Vec<String> {
    let clock = Arc::new(Mutex::new(Instant::now()));
    let shown = Arc::clone(&clock);
    let store = MemoryStore::with_clock(move || *shown.lock().unwrap());
    let store = Flawed { flaw, store };
    let report = conformance::check_with_clock(&store, |by| *clock.lock().unwrap() += by);
    let shown = report.to_string();
    assert_eq!(shown.lines().count(), 1 + report.failures().count());
    report.failures().map(|(law, _)| law.to_owned()).collect()
}
