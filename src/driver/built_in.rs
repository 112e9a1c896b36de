use super::{Command, Deadline, Driver, Line, Replies, Reply, Value};
use crate::conn::{Batch, Circuit, Driver as _, Pool, Sink};
use crate::error::Error;
use crate::protocol::{self, Malformed, Part, Request, ValueHeader};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

/// A pool of connections as the program's own drivers see it.
pub(crate) struct BuiltIn(pub(crate) Arc<Pool>);

impl Driver for BuiltIn {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn run(&self, commands: &[Command<'_>], replies: &mut dyn Replies, deadline: Deadline) {
        if commands.is_empty() {
            return;
        }
        let requests: Vec<Request<'_>> = commands.iter().map(|command| command.0).collect();
        let batch = Batch {
            requests: &requests,
            first: 0,
            is_checked: false,
            // As the calls about servers have it, which are those without keys.
            insists: requests.iter().all(|request| request.key().is_none()),
            // Whose they are, is not said.
            is_many: requests.len() > 1,
            is_step: false,
        };
        let mut received = Received {
            replies: vec![None; requests.len()],
            lines: replies,
        };
        // The driver that passes them on may have taken some of the time.
        let deadline = deadline.resumed(Instant::now());
        self.0.exchange(batch, &mut received, deadline);
        let received = received.replies;
        for (index, reply) in received.into_iter().enumerate() {
            if let Some(reply) = reply {
                replies.reply(index, reply);
            }
        }
    }

    fn is_connected(&self) -> bool {
        self.0.is_connected()
    }

    fn is_down(&self) -> bool {
        self.0.circuit() == Circuit::Open
    }

    fn close(&self) {
        self.0.close();
    }
}

/// The last that came for each command: a first may turn out to be wrong.
struct Received<'r> {
    replies: Vec<Option<Reply<'static>>>,
    lines: &'r mut dyn Replies,
}

impl Received<'_> {
    fn put(&mut self, index: usize, reply: Reply<'static>) {
        if let Some(place) = self.replies.get_mut(index) {
            *place = Some(reply);
        }
    }
}

impl Sink for Received<'_> {
    fn value(&mut self, index: usize, header: ValueHeader, data: Vec<u8>) {
        let ValueHeader {
            flags,
            cas,
            details,
            ..
        } = header;
        let value = Value {
            flags,
            data: Cow::Owned(data),
            cas,
            details,
        };
        self.put(index, Reply::Value(value));
    }

    fn part(&mut self, index: usize, part: Part<'_>) -> Result<(), Malformed> {
        let flow = self.lines.line(index, Line::from(part));
        if flow.is_break() {
            return Err(Malformed::TooManyStats(super::collected::MAX_LINES));
        }
        Ok(())
    }

    fn reply(&mut self, index: usize, reply: protocol::Reply<'_>) {
        self.put(index, Reply::from(reply).into_owned());
    }

    fn failed(&mut self, index: usize, error: Error) {
        self.put(index, Reply::Failed(error));
    }
}
