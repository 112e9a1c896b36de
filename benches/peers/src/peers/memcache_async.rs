//! The crate `memcache-async`, one connection to one server, in tokio's runtime of this thread. Its
//! set and delete await no reply, so they are not compared.

use super::Peer;
use crate::work::{Form, Task, Work};
use memcache_async::ascii::Protocol;
use std::io::ErrorKind;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

pub struct MemcacheAsync {
    client: Protocol<TcpStream>,
    runtime: Runtime,
}

impl Peer for MemcacheAsync {
    const TAG: &'static str = "mas";

    fn can(task: &Task) -> bool {
        let form = matches!(
            task.work,
            Work::Get(_) | Work::Miss | Work::Increment | Work::GetMany(_, Form::Least | Form::Map)
        );
        form && task.servers.len() == 1 && !task.on_unix()
    }

    fn connect(servers: &[String]) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("tokio has a runtime");
        let socket = runtime.block_on(TcpStream::connect(&servers[0]));
        let socket = socket.expect("memcached accepts");
        socket.set_nodelay(true).expect("it is a TCP socket");
        Self {
            client: Protocol::new(socket),
            runtime,
        }
    }

    fn get(&mut self, key: &str) -> Option<usize> {
        match self.runtime.block_on(self.client.get(key)) {
            Ok(value) => Some(value.len()),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => panic!("{error}"),
        }
    }

    fn set(&mut self, key: &str, value: &[u8]) {
        let sent = self.runtime.block_on(self.client.set(key, value, 0));
        sent.expect("memcached reads");
    }

    fn increment(&mut self, key: &str) -> u64 {
        let count = self.runtime.block_on(self.client.increment(key, 1));
        count.expect("memcached answers")
    }

    fn get_many(&mut self, keys: &[&str], _: Form) -> usize {
        let found = self.runtime.block_on(self.client.get_multi(keys));
        found.expect("memcached answers").len()
    }
}
