//! Where keys belong, by a client that need not connect.

use moecache::{Client, Result};
use std::collections::HashMap;

pub(crate) struct Placer {
    pub(crate) client: Client,
    servers: Vec<String>,
    indexes: HashMap<String, usize>,
}

impl Placer {
    pub(crate) fn new(client: Client) -> Self {
        let servers = client.servers();
        let indexes = servers.iter().cloned().zip(0..);
        Self {
            indexes: indexes.collect(),
            servers,
            client,
        }
    }

    /// The server that `key` belongs to: its place in the list, from 0.
    pub(crate) fn place(&self, key: impl AsRef<[u8]>) -> Result<usize> {
        Ok(self.indexes[&self.client.server_for(key)?])
    }

    /// The servers, in list order.
    pub(crate) fn servers(&self) -> &[String] {
        &self.servers
    }
}
