//! Sockets: from a batch of requests to their replies before a deadline, and the connections to a
//! server.
//!
//! A [`Pool`] of connections is a server to the layers above; `crate::middleware` lets a program put its
//! own code in front of it, or in its place.
//! From the top: `exchange` drives a batch over a connection, `pool` leases connections and asks the
//! circuit breaker, `connect` makes them, `connection` sends requests and receives replies, `tls`
//! encrypts, `wire` is the socket with deadlines.
//! An `Err` in here means that the connection is dead. May use the leaves and the protocol.

mod breaker;
mod connect;
mod connection;
mod deadline;
mod exchange;
mod fault;
mod handler;
mod histogram;
mod metrics;
mod options;
mod pool;
mod resolve;
#[cfg(fuzzing)]
mod scripted;
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
mod tls;
mod version;
mod wire;

pub(crate) use breaker::{BackOff, Circuit};
pub(crate) use deadline::Deadline;
pub(crate) use exchange::{Batch, Exchange, State};
pub(crate) use handler::{ReplyHandler, SingleReply};
pub use histogram::Latency;
pub use metrics::ErrorCounts;
pub(crate) use options::Options;
pub(crate) use pool::Pool;
pub(crate) use resolve::first_ipv4;
#[cfg(fuzzing)]
pub(crate) use scripted::Peer;
pub(crate) use tls::Security;
pub use version::Protocol;
pub(crate) use wire::Wait;
