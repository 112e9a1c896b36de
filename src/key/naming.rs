use super::rule::{KeyError, Length};
use super::{Key, KeyRule, KeyTransform, LongKeys, MAX_KEY_LENGTH};
use crate::error::Error;
use crate::names::names;
use std::sync::Arc;

/// Whether the prefix of a key counts where its server is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PrefixPlacement {
    /// It is hashed with the key: dalli, python-memcached, whoever knows no prefixes and puts one in
    /// front of the key themselves; and libmemcached with `HASH_WITH_NAMESPACE`
    /// (`hash_with_prefix_key`).
    Hashed,
    /// The key is hashed without it: libmemcached, and what is built on it, and pymemcache.
    LeftOut,
}

names!(
    PrefixPlacement, "prefix_placement";
    Hashed "hashed"
    LeftOut "left-out"
);

/// What becomes of an empty key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EmptyKeys {
    Refused,
    /// With a prefix, it is the prefix.
    BehindPrefix,
}

/// What becomes of a key before it is sent, but for its prefix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) rule: KeyRule,
    /// How long a key may be as it is sent, in bytes: 1 to 250.
    pub(crate) longest: usize,
    pub(crate) transform: KeyTransform,
    pub(crate) long: LongKeys,
    pub(crate) empty: EmptyKeys,
    pub(crate) prefix: PrefixPlacement,
}

/// How a client names its items: the prefix goes in front of the key, the whole is transformed,
/// shortened where that is the rule, and then judged.
#[derive(Debug, Clone)]
pub(crate) struct Naming {
    rules: Rules,
    prefix: Arc<[u8]>,
}

/// Where keys are written that are not sent as they were given. It takes no memory before.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    bytes: Vec<u8>,
    /// Of a call for many keys, each that is written, by where it begins and ends.
    keys: Vec<Result<(usize, usize), KeyError>>,
}

/// The keys of a call for many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys<'k> {
    rules: Rules,
    prefix: usize,
    written: &'k Scratch,
}

impl Naming {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            prefix: Arc::default(),
        }
    }

    /// The same with `prefix` behind the one that there is.
    pub(crate) fn with_prefix(&self, prefix: &[u8]) -> Result<Self, Error> {
        let Rules {
            rule,
            longest,
            transform,
            ..
        } = self.rules;
        let prefix = [&*self.prefix, prefix].concat();
        let length = prefix.len();
        if length >= longest {
            return Err(Error::validation(format!(
                "prefix: {length} bytes long; up to {} are allowed, so that a key has room behind it",
                longest - 1
            )));
        }
        let judged = match transform {
            KeyTransform::None => rule.check_prefix(&prefix),
            transform => transform.apply(&mut prefix.clone(), 0),
        };
        judged.map_err(|error| Error::validation(format!("prefix: {error}")))?;
        Ok(Self {
            rules: self.rules,
            prefix: prefix.into(),
        })
    }

    pub(crate) fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// The key of what the caller calls `name`.
    pub(crate) fn key<'k>(
        &self,
        name: &'k [u8],
        scratch: &'k mut Scratch,
    ) -> Result<Key<'k>, KeyError> {
        if self.is_sent_as_given(name) {
            return self.rules.rule.key_within(self.rules.longest, name);
        }
        self.write(name, &mut scratch.bytes)?;
        self.rules
            .judge(&scratch.bytes, name.len(), self.prefix.len())
    }

    /// The keys of many names, which are asked for by their places.
    pub(crate) fn keys<'n, 'k>(
        &self,
        names: impl Iterator<Item = &'n [u8]>,
        scratch: &'k mut Scratch,
    ) -> Keys<'k> {
        // Where only the long ones are changed, the others are written too: so each has its place.
        if !self.leaves_alone() || self.rules.long != LongKeys::Refused {
            let Scratch { bytes, keys } = scratch;
            keys.extend(names.map(|name| {
                let start = bytes.len();
                self.write(name, bytes)?;
                Ok((start, bytes.len()))
            }));
        }
        Keys {
            rules: self.rules,
            prefix: self.prefix.len(),
            written: scratch,
        }
    }

    /// Whether `name` needs no more than to be judged.
    fn is_sent_as_given(&self, name: &[u8]) -> bool {
        let is_not_shortened = self.rules.long == LongKeys::Refused || name.len() <= MAX_KEY_LENGTH;
        self.leaves_alone() && is_not_shortened
    }

    /// Whether it leaves keys of up to 250 bytes as they are.
    fn leaves_alone(&self) -> bool {
        self.prefix.is_empty() && self.rules.transform == KeyTransform::None
    }

    /// Adds to `bytes` what `name` is sent as, which is not judged yet.
    fn write(&self, name: &[u8], bytes: &mut Vec<u8>) -> Result<(), KeyError> {
        let Rules {
            longest,
            transform,
            long,
            empty,
            ..
        } = self.rules;
        let prefix = self.prefix.len();
        if name.is_empty() && (prefix == 0 || empty == EmptyKeys::Refused) {
            return Err(KeyError::Empty);
        }
        // However long it is, it is not copied in vain.
        let sent = match (long, transform) {
            (LongKeys::Refused, KeyTransform::None) => prefix + name.len(),
            (LongKeys::Refused, KeyTransform::Base64) => (prefix + name.len()).div_ceil(3) * 4,
            _ => 0,
        };
        if sent > longest {
            let own = name.len();
            let length = Length { own, prefix, sent };
            return Err(KeyError::TooLong { length, longest });
        }
        let start = bytes.len();
        bytes.extend_from_slice(&self.prefix);
        bytes.extend_from_slice(name);
        transform.apply(bytes, start)?;
        long.shorten(bytes, start, prefix > 0);
        Ok(())
    }

    /// Whether it can be told which of a server's keys are below the prefix.
    pub(crate) fn can_be_undone(&self) -> bool {
        self.prefix.is_empty() || !self.rules.transform.is_one_way()
    }

    /// What a caller would name the item with this `key`; `None` if it is not below the prefix. A
    /// hash, or the digest in a shortened key, stays as it is.
    pub(crate) fn name_of(&self, key: Vec<u8>) -> Option<Vec<u8>> {
        let mut name = self.rules.transform.undo(key)?;
        if !name.starts_with(&self.prefix) {
            return None;
        }
        name.drain(..self.prefix.len());
        let is_name = !name.is_empty() || self.rules.empty == EmptyKeys::BehindPrefix;
        is_name.then_some(name)
    }
}

impl<'k> Keys<'k> {
    /// The key of the name at `index`, which is `name`.
    pub(crate) fn key(&self, index: usize, name: &'k [u8]) -> Result<Key<'k>, KeyError> {
        match self.written.keys.get(index) {
            None => self.rules.rule.key_within(self.rules.longest, name),
            Some(Ok((start, end))) => {
                let bytes = &self.written.bytes[*start..*end];
                self.rules.judge(bytes, name.len(), self.prefix)
            }
            Some(Err(error)) => Err(*error),
        }
    }
}

impl Rules {
    /// The key that goes over the wire as `bytes`, of a name and a prefix of so many.
    fn judge(self, bytes: &[u8], own: usize, prefix: usize) -> Result<Key<'_>, KeyError> {
        let key = self.rule.key_within(self.longest, bytes);
        let key = key.map_err(|error| error.behind(prefix, own))?;
        let is_left_out =
            self.prefix == PrefixPlacement::LeftOut && self.transform == KeyTransform::None;
        let unplaced = if is_left_out {
            prefix.min(bytes.len())
        } else {
            0
        };
        Ok(Key {
            unplaced: u8::try_from(unplaced).unwrap_or_default(),
            ..key
        })
    }
}

#[cfg(test)]
#[path = "naming_tests.rs"]
mod tests;
