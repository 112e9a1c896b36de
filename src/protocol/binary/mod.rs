//! The binary protocol: memcached's `doc/protocol-binary.txt`, and what memcached makes of it.
//!
//! Each reply says to which request it is, so that in a quiet window those that say nothing new are
//! left out: misses, and stores and deletes that were done.

mod decode;
mod encode;
mod packet;

pub(super) use decode::decode;
pub(super) use encode::encode_all;

#[cfg(test)]
mod tests;
