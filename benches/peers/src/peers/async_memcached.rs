//! The crate `async-memcached`, one connection to one server, in tokio's runtime of this thread.

use super::Peer;
use crate::work::{Form, Task, Work};
use async_memcached::{AsciiProtocol, Client, Error, MetaProtocol, Status};
use tokio::runtime::{Builder, Runtime};

pub struct Async {
    client: Client,
    runtime: Runtime,
}

impl Peer for Async {
    const TAG: &'static str = "asy";

    fn can(task: &Task) -> bool {
        let form = !matches!(
            task.work,
            Work::GetMany(_, Form::Borrowed | Form::Map) | Work::Threads
        );
        form && task.servers.len() == 1 && !task.on_unix()
    }

    fn connect(servers: &[String]) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("tokio has a runtime");
        let client = runtime.block_on(Client::new(format!("tcp://{}", servers[0])));
        Self {
            client: client.expect("memcached accepts"),
            runtime,
        }
    }

    fn get(&mut self, key: &str) -> Option<usize> {
        let value = self.runtime.block_on(self.client.get(key));
        let value = value.expect("memcached answers")?;
        Some(value.data.expect("it has data").len())
    }

    fn set(&mut self, key: &str, value: &[u8]) {
        let stored = self
            .runtime
            .block_on(self.client.set(key, value, None, None));
        stored.expect("it is stored");
    }

    fn delete(&mut self, key: &str) -> bool {
        match self.runtime.block_on(self.client.delete(key)) {
            Ok(()) => true,
            Err(Error::Protocol(Status::NotFound)) => false,
            Err(error) => panic!("{error}"),
        }
    }

    fn increment(&mut self, key: &str) -> u64 {
        let count = self.runtime.block_on(self.client.increment(key, 1));
        count.expect("memcached answers")
    }

    fn get_many(&mut self, keys: &[&str], _: Form) -> usize {
        let found = self.runtime.block_on(self.client.get_multi(keys));
        found.expect("memcached answers").len()
    }

    fn set_many(&mut self, items: &[(&str, &[u8])]) {
        let stored = self
            .runtime
            .block_on(self.client.set_multi(items, None, None));
        let stored = stored.expect("memcached answers");
        assert!(stored.values().all(Result::is_ok));
    }

    fn set_many_quiet(&mut self, items: &[(&str, &[u8])]) {
        let failures = self
            .runtime
            .block_on(self.client.meta_set_multi(items, None));
        assert!(failures.expect("memcached answers").is_empty());
    }
}
