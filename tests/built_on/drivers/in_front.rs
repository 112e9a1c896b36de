//! Middleware in front of servers.

use crate::support::{Hanging, Memcached, wait_until};
use moecache::middleware::{Command, Hit, Middleware, Next, Reply};
use moecache::{
    Client, ClientBuilder, Expiry, FailurePolicy, MetaGet, MetaMode, MetaSet, MetaSetOutcome,
    Protocol, Result,
};
use std::collections::HashMap;
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

impl Middleware for Log {
    fn handle(&self, commands: &[Command<'_>], next: Next<'_>) -> Vec<Result<Reply<'static>>> {
        let replies = next.run(commands);
        for (command, reply) in commands.iter().zip(&replies) {
            let reply = match reply {
                Ok(reply) => reply.to_string(),
                Err(error) => error.to_string(),
            };
            self.0.lock().unwrap().push(format!("{command}: {reply}"));
        }
        replies
    }
}

fn logged(builder: ClientBuilder) -> (Client, Log) {
    let log = Log::default();
    (builder.middleware(log.clone()).build().unwrap(), log)
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
        .timeout(Duration::from_secs(1));
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
    let failed = || {
        let many = client.get_many::<i32, _>(&keys);
        assert_eq!(many.found.len(), count);
        many.failed
    };
    for _ in 0..2 {
        for (key, error) in failed() {
            assert!(error.is_timeout() && !error.is_down(), "{key}: {error}");
        }
    }
    wait_until("calls fail at once", || {
        failed().iter().all(|(_, error)| error.is_down())
    });
}

#[test]
fn what_is_known_of_a_server_is_known_behind_middleware() {
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
fn a_server_that_is_added_has_it_too() {
    let servers = [Memcached::start(), Memcached::start()];
    let asked = Arc::new(Mutex::new(Vec::new()));
    let names = Arc::clone(&asked);
    let client = Client::builder()
        .servers(servers[0].address())
        .middleware(move |commands: &[Command<'_>], next: Next<'_>| {
            names.lock().unwrap().push(next.server().to_owned());
            next.run(commands)
        })
        .build()
        .unwrap();
    client.set("key", 1, 0).unwrap();
    client
        .set_servers([servers[0].address(), servers[1].address()])
        .unwrap();
    assert_eq!(client.metrics()[0].operations, 1, "it is kept");
    let mut asked = std::mem::take(&mut *asked.lock().unwrap());
    asked.extend(client.version().into_iter().map(|server| server.server));
    let addresses = servers
        .each_ref()
        .map(|server| server.address().to_string());
    assert_eq!(asked[0], addresses[0]);
    assert_eq!(asked[1..], addresses);
}

#[test]
fn what_is_added_first_is_asked_first() {
    let server = Memcached::start();
    let (outer, inner) = (Log::default(), Log::default());
    let client = Client::builder()
        .servers(server.address())
        .middleware(outer.clone())
        .middleware(|commands: &[Command<'_>], next: Next<'_>| {
            if commands.iter().all(|command| command.name() != "delete") {
                return next.run(commands);
            }
            let refused = |command: &Command<'_>| Err(command.unsupported());
            commands.iter().map(refused).collect()
        })
        .middleware(inner.clone())
        .build()
        .unwrap();
    client.set("key", 1, 0).unwrap();
    let error = client.delete("key").unwrap_err();
    assert!(error.is_unsupported(), "{error}");
    assert_eq!(inner.take(), ["set key, 4 bytes: stored"]);
    let refused = "delete key: the middleware has no delete; nothing was sent";
    assert_eq!(outer.take(), ["set key, 4 bytes: stored", refused]);
}

/// Answers what it has got before, and passes on the rest, with the data in capitals.
#[derive(Default)]
struct Near(Mutex<HashMap<Vec<u8>, Hit<'static>>>);

impl Middleware for Near {
    fn handle(&self, commands: &[Command<'_>], next: Next<'_>) -> Vec<Result<Reply<'static>>> {
        let mut known = self.0.lock().unwrap();
        let find = |command: &Command<'_>| match command.name() {
            "get" => known.get(command.key().unwrap()).cloned(),
            _ => None,
        };
        let found: Vec<Option<Hit<'static>>> = commands.iter().map(find).collect();
        let rest = commands.iter().zip(&found).filter(|(_, hit)| hit.is_none());
        let rest: Vec<Command<'_>> = rest.map(|(command, _)| *command).collect();
        let mut replies = next
            .with_timeout(Duration::from_secs(10))
            .run(&rest)
            .into_iter();
        let mut next_reply = |command: &Command<'_>| match replies.next().unwrap() {
            Ok(Reply::Hit(mut hit)) => {
                hit.data = hit.data.to_ascii_uppercase().into();
                known.insert(command.key().unwrap().to_vec(), hit.clone());
                Ok(Reply::Hit(hit))
            }
            reply => reply,
        };
        let pairs = commands.iter().zip(found);
        pairs
            .map(|(command, hit)| {
                hit.map_or_else(|| next_reply(command), |hit| Ok(Reply::Hit(hit)))
            })
            .collect()
    }
}

#[test]
fn some_commands_may_be_answered_and_others_passed_on() {
    let server = Memcached::start();
    let client = Client::builder()
        .servers(server.address())
        .timeout(Duration::from_secs(20))
        .middleware(Near::default())
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
