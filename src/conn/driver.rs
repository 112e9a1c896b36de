use super::deadline::Deadline;
use super::sink::Sink;
use super::stream::Patience;
use crate::protocol::Request;

/// Requests for one server.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "facts, and not states")]
pub(crate) struct Batch<'a> {
    pub(crate) requests: &'a [Request<'a>],
    /// The place of the first of them, by which the sink knows it.
    pub(crate) first: usize,
    /// Whether each is known to be one that the protocol can say, the same on all connections.
    pub(crate) is_checked: bool,
    /// Whether the server is to be asked even if it is taken to be down.
    pub(crate) insists: bool,
    /// Whether it is of a call for many keys, of which this server may have one.
    pub(crate) is_many: bool,
    /// Whether it is a part of a call that is [counted](super::Pool::counted) as a whole: unless the exchange
    /// fails, and so ends the call, it is not counted by itself.
    pub(crate) is_step: bool,
}

impl<'a> Batch<'a> {
    pub(crate) fn of(request: &'a Request<'a>) -> Self {
        Self {
            requests: std::slice::from_ref(request),
            first: 0,
            is_checked: false,
            insists: false,
            is_many: false,
            is_step: false,
        }
    }
}

/// A batch under way.
pub(crate) trait Exchange: Send {
    /// Begins with a connection that is there already, and sends what can be sent at once.
    fn begin(&mut self, patience: Patience, sink: &mut dyn Sink) -> State;

    /// Waits for a connection, or makes one. It can take until the deadline. If it fails, the next
    /// step says so.
    fn open(&mut self);

    /// Gives it more time, or less.
    fn set_deadline(&mut self, deadline: Deadline);

    /// Sends what can be sent, and reads the replies to some of it. Not to be called after `Done`.
    fn step(&mut self, patience: Patience, sink: &mut dyn Sink) -> State;
}

/// How an exchange stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It needs a connection: [`Exchange::open`] is next.
    Closed,
    Running,
    /// Not all that is under way could be sent or read while the patience lasted; or the sink
    /// [pauses](Sink::pauses).
    Waiting,
    /// The sink was told everything.
    Done,
}
