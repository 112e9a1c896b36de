//! `mc keys`.

use crate::outcome::{Failure, Outcome, report};
use crate::time::two_units;
use clap::Args;
use moecache::{Client, KeyInfo, Lifetime};
use serde::Serialize;
use std::fmt;
use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How a key is printed.
#[derive(Args)]
pub(crate) struct Form {
    /// Print what the server tells besides: how much memory the item takes in bytes, when it
    /// expires, when it was last stored or read, whether it was ever read, and the server
    #[arg(long)]
    long: bool,
    /// Print an object a line, with the times in seconds since 1970, and null for never; a key that
    /// is not UTF-8 is an array of bytes
    #[arg(long, conflicts_with = "long")]
    json: bool,
}

/// Each key goes out before the next is waited for: there may be millions. A server that fails is
/// said on standard error, and the list goes on with the next.
pub(crate) fn keys(client: &Client, form: &Form, out: &mut impl Write) -> Result<Outcome, Failure> {
    let now = SystemTime::now();
    let width = client
        .servers()
        .iter()
        .map(String::len)
        .max()
        .unwrap_or_default();
    if form.long {
        writeln!(
            out,
            "{:>9}  {:>8}  {:>8}  {:4}  {:width$}  KEY",
            "SIZE", "EXPIRES", "ACCESSED", "READ", "SERVER"
        )?;
    }
    let mut worst = Outcome::Done;
    for key in client.keys() {
        match key {
            Ok(key) if form.json => write_json(&key, out)?,
            Ok(key) if form.long => write_long(&key, now, width, out)?,
            Ok(key) => writeln!(out, "{}", Shown(&key.key))?,
            Err(error) => worst = worst.max(report(&error)),
        }
    }
    out.flush()?;
    Ok(worst)
}

/// A row of a table whose columns are as wide as they usually have to be, since the next rows are
/// not known yet.
fn write_long(
    key: &KeyInfo,
    now: SystemTime,
    width: usize,
    out: &mut impl Write,
) -> io::Result<()> {
    let size = shown(key.size, |size| size.to_string());
    let expires = shown(key.expiry, |expiry| match expiry {
        Lifetime::Forever => "never".to_owned(),
        Lifetime::Until(time) => two_units(between(now, time)),
        _ => "?".to_owned(),
    });
    let accessed = shown(key.last_access, |time| two_units(between(time, now)));
    let read = shown(key.fetched, |fetched| {
        if fetched { "yes" } else { "no" }.to_owned()
    });
    let (server, key) = (&key.server, Shown(&key.key));
    writeln!(
        out,
        "{size:>9}  {expires:>8}  {accessed:>8}  {read:4}  {server:width$}  {key}"
    )
}

fn shown<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or("-".to_owned(), show)
}

/// The clocks of the two machines may differ a little.
fn between(from: SystemTime, to: SystemTime) -> Duration {
    to.duration_since(from).unwrap_or_default()
}

/// A key, safe to print and alone on its line.
struct Shown<'a>(&'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match std::str::from_utf8(self.0) {
            Ok(key) if !key.contains(|c: char| c.is_control() || c.is_whitespace()) => {
                f.write_str(key)
            }
            _ => write!(f, "b\"{}\"", self.0.escape_ascii()),
        }
    }
}

fn write_json(key: &KeyInfo, out: &mut impl Write) -> io::Result<()> {
    let entry = Entry {
        key: match std::str::from_utf8(&key.key) {
            Ok(key) => Key::Text(key),
            Err(_) => Key::Bytes(&key.key),
        },
        server: &key.server,
        expiry: key.expiry.and_then(|expiry| match expiry {
            Lifetime::Forever => Some(None),
            Lifetime::Until(time) => Some(Some(seconds(time))),
            _ => None,
        }),
        last_access: key.last_access.map(seconds),
        cas: key.cas,
        fetched: key.fetched,
        class: key.class,
        size: key.size,
    };
    serde_json::to_writer(&mut *out, &entry)?;
    writeln!(out)
}

/// What the server does not tell is left out.
#[derive(Serialize)]
struct Entry<'a> {
    key: Key<'a>,
    server: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[expect(clippy::option_option, reason = "not told, never, and then")]
    expiry: Option<Option<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_access: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cas: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fetched: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Key<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
}

fn seconds(time: SystemTime) -> u64 {
    between(UNIX_EPOCH, time).as_secs()
}
