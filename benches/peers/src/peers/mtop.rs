//! The crate `mtop-client`, in tokio's runtime of this thread.

use super::Peer;
use crate::work::{Form, Task, Work};
use mtop_client::{
    MemcachedClient, MemcachedClientConfig, RendezvousSelector, Server, ServerID, TcpClientFactory,
};
use std::net::SocketAddr;
use tokio::runtime::{Builder, Runtime};

pub struct Mtop {
    client: MemcachedClient,
    runtime: Runtime,
}

impl Peer for Mtop {
    const TAG: &'static str = "mtop";

    fn can(task: &Task) -> bool {
        let form = !matches!(
            task.work,
            Work::GetMany(_, Form::Borrowed | Form::List)
                | Work::SetMany(_)
                | Work::SetManyQuiet(_)
                | Work::Threads
        );
        form && !task.on_unix()
    }

    fn connect(servers: &[String]) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("tokio has a runtime");
        let server = |server: &String| {
            let address: SocketAddr = server.parse().expect("an address");
            Server::without_name(ServerID::from(address))
        };
        let client = MemcachedClient::new(
            MemcachedClientConfig::default(),
            runtime.handle().clone(),
            RendezvousSelector::new(servers.iter().map(server).collect()),
            TcpClientFactory,
        );
        Self { client, runtime }
    }

    fn get(&mut self, key: &str) -> Option<usize> {
        let found = self.runtime.block_on(self.client.get([key.to_owned()]));
        let found = found.expect("memcached answers");
        assert!(found.errors.is_empty());
        let value = found.values.into_values().next()?;
        Some(value.data.len())
    }

    fn set(&mut self, key: &str, value: &[u8]) {
        let stored = self
            .runtime
            .block_on(self.client.set(key.to_owned(), 0, 0, value));
        stored.expect("it is stored");
    }

    fn delete(&mut self, key: &str) -> bool {
        self.runtime
            .block_on(self.client.delete(key.to_owned()))
            .is_ok()
    }

    fn increment(&mut self, key: &str) -> u64 {
        let count = self.runtime.block_on(self.client.incr(key.to_owned(), 1));
        count.expect("memcached answers")
    }

    fn get_many(&mut self, keys: &[&str], _: Form) -> usize {
        let keys = keys.iter().map(|&key| key.to_owned());
        let found = self.runtime.block_on(self.client.get(keys));
        found.expect("memcached answers").values.len()
    }
}
