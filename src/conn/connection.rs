use super::deadline::Deadline;
use super::fault::Fault;
use super::stream::Stream;
use crate::protocol::text::{self, Decoder};
use crate::protocol::{Excerpt, Malformed, Refused, Reply, Request, Status, Step, ValueHeader};
use std::io::{IoSlice, IoSliceMut};
use std::time::{Duration, Instant};

/// The size of the input buffer: a small value with all that surrounds it, in one read.
const INPUT: usize = 16 << 10;

/// The longest value that is copied behind its command line; above it, a gathering write is cheaper.
const INLINE_MAX: usize = 16 << 10;

/// How much a value's buffer grows ahead of the bytes received: a server that claims a gigabyte
/// costs no more than this.
const GROWTH: usize = 1 << 20;

/// How long a connection may idle before it is looked at again.
const IDLE: Duration = Duration::from_millis(1);

/// A connection to one server, with at most one request under way.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Stream,
    input: Input,
    output: Vec<u8>,
    last_used: Instant,
    /// Whether a reply has come on it.
    has_served: bool,
    /// The process that made it. After a fork the socket belongs to the parent.
    process: u32,
    progress: Progress,
}

/// How far the current request got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Progress {
    /// The reply was read to its end, and nothing is left over.
    Clean,
    /// Not all of the request has been handed to the kernel.
    Sending,
    /// All of it has; nothing of the reply has come.
    Sent,
    /// Some of the reply has come; or all of it, on a connection that must not be used again.
    Receiving,
}

/// What the server made of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    Status(Status),
    /// An error line of the server, escaped and cut.
    Refused(Excerpt),
}

/// Takes what a reply holds besides its status. The decoder lets through only what the request can
/// bring, so each kind of request needs only its own half.
pub(crate) trait Sink {
    /// A value comes; its bytes go into the returned buffer, in place of what it holds.
    fn value(&mut self, _header: ValueHeader) -> Result<&mut Vec<u8>, Malformed> {
        Err(Malformed::Unexpected(Excerpt::new(b"VALUE")))
    }

    /// A line of `stats`.
    fn stat(&mut self, _name: &[u8], _value: &[u8]) -> Result<(), Malformed> {
        Err(Malformed::Unexpected(Excerpt::new(b"STAT")))
    }
}

/// For replies that are only a status.
impl Sink for () {}

impl Connection {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            input: Input::new(),
            output: Vec::new(),
            last_used: Instant::now(),
            has_served: false,
            process: std::process::id(),
            progress: Progress::Clean,
        }
    }

    /// Whether it can take another request: one that idled may have been closed, or sent something
    /// that no one asked for, or come through a fork.
    pub(super) fn is_usable(&self) -> bool {
        self.last_used.elapsed() < IDLE
            || (self.process == std::process::id() && self.stream.is_quiet())
    }

    pub(super) fn last_used(&self) -> Instant {
        self.last_used
    }

    pub(super) fn progress(&self) -> Progress {
        self.progress
    }

    /// Sends `request` and receives its reply.
    pub(super) fn exchange(
        &mut self,
        request: &Request<'_>,
        max_value: usize,
        sink: &mut dyn Sink,
        deadline: Deadline,
    ) -> Result<Answer, Fault> {
        match self.send(request, deadline) {
            Err(Fault::Lost(_)) if self.was_turned_away(deadline) => Err(Fault::TooManyConnections),
            Err(fault) => Err(fault),
            Ok(()) => self.receive(request, max_value, sink, deadline),
        }
    }

    /// Whether a connection on which nothing can be sent was closed by the server with the words
    /// that it has too many. A read on it waits for nothing.
    fn was_turned_away(&mut self, deadline: Deadline) -> bool {
        !self.has_served
            && self.input.fill(&mut self.stream, deadline).is_ok()
            && self
                .input
                .bytes()
                .starts_with(Refused::TOO_MANY_CONNECTIONS)
    }

    fn send(&mut self, request: &Request<'_>, deadline: Deadline) -> Result<(), Fault> {
        self.progress = Progress::Sending;
        self.output.clear();
        match text::encode(request, INLINE_MAX, &mut self.output) {
            None => self
                .stream
                .write_all(&mut [IoSlice::new(&self.output)], deadline)?,
            Some((value, end)) => {
                let parts = [&self.output, value, end];
                self.stream
                    .write_all(&mut parts.map(IoSlice::new), deadline)?;
            }
        }
        self.progress = Progress::Sent;
        Ok(())
    }

    fn receive(
        &mut self,
        request: &Request<'_>,
        max_value: usize,
        sink: &mut dyn Sink,
        deadline: Deadline,
    ) -> Result<Answer, Fault> {
        let mut decoder = Decoder::new(request, max_value);
        let mut reusable = !request.reply_end_is_uncertain();
        loop {
            let answer = match decoder.decode(self.input.bytes())? {
                Step::NeedMore => {
                    self.input.fill(&mut self.stream, deadline)?;
                    self.progress = Progress::Receiving;
                    continue;
                }
                Step::Value { used, header } => {
                    self.input.consume(used);
                    self.read_value(header.length, sink.value(header)?, deadline)?;
                    continue;
                }
                Step::Line { used, reply } => {
                    let answer = match reply {
                        Reply::Status(status) => Answer::Status(status),
                        Reply::Stat { name, value } => {
                            sink.stat(name, value)?;
                            Answer::Status(Status::Ok)
                        }
                        Reply::Refused(refused)
                            if !self.has_served && refused.is_too_many_connections() =>
                        {
                            return Err(Fault::TooManyConnections);
                        }
                        Reply::Refused(Refused { line, by_grammar }) => {
                            // The server may take the value for further commands.
                            reusable &= !(by_grammar && request.is_storage());
                            Answer::Refused(Excerpt::new(line))
                        }
                    };
                    self.input.consume(used);
                    answer
                }
            };
            if decoder.is_done() {
                if reusable && self.input.bytes().is_empty() {
                    self.progress = Progress::Clean;
                }
                self.has_served = true;
                self.last_used = Instant::now();
                return Ok(answer);
            }
        }
    }

    /// Reads `length` bytes in place of what `into` holds: what the input buffer has of them, and the
    /// rest from the socket straight to where it belongs.
    fn read_value(
        &mut self,
        length: usize,
        into: &mut Vec<u8>,
        deadline: Deadline,
    ) -> Result<(), Fault> {
        let buffered = length.min(self.input.bytes().len());
        if buffered == length {
            into.clear();
            into.extend_from_slice(&self.input.bytes()[..length]);
            self.input.consume(length);
            return Ok(());
        }
        // What the buffer holds is written over, so that one used again need not be zeroed again.
        into.truncate(length);
        let first = length.min(GROWTH);
        if into.capacity() == 0 {
            *into = vec![0; first];
        } else if into.len() < first {
            into.reserve_exact(first - into.len());
            into.resize(first, 0);
        }
        into[..buffered].copy_from_slice(&self.input.bytes()[..buffered]);
        self.input.consume(buffered);
        let mut filled = buffered;
        while filled < length {
            if filled == into.len() {
                into.resize(length.min(filled + GROWTH), 0);
            }
            let room = into.len() - filled;
            let mut parts = [&mut into[filled..], self.input.space()].map(IoSliceMut::new);
            // With the end of the value comes the end of the reply: one call less.
            let parts = if filled + room == length {
                &mut parts[..]
            } else {
                &mut parts[..1]
            };
            let read = self.stream.read(parts, deadline)?;
            self.input.received(read.saturating_sub(room));
            filled += read.min(room);
        }
        Ok(())
    }
}

/// Bytes received and not used yet.
#[derive(Debug)]
struct Input {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Input {
    fn new() -> Self {
        Self {
            buffer: vec![0; INPUT].into(),
            start: 0,
            end: 0,
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn consume(&mut self, used: usize) {
        self.start += used;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Reads once. There is always room: the decoder asks for more only within a line, and the
    /// buffer holds several of the longest.
    fn fill(&mut self, stream: &mut Stream, deadline: Deadline) -> Result<(), Fault> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let read = stream.read(&mut [IoSliceMut::new(self.space())], deadline)?;
        self.received(read);
        Ok(())
    }

    /// Where the next bytes go.
    fn space(&mut self) -> &mut [u8] {
        &mut self.buffer[self.end..]
    }

    fn received(&mut self, bytes: usize) {
        self.end += bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_connection_of_another_process_is_not_used() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = Stream::connect(listener.local_addr().unwrap(), None).unwrap();
        let mut connection = Connection::new(stream);
        while connection.last_used.elapsed() < 2 * IDLE {
            std::thread::yield_now();
        }
        assert!(connection.is_usable());
        connection.process += 1;
        assert!(!connection.is_usable());
    }
}
