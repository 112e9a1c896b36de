//! Errors that the server answers with. `SERVER_ERROR` is about itself: it swallowed the value, and the
//! connection is kept. `CLIENT_ERROR` and `ERROR` to a storage command mean that it may run the value as
//! commands: the connection is closed. To a command of one line they leave it in step.

use super::calls::{self, Call, Effect, SINGLE};
use super::pretender::{Batch, Deed, Pretender, Then};
use super::row::{Fate, Row, Sees, Start, at_once, client, eventually, says};
use super::support::in_each_protocol;
use super::support::scripted::{accept, answer, read_until, scripted};
use super::support::{Memcached, RawClient, wait_until};
use moecache::{Client, Error, Protocol, Result};
use std::io::Write as _;

in_each_protocol! {
    counting_what_is_no_number_keeps_the_connection
    an_error_of_the_server_keeps_the_connection_in_any_protocol
    a_refused_storage_command_closes_in_any_protocol
    a_refused_store_among_many_closes
    what_follows_a_refused_store_is_not_believed
}

fn stores(call: &Call) -> bool {
    let stores = [
        "set",
        "add",
        "replace",
        "append",
        "prepend",
        "compare_and_swap",
    ];
    stores.contains(&call.name)
}

/// Refuses the first request, and answers the others.
fn refusal(batch: &Batch, text: &str, status: u16) -> Deed {
    says(
        batch.but_first(&batch.first().error(text, status)),
        Then::GoOn,
    )
}

const fn refused(name: &'static str, lie: fn(&Batch) -> Deed, connection: Fate) -> Row {
    Row {
        name,
        lie,
        sees: Sees::Server,
        connection,
    }
}

const OUT_OF_MEMORY: u16 = 0x82;
const BUSY: u16 = 0x85;

fn an_error_of_the_server_keeps_the_connection_in_any_protocol(protocol: Protocol) {
    let rows = [
        refused(
            "out of memory",
            |batch| refusal(batch, "SERVER_ERROR out of memory", OUT_OF_MEMORY),
            Fate::Kept,
        ),
        refused(
            "busy",
            |batch| refusal(batch, "SERVER_ERROR busy", BUSY),
            Fate::Kept,
        ),
    ];
    for row in rows {
        at_once(protocol, calls::all(), |call| {
            // There it is not clear whose error it is: see below.
            let is_quiet = call.name == "set_many" || call.name == "pipeline of sets";
            if protocol == Protocol::Meta && is_quiet {
                return;
            }
            let results = row.play_one(protocol, Start::Fresh, call);
            // Text answers gets in a row once; everything else has its own reply.
            let failed = results.iter().filter(|result| result.is_err()).count();
            let is_line = call.effect == Effect::Reads && protocol != Protocol::Binary;
            assert_eq!(failed, if is_line { results.len() } else { 1 });
        });
    }
}

/// An error among quiet meta commands does not say whose it is: they are sent again, each with its own
/// reply, on the same connection.
#[test]
fn an_error_among_quiet_stores() {
    let server = Pretender::start();
    let client = client(server.address(), Protocol::Meta);
    server.next(|batch| refusal(batch, "SERVER_ERROR out of memory", OUT_OF_MEMORY));
    server.next(|batch| says(batch.honest(), Then::GoOn));
    server.next(|batch| refusal(batch, "SERVER_ERROR out of memory", OUT_OF_MEMORY));
    let stored = client.set_many([("a", 1), ("b", 2), ("c", 3)], 0);
    let stored: Vec<Result<()>> = stored.into_iter().map(|(_, result)| result).collect();
    assert!(
        stored[1].as_ref().is_err_and(Error::is_server),
        "{stored:?}"
    );
    assert!(stored[0].is_ok() && stored[2].is_ok(), "{stored:?}");
    assert_eq!(server.asked("set b"), [0, 0]);
    eventually(&client, "after");
    assert_eq!(server.connections(), 1);
}

const INVALID_ARGUMENTS: u16 = 0x04;
const UNKNOWN_COMMAND: u16 = 0x81;

fn a_refused_storage_command_closes_in_any_protocol(protocol: Protocol) {
    let rows = [
        refused(
            "too long",
            |batch| refusal(batch, "CLIENT_ERROR line too long", INVALID_ARGUMENTS),
            Fate::Closed,
        ),
        refused(
            "unknown",
            |batch| refusal(batch, "ERROR", UNKNOWN_COMMAND),
            Fate::Closed,
        ),
    ];
    for row in rows {
        row.play(protocol, Start::Fresh, SINGLE.into_iter().filter(stores));
    }
}

/// Of many, too: the refused one says so, and of none behind it is anything believed.
fn a_refused_store_among_many_closes(protocol: Protocol) {
    let server = Pretender::start();
    let client = client(server.address(), protocol);
    server.next(|batch| refusal(batch, "CLIENT_ERROR line too long", INVALID_ARGUMENTS));
    let stored = client.set_many([("a", 1), ("b", 2), ("c", 3)], 0);
    let errors: Vec<Error> = stored.into_iter().filter_map(|(_, it)| it.err()).collect();
    println!("{protocol}: {errors:?}");
    assert_eq!(errors.len(), 3);
    for error in errors {
        assert!(error.is_server() || error.is_protocol(), "{error:?}");
        // Nothing says whether what was sent behind it was stored.
        assert_eq!(error.is_ambiguous(), error.is_protocol(), "{error:?}");
    }
    wait_until("the client closes the connection", || server.is_closed(0));
    eventually(&client, "after");
    assert!(!server.asked("get after").contains(&0));
}

/// What the server says next may be the reply to a line of the value: those behind the refused one do
/// not take it, though it looks right.
fn what_follows_a_refused_store_is_not_believed(protocol: Protocol) {
    let server = Pretender::start();
    let client = client(server.address(), protocol);
    server.next(|batch| refusal(batch, "CLIENT_ERROR line too long", INVALID_ARGUMENTS));
    let mut pipeline = client.pipeline();
    let refused = pipeline.set("a", "flush_all\r\nget b", 0);
    let got = pipeline.get::<String>("b");
    let counted = pipeline.incr("count", 1);
    let mut replies = pipeline.run();
    let error = replies.take(refused).unwrap_err();
    assert!(error.is_server() && !error.is_ambiguous(), "{error:?}");
    let error = replies.take(got).unwrap_err();
    assert!(error.is_protocol() && !error.is_ambiguous(), "{error:?}");
    let error = replies.take(counted).unwrap_err();
    assert!(error.is_protocol() && error.is_ambiguous(), "{error:?}");
    wait_until("the client closes the connection", || server.is_closed(0));
    eventually(&client, "after");
    assert!(!server.asked("get after").contains(&0));
}

/// The row that is no fault of anybody: incr on what is not a number.
fn counting_what_is_no_number_keeps_the_connection(protocol: Protocol) {
    let row = refused(
        "incr on text",
        |batch| {
            let text = "CLIENT_ERROR cannot increment or decrement non-numeric value";
            refusal(batch, text, 0x06)
        },
        Fate::Kept,
    );
    let counts = |call: &Call| ["incr", "decr", "many incr"].contains(&call.name);
    row.play(protocol, Start::Fresh, calls::all().filter(counts));

    let memcached = Memcached::start();
    let client = client(memcached.address(), protocol);
    client.set("text", "no number", 0).unwrap();
    let mut raw = RawClient::connect(memcached.address());
    let before = raw.stat("total_connections");
    let error = client.incr("text", 1).unwrap_err();
    assert!(error.is_server() && !error.is_ambiguous(), "{error:?}");
    assert!(error.to_string().contains("set_counter"), "{error}");
    assert_eq!(
        client.get::<String>("text").unwrap().as_deref(),
        Some("no number")
    );
    assert_eq!(raw.stat("total_connections"), before, "{protocol}");
}

/// The server may run the value as commands, so what it says next is no reply to anything.
#[test]
fn a_refused_storage_command_closes() {
    let (address, server) = scripted(|listener| {
        let mut connection = accept(listener);
        read_until(&mut connection, b"value\r\n");
        connection
            .write_all(b"CLIENT_ERROR line too long\r\n")
            .unwrap();
        answer(&mut accept(listener), b"END\r\n");
    });
    let client = Client::new(address).unwrap();
    let error = client.set("key", "value", 0).unwrap_err();
    assert!(error.is_server() && !error.is_ambiguous(), "{error:?}");
    assert!(
        error.to_string().contains("\"CLIENT_ERROR line too long\""),
        "{error}"
    );
    assert_eq!(client.get::<String>("key").unwrap(), None);
    server.join().unwrap();
}

#[test]
fn an_error_of_the_server_keeps_the_connection() {
    let (address, server) = scripted(|listener| {
        let mut connection = accept(listener);
        read_until(&mut connection, b"value\r\n");
        connection
            .write_all(b"SERVER_ERROR out of memory storing object\r\n")
            .unwrap();
        answer(&mut connection, b"SERVER_ERROR busy\r\n");
        answer(&mut connection, b"END\r\n");
    });
    let client = Client::new(address).unwrap();
    let error = client.set("key", "value", 0).unwrap_err();
    assert!(error.is_server() && !error.is_ambiguous(), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("\"SERVER_ERROR out of memory storing object\""),
        "{error}"
    );
    assert!(client.get::<String>("key").unwrap_err().is_server());
    assert_eq!(client.get::<String>("key").unwrap(), None);
    server.join().unwrap();
}

#[test]
fn a_value_too_large_for_the_server() {
    let server = Memcached::start();
    let client = Client::new(server.address()).unwrap();
    client.set("key", "old", 0).unwrap();
    let error = client.set_bytes("key", vec![0; 2 << 20], 0).unwrap_err();
    assert!(error.is_server(), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("SERVER_ERROR object too large for cache"),
        "{error}"
    );
    assert_eq!(
        client.get::<String>("key").unwrap(),
        None,
        "the old value is gone, as documented"
    );
}
