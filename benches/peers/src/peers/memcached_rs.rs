//! The crate `memcached-rs`, one connection a server, the binary protocol.

use super::Peer;
use crate::work::{COUNT, Form, Task, Work};
use memcached::Client;
use memcached::proto::{MultiOperation as _, Operation as _, ProtoType};
use std::collections::BTreeMap;

pub struct MemcachedRs(Client);

impl Peer for MemcachedRs {
    const TAG: &'static str = "mrs";

    fn can(task: &Task) -> bool {
        let one_server = matches!(
            task.work,
            Work::GetMany(..) | Work::SetMany(_) | Work::SetManyQuiet(_)
        );
        let form = !matches!(
            task.work,
            Work::GetMany(_, Form::Borrowed | Form::List) | Work::SetMany(_) | Work::Threads
        );
        form && !task.on_unix() && (task.servers.len() == 1 || !one_server)
    }

    fn connect(servers: &[String]) -> Self {
        let servers: Vec<_> = servers
            .iter()
            .map(|it| (format!("tcp://{it}"), 1))
            .collect();
        let client = Client::connect(&servers, ProtoType::Binary);
        Self(client.expect("memcached accepts"))
    }

    fn get(&mut self, key: &str) -> Option<usize> {
        let value = self.0.get(key.as_bytes());
        value.ok().map(|(value, _)| value.len())
    }

    fn set(&mut self, key: &str, value: &[u8]) {
        let stored = self.0.set(key.as_bytes(), value, 0, 0);
        stored.expect("it is stored");
    }

    fn delete(&mut self, key: &str) -> bool {
        self.0.delete(key.as_bytes()).is_ok()
    }

    fn increment(&mut self, key: &str) -> u64 {
        let count = self.0.increment(key.as_bytes(), 1, COUNT, 0);
        count.expect("memcached answers")
    }

    fn get_many(&mut self, keys: &[&str], _: Form) -> usize {
        let keys: Vec<_> = keys.iter().map(|key| key.as_bytes()).collect();
        self.0.get_multi(&keys).expect("memcached answers").len()
    }

    fn set_many_quiet(&mut self, items: &[(&str, &[u8])]) {
        let items = items
            .iter()
            .map(|(key, value)| (key.as_bytes(), (*value, 0, 0)));
        let items: BTreeMap<_, _> = items.collect();
        self.0.set_multi(items).expect("they are stored");
    }
}
