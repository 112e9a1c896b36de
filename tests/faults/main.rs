//! What a caller sees when a server fails, what becomes of the connection, and what never happens. Each
//! row is played with every kind of call (`calls`: for one key, for many, pipelines) in text, meta and
//! binary, and the next call has to give the right answer.
//!
//! | row | tests |
//! |---|---|
//! | no complete reply by the deadline | `late` (all), `proxied::too_late_or_never`, `embedded::a_reply_that_is_swallowed` |
//! | closed or reset before the reply, on a reused connection | `cut::before_the_reply_on_a_reused_connection_..` (both), `embedded::each_fault_of_a_reply`, `proxied::cut_and_reset` |
//! | the same on a fresh connection, or within the reply | `cut::before_the_reply_on_a_fresh_connection`, `after_the_first_byte`, `at_every_byte_of_a_value`, `after_the_reply`, `embedded::a_connection_that_is_accepted_and_closed` |
//! | an idle connection that is readable | `strays::.._on_an_idle_connection` (three), `embedded::connections_that_are_dropped_while_they_idle` |
//! | stray bytes on one that did not idle | `strays::stray_bytes_before_a_reply`, `the_reply_to_an_earlier_request`, `proxied::lies` |
//! | bytes left over after a reply | `strays::bytes_left_over_after_a_reply`, `proxied::too_much` |
//! | a key or opaque that was not asked for, or twice | `malformed::a_key_or_opaque_that_was_not_asked_for`, `a_key_that_comes_twice_or_too_many_values`, `proxied::lies` |
//! | lengths, flags, lines and counts that cannot be | `malformed::lengths_and_flags_that_are_none`, `a_line_without_end`, `a_line_of_over_2_kb`, `claims` (all), `proxied::a_gigabyte_that_is_only_claimed` |
//! | no line end after a value; what is outside of the grammar | `malformed::a_value_that_does_not_end_where_it_should`, `nonsense` (all), `proxied::no_line_end` |
//! | an error of the server | `refusals::an_error_of_the_server_keeps_..` (both), `an_error_among_quiet_stores`, `a_value_too_large_for_the_server` |
//! | a storage command is refused | `refusals::a_refused_storage_command_closes` (both), `what_follows_a_refused_store_is_not_believed` |
//! | a command of one line is refused | `refusals::counting_what_is_no_number_keeps_the_connection` |
//! | refused, unreachable, too many connections, no such host | `connecting` (all), `proxied::gone_and_back`; how long it is left alone, and that many calls make few connections: `policies` |
//! | a connect that hangs | `connecting::a_connect_that_hangs`; several addresses: `src/conn/pool_tests.rs` |
//! | a key that is none | `unharmed::a_bad_key_leaves_the_wire_untouched`, `tests/api/validation.rs` |
//! | one server of several fails | `unharmed::one_server_of_several_fails`, `tests/api/batches/many.rs` |
//! | panic, clones, fork | `panics` (all), `sharing` (all) |
//! | what errors show | `unharmed::what_is_secret_stays_so`, and every error of the other rows (`row::is_discreet`) |
//!
//! TLS has tests of its own. The servers here: one that [pretends](pretender) to have every key and lies
//! byte by byte, the embedded one and its faults, and a real memcached, alone or behind a proxy.

mod breaker;
mod calls;
mod claims;
mod connecting;
mod cut;
mod descriptors;
mod embedded;
mod error_lines;
mod late;
mod limits;
mod malformed;
mod memory;
mod mixed_up;
mod nonsense;
mod panics;
mod poison;
mod policies;
mod pretender;
mod proxied;
mod proxy;
mod refusals;
mod row;
mod sharing;
mod strays;
mod unharmed;

#[path = "../support/mod.rs"]
mod support;
