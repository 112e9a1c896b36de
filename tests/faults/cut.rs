//! The connection is closed or reset before, within or after a reply. Before it, on a connection that
//! had served before, what can be repeated without harm is, once; everything else is an io error,
//! ambiguous for what writes. Never is part of a value given out.

use super::calls::{self, Effect, MANY, PIPELINES, SINGLE};
use super::pretender::{Asked, Batch, Deed, Pretender, Then};
use super::row::{Fate, Row, Sees, Start, at_once, client, eventually, is_repeatable, says};
use super::support::in_each_protocol;
use super::support::scripted::{accept, answer, read_until, scripted};
use super::support::wait_until;
use moecache::{Client, Protocol, Result};
use std::io::Write as _;
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

in_each_protocol! {
    before_the_reply_on_a_reused_connection_what_is_repeatable_is_repeated_once
    before_the_reply_on_a_reused_connection_what_is_not_is_not
    before_the_reply_on_a_fresh_connection
    after_the_first_byte
    at_every_byte_of_a_value
    after_the_reply
}

const fn cut(name: &'static str, lie: fn(&Batch) -> Deed) -> Row {
    Row {
        name,
        lie,
        sees: Sees::Io,
        connection: Fate::Closed,
    }
}

const CLOSED: Row = cut("closed", |_| says("", Then::Close));
const RESET: Row = cut("reset", |_| says("", Then::Reset));

/// Gets, sets, deletes and touches go out once more, on a new connection, and the caller sees nothing.
fn before_the_reply_on_a_reused_connection_what_is_repeatable_is_repeated_once(protocol: Protocol) {
    for row in [CLOSED, RESET] {
        at_once(protocol, calls::all().filter(is_repeatable), |call| {
            let server = Pretender::start();
            let client = client(server.address(), protocol);
            eventually(&client, "before");
            server.next(row.lie);
            for result in call.run(&client) {
                result.unwrap_or_else(|error| panic!("{}: {error:?}", row.name));
            }
            assert_eq!(server.asked(call.asked), [0, 1], "{}", row.name);
            // The second time it is no longer the pool's fault.
            client.close();
            eventually(&client, "before");
            server.next(row.lie);
            server.next(row.lie);
            let results = call.run(&client);
            Sees::Io.check(&results, &server.address().to_string());
            assert_eq!(server.asked(call.asked).len(), 4, "{}", row.name);
        });
    }
}

/// What counts, adds, appends or swaps never does.
fn before_the_reply_on_a_reused_connection_what_is_not_is_not(protocol: Protocol) {
    let once = || calls::all().filter(|call| call.effect == Effect::Once);
    CLOSED.play(protocol, Start::Reused, once());
    RESET.play(protocol, Start::Reused, once());
}

fn before_the_reply_on_a_fresh_connection(protocol: Protocol) {
    CLOSED.play(protocol, Start::Fresh, calls::all());
    RESET.play(protocol, Start::Fresh, calls::all());
}

fn after_the_first_byte(protocol: Protocol) {
    let rows = [
        cut("closed after a byte", |batch| {
            says(&batch.honest()[..1], Then::Close)
        }),
        cut("reset after a byte", |batch| {
            says(&batch.honest()[..1], Then::Reset)
        }),
        cut("closed halfway", |batch| {
            let honest = batch.honest();
            says(&honest[..honest.len() / 2], Then::Close)
        }),
    ];
    for row in rows {
        row.play(protocol, Start::Fresh, calls::all());
        row.play(protocol, Start::Reused, calls::all());
    }
    let last = cut("closed before the last byte", |batch| {
        let honest = batch.honest();
        says(&honest[..honest.len() - 1], Then::Close)
    });
    last.play(protocol, Start::Reused, SINGLE);
}

/// Wherever a reply to gets is cut: what the caller gets is right, or an error.
fn at_every_byte_of_a_value(protocol: Protocol) {
    for call in [SINGLE[0], SINGLE[2], MANY[0], PIPELINES[0]] {
        let server = Pretender::start();
        let client = client(server.address(), protocol);
        let mut length = 0;
        loop {
            eventually(&client, "before");
            let (lengths, whole) = mpsc::channel();
            server.next(move |batch| {
                let honest = batch.honest();
                lengths.send((honest.len(), tail(batch))).unwrap();
                says(&honest[..length.min(honest.len())], Then::Close)
            });
            let results = call.run(&client);
            let (whole, tail) = whole.recv().unwrap();
            let failed = results.iter().filter(|result| result.is_err()).count();
            // Nothing at all is another matter: that is tried again.
            let is_all = length == 0 || length + tail >= whole;
            assert!(failed > 0 || is_all, "{protocol}: {length} of {whole}");
            for error in results.into_iter().filter_map(Result::err) {
                assert!(error.is_io() && error.is_retryable(), "{error:?}");
            }
            // The length varies with an opaque's.
            if length >= whole {
                break;
            }
            length += 1;
        }
    }
}

/// How long what comes behind the values of several keys is, which is no news to any of them.
pub fn tail(batch: &Batch) -> usize {
    match batch.first() {
        Asked { keys, .. } if keys.len() > 1 => "END\r\n".len(),
        _ if batch.asked.len() > 1 => 24,
        _ => 0,
    }
}

/// The reply is whole, and then the connection ends: the next call does not notice.
fn after_the_reply(protocol: Protocol) {
    // In a pipeline that is before the second reply.
    at_once(protocol, SINGLE.into_iter().chain([MANY[0]]), |call| {
        let server = Pretender::start();
        let client = client(server.address(), protocol);
        eventually(&client, "before");
        server.next(|batch| says(batch.honest(), Then::Close));
        call.run(&client).into_iter().for_each(Result::unwrap);
        eventually(&client, "after");
        wait_until("the client closes the connection", || server.is_closed(0));
        assert!(server.asked("get after").contains(&1));
        assert_eq!(server.asked(call.asked), [0]);
    });
}

/// The first attempt may have stored the value, whatever became of the second.
#[test]
fn a_write_that_cannot_be_repeated_is_ambiguous() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::new(listener.local_addr().unwrap()).unwrap();
    let (closed, is_closed) = mpsc::channel();
    let server = thread::spawn(move || {
        let mut connection = accept(&listener);
        answer(&mut connection, b"END\r\n");
        drop(listener);
        closed.send(()).unwrap();
        read_until(&mut connection, b"value\r\n");
    });
    assert_eq!(client.get::<String>("key").unwrap(), None);
    is_closed.recv().unwrap();
    let error = client.set("key", "value", 0).unwrap_err();
    assert!(
        error.is_connect() && error.is_ambiguous() && !error.is_retryable(),
        "{error:?}"
    );
    server.join().unwrap();
}

#[test]
fn a_write_whose_reply_is_lost_is_ambiguous() {
    let rows: [(&str, &[u8]); 3] = [
        ("no reply", b""),
        ("half", b"STO"),
        ("garbage", b"what?\r\n"),
    ];
    for (row, reply) in rows {
        let (address, server) = scripted(move |listener| {
            let mut connection = accept(listener);
            read_until(&mut connection, b"value\r\n");
            connection.write_all(reply).unwrap();
        });
        let error = Client::new(address)
            .unwrap()
            .set("key", "value", 0)
            .unwrap_err();
        assert!(
            error.is_ambiguous() && !error.is_retryable(),
            "{row}: {error:?}"
        );
        server.join().unwrap();
    }
}

#[test]
fn after_any_failure_the_connection_is_gone_and_the_next_call_works() {
    type Check = fn(&moecache::Error) -> bool;
    let rows: [(&str, &[u8], Check); 6] = [
        ("cut within a value", b"VALUE key 0 9\r\nhalf", |e| {
            e.is_io()
        }),
        ("cut within a line", b"VALUE ke", |e| e.is_io()),
        ("another key", b"VALUE other 0 1\r\na\r\nEND\r\n", |e| {
            e.is_protocol()
        }),
        ("no line end", b"VALUE key 0 1\r\nabc", |e| e.is_protocol()),
        ("garbage", b"HTTP/1.1 400 Bad Request\r\n\r\n", |e| {
            e.is_protocol()
        }),
        ("too many", b"ERROR Too many open connections\r\n", |e| {
            e.is_connect()
        }),
    ];
    for (row, reply, check) in rows {
        let (address, server) = scripted(move |listener| {
            answer(&mut accept(listener), reply);
            answer(&mut accept(listener), b"VALUE key 0 4\r\ngood\r\nEND\r\n");
        });
        let client = Client::new(address).unwrap();
        let error = client.get::<String>("key").unwrap_err();
        assert!(check(&error), "{row}: {error:?}");
        assert!(!error.is_ambiguous(), "{row}: {error:?}");
        assert_eq!(error.server(), Some(address.to_string().as_str()), "{row}");
        assert_eq!(error.operation(), Some("get"), "{row}");
        assert_eq!(
            client.get::<String>("key").unwrap().as_deref(),
            Some("good"),
            "{row}"
        );
        server.join().unwrap();
    }
}
