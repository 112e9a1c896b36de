//! What holds of every store.

use super::subject::{Fault, Subject, Verdict, ensure, equal, refused};
use crate::store::{ALLOWED, Lifetime, StoreError};
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, thread};

pub(super) type Law = (&'static str, fn(&Subject<'_>) -> Verdict);

pub(super) const LAWS: &[Law] = &[
    ("what is put is got", got_as_put),
    ("a put replaces what was there", replaced),
    ("what is not there is NotFound", missing),
    ("delete removes, and again is no error", deleted),
    ("every allowed character makes another key", characters),
    ("a key may be as long as the store says", longest),
    ("what is not a key is refused", not_a_key),
    ("keys lists each key once", listed),
    ("a prefix is no pattern", prefix_is_text),
    ("iter_prefixes ends at the delimiter", prefixes),
    ("files are stored, and written", files),
    ("readers are stored, and writers written to", streams),
    ("open reads piece by piece", opened),
    ("what has long to live is there", lives),
    ("what has lived its time is gone", expires),
    ("a put replaces the lifetime", lifetime_replaced),
    ("a lifetime of zero is refused", zero),
    ("threads share a store", shared),
];

const HOUR: Lifetime = Lifetime::For(Duration::from_secs(3600));
const SECOND: Lifetime = Lifetime::For(Duration::from_secs(1));

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
    let all: Vec<_> = letters.chain(ALLOWED.chars()).map(String::from).collect();
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

/// Fails if it is read from.
struct Unread;

impl Read for Unread {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("this was to be read"))
    }
}

fn listed(subject: &Subject<'_>) -> Verdict {
    let names = ["a.1", "a.2", "ab", "b"];
    for name in names {
        subject.store.put(&subject.key(name), b"value")?;
    }
    subject.lists("", &names)?;
    subject.lists("a", &names[..3])?;
    subject.lists("a.", &names[..2])?;
    subject.lists("a.1", &names[..1])?;
    subject.lists("c", &[])?;
    // It may have other keys, too.
    subject.eventually(|| {
        let mut all = BTreeSet::new();
        for key in subject.store.iter_keys("") {
            let key = key?;
            let twice = format!("iter_keys(\"\") lists {key:?} twice");
            ensure(all.insert(key), || twice)?;
        }
        let mut ours = names.iter().map(|name| subject.key(name));
        ensure(ours.all(|key| all.contains(&key)), || {
            "iter_keys(\"\") leaves out a key".to_owned()
        })
    })?;
    subject.store.delete(&subject.key("ab"))?;
    subject.lists("a", &names[..2])
}

fn prefix_is_text(subject: &Subject<'_>) -> Verdict {
    for name in ["pax", "p?x", "p[a]x", "p.x", "p%x", "p_x"] {
        subject.store.put(&subject.key(name), b"value")?;
    }
    for prefix in ["p?", "p[a]", "p.", "p%", "p_", "p[", "p^"] {
        let name = format!("{prefix}x");
        let names = match prefix {
            "p[" => vec!["p[a]x"],
            "p^" => vec![],
            _ => vec![&*name],
        };
        subject.lists(prefix, &names)?;
    }
    // What no key begins with.
    for prefix in ["p*", "*", " ", "\\p", "p\r\n", "\u{e4}"] {
        subject.lists(prefix, &[])?;
    }
    Ok(())
}

fn prefixes(subject: &Subject<'_>) -> Verdict {
    for name in ["a..1", "a..2", "a.3", "b..1", "c"] {
        subject.store.put(&subject.key(name), b"value")?;
    }
    subject.lists("", &["a..1", "a..2", "a.3", "b..1", "c"])?;
    let rows: [(&str, &str, &[&str]); 4] = [
        ("..", "", &["a..", "a.3", "b..", "c"]),
        (".", "a.", &["a..", "a.3"]),
        (".", "c", &["c"]),
        (".", "d", &[]),
    ];
    let base = subject.key("");
    for (delimiter, prefix, expected) in rows {
        subject.eventually(|| {
            let below = format!("{base}{prefix}");
            let found: Result<Vec<_>, _> = subject.store.iter_prefixes(delimiter, &below).collect();
            let mut found = found?;
            found.sort();
            let expected: Vec<_> = expected
                .iter()
                .map(|name| format!("{base}{name}"))
                .collect();
            let call = format!("iter_prefixes({delimiter:?}, {below:?})");
            equal(&call, &found, &expected)
        })?;
    }
    Ok(())
}

fn files(subject: &Subject<'_>) -> Verdict {
    let (store, key) = (subject.store, subject.key("file"));
    let (from, to) = (Temporary::new(&key), Temporary::new(&subject.key("to")));
    let content = b"line\r\n\0\xff".repeat(1000);
    fs::write(&from.0, &content)?;
    store.put_file(&key, &from.0, Lifetime::Never)?;
    equal("get", &store.get(&key)?, &content)?;
    equal("the file", &fs::read(&from.0)?, &content)?;
    fs::write(&to.0, vec![b'x'; 20_000])?; // Longer than what is to be there.
    store.get_file(&key, &to.0)?;
    equal("get_file", &fs::read(&to.0)?, &content)?;
    let nowhere = Temporary::new(&subject.key("nowhere"));
    let put = store.put_file(&key, &nowhere.0, Lifetime::Never);
    refused("put_file of no file", put, "Io", is_io)?;
    equal("get after that", &store.get(&key)?, &content)
}

fn is_io(error: &StoreError) -> bool {
    matches!(error, StoreError::Io(_))
}

fn streams(subject: &Subject<'_>) -> Verdict {
    let (store, key) = (subject.store, subject.key("stream"));
    let content = b"abc".repeat(10_000);
    let mut source = content
        .chunks(7000)
        .fold(Box::new(io::empty()) as Box<dyn Read>, |read, more| {
            Box::new(read.chain(more))
        });
    store.put_from(&key, &mut source, Lifetime::Default)?;
    equal("get", &store.get(&key)?, &content)?;
    let mut sink = b"before ".to_vec();
    store.get_to(&key, &mut sink)?;
    equal("get_to", &sink, &[b"before ", &*content].concat())?;
    let mut broken = (&b"half"[..]).chain(Unread);
    let put = store.put_from(&key, &mut broken, Lifetime::Default);
    refused("put_from of a reader that fails", put, "Io", is_io)?;
    equal("get after that", &store.get(&key)?, &content)
}

fn opened(subject: &Subject<'_>) -> Verdict {
    let (store, key) = (subject.store, subject.key("open"));
    store.put(&key, b"one two three")?;
    let mut reader = store.open(&key)?;
    let mut piece = [0; 3];
    reader.read_exact(&mut piece)?;
    equal("the first piece", &&piece, &b"one")?;
    reader.read_exact(&mut piece[..1])?;
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest)?;
    equal("the rest", &rest, &b"two three".to_vec())
}

fn lives(subject: &Subject<'_>) -> Verdict {
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

fn expires(subject: &Subject<'_>) -> Verdict {
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

fn lifetime_replaced(subject: &Subject<'_>) -> Verdict {
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

fn zero(subject: &Subject<'_>) -> Verdict {
    let (store, key) = (subject.store, subject.key("key"));
    let (zero, name) = (Lifetime::For(Duration::ZERO), "InvalidLifetime");
    let is_it = |error: &StoreError| matches!(error, StoreError::InvalidLifetime(_));
    store.put(&key, b"old")?;
    refused("put_with", store.put_with(&key, b"new", zero), name, is_it)?;
    let put = store.put_from(&key, &mut Unread, zero);
    refused("put_from", put, name, is_it)?;
    equal("get", &store.get(&key)?, &b"old".to_vec())
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

/// The path of a file that is removed in the end.
struct Temporary(PathBuf);

impl Temporary {
    /// One that nobody else has, as the key.
    fn new(key: &str) -> Self {
        let name: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
        Self(env::temp_dir().join(format!("moecache-{name}")))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // It may never have been made.
        let _ = fs::remove_file(&self.0);
    }
}
