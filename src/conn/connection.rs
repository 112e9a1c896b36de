use super::deadline::Deadline;
use super::fault::Fault;
use super::handler::ReplyHandler;
use super::input::Input;
use super::metrics::{Account, Answers};
use super::stream::Stream;
use super::wire::{StepEnd, Wait};
use crate::error::{Error, Kind};
use crate::protocol::{
    Bounds, Decoder, Dialect, Hit, Limits, Output, Refused, Reply, Request, Step, ValueHeader,
    Window,
};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{IoSlice, IoSliceMut};
use std::time::{Duration, Instant};

/// How long a connection may idle before it is looked at again.
const IDLE: Duration = Duration::from_millis(1);

/// The size of the input buffer: a small value with all that surrounds it, in one read.
const INPUT: usize = 16 << 10;

/// A connection to one server.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    pub(super) dialect: Dialect,
    pub(super) limits: Limits,
    /// The most that is read of what the server sends.
    pub(super) bounds: Bounds,
    input: Input,
    /// An empty buffer for requests, used again.
    pub(super) output: Vec<u8>,
    /// The first opaque that was not used yet. It starts at a random number, so that a reply to
    /// another connection, which a proxy mixed up with this one, carries none that is expected.
    pub(super) opaque: u32,
    /// When the last batch began.
    last_used: Instant,
    /// Whether anything of a reply was taken from it.
    pub(super) has_served: bool,
    /// Whether the server was asked on it what it speaks, and nothing else yet.
    is_just_asked: bool,
    /// Whether an `END` may come that belongs to the last reply, an error.
    owes_end: bool,
    /// How often its pool had been closed when it was made.
    pub(super) closed_before: u64,
    /// The process that made it. After a fork the socket belongs to the parent.
    process: u32,
    pub(super) progress: Progress,
    /// Dropped after the stream, so that the event comes after the close.
    pub(super) account: Account,
}

/// How far the requests under way got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Progress {
    /// All replies were read to their ends, and nothing is left over.
    Clean,
    /// Requests have been sent, or parts of them; nothing has come back.
    Sending,
    /// Some of a reply has come; or all of it, on a connection that must not be used again.
    Receiving,
}

/// What has come of the replies under way.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    /// The value under way.
    value: Option<Value>,
    /// Whether what comes next may be anything: the server refused a storage command for what it said,
    /// and may take the value that came with it for further commands; or an error stands where it is
    /// not known what ends it.
    pub(super) is_out_of_step: bool,
    /// To the window under way: they count when it is complete.
    pub(super) answers: Answers,
}

impl Connection {
    pub(super) fn new(stream: Stream, limits: Limits) -> Self {
        Self {
            stream,
            dialect: Dialect::Text,
            limits,
            bounds: Bounds::SET_UP,
            input: Input::new(INPUT),
            output: Vec::new(),
            opaque: first_opaque(),
            last_used: Instant::now(),
            has_served: false,
            is_just_asked: false,
            owes_end: false,
            closed_before: 0,
            process: std::process::id(),
            progress: Progress::Clean,
            account: Account::new(),
        }
    }

    /// Whether it can take another request: one that idled may have been closed, or sent something
    /// that no one asked for, or come through a fork.
    /// `idle` is for how long it did.
    pub(super) fn is_usable(&mut self, idle: Duration) -> bool {
        (idle < IDLE && !self.owes_end)
            || (self.process == std::process::id() && self.stream.is_quiet())
    }

    pub(super) fn last_used(&self) -> Instant {
        self.last_used
    }

    /// The server has answered what it speaks, and that was all it sent. `false` if the connection is
    /// not as it should be after that: some close it when they were asked what they do not know.
    pub(super) fn was_asked(&mut self, dialect: Dialect) -> bool {
        self.consume(self.input.bytes().len());
        self.progress = Progress::Clean;
        self.dialect = dialect;
        self.is_just_asked = true;
        self.stream.is_quiet() && self.stream.is_drained()
    }

    /// Whether it may have been closed because of the question what the server speaks.
    pub(super) fn is_just_asked(&self) -> bool {
        self.is_just_asked && self.dialect == Dialect::Text
    }

    /// How long it was waited for the server since the batch began.
    pub(super) fn waited(&self) -> Duration {
        self.stream.wire.waited()
    }

    /// What came and was not used yet.
    pub(super) fn received(&self) -> &[u8] {
        self.input.bytes()
    }

    /// So many requests are going to be sent. It is `now`.
    pub(super) fn begin(&mut self, requests: usize, now: Instant) {
        self.stream.wire.begin(now);
        self.last_used = now;
        self.input.expect(requests);
    }

    /// All replies have been read. `is_certain` unless more may come.
    pub(super) fn finish(&mut self, is_certain: bool) {
        let is_all = self.input.bytes().is_empty() && self.stream.is_drained();
        let why = match (is_certain, is_all) {
            (true, true) => {
                self.is_just_asked = false;
                return self.progress = Progress::Clean;
            }
            (true, false) => "more came than the replies to what was sent",
            (false, _) => "more may come than the replies to what was sent",
        };
        self.account.fail(Error::new(Kind::Protocol, why));
    }

    /// Encodes as many of `requests`, from `start` up to `end`, as may be sent at once, in place of what
    /// `output` holds. `is_many` as in [`Limits::lines`].
    #[inline]
    pub(super) fn encode<'r>(
        &mut self,
        requests: &[Request<'r>],
        range: (usize, usize),
        may_be_quiet: bool,
        is_many: bool,
        output: &mut Output<'r>,
    ) -> Window {
        output.clear();
        let limits = self.limits.with_lines(is_many);
        let (dialect, opaque) = (self.dialect, self.opaque);
        let window = Window::encode(
            dialect,
            requests,
            range,
            limits,
            may_be_quiet,
            opaque,
            output,
        );
        self.opaque = self.opaque.wrapping_add(window.opaques());
        window
    }

    /// Sends what of `output` is not `written` yet; whether all of it is now.
    pub(super) fn send(
        &mut self,
        output: &Output<'_>,
        written: &mut usize,
        deadline: Deadline,
        wait: Wait,
    ) -> Result<bool, Fault> {
        let length = output.len();
        let end = StepEnd::new(wait);
        while *written < length {
            if *written > 0 && end.is_reached() {
                return Ok(false);
            }
            let sent = if let Some(piece) = output.piece(*written) {
                let parts = [IoSlice::new(piece)];
                self.stream.write(&parts, deadline, wait)
            } else {
                let (parts, count) = output.parts(*written);
                self.stream.write(&parts[..count], deadline, wait)
            };
            match sent {
                Ok(0) => return Ok(false),
                Ok(sent) => {
                    *written += sent;
                    self.account.tally.sent += sent as u64;
                    self.progress = self.progress.max(Progress::Sending);
                }
                Err(Fault::Lost(error)) => {
                    self.progress = self.progress.max(Progress::Sending);
                    return Err(if self.was_turned_away(deadline) {
                        Fault::TooManyConnections
                    } else {
                        Fault::Lost(error)
                    });
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(true)
    }

    /// Whether a connection on which nothing can be sent was closed by the server with the words
    /// that it has too many. A read on it waits for nothing.
    fn was_turned_away(&mut self, deadline: Deadline) -> bool {
        !self.has_served && self.read(deadline, Wait::No).is_ok() && self.is_turned_away()
    }

    /// Whether these words are what came first, whatever was asked for.
    fn is_turned_away(&self) -> bool {
        !self.has_served
            && self
                .input
                .bytes()
                .starts_with(Refused::TOO_MANY_CONNECTIONS)
    }

    /// Reads once; whether anything came.
    pub(super) fn fill(&mut self, deadline: Deadline, wait: Wait) -> Result<bool, Fault> {
        let read = self.read(deadline, wait)?;
        if read == 0 {
            return Ok(false);
        }
        self.account.tally.received += read as u64;
        self.progress = Progress::Receiving;
        if self.is_turned_away() {
            return Err(Fault::TooManyConnections);
        }
        self.account.count_read();
        Ok(true)
    }

    /// Reads once; 0 if nothing came. There is always room: the decoder asks for more only within a
    /// line, and the buffer holds several of the longest.
    fn read(&mut self, deadline: Deadline, wait: Wait) -> Result<usize, Fault> {
        let parts = &mut [IoSliceMut::new(self.input.space())];
        let read = self.stream.read(parts, deadline, wait)?;
        self.input.received(read);
        Ok(read)
    }

    /// Receives the replies that `decoder` decodes; whether all of them are there. `first` is the
    /// place by which the handler knows the first request of the batch.
    pub(super) fn receive(
        &mut self,
        decoder: &mut Decoder<'_>,
        incoming: &mut Incoming,
        first: usize,
        handler: &mut dyn ReplyHandler,
        deadline: Deadline,
        wait: Wait,
    ) -> Result<bool, Fault> {
        if decoder.is_fresh() && self.input.bytes().is_empty() && !self.fill(deadline, wait)? {
            return Ok(false);
        }
        if self.owes_end {
            decoder.set_owes_end(std::mem::take(&mut self.owes_end));
        }
        let end = StepEnd::new(wait);
        while !decoder.is_done() {
            if let Some(value) = &mut incoming.value {
                let (stream, input) = (&mut self.stream, &mut self.input);
                let account = &mut self.account;
                if !value.read(stream, input, account, &end, deadline, wait)? {
                    return Ok(false);
                }
            }
            match decoder.decode(self.input.bytes())? {
                Step::NeedMore => {
                    if let Some(fence) = decoder.late_fence() {
                        // If it cannot be sent, there is nothing to read either.
                        let _ = self.send(&fence, &mut 0, deadline, Wait::UntilDeadline);
                    }
                    if handler.pauses() || end.is_reached() {
                        return Ok(false);
                    }
                    match self.fill(deadline, wait) {
                        Ok(true) => {}
                        Err(Fault::Lost(_)) if decoder.end_of_input() => {}
                        Ok(false) => return Ok(false),
                        Err(fault) => return Err(fault),
                    }
                }
                Step::Skip { used } => {
                    self.consume(used);
                    if decoder.is_lost() && !decoder.is_done() {
                        return Err(Fault::OutOfStep);
                    }
                }
                Step::LineError { used, index } => {
                    let reply = decoder.line_error();
                    incoming.answers.reply(decoder.reads(index), &reply);
                    handler.reply(first + index, Ok(reply));
                    self.consume(used);
                    if decoder.is_lost() && !decoder.is_done() {
                        return Err(Fault::OutOfStep);
                    }
                }
                Step::Part { used, part } => {
                    handler.line(first + decoder.next(), part)?;
                    self.consume(used);
                }
                Step::Value {
                    used,
                    index,
                    header,
                } => {
                    self.consume(used);
                    let buffer = handler.buffer(first + index);
                    incoming.value = Some(Value::new(header, buffer, &mut self.input));
                }
                Step::Whole {
                    used,
                    index,
                    header,
                    tail,
                } => {
                    let received = &self.input.bytes()[used..][..header.length];
                    incoming.answers.hit();
                    let hit = Hit::of(header, received);
                    handler.reply(first + index, Ok(Reply::Hit(hit)));
                    self.consume(used + header.length + tail);
                }
                Step::EndOfValue { used, index } => {
                    incoming.answers.hit();
                    if let Some(value) = incoming.value.take() {
                        let hit = Hit::of(value.header, value.data);
                        handler.reply(first + index, Ok(Reply::Hit(hit)));
                    }
                    self.consume(used);
                }
                Step::Reply { used, index, reply } => {
                    incoming.answers.reply(decoder.reads(index), &reply);
                    incoming.is_out_of_step |= decoder.is_out_of_step(index, &reply);
                    handler.reply(first + index, Ok(reply));
                    self.consume(used);
                    if incoming.is_out_of_step && !decoder.is_done() {
                        return Err(Fault::OutOfStep);
                    }
                }
            }
        }
        incoming.is_out_of_step |= decoder.is_lost();
        self.has_served = true;
        self.owes_end = decoder.owes_end();
        let answers = std::mem::take(&mut incoming.answers);
        // Otherwise all of them are asked for again.
        if !decoder.is_unclear() {
            self.account.tally.answers += answers;
        }
        Ok(true)
    }

    /// So many bytes were used.
    fn consume(&mut self, used: usize) {
        self.has_served |= used > 0;
        self.input.consume(used);
    }
}

/// How much a value's buffer grows ahead of the bytes received: a server that claims a gigabyte
/// costs no more than this.
const GROWTH: usize = 1 << 20;

/// A value that is coming.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) header: ValueHeader,
    pub(super) data: Vec<u8>,
    filled: usize,
}

impl Value {
    /// Takes what the input buffer has of it.
    pub(super) fn new(header: ValueHeader, mut data: Vec<u8>, input: &mut Input) -> Self {
        let length = header.length;
        let filled = length.min(input.bytes().len());
        if filled == length {
            data.clear();
        } else {
            // What the buffer holds is written over, so that one used again need not be zeroed again.
            let first = length.min(GROWTH);
            data.truncate(length);
            if data.capacity() == 0 {
                data = vec![0; first];
            } else if data.len() < first {
                data.reserve_exact(first - data.len());
                data.resize(first, 0);
            }
        }
        let received = &input.bytes()[..filled];
        if filled == length {
            data.extend_from_slice(received);
        } else {
            data[..filled].copy_from_slice(received);
        }
        input.consume(filled);
        Self {
            header,
            data,
            filled,
        }
    }

    /// Reads the rest from the socket straight to where it belongs; whether all of it is there now.
    /// Counts the bytes.
    pub(super) fn read(
        &mut self,
        stream: &mut Stream,
        input: &mut Input,
        account: &mut Account,
        end: &StepEnd,
        deadline: Deadline,
        wait: Wait,
    ) -> Result<bool, Fault> {
        let length = self.header.length;
        while self.filled < length {
            if self.filled == self.data.len() {
                self.data.resize(length.min(self.filled + GROWTH), 0);
            }
            let room = self.data.len() - self.filled;
            let mut parts = [&mut self.data[self.filled..], input.space()].map(IoSliceMut::new);
            // With the end of the value comes the end of the reply: one call less.
            let parts = if self.filled + room == length {
                &mut parts[..]
            } else {
                &mut parts[..1]
            };
            let read = stream.read(parts, deadline, wait)?;
            if read == 0 {
                return Ok(false);
            }
            account.tally.received += read as u64;
            account.count_read();
            input.received(read.saturating_sub(room));
            self.filled += read.min(room);
            if self.filled < length && end.is_reached() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// A number that no other connection is likely to start at. A fuzz target plays recorded replies, for
/// which it has to be known.
fn first_opaque() -> u32 {
    if cfg!(fuzzing) {
        return 0;
    }
    // The hash of nothing differs from one state to the next; its upper half is as good as its lower.
    (RandomState::new().hash_one(()) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::super::wire::Wire;
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_connection_of_another_process_is_not_used() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let wire = Wire::connect(listener.local_addr().unwrap(), true, None).unwrap();
        let mut connection = Connection::new(Stream::plain(wire), Limits::TCP);
        assert!(connection.is_usable(2 * IDLE));
        connection.process += 1;
        assert!(!connection.is_usable(2 * IDLE));
    }
}
