//! No complete reply by the deadline: nothing comes, or not all, or too slowly; or the server does not
//! take what is written to it. The caller sees a timeout; the connection is closed, and nothing that
//! comes over it later is read.

use super::calls::{self, Call, MANY, PIPELINES, SINGLE};
use super::pretender::{Batch, Deed, Line, Packet, Pretender, Then, Wire};
use super::row::{self, Fate, Row, SHORT, Sees, Start, client, eventually, says};
use super::support::in_each_protocol;
use super::support::scripted::{accept, scripted};
use super::support::{Memcached, wait_until};
use crate::support::needs_memcached;
use moecache::{Bytes, Client, Error, ItemRef, Protocol, Result};
use std::io::Read as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

in_each_protocol! {
    nothing_comes
    half_of_it_comes
    all_but_its_last_byte_comes
    it_comes_byte_by_byte
    it_comes_after_the_deadline
    a_second_attempt_has_only_the_time_that_is_left
    a_server_that_freezes
    a_server_that_is_silent
    a_write_that_blocks
    a_value_without_end
    a_server_that_reads_slowly
}

const fn late(name: &'static str, lie: fn(&Batch) -> Deed) -> Row {
    Row {
        name,
        lie,
        sees: Sees::Timeout,
        connection: Fate::Closed,
    }
}

fn nothing_comes(protocol: Protocol) {
    let row = late("swallowed", |_| says("", Then::Silence));
    row.play(protocol, Start::Fresh, calls::all());
    row.play(protocol, Start::Reused, calls::all());
}

fn half_of_it_comes(protocol: Protocol) {
    let row = late("stalled", |batch| {
        let honest = batch.honest();
        says(&honest[..honest.len() / 2], Then::Silence)
    });
    row.play(protocol, Start::Fresh, calls::all());
    row.play(protocol, Start::Reused, calls::all());
}

fn all_but_its_last_byte_comes(protocol: Protocol) {
    let row = late("incomplete", |batch| {
        let honest = batch.honest();
        says(&honest[..honest.len() - 1], Then::Silence)
    });
    row.play(protocol, Start::Reused, SINGLE);
}

/// Each byte is in time; all of them take far longer than there is.
fn it_comes_byte_by_byte(protocol: Protocol) {
    let row = late("dripped", |batch| {
        let bytes = batch.honest();
        let pause = 10 * SHORT / u32::try_from(bytes.len()).unwrap();
        says(bytes, Then::Drip(pause))
    });
    row.play(protocol, Start::Fresh, calls::all());
    row.play(protocol, Start::Reused, calls::all());
}

/// The reply comes when the call is over: into a connection that nobody reads.
fn it_comes_after_the_deadline(protocol: Protocol) {
    let check = |call: &Call, time| {
        let server = Pretender::start();
        let client = client(server.address(), protocol);
        eventually(&client, "before");
        let (go_on, goes_on) = mpsc::channel::<()>();
        server.next(move |batch| {
            goes_on.recv().unwrap();
            says(batch.honest(), Then::GoOn)
        });
        let results = Sees::Timeout.run(call, &client, time)?;
        Sees::Timeout.check(&results, &server.address().to_string());
        go_on.send(()).unwrap();
        wait_until("the client closes the connection", || server.is_closed(0));
        // What it would be for the next call is of another key.
        eventually(&client, "after");
        eventually(&client, "later");
        assert!(server.connections() > 1);
        Some(())
    };
    row::at_once(protocol, calls::all(), |call| {
        row::times_out(|time| check(call, time));
    });
}

/// A call that is repeated on a new connection has the time that is left of its own, and no more.
fn a_second_attempt_has_only_the_time_that_is_left(protocol: Protocol) {
    const DEADLINE: Duration = Duration::from_secs(4);
    const FIRST: Duration = Duration::from_secs(2);
    let repeatable = SINGLE.into_iter().filter(row::is_repeatable);
    row::at_once(protocol, repeatable, |call| {
        let server = Pretender::start();
        let client = client(server.address(), protocol);
        eventually(&client, "before");
        server.next(|_| {
            thread::sleep(FIRST); // Of what the call has, most is gone.
            says("", Then::Close)
        });
        server.next(|_| says("", Then::Silence));
        let started = Instant::now();
        let results = row::timed_out(DEADLINE, || call.run(&client.with_timeout(DEADLINE)));
        assert!(started.elapsed() < FIRST + DEADLINE);
        Sees::Timeout.check(&results, &server.address().to_string());
        wait_until("it was asked again", || server.asked(call.asked).len() > 1);
        assert_eq!(server.asked(call.asked), [0, 1]);
        eventually(&client, "after");
    });
}

/// A real server whose machine stops: the connections are there, then it does nothing. What it was sent
/// it may still do when it goes on, so a write is ambiguous.
fn a_server_that_freezes(protocol: Protocol) {
    needs_memcached!();
    let server = Memcached::start();
    let patient = client(server.address(), protocol);
    calls::prepare(&patient);
    server.freeze();
    for call in [SINGLE[0], SINGLE[12], MANY[0], MANY[1], PIPELINES[2]] {
        // While the client holds back it fails without a try; each call has a client of its own.
        let fresh = |time| Sees::Timeout.run(&call, &client(server.address(), protocol), time);
        let results = row::times_out(fresh);
        Sees::Timeout.check(&results, &server.address().to_string());
    }
    let results = row::times_out(|time| Sees::Timeout.run(&SINGLE[12], &patient, time));
    Sees::Timeout.check(&results, &server.address().to_string());
    server.thaw();
    eventually(&patient, "key");
    // Some or all of the increments took effect, after all; none did twice.
    wait_until("what was sent is done", || {
        let count = patient.get::<u64>("count").unwrap();
        assert!(count <= Some(1003), "{count:?}");
        count > Some(1000)
    });
}

/// The deadline of the calls here that write much.
const DEADLINE: Duration = Duration::from_millis(500);

/// Runs a call that has to time out, with a client of its own.
fn timed_out(
    address: SocketAddr,
    protocol: Protocol,
    call: impl Fn(&Client) -> Result<()>,
) -> Error {
    let client = client(address, protocol).with_timeout(DEADLINE);
    let error = row::timed_out(DEADLINE, || call(&client)).unwrap_err();
    assert!(error.is_timeout() && !error.is_connect(), "{error:?}");
    let says_so = error
        .to_string()
        .ends_with("no complete reply within 500ms");
    assert!(says_so || error.is_ambiguous(), "{error}");
    error
}

fn a_server_that_is_silent(protocol: Protocol) {
    // The kernel accepts, nobody reads.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let timed_out = |call: fn(&Client) -> Result<()>| timed_out(address, protocol, call);
    assert!(timed_out(|client| client.get::<String>("key").map(drop)).is_retryable());
    assert!(timed_out(|client| client.set("key", "value", 0)).is_ambiguous());
}

/// More than the sockets' buffers hold: not all was sent. But for one that is too large the server
/// drops the old value as soon as it has read the command line.
fn a_write_that_blocks(protocol: Protocol) {
    let large = vec![0; 64 << 20];
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let set = |client: &Client| client.set_bytes("key", &large, 0);
    assert!(timed_out(address, protocol, set).is_ambiguous());
    let set_many = |client: &Client| {
        let stored = client.set_many(
            [("a", &large), ("b", &large)]
                .into_iter()
                .map(|(key, value)| (key, Bytes(value))),
            0,
        );
        stored.all().map(drop)
    };
    assert!(timed_out(address, protocol, set_many).is_ambiguous());
    let pipeline = |client: &Client| {
        let mut pipeline = client.pipeline();
        let stored = pipeline.set("a", ItemRef::new(0, &large), 0);
        let got = pipeline.get::<String>("b");
        let mut replies = pipeline.run();
        // Nothing of this was sent, and it reads.
        assert!(replies.take(got).unwrap_err().is_retryable());
        replies.take(stored)
    };
    assert!(timed_out(address, protocol, pipeline).is_ambiguous());
}

/// One byte at a time keeps each read short, but not the call.
fn a_value_without_end(protocol: Protocol) {
    let server = Pretender::start();
    server.next(|batch| {
        let mut line = Line::of("key");
        "1000000000".clone_into(&mut line.length);
        let asked = batch.first();
        let bytes = if asked.wire == Wire::Binary {
            let extras = &[0; 4];
            let claims = Some(1_000_000_004);
            let packet = asked.packet();
            Packet {
                extras,
                claims,
                ..packet
            }
            .bytes()
        } else {
            asked.line(&line)
        };
        says(bytes, Then::Repeat(b"x".to_vec()))
    });
    timed_out(server.address(), protocol, |client| {
        client.get_bytes("key").map(drop)
    });
    wait_until("the client closes the connection", || server.is_closed(0));
}

/// A byte now and then keeps each write short, but not the call.
fn a_server_that_reads_slowly(protocol: Protocol) {
    let large = vec![0; 64 << 20];
    // What is under way when the call is over, nobody needs.
    let is_over = Arc::new(AtomicBool::new(false));
    let call_is_over = Arc::clone(&is_over);
    let (address, server) = scripted(move |listener| {
        let mut connection = accept(listener);
        while !call_is_over.load(Ordering::Relaxed)
            && matches!(connection.read(&mut [0; 1000]), Ok(1..))
        {
            thread::sleep(Duration::from_millis(1));
        }
    });
    let error = timed_out(address, protocol, |client| {
        client.set_bytes("key", &large, 0)
    });
    assert!(error.is_ambiguous());
    is_over.store(true, Ordering::Relaxed);
    server.join().unwrap();
}
