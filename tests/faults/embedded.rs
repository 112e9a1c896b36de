//! Each fault of the embedded server, in each protocol, with each kind of call.

use super::calls::{self, Call};
use super::row::{Fate, Sees, at_once, client, eventually, is_repeatable, times_out};
use super::support::in_each_protocol;
use super::support::wait_until;
use moecache::testing::{Fault, Server};
use moecache::{Item, Protocol};
use std::thread;
use std::time::{Duration, Instant};

in_each_protocol! {
    each_fault_of_a_reply
    a_reply_that_is_swallowed
    a_connection_that_is_accepted_and_closed
    connections_that_are_dropped_while_they_idle
}

/// What a caller sees of a fault on a connection that has served before.
fn sees(fault: &Fault, call: &Call) -> Sees {
    match fault {
        Fault::Delay(_) | Fault::Drip(_) => Sees::Right,
        Fault::Cut { after: 0 } | Fault::Reset { after: 0 } if is_repeatable(call) => Sees::Right,
        Fault::Cut { .. } | Fault::Reset { .. } => Sees::Io,
        Fault::Garbage(_) => Sees::Protocol,
        // Not every reply says whose it is, and not every surplus is in somebody's way.
        Fault::Surplus(_) | Fault::Misaddressed => Sees::RightOrProtocol,
        _ => Sees::Timeout,
    }
}

fn fate(fault: &Fault) -> Fate {
    match fault {
        Fault::Delay(_) | Fault::Drip(_) => Fate::Kept,
        _ => Fate::Closed,
    }
}

const MOMENT: Duration = Duration::from_millis(1);

fn each_fault_of_a_reply(protocol: Protocol) {
    let faults = [
        Fault::Delay(5 * MOMENT),
        Fault::Drip(Duration::from_micros(100)),
        Fault::Cut { after: 0 },
        Fault::Cut { after: 2 },
        Fault::Reset { after: 0 },
        Fault::Reset { after: 2 },
        Fault::Garbage(b"garbage\r\n".to_vec()),
        Fault::Surplus(b"garbage\r\n".to_vec()),
        Fault::Misaddressed,
    ];
    for fault in faults {
        check(protocol, &fault, calls::all());
    }
}

/// One reply is left out, and those behind it come: of several requests, text and whatever is quiet do
/// not say to which. So this is for what has one reply.
fn a_reply_that_is_swallowed(protocol: Protocol) {
    check(protocol, &Fault::Swallow, calls::SINGLE);
}

fn check(protocol: Protocol, fault: &Fault, calls: impl IntoIterator<Item = Call>) {
    let check = |call: &Call, time| {
        let server = Server::start().unwrap();
        let client = client(&server, protocol);
        calls::prepare(&client);
        server.inject(fault.clone());
        let expected = sees(fault, call);
        let results = expected.run(call, &client, time)?;
        println!("{fault:?}: {} in {protocol}: {results:?}", call.name);
        expected.check(&results, &server.to_string());
        let failed = results.iter().any(Result::is_err);
        if failed {
            wait_until("the client closes", || server.connections() == 0);
        } else if fate(fault) == Fate::Kept {
            assert_eq!(server.connections(), 1);
        }
        server.clear_faults();
        eventually(&client, "after");
        // One more or less, and never two: what counts was not counted twice.
        let count = client.get::<u64>("count").unwrap().unwrap();
        assert!((999..=1001).contains(&count), "{count}");
        let joined = client.get::<Item>("joined").unwrap().unwrap();
        assert!(joined.data.len() <= "joined".len() + "more".len());
        Some(())
    };
    at_once(protocol, calls, |call| times_out(|time| check(call, time)));
}

/// A new connection is closed at once: the request was sent, as far as the client knows.
fn a_connection_that_is_accepted_and_closed(protocol: Protocol) {
    at_once(protocol, calls::all(), |call| {
        let server = Server::start().unwrap();
        let client = client(&server, protocol);
        calls::prepare(&client);
        client.close();
        server.inject(Fault::Refuse);
        let results = call.run(&client);
        Sees::Io.check(&results, &server.to_string());
        eventually(&client, "after");
        assert_eq!(client.get::<u64>("count").unwrap(), Some(1000));
    });
}

/// Something on the way drops idle connections, or the server is restarted: the caller sees nothing,
/// whatever the next call is.
fn connections_that_are_dropped_while_they_idle(protocol: Protocol) {
    at_once(protocol, calls::all(), |call| {
        let server = Server::start().unwrap();
        let client = client(&server, protocol);
        calls::prepare(&client);
        server.disconnect();
        let since = Instant::now();
        while since.elapsed() < 3 * MOMENT {
            thread::yield_now();
        }
        for result in call.run(&client) {
            result.unwrap();
        }
    });
}
