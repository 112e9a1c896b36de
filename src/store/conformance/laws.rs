//! What holds of every store: the table of all laws, and those about keys and data.

use super::lifetimes::HOUR;
use super::streams::{Temporary, Unread};
use super::subject::{Fault, Subject, Verdict, ensure, equal, refused};
use super::{lifetimes, lists, streams};
use crate::store::{KEY_SYMBOLS, StoreError};
use std::{fs, thread};

pub(super) type Law = (&'static str, fn(&Subject<'_>) -> Verdict);

pub(super) const LAWS: &[Law] = &[
    ("what is put is got", got_as_put),
    ("a put replaces what was there", replaced),
    ("what is not there is NotFound", missing),
    ("delete removes, and again is no error", deleted),
    ("every allowed character makes another key", characters),
    ("a key may be as long as the store says", longest),
    ("what is not a key is refused", not_a_key),
    ("keys lists each key once", lists::listed),
    ("a prefix is no pattern", lists::prefix_is_text),
    ("iter_prefixes ends at the delimiter", lists::prefixes),
    ("files are stored, and written", streams::files),
    (
        "readers are stored, and writers written to",
        streams::streams,
    ),
    ("open reads piece by piece", streams::opened),
    ("what has long to live is there", lifetimes::lives),
    ("what has lived its time is gone", lifetimes::expires),
    ("a put replaces the lifetime", lifetimes::replaced),
    ("a lifetime of zero is refused", lifetimes::zero),
    ("threads share a store", shared),
];

fn got_as_put(subject: &Subject<'_>) -> Verdict {
    let all_bytes: Vec<u8> = (0..=255).collect();
    let large: Vec<u8> = all_bytes.iter().copied().cycle().take(100_000).collect();
    let rows: [(&str, &[u8]); 5] = [
        ("empty", b""),
        ("text", b"some value"),
        ("lines", b"\r\nEND\r\n"),
        ("all-bytes", &all_bytes),
        ("large", &large),
    ];
    for (name, data) in rows {
        subject.store.put(&subject.key(name), data)?;
    }
    for (name, data) in rows {
        let key = subject.key(name);
        let got = subject.store.get(&key)?;
        equal(&format!("get({key:?})"), &&*got, &data)?;
        equal("contains", &subject.store.contains(&key)?, &true)?;
    }
    Ok(())
}

fn replaced(subject: &Subject<'_>) -> Verdict {
    let key = subject.key("key");
    for data in [&b"a long first value"[..], b"second", b""] {
        subject.store.put(&key, data)?;
        equal("get", &&*subject.store.get(&key)?, &data)?;
    }
    Ok(())
}

fn missing(subject: &Subject<'_>) -> Verdict {
    let (store, key) = (subject.store, subject.key("missing"));
    let is_it = |error: &StoreError| matches!(error, StoreError::NotFound(named) if *named == key);
    let name = format!("NotFound({key:?})");
    equal("contains", &store.contains(&key)?, &false)?;
    refused("get", store.get(&key), &name, is_it)?;
    refused("open", store.open(&key).map(drop), &name, is_it)?;
    let mut sink = Vec::new();
    refused("get_to", store.get_to(&key, &mut sink), &name, is_it)?;
    let file = Temporary::new(&key);
    refused("get_file", store.get_file(&key, &file.0), &name, is_it)?;
    ensure(!file.0.exists(), || "get_file made a file".to_owned())
}

fn deleted(subject: &Subject<'_>) -> Verdict {
    let (store, key, other) = (subject.store, subject.key("key"), subject.key("other"));
    store.delete(&key)?;
    store.put(&key, b"value")?;
    store.put(&other, b"value")?;
    for _ in 0..3 {
        store.delete(&key)?;
        equal("contains", &store.contains(&key)?, &false)?;
    }
    equal("contains another", &store.contains(&other)?, &true)?;
    store.put(&key, b"again")?;
    equal("get", &store.get(&key)?, &b"again".to_vec())
}

fn characters(subject: &Subject<'_>) -> Verdict {
    let letters = ('a'..='z').chain('A'..='Z').chain('0'..='9');
    let all: Vec<_> = letters
        .chain(KEY_SYMBOLS.chars())
        .map(String::from)
        .collect();
    for c in &all {
        subject.store.put(&subject.key(c), c.as_bytes())?;
    }
    for c in &all {
        let key = subject.key(c);
        let got = subject.store.get(&key)?;
        equal(&format!("get({key:?})"), &&*got, &c.as_bytes())?;
    }
    Ok(())
}

fn longest(subject: &Subject<'_>) -> Verdict {
    let (store, longest) = (subject.store, subject.store.max_key_length());
    let room = longest.saturating_sub(subject.key("").len());
    let ends = ["1", "2"].map(|end| subject.key(&format!("{end:k>room$}")));
    for key in &ends {
        store.put(key, key.as_bytes())?;
    }
    for key in &ends {
        equal("get", &&*store.get(key)?, &key.as_bytes())?;
    }
    let longer = subject.key(&"k".repeat(room + 1));
    refused("get", store.get(&longer), "InvalidKey", is_invalid_key)
}

fn is_invalid_key(error: &StoreError) -> bool {
    matches!(error, StoreError::InvalidKey(_))
}

fn not_a_key(subject: &Subject<'_>) -> Verdict {
    let too_long = "k".repeat(subject.store.max_key_length() + 1);
    let file = Temporary::new(&subject.key("file"));
    fs::write(&file.0, "value")?;
    for key in [
        "", " ", "a b", "a/b", "a*", "a:b", "a\\b", "a\n", "\0", "\u{e4}", &too_long,
    ] {
        let (store, mut unread) = (subject.store, Unread);
        let calls = [
            ("get", store.get(key).map(drop)),
            ("contains", store.contains(key).map(drop)),
            ("delete", store.delete(key)),
            ("put", store.put(key, b"value")),
            ("put_with", store.put_with(key, b"value", HOUR)),
            ("put_from", store.put_from(key, &mut unread, HOUR)),
            ("put_file", store.put_file(key, &file.0, HOUR)),
            ("open", store.open(key).map(drop)),
            ("get_to", store.get_to(key, &mut Vec::new())),
            ("get_file", store.get_file(key, &file.0)),
        ];
        for (call, result) in calls {
            let call = format!("{call}({key:?})");
            refused(&call, result, "InvalidKey", is_invalid_key)?;
        }
    }
    let left = fs::read(&file.0)?;
    equal("the file of get_file", &left, &b"value".to_vec())
}

fn shared(subject: &Subject<'_>) -> Verdict {
    const THREADS: u8 = 4;
    let (store, common) = (subject.store, subject.key("common"));
    // Long enough to be seen in halves.
    let value = |thread: u8| vec![thread; 5000];
    store.put(&common, &value(0))?;
    let keys: Vec<_> = (0..THREADS)
        .map(|thread| subject.key(&thread.to_string()))
        .collect();
    let work = |thread: u8, key: &str| -> Verdict {
        for round in 0..50_u8 {
            store.put(key, &[thread, round])?;
            store.put(&common, &value(thread))?;
            equal("get", &store.get(key)?, &vec![thread, round])?;
            let seen = store.get(&common)?;
            let is_whole = seen.len() == 5000 && seen.iter().all(|byte| *byte == seen[0]);
            ensure(is_whole, || "parts of two values in one".to_owned())?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..THREADS)
            .zip(&keys)
            .map(|(thread, key)| scope.spawn(move || work(thread, key)))
            .collect();
        threads.into_iter().try_for_each(|thread| {
            let panicked = |_| Err(Fault::Failed("the store panicked".to_owned()));
            thread.join().unwrap_or_else(panicked)
        })
    })
}
