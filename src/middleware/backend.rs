use super::{Chain, Command, Next};
use crate::conn::{Batch, Deadline, Exchange, Pool, ReplyHandler, SingleReply, State, Wait};
use crate::error::{Error, Result};
use crate::protocol::{Reply, Request};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A server: its connection pool, behind the program's middleware if there is any.
#[derive(Debug, Clone)]
pub(crate) struct Backend {
    pool: Arc<Pool>,
    chain: Chain,
}

impl Backend {
    pub(crate) fn new(pool: Pool, chain: Chain) -> Self {
        let pool = Arc::new(pool);
        Self { pool, chain }
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The server, as messages name it.
    pub(crate) fn name(&self) -> &str {
        self.pool.name()
    }

    /// Sends the requests of `batch` and receives their replies, by `deadline`.
    #[inline]
    pub(crate) fn exchange(
        &self,
        batch: Batch<'_>,
        handler: &mut dyn ReplyHandler,
        deadline: Deadline,
    ) {
        if self.chain.0.is_empty() {
            return self.pool.exchange(batch, handler, deadline);
        }
        let replies = self.handle(batch, deadline);
        self.deliver(batch.first, replies, handler);
    }

    /// The same in steps, so that several servers work at the same time.
    pub(crate) fn converse<'a>(
        &self,
        batch: Batch<'a>,
        deadline: Deadline,
    ) -> Box<dyn Exchange + 'a> {
        if self.chain.0.is_empty() {
            return self.pool.converse(batch, deadline);
        }
        Box::new(Handling {
            backend: self.clone(),
            batch,
            deadline,
            replies: None,
        })
    }

    /// Counts a call that was made in steps. With middleware, what that sends has been counted: it does
    /// not know of calls.
    pub(crate) fn counted(&self, outcome: Result<(), &Error>, latency: Option<Duration>) {
        if self.chain.0.is_empty() {
            self.pool.counted(outcome, latency);
        }
    }

    /// Whether it has a connection, or needs none. Nothing is sent.
    pub(crate) fn is_connected(&self) -> bool {
        let inwards = self.chain.0.iter().rev();
        inwards.fold(self.pool.is_connected(), |next, middleware| {
            middleware.is_connected(self.name(), next)
        })
    }

    fn handle(&self, batch: Batch<'_>, deadline: Deadline) -> Vec<Result<Reply<'static>>> {
        let commands: Vec<Command<'_>> = batch.requests.iter().copied().map(Command).collect();
        let next = Next {
            backend: self,
            chain: &self.chain.0,
            deadline,
        };
        next.run(&commands)
    }

    /// Sends what the last middleware passes on.
    pub(super) fn send(
        &self,
        commands: &[Command<'_>],
        deadline: Deadline,
    ) -> Vec<Result<Reply<'static>>> {
        let requests: Vec<Request<'_>> = commands.iter().map(|command| command.0).collect();
        let mut replies: Vec<SingleReply> = Vec::new();
        replies.resize_with(requests.len(), SingleReply::default);
        if !requests.is_empty() {
            let batch = Batch {
                requests: &requests,
                first: 0,
                is_checked: false,
                // As the calls about servers do, which are those without keys.
                bypasses_breaker: requests.iter().all(|request| request.key().is_none()),
                is_many: requests.len() > 1,
                is_step: false,
            };
            // Middleware may have taken some of the time.
            let deadline = deadline.restarted(Instant::now());
            self.pool.exchange(batch, &mut replies, deadline);
        }
        replies.iter_mut().map(SingleReply::take).collect()
    }

    /// Hands over the replies to the requests from `first` on.
    fn deliver(
        &self,
        first: usize,
        replies: Vec<Result<Reply<'static>>>,
        handler: &mut dyn ReplyHandler,
    ) {
        for (place, reply) in (first..).zip(replies) {
            let end = reply.and_then(|reply| {
                let (lines, end) = reply.split();
                let mut lines = lines.into_iter();
                lines.try_for_each(|line| handler.line(place, line))?;
                Ok(end)
            });
            handler.reply(place, end.map_err(|error| error.on(self.name())));
        }
    }
}

/// A batch for middleware, which knows no steps: all of it is done where others connect, since both may
/// take until the deadline.
struct Handling<'a> {
    backend: Backend,
    batch: Batch<'a>,
    deadline: Deadline,
    replies: Option<Vec<Result<Reply<'static>>>>,
}

impl Exchange for Handling<'_> {
    fn begin(&mut self, _: Wait, _: &mut dyn ReplyHandler) -> State {
        State::Closed
    }

    fn open(&mut self) {
        self.replies = Some(self.backend.handle(self.batch, self.deadline));
    }

    fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    fn step(&mut self, _: Wait, handler: &mut dyn ReplyHandler) -> State {
        let Some(replies) = self.replies.take() else {
            return State::Closed;
        };
        self.backend.deliver(self.batch.first, replies, handler);
        State::Done
    }
}
