//! The hash functions that the peers place keys with. Pure, and pinned by the recorded placements
//! in `tests/vectors/`. May use nothing of the crate but the leaves.

mod fnv;

pub(crate) use fnv::{FNV_32_INIT, fnv1a_32};
