//! This client, once for each of its protocols.

use crate::crew;
use crate::peers::{Peer, walk};
use crate::work::{Operation, Task, Work};
use moecache::Client;
use std::marker::PhantomData;
use std::time::Duration;

/// What the keys begin with; the raw socket uses the same.
pub const TAG: &str = "ours";

/// One of its protocols.
pub trait Speaks: 'static {
    const TAG: &'static str;
}

pub struct Text;

impl Speaks for Text {
    const TAG: &'static str = TAG;
}

/// The client that says where the keys are.
pub fn client(servers: &[String]) -> Client {
    let builder = Client::builder().servers(servers);
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
        !matches!(
            task.work,
            Work::GetMany(..) | Work::SetMany(_) | Work::SetManyQuiet(_) | Work::Increment
        ) && !task.on_unix()
    }

    fn connect(servers: &[String]) -> Self {
        Self {
            client: client(servers),
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
