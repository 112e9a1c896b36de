//! Faults: what a server does wrong, and when.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Something for an embedded server to do wrong, given to
/// [`Server::inject`](super::Server::inject) or
/// [`Server::inject_always`](super::Server::inject_always).
///
/// All but [`Refuse`](Self::Refuse) and [`TooManyConnections`](Self::TooManyConnections) concern a
/// reply: all that the server answers to one command, the values of a whole get included. The
/// command itself is carried out. A command without a reply (`noreply`, `quit`, what is quiet in the
/// meta commands and the binary protocol) uses up no fault. A fault is the same in all protocols.
///
/// ```
/// use moecache::testing::{Fault, Server};
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// let server = Server::start()?;
/// server.inject(Fault::Cut { after: 9 });
/// let mut stream = TcpStream::connect(server.address())?;
/// stream.write_all(b"version\r\n")?;
/// let mut reply = String::new();
/// stream.read_to_string(&mut reply)?;
/// assert_eq!(reply, "VERSION 1");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing: the reply is sent as it is. In a [script](super::Server::inject_script), for those
    /// before the one that is to fail.
    Pass,
    /// The reply is sent this much later. Meanwhile the connection reads nothing, so a client that
    /// goes on writing is blocked in the end.
    Delay(Duration),
    /// The reply is sent one byte at a time, with such a pause before each.
    Drip(Duration),
    /// Only the first bytes of the reply are sent, then the connection is closed.
    Cut {
        /// How many bytes are sent; 0 closes without an answer.
        after: usize,
    },
    /// As [`Cut`](Self::Cut), but the connection is reset (TCP RST) and not closed in order. (A unix
    /// socket knows no reset; there it is the same.)
    Reset {
        /// How many bytes are sent before.
        after: usize,
    },
    /// These bytes are sent instead of the reply.
    Garbage(Vec<u8>),
    /// These bytes are sent right after the reply.
    Surplus(Vec<u8>),
    /// The reply seems to be one to another request, as when replies got out of step with requests:
    /// its keys and opaques are others, of the same length. A reply without any stays as it is; so do
    /// the values in it.
    Misaddressed,
    /// Nothing is answered, and the connection stays open.
    Swallow,
    /// A new connection is accepted and closed at once. (For a refused one,
    /// [stop](super::Server::stop) the server.)
    Refuse,
    /// A new connection is told `ERROR Too many open connections` and closed, as memcached does
    /// beyond `-c`.
    TooManyConnections,
}

impl Fault {
    fn concerns(&self) -> Occasion {
        match self {
            Self::Refuse | Self::TooManyConnections => Occasion::Connection,
            _ => Occasion::Reply,
        }
    }
}

/// What a fault may happen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    Connection,
    Reply,
}

/// The faults that a server has yet to commit.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    script: Mutex<Script>,
    /// Signalled when a pause may have to end early.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Script {
    connection: Queue,
    reply: Queue,
    /// How often the faults were cleared: a pause ends when its fault is cleared.
    cleared: u64,
    /// The server is stopping: nobody pauses any more.
    stopped: bool,
}

#[derive(Debug, Default)]
struct Queue {
    next: VecDeque<Fault>,
    /// What happens once `next` is empty.
    always: Option<Fault>,
}

/// How long a fault that was taken may pause.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket(u64);

impl Faults {
    pub(crate) fn once(&self, fault: Fault) {
        self.lock().queue(fault.concerns()).next.push_back(fault);
    }

    /// One after the other, and none that others give in between.
    pub(crate) fn script(&self, faults: Vec<Fault>) {
        let mut script = self.lock();
        for fault in faults {
            script.queue(fault.concerns()).next.push_back(fault);
        }
    }

    /// How many are to happen once.
    pub(crate) fn pending(&self) -> usize {
        let script = self.lock();
        script.connection.next.len() + script.reply.next.len()
    }

    pub(crate) fn always(&self, fault: Fault) {
        let occasion = fault.concerns();
        self.lock().queue(occasion).always = Some(fault);
    }

    pub(crate) fn clear(&self) {
        let mut script = self.lock();
        script.connection = Queue::default();
        script.reply = Queue::default();
        script.cleared += 1;
        self.changed.notify_all();
    }

    pub(crate) fn start(&self) {
        self.lock().stopped = false;
    }

    pub(crate) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    pub(crate) fn take(&self, occasion: Occasion) -> Option<(Fault, Ticket)> {
        let mut script = self.lock();
        let ticket = Ticket(script.cleared);
        let queue = script.queue(occasion);
        let fault = queue.next.pop_front().or_else(|| queue.always.clone())?;
        Some((fault, ticket))
    }

    /// Returns after that time, or as soon as the faults are cleared or the server is stopped.
    pub(crate) fn pause(&self, pause: Duration, ticket: Ticket) {
        let awake = self
            .changed
            .wait_timeout_while(self.lock(), pause, |script| {
                !script.stopped && script.cleared == ticket.0
            });
        drop(awake);
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Script {
    fn queue(&mut self, occasion: Occasion) -> &mut Queue {
        match occasion {
            Occasion::Connection => &mut self.connection,
            Occasion::Reply => &mut self.reply,
        }
    }
}
