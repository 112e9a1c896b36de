//! The commands: one line each, checked in the order in which memcached checks it, since the order
//! decides which error is given and whether `noreply` already holds for it.

use super::crawler::lru_crawler;
use super::meta;
use super::number::{signed_32, unsigned_32, unsigned_64};
use super::outcome::{Args, BAD_FORMAT, KEY_MAX, NOT_A_NUMBER, Outcome, line, refusal};
use super::stats::stats;
use crate::testing::process::Process;
use crate::testing::store::{
    DeleteOutcome, Delta, Direction, Marks, Storage, Store, Uncounted, Verb,
};
use crate::testing::version::Ability;

const VERBOSITY_MAX: u32 = 2;

const BAD_DELETE: &str = "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]";
const BAD_EXPTIME: &str = "CLIENT_ERROR invalid exptime argument";
const BAD_DELTA: &str = "CLIENT_ERROR invalid numeric delta argument";

pub(super) struct Answer {
    pub(super) outcome: Outcome,
    /// A line, even an error, is not sent.
    pub(super) noreply: bool,
}

/// Carries out a command line, without its line end. `alone`: all earlier replies were sent.
pub(super) fn execute(line: &[u8], alone: bool, store: &mut Store, process: &Process) -> Answer {
    let line = super::number::c_string(line);
    let tokens: Vec<&[u8]> = line
        .split(|&byte| byte == b' ')
        .filter(|token| !token.is_empty())
        .collect();
    let (name, args) = match tokens.split_first() {
        Some((&name, args)) if name.len() > 1 => (name, args),
        _ => (&b""[..], &[][..]),
    };
    let noreply = args.last() == Some(&&b"noreply"[..]);
    let muted = |outcome| Answer { outcome, noreply };
    let heard = |outcome| Answer {
        outcome,
        noreply: false,
    };
    if !knows(process, name) {
        return heard(Outcome::Line("ERROR".into()));
    }
    if let [b'm', command] = name {
        return heard(meta::execute(*command, args, store));
    }
    // The arity is checked first, so that error is sent in spite of noreply.
    match (name, args.len()) {
        (b"get" | b"bget", 1..) => heard(get(store, args, None, false)),
        (b"gets", 1..) => heard(get(store, args, None, true)),
        (b"gat", 1..) => heard(get(store, &args[1..], Some(args[0]), false)),
        (b"gats", 1..) => heard(get(store, &args[1..], Some(args[0]), true)),
        (b"set", 4 | 5) => muted(storage(store, args, Verb::Set)),
        (b"add", 4 | 5) => muted(storage(store, args, Verb::Add)),
        (b"replace", 4 | 5) => muted(storage(store, args, Verb::Replace)),
        (b"append", 4 | 5) => muted(storage(store, args, Verb::Append)),
        (b"prepend", 4 | 5) => muted(storage(store, args, Verb::Prepend)),
        (b"cas", 5 | 6) => muted(storage(store, args, Verb::Cas)),
        (b"incr", 2 | 3) => muted(count(store, args, Direction::Up)),
        (b"decr", 2 | 3) => muted(count(store, args, Direction::Down)),
        (b"touch", 2 | 3) => muted(touch(store, args)),
        (b"delete", 1) => heard(delete(store, args, false)),
        (b"delete", 2 | 3) => muted(delete(store, args, noreply)),
        (b"flush_all", 0..=2) => muted(flush_all(store, args, noreply)),
        (b"verbosity", 1 | 2) => muted(verbosity(store, args)),
        (b"cache_memlimit", 1 | 2) => muted(memory_limit(store, args)),
        (b"shutdown", _) => heard(Outcome::Line("ERROR: shutdown not enabled".into())),
        (b"version", _) => heard(version(process)),
        (b"stats", _) => heard(stats(store, args, process)),
        (b"lru_crawler", _)
            if args == [&b"metadump"[..], b"hash"] && !process.has(Ability::MetadumpHash) =>
        {
            heard(Outcome::Line("BADCLASS invalid class id".into()))
        }
        (b"lru_crawler", _) => heard(lru_crawler(store, args, alone)),
        (b"quit", _) => heard(Outcome::Quit),
        _ if is_http(name, args) => heard(Outcome::Close),
        _ => heard(Outcome::Line("ERROR".into())),
    }
}

/// Whether the server's version has the command, if it is one.
fn knows(process: &Process, name: &[u8]) -> bool {
    match name {
        [b'm', _] => process.speaks_all() && process.has(Ability::Meta),
        b"gat" | b"gats" => process.has(Ability::GetAndTouch),
        b"touch" => process.has(Ability::Touch),
        b"lru_crawler" => process.has(Ability::Metadump),
        _ => true,
    }
}

fn get(store: &mut Store, keys: Args<'_>, touch: Option<&[u8]>, with_cas: bool) -> Outcome {
    let exptime = match touch.map(signed_32) {
        None => None,
        Some(Some(exptime)) => Some(store.expiry(exptime)),
        Some(None) => return line(BAD_EXPTIME),
    };
    let mut values = Vec::new();
    for key in keys {
        if key.len() > KEY_MAX {
            return Outcome::TakeBack(BAD_FORMAT);
        }
        let item = match exptime {
            None => store.get(key),
            Some(exptime) => store.get_and_touch(key, exptime),
        };
        let Some(item) = item else {
            continue;
        };
        values.extend_from_slice(b"VALUE ");
        values.extend_from_slice(key);
        let cas = if with_cas {
            format!(" {}", item.cas)
        } else {
            String::new()
        };
        let header = format!(" {} {}{cas}\r\n", item.flags, item.data.len());
        values.extend_from_slice(header.as_bytes());
        values.extend_from_slice(&item.data);
        values.extend_from_slice(b"\r\n");
    }
    values.extend_from_slice(b"END\r\n");
    Outcome::AtOnce(values)
}

/// On an error here the value that follows is not skipped: memcached runs it as commands.
fn storage(store: &mut Store, args: Args<'_>, verb: Verb) -> Outcome {
    if args[0].len() > KEY_MAX {
        return line(BAD_FORMAT);
    }
    let (Some(flags), Some(exptime), Some(length)) =
        (unsigned_32(args[1]), signed_32(args[2]), signed_32(args[3]))
    else {
        return line(BAD_FORMAT);
    };
    let cas = match verb {
        Verb::Cas => unsigned_64(args[4]),
        _ => Some(0),
    };
    let Some(cas) = cas else {
        return line(BAD_FORMAT);
    };
    // Its length with the CR LF must fit 31 bits.
    let length = match usize::try_from(length) {
        Ok(length) if length <= 0x7fff_fffd => length,
        _ => return line(BAD_FORMAT),
    };
    let storage = Storage {
        verb,
        key: args[0].to_vec(),
        flags,
        exptime: store.expiry(exptime),
        cas,
        may_be_stale: false,
        marks: Marks::default(),
        length,
    };
    store.count_prefix_set(&storage.key);
    let Err(reason) = store.admit(&storage) else {
        return Outcome::Data(storage);
    };
    store.count_refusal(reason);
    // memcached does it for set alone.
    if verb == Verb::Set {
        store.discard(&storage.key);
    }
    Outcome::Swallow {
        text: refusal(reason),
        length,
    }
}

fn count(store: &mut Store, args: Args<'_>, direction: Direction) -> Outcome {
    if args[0].len() > KEY_MAX {
        return line(BAD_FORMAT);
    }
    let Some(amount) = unsigned_64(args[1]) else {
        return line(BAD_DELTA);
    };
    let delta = Delta {
        direction,
        amount,
        cas: 0,
    };
    match store.count(args[0], delta, unsigned_64) {
        Ok(counted) => Outcome::Line(counted.number.to_string().into()),
        // No cas id was asked for.
        Err(Uncounted::NotFound | Uncounted::Exists) => {
            store.count_uncounted(direction);
            line("NOT_FOUND")
        }
        Err(Uncounted::NotANumber) => line(NOT_A_NUMBER),
    }
}

fn touch(store: &mut Store, args: Args<'_>) -> Outcome {
    if args[0].len() > KEY_MAX {
        return line(BAD_FORMAT);
    }
    let Some(exptime) = signed_32(args[1]) else {
        return line(BAD_EXPTIME);
    };
    let exptime = store.expiry(exptime);
    line(if store.touch(args[0], exptime) {
        "TOUCHED"
    } else {
        "NOT_FOUND"
    })
}

/// Once there was a hold time after the key; 0 is still accepted.
fn delete(store: &mut Store, args: Args<'_>, noreply: bool) -> Outcome {
    let valid = match args[1..] {
        [] => true,
        [hold] => hold == b"0" || noreply,
        [hold, ..] => hold == b"0" && noreply,
    };
    if !valid {
        return line(BAD_DELETE);
    }
    if args[0].len() > KEY_MAX {
        return line(BAD_FORMAT);
    }
    store.count_prefix_delete(args[0]);
    line(match store.delete(args[0], 0) {
        DeleteOutcome::Deleted => "DELETED",
        // No cas id was asked for.
        DeleteOutcome::NotFound | DeleteOutcome::Exists => "NOT_FOUND",
    })
}

fn flush_all(store: &mut Store, args: Args<'_>, noreply: bool) -> Outcome {
    store.counters.cmd_flush += 1;
    let exptime = if args.len() == usize::from(noreply) {
        Some(0)
    } else {
        signed_32(args[0])
    };
    let Some(exptime) = exptime else {
        return line(BAD_EXPTIME);
    };
    store.flush(exptime);
    line("OK")
}

fn verbosity(store: &mut Store, args: Args<'_>) -> Outcome {
    let Some(level) = unsigned_32(args[0]) else {
        return line(BAD_FORMAT);
    };
    store.verbosity = level.min(VERBOSITY_MAX);
    line("OK")
}

/// In units of 1024 * 1024 bytes. What is then too much goes with the next item that is stored.
fn memory_limit(store: &mut Store, args: Args<'_>) -> Outcome {
    match unsigned_32(args[0]) {
        None => line("ERROR"),
        Some(..8) => line("MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m"),
        Some(1_000_000_001..) => line("MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes"),
        Some(megabytes) => {
            let megabytes = usize::try_from(megabytes).unwrap_or(usize::MAX);
            store.limits.memory = megabytes.saturating_mul(1024 * 1024);
            line("OK")
        }
    }
}

fn version(process: &Process) -> Outcome {
    let version = process.settings.version.text();
    Outcome::Line(format!("VERSION {version}").into())
}

/// memcached closes the connection on an HTTP request, so that no web page can make a browser talk
/// to it. It looks for one only where the command begins as none of its own does.
fn is_http(name: &[u8], args: Args<'_>) -> bool {
    let is_foreign = name
        .first()
        .is_some_and(|first| !b"acdgist".contains(first));
    is_foreign && args.last().is_some_and(|last| last.starts_with(b"HTTP/"))
}
