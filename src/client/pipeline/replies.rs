use super::super::Client;
use super::super::call;
use super::super::many::ByKey;
use crate::error::{Error, Result};
use crate::protocol::Reply;
use crate::route::Topology;
use std::fmt;
use std::sync::Arc;

/// What came of the commands of a [`Pipeline`](super::Pipeline).
pub struct Replies<'a> {
    pub(super) client: &'a Client,
    pub(super) topology: Arc<Topology>,
    /// The pipeline's id.
    pub(super) pipeline: u64,
    pub(super) results: Vec<Replied>,
}

/// What came of one.
pub(super) struct Replied {
    pub(super) reply: Option<Result<Reply<'static>>>,
    /// The server that was asked, by its place in the list.
    pub(super) server: usize,
    pub(super) operation: &'static str,
}

/// The result of a command of a [`Pipeline`](super::Pipeline), once it has run: see
/// [`Replies::take`].
#[must_use = "the command may fail"]
pub struct Pending<T> {
    /// The pipeline's id.
    pub(super) pipeline: u64,
    pub(super) index: usize,
    pub(super) meaning: fn(&Client, Reply<'static>) -> Result<T>,
}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pending").field(&self.index).finish()
    }
}

impl Replies<'_> {
    /// The result of one command.
    ///
    /// # Errors
    ///
    /// Those that the same call on [`Client`] has. A validation error if `pending` is of another
    /// pipeline.
    #[expect(clippy::needless_pass_by_value, reason = "a result is taken once")]
    pub fn take<T>(&mut self, pending: Pending<T>) -> Result<T> {
        let replied = self.results.get_mut(pending.index);
        let Some(replied) = replied.filter(|_| pending.pipeline == self.pipeline) else {
            return Err(Error::validation("pending: it is of another pipeline"));
        };
        let reply = replied
            .reply
            .take()
            .unwrap_or_else(|| Err(call::no_reply()));
        // What was refused before it was sent is about no server.
        let result = reply.and_then(|reply| {
            let value = (pending.meaning)(self.client, reply);
            value.map_err(|error| error.on(self.topology.backend(replied.server).name()))
        });
        result.map_err(|error| error.during(replied.operation))
    }
}

impl fmt::Debug for Replies<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replies")
            .field("len", &self.results.len())
            .finish_non_exhaustive()
    }
}

impl ByKey for Vec<Replied> {
    fn reply(&mut self, command: usize, server: usize, reply: Result<Reply<'_>>) {
        self[command].reply = Some(reply.map(Reply::into_owned));
        self[command].server = server;
    }
}
