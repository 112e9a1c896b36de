//! What `stats` counts: `struct thread_stats`, `stats` and `itemstats` in memcached, one process
//! wide.

use std::collections::BTreeMap;

/// The counters that `stats reset` sets to zero.
#[derive(Debug, Default, Clone)]
pub(crate) struct Counters {
    pub(crate) bytes_read: u64,
    pub(crate) bytes_written: u64,
    pub(crate) total_connections: u64,
    pub(crate) rejected_connections: u64,
    pub(crate) conn_yields: u64,
    pub(crate) cmd_get: u64,
    pub(crate) cmd_touch: u64,
    pub(crate) cmd_meta: u64,
    pub(crate) cmd_flush: u64,
    pub(crate) get_misses: u64,
    pub(crate) get_expired: u64,
    pub(crate) get_flushed: u64,
    pub(crate) touch_misses: u64,
    pub(crate) delete_misses: u64,
    pub(crate) incr_misses: u64,
    pub(crate) decr_misses: u64,
    pub(crate) cas_misses: u64,
    pub(crate) store_too_large: u64,
    pub(crate) store_no_memory: u64,
    pub(crate) total_items: u64,
    pub(crate) lru_crawler_starts: u64,
    /// By slab class.
    pub(crate) classes: BTreeMap<u8, ClassCounters>,
    /// By key prefix, while `stats detail` is on.
    pub(crate) prefixes: BTreeMap<Vec<u8>, PrefixCounters>,
}

/// What happened to the items of one slab class.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct ClassCounters {
    pub(crate) get_hits: u64,
    pub(crate) cmd_set: u64,
    pub(crate) delete_hits: u64,
    pub(crate) incr_hits: u64,
    pub(crate) decr_hits: u64,
    pub(crate) cas_hits: u64,
    pub(crate) cas_badval: u64,
    pub(crate) touch_hits: u64,
    pub(crate) evicted: u64,
    pub(crate) evicted_nonzero: u64,
    pub(crate) evicted_unfetched: u64,
    pub(crate) reclaimed: u64,
    pub(crate) expired_unfetched: u64,
    pub(crate) crawler_reclaimed: u64,
    pub(crate) crawler_items_checked: u64,
}

/// What `stats detail dump` shows of one key prefix.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct PrefixCounters {
    pub(crate) gets: u64,
    pub(crate) hits: u64,
    pub(crate) sets: u64,
    pub(crate) deletes: u64,
}

impl Counters {
    pub(crate) fn class(&mut self, class: u8) -> &mut ClassCounters {
        self.classes.entry(class).or_default()
    }

    /// A counter of all classes together.
    pub(crate) fn total(&self, counter: impl Fn(&ClassCounters) -> u64) -> u64 {
        self.classes.values().map(counter).sum()
    }

    /// The counters of the prefix of `key`, which ends before the first `:`. A key without one has
    /// none.
    pub(crate) fn prefix(&mut self, key: &[u8]) -> Option<&mut PrefixCounters> {
        let end = key.iter().position(|&byte| byte == b':')?;
        Some(self.prefixes.entry(key[..end].to_vec()).or_default())
    }
}
