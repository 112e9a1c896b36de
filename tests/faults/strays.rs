//! Bytes that nobody asked for: on a connection that idles, before a reply, behind one. They are never
//! taken for the reply to a request that comes later.

use super::calls::{self, MANY, SINGLE, is_single};
use super::pretender::{Batch, Deed, Pretender, Then, Wire};
use super::row::{Fate, Row, Sees, Start, at_once, client, eventually, says};
use super::support::in_each_protocol;
use super::support::wait_until;
use moecache::Protocol;
use std::thread;
use std::time::{Duration, Instant};

in_each_protocol! {
    end_of_stream_on_an_idle_connection
    stray_bytes_on_an_idle_connection
    stray_bytes_and_the_end_on_an_idle_connection
    stray_bytes_before_a_reply
    the_reply_to_an_earlier_request
    bytes_left_over_after_a_reply
}

/// Lets a connection idle for longer than the millisecond after which it is looked at.
fn idle() {
    let since = Instant::now();
    while since.elapsed() < Duration::from_millis(3) {
        thread::yield_now();
    }
}

/// The caller sees nothing, and no request is written into the connection.
fn on_an_idle_connection(protocol: Protocol, stray: impl Fn(&Pretender) + Sync) {
    at_once(protocol, calls::all(), |call| {
        let server = Pretender::start();
        let client = client(server.address(), protocol);
        eventually(&client, "before");
        stray(&server);
        idle();
        for result in call.run(&client) {
            result.unwrap();
        }
        assert_eq!(server.asked(call.asked), [1]);
        wait_until("the client closes the connection", || server.is_closed(0));
    });
}

fn end_of_stream_on_an_idle_connection(protocol: Protocol) {
    on_an_idle_connection(protocol, |server| server.close(0));
}

fn stray_bytes_on_an_idle_connection(protocol: Protocol) {
    on_an_idle_connection(protocol, |server| server.interject(0, b"?"));
    on_an_idle_connection(protocol, |server| {
        server.interject(0, b"VALUE key 0 4\r\nevil\r\nEND\r\nSTORED\r\n1\r\n");
    });
}

fn stray_bytes_and_the_end_on_an_idle_connection(protocol: Protocol) {
    on_an_idle_connection(protocol, |server| {
        server.interject(0, b"ERROR idle for too long\r\n");
        server.close(0);
    });
}

const fn stray(name: &'static str, lie: fn(&Batch) -> Deed) -> Row {
    Row {
        name,
        lie,
        sees: Sees::Protocol,
        connection: Fate::Closed,
    }
}

/// On a connection that did not idle they are found where the reply should be. They come with it here,
/// which for the client is the same.
fn stray_bytes_before_a_reply(protocol: Protocol) {
    let rows = [
        stray("garbage", |batch| {
            says([b"?\r\n", &*batch.honest()].concat(), Then::GoOn)
        }),
        stray("a line end", |batch| {
            says([b"\r\n", &*batch.honest()].concat(), Then::GoOn)
        }),
        stray("a value of another key", |batch| {
            // In meta and binary: of an earlier request.
            let mut earlier = batch.first().hit("other");
            if batch.first().wire != Wire::Text {
                earlier = batch.first().earlier().hit("other");
            }
            says([earlier, batch.honest()].concat(), Then::GoOn)
        }),
    ];
    for row in rows {
        row.play(protocol, Start::Reused, calls::all());
    }
}

/// In meta and binary a reply says to which request it is: what an earlier one would have got is never
/// taken, whatever it says. Text has nothing of the kind, but grammar and keys.
fn the_reply_to_an_earlier_request(protocol: Protocol) {
    at_once(protocol, calls::all(), |call| {
        // Gets in a row are one line of text in meta, and its fence carries no opaque.
        if protocol == Protocol::Text || protocol == Protocol::Meta && !is_single(call) {
            return;
        }
        let row = stray("the reply to an earlier request", |batch| {
            let earlier: Vec<u8> = batch
                .asked
                .iter()
                .flat_map(|it| it.earlier().honest())
                .collect();
            says(earlier, Then::GoOn)
        });
        row.play_one(protocol, Start::Reused, call);
    });
}

/// The reply is right, so the caller gets it; the next call has a connection of its own.
fn bytes_left_over_after_a_reply(protocol: Protocol) {
    let rows = [
        stray("a byte", |batch| {
            says([batch.honest(), vec![b'\n']].concat(), Then::GoOn)
        }),
        stray("garbage", |batch| {
            says(
                [batch.honest(), b"garbage\r\n".to_vec()].concat(),
                Then::GoOn,
            )
        }),
        stray("the reply, again", |batch| {
            says([batch.honest(), batch.honest()].concat(), Then::GoOn)
        }),
        stray("what would be a reply to the next call", |batch| {
            let evil = b"VALUE after 0 4\r\nevil\r\nEND\r\n".to_vec();
            says([batch.honest(), evil].concat(), Then::GoOn)
        }),
    ];
    for row in rows {
        let alone = Row {
            sees: Sees::Right,
            ..row
        };
        alone.play(protocol, Start::Reused, SINGLE.into_iter().chain([MANY[0]]));
    }
    // With other replies still to come they are in the way of those.
    for row in &rows[..2] {
        let together = Row {
            sees: Sees::RightOrProtocol,
            ..*row
        };
        together.play(protocol, Start::Reused, calls::all());
    }
}
