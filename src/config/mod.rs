//! A client's settings as plain data, and where they come from: serde's formats, a URL, a
//! libmemcached configuration string, pylibmc's behaviours. May use everything below the client.

mod behaviour;
mod libmemcached;
mod note;
mod option_string;
mod pylibmc;
mod settings;
mod url;
mod value;

pub use note::Note;
pub use pylibmc::Behaviors;
pub use settings::Config;
