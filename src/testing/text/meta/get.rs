//! `mg`.

use super::flags::{self, Flags, Invalid};
use super::reply::{Reply, echo, write_key, write_number, write_ttl};
use crate::testing::store::{Item, Marks, Store};

pub(super) fn get(store: &mut Store, key: &[u8], words: &[&[u8]]) -> Reply {
    if flags::too_many(words.len()) {
        return Err("CLIENT_ERROR options flags are too long");
    }
    let flags = Flags::parse(key, words, store).map_err(|Invalid(text)| text)?;
    let key = &flags.key;
    let now = store.time.now();
    let found = store.live(key).is_some();
    // With these flags the item is marked as used at the end, so that they can tell of the state
    // before; an error on the way then leaves no mark.
    let bumped_late = b"NTRlh".iter().any(|&letter| flags.has(letter));
    if !bumped_late && !flags.has(b'u') {
        store.bump(key);
    }
    let created = !found && flags.vivify.is_some();
    let item = if created {
        store.vivify(key)
    } else {
        store.live(key)
    };
    let Some(item) = item else {
        store.count_get(None);
        let mut reply = b"EN".to_vec();
        for word in words {
            echo(&mut reply, word, key, flags.has(b'b'))?;
        }
        return Ok(sent(reply, flags.has(b'q')));
    };
    let class = item.class();
    let mut reply = if flags.has(b'v') {
        format!("VA {}", item.data.len()).into_bytes()
    } else {
        b"HD".to_vec()
    };
    let mut won = false;
    for word in words {
        match word[0] {
            b'T' => item.exptime = flags.exptime.unwrap_or(item.exptime),
            b'N' if created => {
                item.exptime = flags.vivify.unwrap_or(item.exptime);
                won = true;
            }
            b'R' => won |= !created && is_due(item, flags.recache),
            b'k' => write_key(&mut reply, key, item.marks.has(Marks::BASE64_KEY)),
            _ => write_field(&mut reply, word, item, now)?,
        }
    }
    mark(&mut reply, item, won);
    reply.extend_from_slice(b"\r\n");
    if flags.has(b'v') {
        reply.extend_from_slice(&item.data);
        reply.extend_from_slice(b"\r\n");
    }
    if bumped_late && !flags.has(b'u') {
        store.bump(key);
    }
    if flags.exptime.is_some() {
        store.count_touch(Some(class));
    } else {
        store.count_get(Some(class));
    }
    Ok(reply)
}

/// Whether the item expires before `recache`, and nobody was told to fetch it again yet.
fn is_due(item: &Item, recache: Option<u32>) -> bool {
    !item.marks.has(Marks::TOKEN_SENT)
        && item.exptime != 0
        && recache.is_some_and(|recache| item.exptime < recache)
}

fn write_field(
    reply: &mut Vec<u8>,
    word: &[u8],
    item: &Item,
    now: u32,
) -> Result<(), &'static str> {
    match word[0] {
        b's' => write_number(reply, b's', item.data.len()),
        b't' => write_ttl(reply, item.exptime, now),
        b'c' => write_number(reply, b'c', item.cas),
        b'f' => write_number(reply, b'f', item.flags),
        b'l' => write_number(reply, b'l', now - item.accessed_at),
        b'h' => write_number(reply, b'h', u8::from(item.marks.has(Marks::FETCHED))),
        // The key was written before.
        _ => {
            echo(reply, word, &[], false)?;
        }
    }
    Ok(())
}

/// Adds `Z`, `X` and `W`: the token was sent to another, the value is stale, here is the token.
fn mark(reply: &mut Vec<u8>, item: &mut Item, mut won: bool) {
    let sent = item.marks.has(Marks::TOKEN_SENT);
    if sent {
        reply.extend_from_slice(b" Z");
    }
    if item.marks.has(Marks::STALE) {
        reply.extend_from_slice(b" X");
        won |= !sent;
    }
    if won {
        reply.extend_from_slice(b" W");
        item.marks.add(Marks::TOKEN_SENT);
    }
}

fn sent(mut reply: Vec<u8>, quiet: bool) -> Vec<u8> {
    if quiet {
        return Vec::new();
    }
    reply.extend_from_slice(b"\r\n");
    reply
}
