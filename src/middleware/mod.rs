//! Middleware: code of the program's own between a client and its servers.
//!
//! A [`Middleware`] handles commands that are about to be sent to a server. It may pass them on, look at
//! them and at their replies, change either, or answer by itself.
//! [`ClientBuilder::middleware`](crate::ClientBuilder::middleware) adds one for all servers; the first
//! that is added is the first that is asked. Keys, values, placement, failure policies and pipelines work
//! with any of them in the same way.
//!
//! A function is one. This one counts what is sent:
//!
//! ```
//! # let server = moecache::testing::Server::start()?;
//! use moecache::middleware::{Command, Next, Reply};
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicUsize, Ordering};
//!
//! let count = Arc::new(AtomicUsize::new(0));
//! let counter = Arc::clone(&count);
//! let client = moecache::Client::builder()
//!     .servers(&server)
//!     .middleware(move |commands: &[Command<'_>], next: Next<'_>| {
//!         counter.fetch_add(commands.len(), Ordering::Relaxed);
//!         next.run(commands)
//!     })
//!     .build()?;
//! client.set("key", "value", 60)?;
//! client.get::<String>("key")?;
//! assert_eq!(count.load(Ordering::Relaxed), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This one lets nothing be deleted:
//!
//! ```
//! # let server = moecache::testing::Server::start()?;
//! use moecache::Result;
//! use moecache::middleware::{Command, Middleware, Next, Reply};
//!
//! struct Keep;
//!
//! impl Middleware for Keep {
//!     fn handle(&self, commands: &[Command<'_>], next: Next<'_>) -> Vec<Result<Reply<'static>>> {
//!         if commands.iter().all(|command| command.name() != "delete") {
//!             return next.run(commands);
//!         }
//!         // Those that come with it are refused as well: a pipeline is all or nothing here.
//!         let refused = |_| Ok(Reply::refused(b"SERVER_ERROR nothing is deleted here"));
//!         commands.iter().map(refused).collect()
//!     }
//! }
//!
//! let client = moecache::Client::builder().servers(&server).middleware(Keep).build()?;
//! client.set("key", "value", 60)?;
//! assert!(client.delete("key").unwrap_err().is_server());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! One that does not call [`Next::run`] stands in the place of the servers. This is a cache that is always
//! empty, for a program that is to run without any:
//!
//! ```
//! use moecache::Result;
//! use moecache::middleware::{Command, Middleware, Next, Reply, Status};
//!
//! struct NoOp;
//!
//! impl Middleware for NoOp {
//!     fn handle(&self, commands: &[Command<'_>], _: Next<'_>) -> Vec<Result<Reply<'static>>> {
//!         let reply = |command: &Command<'_>| match command.name() {
//!             "set" => Ok(Reply::Status(Status::Stored)),
//!             _ if command.key().is_some() => Ok(Reply::Status(Status::NotFound)),
//!             _ => Err(command.unsupported()),
//!         };
//!         commands.iter().map(reply).collect()
//!     }
//!
//!     fn is_connected(&self, _: &str, _: bool) -> bool {
//!         true
//!     }
//! }
//!
//! let client = moecache::Client::builder()
//!     .servers(["10.0.0.1", "10.0.0.2"])
//!     .middleware(NoOp)
//!     .build()?;
//! client.set("key", "value", 60)?;
//! assert_eq!(client.get::<String>("key")?, None);
//! # Ok::<(), moecache::Error>(())
//! ```
//!
//! The example `log_exchanges` prints every exchange.

// Layers: above `conn`, below `route`.

mod backend;
mod command;

pub(crate) use backend::Backend;
pub use command::Command;

pub use crate::protocol::{Counter, Hit, Line, Lines, Refused, Reply, SetReply, Status};

use crate::conn::Deadline;
use crate::error::{Error, Kind, Result};
use std::fmt;
use std::panic::RefUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Handles the commands for a server, on their way to it.
///
/// It is used by many threads at the same time: a call with keys on several servers asks it once for
/// each of them, in threads of their own. A panic in it is one in the call that it was for.
pub trait Middleware: Send + Sync + 'static {
    /// Carries out `commands`, and returns a reply to each of them, in the same order. Those for one key
    /// are to be carried out in their order.
    ///
    /// `next` is the middleware that was added after this one, or the connection pool.
    /// [`Next::run`] passes commands on, all or some of them, at once or in parts. [`Next::deadline`] says
    /// when the call must be over; nobody else sees to that.
    ///
    /// # Errors
    ///
    /// Each command has its own: [`Command::unsupported`], or for example
    /// [`Error::of_io`](crate::Error::of_io), which tells the [failure policy](crate::FailurePolicy)
    /// that the server failed. Where there are more or fewer replies than commands, nobody knows whose
    /// they are: each command then has a [protocol error](crate::Error::is_protocol), an
    /// [ambiguous](crate::Error::is_ambiguous) one if it is a write. A reply that is none for such a
    /// command is a protocol error, too.
    fn handle(&self, commands: &[Command<'_>], next: Next<'_>) -> Vec<Result<Reply<'static>>>;

    /// Whether `server` can be used without connecting first:
    /// [`Client::is_connected`](crate::Client::is_connected). `next` is what the next one says; the pool
    /// says whether it has a connection. It does no IO. Default: `next`.
    fn is_connected(&self, _server: &str, next: bool) -> bool {
        next
    }
}

impl<F> Middleware for F
where
    F: Fn(&[Command<'_>], Next<'_>) -> Vec<Result<Reply<'static>>> + Send + Sync + 'static,
{
    fn handle(&self, commands: &[Command<'_>], next: Next<'_>) -> Vec<Result<Reply<'static>>> {
        self(commands, next)
    }
}

/// The rest of the way to a server: the middleware that comes next, and behind the last the connection
/// pool.
#[derive(Clone, Copy)]
pub struct Next<'a> {
    backend: &'a Backend,
    chain: &'a [Arc<dyn Middleware>],
    deadline: Deadline,
}

impl Next<'_> {
    /// Returns the server, as [`Client::servers`](crate::Client::servers) and messages name it.
    #[must_use]
    pub fn server(&self) -> &str {
        self.backend.name()
    }

    /// Returns the moment by which the call must be over; `None` for never.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline.at()
    }

    /// Allows what comes next no more than `timeout` from now; nor more than it had.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        let deadline = self.deadline.min(Deadline::after(timeout, Instant::now()));
        Self { deadline, ..self }
    }

    /// Passes `commands` on, and returns a reply to each of them, in the same order. Those that are passed
    /// on together are sent together.
    ///
    /// # Errors
    ///
    /// Each command has its own.
    #[must_use]
    pub fn run(&self, commands: &[Command<'_>]) -> Vec<Result<Reply<'static>>> {
        let Some((first, chain)) = self.chain.split_first() else {
            return self.backend.send(commands, self.deadline);
        };
        let replies = first.handle(commands, Self { chain, ..*self });
        if replies.len() == commands.len() {
            let pairs = commands.iter().zip(replies);
            return pairs
                .map(|(command, reply)| command.check(reply?))
                .collect();
        }
        let (given, expected) = (replies.len(), commands.len());
        let error = |command: &Command<'_>| {
            let reason = format!("the middleware gave {given} replies to {expected} commands");
            let error = Error::new(Kind::Protocol, reason);
            Err(if command.is_write() {
                error.ambiguous()
            } else {
                error
            })
        };
        commands.iter().map(error).collect()
    }
}

impl fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next")
            .field("server", &self.server())
            .finish_non_exhaustive()
    }
}

/// The middleware of a client, the outermost first.
#[derive(Clone, Default)]
pub(crate) struct Chain(pub(crate) Vec<Arc<dyn Middleware>>);

/// It is asked again after a panic as any callback is; what it may have left half done is its own.
impl RefUnwindSafe for Chain {}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in a chain", self.0.len())
    }
}
