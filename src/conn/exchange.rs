use super::breaker::{Circuit, Pass};
use super::connection::{Incoming, Progress};
use super::deadline::Deadline;
use super::fault::{Evidence, Fault, is_unreachable};
use super::handler::ReplyHandler;
use super::metrics::Answers;
use super::pool::{Lease, Opening, Pool, Purpose};
use super::wire::Wait;
use crate::protocol::{Decoder, Dialect, Output, Request};
use std::io;
use std::sync::Arc;
use std::time::Instant;

/// Requests for one server.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "facts, and not states")]
pub(crate) struct Batch<'a> {
    pub(crate) requests: &'a [Request<'a>],
    /// The place of the first of them, by which the handler knows it.
    pub(crate) first: usize,
    /// Whether each is known to be one that the protocol can say, the same on all connections.
    pub(crate) is_checked: bool,
    /// Whether the server is to be asked even if it is taken to be down.
    pub(crate) bypasses_breaker: bool,
    /// Whether it is of a call for many keys, of which this server may have one.
    pub(crate) is_many: bool,
    /// Whether it is a part of a call that is [counted](Pool::counted) as a whole: unless the exchange
    /// fails, and so ends the call, it is not counted by itself.
    pub(crate) is_step: bool,
}

impl<'a> Batch<'a> {
    pub(crate) fn of(request: &'a Request<'a>) -> Self {
        Self {
            requests: std::slice::from_ref(request),
            first: 0,
            is_checked: false,
            bypasses_breaker: false,
            is_many: false,
            is_step: false,
        }
    }
}

/// A batch under way.
pub(crate) trait Exchange: Send {
    /// Begins with a connection that is there already, and sends what can be sent at once.
    fn begin(&mut self, wait: Wait, handler: &mut dyn ReplyHandler) -> State;

    /// Waits for a connection, or makes one. It can take until the deadline. If it fails, the next
    /// step says so.
    fn open(&mut self);

    /// Gives it more time, or less. How long the exchange takes is the caller's from then on, and not
    /// counted.
    fn set_deadline(&mut self, deadline: Deadline);

    /// Sends what can be sent, and reads the replies to some of it. Not to be called after `Done`.
    fn step(&mut self, wait: Wait, handler: &mut dyn ReplyHandler) -> State;
}

/// How an exchange stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It needs a connection: [`Exchange::open`] is next.
    Closed,
    Running,
    /// Not all that is under way could be sent or read while the wait lasted; or the handler
    /// [pauses](ReplyHandler::pauses).
    Waiting,
    /// The handler has all replies.
    Done,
}

impl Pool {
    /// Sends the requests of `batch` and receives their replies, by `deadline`.
    ///
    /// A single request on an idle connection takes the shortest path: one window, written and read at once,
    /// with all that this takes on the stack. What else there may be to do, the steps do.
    pub(crate) fn exchange(
        self: &Arc<Self>,
        batch: Batch<'_>,
        handler: &mut dyn ReplyHandler,
        deadline: Deadline,
    ) {
        let mut failed = None;
        if let ([request], false) = (batch.requests, self.breaker.has_failures()) {
            let reads_before = self.metrics.reads();
            let now = deadline.started();
            match self.idle(now) {
                Some(mut lease) if lease.dialect.check(request).is_ok() => {
                    lease.begin(now);
                    let (first, is_many) = (batch.first, batch.is_many);
                    match lease.exchange(request, first, is_many, handler, deadline) {
                        Ok(is_certain) => {
                            return self.complete(lease, is_certain, batch.is_step, Some(now));
                        }
                        Err(fault) => failed = Some((fault, lease, reads_before)),
                    }
                }
                Some(lease) => self.put(lease),
                None => {}
            }
        }
        PoolExchange::new(self, batch, deadline).run(failed, handler);
    }

    /// Puts a connection back whose replies have all been read, for an exchange that `started` then.
    #[inline]
    fn complete(
        &self,
        mut lease: Box<Lease>,
        is_certain: bool,
        is_step: bool,
        started: Option<Instant>,
    ) {
        lease.finish(is_certain);
        if is_step {
            // Whatever was answered, the call may go on, and is counted at its end.
            lease.meter.counts.answers = Answers::default();
        } else {
            lease.meter.counts.latency = started.map(|started| started.elapsed());
        }
        self.put(lease);
        if self.breaker.has_failures() {
            self.answered();
        }
    }

    /// The same in steps, so that several servers work at the same time.
    pub(crate) fn converse<'a>(
        self: &Arc<Self>,
        batch: Batch<'a>,
        deadline: Deadline,
    ) -> Box<dyn Exchange + 'a> {
        Box::new(PoolExchange::new(self, batch, deadline))
    }
}

/// The exchange of a batch of requests for their replies, over a connection of a pool.
///
/// Windows of requests are written, and their replies read, so that two windows at most are under
/// way: write one, write another, read the replies to the first, write a third. What may be under
/// way together, [`Window`](crate::protocol::Window) decides.
#[derive(Debug)]
struct PoolExchange<'e> {
    pool: Arc<Pool>,
    batch: Batch<'e>,
    deadline: Deadline,
    /// From when its time counts; `None` if it does not.
    started: Option<Instant>,
    /// The protocol that can say all requests.
    checked: Option<Dialect>,
    /// `None` before it begins, and when it is over.
    lease: Option<Box<Lease>>,
    /// Whether the connection had served other calls before.
    is_reused: bool,
    /// The first request that is not encoded yet.
    next: usize,
    /// The requests before this one are not sent in quiet mode: they were once, and an error came of
    /// which it is not clear whose it is.
    quiet_from: usize,
    /// The last window, encoded.
    output: Output<'e>,
    /// How many bytes of it are written; `None` if all are.
    written: Option<usize>,
    /// The first window whose replies are not all read, and the one after it.
    first: Option<Decoder<'e>>,
    second: Option<Decoder<'e>>,
    incoming: Incoming,
    /// Requests before this one may have reached the server, wholly or in part: memcached drops the
    /// old value of a key for the command line of one that is too large.
    in_doubt: usize,
    /// What `in_doubt` was on the connection before this one.
    in_doubt_before: usize,
    /// Whether the replies are known to have ended.
    is_certain: bool,
    /// Why there is no connection.
    not_opened: Option<Fault>,
    /// How often anything had been [read](super::metrics::Metrics::reads) from the server before this
    /// was sent, or connected.
    reads_before: u64,
    /// Whether the server has refused a connection.
    was_turned_away: bool,
    /// The server closed several new connections in a row, this one last: it is to be probed before that
    /// counts.
    dropped: Option<Fault>,
    /// The result of that probe.
    probed: Option<Evidence>,
    /// The circuit breaker's pass, until the result is reported to it.
    pass: Option<Pass>,
}

impl<'e> PoolExchange<'e> {
    #[inline]
    fn new(pool: &Arc<Pool>, batch: Batch<'e>, deadline: Deadline) -> Self {
        Self {
            pool: Arc::clone(pool),
            batch,
            deadline,
            started: Some(deadline.started()),
            checked: None,
            lease: None,
            is_reused: false,
            next: 0,
            quiet_from: 0,
            output: Output::default(),
            written: None,
            first: None,
            second: None,
            incoming: Incoming::default(),
            in_doubt: 0,
            in_doubt_before: 0,
            is_certain: true,
            not_opened: None,
            reads_before: 0,
            was_turned_away: false,
            dropped: None,
            probed: None,
            pass: None,
        }
    }

    /// Takes all steps; from what the shortest path ended with, if it was taken: a fault, the connection, and
    /// how often anything had been read before.
    #[cold]
    fn run(mut self, failed: Option<(Fault, Box<Lease>, u64)>, handler: &mut dyn ReplyHandler) {
        let wait = Wait::UntilDeadline;
        let mut state = match failed {
            None => self.begin(wait, handler),
            Some((fault, lease, reads_before)) => {
                self.in_doubt = usize::from(lease.meter.counts.sent > 0);
                (self.lease, self.is_reused) = (Some(lease), true);
                self.reads_before = reads_before;
                self.pass = Some(Pass::Go);
                self.settle(fault, handler)
            }
        };
        while state != State::Done {
            if state == State::Closed {
                self.open();
            }
            state = self.step(wait, handler);
        }
    }

    /// Refuses what the protocol cannot say.
    fn check(&mut self, dialect: Dialect) -> Result<(), Fault> {
        // A connection that is made later may speak another one.
        if self.batch.is_checked || self.checked.replace(dialect) == Some(dialect) {
            return Ok(());
        }
        let mut requests = self.batch.requests.iter();
        let checked = requests.try_for_each(|request| dialect.check(request));
        checked.map_err(Fault::Unsupported)
    }

    /// Takes an idle connection, and sends what can be sent at once.
    fn begin_on_idle(&mut self, wait: Wait) -> Result<State, Fault> {
        if let Some(dialect) = self.pool.dialect() {
            self.check(dialect)?;
        }
        let pass = self.pool.breaker.admit(self.batch.bypasses_breaker)?;
        self.pass = Some(pass);
        if pass == Pass::Probe {
            return Ok(State::Closed); // A probe is made on a new connection.
        }
        let Some(lease) = self.pool.idle(self.deadline.started()) else {
            return Ok(State::Closed);
        };
        self.start(lease, true)?;
        self.send(wait)?;
        Ok(State::Running)
    }

    /// Takes up a connection.
    fn start(&mut self, mut lease: Box<Lease>, is_reused: bool) -> Result<(), Fault> {
        if let Err(fault) = self.check(lease.dialect) {
            self.pool.put(lease);
            return Err(fault);
        }
        let now = if is_reused {
            self.deadline.started()
        } else {
            Instant::now() // To connect took time.
        };
        self.reads_before = self.pool.metrics.reads();
        lease.begin(now);
        self.output = Output::reusing(std::mem::take(&mut lease.output));
        self.is_reused = is_reused;
        self.lease = Some(lease);
        Ok(())
    }

    /// Sends all that may be sent before something is read. `false` if the socket takes no more now.
    fn send(&mut self, wait: Wait) -> Result<bool, Fault> {
        let Some(lease) = &mut self.lease else {
            return Ok(true);
        };
        let requests = self.batch.requests;
        loop {
            if self.first.as_ref().is_some_and(Decoder::has_late_fence) {
                return Ok(true);
            }
            if self.written.is_none() {
                if self.next == requests.len() || self.second.is_some() {
                    return Ok(true);
                }
                let may_be_quiet = self.next >= self.quiet_from;
                let end = if may_be_quiet {
                    requests.len()
                } else {
                    self.quiet_from
                };
                let (range, is_many) = ((self.next, end), self.batch.is_many);
                let window = lease.encode(requests, range, may_be_quiet, is_many, &mut self.output);
                let decoder = Decoder::new(lease.dialect, requests, window, lease.bounds);
                self.next = window.end;
                self.written = Some(0);
                if self.first.is_none() {
                    self.first = Some(decoder);
                } else {
                    self.second = Some(decoder);
                }
            }
            if let (Some(first), Some(second)) = (&self.first, &self.second) {
                if !second.window().may_follow(&first.window()) {
                    return Ok(true);
                }
            }
            let mut written = self.written.unwrap_or_default();
            let sent = lease.send(&self.output, &mut written, self.deadline, wait);
            self.written = Some(written);
            if written > 0 {
                self.in_doubt = self.in_doubt.max(self.next);
            }
            if !sent? {
                return Ok(false);
            }
            self.written = None;
        }
    }

    /// Whether the first window is sent.
    fn is_first_sent(&self) -> bool {
        self.first.is_some() && (self.written.is_none() || self.second.is_some())
    }

    /// Reads the replies to the first window. `false` if not all of them are there now.
    fn receive(&mut self, wait: Wait, handler: &mut dyn ReplyHandler) -> Result<bool, Fault> {
        let (Some(lease), Some(decoder)) = (&mut self.lease, &mut self.first) else {
            return Ok(true);
        };
        let behind = match self.written {
            None => self.second.as_ref().map(Decoder::window),
            Some(_) => None,
        };
        decoder.set_behind(behind, self.written.is_some_and(|written| written > 0));
        let incoming = &mut self.incoming;
        if !lease.receive(
            decoder,
            incoming,
            self.batch.first,
            handler,
            self.deadline,
            wait,
        )? {
            return Ok(false);
        }
        let window = decoder.window();
        let last = &self.batch.requests[window.end - 1];
        self.is_certain &= !last.reply_end_is_uncertain();
        if decoder.is_unclear() {
            // Nothing was sent behind it: it is repeated before anything else is.
            (self.second, self.written) = (None, None);
            self.next = window.start;
            self.quiet_from = window.end;
        }
        let has_late_fence = decoder.has_late_fence();
        self.first = None;
        if self.second.is_some() {
            self.first = self.second.take();
            if let Some(next) = self.first.as_mut().filter(|_| has_late_fence) {
                if self.written.is_none() {
                    next.expect_late_fence();
                }
            }
        }
        if self.incoming.is_out_of_sync {
            self.is_certain = false;
            if !self.is_complete() {
                return Err(Fault::OutOfSync);
            }
        }
        Ok(true)
    }

    /// Whether all has been sent, and its replies read.
    fn is_complete(&self) -> bool {
        self.next == self.batch.requests.len() && self.first.is_none()
    }

    /// Sends what can be sent, and reads what can be read.
    fn advance(&mut self, wait: Wait, handler: &mut dyn ReplyHandler) -> Result<State, Fault> {
        let sent = self.send(wait)?;
        if self.is_first_sent() && !self.receive(wait, handler)? {
            return Ok(State::Waiting);
        }
        if !self.is_complete() {
            return Ok(if sent { State::Running } else { State::Waiting });
        }
        if let Some(mut lease) = self.lease.take() {
            lease.output = std::mem::take(&mut self.output).into_buffer();
            let is_step = self.batch.is_step;
            self.pool
                .complete(lease, self.is_certain, is_step, self.started);
        }
        self.pass = None;
        Ok(State::Done)
    }

    /// Ends the whole with a fault, or lets it begin again.
    #[cold]
    fn settle(&mut self, fault: Fault, handler: &mut dyn ReplyHandler) -> State {
        match fault {
            fault if self.can_begin_again(&fault) => {
                self.forget_dialect(&fault);
                self.close(fault);
                self.pool.metrics.retried();
                self.in_doubt_before = self.in_doubt;
                self.reset();
            }
            Fault::TooManyConnections if self.can_wait_for_others() => {
                self.reset();
                self.was_turned_away = true;
            }
            Fault::Lost(error) if self.is_to_be_probed(&error) => {
                self.close(Fault::Lost(error.kind().into()));
                self.dropped = Some(Fault::Lost(error));
            }
            fault => {
                self.fail(fault, handler);
                return State::Done;
            }
        }
        State::Closed
    }

    /// Whether all can begin again on a new connection: the old one was closed by the server while
    /// it idled, and what was sent is idempotent.
    fn can_begin_again(&self, fault: &Fault) -> bool {
        let was_closed = |lease: &Lease| self.is_reused || lease.is_just_asked();
        matches!(fault, Fault::Lost(_))
            && self.lease.as_deref().is_some_and(was_closed)
            && self.lease.as_deref().is_some_and(nothing_came)
            && Request::are_idempotent(&self.batch.requests[..self.in_doubt])
    }

    /// The server took the connection only to say that it has too many, and nothing of what was sent.
    /// Whether there are others, of which one will do.
    fn can_wait_for_others(&mut self) -> bool {
        self.in_doubt = self.in_doubt_before;
        let Some(mut lease) = self.lease.take() else {
            return false;
        };
        let error = Fault::TooManyConnections.into_error(self.deadline.timeout());
        lease.meter.fail(error);
        self.pool.close_turned_away(lease)
    }

    /// Whether the server has closed so many new connections in a row before it answered that it is to
    /// be probed.
    fn is_to_be_probed(&self, error: &io::Error) -> bool {
        let is_of_new = !self.is_reused && self.pass == Some(Pass::Go);
        is_of_new
            && !is_unreachable(error)
            && self.lease.as_deref().is_some_and(nothing_came)
            && self.pool.breaker.dropped()
    }

    /// Closes the connection.
    fn close(&mut self, fault: Fault) {
        if let Some(mut lease) = self.lease.take() {
            let error = fault.into_error(self.deadline.timeout());
            lease.meter.fail(error);
        }
    }

    /// Nothing is sent: what was under way on the last connection is over.
    fn reset(&mut self) {
        (self.next, self.quiet_from) = (0, 0);
        (self.first, self.second, self.written) = (None, None, None);
        self.incoming = Incoming::default();
        self.is_certain = true;
        self.was_turned_away = false;
    }

    /// Whether the server does not even answer `version`, on another connection.
    fn is_dropping(&mut self) -> bool {
        let opening = Opening {
            purpose: Purpose::Check,
            bypasses_breaker: false,
            was_turned_away: false,
        };
        match self.pool.open(&mut self.deadline, opening) {
            Ok((lease, _)) => {
                self.pool.put(lease);
                false
            }
            Err(fault) => matches!(fault, Fault::Lost(_)) || fault.evidence().is_some(),
        }
    }

    /// What the failure says about the server.
    fn evidence(&self, fault: &Fault) -> Option<Evidence> {
        if self.probed.is_some() {
            return self.probed;
        }
        if matches!(fault, Fault::Lost(_)) && self.is_lost_probe() {
            return Some(Evidence::Dropped);
        }
        let evidence = fault.evidence()?;
        if self.pool.metrics.reads() != self.reads_before {
            return None; // Something came, on whichever connection.
        }
        let had_time = match (&self.lease, fault) {
            (Some(lease), Fault::Timeout) => lease.waited() >= self.pool.shortest_wait(),
            // There was no time left for the server.
            (None, Fault::Timeout) => false,
            _ => true,
        };
        had_time.then_some(evidence)
    }

    /// Whether a call that was to find out whether the server is back had no more than a connection.
    fn is_lost_probe(&self) -> bool {
        self.pass == Some(Pass::Probe) && self.lease.as_deref().is_none_or(nothing_came)
    }

    /// The server failed: what comes after it may be another, which is asked again what it speaks;
    /// unless the connection was closed for being asked.
    fn forget_dialect(&self, fault: &Fault) {
        let is_just_asked = |lease: &Lease| lease.is_just_asked();
        let was_asked = self.lease.as_deref().is_some_and(is_just_asked);
        self.pool
            .remember_text(matches!(fault, Fault::Lost(_)) && was_asked);
    }

    /// Gives each request that has no reply the reason.
    fn fail(&mut self, fault: Fault, handler: &mut dyn ReplyHandler) {
        if matches!(fault, Fault::TooManyConnections | Fault::Connect(_)) {
            // It took nothing of what was sent.
            self.in_doubt = self.in_doubt_before;
        }
        if fault.is_of_server() {
            self.forget_dialect(&fault);
        }
        let timeout = self.deadline.timeout();
        let is_tried = fault.is_tried();
        let is_sayable = !matches!(fault, Fault::Unsupported(_));
        let evidence = self.evidence(&fault);
        let is_refused = matches!(fault, Fault::Authentication(_) | Fault::NoAuthentication);
        let is_answer = matches!(fault, Fault::Malformed(_) | Fault::OutOfSync);
        let is_lost = matches!(fault, Fault::Lost(_));
        let mut error = fault.into_error(timeout).on(self.pool.name());
        if is_lost && self.lease.as_ref().is_none_or(|lease| !lease.has_served) {
            error = error.and(self.pool.why_closed_early());
        }
        if is_refused {
            self.pool.login_refused(self.deadline, &error);
        } else if is_answer {
            self.pool.answered();
        }
        if let Some(pass) = self.pass.take() {
            self.pool.failed(pass, evidence, self.deadline, &error);
        }
        let first = self.first.as_ref();
        let from = first.map_or(self.next, |decoder| decoder.window().start);
        let mut failed = 0;
        for (index, request) in self.batch.requests.iter().enumerate().skip(from) {
            if first.is_some_and(|decoder| decoder.is_answered(index)) {
                continue;
            }
            failed += 1;
            let in_doubt = index < self.in_doubt && request.is_write();
            let error = error.clone();
            let error = if in_doubt { error.ambiguous() } else { error };
            handler.reply(self.batch.first + index, Err(error));
        }
        let started = self.started.filter(|_| is_tried);
        let latency = started.map(|started| started.elapsed());
        if is_sayable {
            self.pool.metrics.counted(failed, Err(&error), latency);
        }
        if let Some(mut lease) = self.lease.take() {
            if let Some(decoder) = first {
                lease.count_answers(decoder, &mut self.incoming);
            }
            lease.meter.fail(error);
            self.pool.put(lease); // If nothing was sent on it.
        }
    }
}

/// Whether nothing of a reply came on it.
fn nothing_came(lease: &Lease) -> bool {
    lease.progress < Progress::Receiving
}

impl Exchange for PoolExchange<'_> {
    fn begin(&mut self, wait: Wait, handler: &mut dyn ReplyHandler) -> State {
        match self.begin_on_idle(wait) {
            Ok(state) => state,
            Err(fault) => self.settle(fault, handler),
        }
    }

    fn open(&mut self) {
        if let Some(fault) = self.dropped.take() {
            self.probed = self.is_dropping().then_some(Evidence::Dropped);
            self.not_opened = Some(fault);
            return;
        }
        let opening = Opening {
            purpose: match self.pass {
                Some(Pass::Probe) => Purpose::Probe,
                _ => Purpose::Request,
            },
            bypasses_breaker: self.batch.bypasses_breaker,
            was_turned_away: self.was_turned_away,
        };
        self.reads_before = self.pool.metrics.reads();
        let opened = self.pool.open(&mut self.deadline, opening);
        if self.pool.breaker.circuit() == Circuit::Closed {
            // A probe has found that the server is back: what comes of the request, is another matter.
            self.pass = Some(Pass::Go);
        }
        let started = opened.and_then(|(lease, is_reused)| self.start(lease, is_reused));
        self.not_opened = started.err();
    }

    fn set_deadline(&mut self, deadline: Deadline) {
        (self.deadline, self.started) = (deadline, None);
    }

    fn step(&mut self, wait: Wait, handler: &mut dyn ReplyHandler) -> State {
        if let Some(fault) = self.not_opened.take() {
            self.fail(fault, handler);
            return State::Done;
        }
        if self.lease.is_none() {
            return State::Closed;
        }
        match self.advance(wait, handler) {
            Ok(state) => state,
            Err(fault) => self.settle(fault, handler),
        }
    }
}

impl Drop for PoolExchange<'_> {
    /// One that ends without a result gives its pass back.
    fn drop(&mut self) {
        if let Some(pass) = self.pass.take() {
            self.pool.breaker.gave_up(pass);
        }
    }
}
