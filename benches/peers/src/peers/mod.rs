//! The clients that are compared: ours, and others. Each is one file that says how it does what
//! [`Peer`] asks for.

mod async_memcached;
mod bmemcached;
#[cfg(libmemcached)]
mod libmemcached;
mod memcache;
mod memcache_async;
mod memcache_exp;
mod memcached_rs;
#[cfg(feature = "mtop")]
mod mtop;

use crate::ours::{Binary, Meta, Ours, Text};
use crate::raw;
use crate::work::{
    COUNT, Form, MIX_KEYS, Operation, THREADS_KEYS, Task, VALUE, Work, keys, mix, value,
};
use std::hint::black_box;

/// A column of the table.
pub struct Client {
    pub name: &'static str,
    /// Connects, stores what there must be, and gives what is measured; `None` if this client does
    /// not have it.
    pub operation: fn(&Task) -> Option<Operation>,
}

/// All columns; the base is not one.
pub const CLIENTS: &[Client] = &[
    client("raw*", raw::other),
    client("text", operation::<Ours<Text>>),
    client("meta", operation::<Ours<Meta>>),
    client("binary", operation::<Ours<Binary>>),
    client("memcache", operation::<memcache::Memcache>),
    client("memcache exp", operation::<memcache_exp::Exp>),
    client("async-memcached", operation::<async_memcached::Async>),
    client("memcached-rs", operation::<memcached_rs::MemcachedRs>),
    client("bmemcached", operation::<bmemcached::Bmemcached>),
    client("memcache-async", operation::<memcache_async::MemcacheAsync>),
    #[cfg(feature = "mtop")]
    client("mtop-client", operation::<mtop::Mtop>),
    #[cfg(libmemcached)]
    client("libmemcached", operation::<libmemcached::Libmemcached>),
];

const fn client(name: &'static str, operation: fn(&Task) -> Option<Operation>) -> Client {
    Client { name, operation }
}

/// What a client can do. Whatever fails, panics.
pub trait Peer: Sized + 'static {
    /// What its keys begin with, so that nobody reads what another client stored.
    const TAG: &'static str;

    fn can(task: &Task) -> bool;
    fn connect(servers: &[String]) -> Self;

    /// How long the value is; `None` if there is none.
    fn get(&mut self, key: &str) -> Option<usize>;
    fn set(&mut self, key: &str, value: &[u8]);

    /// Whether it was there.
    fn delete(&mut self, _key: &str) -> bool {
        unreachable!("it can not")
    }

    fn increment(&mut self, _key: &str) -> u64 {
        unreachable!("it can not")
    }

    /// How many there are.
    fn get_many(&mut self, _keys: &[&str], _form: Form) -> usize {
        unreachable!("it can not")
    }

    fn set_many(&mut self, _items: &[(&str, &[u8])]) {
        unreachable!("it can not")
    }

    fn set_many_quiet(&mut self, _items: &[(&str, &[u8])]) {
        unreachable!("it can not")
    }

    /// Stores what [`increment`](Self::increment) counts.
    fn count(&mut self, key: &str, from: u64) {
        self.set(key, from.to_string().as_bytes());
    }

    /// Eight threads that get these keys.
    fn crew(self, _keys: &'static [&'static str]) -> Operation {
        unreachable!("it can not")
    }
}

/// What every client but the raw socket does.
fn operation<P: Peer>(task: &Task) -> Option<Operation> {
    if !P::can(task) {
        return None;
    }
    let mut peer = P::connect(task.servers);
    let mut fill = |count, size| {
        let keys = keys(P::TAG, count);
        let value = value(size);
        for key in keys {
            peer.set(key, &value);
        }
        keys
    };
    Some(match task.work {
        Work::Get(size) => {
            let key = fill(1, size)[0];
            assert_eq!(peer.get(key), Some(size));
            Box::new(move || {
                black_box(peer.get(key));
            })
        }
        Work::Miss => {
            assert_eq!(peer.get("none"), None);
            Box::new(move || {
                black_box(peer.get("none"));
            })
        }
        Work::Set(size) => {
            let (key, value) = (keys(P::TAG, 1)[0], value(size));
            Box::new(move || peer.set(key, &value))
        }
        Work::Delete => {
            assert!(!peer.delete("none"), "{}", P::TAG);
            Box::new(move || {
                black_box(peer.delete("none"));
            })
        }
        Work::Increment => {
            let key = &*format!("{}:count", P::TAG).leak();
            peer.count(key, COUNT);
            assert_eq!(peer.increment(key), COUNT + 1);
            Box::new(move || {
                black_box(peer.increment(key));
            })
        }
        Work::GetMany(count, form) => {
            let keys = fill(count, VALUE);
            assert_eq!(peer.get_many(keys, form), count);
            Box::new(move || {
                black_box(peer.get_many(keys, form));
            })
        }
        Work::SetMany(count) | Work::SetManyQuiet(count) => {
            let value: &'static [u8] = value(VALUE).leak();
            let keys = keys(P::TAG, count);
            let items: Vec<_> = keys.iter().map(|&key| (key, value)).collect();
            if matches!(task.work, Work::SetMany(_)) {
                Box::new(move || peer.set_many(&items))
            } else {
                Box::new(move || peer.set_many_quiet(&items))
            }
        }
        Work::Mix => {
            let keys = fill(MIX_KEYS, VALUE);
            let value = value(VALUE);
            let mut turns = mix().into_iter().cycle();
            Box::new(move || {
                let turn = turns.next().expect("it goes round");
                let key = keys[turn.key];
                if turn.set {
                    peer.set(key, &value);
                } else {
                    black_box(peer.get(key));
                }
            })
        }
        Work::Threads => {
            let keys = fill(THREADS_KEYS, VALUE);
            peer.crew(keys)
        }
    })
}

/// What thread number so and so of a crew gets, one after the other.
pub fn walk(keys: &'static [&'static str], number: usize) -> impl Iterator<Item = &'static str> {
    let first = number * keys.len() / crate::crew::THREADS;
    keys.iter().copied().cycle().skip(first)
}
