//! A blocking, sharded memcached client.

mod client;
mod conn;
mod error;
mod expiry;
mod hash;
mod item;
mod key;
mod locator;
mod protocol;
mod route;
mod server;
mod stats;
#[cfg(feature = "testing")]
pub mod testing;
pub mod value;

pub use client::{Client, ClientBuilder, PerServer, ServerStats};
pub use error::{Error, Result};
pub use expiry::Expiry;
pub use item::{Item, ItemRef};
pub use key::MAX_KEY_LENGTH;
pub use locator::Distribution;
pub use server::{DEFAULT_PORT, IntoServers, Server};
pub use stats::Stats;
