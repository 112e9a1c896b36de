use super::breaker::{Circuit, Evidence, Pass};
use super::connection::{Incoming, Progress};
use super::deadline::Deadline;
use super::driver::{Batch, Exchange, State};
use super::fault::{Fault, is_unreachable};
use super::pool::{Admitted, Failed, Hold, Lease, Opening, Purpose};
use super::sink::Sink;
use super::stream::Patience;
use crate::protocol::{Decoder, Dialect, Output, Request, Window};
use std::io;
use std::time::Instant;

/// The exchange of a batch of requests for their replies, with one server.
///
/// Windows of requests are written, and their replies read, so that two windows at most are under
/// way: write one, write another, read the replies to the first, write a third. What may be under
/// way together, [`Window`] decides.
#[derive(Debug)]
pub(super) struct Conversation<'c, P: Hold> {
    pool: P,
    batch: Batch<'c>,
    deadline: Deadline,
    /// From when its time counts; `None` if it does not.
    started: Option<Instant>,
    /// The protocol that can say all requests.
    checked: Option<Dialect>,
    /// `None` before it begins, and when it is over.
    lease: Option<Lease<P>>,
    /// Whether the connection had served other calls before.
    reused: bool,
    /// The first request that is not encoded yet.
    next: usize,
    /// The requests before this one are sent so that each has its own reply: they were sent quietly
    /// before, and an error came of which it is not clear whose it is.
    loud_until: usize,
    /// Encoded: the window that is sent next.
    output: Output<'c>,
    unsent: Option<Unsent>,
    /// Sent: the first whose replies are not all read, and the one after it.
    first: Option<Decoder<'c>>,
    second: Option<Decoder<'c>>,
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
    /// What the ledger's [`heard`](super::ledger::Ledger::heard) was before it was sent, or connected.
    heard: u64,
    /// Whether the server has refused a connection.
    was_turned_away: bool,
    /// The server closed several new connections in a row, this one last: it is to be probed before that
    /// counts.
    dropped: Option<Fault>,
    /// What the probe said.
    probed: Option<Evidence>,
    /// What let it through, until it says what came of it.
    admitted: Admitted<P>,
}

/// A window of which not all is sent.
#[derive(Debug)]
struct Unsent {
    window: Window,
    written: usize,
}

impl<'c, P: Hold> Conversation<'c, P> {
    pub(super) fn new(pool: P, batch: Batch<'c>, deadline: Deadline) -> Self {
        Self {
            admitted: Admitted::new(&pool, None),
            pool,
            batch,
            deadline,
            started: Some(deadline.started()),
            checked: None,
            lease: None,
            reused: false,
            next: 0,
            loud_until: 0,
            output: Output::default(),
            unsent: None,
            first: None,
            second: None,
            incoming: Incoming::default(),
            in_doubt: 0,
            in_doubt_before: 0,
            is_certain: true,
            not_opened: None,
            heard: 0,
            was_turned_away: false,
            dropped: None,
            probed: None,
        }
    }

    /// The same with pauses at the caller's will: how long it takes, says nothing.
    pub(super) fn at_leisure(self) -> Self {
        Self {
            started: None,
            ..self
        }
    }

    /// From beginning to end.
    pub(super) fn run(&mut self, sink: &mut dyn Sink) {
        let state = self.begin(Patience::Full, sink);
        self.finish_from(state, sink);
    }

    fn finish_from(&mut self, mut state: State, sink: &mut dyn Sink) {
        while state != State::Done {
            if state == State::Closed {
                self.open();
            }
            state = self.step(Patience::Full, sink);
        }
    }

    /// Goes on where an exchange of its only request failed.
    pub(super) fn take_over(&mut self, failed: Failed<P>, sink: &mut dyn Sink) {
        self.lease = Some(failed.lease);
        self.reused = true;
        self.in_doubt = usize::from(failed.is_in_doubt);
        self.heard = failed.heard;
        self.admitted.pass = Some(Pass::Go);
        let state = self.settle(Err(failed.fault), sink);
        self.finish_from(state, sink);
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

    /// Takes up a connection.
    fn start(&mut self, mut lease: Lease<P>, reused: bool) -> Result<(), Fault> {
        if let Err(fault) = self.check(lease.connection().dialect) {
            lease.put();
            return Err(fault);
        }
        let connection = lease.connection();
        let now = if reused {
            self.deadline.started()
        } else {
            Instant::now() // To connect took time.
        };
        self.heard = self.pool.ledger().heard();
        connection.begin(self.batch.requests.len(), now);
        self.output = Output::reusing(std::mem::take(&mut connection.output));
        self.reused = reused;
        self.lease = Some(lease);
        Ok(())
    }

    /// Sends all that may be sent before something is read. `false` if the socket takes no more now.
    fn send(&mut self, patience: Patience) -> Result<bool, Fault> {
        let Some(lease) = &mut self.lease else {
            return Ok(true);
        };
        let connection = lease.connection();
        let has_late_fence = self.first.as_ref().is_some_and(Decoder::has_late_fence);
        while self.second.is_none() && !has_late_fence {
            if self.unsent.is_none() {
                let end = self.batch.requests.len();
                if self.next == end {
                    break;
                }
                self.output.clear();
                let is_loud = self.next < self.loud_until;
                let window = Window::encode(
                    connection.dialect,
                    self.batch.requests,
                    (self.next, if is_loud { self.loud_until } else { end }),
                    connection.limits.with_lines(self.batch.is_many),
                    !is_loud,
                    connection.opaque,
                    &mut self.output,
                );
                connection.opaque = connection.opaque.wrapping_add(window.opaques());
                self.next = window.end;
                self.unsent = Some(Unsent { window, written: 0 });
            }
            let Some(unsent) = &mut self.unsent else {
                break;
            };
            if let Some(first) = &self.first {
                if !unsent.window.may_follow(&first.window()) {
                    break;
                }
            }
            let written = &mut unsent.written;
            let sent = connection.send(&self.output, written, self.deadline, patience);
            if *written > 0 {
                self.in_doubt = self.in_doubt.max(unsent.window.end);
            }
            if !sent? {
                return Ok(false);
            }
            let (requests, window) = (self.batch.requests, unsent.window);
            let bounds = self.pool.bounds();
            let decoder = Decoder::new(connection.dialect, requests, window, bounds);
            self.unsent = None;
            if self.first.is_none() {
                self.first = Some(decoder);
            } else {
                self.second = Some(decoder);
            }
        }
        Ok(true)
    }

    /// Reads the replies to the first window. `false` if not all of them are there now.
    fn receive(&mut self, patience: Patience, sink: &mut dyn Sink) -> Result<bool, Fault> {
        let (Some(lease), Some(decoder)) = (&mut self.lease, &mut self.first) else {
            return Ok(true);
        };
        let connection = lease.connection();
        let (first, deadline) = (self.batch.first, self.deadline);
        let incoming = &mut self.incoming;
        let is_cut = self
            .unsent
            .as_ref()
            .is_some_and(|unsent| unsent.written > 0);
        decoder.set_behind(self.second.as_ref().map(Decoder::window), is_cut);
        let received = connection.receive(decoder, incoming, first, sink, deadline, patience);
        if !received? {
            return Ok(false);
        }
        let window = decoder.window();
        let last = &self.batch.requests[window.end - 1];
        self.is_certain &= !last.reply_end_is_uncertain();
        if decoder.is_unclear() {
            // Nothing was sent behind it: it is repeated before anything else is.
            self.unsent = None;
            self.next = window.start;
            self.loud_until = window.end;
        }
        let has_late_fence = decoder.has_late_fence();
        self.first = self.second.take();
        if let Some(next) = self.first.as_mut().filter(|_| has_late_fence) {
            next.expect_late_fence();
        }
        if self.incoming.is_out_of_step {
            self.is_certain = false;
            if !self.is_complete() {
                return Err(Fault::OutOfStep);
            }
        }
        Ok(true)
    }

    /// Whether all has been sent, and its replies read.
    fn is_complete(&self) -> bool {
        let all_sent = self.unsent.is_none() && self.next == self.batch.requests.len();
        all_sent && self.first.is_none()
    }

    /// Sends what can be sent, and reads what can be read.
    fn advance(&mut self, patience: Patience, sink: &mut dyn Sink) -> Result<State, Fault> {
        let sent = self.send(patience)?;
        if self.first.is_some() && !self.receive(patience, sink)? {
            return Ok(State::Waiting);
        }
        if !self.is_complete() {
            return Ok(if sent { State::Running } else { State::Waiting });
        }
        if let Some(mut lease) = self.lease.take() {
            let connection = lease.connection();
            connection.output = std::mem::take(&mut self.output).into_buffer();
            connection.finish(self.is_certain);
            connection.account.tally.latency = self.started.map(|started| started.elapsed());
            if self.batch.is_step {
                connection.account.tally.be_step();
            }
            lease.put();
        }
        self.pool.answered();
        self.admitted.take();
        Ok(State::Done)
    }

    /// Whether all can begin again on a new connection: the old one was closed by the server while
    /// it idled, and no harm is done by repeating what was sent.
    fn can_begin_again(&self, fault: &Fault) -> bool {
        let nothing_came = |lease: &Lease<P>| lease.progress() < Progress::Receiving;
        let sent = &self.batch.requests[..self.in_doubt];
        let was_closed = |lease: &Lease<P>| self.reused || lease.is_just_asked();
        matches!(fault, Fault::Lost(_))
            && self.lease.as_ref().is_some_and(was_closed)
            && self.lease.as_ref().is_some_and(nothing_came)
            && Request::are_repeatable(sent)
    }

    /// What `result` means for the whole: a fault ends it, or lets it begin again.
    fn settle(&mut self, result: Result<State, Fault>, sink: &mut dyn Sink) -> State {
        match result {
            Ok(state) => state,
            Err(fault) if self.can_begin_again(&fault) => {
                self.begin_again(fault);
                State::Closed
            }
            Err(Fault::TooManyConnections) if self.can_wait_for_others() => State::Closed,
            Err(Fault::Lost(error)) if self.is_to_be_probed(&error) => {
                self.close(Fault::Lost(error.kind().into()));
                self.dropped = Some(Fault::Lost(error));
                State::Closed
            }
            Err(fault) => {
                self.fail(fault, sink);
                State::Done
            }
        }
    }

    /// The server took the connection only to say that it has too many, and nothing of what was sent.
    /// Whether there are others, of which one will do.
    fn can_wait_for_others(&mut self) -> bool {
        self.in_doubt = self.in_doubt_before;
        let Some(mut lease) = self.lease.take() else {
            return false;
        };
        let error = Fault::TooManyConnections.into_error(self.deadline.timeout());
        lease.connection().account.fail(error);
        if !lease.turned_away() {
            return false;
        }
        let pass = self.admitted.take();
        *self = Self {
            in_doubt: self.in_doubt,
            in_doubt_before: self.in_doubt_before,
            started: self.started,
            admitted: Admitted::new(&self.pool, pass),
            was_turned_away: true,
            ..Self::new(self.pool.clone(), self.batch, self.deadline)
        };
        true
    }

    /// Whether the server has closed so many new connections in a row before it answered that it is to
    /// be probed.
    fn is_to_be_probed(&self, error: &io::Error) -> bool {
        let is_of_new = !self.reused && self.admitted.pass == Some(Pass::Go);
        let nothing_came = |lease: &Lease<P>| lease.progress() < Progress::Receiving;
        is_of_new
            && !is_unreachable(error)
            && self.lease.as_ref().is_some_and(nothing_came)
            && self.pool.dropped()
    }

    /// Closes the connection.
    fn close(&mut self, fault: Fault) {
        if let Some(mut lease) = self.lease.take() {
            let error = fault.into_error(self.deadline.timeout());
            lease.connection().account.fail(error);
        }
    }

    /// Whether the server does not even answer `version`, on another connection.
    fn is_dropping(&mut self) -> bool {
        let opening = Opening {
            purpose: Purpose::Check,
            insists: false,
            was_turned_away: false,
        };
        match Lease::open(&self.pool, &mut self.deadline, opening) {
            Ok((lease, _)) => {
                lease.put();
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
        if self.pool.ledger().heard() != self.heard {
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
        let nothing_came = |lease: &Lease<P>| lease.progress() < Progress::Receiving;
        self.admitted.pass == Some(Pass::Probe) && self.lease.as_ref().is_none_or(nothing_came)
    }

    /// The server failed: what comes after it may be another, which is asked again what it speaks;
    /// unless the connection was closed for being asked.
    fn forget_dialect(&self, fault: &Fault) {
        let lease = self.lease.as_ref();
        let was_closed = matches!(fault, Fault::Lost(_)) && lease.is_some_and(Lease::is_just_asked);
        self.pool.remember_text(was_closed);
    }

    fn begin_again(&mut self, fault: Fault) {
        self.forget_dialect(&fault);
        if let Some(mut lease) = self.lease.take() {
            let error = fault.into_error(self.deadline.timeout());
            lease.connection().account.fail(error);
        }
        self.pool.ledger().retried();
        let (in_doubt, pass) = (self.in_doubt, self.admitted.take());
        *self = Self {
            in_doubt,
            in_doubt_before: in_doubt,
            started: self.started,
            admitted: Admitted::new(&self.pool, pass),
            ..Self::new(self.pool.clone(), self.batch, self.deadline)
        };
    }

    /// Tells each request that has no reply why.
    fn fail(&mut self, fault: Fault, sink: &mut dyn Sink) {
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
        let is_answer = matches!(fault, Fault::Malformed(_) | Fault::OutOfStep);
        let is_lost = matches!(fault, Fault::Lost(_));
        let error = fault.into_error(timeout).on(self.pool.name());
        let is_unserved = |lease: &mut Lease<P>| !lease.connection().has_served;
        let error = if is_lost && self.lease.as_mut().is_none_or(is_unserved) {
            error.and(self.pool.why_closed_early())
        } else {
            error
        };
        if is_refused {
            self.pool.login_refused(self.deadline, &error);
        } else if is_answer {
            self.pool.answered();
        }
        if let Some(pass) = self.admitted.take() {
            self.pool.failed(pass, evidence, self.deadline, &error);
        }
        let first = self.first.as_ref();
        let unread = first.map(|decoder| decoder.window().start);
        let unsent = self.unsent.as_ref().map(|unsent| unsent.window.start);
        let from = unread.or(unsent).unwrap_or(self.next);
        let mut failed = 0;
        for (index, request) in self.batch.requests.iter().enumerate().skip(from) {
            if first.is_some_and(|decoder| decoder.is_answered(index)) {
                continue;
            }
            failed += 1;
            let in_doubt = index < self.in_doubt && request.is_write();
            let error = error.clone();
            let error = if in_doubt { error.ambiguous() } else { error };
            sink.reply(self.batch.first + index, Err(error));
        }
        let started = self.started.filter(|_| is_tried);
        let latency = started.map(|started| started.elapsed());
        if is_sayable {
            self.pool.ledger().failed(failed, &error, latency);
        }
        if let Some(mut lease) = self.lease.take() {
            let account = &mut lease.connection().account;
            if first.is_none_or(|decoder| !decoder.is_unclear()) {
                account.tally.answers += std::mem::take(&mut self.incoming.answers);
            }
            account.fail(error);
            lease.put(); // If nothing was sent on it.
        }
    }
}

impl<P: Hold> Exchange for Conversation<'_, P> {
    fn begin(&mut self, patience: Patience, sink: &mut dyn Sink) -> State {
        if let Some(dialect) = self.pool.dialect() {
            if let Err(fault) = self.check(dialect) {
                self.fail(fault, sink);
                return State::Done;
            }
        }
        match self.pool.admit(self.batch.insists) {
            Ok(pass) => self.admitted.pass = Some(pass),
            Err(fault) => {
                self.fail(fault, sink);
                return State::Done;
            }
        }
        if self.admitted.pass == Some(Pass::Probe) {
            return State::Closed; // A probe is made on a new connection.
        }
        let Some(lease) = Lease::idle(&self.pool, self.deadline.started()) else {
            return State::Closed;
        };
        let begun = self.start(lease, true);
        let sent = begun.and_then(|()| self.send(patience));
        self.settle(sent.map(|_| State::Running), sink)
    }

    fn open(&mut self) {
        if let Some(fault) = self.dropped.take() {
            self.probed = self.is_dropping().then_some(Evidence::Dropped);
            self.not_opened = Some(fault);
            return;
        }
        let opening = Opening {
            purpose: match self.admitted.pass {
                Some(Pass::Probe) => Purpose::Probe,
                _ => Purpose::Request,
            },
            insists: self.batch.insists,
            was_turned_away: self.was_turned_away,
        };
        self.heard = self.pool.ledger().heard();
        let opened = Lease::open(&self.pool, &mut self.deadline, opening);
        if self.pool.circuit() == Circuit::Closed {
            // A probe has found that the server is back: what comes of the request, is another matter.
            self.admitted.pass = Some(Pass::Go);
        }
        let started = opened.and_then(|(lease, reused)| self.start(lease, reused));
        self.not_opened = started.err();
    }

    fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    fn step(&mut self, patience: Patience, sink: &mut dyn Sink) -> State {
        if let Some(fault) = self.not_opened.take() {
            self.fail(fault, sink);
            return State::Done;
        }
        if self.lease.is_none() {
            return State::Closed;
        }
        let advanced = self.advance(patience, sink);
        self.settle(advanced, sink)
    }
}
