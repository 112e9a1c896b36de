//! What becomes of calls for a server that fails, under each `FailurePolicy`, and how soon it is used
//! again. That its pauses double, and that it does not come and go with each answer, are the unit
//! tests of `src/conn/breaker.rs`.

use crate::support::needs_memcached;
use crate::support::{self, in_each_protocol};

use moecache::testing::{Fault, Server};
use moecache::{CasOutcome, Client, ClientBuilder, Event, FailurePolicy, Item, MetaGet, Protocol};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use support::{Hanging, Memcached, wait_until};

in_each_protocol! {
    a_server_that_is_stopped_and_comes_back
    many_calls_make_few_connections
    misses
    rehashes
}

fn two() -> ([Memcached; 2], ClientBuilder) {
    let servers = [(); 2].map(|()| Memcached::start());
    let builder = Client::builder().servers(servers.each_ref().map(Memcached::address));
    (servers, builder.timeout(Duration::from_secs(20)))
}

/// A key of each server.
fn key_of(client: &Client, server: &Memcached) -> String {
    key_at(client, &server.address().to_string())
}

fn key_at(client: &Client, server: &str) -> String {
    let mut keys = (0..100_000_u64).map(|number| {
        let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("{spread:x}")
    });
    let is_its = |key: &String| client.server_for(key).unwrap() == server;
    keys.find(is_its).expect("each server has some of so many")
}

#[test]
fn names() {
    for policy in [
        FailurePolicy::Error,
        FailurePolicy::Miss,
        FailurePolicy::Rehash,
    ] {
        assert_eq!(policy.to_string().parse::<FailurePolicy>().unwrap(), policy);
    }
    let error = "eject".parse::<FailurePolicy>().unwrap_err().to_string();
    assert!(error.contains("allowed are error, miss, rehash"), "{error}");
}

/// Refused three times, a server is left alone; and used again, at the latest a second after it is back.
fn a_server_that_is_stopped_and_comes_back(protocol: Protocol) {
    let (mut servers, builder) = two();
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&events);
    let note = move |event: &Event<'_>| {
        let event = match event {
            Event::Down { server, .. } => format!("down {server}"),
            Event::Up { server } => format!("up {server}"),
            _ => return,
        };
        seen.lock().unwrap().push(event);
    };
    let client = builder.protocol(protocol).on_event(note).build().unwrap();
    let (key, other) = (key_of(&client, &servers[0]), key_of(&client, &servers[1]));
    let name = servers[0].address().to_string();
    client.set(&other, 1, 0).unwrap();
    servers[0].stop();
    for _ in 0..3 {
        let error = client.get::<i32>(&key).unwrap_err();
        assert!(error.is_connect() && !error.is_down(), "{error:?}");
    }
    // In a pause, unless that is over already and this is the next probe.
    wait_until("it is left alone", || {
        let error = client.get::<i32>(&key).unwrap_err();
        assert!(error.is_connect() && error.is_retryable(), "{error:?}");
        assert_eq!(error.server(), Some(&*name));
        let text = format!("{error:#}");
        assert!(
            !error.is_down() || text.contains("cannot connect"),
            "{text}"
        );
        error.is_down()
    });
    // What is about servers is tried all the same.
    assert!(!client.version()[0].result.as_ref().unwrap_err().is_down());
    if protocol != Protocol::Binary {
        let failed: Vec<_> = client.keys().filter_map(Result::err).collect();
        assert!(failed.len() == 1 && !failed[0].is_down(), "{failed:?}");
    }
    assert_eq!(client.get::<i32>(&other).unwrap(), Some(1));
    assert_eq!(
        *events.lock().unwrap().first().unwrap(),
        format!("down {name}")
    );
    servers[0].restart();
    wait_until("it is used again", || client.set(&key, 2, 0).is_ok());
    assert_eq!(client.get::<i32>(&key).unwrap(), Some(2));
    assert_eq!(
        *events.lock().unwrap().last().unwrap(),
        format!("up {name}")
    );
}

/// Two calls wait for a silent server; those after them do not.
#[test]
fn a_server_that_is_silent() {
    needs_memcached!();
    let (servers, builder) = two();
    let patient = builder.build().unwrap();
    let client = patient.with_timeout(Duration::from_millis(500));
    let key = key_of(&client, &servers[0]);
    patient.set(&key, 1, 0).unwrap();
    servers[0].freeze();
    for _ in 0..2 {
        let error = client.set(&key, 2, 0).unwrap_err();
        assert!(error.is_timeout() && error.is_ambiguous(), "{error:?}");
    }
    let started = Instant::now();
    let mut waited = 0;
    for _ in 0..1000 {
        let error = client.get::<i32>(&key).unwrap_err();
        waited += u32::from(!error.is_down());
    }
    // With pauses of 10 ms, 20 ms, .. there is a probe now and then, never one for each call.
    assert!(
        waited < 100,
        "{waited} of 1000 calls waited, in {:?}",
        started.elapsed()
    );
    servers[0].thaw();
    // A ping tries it in any case.
    wait_until("it answers", || {
        let mut answers = client.ping().into_iter();
        answers.all(|server| server.result.is_ok())
    });
    wait_until("it is up", || client.get::<i32>(&key).is_ok());
}

/// However many threads ask, one at a time tries a server that is silent; the others do not connect.
fn many_calls_make_few_connections(protocol: Protocol) {
    const THREADS: usize = 8;
    // The kernel accepts, nobody reads.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let builder = Client::builder().servers(listener.local_addr().unwrap());
    let builder = builder.protocol(protocol);
    let client = builder.timeout(Duration::from_millis(100)).build().unwrap();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..1000 {
                    let error = client.get::<i32>("key").unwrap_err();
                    assert!(error.is_timeout() || error.is_down(), "{error:?}");
                }
            });
        }
    });
    listener.set_nonblocking(true).unwrap();
    let made = listener.incoming().take_while(Result::is_ok).count();
    // One for each thread at first; and with pauses of 10 ms, 20 ms, .. a probe now and then.
    assert!((1..100).contains(&made), "{made} connections");
}

/// A call with hardly any time says nothing about the server.
#[test]
fn impatient_calls() {
    needs_memcached!();
    let (servers, builder) = two();
    let client = builder.build().unwrap();
    let key = key_of(&client, &servers[0]);
    client.set(&key, 1, 0).unwrap();
    servers[0].freeze();
    let hasty = client.with_timeout(Duration::from_millis(5));
    for _ in 0..5 {
        assert!(hasty.get::<i32>(&key).unwrap_err().is_timeout());
    }
    servers[0].thaw();
    assert_eq!(client.get::<i32>(&key).unwrap(), Some(1));
}

/// But where all calls have as little, theirs is all there is to know.
#[test]
fn a_short_timeout() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::builder()
        .servers(silent.local_addr().unwrap())
        .timeout(Duration::from_millis(20))
        .build()
        .unwrap();
    wait_until("it is left alone", || {
        let error = client.get::<i32>("key").unwrap_err();
        assert!(error.is_timeout() || error.is_down(), "{error:?}");
        error.is_down()
    });
}

#[test]
fn without_pauses() {
    let (mut servers, builder) = two();
    let client = builder.max_back_off(Duration::ZERO).build().unwrap();
    let key = key_of(&client, &servers[0]);
    servers[0].stop();
    for _ in 0..10 {
        let error = client.get::<i32>(&key).unwrap_err();
        assert!(error.is_connect() && !error.is_down(), "{error:?}");
    }
}

/// All kinds of calls see an empty server, and each failure is told.
fn misses(protocol: Protocol) {
    let (mut servers, builder) = two();
    let missed = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&missed);
    let count = move |event: &Event<'_>| {
        if let Event::Missed { error, .. } = event {
            assert!(error.is_connect(), "{error:?}");
            *counter.lock().unwrap() += 1;
        }
    };
    let builder = builder.failure_policy(FailurePolicy::Miss).on_event(count);
    let client = builder.protocol(protocol).build().unwrap();
    let (key, other) = (key_of(&client, &servers[0]), key_of(&client, &servers[1]));
    client.set(&other, 1, 0).unwrap();
    servers[0].stop();

    assert_eq!(client.get::<i32>(&key).unwrap(), None);
    assert_eq!(client.get::<Item>(&key).unwrap(), None);
    assert!(!client.contains(&key).unwrap());
    assert_eq!(client.gets::<i32>(&key).unwrap(), None);
    assert_eq!(client.get_and_touch::<i32>(&key, 9).unwrap(), None);
    client.set(&key, 1, 0).unwrap();
    assert!(!client.add(&key, 1, 0).unwrap());
    assert!(!client.replace(&key, 1, 0).unwrap());
    assert!(!client.append(&key, "1").unwrap());
    assert!(!client.delete(&key).unwrap());
    assert!(!client.touch(&key, 9).unwrap());
    assert_eq!(client.incr(&key, 1).unwrap(), None);
    let outcome = client.compare_and_swap(&key, 1, 0, 1).unwrap();
    assert_eq!(outcome, CasOutcome::Missing);
    assert_eq!(*missed.lock().unwrap(), 13);

    let found = client.get_many::<i32, _>([&key, &other]).all().unwrap();
    assert_eq!(found.len(), 1);
    client.set_many([(&key, 1), (&other, 2)], 0).all().unwrap();
    let mut seen = 0;
    let both = [&key, &other];
    let failed = client.get_many_with(&both, |_, _| seen += 1);
    assert!(failed.is_empty() && seen == 1);
    let mut pipeline = client.pipeline();
    let (got, deleted) = (pipeline.get::<i32>(&key), pipeline.delete(&key));
    let mut replies = pipeline.run();
    assert_eq!(replies.take(got).unwrap(), None);
    assert!(!replies.take(deleted).unwrap());
    assert_eq!(*missed.lock().unwrap(), 18);

    // What cannot do without an answer, and mistakes of the caller.
    let update = client.update(&key, 0, |old: Option<i32>| old.unwrap_or_default() + 1);
    assert!(update.unwrap_err().is_connect());
    let count = client.incr_with_initial(&key, 1, 1, 0);
    assert!(count.unwrap_err().is_connect());
    assert!(client.version()[0].result.is_err());
    assert!(client.get::<i32>("not a key").unwrap_err().is_validation());
    assert_eq!(*missed.lock().unwrap(), 18);

    servers[0].restart();
    wait_until("it is used again", || {
        client.set(&key, 3, 0).unwrap();
        client.get::<i32>(&key).unwrap() == Some(3)
    });
}

/// The keys of a server that is down go to the others, and come back with it.
fn rehashes(protocol: Protocol) {
    let mut servers = [(); 3].map(|()| Memcached::start());
    let addresses = servers.each_ref().map(Memcached::address);
    let builder = Client::builder().servers(addresses).protocol(protocol);
    let builder = builder.failure_policy(FailurePolicy::Rehash);
    let client = builder.timeout(Duration::from_secs(20)).build().unwrap();
    // A server's share of the ring depends on its port, and can be small.
    let spread = |number: u64| format!("{:x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let keys: Vec<String> = (0..1000).map(spread).collect();
    client.set_many(keys.iter().zip(0..), 0).all().unwrap();
    let gone = addresses[1].to_string();
    let is_gone = |key: &&String| client.server_for(key).unwrap() == gone;
    let moved: Vec<&String> = keys.iter().filter(is_gone).collect();
    assert!(!moved.is_empty());
    servers[1].stop();
    // Those that find out fail.
    wait_until("it is known to be down", || {
        client.get::<i32>(moved[0]).is_ok()
    });
    // Each of them works now: one that is the probe goes on to the next server.
    for (number, key) in moved.iter().enumerate() {
        client.set(key, number, 0).unwrap();
        assert_eq!(client.get::<usize>(key).unwrap(), Some(number));
    }
    // And so does a call for many of them, and a pipeline.
    let is_probed_by = |what: &str, call: &dyn Fn()| {
        let refused = || client.metrics()[1].errors.connect;
        let before = refused();
        wait_until(what, || {
            call();
            refused() > before
        });
    };
    is_probed_by("a call for many keys is the probe", &|| {
        let numbered = moved.iter().zip(0_usize..);
        client.set_many(numbered, 0).all().unwrap();
    });
    is_probed_by("a call that reads them is the probe", &|| {
        let found = client.get_many::<usize, _>(&moved).all().unwrap();
        assert_eq!(found.len(), moved.len());
        let mut seen = 0;
        assert!(client.get_many_with(&moved, |_, _| seen += 1).is_empty());
        assert_eq!(seen, moved.len());
    });
    is_probed_by("a pipeline is the probe", &|| {
        let mut pipeline = client.pipeline();
        let pending: Vec<_> = moved.iter().map(|key| pipeline.get::<usize>(key)).collect();
        let mut replies = pipeline.run();
        for (number, pending) in pending.into_iter().enumerate() {
            assert_eq!(replies.take(pending).unwrap(), Some(number));
        }
    });
    if protocol == Protocol::Meta {
        is_probed_by("meta_get is the probe", &|| {
            let item = client.meta_get(moved[0], MetaGet::new().value()).unwrap();
            assert!(item.is_some());
        });
    }
    // They are where they belong in a list without it.
    let left = Client::new([addresses[0], addresses[2]]).unwrap();
    for (number, key) in moved.iter().enumerate() {
        assert_eq!(left.get::<usize>(key).unwrap(), Some(number), "{key}");
    }
    // And the others stayed.
    for (number, key) in (0..).zip(&keys).filter(|(_, key)| !is_gone(key)) {
        assert_eq!(client.get::<i32>(key).unwrap(), Some(number), "{key}");
    }
    let all = Client::new(addresses).unwrap();
    servers[1].restart();
    wait_until("it has its keys back", || {
        client.set(moved[0], 1000, 0).unwrap();
        all.get::<i32>(moved[0]).unwrap() == Some(1000)
    });
}

/// A call that spent its time on one server says nothing about the next, which gets what is left.
#[test]
fn the_next_server_is_not_blamed() {
    let (hanging, next) = (Hanging::start(), Server::start().unwrap());
    let down = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&down);
    let client = Client::builder()
        .servers([hanging.address(), next.address()])
        .failure_policy(FailurePolicy::Rehash)
        .timeout(Duration::from_millis(500))
        .on_event(move |event| {
            if let Event::Down { server, .. } = event {
                seen.lock().unwrap().push((*server).to_owned());
            }
        })
        .build()
        .unwrap();
    let hangs = hanging.address().to_string();
    let key = key_at(&client, &hangs);
    next.inject_always(Fault::Delay(Duration::from_millis(30)));
    for _ in 0..3 {
        assert!(client.get::<i32>(&key).unwrap_err().is_timeout());
    }
    assert_eq!(*down.lock().unwrap(), [&*hangs]);
    wait_until("a call for many keys tries it again", || {
        let _ = client.get_many::<i32, _>([&key]);
        client.metrics()[0].errors.connect == 4
    });
    assert_eq!(*down.lock().unwrap(), [hangs.clone(), hangs]);
}

/// With nobody left, calls fail as ever.
#[test]
fn nobody_is_left() {
    let (mut servers, builder) = two();
    let client = builder
        .failure_policy(FailurePolicy::Rehash)
        .build()
        .unwrap();
    let key = key_of(&client, &servers[0]);
    servers.iter_mut().for_each(Memcached::stop);
    for _ in 0..20 {
        assert!(client.get::<i32>(&key).unwrap_err().is_connect());
    }
    servers.iter_mut().for_each(Memcached::restart);
    wait_until("they are back", || client.set(&key, 1, 0).is_ok());
}
