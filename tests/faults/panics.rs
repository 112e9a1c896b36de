//! A panic in what the program passes to a call: nothing that is half used comes back to the pool, no
//! place for a connection is lost, and the next call works. There is one place, so that it would show.

use super::row::PATIENCE;
use super::support::in_each_protocol;
use super::support::wait_until;
use moecache::testing::Server;
use moecache::{Client, Protocol};
use serde::de::{Deserialize, Deserializer};
use serde::{Serialize, Serializer};
use std::panic::{AssertUnwindSafe, catch_unwind};

in_each_protocol! {
    in_a_serializer
    in_a_deserializer
    in_a_callback_between_two_values
}

/// Cannot be written, and cannot be read.
#[derive(Debug)]
struct Panics;

impl Serialize for Panics {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("a Serialize that panics")
    }
}

impl<'de> Deserialize<'de> for Panics {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("a Deserialize that panics")
    }
}

/// Panics when half of it is written.
#[derive(Serialize)]
struct Half {
    first: String,
    second: Panics,
}

fn half() -> Half {
    Half {
        first: "x".repeat(100_000),
        second: Panics,
    }
}

/// A call that panics, and its name.
type Panicking = (&'static str, fn(&Client));

fn client(server: &Server, protocol: Protocol) -> Client {
    let client = Client::builder().servers(server).protocol(protocol);
    let client = client.max_connections(1).timeout(PATIENCE);
    let client = client.build().unwrap();
    for key in ["a", "b", "c"] {
        client.set(key, key, 0).unwrap();
    }
    client
}

/// Runs each of these calls. The connection that there is lives through it if it `keeps` that.
fn check(protocol: Protocol, calls: &[Panicking], keeps: bool) {
    for (name, call) in calls {
        let server = Server::start().unwrap();
        let client = client(&server, protocol);
        let before = total_connections(&client);
        let panic = catch_unwind(AssertUnwindSafe(|| call(&client)));
        assert!(panic.is_err(), "{name} in {protocol} does not panic");
        assert_eq!(client.get("b").unwrap(), Some("b".to_owned()), "{name}");
        let all = client.get_each::<String, _>(["a", "b", "c"]).all().unwrap();
        assert!(
            all.into_iter()
                .eq(["a", "b", "c"].map(|it| Some(it.to_owned())))
        );
        let made = total_connections(&client) - before;
        assert_eq!(made, u64::from(!keeps), "{name} in {protocol}");
        wait_until("one connection is open", || server.connections() == 1);
    }
}

fn total_connections(client: &Client) -> u64 {
    let stats = client.stats().unwrap().remove(0).result.unwrap();
    stats.total_connections().unwrap()
}

/// Values are encoded before a connection is taken.
fn in_a_serializer(protocol: Protocol) {
    let calls: [Panicking; 8] = [
        ("set", |client| client.set("key", Panics, 0).unwrap()),
        ("set, half", |client| client.set("key", half(), 0).unwrap()),
        ("add", |client| drop(client.add("key", half(), 0))),
        ("compare_and_swap", |client| {
            drop(client.compare_and_swap("key", half(), 0, 1));
        }),
        ("set_many", |client| {
            drop(client.set_many([("a", half()), ("b", half())], 0));
        }),
        ("pipeline", |client| {
            let mut pipeline = client.pipeline();
            let _ = pipeline.get::<String>("a");
            let _ = pipeline.set("key", half(), 0);
            let _ = pipeline.run();
        }),
        ("keys that end in a panic", |client| {
            let keys = (0..3).map(|number| {
                assert!(number < 2, "an iterator that panics");
                number.to_string()
            });
            let _ = client.get_each::<String, _>(keys);
        }),
        ("update", |client| {
            let update = client.update("a", 0, |_: Option<String>| -> String {
                panic!("a closure that panics")
            });
            drop(update);
        }),
    ];
    check(protocol, &calls, true);
}

/// Values are decoded when their replies were read.
fn in_a_deserializer(protocol: Protocol) {
    let calls: [Panicking; 4] = [
        ("get", |client| drop(client.get::<Panics>("a"))),
        ("gets", |client| drop(client.gets::<Panics>("a"))),
        ("get_and_touch", |client| {
            drop(client.get_and_touch::<Panics>("a", 0));
        }),
        ("pipeline", |client| {
            let mut pipeline = client.pipeline();
            let got = pipeline.get::<Panics>("a");
            let _ = pipeline.get::<String>("b");
            drop(pipeline.run().take(got));
        }),
    ];
    check(protocol, &calls, true);
}

/// The program is called while the replies are read: what is left of them is never read by another.
fn in_a_callback_between_two_values(protocol: Protocol) {
    let calls: [Panicking; 2] = [
        ("get_many_with, first", |client| {
            let keys = ["a", "b", "c"];
            let _ = client.get_many_with(&keys, |_, _| panic!("a callback that panics"));
        }),
        ("get_many_with, second", |client| {
            let mut seen = 0;
            let keys = ["a", "b", "c"];
            let _ = client.get_many_with(&keys, |_, _| {
                seen += 1;
                assert!(seen < 2, "a callback that panics");
            });
        }),
    ];
    check(protocol, &calls, false);
}
