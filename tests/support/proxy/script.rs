use super::super::Random;
use super::fault::Fault;
use super::forge::forge;
use super::frame::Exchange;
use super::history::History;
use super::weather::Weather;
use socket2::Socket;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the threads of a proxy share.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) upstream: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// To be committed, in this order: with replies, and with connections.
    replies: VecDeque<Fault>,
    connections: VecDeque<Fault>,
    weather: Option<Weather>,
    random: Random,
    committed: BTreeMap<&'static str, u64>,
    problems: Vec<String>,
    history: History,
    /// How often the faults were cleared: that ends all pauses.
    cleared: u64,
    refuses_until: Option<Instant>,
    is_stopped: bool,
    listener: Option<Arc<Socket>>,
    sessions: HashMap<u64, Session>,
}

/// A connection, to end it from outside.
#[derive(Debug)]
struct Session {
    client: Arc<TcpStream>,
    server: Option<Arc<TcpStream>>,
    /// Whether an exchange is under way. The server may have a request then: the connection must not
    /// be closed before it has carried it out, or it would do so at any later time.
    is_busy: bool,
    /// Whether it ends after that.
    is_doomed: bool,
}

impl Script {
    pub(super) fn new(upstream: SocketAddr) -> Self {
        Self {
            upstream,
            state: Mutex::new(State {
                replies: VecDeque::new(),
                connections: VecDeque::new(),
                weather: None,
                random: Random::new(0),
                committed: BTreeMap::new(),
                problems: Vec::new(),
                history: History::default(),
                cleared: 0,
                refuses_until: None,
                is_stopped: false,
                listener: None,
                sessions: HashMap::new(),
            }),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // What the test says.

    pub(super) fn inject(&self, fault: Fault) {
        let mut state = self.lock();
        if fault.is_of_connection() {
            state.connections.push_back(fault);
        } else {
            state.replies.push_back(fault);
        }
    }

    pub(super) fn set_weather(&self, weather: Weather, seed: u64) {
        let mut state = self.lock();
        state.weather = Some(weather);
        state.random = Random::new(seed);
    }

    pub(super) fn clear(&self) {
        let mut state = self.lock();
        state.replies.clear();
        state.connections.clear();
        state.weather = None;
        state.cleared += 1;
        state.refuses_until = None;
        self.changed.notify_all();
        let is_closed = |state: &mut State| state.listener.is_none() && !state.is_stopped;
        drop(self.changed.wait_while(state, is_closed));
    }

    pub(super) fn refuse(&self, until: Instant) {
        let mut state = self.lock();
        state.refuses_until = Some(until);
        state.close_listener();
        for session in state.sessions.values_mut() {
            session.end();
        }
    }

    pub(super) fn refuse_for(&self, pause: Duration) {
        self.refuse(Instant::now() + pause);
    }

    pub(super) fn committed(&self) -> BTreeMap<&'static str, u64> {
        self.lock().committed.clone()
    }

    pub(super) fn problems(&self) -> Vec<String> {
        self.lock().problems.clone()
    }

    /// Ends all threads, and waits until those of connections have.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.is_stopped = true;
        state.close_listener();
        for session in state.sessions.values_mut() {
            session.kill();
        }
        self.changed.notify_all();
        drop(
            self.changed
                .wait_while(state, |state| !state.sessions.is_empty()),
        );
    }

    // What the threads ask.

    /// A listener made by `listen`, as soon as there may be one; `None` at the end.
    pub(super) fn listener(&self, listen: impl Fn() -> Socket) -> Option<Arc<Socket>> {
        let mut state = self.lock();
        state.listener = None;
        while !state.is_stopped {
            let now = Instant::now();
            let Some(until) = state.refuses_until.filter(|until| *until > now) else {
                let listener = Arc::new(listen());
                state.refuses_until = None;
                state.listener = Some(Arc::clone(&listener));
                self.changed.notify_all();
                return Some(listener);
            };
            let waited = self.changed.wait_timeout(state, until - now);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        None
    }

    pub(super) fn add(&self, session: u64, client: &Arc<TcpStream>) -> Option<Fault> {
        let mut state = self.lock();
        let mut entry = Session {
            client: Arc::clone(client),
            server: None,
            is_busy: false,
            is_doomed: false,
        };
        if state.is_stopped {
            entry.kill();
        }
        state.sessions.insert(session, entry);
        let State {
            connections,
            weather,
            random,
            ..
        } = &mut *state;
        let drawn = connections.pop_front().or_else(|| {
            let weather = weather.as_ref()?;
            weather.connection_fault(random)
        });
        if let Some(fault) = &drawn {
            *state.committed.entry(fault.name()).or_default() += 1;
        }
        drawn
    }

    pub(super) fn set_server(&self, session: u64, server: &Arc<TcpStream>) {
        let mut state = self.lock();
        if let Some(entry) = state.sessions.get_mut(&session) {
            entry.server = Some(Arc::clone(server));
        }
        if state.is_stopped {
            let _ = server.shutdown(Shutdown::Both);
        }
    }

    pub(super) fn remove(&self, session: u64, problem: Option<String>) {
        let mut state = self.lock();
        state.sessions.remove(&session);
        state.history.forget(session);
        state.problems.extend(problem);
        self.changed.notify_all();
    }

    /// An exchange begins, and with it this fault; `Err` if the connection is to be closed.
    pub(super) fn begin(&self, session: u64) -> Result<Option<Fault>, Doomed> {
        let mut state = self.lock();
        let entry = state.sessions.get_mut(&session).ok_or(Doomed)?;
        if entry.is_doomed {
            return Err(Doomed);
        }
        entry.is_busy = true;
        let State {
            replies,
            weather,
            random,
            ..
        } = &mut *state;
        Ok(replies.pop_front().or_else(|| {
            let weather = weather.as_ref()?;
            weather.reply_fault(random)
        }))
    }

    /// The fault is being committed.
    pub(super) fn commit(&self, fault: &Fault) {
        *self.lock().committed.entry(fault.name()).or_default() += 1;
    }

    /// What becomes of the right reply by a fault that is a lie: nothing, and it is kept for later if
    /// it was injected, where there is no place for it.
    pub(super) fn forge(
        &self,
        session: u64,
        fault: Fault,
        exchange: &Exchange,
        reply: &[u8],
    ) -> Option<Vec<u8>> {
        let mut state = self.lock();
        let State {
            history, random, ..
        } = &mut *state;
        let forged = forge(&fault, exchange, reply, history, session, random);
        if forged.is_some() {
            *state.committed.entry(fault.name()).or_default() += 1;
        } else if state.weather.is_none() {
            state.replies.push_front(fault);
        }
        forged
    }

    pub(super) fn remember(&self, session: u64, exchange: &Exchange, reply: &[u8]) {
        self.lock().history.add(session, exchange, reply);
    }

    /// The exchange is over.
    pub(super) fn end(&self, session: u64) -> Result<(), Doomed> {
        let mut state = self.lock();
        let entry = state.sessions.get_mut(&session).ok_or(Doomed)?;
        entry.is_busy = false;
        if entry.is_doomed { Err(Doomed) } else { Ok(()) }
    }

    /// What ends when the faults are cleared.
    pub(super) fn ticket(&self) -> Ticket {
        Ticket(self.lock().cleared)
    }

    /// Returns after so long, or as soon as the faults are cleared or the proxy stops; then `false`.
    pub(super) fn pause(&self, pause: Duration, ticket: Ticket) -> bool {
        let holds = |state: &mut State| !state.is_stopped && state.cleared == ticket.0;
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), pause, |state| holds(state));
        waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

/// How long a fault lasts at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket(u64);

/// The connection is to be closed.
#[derive(Debug)]
pub(super) struct Doomed;

impl State {
    fn close_listener(&mut self) {
        if let Some(listener) = self.listener.take() {
            // Whoever is in `accept` comes back with an error, and nobody can connect any more.
            let _ = listener.shutdown(Shutdown::Both);
        }
    }
}

impl Session {
    fn end(&mut self) {
        self.is_doomed = true;
        if !self.is_busy {
            let _ = self.client.shutdown(Shutdown::Both);
        }
    }

    fn kill(&mut self) {
        self.is_doomed = true;
        for stream in [Some(&self.client), self.server.as_ref()] {
            let _ = stream.map(|stream| stream.shutdown(Shutdown::Both));
        }
    }
}
