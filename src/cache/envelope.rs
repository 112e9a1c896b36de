//! What an entry is on the server: see "What is stored" in the module's page.

use super::generation::Token;
use crate::item::Item;
use md5::{Digest, Md5};

/// As those of what is compressed in the crate's own formats, they mean nothing to other clients.
pub(super) const FLAGS: u32 = 0x4d80;

const MAGIC: &[u8; 3] = b"mC\x01";

const PLACEHOLDER: &[u8; 3] = b"mCP";

/// What one entry may depend on, fewer than 65,536.
pub(super) const MAX_DEPENDENCIES: usize = 1000;

/// What an entry says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Envelope {
    /// No other entry has it.
    pub(super) id: Token,
    /// In milliseconds since 1970, as the next.
    pub(super) fresh_until: u64,
    pub(super) stale_until: u64,
    pub(super) all: Token,
    pub(super) namespace: Token,
    pub(super) dependencies: Vec<([u8; 16], Token)>,
}

impl Envelope {
    /// The data of the item with `value` in it.
    pub(super) fn seal(&self, value: &Item) -> Vec<u8> {
        // Entries with more than MAX_DEPENDENCIES are refused before they are made.
        let count = u16::try_from(self.dependencies.len()).unwrap_or(u16::MAX);
        let mut data = Vec::with_capacity(73 + 32 * usize::from(count) + value.data.len());
        data.extend_from_slice(MAGIC);
        data.extend_from_slice(&self.id.0);
        data.extend_from_slice(&self.fresh_until.to_le_bytes());
        data.extend_from_slice(&self.stale_until.to_le_bytes());
        data.extend_from_slice(&self.all.0);
        data.extend_from_slice(&self.namespace.0);
        data.extend_from_slice(&count.to_le_bytes());
        for (hash, token) in self.dependencies.iter().take(count.into()) {
            data.extend_from_slice(hash);
            data.extend_from_slice(&token.0);
        }
        data.extend_from_slice(&value.flags.to_le_bytes());
        data.extend_from_slice(&value.data);
        data
    }

    /// What is in the item; `None` if it is not an entry of this version.
    pub(super) fn open(item: Item) -> Option<(Self, Item)> {
        let mut rest = item.data.strip_prefix(MAGIC)?;
        if item.flags != FLAGS {
            return None;
        }
        let id = Token(*take(&mut rest)?);
        let fresh_until = u64::from_le_bytes(*take(&mut rest)?);
        let stale_until = u64::from_le_bytes(*take(&mut rest)?);
        let all = Token(*take(&mut rest)?);
        let namespace = Token(*take(&mut rest)?);
        let count = u16::from_le_bytes(*take(&mut rest)?);
        let mut dependencies = Vec::new();
        for _ in 0..count {
            dependencies.push((*take(&mut rest)?, Token(*take(&mut rest)?)));
        }
        let flags = u32::from_le_bytes(*take(&mut rest)?);
        let header = item.data.len() - rest.len();
        let mut data = item.data;
        data.drain(..header);
        let envelope = Self {
            id,
            fresh_until,
            stale_until,
            all,
            namespace,
            dependencies,
        };
        Some((envelope, Item::new(flags, data)))
    }
}

fn take<'d, const N: usize>(data: &mut &'d [u8]) -> Option<&'d [u8; N]> {
    let (taken, rest) = data.split_first_chunk()?;
    *data = rest;
    Some(taken)
}

/// What stands in the place of an entry while it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placeholder {
    /// No other has it.
    pub(super) id: Token,
    /// Who makes the entry, the first or the last to take over.
    pub(super) maker: Token,
}

impl Placeholder {
    pub(super) fn new() -> Self {
        let id = Token::fresh();
        Self { id, maker: id }
    }

    /// The same, when another takes over from its maker.
    pub(super) fn taken_over(self) -> Self {
        Self {
            maker: Token::fresh(),
            ..self
        }
    }

    pub(super) fn data(self) -> Vec<u8> {
        [PLACEHOLDER, &self.id.0[..], &self.maker.0].concat()
    }

    pub(super) fn open(item: &Item) -> Option<Self> {
        let mut rest = item.data.strip_prefix(PLACEHOLDER)?;
        let placeholder = Self {
            id: Token(*take(&mut rest)?),
            maker: Token(*take(&mut rest)?),
        };
        rest.is_empty().then_some(placeholder)
    }
}

/// What tells an item in the place of an entry from whatever is there before or after it. A cas id does
/// not: memcached begins to count them anew when it is restarted.
pub(super) fn id_of(item: &Item) -> Token {
    let placeholder = Placeholder::open(item).map(|it| it.id);
    let entry = || {
        let rest = item.data.strip_prefix(MAGIC)?;
        Some(Token(*rest.first_chunk()?))
    };
    // What is not the cache's is told by all of it.
    let other = || Token(Md5::digest(&item.data).into());
    placeholder.or_else(entry).unwrap_or_else(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> (Envelope, Vec<u8>) {
        let envelope = Envelope {
            id: Token([9; 16]),
            fresh_until: 1,
            stale_until: 2,
            all: Token([3; 16]),
            namespace: Token([4; 16]),
            dependencies: vec![([5; 16], Token([6; 16]))],
        };
        let data = envelope.seal(&Item::new(7, *b"value"));
        (envelope, data)
    }

    #[test]
    fn what_was_sealed_is_opened() {
        let (envelope, data) = sealed();
        let expected = [
            &b"mC\x01"[..],
            &[9; 16],
            b"\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0",
            &[3; 16],
            &[4; 16],
            b"\x01\0",
            &[5; 16],
            &[6; 16],
            b"\x07\0\0\0value",
        ];
        assert_eq!(data, expected.concat());
        let opened = Envelope::open(Item::new(FLAGS, data));
        assert_eq!(opened, Some((envelope, Item::new(7, *b"value"))));
    }

    #[test]
    fn what_is_cut_or_something_else_is_not() {
        let (_, data) = sealed();
        for length in 0..data.len() - b"value".len() {
            let cut = Item::new(FLAGS, &data[..length]);
            assert_eq!(Envelope::open(cut), None, "{length}");
        }
        assert_eq!(Envelope::open(Item::new(0, &*data)), None);
        let mut later = data;
        later[2] = 2;
        assert_eq!(Envelope::open(Item::new(FLAGS, later)), None);
    }

    #[test]
    fn placeholders() {
        let placeholder = Placeholder::new();
        assert_ne!(placeholder, Placeholder::new());
        let open = |data: &[u8]| Placeholder::open(&Item::new(0, data));
        let data = placeholder.data();
        assert_eq!(open(&data), Some(placeholder));
        assert_eq!(open(&data[..data.len() - 1]), None);
        assert_eq!(open(&sealed().1), None);
        let taken_over = placeholder.taken_over();
        assert_ne!(taken_over.maker, placeholder.maker);
        assert_eq!(open(&taken_over.data()), Some(taken_over));
    }

    #[test]
    fn what_is_in_the_place_of_an_entry() {
        let id = |data: &[u8]| id_of(&Item::new(FLAGS, data));
        let placeholder = Placeholder::new();
        assert_eq!(id(&placeholder.data()), placeholder.id);
        assert_eq!(id(&placeholder.taken_over().data()), placeholder.id);
        assert_eq!(id(&sealed().1), Token([9; 16]));
        let others: [&[u8]; 4] = [b"", b"mC", b"mCP", b"mC\x01short"];
        for (at, other) in others.iter().enumerate() {
            assert_eq!(id(other), id(other));
            assert!(others[..at].iter().all(|it| id(it) != id(other)));
        }
    }
}
