//! The items, by key and by how long ago they were used.

use super::slabs::class_of;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) data: Vec<u8>,
    pub(crate) flags: u32,
    /// On the store's clock; 0 is never.
    pub(crate) exptime: u32,
    /// When it was stored, or became active.
    pub(crate) accessed_at: u32,
    pub(crate) cas: u64,
    pub(crate) marks: Marks,
    pub(super) size: usize,
}

/// What is noted about an item: memcached's `it_flags`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Marks(u8);

impl Marks {
    /// Somebody asked for it.
    pub(crate) const FETCHED: Self = Self(1);
    /// Somebody asked for it again. The time of its last access is kept only up to then, since
    /// memcached spares itself the work for items that are in use.
    pub(crate) const ACTIVE: Self = Self(2);
    /// A meta delete invalidated it and left it in place.
    pub(crate) const STALE: Self = Self(4);
    /// One client was told to replace it.
    pub(crate) const TOKEN_SENT: Self = Self(8);
    /// Its key came in base64 and is shown so.
    pub(crate) const BASE64_KEY: Self = Self(16);

    pub(crate) fn has(self, mark: Self) -> bool {
        self.0 & mark.0 != 0
    }

    pub(crate) fn add(&mut self, mark: Self) {
        self.0 |= mark.0;
    }

    pub(crate) fn remove(&mut self, mark: Self) {
        self.0 &= !mark.0;
    }
}

impl Item {
    /// What the item takes of the memory limit, its header included.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn class(&self) -> u8 {
        class_of(self.size)
    }

    pub(crate) fn is_expired(&self, now: u32) -> bool {
        self.exptime != 0 && self.exptime <= now
    }
}

#[derive(Debug, Default)]
pub(crate) struct Items {
    by_key: HashMap<Arc<[u8]>, (u64, Item)>,
    /// The keys by the number of their last use; the first is evicted first.
    by_use: BTreeMap<u64, Arc<[u8]>>,
    uses: u64,
    bytes: usize,
}

impl Items {
    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// The sizes of all items together.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The items, the last used first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &Item)> {
        let newest_first = self.by_use.values().rev();
        newest_first.filter_map(|key| Some((&key[..], &self.by_key.get(key)?.1)))
    }

    pub(super) fn find(&mut self, key: &[u8]) -> Option<&mut Item> {
        self.by_key.get_mut(key).map(|(_, item)| item)
    }

    /// The item, which somebody asked for and which from now on is the last used one.
    pub(super) fn bump(&mut self, key: &[u8], now: u32) -> Option<&Item> {
        let item = self.promote(key)?;
        if !item.marks.has(Marks::FETCHED) {
            item.marks.add(Marks::FETCHED);
        } else if !item.marks.has(Marks::ACTIVE) {
            item.marks.add(Marks::ACTIVE);
            item.accessed_at = now;
        }
        Some(item)
    }

    /// The item, which from now on is the last used one.
    pub(super) fn promote(&mut self, key: &[u8]) -> Option<&mut Item> {
        let (last_use, item) = self.by_key.get_mut(key)?;
        self.uses += 1;
        if let Some(key) = self.by_use.remove(last_use) {
            self.by_use.insert(self.uses, key);
        }
        *last_use = self.uses;
        Some(item)
    }

    pub(super) fn insert(&mut self, key: Vec<u8>, item: Item) {
        self.remove(&key);
        let key: Arc<[u8]> = key.into();
        self.uses += 1;
        self.bytes += item.size;
        self.by_use.insert(self.uses, Arc::clone(&key));
        self.by_key.insert(key, (self.uses, item));
    }

    /// Gives an item other data of the same length.
    pub(super) fn overwrite(&mut self, key: &[u8], data: Vec<u8>, cas: u64) {
        if let Some(item) = self.find(key) {
            item.data = data;
            item.cas = cas;
        }
    }

    pub(super) fn remove(&mut self, key: &[u8]) -> Option<Item> {
        let (last_use, item) = self.by_key.remove(key)?;
        self.by_use.remove(&last_use);
        self.bytes -= item.size;
        Some(item)
    }

    /// Removes the items of which that holds.
    pub(super) fn remove_all(&mut self, dead: impl Fn(&Item) -> bool) -> Vec<Item> {
        let dead = |key: &&Arc<[u8]>| self.by_key.get(*key).is_some_and(|(_, item)| dead(item));
        let keys: Vec<_> = self.by_use.values().filter(dead).map(Arc::clone).collect();
        keys.iter().filter_map(|key| self.remove(key)).collect()
    }

    pub(super) fn remove_least_used(&mut self) -> Option<Item> {
        let key = Arc::clone(self.by_use.values().next()?);
        self.remove(&key)
    }
}
