//! `stats` and `stats settings`. What only memcached's own machinery counts is written out as an idle
//! server shows it.

use super::Report;
use crate::testing::place::Place;
use crate::testing::settings::Settings;
use crate::testing::store::{CHUNK_MAX, ClassCounters, Counters, Store};
use std::process;

/// `stats`.
#[expect(
    clippy::too_many_lines,
    reason = "it is one table, in memcached's order"
)]
pub(crate) fn general(store: &Store, settings: &Settings, open: usize) -> Report {
    let Counters {
        bytes_read,
        bytes_written,
        total_connections,
        rejected_connections,
        conn_yields,
        cmd_get,
        cmd_touch,
        cmd_meta,
        cmd_flush,
        get_misses,
        get_expired,
        get_flushed,
        touch_misses,
        delete_misses,
        incr_misses,
        decr_misses,
        cas_misses,
        store_too_large,
        store_no_memory,
        total_items,
        lru_crawler_starts,
        ..
    } = store.counters;
    let total = |counter: fn(&ClassCounters) -> u64| store.counters.total(counter);
    Report(format!(
        "pid {pid}
uptime {uptime}
time {time}
version {version}
libevent 2.1.12-stable
pointer_size {pointer_size}
rusage_user 0.000000
rusage_system 0.000000
max_connections {max_connections}
curr_connections {open}
total_connections {total_connections}
rejected_connections {rejected_connections}
connection_structures {connection_structures}
response_obj_oom 0
response_obj_count 1
response_obj_bytes 16384
read_buf_count 2
read_buf_bytes 32768
read_buf_bytes_free 0
read_buf_oom 0
reserved_fds 20
cmd_get {cmd_get}
cmd_set {cmd_set}
cmd_flush {cmd_flush}
cmd_touch {cmd_touch}
cmd_meta {cmd_meta}
get_hits {get_hits}
get_misses {get_misses}
get_expired {get_expired}
get_flushed {get_flushed}
delete_misses {delete_misses}
delete_hits {delete_hits}
incr_misses {incr_misses}
incr_hits {incr_hits}
decr_misses {decr_misses}
decr_hits {decr_hits}
cas_misses {cas_misses}
cas_hits {cas_hits}
cas_badval {cas_badval}
touch_hits {touch_hits}
touch_misses {touch_misses}
store_too_large {store_too_large}
store_no_memory {store_no_memory}
auth_cmds 0
auth_errors 0
bytes_read {bytes_read}
bytes_written {bytes_written}
limit_maxbytes {limit_maxbytes}
accepting_conns 1
listen_disabled_num 0
time_in_listen_disabled_us 0
threads 4
conn_yields {conn_yields}
hash_power_level 16
hash_bytes 524288
hash_is_expanding 0
slab_reassign_rescues 0
slab_reassign_chunk_rescues 0
slab_reassign_evictions_nomem 0
slab_reassign_inline_reclaim 0
slab_reassign_busy_items 0
slab_reassign_busy_deletes 0
slab_reassign_running 0
slabs_moved 0
lru_crawler_running 0
lru_crawler_starts {lru_crawler_starts}
lru_maintainer_juggles 0
malloc_fails 0
log_worker_dropped 0
log_worker_written 0
log_watcher_skipped 0
log_watcher_sent 0
log_watchers 0
unexpected_napi_ids 0
round_robin_fallback 0
bytes {bytes}
curr_items {curr_items}
total_items {total_items}
slab_global_page_pool 0
expired_unfetched {expired_unfetched}
evicted_unfetched {evicted_unfetched}
evicted_active 0
evictions {evictions}
reclaimed {reclaimed}
crawler_reclaimed {crawler_reclaimed}
crawler_items_checked {crawler_items_checked}
lrutail_reflocked 0
moves_to_cold 0
moves_to_warm 0
moves_within_lru 0
direct_reclaims 0
lru_bumps_dropped 0",
        pid = process::id(),
        version = settings.version.text(),
        max_connections = settings.max_connections,
        uptime = store.time.uptime(),
        time = store.time.unix(store.time.now()),
        pointer_size = usize::BITS,
        connection_structures = open + 1,
        cmd_set = total(|class| class.cmd_set),
        get_hits = total(|class| class.get_hits),
        delete_hits = total(|class| class.delete_hits),
        incr_hits = total(|class| class.incr_hits),
        decr_hits = total(|class| class.decr_hits),
        cas_hits = total(|class| class.cas_hits),
        cas_badval = total(|class| class.cas_badval),
        touch_hits = total(|class| class.touch_hits),
        limit_maxbytes = store.limits.memory,
        bytes = store.items.bytes(),
        curr_items = store.items.len(),
        evictions = total(|class| class.evicted),
        evicted_unfetched = total(|class| class.evicted_unfetched),
        reclaimed = total(|class| class.reclaimed),
        expired_unfetched = total(|class| class.expired_unfetched),
        crawler_reclaimed = total(|class| class.crawler_reclaimed),
        crawler_items_checked = total(|class| class.crawler_items_checked),
    ))
}

/// `stats settings`.
pub(crate) fn settings(store: &Store, settings: &Settings, place: &Place) -> Report {
    let (port, inter, path) = match place {
        Place::Tcp(address) => (address.port(), address.ip().to_string(), "NULL".into()),
        // The port is what it would have been.
        Place::Unix(path) => (11211, "NULL".to_owned(), path.to_string_lossy()),
    };
    let yes_no = |yes| if yes { "yes" } else { "no" };
    Report(format!(
        "maxbytes {maxbytes}
maxconns {maxconns}
tcpport {port}
udpport 0
inter {inter}
verbosity {verbosity}
oldest {oldest}
evictions on
domain_socket {path}
umask 700
shutdown_command no
growth_factor 1.25
chunk_size 48
num_threads 4
num_threads_per_udp 4
stat_key_prefix :
detail_enabled {detail}
reqs_per_event 20
cas_enabled yes
tcp_backlog 1024
binding_protocol auto-negotiate
auth_enabled_sasl no
auth_enabled_ascii no
item_size_max {item_size_max}
maxconns_fast yes
hashpower_init 0
slab_reassign yes
slab_automove 1
slab_automove_ratio 0.80
slab_automove_window 30
slab_chunk_max {CHUNK_MAX}
lru_crawler {lru_crawler}
lru_crawler_sleep {sleep}
lru_crawler_tocrawl {tocrawl}
tail_repair_time 0
flush_enabled yes
dump_enabled yes
hash_algorithm murmur3
lru_maintainer_thread yes
lru_segmented yes
hot_lru_pct 20
warm_lru_pct 40
hot_max_factor 0.20
warm_max_factor 2.00
temp_lru no
temporary_ttl 61
idle_timeout 0
watcher_logbuf_size 262144
worker_logbuf_size 65536
read_buf_mem_limit 0
track_sizes {track_sizes}
inline_ascii_response no
ext_item_size 512
ext_item_age 4294967295
ext_low_ttl 0
ext_recache_rate 2000
ext_wbuf_size 4194304
ext_compact_under 0
ext_drop_under 0
ext_max_sleep 1000000
ext_max_frag 0.80
slab_automove_freeratio 0.010
ext_drop_unread no
ssl_enabled no
ssl_chain_cert (null)
ssl_key (null)
ssl_verify_mode 0
ssl_keyformat 1
ssl_ciphers NULL
ssl_ca_cert NULL
ssl_wbuf_size 16384
ssl_session_cache no
ssl_kernel_tls no
ssl_min_version tlsv1.2
num_napi_ids (null)
memory_file (null)",
        maxbytes = store.limits.memory,
        maxconns = settings.max_connections,
        lru_crawler = yes_no(store.crawler.enabled),
        sleep = store.crawler.sleep,
        tocrawl = store.crawler.tocrawl,
        verbosity = store.verbosity,
        oldest = store.oldest_live(),
        detail = yes_no(store.detail),
        item_size_max = store.limits.item_size,
        track_sizes = yes_no(store.tracked_sizes().is_some()),
    ))
}
