//! Drivers that do not do what they must: every command has an error then, or its own reply, and never
//! another's.

use super::with;
use moecache::driver::{Command, Deadline, Driver, Line, Replies, Reply, Value};
use moecache::{Client, Error, FailurePolicy};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

type Run = fn(&[Command<'_>], &mut dyn Replies);

struct Muddled(String, Run);

impl Driver for Muddled {
    fn name(&self) -> &str {
        &self.0
    }

    fn run(&self, commands: &[Command<'_>], replies: &mut dyn Replies, _: Deadline) {
        (self.1)(commands, replies);
    }
}

fn client(servers: &[&str], run: Run) -> Client {
    let builder = Client::builder().servers(servers);
    with(builder, move |name| Muddled(name, run))
        .build()
        .unwrap()
}

/// A value that tells whose it is: a command's, by its key.
fn value(command: &Command<'_>) -> Reply<'static> {
    let key = command.key().unwrap().to_vec();
    Reply::Value(Value::new(0, key))
}

/// Asks for three keys of one server, or of two; each has its own value, or an error.
fn ask(run: Run, expected: [Result<(), &str>; 3]) {
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

const NONE: &str = "the driver gave no reply";
const SEVERAL: &str = "the driver gave more than one reply";
const STRAY: &str = "the driver gave a reply to a command that was not asked for";

#[test]
fn each_has_its_own_reply_or_an_error() {
    ask(
        |commands, replies| {
            for (index, command) in commands.iter().enumerate().rev() {
                replies.reply(index, value(command));
            }
        },
        [Ok(()); 3],
    );
    ask(|_, _| {}, [Err(NONE); 3]);
    ask(
        |commands, replies| {
            for (index, command) in commands.iter().enumerate().filter(|(index, _)| *index != 1) {
                replies.reply(index, value(command));
            }
        },
        [Ok(()), Err(NONE), Ok(())],
    );
    ask(
        |commands, replies| {
            for (index, command) in commands.iter().enumerate() {
                replies.reply(index, value(command));
            }
            replies.reply(0, Reply::NotFound);
        },
        [Err(SEVERAL), Ok(()), Ok(())],
    );
    // It counts from 1: all replies are others'.
    ask(
        |commands, replies| {
            for (index, command) in commands.iter().enumerate() {
                replies.reply(index + 1, value(command));
            }
        },
        [Err(STRAY); 3],
    );
    ask(
        |commands, replies| {
            for (index, command) in commands.iter().enumerate() {
                replies.reply(index, value(command));
            }
            let flow = replies.line(commands.len(), Line::Item(b"key=a"));
            assert!(flow.is_break());
        },
        [Err(STRAY); 3],
    );
    ask(
        |commands, replies| {
            for (index, command) in commands.iter().enumerate() {
                replies.reply(index, value(command));
            }
            replies.reply(usize::MAX, Reply::NotFound);
        },
        [Err(STRAY); 3],
    );
}

#[test]
fn a_reply_to_something_else_is_an_error() {
    let rows: [(&str, Run, &str); 4] = [
        (
            "a number",
            |_, replies| replies.reply(0, Reply::Number(42)),
            "get on 10.0.0.1:11211: unexpected reply: a number",
        ),
        (
            "stored",
            |_, replies| replies.reply(0, Reply::Stored),
            "get on 10.0.0.1:11211: unexpected reply: Stored",
        ),
        (
            "a version",
            |_, replies| replies.reply(0, Reply::Version("1".into())),
            "get on 10.0.0.1:11211: unexpected reply: a version",
        ),
        (
            "done",
            |_, replies| replies.reply(0, Reply::Done),
            "get on 10.0.0.1:11211: unexpected reply: Ok",
        ),
    ];
    for (name, run, expected) in rows {
        let error = client(&["10.0.0.1"], run).get::<String>("key").unwrap_err();
        assert!(error.is_protocol(), "{name}: {error}");
        assert_eq!(error.to_string(), expected, "{name}");
    }
    let client = client(&["10.0.0.1"], |_, replies| {
        replies.reply(0, Reply::Value(Value::new(0, &b"secret"[..])));
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
    let client = client(&["10.0.0.1"], |_, _| {});
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
fn what_a_driver_says_of_its_failure_is_what_is_seen() {
    let lost: Run = |commands, replies| {
        for index in 0..commands.len() {
            let error = Error::of_io(io::ErrorKind::ConnectionReset.into()).ambiguous();
            replies.reply(index, Reply::Failed(error));
        }
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
    let misses = with(builder, move |name| Muddled(name, lost))
        .build()
        .unwrap();
    misses.set("key", 1, 0).unwrap();
    assert_eq!(misses.get::<i32>("key").unwrap(), None);
    assert_eq!(misses.metrics()[0].missed, 2);

    let refused = client(&["10.0.0.1"], |_, replies| {
        replies.reply(0, Reply::Refused(b"SERVER_ERROR out of memory".into()));
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
    let client = client(&["10.0.0.1", "10.0.0.2"], |commands, replies| {
        let key = commands[0].key().unwrap_or_default();
        assert_ne!(key, b"panic");
        for index in 0..commands.len() {
            replies.reply(index, Reply::NotFound);
        }
    });
    let panicked = catch_unwind(AssertUnwindSafe(|| client.get::<i32>("panic")));
    assert!(panicked.is_err());
    assert_eq!(client.get::<i32>("key").unwrap(), None);
}
