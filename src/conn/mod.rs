//! Sockets: from a batch of requests to their replies before a deadline, and the connections to a
//! server.
//!
//! A [`Pool`] of connections is a server to the layers above; `crate::middleware` lets a program put its
//! own code in front of it, or in its place.
//! An `Err` in here means that the connection is dead. May use the leaves and the protocol.

mod authenticate;
mod breaker;
mod connect;
mod connection;
mod conversation;
mod deadline;
mod driver;
mod fault;
mod histogram;
mod input;
mod ledger;
mod pool;
mod resolve;
mod sink;
mod stream;
mod tally;
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
mod tls;
mod version;
mod wire;

pub(crate) use breaker::{BackOff, Circuit};
pub(crate) use deadline::Deadline;
pub(crate) use driver::{Batch, Exchange, State};
pub use histogram::Latency;
#[cfg(fuzzing)]
pub(crate) use pool::Peer;
pub(crate) use pool::{Options, Pool};
pub(crate) use resolve::first_ipv4;
pub(crate) use sink::{SingleReply, Sink};
pub use tally::ErrorCounts;
pub(crate) use tls::Security;
pub use version::Protocol;
pub(crate) use wire::Patience;
