//! What a connection asks of a protocol: bytes in, replies out, no socket.

use super::process::{Process, State};
use std::fmt::Debug;

/// How much memcached buffers of a command (`READ_BUFFER_SIZE`).
pub(crate) const BUFFER: usize = 16 * 1024;

/// How many commands memcached runs before it sends the replies, even if there is more to read
/// (`-R`). It starts counting after the first one that follows a wait.
const COMMANDS_PER_TURN: u32 = 20;

/// The protocol's side of one connection.
pub(crate) trait Session: Debug {
    /// Handles at most one command, or one piece of a value.
    fn step(&mut self, input: &[u8], process: &Process) -> Step;

    /// What the connection does when it waits for input. Replies are sent before only if that is
    /// [`State::Reading`]: memcached keeps them back while it waits for the rest of a value.
    fn waiting(&self) -> State;

    /// How much to read at once, when so much is buffered already.
    fn room(&self, buffered: usize) -> usize;

    /// Makes a reply look like one to another request, see
    /// [`Fault::Misaddressed`](super::fault::Fault::Misaddressed).
    fn misaddress(&self, reply: &mut [u8]);

    /// The replies that are still to be sent.
    fn outbox(&mut self) -> &mut Outbox;
}

/// What a session made of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    NeedMore,
    /// So many bytes were used; go on with the rest.
    Used(usize),
    /// So many bytes were used; go on with the rest when there is more to read.
    Pause(usize),
    /// Send the replies, then close.
    Quit,
    /// Close at once; unsent replies are lost.
    Close,
}

/// Replies that are not sent yet. Which ones these are can be seen from outside: closing a
/// connection takes them back, and so does an overlong key in a get.
#[derive(Debug)]
pub(crate) struct Outbox {
    replies: Vec<Vec<u8>>,
    must_flush: bool,
    /// How many commands more may run before the replies are sent.
    turn: u32,
}

/// Puts another letter in place of the first one.
pub(crate) fn alter(word: &mut [u8]) {
    if let Some(first) = word.first_mut() {
        *first = if *first == b'x' { b'y' } else { b'x' };
    }
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self {
            replies: Vec::new(),
            must_flush: false,
            turn: COMMANDS_PER_TURN,
        }
    }

    /// Adds the reply to one command; an empty one is none.
    pub(crate) fn push(&mut self, reply: Vec<u8>) {
        if !reply.is_empty() {
            self.replies.push(reply);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.replies.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.replies.is_empty()
    }

    /// The replies are to be sent before anything else.
    pub(crate) fn flush(&mut self) {
        self.must_flush = true;
    }

    pub(crate) fn must_flush(&self) -> bool {
        self.must_flush
    }

    pub(crate) fn take(&mut self) -> Vec<Vec<u8>> {
        self.must_flush = false;
        std::mem::take(&mut self.replies)
    }

    /// A command has run.
    pub(crate) fn finish_command(&mut self, process: &Process) {
        if let Some(left) = self.turn.checked_sub(1) {
            self.turn = left;
        } else {
            self.must_flush = true;
            self.turn = COMMANDS_PER_TURN - 1;
            process.store().counters.conn_yields += 1;
        }
    }

    /// New input came after a wait.
    pub(crate) fn woken(&mut self) {
        self.turn = COMMANDS_PER_TURN;
    }
}
