//! Settings as data: from files, from URLs, and from what other clients are set up with.

mod file;
mod libmemcached;
mod pylibmc;
mod recorded;
mod url;

use moecache::{Error, Note};

/// What is wrong with the input, as the error tells it.
fn reason<T>(result: Result<T, Error>) -> String {
    let error = result.err().expect("it is refused");
    assert!(error.is_validation(), "{error}");
    error.to_string()
}

/// The settings that have no effect.
fn names(notes: &[Note]) -> Vec<&str> {
    notes.iter().map(|note| note.name.as_str()).collect()
}
