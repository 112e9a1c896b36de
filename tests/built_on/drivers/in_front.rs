//! Drivers in front of the built-in one.

use crate::support::{Hanging, Memcached};
use moecache::driver::{Command, Deadline, Driver, Line, Replies, Reply, Value};
use moecache::{
    Client, ClientBuilder, Expiry, FailurePolicy, MetaGet, MetaMode, MetaSet, MetaSetOutcome,
    Protocol,
};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const PROTOCOLS: [Protocol; 4] = [
    Protocol::Text,
    Protocol::Meta,
    Protocol::Binary,
    Protocol::Auto,
];

/// What went through: the commands and their outcomes, a line each.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

struct Logging {
    log: Log,
    built_in: Arc<dyn Driver>,
}

impl Driver for Logging {
    fn name(&self) -> &str {
        self.built_in.name()
    }

    fn run(&self, commands: &[Command<'_>], replies: &mut dyn Replies, deadline: Deadline) {
        let log = &self.log;
        let mut seen = Seen {
            log,
            commands,
            replies,
        };
        self.built_in.run(commands, &mut seen, deadline);
    }

    fn is_connected(&self) -> bool {
        self.built_in.is_connected()
    }
}

struct Seen<'a> {
    log: &'a Log,
    commands: &'a [Command<'a>],
    replies: &'a mut dyn Replies,
}

impl Replies for Seen<'_> {
    fn reply(&mut self, index: usize, reply: Reply<'_>) {
        let line = format!("{}: {reply}", self.commands[index]);
        self.log.0.lock().unwrap().push(line);
        self.replies.reply(index, reply);
    }

    fn line(&mut self, index: usize, line: Line<'_>) -> ControlFlow<()> {
        self.replies.line(index, line)
    }
}

fn logged(builder: ClientBuilder) -> (Client, Log) {
    let log = Log::default();
    let theirs = log.clone();
    let client = builder
        .driver(move |_, built_in| {
            let log = theirs.clone();
            Arc::new(Logging { log, built_in })
        })
        .build()
        .unwrap();
    (client, log)
}

#[test]
fn every_call_goes_through_and_is_answered() {
    let servers = [Memcached::start(), Memcached::start()];
    let addresses = servers.each_ref().map(Memcached::address);
    for protocol in PROTOCOLS {
        let builder = Client::builder().servers(addresses).protocol(protocol);
        let (client, log) = logged(builder.timeout(Duration::from_secs(20)));
        client.set("key", "secret", 60).unwrap();
        assert_eq!(client.get::<String>("key").unwrap().unwrap(), "secret");
        assert!(client.append("key", "!").unwrap());
        let (_, cas) = client.gets::<String>("key").unwrap().unwrap();
        let swapped = client.compare_and_swap("key", 7, 0, cas + 1).unwrap();
        assert_eq!(swapped, moecache::CasOutcome::Changed);
        assert!(client.touch("key", 60).unwrap());
        assert_eq!(client.get::<String>("absent").unwrap(), None);
        assert!(client.incr("key", 1).unwrap_err().is_server());
        assert!(client.delete("key").unwrap());
        let lines = log.take();
        assert_eq!(lines[0], "set key, 6 bytes: stored");
        assert_eq!(lines[1], "get key: a value of 6 bytes");
        assert_eq!(lines[2], "append key, 1 bytes: stored");
        assert_eq!(lines[3], "gets key: a value of 7 bytes");
        assert_eq!(lines[4], "cas key, 4 bytes: exists, with another cas id");
        assert_eq!(lines[5], "touch key: touched");
        assert_eq!(lines[6], "get absent: not found");
        assert!(
            lines[7].starts_with("incr key: refused: \""),
            "{}",
            lines[7]
        );
        assert_eq!(lines[8], "delete key: deleted");
        assert_eq!(lines.len(), 9);

        let keys: Vec<String> = (0..300).map(|number| format!("key{number}")).collect();
        client.set_many(keys.iter().zip(0..300), 60).all().unwrap();
        let found = client.get_many::<i32, _>(&keys).all().unwrap();
        assert!(keys.iter().zip(0..300).all(|(key, it)| found[key] == it));
        assert_eq!(log.take().len(), 600);
        if protocol != Protocol::Binary {
            assert_eq!(client.keys().map(Result::unwrap).count(), 300);
        }
        let stats = client.stats().unwrap();
        assert!(
            stats
                .iter()
                .all(|server| server.result.as_ref().unwrap().len() > 20)
        );
        for server in client.flush_all(Expiry::Never) {
            server.result.unwrap();
        }
        let metrics = client.metrics();
        assert!(metrics.iter().all(|it| it.operations > 0 && it.hits > 0));
        assert!(client.is_connected());
        client.close();
        assert!(!client.is_connected());
    }
}

#[test]
fn meta_commands_pass() {
    let server = Memcached::start();
    let builder = Client::builder().servers(server.address());
    let (client, log) = logged(builder.protocol(Protocol::Meta));
    let set = MetaSet::new().mode(MetaMode::Set).return_cas();
    let stored = client.meta_set("key", (7, "1"), 60, set).unwrap();
    let MetaSetOutcome::Stored { cas, .. } = stored else {
        panic!("it is not stored");
    };
    let get = MetaGet::new().value().flags().cas().ttl().size();
    let item = client.meta_get("key", get).unwrap().unwrap();
    assert_eq!((item.flags, item.cas, item.size), (Some(7), cas, Some(1)));
    assert!(cas.is_some() && item.ttl.is_some());
    let missed = client.meta_get("absent", get).unwrap();
    assert!(missed.is_none());
    assert_eq!(log.take().len(), 3);
}

#[test]
fn a_silent_server_costs_the_others_nothing() {
    let (up, silent) = (Memcached::start(), Hanging::start());
    let builder = Client::builder()
        .servers([up.address(), silent.address()])
        .timeout(Duration::from_millis(500));
    let (client, _) = logged(builder);
    let keys: Vec<String> = (0..100).map(|number| format!("key{number}")).collect();
    let name = up.address().to_string();
    let is_up = |key: &String| client.server_for(key).unwrap() == name;
    let stored = client.set_many(keys.iter().map(|key| (key, 1)), 0);
    for (key, result) in stored {
        match result {
            Ok(()) => assert!(is_up(key)),
            Err(error) => assert!(!is_up(key) && error.is_timeout(), "{error}"),
        }
    }
    let count = keys.iter().filter(|key| is_up(key)).count();
    // Its circuit breaker opens at the third connect in a row that times out; the set was the first.
    for is_open in [false, false, true] {
        let many = client.get_many::<i32, _>(&keys);
        assert_eq!(many.found.len(), count);
        for (key, error) in many.failed {
            assert_eq!(
                (error.is_down(), error.is_timeout()),
                (is_open, !is_open),
                "{key}: {error}"
            );
        }
    }
}

#[test]
fn what_is_known_of_a_server_is_known_behind_a_driver() {
    let mut servers = [Memcached::start(), Memcached::start()];
    let addresses = servers.each_ref().map(Memcached::address);
    let builder = Client::builder()
        .servers(addresses)
        .failure_policy(FailurePolicy::Rehash);
    let (client, _) = logged(builder.timeout(Duration::from_secs(20)));
    let key = (0..).map(|number| format!("key{number}"));
    let mut its = key.filter(|key| client.server_for(key).unwrap() == addresses[0].to_string());
    let key = its.next().unwrap();
    client.set(&key, 1, 0).unwrap();
    servers[0].stop();
    let until = Instant::now() + Duration::from_secs(20);
    // Three refused connections in a row.
    while client.set(&key, 2, 0).is_err() {
        assert!(Instant::now() < until, "the other has not taken over");
    }
    assert_eq!(client.get::<i32>(&key).unwrap(), Some(2));
}

#[test]
fn servers_that_stay_keep_their_drivers() {
    let servers = [Memcached::start(), Memcached::start()];
    let made = Arc::new(Mutex::new(Vec::new()));
    let names = Arc::clone(&made);
    let client = Client::builder()
        .servers(servers[0].address())
        .driver(move |node, built_in| {
            let port = node.port().unwrap();
            names.lock().unwrap().push(port);
            built_in
        })
        .build()
        .unwrap();
    client.set("key", 1, 0).unwrap();
    client
        .set_servers([servers[0].address(), servers[1].address()])
        .unwrap();
    let ports = servers.each_ref().map(|server| server.address().port());
    assert_eq!(*made.lock().unwrap(), ports);
    assert_eq!(client.metrics()[0].operations, 1);
}

/// Answers what it has got before, and passes on the rest, with the data in capitals.
struct Near {
    built_in: Arc<dyn Driver>,
    values: Mutex<HashMap<Vec<u8>, Value<'static>>>,
}

/// Takes the replies to some of the commands, and knows which these are.
struct Rest<'a> {
    near: &'a Near,
    commands: &'a [Command<'a>],
    places: &'a [usize],
    replies: &'a mut dyn Replies,
}

impl Driver for Near {
    fn name(&self) -> &str {
        self.built_in.name()
    }

    fn run(&self, commands: &[Command<'_>], replies: &mut dyn Replies, deadline: Deadline) {
        let (mut rest, mut places) = (Vec::new(), Vec::new());
        for (index, command) in commands.iter().enumerate() {
            let known = command
                .key()
                .filter(|_| command.name() == "get")
                .and_then(|key| self.values.lock().unwrap().get(key).cloned());
            if let Some(value) = known {
                replies.reply(index, Reply::Value(value));
            } else {
                rest.push(*command);
                places.push(index);
            }
        }
        let mut received = Rest {
            near: self,
            commands: &rest,
            places: &places,
            replies,
        };
        let sooner = Deadline::after(Duration::from_secs(10), Instant::now());
        self.built_in
            .run(&rest, &mut received, deadline.min(sooner));
    }
}

impl Replies for Rest<'_> {
    fn reply(&mut self, index: usize, reply: Reply<'_>) {
        let reply = match reply {
            Reply::Value(value) => {
                let capitals = value.data().to_ascii_uppercase();
                let value = value.with_data(capitals);
                let key = self.commands[index].key().unwrap().to_vec();
                let mut values = self.near.values.lock().unwrap();
                values.insert(key, value.clone());
                Reply::Value(value)
            }
            reply => reply,
        };
        self.replies.reply(self.places[index], reply);
    }

    fn line(&mut self, index: usize, line: Line<'_>) -> ControlFlow<()> {
        self.replies.line(self.places[index], line)
    }
}

#[test]
fn some_commands_may_be_answered_and_others_passed_on() {
    let server = Memcached::start();
    let client = Client::builder()
        .servers(server.address())
        .timeout(Duration::from_secs(20))
        .driver(|_, built_in| {
            let values = Mutex::default();
            Arc::new(Near { built_in, values })
        })
        .build()
        .unwrap();
    let keys = ["a", "b", "c", "d"];
    let names = keys.map(|key| (key, key));
    client.set_many(names, 0).all().unwrap();
    assert_eq!(client.get::<String>("b").unwrap().unwrap(), "B");
    client.delete("b").unwrap();
    client.delete("c").unwrap();
    let before = client.metrics()[0].operations;
    let each = client.get_each::<String, _>(keys).all().unwrap();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(each, [text("A"), text("B"), None, text("D")]);
    assert_eq!(client.metrics()[0].operations, before + 3);
    assert_eq!(client.get::<String>("d").unwrap(), text("D"));
    assert_eq!(client.metrics()[0].operations, before + 3);
}
