//! Sockets: from a request to its reply before a deadline, and the idle connections of a server.
//!
//! An `Err` in here means that the connection is dead. May use the leaves and the protocol.

mod connection;
mod deadline;
mod fault;
mod pool;
mod resolve;
mod stream;

pub(crate) use connection::{Answer, Sink};
pub(crate) use deadline::Deadline;
pub(crate) use pool::{Options, Pool};
