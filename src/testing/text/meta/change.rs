//! `md` and `ma`.

use super::flags::{self, Flags, Invalid};
use super::reply::{Reply, echo, write_number, write_ttl};
use crate::testing::store::{DeleteOutcome, Delta, Direction, Store, Uncounted};
use crate::testing::text::number::unsigned_64;
use crate::testing::text::outcome::NOT_A_NUMBER;

/// Both put it this way for all that is wrong with a flag.
const BAD_FLAG: &str = "CLIENT_ERROR invalid or duplicate flag";
const TOO_MANY: &str = "CLIENT_ERROR options flags too long";

pub(super) fn delete(store: &mut Store, key: &[u8], words: &[&[u8]]) -> Reply {
    if flags::too_many(words.len()) {
        return Err(TOO_MANY);
    }
    let flags = Flags::parse(key, words, store).map_err(|Invalid(_)| BAD_FLAG)?;
    let mut echoed = Vec::new();
    for word in words {
        echo(&mut echoed, word, &flags.key, flags.has(b'b'))?;
    }
    let status = match delete_or_invalidate(store, &flags) {
        DeleteOutcome::Deleted if flags.has(b'q') => return Ok(Vec::new()),
        DeleteOutcome::Deleted => b"HD",
        DeleteOutcome::NotFound => b"NF",
        DeleteOutcome::Exists => b"EX",
    };
    Ok([status, &echoed[..], b"\r\n"].concat())
}

fn delete_or_invalidate(store: &mut Store, flags: &Flags) -> DeleteOutcome {
    let present = store.live(&flags.key).map(|item| item.cas);
    match (present, flags.cas) {
        // 0 is a cas id here, which no item has.
        (Some(present), Some(cas)) if present != cas => {
            store.counters.delete_misses += 1;
            DeleteOutcome::Exists
        }
        (Some(_), _) if flags.has(b'I') => {
            store.make_stale(&flags.key, flags.exptime);
            DeleteOutcome::Deleted
        }
        _ => store.delete(&flags.key, 0),
    }
}

pub(super) fn count(store: &mut Store, key: &[u8], words: &[&[u8]]) -> Reply {
    if flags::too_many(words.len()) {
        return Err(TOO_MANY);
    }
    let flags = Flags::parse(key, words, store).map_err(|Invalid(_)| BAD_FLAG)?;
    let delta = Delta {
        direction: match flags.mode {
            None | Some(b'I' | b'+') => Direction::Up,
            Some(b'D' | b'-') => Direction::Down,
            Some(_) => return Err("CLIENT_ERROR invalid mode for ma M token"),
        },
        amount: flags.delta,
        cas: flags.cas.unwrap_or(0),
    };
    match store.count(&flags.key, delta, unsigned_64) {
        Ok(counted) => {
            let expiry = if counted.is_longer {
                Expiry::Forgotten
            } else {
                Expiry::Kept
            };
            let reply = describe(store, &flags, words, counted.number, expiry)?;
            Ok(if flags.has(b'q') { Vec::new() } else { reply })
        }
        // What was created is told of in spite of `q`.
        Err(Uncounted::NotFound) if flags.vivify.is_some() => {
            // Its expiry is set on the way through the flags.
            store.create_number(&flags.key, flags.initial, 0);
            describe(store, &flags, words, flags.initial, Expiry::Created)
        }
        Err(Uncounted::NotFound) => {
            store.count_uncounted(delta.direction);
            bare(b"NF", &flags, words)
        }
        Err(Uncounted::Exists) => bare(b"EX", &flags, words),
        Err(Uncounted::NotANumber) => Err(NOT_A_NUMBER),
    }
}

/// What becomes of the expiry that `T` and `N` give a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expiry {
    /// The number was not there before.
    Created,
    Kept,
    /// memcached 1.6.18 gives it to the item that held the shorter number and is no more.
    Forgotten,
}

/// The reply about a number that is there, to which `T` and `N` give an expiry on the way.
fn describe(
    store: &mut Store,
    flags: &Flags,
    words: &[&[u8]],
    number: u64,
    expiry: Expiry,
) -> Reply {
    let number = number.to_string();
    let mut reply = if flags.has(b'v') {
        format!("VA {}", number.len()).into_bytes()
    } else {
        b"HD".to_vec()
    };
    let now = store.time.now();
    // It cannot be found when it was evicted at once.
    let Some(item) = store.live(&flags.key) else {
        return bare(b"NS", flags, words);
    };
    let mut exptime = item.exptime;
    for word in words {
        match word[0] {
            b'c' => write_number(&mut reply, b'c', item.cas),
            b't' => write_ttl(&mut reply, exptime, now),
            b'T' => exptime = flags.exptime.unwrap_or(exptime),
            b'N' if expiry == Expiry::Created => exptime = flags.vivify.unwrap_or(exptime),
            _ => {
                echo(&mut reply, word, &flags.key, flags.has(b'b'))?;
            }
        }
    }
    if expiry != Expiry::Forgotten {
        item.exptime = exptime;
    }
    reply.extend_from_slice(b"\r\n");
    if flags.has(b'v') {
        reply.extend_from_slice(number.as_bytes());
        reply.extend_from_slice(b"\r\n");
    }
    Ok(reply)
}

/// The reply without an item.
fn bare(status: &[u8], flags: &Flags, words: &[&[u8]]) -> Reply {
    let mut reply = status.to_vec();
    for word in words {
        echo(&mut reply, word, &flags.key, flags.has(b'b'))?;
    }
    reply.extend_from_slice(b"\r\n");
    Ok(reply)
}
