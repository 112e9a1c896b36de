//! What an entry is on the server: see "What is stored" in the module's page.

use super::generation::Token;
use crate::error::{Error, Result};
use crate::item::Item;

/// As those of what is compressed in the crate's own formats, they mean nothing to other clients.
pub(super) const FLAGS: u32 = 0x4d80;

const MAGIC: &[u8; 3] = b"mC\x01";

const PLACEHOLDER: &[u8; 3] = b"mCP";

/// What one entry may depend on.
pub(super) const MAX_DEPENDENCIES: usize = 1000;

/// What an entry says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Envelope {
    /// In milliseconds since 1970, as the next.
    pub(super) fresh_until: u64,
    pub(super) stale_until: u64,
    pub(super) all: Token,
    pub(super) namespace: Token,
    pub(super) dependencies: Vec<([u8; 16], Token)>,
}

impl Envelope {
    /// The data of the item with `value` in it.
    pub(super) fn seal(&self, value: &Item) -> Result<Vec<u8>> {
        let count = self.dependencies.len();
        let few = u16::try_from(count).ok();
        let few = few.filter(|_| count <= MAX_DEPENDENCIES).ok_or_else(|| {
            Error::validation(format!(
                "depends_on: {count} dependencies; up to {MAX_DEPENDENCIES} are allowed"
            ))
        })?;
        let mut data = Vec::with_capacity(57 + 32 * count + value.data.len());
        data.extend_from_slice(MAGIC);
        data.extend_from_slice(&self.fresh_until.to_le_bytes());
        data.extend_from_slice(&self.stale_until.to_le_bytes());
        data.extend_from_slice(&self.all.0);
        data.extend_from_slice(&self.namespace.0);
        data.extend_from_slice(&few.to_le_bytes());
        for (hash, token) in &self.dependencies {
            data.extend_from_slice(hash);
            data.extend_from_slice(&token.0);
        }
        data.extend_from_slice(&value.flags.to_le_bytes());
        data.extend_from_slice(&value.data);
        Ok(data)
    }

    /// What is in the item; `None` if it is not an entry of this version.
    pub(super) fn open(item: Item) -> Option<(Self, Item)> {
        let mut rest = item.data.strip_prefix(MAGIC)?;
        if item.flags != FLAGS {
            return None;
        }
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

/// The data of a placeholder that no other is like.
pub(super) fn placeholder() -> Vec<u8> {
    [PLACEHOLDER, Token::fresh().text().as_bytes()].concat()
}

/// Whether the item says that somebody is about to make the entry. Meta makes an empty one.
pub(super) fn is_placeholder(data: &[u8]) -> bool {
    data.is_empty() || data.starts_with(PLACEHOLDER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> (Envelope, Vec<u8>) {
        let envelope = Envelope {
            fresh_until: 1,
            stale_until: 2,
            all: Token([3; 16]),
            namespace: Token([4; 16]),
            dependencies: vec![([5; 16], Token([6; 16]))],
        };
        let data = envelope.seal(&Item::new(7, *b"value")).unwrap();
        (envelope, data)
    }

    #[test]
    fn what_was_sealed_is_opened() {
        let (envelope, data) = sealed();
        let expected = [
            &b"mC\x01\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0"[..],
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
    fn too_many_dependencies_are_refused() {
        let (mut envelope, _) = sealed();
        envelope.dependencies = vec![([5; 16], Token([6; 16])); MAX_DEPENDENCIES + 1];
        let error = envelope.seal(&Item::new(0, *b"")).unwrap_err();
        assert!(error.is_validation() && error.to_string().contains("up to 1000"));
    }

    #[test]
    fn placeholders() {
        assert!(is_placeholder(b"") && is_placeholder(&placeholder()));
        assert_ne!(placeholder(), placeholder());
        assert!(!is_placeholder(&sealed().1));
    }
}
