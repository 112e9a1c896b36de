//! What memcached keeps: the items, their order of use, and the counters. Knows neither protocol nor
//! sockets; the time is set from outside, once per request.

mod counters;
mod items;
mod request;
mod slabs;
mod time;

pub(crate) use counters::{ClassCounters, Counters};
pub(crate) use items::{Item, Items};
pub(crate) use request::{Direction, NoRoom, Storage, StoreOutcome, Uncounted, Verb};
pub(crate) use slabs::{CHUNK_MAX, PAGE, chunk_size};

use counters::PrefixCounters;
use slabs::item_size;
use std::time::SystemTime;
use time::Time;

/// The limits a store keeps to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// For all items together (`-m`).
    pub(crate) memory: usize,
    /// For one item (`-I`).
    pub(crate) item_size: usize,
}

/// All state of one memcached process that no connection owns.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) limits: Limits,
    pub(crate) counters: Counters,
    pub(crate) items: Items,
    pub(crate) time: Time,
    /// `verbosity`; has no effect beyond `stats settings`.
    pub(crate) verbosity: u32,
    /// `stats detail on`.
    pub(crate) detail: bool,
    flush: Flush,
    cas: u64,
    /// Since which cas id `stats sizes` counts, while it does.
    sizes_from: Option<u64>,
}

/// What `flush_all` leaves behind. Items are not removed by it, but judged by this when they are
/// next looked up.
#[derive(Debug, Default)]
struct Flush {
    /// Items stored up to then are gone, from then on. 0: none are.
    oldest_live: u32,
    /// Items of a lower cas id are gone, once `oldest_live` has come.
    oldest_cas: u64,
}

impl Store {
    pub(crate) fn new(limits: Limits, now: SystemTime) -> Self {
        Self {
            limits,
            counters: Counters::default(),
            items: Items::default(),
            time: Time::starting(now),
            verbosity: 0,
            detail: false,
            flush: Flush::default(),
            cas: 0,
            sizes_from: None,
        }
    }

    /// An exptime of the wire, on the store's own clock.
    pub(crate) fn expiry(&self, exptime: i32) -> u32 {
        self.time.expiry(exptime)
    }

    /// The live item of that key, marked as used.
    pub(crate) fn get(&mut self, key: &[u8]) -> Option<&Item> {
        self.counters.cmd_get += 1;
        let class = self.live(key).map(|item| item.class());
        self.count_prefix_get(key, class.is_some());
        match class {
            Some(class) => self.counters.class(class).get_hits += 1,
            None => self.counters.get_misses += 1,
        }
        self.items.bump(key)
    }

    /// As [`get`](Self::get), with a new expiry (`gat`).
    pub(crate) fn get_and_touch(&mut self, key: &[u8], exptime: u32) -> Option<&Item> {
        let touched = self.touch(key, exptime);
        self.count_prefix_get(key, touched);
        self.items.bump(key)
    }

    /// Whether there was an item to give a new expiry.
    pub(crate) fn touch(&mut self, key: &[u8], exptime: u32) -> bool {
        self.counters.cmd_touch += 1;
        let Some(item) = self.live(key) else {
            self.counters.touch_misses += 1;
            return false;
        };
        item.exptime = exptime;
        let class = item.class();
        self.counters.class(class).touch_hits += 1;
        self.items.bump(key);
        true
    }

    /// Whether an item of that size may be stored at all; judged before its value is read.
    pub(crate) fn admit(&mut self, storage: &Storage) -> Result<(), NoRoom> {
        if let Some(prefix) = self.prefix(&storage.key) {
            prefix.sets += 1;
        }
        let size = storage.size();
        let reason = if size > self.limits.item_size {
            self.counters.store_too_large += 1;
            NoRoom::TooLarge
        } else if size > self.limits.memory {
            self.counters.store_no_memory += 1;
            NoRoom::NoMemory
        } else {
            return Ok(());
        };
        // So that a value which could not be replaced is not taken for the new one; memcached does
        // it for set alone.
        if storage.verb == Verb::Set {
            self.live(&storage.key);
            self.items.remove(&storage.key);
        }
        Err(reason)
    }

    /// Counts an attempt to store, also one whose data then turns out to be bad.
    pub(crate) fn count_attempt(&mut self, storage: &Storage) {
        let class = storage.class();
        self.counters.class(class).cmd_set += 1;
    }

    pub(crate) fn store(&mut self, storage: Storage, data: Vec<u8>) -> StoreOutcome {
        let class = storage.class();
        let Storage {
            verb,
            key,
            flags,
            exptime,
            ..
        } = storage;
        let Some(old) = self.live(&key) else {
            return match verb {
                Verb::Set | Verb::Add => self.link(key, flags, exptime, data),
                Verb::Replace | Verb::Append | Verb::Prepend => StoreOutcome::NotStored,
                Verb::Cas(_) => {
                    self.counters.cas_misses += 1;
                    StoreOutcome::NotFound
                }
            };
        };
        match verb {
            Verb::Set | Verb::Replace => self.link(key, flags, exptime, data),
            Verb::Add => {
                self.items.bump(&key);
                StoreOutcome::NotStored
            }
            Verb::Append | Verb::Prepend => {
                let (flags, exptime) = (old.flags, old.exptime);
                let joined = match verb {
                    Verb::Append => [&old.data[..], &data].concat(),
                    _ => [&data, &old.data[..]].concat(),
                };
                let size = item_size(&key, flags, joined.len());
                if size > self.limits.item_size.min(self.limits.memory) {
                    return StoreOutcome::NotStored;
                }
                self.link(key, flags, exptime, joined)
            }
            Verb::Cas(cas) if cas == old.cas => {
                let class = old.class();
                self.counters.class(class).cas_hits += 1;
                self.link(key, flags, exptime, data)
            }
            Verb::Cas(_) => {
                self.counters.class(class).cas_badval += 1;
                StoreOutcome::Exists
            }
        }
    }

    /// Whether there was an item to delete.
    pub(crate) fn delete(&mut self, key: &[u8]) -> bool {
        if let Some(prefix) = self.prefix(key) {
            prefix.deletes += 1;
        }
        let Some(class) = self.live(key).map(|item| item.class()) else {
            self.counters.delete_misses += 1;
            return false;
        };
        self.counters.class(class).delete_hits += 1;
        self.items.remove(key);
        true
    }

    /// Adds to or takes from the number that an item holds. `parse` reads it, as the protocol does.
    pub(crate) fn count(
        &mut self,
        key: &[u8],
        direction: Direction,
        delta: u64,
        parse: impl Fn(&[u8]) -> Option<u64>,
    ) -> Result<u64, Uncounted> {
        let Some(item) = self.live(key) else {
            match direction {
                Direction::Up => self.counters.incr_misses += 1,
                Direction::Down => self.counters.decr_misses += 1,
            }
            return Err(Uncounted::NotFound);
        };
        // An item of several chunks is never read as a number.
        let number = if item.size() > CHUNK_MAX {
            None
        } else {
            parse(&item.data)
        };
        let number = number.ok_or(Uncounted::NotANumber)?;
        let class = item.class();
        let (flags, exptime, old_length) = (item.flags, item.exptime, item.data.len());
        let class = self.counters.class(class);
        let number = match direction {
            Direction::Up => {
                class.incr_hits += 1;
                number.wrapping_add(delta)
            }
            Direction::Down => {
                class.decr_hits += 1;
                number.saturating_sub(delta)
            }
        };
        // A shorter number is written over the old one, whose rest becomes spaces.
        let mut digits = number.to_string().into_bytes();
        if digits.len() <= old_length {
            digits.resize(old_length, b' ');
            let cas = self.next_cas();
            self.items.overwrite(key, digits, cas);
        } else {
            self.link(key.to_vec(), flags, exptime, digits);
        }
        Ok(number)
    }

    /// `flush_all`: everything stored so far is gone, at once or at `exptime`.
    pub(crate) fn flush(&mut self, exptime: i32) {
        let now = self.time.now();
        let from = if exptime > 0 {
            self.time.expiry(exptime)
        } else {
            now
        };
        // One second less, since items stored in the very second must survive; they are told apart
        // by their cas ids. (A delay of one second flushes at once by this, and so it does in
        // memcached.)
        self.flush.oldest_live = from.saturating_sub(1);
        if self.flush.oldest_live <= now {
            self.flush.oldest_cas = self.next_cas();
        }
    }

    /// What `stats settings` calls oldest.
    pub(crate) fn oldest_live(&self) -> u32 {
        self.flush.oldest_live
    }

    /// `stats sizes_enable` and `sizes_disable`: items stored from now on are counted, or none.
    pub(crate) fn track_sizes(&mut self, track: bool) {
        self.sizes_from = track.then(|| self.next_cas());
    }

    /// The sizes of the items that `stats sizes` counts, unless it is off.
    pub(crate) fn tracked_sizes(&self) -> Option<impl Iterator<Item = usize>> {
        let from = self.sizes_from?;
        let items = self.items.iter().filter(move |(_, item)| item.cas > from);
        Some(items.map(|(_, item)| item.size()))
    }

    /// `stats reset`.
    pub(crate) fn reset_counters(&mut self) {
        self.counters = Counters::default();
    }

    /// The item of that key, unless it is expired or flushed: then it is removed.
    fn live(&mut self, key: &[u8]) -> Option<&mut Item> {
        let now = self.time.now();
        let item = self.items.find(key)?;
        let Flush {
            oldest_live,
            oldest_cas,
        } = self.flush;
        if oldest_live != 0
            && oldest_live <= now
            && (item.stored_at <= oldest_live || item.cas < oldest_cas)
        {
            self.counters.get_flushed += 1;
        } else if item.is_expired(now) {
            self.counters.get_expired += 1;
        } else {
            return self.items.find(key);
        }
        self.items.remove(key);
        None
    }

    /// Puts an item in place of the one of its key, and evicts what is then too much.
    fn link(&mut self, key: Vec<u8>, flags: u32, exptime: u32, data: Vec<u8>) -> StoreOutcome {
        let item = Item {
            size: item_size(&key, flags, data.len()),
            data,
            flags,
            exptime,
            stored_at: self.time.now(),
            cas: self.next_cas(),
            fetched: false,
        };
        self.counters.total_items += 1;
        self.items.insert(key, item);
        while self.items.bytes() > self.limits.memory {
            let Some(item) = self.items.remove_least_used() else {
                break;
            };
            self.count_eviction(&item);
        }
        StoreOutcome::Stored
    }

    fn count_eviction(&mut self, item: &Item) {
        if item.is_expired(self.time.now()) {
            self.counters.reclaimed += 1;
            self.counters.expired_unfetched += u64::from(!item.fetched);
        } else {
            let class = self.counters.class(item.class());
            class.evicted += 1;
            class.evicted_nonzero += u64::from(item.exptime != 0);
            class.evicted_unfetched += u64::from(!item.fetched);
        }
    }

    fn count_prefix_get(&mut self, key: &[u8], hit: bool) {
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

    fn next_cas(&mut self) -> u64 {
        self.cas += 1;
        self.cas
    }
}
