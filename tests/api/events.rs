//! What a client tells of: each connection once as it is made and once as it is closed, with the right
//! reason.

use crate::support;
use crate::support::needs_memcached;

use moecache::testing::{Fault, Server};
use moecache::{Client, ClientBuilder, Event, Protocol};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use support::scripted::{accept, answer, read_until, scripted};
use support::{Heard, Memcached};

const PROTOCOLS: [Protocol; 3] = [Protocol::Text, Protocol::Meta, Protocol::Binary];

/// How long a call has where it does not fail by the clock, and where it does.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_secs(1);

fn of(server: &Server, protocol: Protocol) -> ClientBuilder {
    Client::builder().servers(server).protocol(protocol)
}

#[test]
fn a_connection_that_serves_is_made_once_and_closed_by_the_client() {
    let server = Memcached::start();
    for protocol in [Protocol::Text, Protocol::Auto, Protocol::Binary] {
        let builder = Client::builder().servers(server.address());
        let (client, heard) = Heard::of(builder.protocol(protocol));
        for _ in 0..10 {
            client.set("key", "value", 0).unwrap();
        }
        assert_eq!(heard.take(), ["connected"], "{protocol}");
        client.close();
        assert_eq!(heard.take(), ["closed: byclient"], "{protocol}");
        client.set("key", "value", 0).unwrap();
        let clone = client.clone();
        drop(client);
        assert_eq!(heard.take(), ["connected"], "{protocol}");
        drop(clone);
        assert_eq!(heard.take(), ["closed: byclient"], "{protocol}");
    }
}

#[test]
fn a_connection_in_use_is_closed_when_it_comes_back() {
    let (asked, was_asked) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let (address, server) = scripted(move |listener| {
        use std::io::Write as _;
        let mut connection = accept(listener);
        read_until(&mut connection, b"\r\n");
        asked.send(()).unwrap();
        goes_on.recv().unwrap();
        connection.write_all(b"END\r\n").unwrap();
    });
    let (client, heard) = Heard::of(Client::builder().servers(address));
    thread::scope(|scope| {
        let call = scope.spawn(|| client.get::<String>("key"));
        was_asked.recv().unwrap();
        client.close();
        assert_eq!(heard.take(), ["connected"]);
        go_on.send(()).unwrap();
        assert_eq!(call.join().unwrap().unwrap(), None);
    });
    assert_eq!(heard.take(), ["closed: byclient"]);
    server.join().unwrap();
}

#[test]
fn a_server_that_leaves_the_list() {
    let [stays, leaves] = [(); 2].map(|()| Server::start().unwrap());
    let (client, heard) = Heard::of(Client::builder().servers([&stays, &leaves]));
    assert!(client.ping().iter().all(|server| server.result.is_ok()));
    assert_eq!(heard.take(), ["connected", "connected"]);
    client.set_servers(&stays).unwrap();
    assert_eq!(heard.take(), ["closed: byclient"]);
    assert_eq!(client.metrics()[0].connections_idle, 1);
}

/// What each fault does to a connection, and that the next call has another.
#[test]
fn faults() {
    let rows: [(&str, Fault, &str); 6] = [
        ("cut", Fault::Cut { after: 3 }, "io"),
        ("reset", Fault::Reset { after: 3 }, "io"),
        ("garbage", Fault::Garbage(b"?\r\n".repeat(30)), "protocol"),
        ("misaddressed", Fault::Misaddressed, "protocol"),
        ("swallowed", Fault::Swallow, "timeout"),
        ("refused", Fault::Refuse, "io"),
    ];
    for protocol in PROTOCOLS {
        for (row, fault, kind) in &rows {
            let server = Server::start().unwrap();
            let builder = of(&server, protocol).timeout(LONG);
            let (client, heard) = Heard::of(builder.max_back_off(Duration::ZERO));
            if *row != "refused" {
                client.set("key", "value", 0).unwrap();
                assert_eq!(heard.take(), ["connected"]);
            }
            server.inject(fault.clone());
            let timeout = if *row == "swallowed" { SHORT } else { LONG };
            let hurried = client.with_timeout(timeout);
            hurried.get::<String>("key").unwrap_err();
            let closed = format!("closed: {kind}");
            let expected: &[&str] = match *row {
                "refused" => &["connected", &closed],
                _ => &[&closed],
            };
            assert_eq!(heard.take(), expected, "{protocol}: {row}");
            client.get::<String>("key").unwrap();
            assert_eq!(heard.take(), ["connected"], "{protocol}: {row}");
        }
    }
}

#[test]
fn what_comes_behind_a_complete_reply_closes() {
    for protocol in PROTOCOLS {
        let server = Server::start().unwrap();
        let (client, heard) = Heard::of(of(&server, protocol));
        client.set("key", "value", 0).unwrap();
        server.inject(Fault::Surplus(b"more".to_vec()));
        let value = client.get::<String>("key").unwrap();
        assert_eq!(value.as_deref(), Some("value"), "{protocol}");
        assert_eq!(
            heard.take(),
            ["connected", "closed: protocol"],
            "{protocol}"
        );
    }
}

#[test]
fn a_server_that_closed_the_pooled_connection_in_the_middle_is_asked_again() {
    let (address, server) = scripted(|listener| {
        let mut first = accept(listener);
        answer(&mut first, b"END\r\n");
        read_until(&mut first, b"\r\n");
        drop(first);
        answer(&mut accept(listener), b"END\r\n");
    });
    let (client, heard) = Heard::of(Client::builder().servers(address));
    for _ in 0..2 {
        assert_eq!(client.get::<String>("key").unwrap(), None);
    }
    let expected = ["connected", "closed: io", "retried", "connected"];
    assert_eq!(heard.take(), expected);
    assert_eq!(client.metrics()[0].retries, 1);
    server.join().unwrap();
}

#[test]
fn what_idles_is_stale_or_idle_or_surplus() {
    needs_memcached!();
    let mut server = Memcached::start();
    let (client, heard) = Heard::of(Client::builder().servers(server.address()));
    client.set("key", 1, 0).unwrap();
    server.restart();
    client.set("key", 1, 0).unwrap();
    assert_eq!(heard.take(), ["connected", "closed: stale", "connected"]);

    let builder = Client::builder().servers(server.address());
    let (client, heard) = Heard::of(builder.idle_timeout(Duration::ZERO));
    client.set("key", 1, 0).unwrap();
    client.set("key", 1, 0).unwrap();
    assert_eq!(heard.take(), ["connected", "closed: idle", "connected"]);

    let builder = Client::builder().servers(server.address());
    let (client, heard) = Heard::of(builder.max_idle_connections(0));
    client.set("key", 1, 0).unwrap();
    assert_eq!(heard.take(), ["connected", "closed: surplus"]);
}

#[test]
fn a_call_that_ends_early_abandons_its_connection() {
    let server = Server::start().unwrap();
    for protocol in PROTOCOLS {
        let (client, heard) = Heard::of(of(&server, protocol));
        client.set("key", "value", 0).unwrap();
        let panicking = AssertUnwindSafe(|| client.get_many_with(&["key"], |_, _| panic!("mine")));
        catch_unwind(panicking).unwrap_err();
        assert_eq!(
            heard.take(),
            ["connected", "closed: abandoned"],
            "{protocol}"
        );
    }
    // A list of keys: more than one buffer full of them.
    let real = Memcached::start();
    let (client, heard) = Heard::of(Client::builder().servers(real.address()));
    let keys = (0..2000).map(|number| (format!("{number:0200}"), number));
    client.set_many(keys, 0).all().unwrap();
    client.close();
    heard.take();
    let mut keys = client.keys();
    keys.next().unwrap().unwrap();
    drop(keys);
    assert_eq!(heard.take(), ["connected", "closed: abandoned"]);
}

#[test]
fn a_panic_of_the_programs_function_goes_no_further() {
    let server = Server::start().unwrap();
    let builder = Client::builder().servers(&server);
    let client = builder.on_event(|_| panic!("mine")).build().unwrap();
    client.set("key", "value", 0).unwrap();
    // Not even where it is told because of another.
    let panicking = AssertUnwindSafe(|| client.get_many_with(&["key"], |_, _| panic!("theirs")));
    catch_unwind(panicking).unwrap_err();
    client.set("key", "value", 0).unwrap();
    assert_eq!(client.metrics()[0].connections_open, 1);
}

/// No lock is held while an event is told: even what must not be done from there would not hang.
#[test]
fn no_lock_is_held_while_an_event_is_told() {
    use std::sync::{Arc, OnceLock};
    let server = Server::start().unwrap();
    let other = Server::start().unwrap();
    let slot: Arc<OnceLock<Client>> = Arc::default();
    let (client, told) = (Arc::clone(&slot), Arc::new(std::sync::Mutex::new(0)));
    let count = Arc::clone(&told);
    let on_event = move |_: &Event<'_>| {
        if let Some(client) = client.get() {
            assert!(!client.metrics().is_empty());
            *count.lock().unwrap() += 1;
        }
    };
    let builder = Client::builder().servers([&server, &other]);
    let builder = builder.on_event(on_event).max_idle_connections(1);
    let client = slot.get_or_init(|| builder.build().unwrap());
    assert!(client.ping().iter().all(|server| server.result.is_ok()));
    server.inject(Fault::Cut { after: 0 });
    let _ = client.incr("key", 1);
    client.set_servers(&other).unwrap();
    client.close();
    assert!(*told.lock().unwrap() >= 4);
}

/// Under all faults, in all threads: what was made is closed, once.
#[test]
fn as_many_are_closed_as_were_made() {
    for protocol in PROTOCOLS {
        let servers = [Server::start().unwrap(), Server::start().unwrap()];
        let builder = Client::builder().servers(&servers).protocol(protocol);
        let builder = builder.timeout(Duration::from_millis(100));
        let builder = builder.max_idle_connections(2).max_back_off(Duration::ZERO);
        let (client, heard) = Heard::of(builder);
        let faults = [
            Fault::Cut { after: 0 },
            Fault::Cut { after: 4 },
            Fault::Reset { after: 0 },
            Fault::Garbage(b"what?\r\n".to_vec()),
            Fault::Surplus(b"END\r\n".to_vec()),
            Fault::Misaddressed,
            Fault::Swallow,
            Fault::Refuse,
            Fault::TooManyConnections,
        ];
        let keys: Vec<String> = (0..50).map(|number| format!("key-{number}")).collect();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..50 {
                        // What comes of it, other tests say.
                        let _ = client.set(&keys[round], "value", 0);
                        let _ = client.get_many::<String, _>(&keys);
                        let _ = client.incr(&keys[round], 1);
                        let _ = client.ping();
                    }
                });
            }
            for round in 0..5 {
                for fault in &faults {
                    servers[round % 2].inject(fault.clone());
                    thread::yield_now();
                }
                client.close();
            }
        });
        servers.iter().for_each(Server::clear_faults);
        let metrics = client.metrics();
        let made: Vec<u64> = metrics.iter().map(|it| it.connections_made).collect();
        let open: Vec<u64> = metrics
            .iter()
            .map(|it| it.connections_open as u64)
            .collect();
        let idle: Vec<u64> = metrics
            .iter()
            .map(|it| it.connections_idle as u64)
            .collect();
        assert_eq!(open, idle, "{protocol}: nothing is in use");
        let names = client.servers();
        let balance = heard.balance();
        for (index, name) in names.iter().enumerate() {
            let (connected, closed) = balance[name];
            assert_eq!(connected, made[index], "{protocol}");
            assert_eq!(closed, made[index] - open[index], "{protocol}");
            assert!(made[index] > 1, "{protocol}: no fault came");
        }
        drop(client);
        for (connected, closed) in heard.balance().into_values() {
            assert_eq!(connected, closed, "{protocol}");
        }
    }
}
