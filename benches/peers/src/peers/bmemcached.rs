//! The crate `bmemcached`, the binary protocol. It leaves Nagle's algorithm on.

use super::{Peer, walk};
use crate::crew;
use crate::work::{COUNT, Operation, Task, Work};
use bmemcached::MemcachedClient;
use std::sync::Arc;

pub struct Bmemcached(Arc<MemcachedClient>);

impl Peer for Bmemcached {
    const TAG: &'static str = "bmc";

    fn can(task: &Task) -> bool {
        let many = matches!(
            task.work,
            Work::GetMany(..) | Work::SetMany(_) | Work::SetManyQuiet(_)
        );
        !many && !task.on_unix()
    }

    fn connect(servers: &[String]) -> Self {
        let client = MemcachedClient::new(servers.to_vec(), 1);
        Self(Arc::new(client.expect("memcached accepts")))
    }

    fn get(&mut self, key: &str) -> Option<usize> {
        let value: Result<Vec<u8>, _> = self.0.get(key);
        value.ok().map(|it| it.len())
    }

    fn set(&mut self, key: &str, value: &[u8]) {
        self.0.set(key, value, 0).expect("it is stored");
    }

    /// It does not tell whether it was there.
    fn delete(&mut self, key: &str) -> bool {
        self.0.delete(key).expect("memcached answers");
        false
    }

    fn increment(&mut self, key: &str) -> u64 {
        let count = self.0.increment(key, 1, COUNT, 0);
        count.expect("memcached answers")
    }

    fn crew(self, keys: &'static [&'static str]) -> Operation {
        crew::operation(|number| {
            let (mut peer, mut keys) = (Self(self.0.clone()), walk(keys, number));
            move || assert!(keys.next().and_then(|key| peer.get(key)).is_some())
        })
    }
}
