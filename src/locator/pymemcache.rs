//! pymemcache's rendezvous hashing.

use super::{Locator, Named, Trace};
use crate::hash::Murmur3;
use std::cmp::Ordering;

/// The server wins whose text, `text-key`, has the highest hash; of equal ones, that of the greater
/// text.
#[derive(Debug)]
pub(super) struct Rendezvous {
    servers: Box<[Candidate]>,
}

#[derive(Debug)]
struct Candidate {
    /// `text-`.
    prefix: String,
    /// The hash as it is after the prefix.
    hashed: Murmur3,
}

impl Rendezvous {
    pub(super) fn new(servers: &[Named]) -> Self {
        let candidates = servers.iter().map(|server| {
            let prefix = format!("{}-", server.text);
            let mut hashed = Murmur3::new(0);
            push(&mut hashed, prefix.as_bytes());
            Candidate { prefix, hashed }
        });
        let servers = candidates.collect();
        Self { servers }
    }

    /// The winner's place and hash.
    fn winner(&self, key: &[u8]) -> (usize, u32) {
        let hash = |candidate: &Candidate| {
            let mut hash = candidate.hashed;
            push(&mut hash, key);
            hash.finish()
        };
        let candidates = self.servers.iter().map(hash).enumerate();
        let greater = |&a: &(usize, u32), &b: &(usize, u32)| match a.1.cmp(&b.1) {
            Ordering::Equal => self.text(a.0).cmp(self.text(b.0)),
            ordering => ordering,
        };
        candidates.max_by(greater).unwrap_or((0, 0))
    }

    /// Without the dash: it could come after a longer text that begins with this one.
    fn text(&self, place: usize) -> &str {
        let prefix = &self.servers[place].prefix;
        prefix.strip_suffix('-').unwrap_or(prefix)
    }
}

/// pymemcache's quirk: it hashes the characters of a `str`, and the lowest eight bits of each. Bytes
/// that are not UTF-8 are no `str`; they are taken as they are.
fn push(hash: &mut Murmur3, text: &[u8]) {
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            hash.push((u32::from(c) & 0xff) as u8);
        }
        chunk.invalid().iter().for_each(|&byte| hash.push(byte));
    }
}

impl Locator for Rendezvous {
    fn locate(&self, key: &[u8]) -> usize {
        self.winner(key).0
    }

    fn explain(&self, key: &[u8]) -> Trace {
        let (place, hash) = self.winner(key);
        let text = [self.servers[place].prefix.as_bytes(), key].concat();
        Trace {
            text: Some(text),
            hash: Some(hash.into()),
            rule: "the highest hash of all servers' texts with the key".to_owned(),
            ..Trace::new(place)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendezvous(texts: &[&str]) -> Rendezvous {
        let named = texts.iter().enumerate().map(|(place, &text)| Named {
            place,
            text: text.to_owned(),
            weight: 1,
        });
        Rendezvous::new(&named.collect::<Vec<_>>())
    }

    /// As pymemcache 4.0.0 hashes them: beyond ASCII too.
    #[test]
    fn known_hashes() {
        let one = rendezvous(&["10.0.0.1:11211"]);
        let rows = [
            ("hello", 0x13e3_dc0c),
            ("k\u{e4}se", 0xb2c5_4037),
            ("\u{65e5}\u{672c}\u{8a9e}x\u{1f600}", 0xbde5_7bb3),
        ];
        for (key, expected) in rows {
            let trace = one.explain(key.as_bytes());
            assert_eq!(trace.hash, Some(expected), "{key}");
            let text = format!("10.0.0.1:11211-{key}");
            assert_eq!(trace.text, Some(text.into_bytes()), "{key}");
        }
    }

    /// Characters that have the lowest eight bits in common hash alike.
    #[test]
    fn of_equal_hashes_the_greater_text_wins() {
        for (texts, winner) in [(["a", "\u{161}"], 1), (["\u{161}", "a"], 0)] {
            assert_eq!(rendezvous(&texts).locate(b"key"), winner, "{texts:?}");
        }
    }
}
