use crate::conn::{Batch, Deadline, Exchange, ReplyHandler, State, Wait};
use crate::middleware::Backend;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, Scope};

/// Exchanges each batch with its server, all at the same time, and tells `handler` what comes of it.
///
/// All servers are written to before any is read. Then each is read in turn, one window of replies at
/// a time. As soon as one keeps the others waiting, none is waited for as long as another has
/// something to read: so a server that is slow, silent or talkative costs the others a short wait,
/// once.
///
/// No thread is involved, but where a connection has to be made: that can take until the deadline,
/// and is done aside. So is all that middleware does.
pub(crate) fn scatter(
    batches: &[(&Backend, Batch<'_>)],
    handler: &mut dyn ReplyHandler,
    deadline: Deadline,
) {
    if let [(backend, batch)] = batches {
        return backend.exchange(*batch, handler, deadline);
    }
    let begun = batches.iter().map(|(backend, batch)| {
        let mut exchange = backend.converse(*batch, deadline);
        let state = exchange.begin(Wait::No, handler);
        Talk { exchange, state }
    });
    let mut talks: Vec<Talk<'_>> = begun.collect();
    talks.retain(|talk| talk.state != State::Done);
    let mut rounds = Rounds::default();
    while !talks.is_empty() && talks.iter().all(Talk::is_open) {
        rounds.next(&mut talks, 0, handler);
    }
    if !talks.is_empty() {
        thread::scope(|scope| open_and_gather(scope, talks, rounds, handler));
    }
}

/// A batch under way.
struct Talk<'a> {
    exchange: Box<dyn Exchange + 'a>,
    state: State,
}

impl Talk<'_> {
    fn step(&mut self, wait: Wait, handler: &mut dyn ReplyHandler) {
        self.state = self.exchange.step(wait, handler);
    }

    fn is_open(&self) -> bool {
        self.state != State::Closed
    }

    /// With a connection, unless it has one.
    fn opened(mut self) -> Self {
        if !self.is_open() {
            self.exchange.open();
            self.state = State::Running;
        }
        self
    }
}

/// Who is read next, and how long it is waited for.
#[derive(Default)]
struct Rounds {
    /// Whether one has kept the others waiting.
    is_careful: bool,
    /// The last that had something to read: it is the one to wait for when nobody has.
    last: usize,
}

impl Rounds {
    /// One step with each, and no more than one short wait for nothing. `absent` others are still
    /// being connected to.
    fn next(&mut self, talks: &mut Vec<Talk<'_>>, absent: usize, handler: &mut dyn ReplyHandler) {
        let wait = if talks.len() + absent == 1 {
            Wait::UntilDeadline
        } else {
            Wait::Briefly
        };
        if self.is_careful {
            let mut all_wait = true;
            for (index, talk) in talks.iter_mut().enumerate() {
                talk.step(Wait::No, handler);
                if talk.state != State::Waiting {
                    (all_wait, self.last) = (false, index);
                }
            }
            if all_wait && !talks.is_empty() {
                let index = self.last % talks.len();
                talks[index].step(wait, handler);
                if talks[index].state == State::Waiting {
                    self.last = index + 1;
                }
            }
        } else {
            for talk in talks.iter_mut() {
                talk.step(wait, handler);
                if talk.state == State::Waiting {
                    self.is_careful = true;
                    break;
                }
            }
        }
        talks.retain(|talk| talk.state != State::Done);
    }
}

/// Goes on with all talks to their ends. For those that need a connection one is made aside, in a
/// thread each.
fn open_and_gather<'scope, 'a: 'scope>(
    scope: &'scope Scope<'scope, '_>,
    mut open: Vec<Talk<'a>>,
    mut rounds: Rounds,
    handler: &mut dyn ReplyHandler,
) {
    let (opened, to_gather) = mpsc::channel();
    let mut absent = 0;
    loop {
        // Those that have lost their connections have to be opened again, too.
        let (rest, closed): (Vec<_>, Vec<_>) = open.into_iter().partition(Talk::is_open);
        open = rest;
        absent += closed.len();
        for talk in closed {
            open_aside(scope, talk, opened.clone());
        }
        let first = if open.is_empty() && absent > 0 {
            to_gather.recv().ok()
        } else {
            None
        };
        for talk in first.into_iter().chain(to_gather.try_iter()) {
            absent -= 1;
            open.extend(talk.map(Talk::opened));
        }
        if open.is_empty() && absent == 0 {
            return;
        }
        rounds.next(&mut open, absent, handler);
    }
}

/// Opens `talk` in a thread of its own, which sends it to `opened`; as it is, if there can be no more
/// threads.
fn open_aside<'scope, 'a: 'scope>(
    scope: &'scope Scope<'scope, '_>,
    talk: Talk<'a>,
    opened: Sender<Option<Talk<'a>>>,
) {
    let mut opening = Opening {
        talk: Some(talk),
        opened,
    };
    let open = move || opening.talk = opening.talk.take().map(Talk::opened);
    // Whether there is a thread or not, the talk comes back when `opening` is dropped.
    drop(thread::Builder::new().spawn_scoped(scope, open));
}

/// Sends its talk back in any case; `None` if opening it panicked.
struct Opening<'a> {
    talk: Option<Talk<'a>>,
    opened: Sender<Option<Talk<'a>>>,
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        // Whoever receives it waits for all of them.
        let _ = self.opened.send(self.talk.take());
    }
}
