use super::super::Client;
use super::super::answer::Answer;
use super::super::many::{Plan, unanswered};
use crate::conn::{Driver, Sink};
use crate::error::{Error, Result};
use crate::protocol::{Reply, ValueHeader};
use std::fmt;

/// What came of the commands of a [`Pipeline`].
pub struct Replies<'a> {
    pub(super) client: &'a Client,
    pub(super) replies: Vec<Replied>,
}

/// What came of one.
pub(super) struct Replied {
    pub(super) answer: Option<Result<Answer>>,
    /// The server that it was for, by its place in the list.
    pub(super) server: usize,
    pub(super) operation: &'static str,
}

/// The result of a command of a [`Pipeline`], once it has run: see [`Replies::take`].
#[must_use = "the command may fail"]
pub struct Pending<T> {
    pub(super) index: usize,
    pub(super) meaning: fn(&Client, Answer, &dyn Driver) -> Result<T>,
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
    /// pipeline that was longer.
    #[expect(clippy::needless_pass_by_value, reason = "a result is taken once")]
    pub fn take<T>(&mut self, pending: Pending<T>) -> Result<T> {
        let Some(replied) = self.replies.get_mut(pending.index) else {
            return Err(Error::validation("pending: it is of another pipeline"));
        };
        let driver = self.client.shared.topology.driver(replied.server);
        let answer = replied.answer.take().unwrap_or_else(|| Err(unanswered()));
        let result = answer.and_then(|answer| (pending.meaning)(self.client, answer, driver));
        result.map_err(|error| error.during(replied.operation))
    }
}

impl fmt::Debug for Replies<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replies")
            .field("len", &self.replies.len())
            .finish_non_exhaustive()
    }
}

/// Collects answers in the order of the commands.
pub(super) struct Collected<'p> {
    pub(super) plan: &'p Plan<'p>,
    /// Where the last answer's request was found.
    pub(super) last: usize,
    pub(super) answers: Vec<Option<Result<Answer>>>,
}

impl Collected<'_> {
    fn push(&mut self, place: usize, answer: Result<Answer>) {
        let (command, _) = self.plan.at(place, &mut self.last);
        self.answers[command] = Some(answer);
    }
}

impl Sink for Collected<'_> {
    fn value(&mut self, place: usize, header: ValueHeader, data: Vec<u8>) {
        self.push(place, Ok(Answer::item(header, data)));
    }

    fn reply(&mut self, place: usize, reply: Reply<'_>) {
        self.push(place, Ok(reply.into()));
    }

    fn failed(&mut self, place: usize, error: Error) {
        self.push(place, Err(error));
    }
}
