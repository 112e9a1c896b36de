use super::deadline::Deadline;
use super::fault::Fault;
use super::handler::ReplyHandler;
use super::metrics::{Answers, Meter};
use super::tls::Session;
use super::wire::{Input, StepEnd, Wait, Wire};
use crate::error::{Error, Kind};
use crate::protocol::{
    Bounds, Decoder, Dialect, Hit, Limits, Output, Refused, Reply, Request, Step, ValueHeader,
    Window,
};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, IoSlice, IoSliceMut};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long a connection may idle before it is looked at again.
const IDLE: Duration = Duration::from_millis(1);

/// The size of the input buffer: a small value with all that surrounds it, in one read.
const INPUT: usize = 16 << 10;

/// Its size once many requests were sent at once: fewer, longer reads.
const LARGE_INPUT: usize = 64 << 10;
const MANY: usize = 50;

/// How much a value's buffer grows ahead of the bytes received: a server that claims a gigabyte
/// costs no more than this.
const GROWTH: usize = 1 << 20;

/// A connection to one server.
#[derive(Debug)]
pub(super) struct Connection {
    wire: Wire,
    /// Encrypts what goes over the wire.
    session: Option<Box<Session>>,
    pub(super) dialect: Dialect,
    pub(super) limits: Limits,
    /// The most that is read of what the server sends.
    pub(super) bounds: Bounds,
    input: Input,
    /// An empty buffer for requests, used again.
    pub(super) output: Vec<u8>,
    /// The first opaque that was not used yet. It starts at a random number, so that a reply to
    /// another connection, which a proxy mixed up with this one, carries none that is expected.
    opaque: u32,
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
    /// Dropped after the wire, so that the event comes after the close.
    pub(super) meter: Meter,
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
    pub(super) is_out_of_sync: bool,
    /// What had been counted before the window under way.
    before: Option<Answers>,
}

impl Connection {
    pub(super) fn new(wire: Wire, session: Option<Box<Session>>, limits: Limits) -> Self {
        Self {
            wire,
            session,
            dialect: Dialect::Text,
            limits,
            bounds: Bounds::SET_UP,
            input: Input::new(INPUT),
            output: Vec::new(),
            opaque: first_opaque(),
            has_served: false,
            is_just_asked: false,
            owes_end: false,
            closed_before: 0,
            process: std::process::id(),
            progress: Progress::Clean,
            meter: Meter::new(),
        }
    }

    /// Whether it can take another request: one that idled may have been closed, or sent something
    /// that no one asked for, or come through a fork.
    /// `idle` is for how long it did.
    pub(super) fn is_usable(&mut self, idle: Duration) -> bool {
        idle < IDLE && !self.owes_end || self.process == std::process::id() && self.is_quiet()
    }

    /// Whether it is as it was left: open, and with nothing to read.
    fn is_quiet(&mut self) -> bool {
        match &mut self.session {
            None => self.wire.is_quiet(),
            Some(session) => session.is_quiet(&mut self.wire),
        }
    }

    /// When the last batch began.
    pub(super) fn last_used(&self) -> Instant {
        self.wire.began()
    }

    /// The server has answered what it speaks, and that was all it sent. `false` if the connection is
    /// not as it should be after that: some close it when they were asked what they do not know.
    pub(super) fn was_asked(&mut self, dialect: Dialect) -> bool {
        self.input.consume(self.input.bytes().len());
        self.has_served = true;
        self.progress = Progress::Clean;
        self.dialect = dialect;
        self.is_just_asked = true;
        self.is_quiet() && self.is_drained()
    }

    /// Whether it may have been closed because of the question what the server speaks.
    pub(super) fn is_just_asked(&self) -> bool {
        self.is_just_asked && self.dialect == Dialect::Text
    }

    /// How long it was waited for the server since the batch began.
    pub(super) fn waited(&self) -> Duration {
        self.wire.waited()
    }

    /// What came and was not used yet.
    pub(super) fn received(&self) -> &[u8] {
        self.input.bytes()
    }

    /// A batch begins, `now`.
    pub(super) fn begin(&mut self, now: Instant) {
        self.wire.begin(now);
    }

    /// Sends one request and receives the reply, all of it at once: the shortest path. Whether the reply is
    /// known to have ended. `first` as in [`receive`](Self::receive), `is_many` in [`Limits::lines`].
    pub(super) fn exchange(
        &mut self,
        request: &Request<'_>,
        first: usize,
        is_many: bool,
        handler: &mut dyn ReplyHandler,
        deadline: Deadline,
    ) -> Result<bool, Fault> {
        let (requests, wait) = (std::slice::from_ref(request), Wait::UntilDeadline);
        let mut output = Output::reusing(std::mem::take(&mut self.output));
        let window = self.encode(requests, (0, 1), false, is_many, &mut output);
        self.send(&output, &mut 0, deadline, wait)?;
        let mut decoder = Decoder::new(self.dialect, requests, window, self.bounds);
        let mut incoming = Incoming::default();
        self.receive(&mut decoder, &mut incoming, first, handler, deadline, wait)?;
        self.output = output.into_buffer();
        Ok(!incoming.is_out_of_sync && !request.reply_end_is_uncertain())
    }

    /// Encodes as many of `requests`, from the first of `range` up to the second, as may be sent at once, in
    /// place of what `output` holds. `is_many` as in [`Limits::lines`].
    #[inline]
    pub(super) fn encode<'r>(
        &mut self,
        requests: &[Request<'r>],
        range: (usize, usize),
        may_be_quiet: bool,
        is_many: bool,
        output: &mut Output<'r>,
    ) -> Window {
        if range.1 - range.0 >= MANY {
            self.input.grow(LARGE_INPUT);
        }
        output.clear();
        let window = Window::encode(
            self.dialect,
            requests,
            range,
            self.limits.with_lines(is_many),
            may_be_quiet,
            self.opaque,
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
            let (piece, parts);
            let parts = if let Some(bytes) = output.piece(*written) {
                piece = [IoSlice::new(bytes)];
                &piece[..]
            } else {
                parts = output.parts(*written);
                &parts.0[..parts.1]
            };
            let sent = match &mut self.session {
                None => self.wire.write(parts, deadline, wait),
                Some(session) => session.write(&mut self.wire, parts, deadline, wait),
            };
            match sent {
                Ok(0) => return Ok(false),
                Ok(sent) => {
                    *written += sent;
                    self.meter.counts.sent += sent as u64;
                    self.progress = self.progress.max(Progress::Sending);
                }
                Err(Fault::Lost(error)) => return Err(self.why_lost(error, deadline)),
                Err(fault) => return Err(fault),
            }
        }
        Ok(true)
    }

    /// Why nothing can be sent: the server may have closed the connection with the words that it has too
    /// many. A read on it waits for nothing.
    #[cold]
    fn why_lost(&mut self, error: io::Error, deadline: Deadline) -> Fault {
        self.progress = self.progress.max(Progress::Sending);
        let progress = self.progress;
        let last_words = (!self.has_served).then(|| self.fill(None, deadline, Wait::No));
        self.progress = progress;
        match last_words {
            Some(Err(Fault::TooManyConnections)) => Fault::TooManyConnections,
            _ => Fault::Lost(error),
        }
    }

    /// Reads once, into `value` if that is under way, and what comes after it into the input buffer; whether
    /// anything came. There is always room in that: the decoder asks for more only within a line, and the
    /// buffer holds several of the longest.
    pub(super) fn fill(
        &mut self,
        mut value: Option<&mut Value>,
        deadline: Deadline,
        wait: Wait,
    ) -> Result<bool, Fault> {
        let (rest, is_end) = match &mut value {
            None => (&mut [][..], true),
            Some(value) => value.rest(),
        };
        let room = rest.len();
        let mut parts = [rest, self.input.space()].map(IoSliceMut::new);
        let parts = match (room, is_end) {
            (0, _) => &mut parts[1..],
            // With the end of the value comes the end of the reply: one call less.
            (_, true) => &mut parts[..],
            (_, false) => &mut parts[..1],
        };
        let read = match &mut self.session {
            None => self.wire.read(parts, deadline, wait)?,
            Some(session) => session.read(&mut self.wire, parts, deadline, wait)?,
        };
        if read == 0 {
            return Ok(false);
        }
        self.meter.counts.received += read as u64;
        self.progress = Progress::Receiving;
        self.input.received(read.saturating_sub(room));
        if let Some(value) = value {
            value.filled += read.min(room);
        }
        if !self.has_served
            && self
                .input
                .bytes()
                .starts_with(Refused::TOO_MANY_CONNECTIONS)
        {
            return Err(Fault::TooManyConnections);
        }
        if let Some(metrics) = &self.meter.metrics {
            metrics.reads.fetch_add(1, Ordering::Relaxed);
        }
        Ok(true)
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
        if decoder.is_fresh()
            && self.input.bytes().is_empty()
            && !self.fill(None, deadline, wait)?
        {
            return Ok(false);
        }
        if self.owes_end {
            decoder.set_owes_end(std::mem::take(&mut self.owes_end));
        }
        incoming.before.get_or_insert(self.meter.counts.answers);
        let end = StepEnd::new(wait);
        while !decoder.is_done() {
            while let Some(value) = incoming.value.as_mut().filter(|value| !value.is_full()) {
                if !self.fill(Some(&mut *value), deadline, wait)?
                    || !value.is_full() && end.is_reached()
                {
                    return Ok(false);
                }
            }
            let used = match decoder.decode(self.input.bytes())? {
                Step::NeedMore => {
                    if let Some(fence) = decoder.late_fence() {
                        // If it cannot be sent, there is nothing to read either.
                        let _ = self.send(&fence, &mut 0, deadline, Wait::UntilDeadline);
                    }
                    if handler.pauses() || end.is_reached() {
                        return Ok(false);
                    }
                    match self.fill(None, deadline, wait) {
                        Ok(true) => continue,
                        Err(Fault::Lost(_)) if decoder.end_of_input() => continue,
                        Ok(false) => return Ok(false),
                        Err(fault) => return Err(fault),
                    }
                }
                Step::Skip { used } => used,
                Step::Part { used, part } => {
                    handler.line(first + decoder.next(), part)?;
                    used
                }
                Step::Value {
                    used,
                    index,
                    header,
                } => {
                    let received = &self.input.bytes()[used..];
                    let received = &received[..received.len().min(header.length)];
                    let buffer = handler.buffer(first + index);
                    incoming.value = Some(Value::new(header, buffer, received));
                    used + received.len()
                }
                Step::EndOfValue { used, index } => {
                    if let Some(Value { header, data, .. }) = incoming.value.take() {
                        self.meter.counts.answers.hit();
                        handler.reply(first + index, Ok(Reply::Hit(Hit::of(header, data))));
                    }
                    used
                }
                Step::Whole {
                    used,
                    index,
                    header,
                    tail,
                } => {
                    let received = &self.input.bytes()[used..][..header.length];
                    self.meter.counts.answers.hit();
                    handler.reply(first + index, Ok(Reply::Hit(Hit::of(header, received))));
                    used + header.length + tail
                }
                Step::Reply { used, index, reply } => {
                    let answers = &mut self.meter.counts.answers;
                    answers.count(decoder.reads(index), &reply);
                    incoming.is_out_of_sync |= decoder.is_out_of_step(index, &reply);
                    handler.reply(first + index, Ok(reply));
                    used
                }
                Step::LineError { used, index } => {
                    let reply = decoder.line_error();
                    let answers = &mut self.meter.counts.answers;
                    answers.count(decoder.reads(index), &reply);
                    handler.reply(first + index, Ok(reply));
                    used
                }
            };
            self.input.consume(used);
            self.has_served |= used > 0;
            if (incoming.is_out_of_sync || decoder.is_lost()) && !decoder.is_done() {
                return Err(Fault::OutOfSync);
            }
        }
        incoming.is_out_of_sync |= decoder.is_lost();
        self.has_served = true;
        self.owes_end = decoder.owes_end();
        self.count_answers(decoder, incoming);
        Ok(true)
    }

    /// The replies that `decoder` decodes have all come, or no more do: what was counted stays, unless all
    /// of them are asked for again.
    #[inline]
    pub(super) fn count_answers(&mut self, decoder: &Decoder<'_>, incoming: &mut Incoming) {
        let before = incoming.before.take();
        if let Some(before) = before.filter(|_| decoder.is_unclear()) {
            self.meter.counts.answers = before;
        }
    }

    /// All replies have been read. `is_certain` unless more may come.
    pub(super) fn finish(&mut self, is_certain: bool) {
        let why = match (
            is_certain,
            self.input.bytes().is_empty() && self.is_drained(),
        ) {
            (true, true) => {
                self.is_just_asked = false;
                return self.progress = Progress::Clean;
            }
            (true, false) => "more came than the replies to what was sent",
            (false, _) => "more may come than the replies to what was sent",
        };
        self.meter.fail(Error::new(Kind::Protocol, why));
    }

    /// Whether nothing is left of what was taken from the socket.
    fn is_drained(&mut self) -> bool {
        self.session
            .as_mut()
            .is_none_or(|session| session.is_drained())
    }
}

/// A value that is coming.
#[derive(Debug)]
pub(super) struct Value {
    header: ValueHeader,
    data: Vec<u8>,
    filled: usize,
}

impl Value {
    /// One of which so much was received, in place of what the buffer holds.
    fn new(header: ValueHeader, mut buffer: Vec<u8>, received: &[u8]) -> Self {
        let filled = received.len();
        if filled == header.length {
            buffer.clear();
            buffer.extend_from_slice(received);
        } else {
            // What it holds is written over, so that one used again need not be zeroed again.
            let first = header.length.min(GROWTH.max(filled));
            buffer.truncate(header.length);
            if buffer.capacity() == 0 {
                buffer = vec![0; first];
            } else if buffer.len() < first {
                buffer.reserve_exact(first - buffer.len());
                buffer.resize(first, 0);
            }
            buffer[..filled].copy_from_slice(received);
        }
        Self {
            header,
            data: buffer,
            filled,
        }
    }

    fn is_full(&self) -> bool {
        self.filled == self.header.length
    }

    /// Where the next bytes go, and whether the value ends there.
    fn rest(&mut self) -> (&mut [u8], bool) {
        let length = self.header.length;
        if self.filled == self.data.len() {
            self.data.resize(length.min(self.filled + GROWTH), 0);
        }
        let is_end = self.data.len() == length;
        (&mut self.data[self.filled..], is_end)
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
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_connection_of_another_process_is_not_used() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let wire = Wire::connect(listener.local_addr().unwrap(), true, None).unwrap();
        let mut connection = Connection::new(wire, None, Limits::TCP);
        assert!(connection.is_usable(2 * IDLE));
        connection.process += 1;
        assert!(!connection.is_usable(2 * IDLE));
    }
}
