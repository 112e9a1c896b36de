//! Middleware that does not do what it must: every command has an error then, or its own reply, and never
//! another's.

use moecache::middleware::{Command, Hit, Middleware, Next, Reply, Status};
use moecache::{Client, Error, FailurePolicy, Result};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

type Run = fn(&[Command<'_>]) -> Vec<Result<Reply<'static>>>;

struct Muddled(Run);

impl Middleware for Muddled {
    fn handle(&self, commands: &[Command<'_>], _: Next<'_>) -> Vec<Result<Reply<'static>>> {
        (self.0)(commands)
    }
}

fn client(servers: &[&str], run: Run) -> Client {
    let builder = Client::builder().servers(servers);
    builder.middleware(Muddled(run)).build().unwrap()
}

/// A value that tells whose it is: a command's, by its key.
fn value(command: &Command<'_>) -> Reply<'static> {
    Reply::Hit(Hit::new(0, command.key().unwrap().to_vec()))
}

/// Asks for three keys of one server, or of two; each has its own value, or an error.
fn ask(run: Run, expected: [std::result::Result<(), &str>; 3]) {
    for servers in [&["10.0.0.1"][..], &["10.0.0.1", "10.0.0.2"]] {
        let client = client(servers, run);
        let mut keys = (0..1000).map(|number| format!("key{number}"));
        let mut of_first = || {
            let is_its = |key: &String| client.server_for(key).unwrap() == "10.0.0.1:11211";
            keys.find(is_its).unwrap()
        };
        let names = [of_first(), of_first(), of_first()];
        // One key of the other server, so that both are asked at the same time.
        let other = keys.find(|key| client.server_for(key).unwrap() != "10.0.0.1:11211");
        let asked: Vec<&String> = names.iter().chain(&other).collect();
        let each = client.get_each::<String, _>(asked);
        for ((key, result), expected) in each.into_iter().zip(expected) {
            match (result, expected) {
                (Ok(found), Ok(())) => assert_eq!(found.as_ref(), Some(key)),
                (Err(error), Err(reason)) => {
                    assert!(error.is_protocol() && !error.is_ambiguous(), "{error}");
                    assert_eq!(
                        error.to_string(),
                        format!("get_each on 10.0.0.1:11211: {reason}")
                    );
                }
                (result, expected) => panic!("{key}: {result:?}, not {expected:?}"),
            }
        }
    }
}

#[test]
fn each_has_its_own_reply_or_an_error() {
    ask(
        |commands| commands.iter().map(value).map(Ok).collect(),
        [Ok(()); 3],
    );
    ask(
        |_| Vec::new(),
        [Err("the middleware gave 0 replies to 3 commands"); 3],
    );
    ask(
        |commands| commands.iter().skip(1).map(value).map(Ok).collect(),
        [Err("the middleware gave 2 replies to 3 commands"); 3],
    );
    // It counts from 1.
    ask(
        |commands| {
            let first = Ok(Reply::Status(Status::NotFound));
            let replies = commands.iter().map(value).map(Ok);
            std::iter::once(first).chain(replies).collect()
        },
        [Err("the middleware gave 4 replies to 3 commands"); 3],
    );
}

#[test]
fn a_reply_to_something_else_is_an_error() {
    let rows: [(Run, &str); 4] = [
        (|_| vec![Ok(Reply::Number(42))], "a number"),
        (|_| vec![Ok(Reply::Status(Status::Stored))], "stored"),
        (|_| vec![Ok(Reply::Version(b"1".into()))], "version 1"),
        (|_| vec![Ok(Reply::Status(Status::Ok))], "done"),
    ];
    for (run, name) in rows {
        let error = client(&["10.0.0.1"], run).get::<String>("key").unwrap_err();
        assert!(error.is_protocol(), "{name}: {error}");
        let expected = format!("get on 10.0.0.1:11211: unexpected reply: {name}");
        assert_eq!(error.to_string(), expected);
    }
    let client = client(&["10.0.0.1"], |_| {
        vec![Ok(Reply::Hit(Hit::new(0, b"secret")))]
    });
    let error = client.gets::<String>("key").unwrap_err();
    assert!(error.is_protocol(), "{error}");
    assert!(
        error
            .to_string()
            .ends_with("without the cas id that was asked for")
    );
    let errors = [
        client.set("key", 1, 0).unwrap_err(),
        client.delete("key").unwrap_err(),
        client.incr("key", 1).unwrap_err(),
        client.version().remove(0).result.unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_protocol(), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    assert_eq!(client.get::<String>("key").unwrap().unwrap(), "secret");
}

#[test]
fn a_write_without_a_reply_is_ambiguous() {
    let client = client(&["10.0.0.1"], |_| Vec::new());
    let error = client.set("key", 1, 0).unwrap_err();
    assert!(error.is_protocol() && error.is_ambiguous(), "{error}");
    let error = client.set_many([("key", 1)], 0).all().unwrap_err();
    assert!(error.is_protocol() && error.is_ambiguous(), "{error}");
    assert!(client.stats().unwrap()[0].result.is_err());
    assert!(client.ping()[0].result.is_err());
    assert!(client.connect()[0].result.is_err());
    assert!(client.keys().next().unwrap().unwrap_err().is_protocol());
}

#[test]
fn what_it_says_of_its_failure_is_what_is_seen() {
    let lost: Run = |commands| {
        let error = Error::of_io(io::ErrorKind::ConnectionReset.into()).ambiguous();
        commands.iter().map(|_| Err(error.clone())).collect()
    };
    let error = client(&["10.0.0.1"], lost).set("key", 1, 0).unwrap_err();
    assert!(error.is_io() && error.is_ambiguous(), "{error}");
    assert_eq!(
        (error.server(), error.operation()),
        (Some("10.0.0.1:11211"), Some("set"))
    );

    let builder = Client::builder()
        .servers("10.0.0.1")
        .failure_policy(FailurePolicy::Miss);
    let misses = builder.middleware(Muddled(lost)).build().unwrap();
    misses.set("key", 1, 0).unwrap();
    assert_eq!(misses.get::<i32>("key").unwrap(), None);
    assert_eq!(misses.metrics()[0].missed, 2);

    let refused = client(&["10.0.0.1"], |_| {
        vec![Ok(Reply::refused(b"SERVER_ERROR out of memory"))]
    });
    let error = refused.get::<i32>("key").unwrap_err();
    assert!(error.is_server(), "{error}");
    assert!(error.to_string().contains("\"SERVER_ERROR out of memory\""));
    for (kind, is) in [
        (
            io::ErrorKind::TimedOut,
            Error::is_timeout as fn(&Error) -> bool,
        ),
        (io::ErrorKind::ConnectionRefused, Error::is_connect),
        (io::ErrorKind::InvalidData, Error::is_protocol),
        (io::ErrorKind::Other, Error::is_io),
    ] {
        assert!(is(&Error::of_io(kind.into())), "{kind}");
    }
}

#[test]
fn a_panic_is_that_of_the_call() {
    let client = client(&["10.0.0.1", "10.0.0.2"], |commands| {
        let key = commands[0].key().unwrap_or_default();
        assert_ne!(key, b"panic");
        let missing = |_| Ok(Reply::Status(Status::NotFound));
        commands.iter().map(missing).collect()
    });
    let panicked = catch_unwind(AssertUnwindSafe(|| client.get::<i32>("panic")));
    assert!(panicked.is_err());
    assert_eq!(client.get::<i32>("key").unwrap(), None);
}
