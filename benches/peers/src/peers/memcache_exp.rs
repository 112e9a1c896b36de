//! The crate `memcache`, its experimental client of the meta protocol.

use super::{Peer, walk};
use crate::crew;
use crate::work::{Form, Operation, Task, Work};
use memcache::exp::{Get, Memcache, Ttl};
use std::sync::Arc;

pub struct Exp(Arc<Memcache>);

impl Peer for Exp {
    const TAG: &'static str = "exp";

    fn can(task: &Task) -> bool {
        let form = !matches!(
            task.work,
            Work::GetMany(_, Form::Borrowed) | Work::SetManyQuiet(_)
        );
        form && !task.on_unix()
    }

    fn connect(servers: &[String]) -> Self {
        let servers = servers.iter().map(String::as_str);
        Self(Arc::new(Memcache::connect(servers).expect("addresses")))
    }

    fn get(&mut self, key: &str) -> Option<usize> {
        let value: Option<Vec<u8>> = self.0.get(key).expect("memcached answers");
        value.map(|it| it.len())
    }

    fn set(&mut self, key: &str, value: &[u8]) {
        self.0.set(key, value, Ttl::NEVER).expect("it is stored");
    }

    /// In the lower of its two layers: the upper one does not tell whether it was there.
    fn delete(&mut self, key: &str) -> bool {
        let result = self.0.meta().delete(key).send();
        result.expect("memcached answers").applied()
    }

    fn increment(&mut self, key: &str) -> u64 {
        let count = self.0.incr(key, 1, Ttl::NEVER);
        count.expect("memcached answers")
    }

    fn get_many(&mut self, keys: &[&str], form: Form) -> usize {
        if form == Form::Map {
            let found = self.0.get_many::<Vec<u8>, _>(keys.iter().copied());
            return found.expect("memcached answers").len();
        }
        let results = self.0.meta().run_many(keys.iter().map(Get::new));
        let results = results.expect("memcached answers");
        let hit = |result: &Result<memcache::exp::GetResult, _>| {
            result.as_ref().is_ok_and(memcache::exp::GetResult::hit)
        };
        results.iter().filter(|&result| hit(result)).count()
    }

    fn set_many(&mut self, items: &[(&str, &[u8])]) {
        let stored = self.0.set_many(items.iter().copied(), Ttl::NEVER);
        stored.expect("they are stored");
    }

    fn crew(self, keys: &'static [&'static str]) -> Operation {
        crew::operation(|number| {
            let (mut peer, mut keys) = (Self(self.0.clone()), walk(keys, number));
            move || assert!(keys.next().and_then(|key| peer.get(key)).is_some())
        })
    }
}
