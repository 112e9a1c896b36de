//! Middleware that is a server by itself: what the trait gives is enough for one, and every call finds in
//! it what it finds in memcached.

use moecache::middleware::{Command, Hit, Line, Middleware, Next, Reply, Status};
use moecache::{CasOutcome, Client, Expiry, Item, Protocol, Result};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The items of each server.
#[derive(Default)]
struct Memory(Mutex<BTreeMap<String, Items>>);

#[derive(Default)]
struct Items {
    by_key: BTreeMap<Vec<u8>, Stored>,
    /// The cas id that was given last.
    cas: u64,
}

/// Expiries are for the tests of servers.
#[derive(Clone)]
struct Stored {
    flags: u32,
    data: Vec<u8>,
    cas: u64,
}

impl Middleware for Memory {
    fn handle(&self, commands: &[Command<'_>], next: Next<'_>) -> Vec<Result<Reply<'static>>> {
        assert!(next.deadline().is_some(), "no timeout is without end here");
        let mut servers = self.0.lock().unwrap();
        let items = servers.entry(next.server().to_owned()).or_default();
        let run = |command| items.run(command);
        commands.iter().map(run).collect()
    }

    fn is_connected(&self, _: &str, _: bool) -> bool {
        true
    }
}

impl Items {
    fn run(&mut self, command: &Command<'_>) -> Result<Reply<'static>> {
        let found = command.key().and_then(|key| self.by_key.get(key).cloned());
        Ok(match (command.name(), found) {
            ("flush_all", _) => {
                self.by_key.clear();
                Reply::Status(Status::Ok)
            }
            ("verbosity", _) => Reply::Status(Status::Ok),
            ("stats", _) => Reply::lines([Line::Stat {
                name: b"curr_items".into(),
                value: self.by_key.len().to_string().into_bytes().into(),
            }]),
            ("metadump", _) => {
                let line = |key: &Vec<u8>| {
                    let key = String::from_utf8_lossy(key);
                    let line = format!("key={key} exp=-1 la=0 cas=1 fetch=no cls=1 size=1");
                    Line::Item(line.into_bytes().into())
                };
                Reply::lines(self.by_key.keys().map(line).collect::<Vec<_>>())
            }
            ("version", _) => Reply::Version(b"in memory".into()),
            ("set", _) | ("add", None) | ("replace", Some(_)) => self.store(command),
            ("add", Some(_)) | ("replace" | "append" | "prepend", None) => {
                Reply::Status(Status::NotStored)
            }
            ("incr" | "decr", None) if command.initial().is_some() => {
                let (start, _) = command.initial().unwrap();
                self.put(command, 0, start.to_string().into_bytes());
                Reply::Number(start)
            }
            (_, None) => Reply::Status(Status::NotFound),
            ("get" | "gets" | "gat", Some(it)) => {
                let mut hit = Hit::new(it.flags, it.data);
                hit.cas = command.wants_cas().then_some(it.cas);
                Reply::Hit(hit)
            }
            ("cas" | "delete", Some(it)) if command.cas().is_some_and(|id| id != it.cas) => {
                Reply::Status(Status::Exists)
            }
            ("cas", Some(_)) => self.store(command),
            ("delete", Some(_)) => {
                self.by_key.remove(command.key().unwrap());
                Reply::Status(Status::Deleted)
            }
            ("touch", Some(_)) => Reply::Status(Status::Touched),
            ("append", Some(it)) => {
                let data = [&*it.data, command.item().unwrap().data].concat();
                self.put(command, it.flags, data);
                Reply::Status(Status::Stored)
            }
            ("prepend", Some(it)) => {
                let data = [command.item().unwrap().data, &*it.data].concat();
                self.put(command, it.flags, data);
                Reply::Status(Status::Stored)
            }
            (count @ ("incr" | "decr"), Some(it)) => {
                let text = std::str::from_utf8(&it.data).ok();
                let Some(number) = text.and_then(|text| text.parse::<u64>().ok()) else {
                    let line = b"CLIENT_ERROR cannot increment or decrement non-numeric value";
                    return Ok(Reply::refused(line));
                };
                let delta = command.delta().unwrap();
                let number = if count == "incr" {
                    number.wrapping_add(delta)
                } else {
                    number.saturating_sub(delta)
                };
                self.put(command, it.flags, number.to_string().into_bytes());
                Reply::Number(number)
            }
            (_, Some(_)) => return Err(command.unsupported()),
        })
    }

    fn store(&mut self, command: &Command<'_>) -> Reply<'static> {
        let item = command.item().unwrap();
        self.put(command, item.flags, item.data.to_vec());
        Reply::Status(Status::Stored)
    }

    fn put(&mut self, command: &Command<'_>, flags: u32, data: Vec<u8>) {
        self.cas += 1;
        let cas = self.cas;
        let key = command.key().unwrap().to_vec();
        self.by_key.insert(key, Stored { flags, data, cas });
    }
}

fn clients() -> impl Iterator<Item = (Protocol, Client)> {
    let servers = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
    // Which protocol it would be, decides which requests there are.
    [Protocol::Text, Protocol::Meta, Protocol::Binary]
        .into_iter()
        .map(move |protocol| {
            let builder = Client::builder().servers(servers).protocol(protocol);
            (
                protocol,
                builder.middleware(Memory::default()).build().unwrap(),
            )
        })
}

#[test]
fn one_key() {
    for (protocol, client) in clients() {
        client.set("key", "one", 60).unwrap();
        assert_eq!(client.get::<String>("key").unwrap().unwrap(), "one");
        assert!(!client.add("key", "two", 0).unwrap());
        assert!(client.replace("key", "two", 0).unwrap());
        assert!(client.append("key", ",three").unwrap());
        assert!(client.prepend("key", "one,").unwrap());
        let mut buffer = b"used before".to_vec();
        assert!(client.get_into("key", &mut buffer).unwrap());
        assert_eq!(buffer, b"one,two,three");
        assert!(!client.get_into("no", &mut buffer).unwrap());
        assert!(buffer.is_empty());

        let (_, cas) = client.gets::<String>("key").unwrap().unwrap();
        let swap = |id| client.compare_and_swap("key", 4, 0, id).unwrap();
        assert_eq!(swap(cas), CasOutcome::Stored);
        assert_eq!(swap(cas), CasOutcome::Changed);
        let item = client.get_and_touch::<Item>("key", 60).unwrap().unwrap();
        assert_eq!((item.flags, item.cas), (265, Some(cas + 1)), "{protocol}");
        assert!(client.touch("key", 9).unwrap());
        assert!(client.delete("key").unwrap());
        assert!(!client.delete("key").unwrap());
        assert_eq!(client.get::<i32>("key").unwrap(), None);

        assert_eq!(client.incr_with_initial("n", 2, 40, 0).unwrap(), 40);
        assert_eq!(client.incr("n", 2).unwrap(), Some(42));
        assert_eq!(client.decr("n", 50).unwrap(), Some(0));
        client.set("text", "text", 0).unwrap();
        let error = client.incr("text", 1).unwrap_err();
        assert!(error.is_server(), "{error}");
        let updated = client.update("list", 0, |old: Option<Vec<u8>>| {
            let mut list = old.unwrap_or_default();
            list.push(1);
            list
        });
        assert_eq!(updated.unwrap(), [1]);
    }
}

#[test]
fn many_keys_and_servers() {
    for (protocol, client) in clients() {
        assert!(client.is_connected());
        let keys: Vec<String> = (0..500).map(|number| format!("key{number}")).collect();
        let stored = client.set_many(keys.iter().zip(0..500), 0);
        assert_eq!(stored.len(), 500);
        stored.all().unwrap();
        let found = client.get_many::<i32, _>(&keys).all().unwrap();
        assert_eq!(found.len(), 500);
        for (key, value) in keys.iter().zip(0..500) {
            assert_eq!(found.get(key), Some(&value), "{protocol}: {key}");
        }
        let mut pipeline = client.pipeline();
        let got = pipeline.get::<i32>("key7");
        let gone = pipeline.delete("key7");
        let missed = pipeline.get::<i32>("key7");
        let mut replies = pipeline.run();
        assert_eq!(replies.take(got).unwrap(), Some(7));
        assert!(replies.take(gone).unwrap());
        assert_eq!(replies.take(missed).unwrap(), None);

        let stats = client.stats().unwrap();
        let counts = stats
            .iter()
            .map(|server| server.result.as_ref().unwrap().curr_items().unwrap());
        assert_eq!(counts.sum::<u64>(), 499);
        if protocol != Protocol::Binary {
            assert_eq!(client.keys().map(Result::unwrap).count(), 499);
        }
        for server in client.version() {
            assert_eq!(server.result.unwrap(), "in memory");
        }
        for server in client.flush_all(Expiry::Never) {
            server.result.unwrap();
        }
        assert_eq!(client.get::<i32>("key1").unwrap(), None);
    }
}
