//! Laws about how long data is kept.

use super::streams::{Temporary, Unread};
use super::subject::{Fault, Subject, Verdict, ensure, equal, refused};
use crate::store::{Lifetime, StoreError};
use std::fs;
use std::time::Duration;

pub(super) const HOUR: Lifetime = Lifetime::For(Duration::from_secs(3600));
const SECOND: Lifetime = Lifetime::For(Duration::from_secs(1));

pub(super) fn lives(subject: &Subject<'_>) -> Verdict {
    let (store, key) = (subject.store, subject.key("key"));
    let year = Duration::from_secs(365 * 86_400);
    for lifetime in [Lifetime::Default, Lifetime::Never, HOUR, year.into()] {
        store.put_with(&key, b"value", lifetime)?;
        let got = store.get(&key)?;
        equal(&format!("get after {lifetime:?}"), &got, &b"value".to_vec())?;
        let mut source = &b"from"[..];
        store.put_from(&key, &mut source, lifetime)?;
        equal("get after put_from", &store.get(&key)?, &b"from".to_vec())?;
    }
    Ok(())
}

/// Waits until the data of `key` has expired.
fn gone(subject: &Subject<'_>, key: &str) -> Verdict {
    subject.eventually(|| {
        let is_there = subject.store.contains(key)?;
        ensure(!is_there, || format!("{key} does not expire"))
    })
}

pub(super) fn expires(subject: &Subject<'_>) -> Verdict {
    let keys = ["put_with", "put_from", "put_file", "short"].map(|name| subject.key(name));
    let [with, from, file, short] = &keys;
    let store = subject.store;
    store.put_with(with, b"value", SECOND)?;
    store.put_from(from, &mut &b"value"[..], SECOND)?;
    let source = Temporary::new(file);
    fs::write(&source.0, "value")?;
    store.put_file(file, &source.0, SECOND)?;
    store.put_with(short, b"value", Lifetime::For(Duration::from_nanos(1)))?;
    for key in &keys {
        gone(subject, key)?;
        let is_missing = |error: &StoreError| matches!(error, StoreError::NotFound(_));
        refused("get", store.get(key), "NotFound", is_missing)?;
    }
    match subject.lists("", &[]) {
        // Not every store can list.
        Err(Fault::Unsupported(_)) => Ok(()),
        verdict => verdict,
    }
}

pub(super) fn replaced(subject: &Subject<'_>) -> Verdict {
    let (store, last) = (subject.store, subject.key("last"));
    let puts = [
        ("put", Lifetime::Default),
        ("never", Lifetime::Never),
        ("hour", HOUR),
    ];
    for (name, lifetime) in puts {
        let key = subject.key(name);
        store.put_with(&key, b"old", SECOND)?;
        match lifetime {
            // In a store with a lifetime of its own, that may be short.
            Lifetime::Default => store.put_with(&key, b"new", HOUR)?,
            lifetime => store.put_with(&key, b"new", lifetime)?,
        }
    }
    // It was put last, so the others would have expired by then.
    store.put_with(&last, b"old", SECOND)?;
    gone(subject, &last)?;
    for (name, _) in puts {
        let got = store.get(&subject.key(name))?;
        equal(&format!("get({name:?})"), &got, &b"new".to_vec())?;
    }
    Ok(())
}

pub(super) fn zero(subject: &Subject<'_>) -> Verdict {
    let (store, key) = (subject.store, subject.key("key"));
    let (zero, name) = (Lifetime::For(Duration::ZERO), "InvalidLifetime");
    let is_it = |error: &StoreError| matches!(error, StoreError::InvalidLifetime(_));
    store.put(&key, b"old")?;
    refused("put_with", store.put_with(&key, b"new", zero), name, is_it)?;
    let put = store.put_from(&key, &mut Unread, zero);
    refused("put_from", put, name, is_it)?;
    equal("get", &store.get(&key)?, &b"old".to_vec())
}
