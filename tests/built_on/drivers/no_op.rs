//! Middleware that does nothing: the smallest that there can be.

use moecache::middleware::{Command, Middleware, Next, Reply, Status};
use moecache::{Client, Expiry, Result};
use std::net::TcpListener;

/// A cache that is always empty, and refuses what is about servers.
struct NoOp;

impl Middleware for NoOp {
    fn handle(&self, commands: &[Command<'_>], _: Next<'_>) -> Vec<Result<Reply<'static>>> {
        let reply = |command: &Command<'_>| match command.name() {
            "set" => Ok(Reply::Status(Status::Stored)),
            "add" | "replace" | "append" | "prepend" => Ok(Reply::Status(Status::NotStored)),
            _ if command.key().is_some() => Ok(Reply::Status(Status::NotFound)),
            _ => Err(command.unsupported()),
        };
        commands.iter().map(reply).collect()
    }
}

#[test]
fn all_is_a_miss_and_nothing_is_connected() {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = listeners
        .each_ref()
        .map(|listener| listener.local_addr().unwrap());
    let client = Client::builder()
        .servers(addresses)
        .middleware(NoOp)
        .build()
        .unwrap();
    client.set("key", 1, 0).unwrap();
    assert_eq!(client.get::<i32>("key").unwrap(), None);
    assert_eq!(client.gets::<i32>("key").unwrap(), None);
    assert!(!client.add("key", 1, 0).unwrap());
    assert!(!client.append("key", "1").unwrap());
    assert!(!client.touch("key", 9).unwrap());
    assert!(!client.delete("key").unwrap());
    assert_eq!(client.incr("key", 1).unwrap(), None);

    let keys: Vec<String> = (0..100).map(|number| format!("key{number}")).collect();
    let pairs = keys.iter().map(|key| (key, 1));
    client.set_many(pairs, 0).all().unwrap();
    let many = client.get_many::<i32, _>(&keys);
    assert!(many.found.is_empty() && many.failed.is_empty(), "{many:?}");
    let mut pipeline = client.pipeline();
    let (set, got) = (pipeline.set("a", 1, 0), pipeline.get::<i32>("b"));
    let mut replies = pipeline.run();
    replies.take(set).unwrap();
    assert_eq!(replies.take(got).unwrap(), None);

    for server in client.stats().unwrap() {
        let error = server.result.unwrap_err();
        assert!(error.is_unsupported(), "{error}");
        assert_eq!(error.server(), Some(&*server.server));
        assert_eq!(error.operation(), Some("stats"));
    }
    for server in client.flush_all(Expiry::Never) {
        assert!(server.result.unwrap_err().is_unsupported());
    }
    let failed = client.keys().map(Result::unwrap_err);
    assert_eq!(failed.filter(moecache::Error::is_unsupported).count(), 2);

    let metrics = client.metrics();
    assert!(metrics.iter().all(|server| server.connections_made == 0));
    for listener in listeners {
        listener.set_nonblocking(true).unwrap();
        let nobody = listener.accept().unwrap_err();
        assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
    }
}
