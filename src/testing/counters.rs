//! What a test may ask a server about what was asked of it.

use super::store::{ClassCounters, Store};

/// What a server counted, from [`Server::counters`](super::Server::counters): numbers of memcached's
/// `stats`, each named by it in brackets.
///
/// A get of several keys counts once for each of them, and [`contains`](crate::Client::contains) counts
/// as a get. [`get_and_touch`](crate::Client::get_and_touch) counts as a touch, and if the key is not
/// there as a miss of a get as well. A `touch` in the meta protocol that misses is a get that misses:
/// memcached counts so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Keys that were asked for and were there (`get_hits`).
    pub hits: u64,
    /// Keys that were asked for and were not there (`get_misses`), those that had expired included.
    pub misses: u64,
    /// Items that had expired when they were asked for, and so were removed (`get_expired`); not those
    /// that were replaced, or removed before by `stats` or `lru_crawler crawl`.
    pub expired: u64,
    /// Values that were sent to be stored (`cmd_set`): by set, add, replace, append, prepend and
    /// compare-and-swap, also where the condition did not hold.
    pub sets: u64,
    /// Keys that were deleted (`delete_hits`).
    pub delete_hits: u64,
    /// Keys that were to be deleted and were not there (`delete_misses`).
    pub delete_misses: u64,
    /// Keys that were given another expiry (`touch_hits`).
    pub touch_hits: u64,
    /// Keys that were to be given one and were not there (`touch_misses`).
    pub touch_misses: u64,
    /// Counters that were counted up (`incr_hits`).
    pub incr_hits: u64,
    /// Counters that were not there to be counted up (`incr_misses`).
    pub incr_misses: u64,
    /// Counters that were counted down (`decr_hits`).
    pub decr_hits: u64,
    /// Counters that were not there to be counted down (`decr_misses`).
    pub decr_misses: u64,
    /// Compare-and-swaps that stored (`cas_hits`).
    pub cas_hits: u64,
    /// Compare-and-swaps of keys that were not there (`cas_misses`).
    pub cas_misses: u64,
    /// Compare-and-swaps that came too late: somebody had changed the item (`cas_badval`).
    pub cas_badval: u64,
    /// Calls of `flush_all` (`cmd_flush`).
    pub flushes: u64,
    /// Items that had to go for others before their time (`evictions`).
    pub evictions: u64,
    /// Connections that were made, those that are closed by now included (`total_connections`).
    pub connections: u64,
}

impl Counters {
    pub(super) fn of(store: &Store) -> Self {
        let counters = &store.counters;
        let total = |counter: fn(&ClassCounters) -> u64| counters.total(counter);
        Self {
            hits: total(|class| class.get_hits),
            misses: counters.get_misses,
            expired: counters.get_expired,
            sets: total(|class| class.cmd_set),
            delete_hits: total(|class| class.delete_hits),
            delete_misses: counters.delete_misses,
            touch_hits: total(|class| class.touch_hits),
            touch_misses: counters.touch_misses,
            incr_hits: total(|class| class.incr_hits),
            incr_misses: counters.incr_misses,
            decr_hits: total(|class| class.decr_hits),
            decr_misses: counters.decr_misses,
            cas_hits: total(|class| class.cas_hits),
            cas_misses: counters.cas_misses,
            cas_badval: total(|class| class.cas_badval),
            flushes: counters.cmd_flush,
            evictions: total(|class| class.evicted),
            connections: counters.total_connections,
        }
    }
}
