//! Deployments that this client shares with others: moecache, pylibmc, python-memcached, pymemcache
//! and libmemcached's command-line tools, on real memcached servers, each in every set-up that
//! places or stores otherwise.

mod keys;
mod peer;
mod placements;
mod python;
mod report;
mod servers;
mod shared;
mod tools;
mod values;

#[path = "../support/mod.rs"]
mod support;

#[test]
#[ignore = "needs Python with the other clients: tests/run makes it and runs this too"]
fn keys_are_found_on_the_same_server() {
    placements::agree();
}

#[test]
#[ignore = "needs Python with the other clients: tests/run makes it and runs this too"]
fn values_are_read_as_the_same_values() {
    values::agree();
}
