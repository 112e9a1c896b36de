//! Deployments that this client shares with others: moecache, pylibmc, python-memcached, pymemcache
//! and libmemcached's command-line tools, on real memcached servers, each in every set-up that
//! places or stores otherwise.

mod commands;
mod counters;
mod keys;
mod peer;
mod placements;
mod python;
mod refused;
mod report;
mod servers;
mod shared;
mod tools;
mod values;

#[test]
#[ignore = "needs Python with the other clients: tests/run makes it and runs this too"]
fn keys_are_found_on_the_same_server() {
    crate::support::needs_python!();
    placements::agree();
}

#[test]
#[ignore = "needs Python with the other clients: tests/run makes it and runs this too"]
fn values_are_read_as_the_same_values() {
    crate::support::needs_python!();
    values::agree();
}

#[test]
#[ignore = "needs Python with the other clients: tests/run makes it and runs this too"]
fn counters_count_on_both_sides() {
    crate::support::needs_python!();
    counters::agree();
}

#[test]
#[ignore = "needs Python with the other clients: tests/run makes it and runs this too"]
fn what_is_compressed_here_alone_is_not_misread_there() {
    crate::support::needs_python!();
    refused::agree();
}

#[test]
#[ignore = "needs libmemcached's tools: tests/run installs them and runs this too"]
fn what_the_tools_do_is_seen_here_and_the_other_way_round() {
    commands::agree();
}
