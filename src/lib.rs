//! A blocking, sharded memcached client.

mod error;
mod expiry;
mod item;
mod key;
mod server;

pub use error::{Error, Result};
pub use expiry::Expiry;
pub use item::{Item, ItemRef};
pub use key::MAX_KEY_LENGTH;
pub use server::{DEFAULT_PORT, IntoServers, Server};

#[cfg(feature = "testing")]
pub mod testing;
pub mod value;
