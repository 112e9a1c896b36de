//! `ms`, up to its value and after it.

use super::flags::{self, Flags, Invalid};
use super::reply::{OPAQUE_TOO_LONG, write_key, write_number};
use crate::testing::store::{Marks, Storage, Store, StoreOutcome, Verb};
use crate::testing::text::number::signed_32;
use crate::testing::text::outcome::{BAD_FORMAT, MetaStored, Outcome, line, refusal};

pub(super) fn set(store: &mut Store, key: &[u8], args: &[&[u8]]) -> Outcome {
    let [length, words @ ..] = args else {
        return line(BAD_FORMAT);
    };
    if flags::too_many(args.len()) {
        return line("CLIENT_ERROR options flags too long");
    }
    // Its length with the CR LF must fit 31 bits.
    let length = match signed_32(length).map(usize::try_from) {
        Some(Ok(length)) if length <= 0x7fff_fffd => length,
        _ => return line(BAD_FORMAT),
    };
    // From here on the value is known to follow, and skipped on errors.
    match prepare(store, key, words, length) {
        Ok((storage, stored)) => Outcome::MetaData(storage, stored),
        Err(text) => Outcome::Swallow { text, length },
    }
}

fn prepare(
    store: &mut Store,
    key: &[u8],
    words: &[&[u8]],
    length: usize,
) -> Result<(Storage, MetaStored), &'static str> {
    let flags = Flags::parse(key, words, store).map_err(|Invalid(text)| text)?;
    let verb = verb(&flags)?;
    if words
        .iter()
        .any(|word| word[0] == b'O' && word.len() > flags::LONGEST_OPAQUE)
    {
        return Err(OPAQUE_TOO_LONG);
    }
    let mut marks = Marks::default();
    if flags.has(b'b') {
        marks.add(Marks::BASE64_KEY);
    }
    let storage = Storage {
        verb,
        key: flags.key.clone(),
        flags: flags.client,
        exptime: flags.exptime.unwrap_or(0),
        cas: flags.cas.unwrap_or(0),
        may_be_stale: flags.has(b'I'),
        marks,
        length,
    };
    if let Err(reason) = store.admit(&storage) {
        store.count_refusal(reason);
        store.discard(&storage.key);
        return Err(refusal(reason));
    }
    let returned = words.iter().filter(|word| b"Okc".contains(&word[0]));
    let stored = MetaStored {
        base64: flags.has(b'b'),
        quiet: flags.has(b'q'),
        key: flags.key,
        returned: returned.map(|word| word.to_vec()).collect(),
    };
    Ok((storage, stored))
}

fn verb(flags: &Flags) -> Result<Verb, &'static str> {
    Ok(match flags.mode {
        Some(b'E') => Verb::Add,
        Some(b'A') => Verb::Append,
        Some(b'P') => Verb::Prepend,
        None | Some(b'S' | b'R') if flags.cas.is_some() => Verb::Cas,
        None | Some(b'S') => Verb::Set,
        Some(b'R') => Verb::Replace,
        Some(_) => return Err("CLIENT_ERROR invalid mode for ms M token"),
    })
}

impl MetaStored {
    pub(in crate::testing::text) fn reply(self, outcome: StoreOutcome) -> Vec<u8> {
        let (status, cas) = match outcome {
            StoreOutcome::Stored(_) if self.quiet => return Vec::new(),
            StoreOutcome::Stored(cas) => (b"HD", cas),
            StoreOutcome::NotStored => (b"NS", 0),
            StoreOutcome::Exists => (b"EX", 0),
            StoreOutcome::NotFound => (b"NF", 0),
        };
        let mut reply = status.to_vec();
        for flag in self.returned {
            match flag[0] {
                b'k' => write_key(&mut reply, &self.key, self.base64),
                b'c' => write_number(&mut reply, b'c', cas),
                _ => {
                    reply.push(b' ');
                    reply.extend(flag);
                }
            }
        }
        reply.extend_from_slice(b"\r\n");
        reply
    }
}
