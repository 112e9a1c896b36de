//! The laws that the fuzz targets in `fuzz/` hold the private code to; each panics where one is
//! broken. Not part of the crate: it exists only under `cfg(fuzzing)`. May use everything.

mod conversation;
mod genuine;
mod replies;
mod requests;
mod script;
mod stage;

pub use conversation::conversation;
pub use replies::replies;

use crate::address::{Address, Server};
use crate::expiry::Expiry;
use crate::item::Item;
use crate::key::KeyRule;
use crate::protocol::replay::Event;
use crate::protocol::{Dialect, Line, Reply, Request, StatsArguments, Status};
use crate::value::{self, Compression, Enyim, Format, Transcoder};
use replies::in_any_pieces;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::time::{Duration, SystemTime};

/// What the reply to `stats` with these arguments is: the same in pieces of any lengths, and if it
/// is complete, all it says is what a plain reading of its lines says.
pub fn stats_reply(arguments: &str, bytes: &[u8], pieces: &[usize]) {
    let allowed = arguments.len() <= 250 && arguments.bytes().all(|byte| (32..127).contains(&byte));
    let parsed = StatsArguments::new(arguments);
    assert_eq!(parsed.is_ok(), allowed, "{arguments:?}");
    let Ok(arguments) = parsed else { return };
    let request = Request::Stats { arguments };
    let events = in_any_pieces(Dialect::Text, &[request], bytes, pieces);
    let Some(Event::Done { surplus }) = events.last() else {
        return;
    };
    let reply = &bytes[..bytes.len() - surplus];
    let expected = reply.split_inclusive(|&byte| byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\r\n");
        stats_line(line.expect("every line ends with CR LF"))
    });
    let (_, mut found) = events.split_last().expect("it is not empty");
    // Some are one line, without a last one that says so.
    let end = format!("{:?}", Reply::Status(Status::Ok));
    if let [one @ Event::Part(_), Event::Reply(0, implied)] = found {
        if request.reply_end_is_uncertain() && *implied == end {
            found = std::slice::from_ref(one);
        }
    }
    for (found, expected) in found.iter().zip(expected.clone()) {
        match (found, expected) {
            (Event::Part(found) | Event::Reply(0, found), Some(expected)) => {
                assert_eq!(*found, expected);
            }
            (Event::Reply(0, found), None) => assert!(found.starts_with("Refused("), "{found}"),
            _ => panic!("no line: {found:?}"),
        }
    }
    assert_eq!(found.len(), expected.count());
}

/// A line of a stats reply, read as simply as can be; `None` for what must be an error.
fn stats_line(line: &[u8]) -> Option<String> {
    let mut words = line.splitn(3, |&byte| byte == b' ');
    let reply = match (words.next()?, words.next()) {
        (b"END" | b"OK", None) => Reply::Status(Status::Ok),
        (b"RESET", None) => Reply::Status(Status::Reset),
        (b"STAT" | b"ITEM" | b"PREFIX", Some(name)) => {
            let value = words.next().unwrap_or_default();
            return Some(format!(
                "{:?}",
                Line::Stat {
                    name: name.into(),
                    value: value.into()
                }
            ));
        }
        _ => return None,
    };
    Some(format!("{reply:?}"))
}

/// A key is 1 to 250 bytes of 0x21 to 0x7e, and of 0x80 to 0xff where those are allowed; nothing else
/// is one.
pub fn key(bytes: &[u8]) {
    let is_long_enough = (1..=250).contains(&bytes.len());
    let are_all = |good: fn(&u8) -> bool| is_long_enough && bytes.iter().all(good);
    for (rule, allowed) in [
        (
            KeyRule::Printable,
            are_all(|byte| matches!(byte, 0x21..=0x7e)),
        ),
        (
            KeyRule::NonAscii,
            are_all(|byte| matches!(byte, 0x21..=0x7e | 0x80..)),
        ),
    ] {
        match rule.key(bytes) {
            Ok(key) => assert!(allowed && key.as_bytes() == bytes),
            Err(_) => assert!(!allowed),
        }
    }
}

/// What goes over the wire is an exptime that memcached reads as it was written, and means what was
/// asked for: never sooner, and only as much later as rounding up makes it.
pub fn expiry(expiry: Expiry, now: Duration) {
    let second = Duration::from_secs(1);
    let month = Duration::from_secs(60 * 60 * 24 * 30);
    let Some(time) = SystemTime::UNIX_EPOCH.checked_add(now) else {
        return;
    };
    let Ok(wire) = expiry.to_wire(time) else {
        return;
    };
    assert!(wire <= 0x7fff_ffff, "{expiry:?}: {wire}");
    let wire = Duration::from_secs(wire.into());
    let (asked, slack) = match expiry {
        Expiry::Never => return assert_eq!(wire, Duration::ZERO),
        Expiry::Exptime(exptime) => return assert_eq!(i128::from(wire.as_secs()), exptime),
        Expiry::After(after) if after <= month => (after, second),
        // Two are rounded: the duration and the clock.
        Expiry::After(after) => (now + after, 2 * second),
        Expiry::At(at) => {
            let since_epoch = at.duration_since(SystemTime::UNIX_EPOCH);
            (since_epoch.expect("a time after 1970"), second)
        }
    };
    let absolute = wire > month;
    assert_eq!(absolute, asked > month, "{expiry:?} at {now:?}: {wire:?}");
    let allowed = asked..asked + slack;
    assert!(allowed.contains(&wire), "{expiry:?} at {now:?}: {wire:?}");
}

/// Any text is a server or not; what is one prints as text that is the same server.
pub fn server(text: &str, port: u16) {
    for server in [Server::from(text), Server::from((text, port))] {
        let printed = server.to_string();
        let Ok(address) = server.address() else {
            continue;
        };
        match &address {
            Address::Tcp { host, port } => assert!(!host.is_empty() && *port > 0),
            Address::Unix(path) => assert!(path.starts_with('/')),
        }
        let again = Server::from(printed.as_str());
        assert_eq!(again.address().as_ref(), Ok(&address), "{printed}");
        assert_eq!(again.to_string(), printed);
    }
}

/// Any item is a `T` or not; what is one is stored again so that it reads back the same.
///
/// Floats and what holds them may be no number and then equal to nothing: compared is what is stored.
pub fn decodes<T: Serialize + DeserializeOwned>(flags: u32, data: &[u8]) {
    decodes_in::<T>(&Enyim::default(), flags, data);
}

/// As `decodes`, in the format of this index.
pub fn decodes_as<T: Serialize + DeserializeOwned>(format: u8, flags: u32, data: &[u8]) {
    if let Some(transcoder) = transcoder(format) {
        decodes_in::<T>(&*transcoder, flags, data);
    }
}

/// An item in the format of this index: for a type that takes whatever there is, some clients read of
/// a bool an integer.
pub fn read_as<T: DeserializeOwned>(format: u8, flags: u32, data: &[u8]) -> Option<T> {
    let transcoder = transcoder(format)?;
    value::decode(&*transcoder, Item::new(flags, data)).ok()
}

/// The most bytes that an item may have once it is decompressed.
pub const MAX_DECOMPRESSED: usize = 64 << 10;

/// Each format with what its owner compresses, then each with each way to compress, as far as it knows
/// that.
fn transcoder(index: u8) -> Option<Box<dyn Transcoder>> {
    let count = Format::all().count();
    let format = Format::all().nth(usize::from(index) % count)?;
    let compression = match usize::from(index) / count {
        0 => format.default_compression(),
        1 => Compression::off(),
        2 => Compression::zlib().threshold(0),
        3 => Compression::gzip().threshold(0),
        4 => Compression::lz4().threshold(0),
        5 => Compression::zstd().threshold(0),
        _ => return None,
    };
    format.transcoder(compression, MAX_DECOMPRESSED).ok()
}

fn decodes_in<T>(transcoder: &dyn Transcoder, flags: u32, data: &[u8])
where
    T: Serialize + DeserializeOwned,
{
    let Ok(decoded) = value::decode::<T>(transcoder, Item::new(flags, data)) else {
        return;
    };
    let Ok(stored) = value::encode_item(transcoder, &decoded) else {
        return;
    };
    let again: T = value::decode(transcoder, stored.clone())
        .unwrap_or_else(|error| panic!("{error}: {} {:?}", stored.flags, stored.data));
    let stored_again = value::encode_item(transcoder, &again).ok();
    // What is empty is `None` to pyermc, whatever it was before.
    let is_none = || stored_again == value::encode_item(transcoder, &()).ok();
    if !(stored.data.is_empty() && is_none()) {
        assert_eq!(stored_again, Some(stored));
    }
}

/// As `decodes`, for what cannot be stored.
pub fn is_read<T: DeserializeOwned>(flags: u32, data: &[u8]) {
    let _ = value::decode::<T>(&Enyim::default(), Item::new(flags, data));
}

/// What can be stored reads back as the same value.
pub fn round_trips<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let Ok(stored) = value::encode_item(&Enyim::default(), value) else {
        return;
    };
    let read: T = value::decode(&Enyim::default(), stored)
        .unwrap_or_else(|error| panic!("{value:?}: {error}"));
    assert_eq!(read, *value);
}
