//! What a store counts about itself.

use super::counters::{Counters, PrefixCounters};
use super::{Direction, Item, Marks, NoRoom, Storage, Store};

impl Store {
    /// Counts a get, by the class of the item that was found.
    pub(crate) fn count_get(&mut self, class: Option<u8>) {
        self.counters.cmd_get += 1;
        match class {
            Some(class) => self.counters.class(class).get_hits += 1,
            None => self.counters.get_misses += 1,
        }
    }

    /// Counts a touch, by the class of the item that was found.
    pub(crate) fn count_touch(&mut self, class: Option<u8>) {
        self.counters.cmd_touch += 1;
        match class {
            Some(class) => self.counters.class(class).touch_hits += 1,
            None => self.counters.touch_misses += 1,
        }
    }

    pub(crate) fn count_refusal(&mut self, reason: NoRoom) {
        match reason {
            NoRoom::TooLarge => self.counters.store_too_large += 1,
            NoRoom::NoMemory => self.counters.store_no_memory += 1,
        }
    }

    /// Counts an attempt to store, also one whose data then turns out to be bad.
    pub(crate) fn count_attempt(&mut self, storage: &Storage) {
        let class = storage.class();
        self.counters.class(class).cmd_set += 1;
    }

    /// Counts a number that was not there, and was not made either.
    pub(crate) fn count_uncounted(&mut self, direction: Direction) {
        match direction {
            Direction::Up => self.counters.incr_misses += 1,
            Direction::Down => self.counters.decr_misses += 1,
        }
    }

    /// `stats reset`.
    pub(crate) fn reset_counters(&mut self) {
        self.counters = Counters::default();
    }

    pub(crate) fn count_prefix_set(&mut self, key: &[u8]) {
        if let Some(prefix) = self.prefix(key) {
            prefix.sets += 1;
        }
    }

    pub(crate) fn count_prefix_delete(&mut self, key: &[u8]) {
        if let Some(prefix) = self.prefix(key) {
            prefix.deletes += 1;
        }
    }

    pub(super) fn count_prefix_get(&mut self, key: &[u8], hit: bool) {
        if let Some(prefix) = self.prefix(key) {
            prefix.gets += 1;
            prefix.hits += u64::from(hit);
        }
    }

    /// The counters of the prefix of that key, while they are kept.
    fn prefix(&mut self, key: &[u8]) -> Option<&mut PrefixCounters> {
        if self.detail {
            self.counters.prefix(key)
        } else {
            None
        }
    }

    /// Counts an item that made room, since it was not live or was the least recently used one.
    pub(super) fn count_eviction(&mut self, item: &Item) {
        let is_live = self.flush.leaves(item, self.time.now());
        let class = self.counters.class(item.class());
        if is_live {
            class.evicted += 1;
            class.evicted_nonzero += u64::from(item.exptime != 0);
            class.evicted_unfetched += u64::from(!item.marks.has(Marks::FETCHED));
        } else {
            class.reclaimed += 1;
            class.expired_unfetched += u64::from(!item.marks.has(Marks::FETCHED));
        }
    }
}
