//! What memcached keeps: the items, their order of use, and the counters. Knows neither protocol nor
//! sockets; the time is set from outside, once per request.

mod counters;
mod counting;
mod items;
mod request;
mod slabs;
mod time;

pub(crate) use counters::{ClassCounters, Counters};
pub(crate) use items::{Item, Items, Marks};
pub(crate) use request::{
    Counted, DeleteOutcome, Delta, Direction, NoRoom, Storage, StoreOutcome, Uncounted, Verb,
};
pub(crate) use slabs::{CHUNK_MAX, PAGE, chunk_size};

use slabs::item_size;
use std::collections::{BTreeMap, BTreeSet};
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
    /// The slab classes that ever had an item. Those of memcached keep their memory.
    pub(crate) used_classes: BTreeSet<u8>,
    pub(crate) time: Time,
    /// `verbosity`; has no effect beyond `stats settings`.
    pub(crate) verbosity: u32,
    /// `stats detail on`.
    pub(crate) detail: bool,
    pub(crate) crawler: Crawler,
    flush: Flush,
    cas: u64,
    /// Since which cas id `stats sizes` counts, while it does.
    sizes_from: Option<u64>,
}

/// The settings of `lru_crawler`. Only whether it is enabled has an effect beyond `stats settings`.
#[derive(Debug)]
pub(crate) struct Crawler {
    pub(crate) enabled: bool,
    /// In microseconds.
    pub(crate) sleep: u32,
    pub(crate) tocrawl: u32,
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

impl Flush {
    /// Whether an item is live: neither expired nor flushed.
    fn leaves(&self, item: &Item, now: u32) -> bool {
        !item.is_expired(now) && !self.has_reached(item, now)
    }

    fn has_reached(&self, item: &Item, now: u32) -> bool {
        self.oldest_live != 0
            && self.oldest_live <= now
            && (item.accessed_at <= self.oldest_live || item.cas < self.oldest_cas)
    }
}

impl Store {
    pub(crate) fn new(limits: Limits, now: SystemTime) -> Self {
        Self {
            limits,
            counters: Counters::default(),
            items: Items::default(),
            used_classes: BTreeSet::new(),
            time: Time::starting(now),
            verbosity: 0,
            detail: false,
            crawler: Crawler {
                enabled: true,
                sleep: 100,
                tocrawl: 0,
            },
            flush: Flush::default(),
            cas: 0,
            sizes_from: None,
        }
    }

    /// An exptime of the wire, on the store's own clock.
    pub(crate) fn expiry(&self, exptime: impl Into<i64>) -> u32 {
        self.time.expiry(exptime.into())
    }

    /// The live item of that key, marked as used.
    pub(crate) fn get(&mut self, key: &[u8]) -> Option<&Item> {
        let class = self.live(key).map(|item| item.class());
        self.count_prefix_get(key, class.is_some());
        self.count_get(class);
        self.bump(key)
    }

    /// As [`get`](Self::get), with a new expiry (`gat`).
    pub(crate) fn get_and_touch(&mut self, key: &[u8], exptime: u32) -> Option<&Item> {
        let touched = self.touch(key, exptime);
        self.count_prefix_get(key, touched);
        self.items.find(key).map(|item| &*item)
    }

    /// Whether there was an item to give a new expiry.
    pub(crate) fn touch(&mut self, key: &[u8], exptime: u32) -> bool {
        let class = self.live(key).map(|item| {
            item.exptime = exptime;
            item.class()
        });
        self.count_touch(class);
        self.bump(key).is_some()
    }

    /// The item of that key, unless it is expired or flushed: then it is removed.
    pub(crate) fn live(&mut self, key: &[u8]) -> Option<&mut Item> {
        let now = self.time.now();
        let item = self.items.find(key)?;
        if self.flush.has_reached(item, now) {
            self.counters.get_flushed += 1;
        } else if item.is_expired(now) {
            self.counters.get_expired += 1;
        } else {
            return self.items.find(key);
        }
        self.items.remove(key);
        None
    }

    /// Removes the items that are expired or flushed, so that no report counts them. memcached's
    /// background threads do so sooner or later.
    pub(crate) fn reclaim(&mut self) {
        for item in self.remove_dead(|_| true) {
            self.count_eviction(&item);
        }
    }

    /// The same for one key. memcached removes what is at the end of the LRU when it makes a new item.
    fn reclaim_one(&mut self, key: &[u8]) {
        let (now, flush) = (self.time.now(), &self.flush);
        let is_dead = |item: &mut Item| !flush.leaves(item, now);
        if self.items.find(key).is_some_and(is_dead) {
            if let Some(item) = self.items.remove(key) {
                self.count_eviction(&item);
            }
        }
    }

    /// `lru_crawler crawl`, for these classes: the same, under other counters.
    pub(crate) fn crawl(&mut self, wanted: impl Fn(u8) -> bool) {
        self.counters.lru_crawler_starts += 1;
        for (_, item) in self.items.iter().filter(|(_, item)| wanted(item.class())) {
            self.counters.class(item.class()).crawler_items_checked += 1;
        }
        for item in self.remove_dead(&wanted) {
            let was_flushed = self.flush.has_reached(&item, self.time.now());
            let class = self.counters.class(item.class());
            class.crawler_reclaimed += 1;
            let unfetched = !item.marks.has(Marks::FETCHED) && !was_flushed;
            class.expired_unfetched += u64::from(unfetched);
        }
    }

    fn remove_dead(&mut self, wanted: impl Fn(u8) -> bool) -> Vec<Item> {
        let (now, flush) = (self.time.now(), &self.flush);
        self.items
            .remove_all(|item| !flush.leaves(item, now) && wanted(item.class()))
    }

    /// Marks an item as asked for.
    pub(crate) fn bump(&mut self, key: &[u8]) -> Option<&Item> {
        let now = self.time.now();
        self.items.bump(key, now)
    }

    /// The items that are live, each class by itself, the longest unused first.
    pub(crate) fn live_by_class(&self) -> BTreeMap<u8, Vec<(&[u8], &Item)>> {
        let now = self.time.now();
        let mut classes = BTreeMap::<u8, Vec<_>>::new();
        for (key, item) in self.items.iter() {
            if self.flush.leaves(item, now) {
                classes.entry(item.class()).or_default().push((key, item));
            }
        }
        for items in classes.values_mut() {
            items.reverse();
        }
        classes
    }

    /// Puts an empty item where there is none.
    pub(crate) fn vivify(&mut self, key: &[u8]) -> Option<&mut Item> {
        self.link(key.to_vec(), 0, 0, Vec::new(), Marks::default());
        self.items.find(key)
    }

    /// Whether an item of that size may be stored at all; judged before its value is read, when
    /// memcached takes the memory for it.
    pub(crate) fn admit(&mut self, storage: &Storage) -> Result<(), NoRoom> {
        let size = storage.size();
        if size > self.limits.item_size {
            Err(NoRoom::TooLarge)
        } else if size > self.limits.memory {
            Err(NoRoom::NoMemory)
        } else {
            self.used_classes.insert(storage.class());
            Ok(())
        }
    }

    /// Removes an item whose new value was refused, so that the old one is not taken for it.
    pub(crate) fn discard(&mut self, key: &[u8]) {
        self.live(key);
        self.items.remove(key);
    }

    pub(crate) fn store(&mut self, storage: Storage, data: Vec<u8>) -> StoreOutcome {
        let Storage {
            verb,
            key,
            flags,
            exptime,
            cas,
            may_be_stale,
            mut marks,
            ..
        } = storage;
        self.reclaim_one(&key);
        let Some(old) = self.items.find(&key) else {
            return match verb {
                Verb::Set | Verb::Add => {
                    StoreOutcome::Stored(self.link(key, flags, exptime, data, marks))
                }
                Verb::Replace | Verb::Append | Verb::Prepend => StoreOutcome::NotStored,
                Verb::Cas => {
                    self.counters.cas_misses += 1;
                    StoreOutcome::NotFound
                }
            };
        };
        match verb {
            Verb::Set | Verb::Replace => {
                StoreOutcome::Stored(self.link(key, flags, exptime, data, marks))
            }
            Verb::Add => {
                self.items.promote(&key);
                StoreOutcome::NotStored
            }
            Verb::Append | Verb::Prepend if cas != 0 && cas != old.cas => StoreOutcome::Exists,
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
                StoreOutcome::Stored(self.link(key, flags, exptime, joined, Marks::default()))
            }
            Verb::Cas if cas == old.cas => {
                let class = old.class();
                self.counters.class(class).cas_hits += 1;
                StoreOutcome::Stored(self.link(key, flags, exptime, data, marks))
            }
            // The client that gets no token goes on with the old value, so the new one lives as long.
            Verb::Cas if may_be_stale && cas != 0 && cas < old.cas => {
                marks.add(Marks::STALE);
                if old.marks.has(Marks::TOKEN_SENT) {
                    marks.add(Marks::TOKEN_SENT);
                }
                let (class, exptime) = (old.class(), old.exptime);
                self.counters.class(class).cas_hits += 1;
                StoreOutcome::Stored(self.link(key, flags, exptime, data, marks))
            }
            Verb::Cas => {
                let class = old.class();
                self.counters.class(class).cas_badval += 1;
                StoreOutcome::Exists
            }
        }
    }

    /// Deletes an item, if it has that cas id; 0 is any.
    pub(crate) fn delete(&mut self, key: &[u8], cas: u64) -> DeleteOutcome {
        let Some((class, present)) = self.live(key).map(|item| (item.class(), item.cas)) else {
            self.counters.delete_misses += 1;
            return DeleteOutcome::NotFound;
        };
        if cas != 0 && cas != present {
            return DeleteOutcome::Exists;
        }
        self.counters.class(class).delete_hits += 1;
        self.items.remove(key);
        DeleteOutcome::Deleted
    }

    /// Leaves an item in place for one client to replace, under a new cas id.
    pub(crate) fn make_stale(&mut self, key: &[u8], exptime: Option<u32>) {
        let cas = self.next_cas();
        let Some(item) = self.items.find(key) else {
            return;
        };
        item.exptime = exptime.unwrap_or(item.exptime);
        item.marks.add(Marks::STALE);
        item.marks.remove(Marks::TOKEN_SENT);
        item.cas = cas;
    }

    /// Adds to or takes from the number that an item holds. `parse` reads it, as the protocols do.
    pub(crate) fn count(
        &mut self,
        key: &[u8],
        delta: Delta,
        parse: impl Fn(&[u8]) -> Option<u64>,
    ) -> Result<Counted, Uncounted> {
        let Some(item) = self.live(key) else {
            return Err(Uncounted::NotFound);
        };
        // An item of several chunks is never read as a number.
        if item.size() > CHUNK_MAX || item.data.is_empty() {
            return Err(Uncounted::NotANumber);
        }
        if delta.cas != 0 && delta.cas != item.cas {
            return Err(Uncounted::Exists);
        }
        let number = parse(&item.data).ok_or(Uncounted::NotANumber)?;
        let class = item.class();
        let (flags, exptime, old_length) = (item.flags, item.exptime, item.data.len());
        let class = self.counters.class(class);
        let number = match delta.direction {
            Direction::Up => {
                class.incr_hits += 1;
                number.wrapping_add(delta.amount)
            }
            Direction::Down => {
                class.decr_hits += 1;
                number.saturating_sub(delta.amount)
            }
        };
        // A shorter number is written over the old one, whose rest becomes spaces.
        let mut digits = number.to_string().into_bytes();
        let is_longer = digits.len() > old_length;
        let cas = if is_longer {
            self.link(key.to_vec(), flags, exptime, digits, Marks::default())
        } else {
            digits.resize(old_length, b' ');
            let cas = self.next_cas();
            self.items.overwrite(key, digits, cas);
            cas
        };
        Ok(Counted {
            number,
            cas,
            is_longer,
        })
    }

    /// Stores a number where there is none.
    pub(crate) fn create_number(&mut self, key: &[u8], number: u64, exptime: u32) -> StoreOutcome {
        if self.live(key).is_some() {
            return StoreOutcome::NotStored;
        }
        let digits = number.to_string().into_bytes();
        StoreOutcome::Stored(self.link(key.to_vec(), 0, exptime, digits, Marks::default()))
    }

    /// `flush_all`: everything stored so far is gone, at once or at `exptime`.
    pub(crate) fn flush(&mut self, exptime: impl Into<i64>) {
        let exptime = exptime.into();
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

    /// Puts an item in place of the one of its key, and evicts what is then too much. Gives its cas id.
    fn link(&mut self, key: Vec<u8>, flags: u32, exptime: u32, data: Vec<u8>, marks: Marks) -> u64 {
        let cas = self.next_cas();
        let item = Item {
            size: item_size(&key, flags, data.len()),
            data,
            flags,
            exptime,
            accessed_at: self.time.now(),
            cas,
            marks,
        };
        self.counters.total_items += 1;
        self.used_classes.insert(item.class());
        self.items.insert(key, item);
        while self.items.bytes() > self.limits.memory {
            let Some(item) = self.items.remove_least_used() else {
                break;
            };
            self.count_eviction(&item);
        }
        cas
    }

    fn next_cas(&mut self) -> u64 {
        self.cas += 1;
        self.cas
    }
}
