//! What stands between a client and a server: the built-in drivers, which speak memcached's protocols
//! over a pool of connections, and those of a program's own.
//!
//! A [`Driver`] carries out commands for one server. A program may put one in front of the built-in one,
//! to see or to change what goes through it, or in its place:
//! [`ClientBuilder::driver`](crate::ClientBuilder::driver) asks for one for each server. Keys, values,
//! placement, failure policies and pipelines work with any of them in the same way.
//!
//! One in its place, of a cache that is always empty, for a program that is to run without servers:
//!
//! ```
//! use moecache::Client;
//! use moecache::driver::{Command, Deadline, Driver, Replies, Reply};
//! use std::sync::Arc;
//!
//! struct NoOp(String);
//!
//! impl Driver for NoOp {
//!     fn name(&self) -> &str {
//!         &self.0
//!     }
//!
//!     fn run(&self, commands: &[Command<'_>], replies: &mut dyn Replies, _: Deadline) {
//!         for (index, command) in commands.iter().enumerate() {
//!             let reply = if command.name() == "set" { Reply::Stored } else { Reply::NotFound };
//!             replies.reply(index, reply);
//!         }
//!     }
//! }
//!
//! let client = Client::builder()
//!     .servers(["10.0.0.1", "10.0.0.2"])
//!     .driver(|_, built_in| Arc::new(NoOp(built_in.name().to_owned())))
//!     .build()?;
//! client.set("key", "value", 60)?;
//! assert_eq!(client.get::<String>("key")?, None);
//! # Ok::<(), moecache::Error>(())
//! ```
//!
//! One in front, that lets nothing be deleted:
//!
//! ```
//! # let server = moecache::testing::Server::start()?;
//! use moecache::Client;
//! use moecache::driver::{Command, Deadline, Driver, Replies, Reply};
//! use std::sync::Arc;
//!
//! struct Keep(Arc<dyn Driver>);
//!
//! impl Driver for Keep {
//!     fn name(&self) -> &str {
//!         self.0.name()
//!     }
//!
//!     fn is_connected(&self) -> bool {
//!         self.0.is_connected()
//!     }
//!
//!     fn run(&self, commands: &[Command<'_>], replies: &mut dyn Replies, deadline: Deadline) {
//!         if commands.iter().all(|command| command.name() != "delete") {
//!             return self.0.run(commands, replies, deadline);
//!         }
//!         // Those that come with it are refused as well: a pipeline is all or nothing here.
//!         for index in 0..commands.len() {
//!             replies.reply(index, Reply::Refused(b"SERVER_ERROR nothing is deleted here".into()));
//!         }
//!     }
//! }
//!
//! let client = Client::builder()
//!     .servers(&server)
//!     .driver(|_, built_in| Arc::new(Keep(built_in)))
//!     .build()?;
//! client.set("key", "value", 60)?;
//! assert!(client.delete("key").unwrap_err().is_server());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The example `log_exchanges` writes down every exchange.

// Layers: above `conn`, below `route`.

mod built_in;
mod collected;
mod command;
mod custom;
mod reply;

pub(crate) use built_in::BuiltIn;
pub use command::Command;
pub(crate) use custom::Custom;
pub use reply::{Line, MetaReply, Replies, Reply, Value};

pub use crate::conn::Deadline;

use crate::locator::Node;
use std::fmt;
use std::panic::RefUnwindSafe;
use std::sync::Arc;

/// Carries out the commands for one server.
///
/// It is used by many threads at the same time. A panic in it is one in the call that it was for.
pub trait Driver: Send + Sync {
    /// The server, as [`Client::servers`](crate::Client::servers) and messages name it. Must always be
    /// the same.
    fn name(&self) -> &str;

    /// Carries out `commands`, those for one key in their order, and gives each of them one reply: by
    /// its place, in any order, before it returns. It returns by `deadline`; nobody else sees to that.
    /// For a call with keys on several servers, each server's driver runs in a thread of its own.
    ///
    /// A command that is left without a reply, or has two, or one that is none for such a command, ends
    /// in a [protocol error](crate::Error::is_protocol), for a write an
    /// [ambiguous](crate::Error::is_ambiguous) one; and so do all of them if there is a reply for a
    /// place that is not there: nobody knows then whose the others are. They are looked at when it has
    /// returned, so that the replies to a call are all in memory at one time.
    ///
    /// A driver in front of another may pass on some of them, in any number of parts: the other counts
    /// those that it is given.
    ///
    /// Commands that are only known to the built-in drivers, such as the meta commands, are for a driver
    /// of one's own to [refuse](Reply::unsupported).
    fn run(&self, commands: &[Command<'_>], replies: &mut dyn Replies, deadline: Deadline);

    /// Whether it has a connection to the server, or needs none: the default. It does no IO. A driver in
    /// front of another passes this on.
    fn is_connected(&self) -> bool {
        true
    }

    /// Whether the server is known not to answer, so that
    /// [`FailurePolicy::Rehash`](crate::FailurePolicy::Rehash) has others take its keys. Asked before
    /// each command, of a driver that knows by itself. By default no more is known than the built-in
    /// driver does, if that is used.
    fn is_down(&self) -> bool {
        false
    }

    /// Closes what is open; what is in use as it finishes. It is used again afterwards. The connections
    /// of the built-in driver are closed besides. By default nothing is done.
    fn close(&self) {}
}

/// Makes the program's own drivers.
#[derive(Clone)]
pub(crate) struct MakeDriver(pub(crate) Arc<Make>);

type Make = dyn Fn(&Node, Arc<dyn Driver>) -> Arc<dyn Driver> + Send + Sync;

/// It is asked for a driver, and nothing it may have left half done is looked at.
impl RefUnwindSafe for MakeDriver {}

impl fmt::Debug for MakeDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}
