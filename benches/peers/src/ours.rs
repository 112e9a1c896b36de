//! This client, once for each of its protocols.

use crate::crew;
use crate::peers::{Peer, walk};
use crate::work::{Form, Operation, Task, Work};
use moecache::{Bytes, Client, Protocol};
use std::hint::black_box;
use std::marker::PhantomData;
use std::time::Duration;

/// What the keys begin with; the raw socket uses the same.
pub const TAG: &str = "ours";

/// One of its protocols.
pub trait Speaks: 'static {
    const TAG: &'static str;
    const PROTOCOL: Protocol;
}

pub struct Text;
pub struct Meta;
pub struct Binary;

impl Speaks for Text {
    const TAG: &'static str = TAG;
    const PROTOCOL: Protocol = Protocol::Text;
}

impl Speaks for Meta {
    const TAG: &'static str = "meta";
    const PROTOCOL: Protocol = Protocol::Meta;
}

impl Speaks for Binary {
    const TAG: &'static str = "bina";
    const PROTOCOL: Protocol = Protocol::Binary;
}

/// The client that says where the keys are.
pub fn client(servers: &[String]) -> Client {
    speaking(Protocol::Text, servers)
}

fn speaking(protocol: Protocol, servers: &[String]) -> Client {
    let builder = Client::builder().servers(servers).protocol(protocol);
    // A busy machine is no reason to fail.
    let client = builder.timeout(Duration::from_secs(10)).build();
    client.expect("addresses")
}

pub struct Ours<P> {
    client: Client,
    protocol: PhantomData<P>,
}

impl<P: Speaks> Peer for Ours<P> {
    const TAG: &'static str = P::TAG;

    fn can(task: &Task) -> bool {
        // A set_many is quiet where the protocol has a way to be.
        let quiet = matches!(task.work, Work::SetManyQuiet(_));
        let replies = matches!(task.work, Work::SetMany(_));
        match P::PROTOCOL {
            Protocol::Text => !quiet,
            _ => !replies,
        }
    }

    fn connect(servers: &[String]) -> Self {
        Self {
            client: speaking(P::PROTOCOL, servers),
            protocol: PhantomData,
        }
    }

    fn get(&mut self, key: &str) -> Option<usize> {
        let value = self.client.get_bytes(key).expect("memcached answers");
        value.map(|it| it.len())
    }

    fn set(&mut self, key: &str, value: &[u8]) {
        self.client.set_bytes(key, value, 0).expect("it is stored");
    }

    fn delete(&mut self, key: &str) -> bool {
        self.client.delete(key).expect("memcached answers")
    }

    fn increment(&mut self, key: &str) -> u64 {
        let count = self.client.incr(key, 1).expect("memcached answers");
        count.expect("it is there")
    }

    fn count(&mut self, key: &str, from: u64) {
        self.client.set_counter(key, from, 0).expect("it is stored");
    }

    fn get_many(&mut self, keys: &[&str], form: Form) -> usize {
        match form {
            Form::Least | Form::Borrowed => {
                let mut found = 0;
                let failed = self.client.get_many_with(keys, |_, item| {
                    black_box(item.data);
                    found += 1;
                });
                assert!(failed.is_empty());
                found
            }
            Form::List => {
                let values = self.client.get_each::<Bytes, _>(keys.iter().copied());
                let found =
                    |(_, value): &(_, moecache::Result<Option<_>>)| matches!(value, Ok(Some(_)));
                values.iter().filter(|&value| found(value)).count()
            }
            Form::Map => {
                let values = self.client.get_many::<Bytes, _>(keys.iter().copied());
                values.found.len()
            }
        }
    }

    fn set_many(&mut self, items: &[(&str, &[u8])]) {
        let stored = self.client.set_many(
            items
                .iter()
                .copied()
                .map(|(key, value)| (key, Bytes(value))),
            0,
        );
        assert!(stored.all().is_ok());
    }

    fn set_many_quiet(&mut self, items: &[(&str, &[u8])]) {
        self.set_many(items);
    }

    fn crew(self, keys: &'static [&'static str]) -> Operation {
        crew::operation(|number| {
            let (client, mut keys) = (self.client.clone(), walk(keys, number));
            move || {
                let value = keys.next().map(|key| client.get_bytes(key));
                assert!(matches!(value, Some(Ok(Some(_)))));
            }
        })
    }
}
