//! A client's settings as plain data, and where they come from: serde's formats, a URL, a
//! libmemcached configuration string, pylibmc's behaviors. May use everything below the client.

mod behaviors;
mod libmemcached;
mod pylibmc;
mod settings;
mod url;
mod value;

pub use behaviors::Note;
pub use pylibmc::Behaviors;
pub use settings::Config;
pub(crate) use settings::settings;
