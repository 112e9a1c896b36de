//! The texts that `stats` answers: names, order and form of memcached 1.6.18.

mod general;
mod items;
mod metadump;

pub(crate) use general::{general, settings};
pub(crate) use items::{cachedump, items, sizes, slabs};
pub(crate) use metadump::metadump;

use super::place::Place;
use super::process::OpenConnection;
use super::store::Store;
use std::fmt::Write;

/// Statistics: a name and a value on each line.
#[derive(Debug)]
pub(crate) struct Report(String);

impl Report {
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.lines().filter_map(|line| line.split_once(' '))
    }
}

/// `stats conns`: the listening socket, numbered 0, and the connections in the order they came.
pub(crate) fn connections(store: &Store, place: &Place, open: &[OpenConnection]) -> Report {
    let now = store.time.now();
    let address = match place {
        Place::Tcp(address) => format!("tcp:{address}"),
        Place::Unix(path) => format!("unix:{}", path.display()),
    };
    let mut text = format!(
        "0:addr {address}\n0:state conn_listening\n0:secs_since_last_cmd {}\n",
        store.time.running(),
    );
    for connection in open {
        let OpenConnection {
            id,
            address: peer,
            last_command,
            state,
        } = connection;
        let state = state.name();
        let seconds = now - last_command;
        let _ = write!(
            text,
            "{id}:addr {peer}
{id}:listen_addr {address}
{id}:state {state}
{id}:secs_since_last_cmd {seconds}
"
        );
    }
    Report(text)
}

/// `stats extstore`, of a server without one.
pub(crate) fn nothing() -> Report {
    Report(String::new())
}

/// `stats detail dump`, in the order of the prefixes. (memcached's is that of their hashes.)
pub(crate) fn prefixes(store: &Store) -> Vec<u8> {
    let mut reply = Vec::new();
    for (prefix, counters) in &store.counters.prefixes {
        reply.extend_from_slice(b"PREFIX ");
        reply.extend_from_slice(prefix);
        let row = format!(
            " get {} hit {} set {} del {}\r\n",
            counters.gets, counters.hits, counters.sets, counters.deletes
        );
        reply.extend_from_slice(row.as_bytes());
    }
    reply.extend_from_slice(b"END\r\n");
    reply
}
