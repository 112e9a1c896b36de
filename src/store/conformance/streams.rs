//! Laws about files, readers and writers.

use super::subject::{Subject, Verdict, equal, refused};
use crate::store::{Lifetime, StoreError};
use std::io::{self, Read};
use std::path::PathBuf;
use std::{env, fs};

pub(super) fn files(subject: &Subject<'_>) -> Verdict {
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

pub(super) fn streams(subject: &Subject<'_>) -> Verdict {
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

pub(super) fn opened(subject: &Subject<'_>) -> Verdict {
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

/// Fails if it is read from.
pub(super) struct Unread;

impl Read for Unread {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("this was to be read"))
    }
}

/// The path of a file that is removed in the end.
pub(super) struct Temporary(pub(super) PathBuf);

impl Temporary {
    /// One that nobody else has, as the key.
    pub(super) fn new(key: &str) -> Self {
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
