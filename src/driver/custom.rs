use super::collected::Collected;
use super::{BuiltIn, Command, Deadline, Driver};
use crate::conn::{
    self, Batch, Circuit, Driver as _, Exchange, Patience, Pool, Sink, Snapshot, State,
};
use crate::error::Error;
use std::fmt;
use std::ops::Deref;
use std::panic::RefUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// A server with a driver of the program's own.
pub(crate) struct Custom {
    driver: Arc<dyn Driver>,
    /// What the driver may use, and what is counted.
    pool: Arc<Pool>,
}

/// The program's driver is asked again after a panic as any callback is; what it may have left half done
/// is its own.
impl RefUnwindSafe for Custom {}

impl Custom {
    /// The driver that `make` makes of the built-in one.
    pub(crate) fn new(pool: Pool, make: impl FnOnce(Arc<dyn Driver>) -> Arc<dyn Driver>) -> Self {
        let pool = Arc::new(pool);
        let driver = make(Arc::new(BuiltIn(Arc::clone(&pool))));
        Self { driver, pool }
    }

    fn run(&self, batch: Batch<'_>, deadline: Deadline) -> Collected {
        let commands: Vec<Command<'_>> = batch.requests.iter().copied().map(Command).collect();
        let mut collected = Collected::new(commands.len());
        self.driver.run(&commands, &mut collected, deadline);
        collected
    }
}

impl conn::Driver for Custom {
    fn name(&self) -> &str {
        self.driver.name()
    }

    fn exchange(&self, batch: Batch<'_>, sink: &mut dyn Sink, deadline: Deadline) {
        let collected = self.run(batch, deadline);
        collected.tell(self.name(), batch.requests, batch.first, sink);
    }

    fn converse<'a>(&'a self, batch: Batch<'a>, deadline: Deadline) -> Box<dyn Exchange + 'a> {
        Box::new(Run {
            custom: self,
            batch,
            deadline,
            collected: None,
        })
    }

    fn converse_on(
        self: Arc<Self>,
        batch: Batch<'static>,
        deadline: Deadline,
    ) -> Box<dyn Exchange> {
        Box::new(Run {
            custom: self,
            batch,
            deadline,
            collected: None,
        })
    }

    /// The steps are counted, where they go through the pool: a driver does not know of calls.
    fn counted(&self, _: Result<(), &Error>, _: Option<Duration>) {}

    fn missed(&self, error: &Error) {
        self.pool.missed(error);
    }

    fn circuit(&self) -> Circuit {
        if self.driver.is_down() {
            return Circuit::Open;
        }
        self.pool.circuit()
    }

    fn is_connected(&self) -> bool {
        self.driver.is_connected()
    }

    fn close(&self) {
        self.driver.close();
        self.pool.close();
    }

    fn snapshot(&self) -> Snapshot {
        self.pool.snapshot()
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custom")
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}

/// A batch for a driver that knows no steps: all of it is done where others connect, since both may take
/// until the deadline.
struct Run<'a, C> {
    custom: C,
    batch: Batch<'a>,
    deadline: Deadline,
    collected: Option<Collected>,
}

impl<C: Deref<Target = Custom> + Send> Exchange for Run<'_, C> {
    fn begin(&mut self, _: Patience, _: &mut dyn Sink) -> State {
        State::Closed
    }

    fn open(&mut self) {
        self.collected = Some(self.custom.run(self.batch, self.deadline));
    }

    fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    fn step(&mut self, _: Patience, sink: &mut dyn Sink) -> State {
        let Some(collected) = self.collected.take() else {
            return State::Closed;
        };
        let Batch {
            requests, first, ..
        } = self.batch;
        collected.tell(self.custom.name(), requests, first, sink);
        State::Done
    }
}
