//! What a client tells of besides its results.

use crate::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// Something that happened on the way to a server: what
/// [`ClientBuilder::on_event`](crate::ClientBuilder::on_event) is told.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A connection was made.
    Connected {
        /// The server, as in [`Client::servers`](crate::Client::servers).
        server: &'a str,
    },
    /// A connection was closed.
    Closed {
        /// The server.
        server: &'a str,
        /// Why.
        reason: Closed<'a>,
    },
    /// The circuit breaker of a server opened: it failed, and is not tried for a while.
    Down {
        /// The server.
        server: &'a str,
        /// How it failed.
        error: &'a Error,
        /// When it is tried again, from now.
        retry_in: Duration,
    },
    /// The circuit breaker of a server closed: it answers again.
    Up {
        /// The server.
        server: &'a str,
    },
    /// A request is sent again, on a new connection: the server had closed the pooled one.
    Retried {
        /// The server.
        server: &'a str,
    },
    /// A failure that the caller sees as a miss:
    /// [`FailurePolicy::Miss`](crate::FailurePolicy::Miss).
    Missed {
        /// The server.
        server: &'a str,
        /// The error that the caller would have seen.
        error: &'a Error,
    },
}

/// Why a connection was closed.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Closed<'a> {
    /// A call on it failed, or the server closed it.
    Failed(&'a Error),
    /// While it idled, the server closed it or sent something, or was silent on another connection; or
    /// the process has forked.
    Stale,
    /// It idled for longer than [`idle_timeout`](crate::ClientBuilder::idle_timeout).
    Idle,
    /// More idled than [`max_idle_connections`](crate::ClientBuilder::max_idle_connections).
    Surplus,
    /// The client was [closed](crate::Client::close) or dropped, or the server is no more in its list.
    ByClient,
    /// The call that had it ended early: it panicked, or a list of keys was not read to its end.
    Abandoned,
}

/// Who is told of events, if anybody.
#[derive(Clone, Default)]
pub(crate) struct Hook(Option<Arc<dyn OnEvent>>);

/// A function that takes an event.
pub(crate) trait OnEvent: Fn(&Event<'_>) + Send + Sync {}

impl<F: Fn(&Event<'_>) + Send + Sync> OnEvent for F {}

/// What it may have left half done is its own.
impl RefUnwindSafe for Hook {}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Some(..)" } else { "None" })
    }
}

impl Hook {
    pub(crate) fn new(on_event: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(on_event)))
    }

    /// A panic of who is told is not one of the call that it is told of.
    pub(crate) fn tell(&self, event: &Event<'_>) {
        #[cfg(feature = "tracing")]
        let _ = catch_unwind(AssertUnwindSafe(|| trace::emit(event)));
        if let Some(on_event) = &self.0 {
            let _ = catch_unwind(AssertUnwindSafe(|| on_event(event)));
        }
    }
}

/// Events as those of the crate tracing.
#[cfg(feature = "tracing")]
mod trace {
    use super::{Closed, Event};
    use crate::error::Error;
    use std::fmt;
    use tracing::{debug, info, warn};

    pub(super) fn emit(event: &Event<'_>) {
        match *event {
            Event::Connected { server } => debug!(target: "moecache", server, "connected"),
            Event::Closed {
                server,
                reason: Closed::Failed(error),
            } => {
                debug!(target: "moecache", server, reason = "failed", error = %Shown(error), "closed");
            }
            Event::Closed { server, reason } => {
                debug!(target: "moecache", server, reason = name(&reason), "closed");
            }
            Event::Down {
                server,
                error,
                retry_in,
            } => warn!(target: "moecache", server, error = %Shown(error), ?retry_in, "down"),
            Event::Up { server } => info!(target: "moecache", server, "up"),
            Event::Retried { server } => debug!(target: "moecache", server, "retried"),
            Event::Missed { server, error } => {
                warn!(target: "moecache", server, error = %Shown(error), "missed");
            }
        }
    }

    fn name(reason: &Closed<'_>) -> &'static str {
        match reason {
            Closed::Failed(_) => "failed",
            Closed::Stale => "stale",
            Closed::Idle => "idle",
            Closed::Surplus => "surplus",
            Closed::ByClient => "by client",
            Closed::Abandoned => "abandoned",
        }
    }

    /// An error, with its causes, and without what the server said: that may have keys or values in it.
    struct Shown<'a>(&'a Error);

    impl fmt::Display for Shown<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let Self(error) = self;
            if error.is_protocol() {
                f.write_str("the server broke the protocol")
            } else if error.is_server() {
                f.write_str("the server answered with an error")
            } else {
                write!(f, "{error:#}")
            }
        }
    }
}
