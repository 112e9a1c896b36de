//! The servers that rows run on. They start when a row needs them, serve one row at a time, and end with the
//! program: so there are as many of a kind as rows run at the same time.

use super::support::{Memcached, UnixMemcached, memcached};
use moecache::PrefixPlacement::LeftOut;
use moecache::testing::Server;
use moecache::{Client, ClientBuilder, Expiry, Protocol};
use std::any::Any;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Some servers, and how a client of theirs is set up.
#[derive(Clone, Copy)]
pub struct Setup {
    pub name: &'static str,
    start: fn() -> Servers,
    needs_memcached: bool,
}

pub struct Servers {
    builder: ClientBuilder,
    /// A row has the connections of those before it, so that it notices what they leave there.
    clients: HashMap<Protocol, Client>,
    _running: Box<dyn Any + Send>,
}

pub const LARGE_ITEMS: [&str; 2] = ["-I", "8m"];

pub const SETUPS: [Setup; 6] = [
    Setup {
        name: "one_memcached",
        start: || {
            let server = Memcached::with_args(&LARGE_ITEMS);
            Servers::new(Client::builder().servers(server.address()), server)
        },
        needs_memcached: true,
    },
    Setup {
        name: "three_memcacheds",
        start: three_memcacheds,
        needs_memcached: true,
    },
    Setup {
        name: "three_memcacheds_with_a_prefix",
        start: || {
            let mut servers = three_memcacheds();
            servers.builder = servers.builder.prefix("app:").prefix_placement(LeftOut);
            servers
        },
        needs_memcached: true,
    },
    Setup {
        name: "memcacheds_on_unix_sockets",
        start: || {
            let servers = [(); 2].map(|()| UnixMemcached::with_args(&LARGE_ITEMS));
            let paths = servers.each_ref().map(UnixMemcached::path);
            Servers::new(Client::builder().servers(paths), servers)
        },
        needs_memcached: true,
    },
    Setup {
        name: "the_embedded_server",
        start: || {
            let server = embedded();
            Servers::new(Client::builder().servers(&server), server)
        },
        needs_memcached: false,
    },
    Setup {
        name: "three_embedded_servers",
        start: || {
            let servers = [(); 3].map(|()| embedded());
            Servers::new(Client::builder().servers(&servers), servers)
        },
        needs_memcached: false,
    },
];

fn three_memcacheds() -> Servers {
    let servers = [(); 3].map(|()| Memcached::with_args(&LARGE_ITEMS));
    let addresses = servers.each_ref().map(Memcached::address);
    Servers::new(Client::builder().servers(addresses), servers)
}

fn embedded() -> Server {
    Server::builder().item_size_max(8 << 20).start().unwrap()
}

/// Those that no row uses at the moment.
static IDLE: Idle<Servers> = Idle::new();

impl Setup {
    /// Returns servers that no other row has; or why there are none.
    pub fn servers(&self) -> Result<Servers, String> {
        if let (true, Some(why)) = (self.needs_memcached, memcached::is_missing()) {
            return Err(why);
        }
        Ok(IDLE.take(self.name).unwrap_or_else(self.start))
    }

    pub fn give_back(&self, servers: Servers) {
        IDLE.put(self.name, servers);
    }
}

impl Servers {
    fn new(builder: ClientBuilder, running: impl Any + Send) -> Self {
        Self {
            // Nothing here is about time, and the machine may be busy.
            builder: builder.timeout(Duration::from_secs(20)),
            clients: HashMap::new(),
            _running: Box::new(running),
        }
    }

    pub fn client(&mut self, protocol: Protocol) -> Client {
        let builder = &self.builder;
        let new = || builder.clone().protocol(protocol).build().unwrap();
        self.clients.entry(protocol).or_insert_with(new).clone()
    }
}

pub fn empty(client: &Client) {
    for server in client.flush_all(Expiry::Never) {
        server.result.unwrap();
    }
}

/// Ends them all.
pub fn end() {
    IDLE.end();
}

/// What runs, and nobody uses, by name.
pub struct Idle<T>(Mutex<Vec<(&'static str, T)>>);

impl<T> Idle<T> {
    pub const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    pub fn take(&self, name: &str) -> Option<T> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|(its, _)| *its == name)?;
        Some(all.swap_remove(at).1)
    }

    pub fn put(&self, name: &'static str, it: T) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push((name, it));
    }

    /// Drops all of it.
    pub fn end(&self) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.clear();
    }
}
