//! All kinds of calls, each of which knows the right answer: the value of `key` is `value of key`.
//! What reads finds all of its keys there; what writes writes what is there already.

use super::pretender::value_of;
use moecache::{Client, Error, ItemRef, Result};

/// A call of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    pub name: &'static str,
    pub effect: Effect,
    /// What the server is asked, as [`Pretender::asked`](super::pretender::Pretender::asked) writes
    /// it down: one of the commands, that of the first key.
    pub asked: &'static str,
    run: fn(&Client) -> Vec<Result<()>>,
}

/// What a call does to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Reads,
    /// It writes; doing it twice does what doing it once does.
    Repeatable,
    /// It must never be done twice.
    Once,
}

use Effect::{Once, Reads, Repeatable};

pub const SINGLE: [Call; 14] = [
    call("get", Reads, "get key", |client| {
        one(client.get("key").map(right("key")))
    }),
    call("gets", Reads, "get key", |client| {
        let with_cas = client.gets("key");
        one(with_cas.map(|got| right("key")(got.map(|(value, _)| value))))
    }),
    call("get_into", Reads, "get key", |client| {
        let mut buffer = Vec::new();
        let found = client.get_into("key", &mut buffer);
        let right = |found| assert!(found && buffer == value_of("key").into_bytes());
        one(found.map(right))
    }),
    call("set", Repeatable, "set key", |client| {
        one(client.set("key", value_of("key"), 0))
    }),
    call("delete", Repeatable, "delete deleted", |client| {
        one(client.delete("deleted").map(drop))
    }),
    call("touch", Repeatable, "touch key", |client| {
        one(client.touch("key", 0).map(|there| assert!(there)))
    }),
    call("get_and_touch", Repeatable, "gat key", |client| {
        one(client.get_and_touch("key", 0).map(right("key")))
    }),
    call("add", Once, "add added", |client| {
        one(client.add("added", value_of("added"), 0).map(drop))
    }),
    call("replace", Once, "replace key", |client| {
        let stored = client.replace("key", value_of("key"), 0);
        one(stored.map(|stored| assert!(stored)))
    }),
    call("append", Once, "append joined", |client| {
        one(client.append("joined", "more").map(drop))
    }),
    call("prepend", Once, "prepend joined", |client| {
        one(client.prepend("joined", "more").map(drop))
    }),
    call("compare_and_swap", Once, "cas key", |client| {
        one(client
            .compare_and_swap("key", value_of("key"), 0, 1)
            .map(drop))
    }),
    call("incr", Once, "incr count", |client| {
        one(client
            .incr("count", 1)
            .map(|count| assert!(count.is_some())))
    }),
    call("decr", Once, "decr count", |client| {
        one(client
            .decr("count", 1)
            .map(|count| assert!(count.is_some())))
    }),
];

const KEYS: [&str; 3] = ["a", "b", "c"];

pub const MANY: [Call; 4] = [
    call("get_many", Reads, "get a", |client| {
        let mut many = client.get_many::<String, _>(KEYS);
        let mut results = Vec::new();
        for key in KEYS {
            let failed = many.failed.iter().find(|(failed, _)| *failed == key);
            let result = match failed {
                Some((_, error)) => Err(error.clone()),
                None => Ok(many.found.remove(key)),
            };
            results.push(result.map(right(key)));
        }
        results
    }),
    call("set_many", Repeatable, "set a", |client| {
        let stored = client.set_many(KEYS.map(|key| (key, value_of(key))), 0);
        stored.into_iter().map(|(_, result)| result).collect()
    }),
    call("delete_many", Repeatable, "delete deleted", |client| {
        let deleted = client.delete_many(["deleted", "gone"]).into_iter();
        deleted.map(|(_, result)| result.map(drop)).collect()
    }),
    call("many incr", Once, "incr count", |client| {
        let mut pipeline = client.pipeline();
        let pending = ["count", "other-count"].map(|key| pipeline.incr(key, 1));
        let mut replies = pipeline.run();
        let right = |count: Option<u64>| assert!(count.is_some());
        let results = pending.map(|counted| replies.take(counted).map(right));
        results.into()
    }),
];

pub const PIPELINES: [Call; 3] = [
    call("pipeline of gets", Reads, "get a", |client| {
        let mut pipeline = client.pipeline();
        let pending = KEYS.map(|key| (key, pipeline.get(key)));
        let mut replies = pipeline.run();
        let results = pending.map(|(key, got)| replies.take(got).map(right(key)));
        results.into()
    }),
    call("pipeline of sets", Repeatable, "set a", |client| {
        let mut pipeline = client.pipeline();
        let pending = KEYS.map(|key| pipeline.set(key, value_of(key), 0));
        let mut replies = pipeline.run();
        pending.map(|stored| replies.take(stored)).into()
    }),
    call("mixed pipeline", Once, "set a", |client| {
        let mut pipeline = client.pipeline();
        let stored = pipeline.set("a", value_of("a"), 0);
        let counted = pipeline.incr("count", 1);
        let got = pipeline.get("a");
        let mut replies = pipeline.run();
        let count = replies.take(counted);
        vec![
            replies.take(stored),
            count.map(|count| assert!(count.is_some())),
            replies.take(got).map(right("a")),
        ]
    }),
];

/// All of them.
pub fn all() -> impl Iterator<Item = Call> {
    SINGLE.into_iter().chain(MANY).chain(PIPELINES)
}

/// Those that read, and nothing else.
pub fn reads() -> impl Iterator<Item = Call> {
    all().filter(|call| call.effect == Reads)
}

impl Call {
    /// What came of each key. A wrong answer panics, and so does a miss of what is there.
    pub fn run(&self, client: &Client) -> Vec<Result<()>> {
        (self.run)(client)
    }
}

/// Whether it is a call for one key.
pub fn is_single(call: &Call) -> bool {
    SINGLE.iter().any(|single| single.name == call.name)
}

/// Stores what the calls find on a server that does not pretend.
pub fn prepare(client: &Client) {
    for key in ["key", "a", "b", "c", "after"] {
        client.set(key, value_of(key), 0).unwrap();
    }
    client.set("joined", ItemRef::new(0, "joined"), 0).unwrap();
    for counter in ["count", "other-count"] {
        client.set_counter(counter, 1000, 0).unwrap();
    }
}

/// Whether the failed operation writes: only then may the error be ambiguous.
pub fn writes(error: &Error) -> bool {
    let reads = ["get", "gets", "get_many", "get_each", "stats", "version"];
    !reads.contains(&error.operation().expect("an error names its operation"))
}

const fn call(
    name: &'static str,
    effect: Effect,
    asked: &'static str,
    run: fn(&Client) -> Vec<Result<()>>,
) -> Call {
    Call {
        name,
        effect,
        asked,
        run,
    }
}

fn one(result: Result<()>) -> Vec<Result<()>> {
    vec![result]
}

/// Takes nothing but the value of `key`.
fn right(key: &str) -> impl Fn(Option<String>) {
    move |value| assert_eq!(value, Some(value_of(key)), "the answer for {key}")
}
