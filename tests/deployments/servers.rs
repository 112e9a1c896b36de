//! The servers that this client and a peer share.

use crate::support::Memcached;
use moecache::{Client, ClientBuilder, Protocol};
use std::collections::BTreeMap;
use std::time::Duration;

pub const PROTOCOLS: [Protocol; 3] = [Protocol::Text, Protocol::Meta, Protocol::Binary];

/// Real memcached servers, each with a weight.
#[derive(Debug)]
pub struct Servers {
    started: Vec<Memcached>,
    weights: Vec<u32>,
}

impl Servers {
    pub fn start(weights: &[u32]) -> Self {
        Self {
            started: weights.iter().map(|_| Memcached::start()).collect(),
            weights: weights.to_vec(),
        }
    }

    /// As the peers and this client take them.
    pub fn addresses(&self) -> Vec<String> {
        let weighted = self.weights.iter().any(|&weight| weight != 1);
        let servers = self.started.iter().zip(&self.weights);
        servers
            .map(|(server, weight)| match (server.address(), weighted) {
                (address, true) => format!("{address}:{weight}"),
                (address, false) => address.to_string(),
            })
            .collect()
    }

    /// This client, on all of them.
    pub fn client(&self) -> ClientBuilder {
        builder().servers(self.addresses())
    }

    /// Which of them has each of these keys, `host:port`; or which ones, one after the other.
    pub fn having(&self, keys: &[String]) -> BTreeMap<String, String> {
        let mut having = BTreeMap::<String, Vec<String>>::new();
        for server in &self.started {
            let items = alone(server).get_many_items(keys).all().unwrap();
            for key in items.into_keys() {
                let servers = having.entry(key.clone()).or_default();
                servers.push(server.address().to_string());
            }
        }
        let having = having.into_iter();
        having
            .map(|(key, servers)| (key, servers.join(" and ")))
            .collect()
    }

    /// Leaves nothing on any of them.
    pub fn flush(&self) {
        for server in &self.started {
            for flushed in alone(server).flush_all(0) {
                flushed.result.unwrap();
            }
        }
    }
}

/// This client, on one server: it looks nowhere else.
fn alone(server: &Memcached) -> Client {
    builder().servers(server.address()).build().unwrap()
}

fn builder() -> ClientBuilder {
    Client::builder().timeout(Duration::from_secs(20))
}
