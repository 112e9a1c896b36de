use crate::conn::{Batch, Deadline, Driver, Exchange, Patience, Sink, State};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Scope};

/// Exchanges each batch with its server, all at the same time, and tells `sink` what comes of it.
///
/// All servers are written to before any is read. Then each that has something to read is read in
/// turn, one window of replies at a time; one that has not is passed over until the others are done,
/// so that it costs them no more than one short wait.
///
/// No thread is involved, but where a connection has to be made: that can take until the deadline,
/// and is done aside.
pub(crate) fn scatter(
    batches: &[(&dyn Driver, Batch<'_>)],
    sink: &mut dyn Sink,
    deadline: Deadline,
) {
    if let [(driver, batch)] = batches {
        return driver.exchange(*batch, sink, deadline);
    }
    let mut talks: Vec<Talk<'_>> = Vec::with_capacity(batches.len());
    let mut are_open = true;
    for (driver, batch) in batches {
        let mut exchange = driver.converse(*batch, deadline);
        let state = exchange.begin(Patience::Short, sink);
        are_open &= state != State::Closed;
        if state != State::Done {
            talks.push(Talk { exchange, state });
        }
    }
    if are_open {
        talks = gather(talks, sink);
    }
    while !talks.is_empty() {
        let (closed, open): (Vec<_>, Vec<_>) = talks
            .into_iter()
            .partition(|talk| talk.state == State::Closed);
        let closed: Vec<_> = closed.into_iter().map(Slot::new).collect();
        talks = thread::scope(|scope| open_and_gather(scope, &closed, open, sink));
    }
}

/// A batch under way.
struct Talk<'a> {
    exchange: Box<dyn Exchange + 'a>,
    state: State,
}

impl Talk<'_> {
    fn step(&mut self, patience: Patience, sink: &mut dyn Sink) {
        self.state = self.exchange.step(patience, sink);
    }

    fn is_under_way(&self) -> bool {
        matches!(self.state, State::Running | State::Waiting)
    }
}

/// Goes on with all until each is done or needs a connection; gives the latter back.
fn gather<'a>(mut talks: Vec<Talk<'a>>, sink: &mut dyn Sink) -> Vec<Talk<'a>> {
    while talks.iter().any(Talk::is_under_way) {
        let is_alone = talks.len() == 1;
        round(&mut talks, is_alone, sink);
    }
    talks
}

/// One step with each that has a connection. Those that had nothing to
/// say before are waited for only if none has more; without end only one that `is_alone`.
fn round(talks: &mut Vec<Talk<'_>>, is_alone: bool, sink: &mut dyn Sink) {
    let all_wait = talks.iter().all(|talk| talk.state != State::Running);
    for talk in talks.iter_mut().filter(|talk| talk.is_under_way()) {
        let patience = match talk.state {
            _ if is_alone => Patience::Full,
            State::Waiting if !all_wait => Patience::None,
            _ => Patience::Short,
        };
        talk.step(patience, sink);
    }
    talks.retain(|talk| talk.state != State::Done);
}

/// A talk that one thread hands to another.
struct Slot<'a>(Mutex<Option<Talk<'a>>>);

impl<'a> Slot<'a> {
    fn new(talk: Talk<'a>) -> Self {
        Self(Mutex::new(Some(talk)))
    }

    /// Takes it, and makes its connection.
    fn open(&self) -> Option<Talk<'a>> {
        let mut talk = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()?;
        talk.exchange.open();
        talk.state = State::Running;
        Some(talk)
    }
}

/// Makes connections for `closed`, in a thread each, and goes on with those that have one in the
/// meantime. Gives back those that need one again.
fn open_and_gather<'scope, 'a>(
    scope: &'scope Scope<'scope, '_>,
    closed: &'scope [Slot<'a>],
    mut open: Vec<Talk<'a>>,
    sink: &mut dyn Sink,
) -> Vec<Talk<'a>> {
    let (sender, opened) = mpsc::channel();
    let mut missing = 0;
    for slot in closed {
        match open_aside(scope, slot, sender.clone()) {
            Some(talk) => open.push(talk),
            None => missing += 1,
        }
    }
    drop(sender); // The channel ends with the last of the threads.
    let mut closed_again = Vec::new();
    loop {
        let before = open.len();
        open.extend(opened.try_iter());
        if open.is_empty() {
            match opened.recv() {
                Ok(talk) => open.push(talk),
                Err(_) => return closed_again,
            }
        }
        missing -= open.len() - before;
        let is_alone = missing == 0 && open.len() == 1;
        round(&mut open, is_alone, sink);
        let (closed, rest): (Vec<_>, Vec<_>) = open
            .into_iter()
            .partition(|talk| talk.state == State::Closed);
        closed_again.extend(closed);
        open = rest;
    }
}

/// Opens the talk in `slot` in a thread of its own, which sends it to `opened`; or here, if there
/// can be no more threads.
fn open_aside<'scope, 'a>(
    scope: &'scope Scope<'scope, '_>,
    slot: &'scope Slot<'a>,
    opened: Sender<Talk<'a>>,
) -> Option<Talk<'a>> {
    let open = move || {
        // Whoever would receive it waits for this thread.
        slot.open().and_then(|talk| opened.send(talk).ok())
    };
    match thread::Builder::new().spawn_scoped(scope, open) {
        Ok(_) => None,
        Err(_) => slot.open(),
    }
}
