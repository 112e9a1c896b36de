//! A client whose list of servers changes.

mod support;

use moecache::{Client, Protocol};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;
use support::Memcached;

/// How many connections a server has, but for the one that asks.
fn connections(server: &Memcached) -> u64 {
    let mut raw = support::RawClient::connect(server.address());
    raw.stat("curr_connections").parse::<u64>().unwrap() - 1
}

#[test]
fn those_that_stay_keep_their_connections() {
    let servers = [(); 3].map(|()| Memcached::start());
    let [a, b, c] = servers.each_ref().map(Memcached::address);
    let idle = connections(&servers[0]);
    let client = Client::builder().servers([a, b]).build().unwrap();
    let clone = client.with_timeout(Duration::from_secs(20));
    assert!(client.ping().iter().all(|server| server.result.is_ok()));
    assert_eq!(connections(&servers[0]), idle + 1);

    client.set_servers([c, a]).unwrap();
    assert_eq!(clone.servers(), [c.to_string(), a.to_string()]);
    let expected = Client::new([c, a]).unwrap();
    for number in 0..100_u64 {
        let key = format!("{:x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        assert_eq!(
            clone.server_for(&key).unwrap(),
            expected.server_for(&key).unwrap()
        );
        clone.set(&key, number, 0).unwrap();
        assert_eq!(expected.get::<u64>(&key).unwrap(), Some(number));
    }
    expected.close();
    // Closed as the server sees it, in a moment.
    support::wait_until("the connection to the one that is gone is closed", || {
        connections(&servers[1]) == idle
    });
    support::wait_until("the one to the one that stayed is the same", || {
        connections(&servers[0]) == idle + 1
    });
}

#[test]
fn a_list_that_is_refused_changes_nothing() {
    let client = Client::new(["10.0.0.1", "10.0.0.2"]).unwrap();
    let before = client.servers();
    for (list, reason) in [
        (vec![], "servers: the list is empty"),
        (vec!["10.0.0.1", "10.0.0.1"], "listed twice"),
        (vec!["10.0.0.1:0"], "port 0"),
    ] {
        let error = client.set_servers(list).unwrap_err();
        assert!(error.is_validation(), "{error:?}");
        assert!(error.to_string().starts_with("set_servers: "), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(client.servers(), before);
    }
}

/// Calls go on in other threads while servers come and go; none fails, and a list of keys that has
/// begun ends with the server that it began with.
#[test]
fn calls_under_way_are_not_disturbed() {
    for protocol in [Protocol::Text, Protocol::Meta, Protocol::Binary] {
        let servers = [(); 3].map(|()| Memcached::start());
        let [a, b, c] = servers.each_ref().map(Memcached::address);
        let builder = Client::builder().servers([a, b, c]).protocol(protocol);
        let client = builder.timeout(Duration::from_secs(20)).build().unwrap();
        let is_over = AtomicBool::new(false);
        let rounds = [const { AtomicU32::new(0) }; 4];
        thread::scope(|scope| {
            for (worker, rounds) in rounds.iter().enumerate() {
                let (client, is_over) = (&client, &is_over);
                scope.spawn(move || {
                    while !is_over.load(Ordering::Relaxed) {
                        let round = rounds.fetch_add(1, Ordering::Relaxed);
                        let key = format!("{worker}:{round}");
                        client.set(&key, round, 0).unwrap();
                        let keys = [&key, "another", "third"];
                        client.get_many::<u32, _>(keys).all().unwrap();
                    }
                });
            }
            for _ in 0..100 {
                let before = rounds.each_ref().map(|it| it.load(Ordering::Relaxed));
                client.set_servers([a, c]).unwrap();
                client.set_servers([b, c, a]).unwrap();
                // Any of them: so that each change meets calls.
                support::wait_until("calls are made", || {
                    let now = rounds.each_ref().map(|it| it.load(Ordering::Relaxed));
                    now != before
                });
            }
            is_over.store(true, Ordering::Relaxed);
        });
        if protocol != Protocol::Binary {
            let mut keys = client.keys();
            let first = keys.next().unwrap().unwrap();
            client.set_servers(a).unwrap();
            assert!(keys.any(|info| info.unwrap().server != first.server));
        }
    }
}
