//! Replies that break the protocol: keys and opaques that were not asked for, lengths that are none or
//! too large, lines without end, values without an end, words that mean nothing. A protocol error at
//! once, and the connection is closed; nothing of it is given out, and nothing is allocated or buffered
//! for what a server only claims.

use super::calls::{self, Call};
use super::cut::tail;
use super::pretender::{Asked, Line, Packet, Pretender, Then, Wire, value_of};
use super::row::{Fate, Row, Sees, Start, at_once, client, eventually, says};
use super::support::in_each_protocol;
use super::support::wait_until;
use moecache::Protocol;

in_each_protocol! {
    a_key_or_opaque_that_was_not_asked_for
    a_key_that_comes_twice_or_too_many_values
    lengths_and_flags_that_are_none
    a_value_that_does_not_end_where_it_should
    a_line_without_end
    a_line_of_over_2_kb
}

/// A wrong reply to a request; `None` if there is no such thing.
pub type Reply = fn(&Asked) -> Option<Vec<u8>>;

/// Plays wrong replies to the first request of each of these calls.
pub fn play(protocol: Protocol, rows: &[(&str, Reply)], calls: impl IntoIterator<Item = Call>) {
    let calls: Vec<Call> = calls.into_iter().collect();
    for (name, reply) in rows {
        at_once(protocol, calls.iter().copied(), |call| {
            play_one(name, *reply, protocol, call);
        });
    }
}

fn play_one(name: &str, reply: Reply, protocol: Protocol, call: &Call) {
    let server = Pretender::start();
    let client = client(server.address(), protocol);
    let (applies, does_apply) = std::sync::mpsc::channel();
    server.next(move |batch| {
        let wrong = reply(batch.first());
        applies.send(wrong.is_some()).unwrap();
        match wrong {
            Some(wrong) => says(batch.but_first(&wrong), Then::GoOn),
            None => says(batch.honest(), Then::GoOn),
        }
    });
    let results = call.run(&client);
    if !does_apply.recv().unwrap() {
        return;
    }
    println!("{name}: {} in {protocol}: {results:?}", call.name);
    Sees::Protocol.check(&results, &server.address().to_string());
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        assert!(error.to_string().len() < 350, "{name}: {error}");
    }
    assert_eq!(server.asked(call.asked), [0], "{name}");
    wait_until("the client closes the connection", || server.is_closed(0));
    eventually(&client, "after");
}

/// A value in text or meta with something wrong.
pub fn value(asked: &Asked, change: impl FnOnce(&mut Line)) -> Option<Vec<u8>> {
    let mut line = Line::of(&asked.keys[0]);
    change(&mut line);
    let mut bytes = (asked.wire != Wire::Binary).then(|| asked.line(&line))?;
    if asked.wire == Wire::Text {
        bytes.extend(b"END\r\n");
    }
    Some(bytes)
}

/// A value in binary with something wrong.
pub fn packet(asked: &Asked, change: impl FnOnce(&mut Packet<'_>)) -> Option<Vec<u8>> {
    let text = value_of(&asked.keys[0]);
    let mut packet = Packet {
        extras: &[0; 4],
        value: text.as_bytes(),
        ..asked.packet()
    };
    change(&mut packet);
    (asked.wire == Wire::Binary).then(|| packet.bytes())
}

fn a_key_or_opaque_that_was_not_asked_for(protocol: Protocol) {
    let rows: [(&str, Reply); 6] = [
        ("another key", |asked| {
            let is_text = asked.wire == Wire::Text;
            is_text.then(|| value(asked, |line| "other".clone_into(&mut line.key)))?
        }),
        ("the beginning of the key", |asked| {
            let is_text = asked.wire == Wire::Text && asked.keys[0].len() > 1;
            is_text.then(|| value(asked, |line| line.key.truncate(1)))?
        }),
        ("more than the key", |asked| {
            let is_text = asked.wire == Wire::Text;
            is_text.then(|| value(asked, |line| line.key.push('2')))?
        }),
        ("the opaque of an earlier request", |asked| {
            let earlier = asked.earlier();
            (asked.wire != Wire::Text).then(|| earlier.hit(&asked.keys[0]))
        }),
        // A proxy that mixes up its clients: the other one has sent as many requests on its connection.
        (
            "the reply to the same request on another connection",
            |asked| {
                let mut other = asked.clone();
                other.opaque = 0;
                (asked.wire != Wire::Text).then(|| other.hit("other"))
            },
        ),
        ("an opaque that was never given", |asked| {
            let mut later = asked.clone();
            later.opaque = later.opaque.wrapping_add(1 << 20);
            (asked.wire != Wire::Text).then(|| later.hit(&asked.keys[0]))
        }),
    ];
    play(protocol, &rows, calls::reads());
}

/// They are not sent twice, either.
fn a_key_that_comes_twice_or_too_many_values(protocol: Protocol) {
    let several: fn(&Call) -> bool = |call| ["get_many", "pipeline of gets"].contains(&call.name);
    let rows: [(&str, Reply); 2] = [
        ("a key twice", |asked| {
            let keys = ["a", "a", "b", "c"].map(|key| asked.hit(key));
            (asked.wire == Wire::Text).then(|| keys.concat())
        }),
        ("an opaque twice", |asked| {
            (asked.wire == Wire::Binary).then(|| [asked.hit("a"), asked.hit("a")].concat())
        }),
    ];
    play(protocol, &rows, calls::reads().filter(several));

    // All that were asked for are there, and right; and then one comes that was not.
    at_once(protocol, calls::reads().filter(several), |call| {
        let row = Row {
            name: "one more",
            lie: |batch| {
                let one_more = batch.asked[batch.asked.len() - 1].hit("d");
                let mut bytes: Vec<u8> = batch.honest();
                bytes.truncate(bytes.len() - tail(batch));
                says([bytes, one_more].concat(), Then::GoOn)
            },
            sees: Sees::RightOrProtocol,
            connection: Fate::Closed,
        };
        row.play_one(protocol, Start::Fresh, call);
    });
}

fn lengths_and_flags_that_are_none(protocol: Protocol) {
    let rows: [(&str, Reply); 14] = [
        ("negative", |it| value(it, |line| line.length = "-1".into())),
        ("a word", |it| value(it, |line| line.length = "many".into())),
        ("none", |it| value(it, |line| line.length = String::new())),
        ("with a sign", |it| {
            value(it, |line| line.length.insert(0, '+'))
        }),
        ("hexadecimal", |it| {
            value(it, |line| line.length.insert_str(0, "0x"))
        }),
        ("11 digits", |it| {
            value(it, |line| line.length = format!("{:0>11}", line.length))
        }),
        ("over 64 bits", |it| {
            value(it, |line| line.length = "18446744073709551617".into())
        }),
        ("over the maximum", |it| {
            value(it, |line| line.length = "1073741825".into())
        }),
        ("flags over 32 bits", |it| {
            value(it, |line| line.flags = "4294967296".into())
        }),
        ("negative flags", |it| {
            value(it, |line| line.flags = "-1".into())
        }),
        ("a word for flags", |it| {
            value(it, |line| line.flags = "flags".into())
        }),
        ("a packet over the maximum", |it| {
            packet(it, |packet| packet.claims = Some(u32::MAX))
        }),
        ("a packet smaller than its parts", |it| {
            packet(it, |packet| packet.claims = Some(3))
        }),
        ("flags of three bytes", |it| {
            packet(it, |packet| packet.extras = &[0; 3])
        }),
    ];
    play(protocol, &rows, calls::reads());
}

fn a_value_that_does_not_end_where_it_should(protocol: Protocol) {
    let rows: [(&str, Reply); 5] = [
        ("no line end", |it| value(it, |line| line.end = "xx".into())),
        ("a line feed", |it| {
            value(it, |line| line.end = "\nx".into())
        }),
        ("longer than it says", |it| {
            value(it, |line| line.value.push_str("more"))
        }),
        ("shorter by one than it says", |it| {
            value(it, |line| line.value.truncate(line.value.len() - 1))
        }),
        ("a byte missing in the end", |it| {
            value(it, |line| line.end = "\r".into())
        }),
    ];
    // What is too short goes on with what comes behind it: there must be something.
    let has_more = |call: &Call| call.name != "get_and_touch";
    play(protocol, &rows[..3], calls::reads());
    if protocol == Protocol::Text {
        play(protocol, &rows[3..], calls::reads().filter(has_more));
    }
}

/// Far more than a line may be, and no end of it: it is not waited for, and not kept.
fn a_line_without_end(protocol: Protocol) {
    at_once(protocol, calls::all(), |call| {
        let row = Row {
            name: "a line without end",
            lie: |_| says("", Then::Repeat(b"VALUE STORED ".repeat(100))),
            sees: Sees::Protocol,
            connection: Fate::Closed,
        };
        row.play_one(protocol, Start::Fresh, call);
    });
}

fn a_line_of_over_2_kb(protocol: Protocol) {
    let rows: [(&str, Reply); 3] = [
        ("in place of a reply", |_| Some([b'x'; 3000].to_vec())),
        ("an error", |_| {
            Some([b"SERVER_ERROR ", &[b'x'; 3000][..], b"\r\n"].concat())
        }),
        ("a key", |it| {
            let is_text = it.wire == Wire::Text;
            is_text.then(|| value(it, |line| line.key = "k".repeat(3000)))?
        }),
    ];
    play(protocol, &rows[..2], calls::all());
    play(
        protocol,
        &rows[2..],
        calls::reads().filter(|call| call.name == "get"),
    );
}
