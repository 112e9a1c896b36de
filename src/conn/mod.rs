//! Sockets: from a batch of requests to their replies before a deadline, and the connections to a
//! server.
//!
//! A [`Driver`] is a server to the layers above, and a [`Pool`] of connections is the one there is.
//! An `Err` in here means that the connection is dead. May use the leaves and the protocol.

mod authenticate;
mod connect;
mod connection;
mod conversation;
mod deadline;
mod driver;
mod fault;
mod health;
mod histogram;
mod ledger;
mod pool;
mod resolve;
mod stream;
mod tally;
mod version;

pub(crate) use connection::Sink;
pub(crate) use deadline::{Deadline, Expired};
pub(crate) use driver::{Batch, Driver, Exchange, State};
pub(crate) use health::{BackOff, Standing};
pub use histogram::Latency;
#[cfg(fuzzing)]
pub(crate) use pool::Peer;
pub(crate) use pool::{Options, Pool};
pub(crate) use resolve::first_ipv4;
pub(crate) use stream::Patience;
pub use tally::ErrorCounts;
pub use version::Protocol;
