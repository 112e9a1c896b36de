//! The crate `memcache`, its stable client, with the text protocol: with its default, the binary one,
//! it takes three times as long. Each operation sends `version` first, which is how its pool sees
//! whether a connection is alive.

use super::{Peer, walk};
use crate::crew;
use crate::work::{Form, Operation, Task, Work};
use memcache::Client;

pub struct Memcache(Client);

impl Peer for Memcache {
    const TAG: &'static str = "mc";

    fn can(task: &Task) -> bool {
        let form = !matches!(
            task.work,
            Work::GetMany(_, Form::Borrowed | Form::List)
                | Work::SetMany(_)
                | Work::SetManyQuiet(_)
        );
        form && !task.on_unix()
    }

    fn connect(servers: &[String]) -> Self {
        let mut builder = Client::builder();
        for server in servers {
            let url = format!("memcache://{server}?protocol=ascii");
            builder = builder.add_server(url).expect("an address");
        }
        let size = u32::try_from(crew::THREADS).expect("it is few");
        let client = builder.with_max_pool_size(size).build();
        Self(client.expect("memcached accepts"))
    }

    fn get(&mut self, key: &str) -> Option<usize> {
        let value: Option<Vec<u8>> = self.0.get(key).expect("memcached answers");
        value.map(|it| it.len())
    }

    fn set(&mut self, key: &str, value: &[u8]) {
        self.0.set(key, value, 0).expect("it is stored");
    }

    fn delete(&mut self, key: &str) -> bool {
        self.0.delete(key).expect("memcached answers")
    }

    fn increment(&mut self, key: &str) -> u64 {
        self.0.increment(key, 1).expect("memcached answers")
    }

    fn get_many(&mut self, keys: &[&str], _: Form) -> usize {
        let found = self.0.gets::<Vec<u8>>(keys);
        found.expect("memcached answers").len()
    }

    fn crew(self, keys: &'static [&'static str]) -> Operation {
        crew::operation(|number| {
            let (mut peer, mut keys) = (Self(self.0.clone()), walk(keys, number));
            move || assert!(keys.next().and_then(|key| peer.get(key)).is_some())
        })
    }
}
