//! The servers that this client and a peer share.

use crate::support::{Memcached, UnixMemcached};
use moecache::{Client, ClientBuilder, Item, KeyBytes, Protocol};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

pub const PROTOCOLS: [Protocol; 3] = [Protocol::Text, Protocol::Meta, Protocol::Binary];

/// A list of servers to start.
#[derive(Debug, Clone, Copy)]
pub struct List {
    /// What they are called: an address, a name, or nothing if they are unix sockets.
    host: &'static str,
    /// One for each.
    weights: &'static [u32],
}

const fn list(host: &'static str, weights: &'static [u32]) -> List {
    List { host, weights }
}

pub const ONE: List = list("127.0.0.1", &[1]);
pub const TWO: List = list("127.0.0.1", &[1; 2]);
pub const THREE: List = list("127.0.0.1", &[1; 3]);
pub const SEVEN: List = list("127.0.0.1", &[1; 7]);
pub const NAMED: List = list("localhost", &[1; 3]);
pub const WEIGHTED: List = list("127.0.0.1", &[1, 5, 2]);
pub const UNIX: List = list("", &[1; 3]);

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, weights } = self;
        match weights.iter().find(|&&weight| weight != 1) {
            Some(_) => write!(f, "{host}, weights {weights:?}"),
            None if host.is_empty() => write!(f, "{} unix sockets", weights.len()),
            None => write!(f, "{} of {host}", weights.len()),
        }
    }
}

/// Real memcached servers.
#[derive(Debug)]
pub struct Servers(Vec<(Started, String)>);

/// It is killed when this is dropped.
#[derive(Debug)]
#[expect(dead_code, reason = "they are not asked anything")]
enum Started {
    Tcp(Box<Memcached>),
    Unix(Box<UnixMemcached>),
}

impl Servers {
    pub fn start(list: &List) -> Self {
        let List { host, weights } = list;
        let start = |weight: &u32| {
            if host.is_empty() {
                let server = UnixMemcached::with_args(&[]);
                let path = server.path().display().to_string();
                return (Started::Unix(Box::new(server)), path);
            }
            let server = Memcached::start();
            let mut address = format!("{host}:{}", server.address().port());
            if weights.iter().any(|&weight| weight != 1) {
                address = format!("{address}:{weight}");
            }
            (Started::Tcp(Box::new(server)), address)
        };
        Self(weights.iter().map(start).collect())
    }

    /// As the peers take them, and this client: `host:port`, `host:port:weight` or a path.
    pub fn addresses(&self) -> Vec<String> {
        self.0.iter().map(|(_, address)| address.clone()).collect()
    }

    /// This client, on all of them.
    pub fn client(&self) -> ClientBuilder {
        builder().servers(self.addresses())
    }

    /// Which of them has each of these keys, as they are sent: `host:port` or a path; or which ones,
    /// one after the other.
    pub fn having(&self, keys: &[String]) -> BTreeMap<String, String> {
        let mut having = BTreeMap::<String, Vec<String>>::new();
        for client in self.each() {
            let server = client.servers().remove(0);
            for key in client.get_many::<Item, _>(keys).all().unwrap().into_keys() {
                having.entry(key.clone()).or_default().push(server.clone());
            }
        }
        let having = having.into_iter();
        having
            .map(|(key, servers)| (key, servers.join(" and ")))
            .collect()
    }

    /// Leaves nothing on any of them.
    pub fn flush(&self) {
        for client in self.each() {
            for flushed in client.flush_all(0) {
                flushed.result.unwrap();
            }
        }
    }

    /// This client, on one server after the other: it looks nowhere else.
    fn each(&self) -> impl Iterator<Item = Client> {
        self.0.iter().map(|(_, address)| {
            let client = builder().servers(address).key_bytes(KeyBytes::NonAscii);
            client.build().unwrap()
        })
    }
}

fn builder() -> ClientBuilder {
    Client::builder().timeout(Duration::from_secs(20))
}
