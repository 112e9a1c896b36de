//! What a fault, or a mistake of the caller, does not touch: the wire, when a key is none; the other
//! servers, when one fails; what is secret, when an error is shown.

use super::pretender::{Pretender, Then, value_of};
use super::row::{PATIENCE, SHORT, client, eventually, is_discreet, says};
use super::support::in_each_protocol;
use super::support::skipped;
use moecache::{Client, Protocol, Result};

in_each_protocol! {
    a_bad_key_leaves_the_wire_untouched
    one_server_of_several_fails
    what_is_secret_stays_so
}

/// Every call that takes a key, with one that is none.
fn with_bad_key(client: &Client, key: &str) -> Vec<Result<()>> {
    let mut results = vec![
        client.get::<String>(key).map(drop),
        client.gets::<String>(key).map(drop),
        client.get_and_touch::<String>(key, 0).map(drop),
        client.set(key, "value", 0),
        client.add(key, "value", 0).map(drop),
        client.replace(key, "value", 0).map(drop),
        client.append(key, "value").map(drop),
        client.prepend(key, "value").map(drop),
        client.compare_and_swap(key, "value", 0, 1).map(drop),
        client.delete(key).map(drop),
        client.touch(key, 0).map(drop),
        client.incr(key, 1).map(drop),
        client.decr(key, 1).map(drop),
        client.get_many::<String, _>([key]).all().map(drop),
        client.set_many([(key, "value")], 0).all().map(drop),
        client.delete_many([key]).all().map(drop),
    ];
    let mut pipeline = client.pipeline();
    let stored = pipeline.set(key, "value", 0);
    let got = pipeline.get::<String>(key);
    let counted = pipeline.incr(key, 1);
    let mut replies = pipeline.run();
    results.push(replies.take(stored));
    results.push(replies.take(got).map(drop));
    results.push(replies.take(counted).map(drop));
    results
}

/// On a connection that is there and idle, in each protocol; `tests/api/validation.rs` has more of what is
/// refused.
fn a_bad_key_leaves_the_wire_untouched(protocol: Protocol) {
    let long = "k".repeat(251);
    let server = Pretender::start();
    let client = client(server.address(), protocol);
    eventually(&client, "before");
    for key in ["", " ", "a b", "a\r\nflush_all", "a\0", "\u{e9}", &long] {
        for result in with_bad_key(&client, key) {
            let error = result.unwrap_err();
            assert!(error.is_validation() && !error.is_ambiguous(), "{error:?}");
        }
    }
    // Among good ones, only the bad one fails.
    let stored = client.set_many([("a", "1"), ("a b", "2"), ("c", "3")], 0);
    let failed: Vec<&str> = stored.failed().map(|(key, _)| *key).collect();
    assert_eq!(failed, ["a b"]);
    eventually(&client, "after");
    // Before, a, c, their fence if there is one, and after.
    let fence = server.asked("noop").len();
    assert_eq!(server.requests(), 4 + fence);
    assert_eq!(
        (server.connections(), server.asked("get after")),
        (1, vec![0])
    );
}

/// Its keys fail, each with the reason; the others have their values, from connections that stay.
fn one_server_of_several_fails(protocol: Protocol) {
    type Lie = fn(&super::pretender::Batch) -> super::pretender::Deed;
    let lies: [(&str, Lie); 4] = [
        ("closed", |batch| says(&batch.honest()[..1], Then::Close)),
        ("reset", |batch| says(&batch.honest()[..1], Then::Reset)),
        ("garbage", |_| says("garbage\r\n", Then::GoOn)),
        ("silent", |_| says("", Then::Silence)),
    ];
    let keys: Vec<String> = (0..40_u32)
        .map(|number| format!("{:x}", number.wrapping_mul(0x9e37_79b1)))
        .collect();
    for (name, lie) in lies {
        let servers = [(); 3].map(|()| Pretender::start());
        let client = client(servers.each_ref().map(Pretender::address), protocol);
        assert!(client.ping().iter().all(|server| server.result.is_ok()));
        let failing = servers[1].address().to_string();
        let fails = |key: &str| client.server_for(key).unwrap() == failing;
        let expected = keys.iter().filter(|key| fails(key)).count();
        if expected == 0 {
            let what = format_args!("{name} in {protocol}");
            skipped(format_args!(
                "{what}: by its port, the server has none of the keys"
            ));
            continue;
        }

        servers[1].next(lie);
        // Enough for the others, on a machine that is busy, where one has to run out of it.
        let timeout = if name == "silent" {
            30 * SHORT
        } else {
            PATIENCE
        };
        let many = client.with_timeout(timeout).get_many::<String, _>(&keys);
        assert_eq!(many.found.len() + many.failed.len(), keys.len(), "{name}");
        assert!(
            many.found
                .iter()
                .all(|(key, value)| *value == value_of(key))
        );
        for (key, error) in &many.failed {
            assert!(
                fails(key) && error.server() == Some(&failing),
                "{key}: {error:?}"
            );
            assert!(!error.is_ambiguous(), "{error:?}");
            is_discreet(error);
        }
        assert_eq!(many.failed.len(), expected, "{name} in {protocol}");
        for server in [&servers[0], &servers[2]] {
            assert!(server.connections() == 1 && !server.is_closed(0), "{name}");
        }
        for key in &keys {
            eventually(&client, key);
        }
    }
}

/// Neither the key nor the value is in what an error says, in any form.
fn what_is_secret_stays_so(protocol: Protocol) {
    let key = "secret-".repeat(30);
    let server = Pretender::start();
    let client = client(server.address(), protocol).with_timeout(SHORT);
    server.next(|_| says("", Then::Silence));
    server.next(|_| says("", Then::Close));
    server.next(|batch| says(batch.first().error("SERVER_ERROR busy", 0x85), Then::GoOn));
    let mut shown = 0;
    while shown < 3 {
        let Err(error) = client.set(&key, "confidential", 0) else {
            panic!("no error")
        };
        // A server that is left alone for a moment is not asked.
        shown += usize::from(!error.is_connect());
        let text = format!("{error} {error:#} {error:?} {client:?}");
        assert!(
            !text.contains("secret-") && !text.contains("confidential"),
            "{text}"
        );
    }
}
