//! What was recorded of a client: `tests/vectors/values`.

use serde::Deserialize;
use std::collections::BTreeMap;

/// How much of a file was checked; nothing in it differs.
pub(super) struct Checked {
    pub(super) file: &'static str,
    pub(super) peer: String,
    pub(super) scheme: String,
    /// The values that it stored.
    pub(super) stores: usize,
    /// What it made of flags and bytes.
    pub(super) reads: usize,
    /// What is not checked in full, and why.
    pub(super) skipped: BTreeMap<&'static str, usize>,
}

#[derive(Deserialize)]
pub(super) struct Recording {
    pub(super) peer: String,
    pub(super) scheme: String,
    pub(super) store: Vec<Stored>,
    #[serde(default)]
    pub(super) read: Vec<Read>,
}

#[derive(Deserialize)]
pub(super) struct Stored {
    pub(super) r#type: String,
    pub(super) value: String,
    #[serde(default)]
    pub(super) flags: u32,
    #[serde(default)]
    pub(super) hex: String,
    pub(super) error: Option<String>,
}

/// What the peer makes of these bytes under each of these flags.
#[derive(Deserialize)]
pub(super) struct Read {
    flags: OneOrMore,
    pub(super) hex: String,
    pub(super) kind: String,
    #[serde(default)]
    pub(super) value: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(u32),
    More(Vec<u32>),
}

impl Read {
    pub(super) fn flags(&self) -> &[u32] {
        match &self.flags {
            OneOrMore::One(flags) => std::slice::from_ref(flags),
            OneOrMore::More(flags) => flags,
        }
    }
}
