//! Drivers of a program's own: in front of the built-in one, in its place, and muddled; and what the
//! older clients had of connections, cas ids and queue servers.

mod cas_cache;
mod commands;
mod connecting;
mod in_front;
mod in_memory;
mod limits;
mod muddled;
mod no_op;
mod queues;

use moecache::ClientBuilder;
use moecache::driver::Driver;
use std::sync::Arc;

/// With this driver for every server, whatever it is.
fn with<D: Driver + 'static>(
    builder: ClientBuilder,
    make: impl Fn(String) -> D + Send + Sync + 'static,
) -> ClientBuilder {
    builder.driver(move |_, built_in| Arc::new(make(built_in.name().to_owned())))
}
