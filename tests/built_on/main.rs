//! What is built on the client, or beside it: the cache, key-value stores, drivers, the embedded server,
//! the examples.

#[path = "../support/mod.rs"]
mod support;

mod cache;
mod drivers;
mod embedded;
mod examples;
#[cfg(all(feature = "redis", feature = "sha1"))]
mod store;

#[cfg(not(all(feature = "redis", feature = "sha1")))]
#[test]
#[ignore = "needs the features redis and sha1"]
fn store() {}
