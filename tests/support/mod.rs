//! What the integration tests share: real servers to run against.

mod memcached;

pub(crate) use memcached::Memcached;
