//! "A call that begins after an invalidation returned never gets what was made of data read before it",
//! whatever becomes of storing it, of the servers and of the list of servers.

use super::{LONG, client, query, store_stale, wait_until};
use crate::support::{Memcached, in_each_protocol, needs_memcached};
use moecache::cache::{Cache, Entry, raw};
use moecache::{Client, ItemRef, Protocol};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

in_each_protocol! {
    and Auto;
    a_value_that_was_not_stored_is_not_handed_on_after_an_invalidation
    a_server_without_memory
    cas_ids_that_repeat
    a_set_that_comes_late
    another_list_of_servers_and_back
    nothing_is_counted_as_an_error
}

/// What cannot be stored, and why.
struct Refusal {
    name: &'static str,
    server: fn() -> Memcached,
    client: fn(SocketAddr, Protocol) -> Client,
    padding: usize,
    /// The server is stopped before the value can be stored.
    goes_down: bool,
}

const REFUSALS: [Refusal; 4] = [
    Refusal {
        name: "too large for the server",
        server: Memcached::start,
        client,
        padding: 2 << 20,
        goes_down: false,
    },
    Refusal {
        name: "too large for the client",
        server: Memcached::start,
        client: |address, protocol| {
            let builder = Client::builder().servers(address).protocol(protocol);
            builder.max_value_size(1000).build().unwrap()
        },
        padding: 2000,
        goes_down: false,
    },
    Refusal {
        name: "no memory is left, and nothing is evicted",
        server: full,
        client,
        padding: 0,
        goes_down: false,
    },
    Refusal {
        name: "the server goes down",
        server: Memcached::start,
        client,
        padding: 0,
        goes_down: true,
    },
];

/// A memcached that answers `SERVER_ERROR out of memory` to whoever stores.
fn full() -> Memcached {
    let server = Memcached::with_args(&["-M", "-m", "2"]);
    let client = client(server.address(), Protocol::Text);
    // Of every size, for memcached always has a page for each.
    let mut size = 700_000;
    while size > 0 {
        let data = "x".repeat(size);
        let mut keys = (0_u32..).map(|number| format!("{size}.{number}"));
        loop {
            let items = keys.by_ref().take(100).map(|key| (key, (0, &*data)));
            if client
                .set_many(
                    items
                        .into_iter()
                        .map(|(key, (flags, data))| (key, ItemRef::new(flags, data))),
                    0,
                )
                .failed()
                .next()
                .is_some()
            {
                break;
            }
        }
        size = size * 7 / 8;
    }
    server
}

/// Threads that share a cache wait for each other without asking the servers. What one of them made and
/// could not store is not for those that began to ask after an invalidation.
fn a_value_that_was_not_stored_is_not_handed_on_after_an_invalidation(protocol: Protocol) {
    needs_memcached!();
    for refusal in &REFUSALS {
        let name = refusal.name;
        let mut server = (refusal.server)();
        let client = (refusal.client)(server.address(), protocol);
        let cache = Cache::new(client.clone()).max_wait(LONG);
        let source = AtomicU32::new(1);
        let read = || (source.load(Ordering::SeqCst), "x".repeat(refusal.padding));
        let asked = || client.metrics()[0].operations;
        let (reading, has_read) = mpsc::channel();
        let (go, gone_on) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let (cache, read) = (&cache, &read);
            let first = scope.spawn(move || {
                cache.get_or_set("key", || {
                    let value = read();
                    reading.send(()).unwrap();
                    gone_on.recv().unwrap();
                    value
                })
            });
            has_read.recv().unwrap();
            source.store(2, Ordering::SeqCst);
            assert!(cache.invalidate("key").unwrap(), "{protocol}: {name}");
            let before = asked();
            let second = scope.spawn(move || cache.get_or_set("key", read));
            wait_until("the second has looked", || asked() > before);
            // It waits for the first from now on; if not, it is right all the same.
            thread::sleep(Duration::from_millis(10));
            if refusal.goes_down {
                server.stop();
            }
            go.send(()).unwrap();
            assert_eq!(first.join().unwrap().unwrap().0, 1, "{protocol}: {name}");
            assert_eq!(second.join().unwrap().unwrap().0, 2, "{protocol}: {name}");
        });
    }
}

/// What cannot be stored is made and returned all the same.
fn a_server_without_memory(protocol: Protocol) {
    needs_memcached!();
    let server = full();
    let cache = Cache::new(client(server.address(), protocol));
    assert_eq!(cache.get_or_set("key", || 1).unwrap(), 1, "{protocol}");
    let entry = cache.entry("key").depends_on([1]);
    assert!(!entry.begin().unwrap().set(1).unwrap(), "{protocol}");
    assert_eq!(cache.query::<u8>("key").unwrap(), None, "{protocol}");
}

/// Two servers, and a cache whose entries of the key are on the first, and all generations on the second.
struct Apart {
    servers: [Memcached; 2],
    protocol: Protocol,
    prefix: String,
    key: String,
}

impl Apart {
    fn new(protocol: Protocol) -> Self {
        let servers = [Memcached::start(), Memcached::start()];
        let addresses = servers.each_ref().map(|it| it.address().to_string());
        let [first, second] = &addresses;
        let client = Client::new(addresses.clone()).unwrap();
        let found = (0..1000).find_map(|number| {
            let prefix = format!("p{number}.");
            let client = client.with_prefix(&prefix).unwrap();
            let is_on = |key: &str, server: &String| client.server_for(key).unwrap() == *server;
            if !is_on("cache|all", second) || !is_on("cache|ns|", second) {
                return None;
            }
            let mut keys = (0..50).map(|key| format!("key{key}"));
            let key = keys.find(|key| is_on(&format!("cache|e||r{key}"), first))?;
            Some((prefix, key))
        });
        let (prefix, key) = found.expect("some keys are placed so");
        Self {
            servers,
            protocol,
            prefix,
            key,
        }
    }

    /// As another process has it.
    fn cache(&self) -> Cache {
        let addresses = self.servers.each_ref().map(Memcached::address);
        let client = Client::builder().servers(addresses).protocol(self.protocol);
        let client = client.timeout(Duration::from_secs(20)).prefix(&self.prefix);
        Cache::new(client.build().unwrap())
    }
}

/// How an entry comes to be made; the closure reads what it is made of.
type Make = fn(&Cache, &str, &mut dyn FnMut() -> u32);

const MAKERS: [(&str, Make); 3] = [
    ("get_or_set", |cache, key, read| {
        cache.get_or_set(raw(key), read).unwrap();
    }),
    ("begin", |cache, key, read| {
        let slot = cache.entry(raw(key)).begin().unwrap();
        let _ = slot.set(read()).unwrap();
    }),
    ("stale_for", |cache, key, read| {
        let entry = cache.entry(raw(key)).lifetime(Duration::from_millis(1));
        entry.stale_for(LONG).set(0).unwrap();
        wait_until("its lifetime is over", || {
            cache.query::<u32>(raw(key)).unwrap().is_none()
        });
        let entry = cache.entry(raw(key)).stale_for(LONG);
        entry.get_or_set(read).unwrap();
    }),
];

/// memcached begins to count cas ids from the start when it is restarted: what a maker is to replace may
/// have the id of what another put there since.
fn cas_ids_that_repeat(protocol: Protocol) {
    for (name, make) in MAKERS {
        let mut apart = Apart::new(protocol);
        let (first, second) = (apart.cache(), apart.cache());
        let key = &apart.key.clone();
        let (done, is_done) = mpsc::channel::<()>();
        thread::scope(|scope| {
            // Whatever fails, nobody waits for it for ever.
            let done = done;
            let mut other = None;
            let second = &second;
            let mut is_done = Some(is_done);
            make(&first, key, &mut || {
                // It has read 1. Then the server of the entry is restarted, the data changes..
                apart.servers[0].restart();
                wait_until("it is invalidated", || second.invalidate(raw(key)).unwrap());
                // ..and another makes it of that.
                let (reading, has_read) = mpsc::channel();
                let is_done = is_done.take().unwrap();
                other = Some(scope.spawn(move || {
                    second.get_or_set(raw(key), || {
                        reading.send(()).unwrap();
                        let _ = is_done.recv();
                        2
                    })
                }));
                has_read.recv().unwrap();
                1
            });
            let seen = second.query::<u32>(raw(key)).unwrap();
            assert_eq!(seen, None, "{protocol}, {name}");
            done.send(()).unwrap();
            assert_eq!(other.unwrap().join().unwrap().unwrap(), 2);
            let seen = second.query::<u32>(raw(key)).unwrap();
            assert_eq!(seen, Some(2), "{protocol}, {name}");
        });
    }
}

/// A write that timed out waits in the network, or in the socket of a server that does nothing, and is
/// done later: also after an invalidation that was sent after it.
fn a_set_that_comes_late(protocol: Protocol) {
    for was_there in [false, true] {
        let server = Memcached::start();
        let other = Cache::new(client(server.address(), protocol));
        let way = Late::to(server.address());
        let client = client(way.address, protocol);
        Cache::new(client.clone()).set("another", "entry").unwrap();
        // Time enough to send it.
        let slow = Cache::new(client.with_timeout(Duration::from_secs(1)));
        if was_there {
            other.set("key", "before").unwrap();
        }
        slow.set("key", LATE).unwrap();
        assert!(other.invalidate("key").unwrap());
        assert_eq!(query(&other, "key"), None, "{protocol}");
        way.release.send(()).unwrap();
        way.is_over.recv().unwrap();
        assert_eq!(query(&other, "key"), None, "{protocol}, {was_there}");
    }
}

const LATE: &str = "a value that comes late";

/// A way to a server on which one request, with the value that comes late, waits until it is released.
struct Late {
    address: SocketAddr,
    release: mpsc::Sender<()>,
    is_over: mpsc::Receiver<()>,
}

impl Late {
    fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (release, is_released) = mpsc::channel::<()>();
        let (over, is_over) = mpsc::channel();
        thread::spawn(move || {
            let is_released = Arc::new(Mutex::new(is_released));
            for from in listener.incoming() {
                let (is_released, over) = (Arc::clone(&is_released), over.clone());
                thread::spawn(move || {
                    let (mut from, mut to) = (from?, TcpStream::connect(server)?);
                    let mut bytes = vec![0; 1 << 16];
                    loop {
                        let request = from.read(&mut bytes)?;
                        let request = &bytes[..request];
                        if request.is_empty() {
                            return io::Result::Ok(());
                        }
                        let is_late = request.windows(LATE.len()).any(|it| it == LATE.as_bytes());
                        if is_late && is_released.lock().unwrap().recv().is_err() {
                            return Ok(());
                        }
                        to.write_all(request)?;
                        // They come in one piece, as short as they are.
                        let reply = to.read(&mut bytes)?;
                        if is_late {
                            let _ = over.send(());
                        }
                        from.write_all(&bytes[..reply])?;
                    }
                });
            }
        });
        Self {
            address,
            release,
            is_over,
        }
    }
}

type Invalidate = fn(&Cache);

/// Whichever way it is invalidated while the list is another.
fn another_list_of_servers_and_back(protocol: Protocol) {
    const KEYS: u32 = 80;
    let invalidations: [(&str, Invalidate); 4] = [
        ("keys", |cache| {
            for key in 0..KEYS {
                assert!(cache.invalidate(key).unwrap());
            }
        }),
        ("dependencies", |cache| {
            for key in 0..KEYS {
                assert!(cache.invalidate_dependency(key).unwrap());
            }
        }),
        ("namespace", |cache| {
            assert!(cache.invalidate_namespace().unwrap());
        }),
        ("all", |cache| assert!(cache.invalidate_all().unwrap())),
    ];
    let servers = [(); 3].map(|()| Memcached::start());
    let [a, b, c] = servers.each_ref().map(Memcached::address);
    for (name, invalidate) in invalidations {
        for (list, other) in [
            (vec![a, b], vec![b]),
            (vec![a, b], vec![a, b, c]),
            (vec![a], vec![c]),
        ] {
            let new = || {
                let client = Client::builder().servers(&list[..]).protocol(protocol);
                client.timeout(Duration::from_secs(20)).build().unwrap()
            };
            // Two processes, and caches of one client.
            let clients = [new(), new()];
            let caches = clients.each_ref().map(|client| Cache::new(client.clone()));
            for key in 0..KEYS {
                caches[0].entry(key).depends_on([key]).set("old").unwrap();
            }
            for client in &clients {
                client.set_servers(&other[..]).unwrap();
            }
            invalidate(&caches[0]);
            for client in &clients {
                client.set_servers(&list[..]).unwrap();
            }
            let later = clients.each_ref().map(|client| Cache::new(client.clone()));
            // The other process first: it did not invalidate anything itself.
            for cache in [&caches[1], &later[1], &caches[0], &later[0]] {
                let served = |key: &u32| cache.query::<String>(*key).unwrap().is_some();
                let stale = (0..KEYS).filter(served).count();
                assert_eq!(stale, 0, "{protocol}, {name}: of {KEYS}");
            }
            // And it is a cache again.
            caches[0].set("new", "value").unwrap();
            for cache in caches.iter().chain(&later) {
                assert_eq!(query(cache, "new").as_deref(), Some("value"));
            }
        }
    }
}

/// A list that is not another keeps what is there.
#[test]
fn the_same_list_of_servers() {
    let servers = [Memcached::start(), Memcached::start()];
    let list = servers.each_ref().map(Memcached::address);
    let client = Client::new(list).unwrap();
    let cache = Cache::new(client.clone());
    cache.set("key", "value").unwrap();
    client.set_servers(list).unwrap();
    assert_eq!(query(&cache, "key").as_deref(), Some("value"));
    // After a change, once.
    client.set_servers(list[1]).unwrap();
    assert_eq!(query(&cache, "key"), None);
    client.set_servers(list).unwrap();
    cache.set("key", "value").unwrap();
    for _ in 0..3 {
        client.set_servers(list).unwrap();
        assert_eq!(query(&cache, "key").as_deref(), Some("value"));
        let another = Cache::new(client.clone());
        assert_eq!(query(&another, "key").as_deref(), Some("value"));
    }
}

/// As long as the new list cannot be reached, nothing that is in it is believed.
#[test]
fn another_list_whose_servers_are_down() {
    needs_memcached!();
    let mut servers = [Memcached::start(), Memcached::start()];
    let [a, b] = servers.each_ref().map(Memcached::address);
    let client = client(a, Protocol::Text);
    let cache = Cache::new(client.clone());
    cache.set("key", "old").unwrap();
    client.set_servers(b).unwrap();
    assert!(cache.invalidate("key").unwrap());
    servers[0].freeze();
    client.set_servers(a).unwrap();
    let cache = Cache::new(client.with_timeout(Duration::from_millis(50)));
    assert_eq!(query(&cache, "key"), None);
    assert_eq!(cache.get_or_set("key", || 1).unwrap(), 1);
    servers[0].thaw();
    wait_until("it is used", || {
        assert_ne!(query(&cache, "key").as_deref(), Some("old"));
        cache.set("other", "value").unwrap();
        query(&cache, "other").is_some()
    });
    servers[1].stop();
}

/// Over 30 days memcached takes a number for a point in time.
#[test]
fn lifetimes_of_any_length() {
    const DAY: Duration = Duration::from_secs(86_400);
    super::everywhere(|caches| {
        for days in [1, 29, 30, 31, 40, 400, 3000] {
            let long = days * DAY;
            let cache = caches();
            let entry = || cache.entry("key").depends_on([1]).lifetime(long);
            entry().set("value").unwrap();
            assert_eq!(query(&cache, "key").as_deref(), Some("value"), "{days}");
            assert!(cache.invalidate("key").unwrap());
            let made = entry().get_or_set(|| "made".to_owned());
            assert_eq!(made.unwrap(), "made");
            assert_eq!(query(&cache, "key").as_deref(), Some("made"), "{days}");

            // What may be stale for so long is made anew..
            let entry = cache.entry("key").lifetime(Duration::from_millis(1));
            entry.stale_for(long).set("old").unwrap();
            wait_until("its lifetime is over", || query(&cache, "key").is_none());
            let entry = cache.entry("key").stale_for(long);
            let renewed = entry.get_or_set(|| "new".to_owned());
            assert_eq!(renewed.unwrap(), "new", "{days}");
            assert_eq!(query(&cache, "key").as_deref(), Some("new"), "{days}");
            // ..and so is what has less left than that.
            let entry = cache.entry("key").recache_early(long);
            let early = entry.get_or_set(|| "newer".to_owned());
            assert_eq!(early.unwrap(), "newer", "{days}");

            let (leased, other) = (caches().lease(long), caches());
            assert!(cache.invalidate("key").unwrap());
            let slot = leased.entry("key").begin().unwrap();
            assert!(slot.set("leased").unwrap(), "{days}");
            assert_eq!(query(&other, "key").as_deref(), Some("leased"), "{days}");
        }
    });
}

type Spoil = fn(Entry<'_>) -> Entry<'_>;

/// Nothing is made, and nothing asked for, if it could not be stored anyway.
#[test]
fn arguments_are_judged_before_anything_is_made() {
    super::everywhere(|caches| {
        let cache = caches();
        let rows: [(&str, Spoil); 6] = [
            ("lifetime", |entry| entry.lifetime(Duration::ZERO)),
            ("lifetime", |entry| entry.lifetime(Duration::MAX)),
            ("lifetime", |entry| entry.stale_for(Duration::MAX)),
            ("lifetime", |entry| {
                entry.lifetime(Duration::from_secs(20 * 365 * 86_400))
            }),
            ("up to 1000", |entry| entry.depends_on(0..1001)),
            ("up to 1000", |entry| {
                entry.depends_on(0..600).depends_on(500..1001)
            }),
        ];
        for state in ["nothing", "a value", "a stale value"] {
            for (expected, spoil) in rows {
                match state {
                    "nothing" => assert!(cache.invalidate("key").unwrap()),
                    "a value" => cache.set("key", "value").unwrap(),
                    _ => store_stale(&cache, "key", "value"),
                }
                let entry = || spoil(cache.entry("key").stale_for(LONG));
                let never = || -> String { panic!("{state}: {expected}") };
                let errors = [
                    entry().get_or_set(never).unwrap_err(),
                    entry().begin().unwrap_err(),
                    entry().set("value").unwrap_err(),
                ];
                for error in errors {
                    assert!(error.is_validation(), "{state}: {error}");
                    assert!(error.to_string().contains(expected), "{state}: {error}");
                }
            }
        }
        let cache = cache.lease(Duration::MAX);
        let error = cache.get_or_set("key", super::never::<u8>).unwrap_err();
        assert!(error.to_string().contains("lease"), "{error}");
    });
}

/// What a cache asks and is told on servers that are well is no error.
fn nothing_is_counted_as_an_error(protocol: Protocol) {
    let server = Memcached::start();
    let client = client(server.address(), protocol);
    let cache = Cache::new(client.clone()).in_namespace("ns").unwrap();
    let cache = cache.stale_for(LONG);
    for key in ["a", "b"] {
        let entry = || cache.entry(key).depends_on([1]);
        assert_eq!(entry().get_or_set(|| 1).unwrap(), 1);
        assert_eq!(entry().query::<u8>().unwrap(), Some(1));
        drop(entry().begin().unwrap());
        assert!(entry().begin().unwrap().set(2).unwrap());
        assert!(cache.invalidate(key).unwrap());
        drop(entry().begin().unwrap());
        assert!(entry().begin().unwrap().set(2).unwrap());
        assert!(cache.invalidate_dependency(1).unwrap());
        assert_eq!(entry().get_or_set(|| 3).unwrap(), 3);
        store_stale(&cache, key, "old");
        assert_eq!(entry().get_or_set(|| 4).unwrap(), 4);
        assert!(cache.invalidate_namespace().unwrap());
        assert!(cache.invalidate_all().unwrap());
        assert_eq!(entry().get_or_set(|| 5).unwrap(), 5);
    }
    let metrics = &client.metrics()[0];
    assert_eq!(metrics.errors.total(), 0, "{protocol}: {metrics:?}");
    assert!(metrics.operations > 50, "{protocol}: {metrics:?}");
}
