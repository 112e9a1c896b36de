//! A client whose list of servers changes.

use crate::support;

use moecache::cache::Cache;
use moecache::{Client, FailurePolicy, Library, Protocol, Scheme, Server};
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

/// A poor man's weight, as those do it who fill such deployments: gomemcache takes the CRC-32 of the key
/// modulo the length of the list. It is one server all the same, with one connection pool.
#[test]
fn a_server_that_is_listed_twice() {
    let servers = [(); 2].map(|()| Memcached::start());
    let [a, b] = servers.each_ref().map(Memcached::address);
    let idle = connections(&servers[0]);
    let client = Client::builder()
        .servers([a, b, a])
        .compatible_with(Library::Gomemcache)
        .build()
        .unwrap();
    assert_eq!(client.servers(), [a.to_string(), b.to_string()]);
    let keys: Vec<String> = (0..300).map(|number| format!("key:{number}")).collect();
    for key in &keys {
        let place = crc32fast::hash(key.as_bytes()) % 3;
        let expected = [a, b, a][place as usize].to_string();
        assert_eq!(client.server_for(key).unwrap(), expected, "{key}");
        let explained = client.explain(key).unwrap();
        assert_eq!(explained.server, expected, "{key}");
        client.set(key, "value", 0).unwrap();
    }
    let share = client.shares().unwrap()[0];
    assert!((share - 2.0 / 3.0).abs() < 1e-6, "{share}");
    assert_eq!(
        client.get_many::<String, _>(&keys).all().unwrap().len(),
        300
    );
    assert_eq!(client.ping().len(), 2);
    assert_eq!(client.stats().unwrap().len(), 2);
    let mut listed: Vec<Vec<u8>> = client.keys().map(|key| key.unwrap().key).collect();
    let mut expected: Vec<Vec<u8>> = keys.iter().map(|key| key.clone().into_bytes()).collect();
    listed.sort_unstable();
    expected.sort_unstable();
    assert_eq!(listed, expected);
    assert_eq!(connections(&servers[0]), idle + 1);

    // The same list is no change to a cache, and another number of times is.
    let cache = Cache::new(client.clone());
    let made = |value: u32| cache.get_or_set("made", || value).unwrap();
    assert_eq!(made(1), 1);
    client.set_servers([a, b, a]).unwrap();
    assert_eq!(made(2), 1);
    client.set_servers([a, a, b]).unwrap();
    assert_eq!(made(3), 3);

    client.set_servers([b, a, b]).unwrap();
    assert_eq!(client.servers(), [b.to_string(), a.to_string()]);
    assert_eq!(connections(&servers[0]), idle + 1);
}

/// What is left of such a list when a server is down, still has the other as often as it was listed.
#[test]
fn a_server_that_is_listed_twice_and_one_that_is_down() {
    let mut servers = [(); 3].map(|()| Memcached::start());
    let [a, b, c] = servers.each_ref().map(Memcached::address);
    let client = |list: &[std::net::SocketAddr]| {
        let builder = Client::builder()
            .servers(list)
            .compatible_with(Library::Gomemcache)
            .failure_policy(FailurePolicy::Rehash)
            .timeout(Duration::from_secs(20));
        builder.build().unwrap()
    };
    let (all, left) = (client(&[a, b, a, c]), client(&[a, a, c]));
    servers[1].stop();
    let mut moved = 0;
    for number in 0..300 {
        let key = format!("key:{number}");
        // Until it is found to be down.
        if all.server_for(&key).unwrap() == b.to_string() && all.set(&key, number, 0).is_ok() {
            assert_eq!(left.get::<i32>(&key).unwrap(), Some(number), "{key}");
            moved += 1;
        }
    }
    assert!(moved > 50, "{moved}");
}

/// EnyimMemcached's rings have the points of a server that is listed again where they were, so that
/// it gets no more keys (`BuildIndex` and `Initialize` of its locators, 2.16). All but the very first:
/// what its hasher makes of that, no other of the same text has.
#[test]
fn a_server_that_is_listed_twice_has_the_same_points() {
    let list = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
    let twice = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1:11211"];
    let placed = |scheme: &str, servers: &[&str]| {
        let builder = Client::builder().servers(servers);
        let client = builder.compatible_with(scheme.parse::<Scheme>().unwrap());
        let client = client.build().unwrap();
        let keys = (0..2000).map(|number| client.server_for(format!("key:{number}")).unwrap());
        keys.collect::<Vec<_>>()
    };
    for scheme in [
        "enyim",
        "enyim:ketama/md5",
        "enyim:ketama/murmur",
        "enyimmemcachedcore",
        "enyimmemcachedcore:LegacyNodeLocator",
        "enyimmemcachedcore-messagepack",
        "libmemcached:consistent",
        "libmemcached:ketama_weighted",
        "pymemcache",
    ] {
        assert_eq!(placed(scheme, &list), placed(scheme, &twice), "{scheme}");
    }
    // The last server has all there.
    let of_the_last = placed("enyim:ketama/oneatatime", &twice);
    assert!(
        of_the_last.iter().all(|server| server == "10.0.0.1:11211"),
        "{of_the_last:?}"
    );
    // What pylibmc 1.6.3 answered.
    let modula = "0001111111001111111110110000000000001111";
    let two = ["10.0.0.1:11211", "10.0.0.2:11211", "10.0.0.1:11211"];
    let ours = placed("pylibmc", &two).into_iter().take(modula.len());
    let ours: String = ours
        .map(|it| if it == two[0] { '0' } else { '1' })
        .collect();
    assert_eq!(ours, modula);
}

#[test]
fn a_server_may_not_be_listed_twice() {
    let error = |scheme: &str, servers: &[Server]| {
        let scheme: Scheme = scheme.parse().unwrap();
        let built = Client::builder()
            .servers(servers)
            .compatible_with(scheme)
            .build();
        built.unwrap_err().to_string()
    };
    let twice = ["10.0.0.1".into(), "10.0.0.1:11211".into()];
    let moecache = error("moecache", &twice);
    assert_eq!(
        moecache,
        "servers: 10.0.0.1:11211 is listed twice; list it once"
    );
    // nutcracker 0.5.0 refuses it too, and takes it with two names.
    let twemproxy = error("twemproxy", &twice);
    assert!(
        twemproxy.ends_with("with a weight: host:port:weight"),
        "{twemproxy}"
    );
    let named = ["a", "b", "a"].map(|name| Server::from("10.0.0.1").ring_name(name));
    let builder = |servers: &[Server]| {
        Client::builder()
            .servers(servers)
            .compatible_with(Library::Twemproxy)
    };
    assert!(builder(&named[..2]).build().is_ok());
    assert!(
        builder(&named)
            .build()
            .unwrap_err()
            .to_string()
            .contains("listed twice")
    );
    let login = Server::from("10.0.0.1").credentials("ann", "secret");
    let two_logins = error("gomemcache", &["10.0.0.1".into(), login]);
    assert!(two_logins.contains("different credentials"), "{two_logins}");
    for spelling in [
        "unix:/run/a.sock",
        "unix:///run/a.sock",
        "//run/a.sock",
        "/run/./a.sock",
    ] {
        let error = Client::new(["/run/a.sock", spelling])
            .unwrap_err()
            .to_string();
        assert!(error.contains("a.sock is listed twice"), "{error}");
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
