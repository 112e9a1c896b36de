//! What the connections of one running server share.

use super::clock::Clock;
use super::fault::Faults;
use super::place::Place;
use super::settings::{Languages, Settings};
use super::store::Store;
use super::version::Ability;
use socket2::Socket;
use std::collections::BTreeMap;
use std::net::Shutdown;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A server from its start to its stop.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) place: Place,
    pub(crate) settings: Settings,
    pub(crate) faults: Arc<Faults>,
    received: Arc<AtomicU64>,
    clock: Clock,
    store: Mutex<Store>,
    connections: Mutex<Connections>,
}

#[derive(Debug, Default)]
struct Connections {
    open: BTreeMap<u64, Peer>,
    accepted: u64,
    stopping: bool,
}

#[derive(Debug)]
struct Peer {
    stream: Socket,
    address: String,
    /// On the store's clock.
    last_command: u32,
    state: State,
}

/// What `stats conns` shows of a connection.
#[derive(Debug)]
pub(crate) struct OpenConnection {
    pub(crate) id: u64,
    pub(crate) address: String,
    pub(crate) last_command: u32,
    pub(crate) state: State,
}

/// What a connection is doing: memcached's `conn_states`, as far as others see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing came from it yet.
    New,
    /// It waits for a command.
    Reading,
    /// Its command is being carried out.
    Executing,
    /// It waits for the rest of a value.
    ReadingValue,
    /// It waits for the rest of a value that was refused.
    Swallowing,
    /// It sends replies.
    Writing,
}

impl State {
    /// memcached's name for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::New => "conn_new_cmd",
            Self::Reading => "conn_read",
            Self::Executing => "conn_parse_cmd",
            Self::ReadingValue => "conn_nread",
            Self::Swallowing => "conn_swallow",
            Self::Writing => "conn_mwrite",
        }
    }
}

impl Process {
    pub(crate) fn new(
        place: Place,
        settings: Settings,
        clock: Clock,
        faults: Arc<Faults>,
        received: Arc<AtomicU64>,
    ) -> Self {
        let store = Store::new(settings.limits, clock.now());
        Self {
            place,
            settings,
            faults,
            received,
            clock,
            store: Mutex::new(store),
            connections: Mutex::default(),
        }
    }

    /// The store, at the present time.
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        store.time.set(self.clock.now());
        store
    }

    pub(crate) fn count_received(&self, bytes: usize) {
        let bytes = bytes as u64;
        self.received.fetch_add(bytes, Ordering::Relaxed);
        self.store().counters.bytes_read += bytes;
    }

    pub(crate) fn count_sent(&self, bytes: usize) {
        self.store().counters.bytes_written += bytes as u64;
    }

    /// Enters a new connection and gives its id; none is entered once the server is stopping.
    pub(crate) fn enter(&self, stream: &Socket) -> Option<u64> {
        let address = match stream.peer_addr().ok()?.as_socket() {
            Some(address) => format!("tcp:{address}"),
            // So memcached calls clients on a unix socket.
            None => "?:<AF 0>".to_owned(),
        };
        let stream = stream.try_clone().ok()?;
        let last_command = {
            let mut store = self.store();
            store.counters.total_connections += 1;
            store.time.now()
        };
        let mut connections = self.connections();
        if connections.stopping {
            return None;
        }
        connections.accepted += 1;
        let id = connections.accepted;
        let peer = Peer {
            stream,
            address,
            last_command,
            state: State::New,
        };
        connections.open.insert(id, peer);
        Some(id)
    }

    pub(crate) fn leave(&self, id: u64) {
        self.connections().open.remove(&id);
    }

    /// Notes when a connection sent a command, for `stats conns`.
    pub(crate) fn saw_command(&self, id: u64, now: u32) {
        if let Some(peer) = self.connections().open.get_mut(&id) {
            peer.last_command = now;
            peer.state = State::Executing;
        }
    }

    /// Notes what a connection is doing, for `stats conns`.
    pub(crate) fn saw_state(&self, id: u64, state: State) {
        if let Some(peer) = self.connections().open.get_mut(&id) {
            peer.state = state;
        }
    }

    pub(crate) fn open_connections(&self) -> Vec<OpenConnection> {
        let connections = self.connections();
        let open = connections.open.iter().map(|(&id, peer)| OpenConnection {
            id,
            address: peer.address.clone(),
            last_command: peer.last_command,
            state: peer.state,
        });
        open.collect()
    }

    pub(crate) fn open_count(&self) -> usize {
        self.connections().open.len()
    }

    /// Whether no more connections may be entered.
    pub(crate) fn is_full(&self) -> bool {
        self.open_count() >= self.settings.max_connections
    }

    /// Whether the server speaks the binary protocol, and the meta commands.
    pub(crate) fn speaks_all(&self) -> bool {
        self.settings.languages == Languages::All
    }

    pub(crate) fn has(&self, ability: Ability) -> bool {
        self.settings.version.has(ability)
    }

    /// Closes all connections; their threads notice by themselves.
    pub(crate) fn disconnect(&self) {
        for peer in self.connections().open.values() {
            // An error means that it is closed already.
            let _ = peer.stream.shutdown(Shutdown::Both);
        }
    }

    /// Closes all connections and lets no more in.
    pub(crate) fn stop(&self) {
        self.connections().stopping = true;
        self.faults.stop();
        self.disconnect();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.connections().stopping
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
