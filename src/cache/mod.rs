#![doc = include_str!("cache.md")]

// May use the client, and what is below it.

mod claim;
mod entry;
mod envelope;
mod flight;
mod generation;
mod handle;
mod invalidate;
mod key;
mod keys;
mod load;
mod look;
mod target;

pub use entry::{Entry, Slot};
pub use handle::Cache;
pub use key::{CacheKey, KeyName, Raw, raw};
pub use keys::{CachedKey, CachedKeys};
