//! What the connections of one running server share.

use super::clock::Clock;
use super::fault::Faults;
use super::store::{Limits, Store};
use std::collections::BTreeMap;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A server from its start to its stop.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) address: SocketAddr,
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
    stream: TcpStream,
    address: SocketAddr,
    /// On the store's clock.
    last_command: u32,
}

/// What `stats conns` shows of a connection.
#[derive(Debug)]
pub(crate) struct OpenConnection {
    pub(crate) id: u64,
    pub(crate) address: SocketAddr,
    pub(crate) last_command: u32,
}

impl Process {
    pub(crate) fn new(
        address: SocketAddr,
        limits: Limits,
        clock: Clock,
        faults: Arc<Faults>,
        received: Arc<AtomicU64>,
    ) -> Self {
        let store = Store::new(limits, clock.now());
        Self {
            address,
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
    pub(crate) fn enter(&self, stream: &TcpStream) -> Option<u64> {
        let address = stream.peer_addr().ok()?;
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
        }
    }

    pub(crate) fn open_connections(&self) -> Vec<OpenConnection> {
        let connections = self.connections();
        let open = connections.open.iter().map(|(&id, peer)| OpenConnection {
            id,
            address: peer.address,
            last_command: peer.last_command,
        });
        open.collect()
    }

    pub(crate) fn open_count(&self) -> usize {
        self.connections().open.len()
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
