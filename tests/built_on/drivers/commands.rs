//! What middleware is told of each command.

use moecache::middleware::{Command, Middleware, Next, Reply};
use moecache::{Client, Item, ItemRef, KeyTransform, Protocol, Result};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What the last command was, in all its parts.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<(String, Option<Instant>)>>);

impl Middleware for Told {
    fn handle(&self, commands: &[Command<'_>], next: Next<'_>) -> Vec<Result<Reply<'static>>> {
        let [command] = commands else {
            panic!("one at a time");
        };
        let mut parts = command.name().to_owned();
        if let Some(key) = command.key() {
            write!(parts, " key={}", key.escape_ascii()).unwrap();
        }
        if let Some(item) = command.item() {
            let data = item.data.escape_ascii();
            write!(parts, " flags={} data={data}", item.flags).unwrap();
        }
        let numbers = [
            ("exptime", command.exptime().map(u64::from)),
            ("delta", command.delta()),
            ("initial", command.initial().map(|(value, _)| value)),
            ("then", command.initial().map(|(_, exptime)| exptime.into())),
            ("cas", command.cas()),
            ("number", command.number().map(u64::from)),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                write!(parts, " {name}={number}").unwrap();
            }
        }
        if let Some(arguments) = command.arguments() {
            write!(parts, " arguments={arguments}").unwrap();
        }
        let words = [
            ("with cas", command.wants_cas()),
            ("writes", command.is_write()),
            ("idempotent", command.is_idempotent()),
        ];
        for (word, _) in words.iter().filter(|(_, is)| *is) {
            write!(parts, ", {word}").unwrap();
        }
        assert!(!command.to_string().contains("secret"), "{command}");
        assert!(!format!("{command:?}").contains("secret"), "{command:?}");
        *self.0.lock().unwrap() = (parts, next.deadline());
        // Not "unsupported": the client would make do with other commands, where there are any.
        vec![Ok(Reply::refused(b"SERVER_ERROR not now"))]
    }
}

fn told(protocol: Protocol) -> (Client, impl Fn() -> String) {
    let told = Told::default();
    let client = Client::builder()
        .servers("10.0.0.1")
        .protocol(protocol)
        .prefix("app:")
        .middleware(told.clone())
        .build()
        .unwrap();
    (client, move || {
        std::mem::take(&mut told.0.lock().unwrap().0)
    })
}

type Call = fn(&Client);

#[test]
fn each_command_has_its_parts() {
    let (client, last) = told(Protocol::Binary);
    let rows: [(Call, &str); 20] = [
        (|c| drop(c.get::<Item>("k")), "get key=app:k, idempotent"),
        (
            |c| drop(c.gets::<Item>("k")),
            "gets key=app:k, with cas, idempotent",
        ),
        (
            |c| drop(c.get_and_touch::<Item>("k", 9)),
            "gat key=app:k exptime=9, with cas, writes, idempotent",
        ),
        (
            |c| drop(c.set("k", ItemRef::new(7, "secret"), 60)),
            "set key=app:k flags=7 data=secret exptime=60, writes, idempotent",
        ),
        (
            |c| drop(c.add("k", ItemRef::new(7, "secret"), 60)),
            "add key=app:k flags=7 data=secret exptime=60, writes",
        ),
        (
            |c| drop(c.replace("k", ItemRef::new(7, "secret"), 0)),
            "replace key=app:k flags=7 data=secret exptime=0, writes",
        ),
        (
            |c| drop(c.append("k", "secret")),
            "append key=app:k flags=0 data=secret exptime=0, writes",
        ),
        (
            |c| drop(c.prepend("k", "secret")),
            "prepend key=app:k flags=0 data=secret exptime=0, writes",
        ),
        (
            |c| drop(c.compare_and_swap("k", ItemRef::new(7, "secret"), 0, 42)),
            "cas key=app:k flags=7 data=secret exptime=0 cas=42, writes",
        ),
        (
            |c| drop(c.delete("k")),
            "delete key=app:k, writes, idempotent",
        ),
        (
            |c| drop(c.delete_with_cas("k", 42)),
            "delete key=app:k cas=42, writes",
        ),
        (
            |c| drop(c.touch("k", 9)),
            "touch key=app:k exptime=9, writes, idempotent",
        ),
        (|c| drop(c.incr("k", 2)), "incr key=app:k delta=2, writes"),
        (|c| drop(c.decr("k", 3)), "decr key=app:k delta=3, writes"),
        (
            |c| drop(c.incr_with_initial("k", 2, 40, 60)),
            "incr key=app:k delta=2 initial=40 then=60, writes",
        ),
        (
            |c| drop(c.flush_all(30)),
            "flush_all number=30, writes, idempotent",
        ),
        (|c| drop(c.verbosity(2)), "verbosity number=2, idempotent"),
        (
            |c| drop(c.stats_of("items")),
            "stats arguments=items, idempotent",
        ),
        (|c| drop(c.version()), "version, idempotent"),
        // By its hash table, it is refused.
        (
            |c| drop(c.keys().next()),
            "metadump arguments=all, idempotent",
        ),
    ];
    for (call, expected) in rows {
        call(&client);
        assert_eq!(last(), expected);
    }
    let (client, last) = told(Protocol::Meta);
    drop(client.meta_get("k", moecache::MetaGet::new().value()));
    assert_eq!(last(), "mg key=app:k, idempotent");
}

#[test]
fn the_key_and_the_deadline_are_those_of_the_call() {
    let told = Told::default();
    let client = Client::builder()
        .servers("10.0.0.1")
        .key_transform(KeyTransform::Base64)
        .timeout(Duration::from_secs(100))
        .middleware(told.clone())
        .build()
        .unwrap();
    let earliest = Instant::now() + Duration::from_secs(100);
    drop(client.get::<Item>("key"));
    let latest = Instant::now() + Duration::from_secs(100);
    let (parts, at) = told.0.lock().unwrap().clone();
    assert_eq!(parts, "get key=a2V5, idempotent");
    assert!((earliest..=latest).contains(&at.unwrap()));
    drop(client.with_timeout(Duration::MAX).get::<Item>("key"));
    assert_eq!(told.0.lock().unwrap().1, None, "never");
}
