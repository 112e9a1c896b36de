//! The meta commands: a status of two letters, and after it what the flags of the request ask for,
//! in its order.
//!
//! Sources: memcached's `doc/protocol.txt` for what is meant, and the server for what it does with
//! the rest.

mod base64;
mod change;
mod flags;
mod get;
mod reply;
mod set;

use super::outcome::{Args, BAD_FORMAT, KEY_MAX, Outcome, line};
use crate::testing::store::{Marks, Store};
use reply::Reply;

/// Carries out the command `m` and that letter.
pub(super) fn execute(command: u8, args: Args<'_>, store: &mut Store) -> Outcome {
    let result = match (command, args) {
        (b'n', _) => return Outcome::AtOnce(b"MN\r\n".to_vec()),
        (b'e', _) => dump(store, args),
        (b'g' | b's' | b'd' | b'a', [key, ..]) if key.len() > KEY_MAX => Err(BAD_FORMAT),
        (b'g', [key, flags @ ..]) => get::get(store, key, flags),
        (b's', [key, rest @ ..]) => return set::set(store, key, rest),
        (b'd', [key, flags @ ..]) => change::delete(store, key, flags),
        (b'a', [key, flags @ ..]) => change::count(store, key, flags),
        _ => return line("ERROR"),
    };
    match result {
        Ok(reply) => Outcome::Report(reply),
        Err(text) => line(text),
    }
}

/// `me`: the state of an item, for people to read.
fn dump(store: &mut Store, args: Args<'_>) -> Reply {
    let key = match *args {
        [] => return Err(BAD_FORMAT),
        [key, ..] if key.len() > KEY_MAX => return Err(BAD_FORMAT),
        [key, b"b", ..] => base64::decode(key).ok_or(BAD_FORMAT)?,
        [key, ..] => key.to_vec(),
    };
    store.counters.cmd_meta += 1;
    let now = store.time.now();
    let Some(item) = store.live(&key) else {
        return Ok(b"EN\r\n".to_vec());
    };
    let mut reply = b"ME ".to_vec();
    if item.marks.has(Marks::BASE64_KEY) {
        reply.extend(base64::encode(&key));
    } else {
        reply.extend_from_slice(&key);
    }
    // The sign is memcached's.
    let exp = match item.exptime {
        0 => -1,
        exptime => i64::from(now) - i64::from(exptime),
    };
    let row = format!(
        " exp={exp} la={} cas={} fetch={} cls={} size={}\r\n",
        now - item.accessed_at,
        item.cas,
        if item.marks.has(Marks::FETCHED) {
            "yes"
        } else {
            "no"
        },
        item.class(),
        item.size(),
    );
    reply.extend_from_slice(row.as_bytes());
    Ok(reply)
}
