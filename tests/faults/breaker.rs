//! The circuit breaker: what counts against a server, and what does not. That it opens and closes as time
//! passes, the unit tests of `src/conn/breaker.rs` show.
//!
//! | seen | test |
//! |---|---|
//! | connects that fail | `connects_that_fail_three_times` |
//! | a silent timeout | `the_first_slow_reply_fails_no_other_call`, `a_dead_server_costs_two_timeouts`, `pooled_connections_gone_dark` |
//! | a timeout while bytes came | `a_slow_key_takes_no_server_from_others_..` (both), `slow_transfers_say_nothing` |
//! | time in the caller's code | `slow_code_of_the_caller_says_nothing` |
//! | the machine's own limits | `descriptors` |
//! | too many connections | `a_server_at_its_connection_limit` (both), `turned_away_by_a_server_of_others` |
//! | closed before the reply | `commands_on_which_a_server_closes`, `twemproxy_closes_on_gat`, `a_server_that_closes_every_connection` |
//! | protocol and server errors | `errors_are_answers` |
//! | a refused login | `refused_logins` (both) |
//! | any answer | `an_answer_that_was_under_way_closes_it` |

use crate::support;
use crate::support::needs_memcached;

use moecache::{Client, ClientBuilder, Event, FailurePolicy, Protocol};
use serde::{Serialize, Serializer};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use support::behind::Proxy;
use support::passwords::{PASSWORD, USER, with_password_file};
use support::{Hanging, Memcached, reserve, wait_until};

const PROTOCOLS: [Protocol; 4] = [
    Protocol::Text,
    Protocol::Meta,
    Protocol::Binary,
    Protocol::Auto,
];

/// How long a call has that runs out of time, one that does so beside calls that are answered in that time,
/// and one that does not.
const SHORT: Duration = Duration::from_millis(300);
const AMPLE: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(60);

/// A client, and how its server went down and came back.
struct Watched {
    client: Client,
    changes: Arc<Mutex<Vec<&'static str>>>,
}

impl Watched {
    fn of(builder: ClientBuilder) -> Self {
        let changes: Arc<Mutex<Vec<&str>>> = Arc::default();
        let seen = Arc::clone(&changes);
        let builder = builder.on_event(move |event| {
            seen.lock().unwrap().push(match event {
                Event::Down { .. } => "down",
                Event::Up { .. } => "up",
                _ => return,
            });
        });
        let client = builder.build().unwrap();
        Self { client, changes }
    }

    fn to(address: SocketAddr, timeout: Duration) -> Self {
        Self::of(Client::builder().servers(address).timeout(timeout))
    }

    fn changes(&self) -> Vec<&'static str> {
        self.changes.lock().unwrap().clone()
    }

    #[track_caller]
    fn was_never_down(&self) {
        assert_eq!(self.changes(), [""; 0]);
    }
}

/// What is done with a line: the connection, its number from 0, and the line. `false` ends it.
type Deed = dyn Fn(&mut TcpStream, usize, &str) -> bool + Send + Sync;

/// A server of lines.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    fn start(deed: impl Fn(&mut TcpStream, usize, &str) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, deed): (_, Arc<Deed>) = (listener.local_addr().unwrap(), Arc::new(deed));
        let connections: Arc<AtomicUsize> = Arc::default();
        let count = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (number, deed) = (count.fetch_add(1, Ordering::SeqCst), Arc::clone(&deed));
                thread::spawn(move || serve(stream, number, &*deed));
            }
        });
        Self {
            address,
            connections,
        }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: TcpStream, number: usize, deed: &Deed) {
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
        if !deed(&mut stream, number, line.trim_end()) {
            return;
        }
        line.clear();
    }
}

/// The client may be gone.
fn says(stream: &mut TcpStream, words: &str) -> bool {
    stream.write_all(words.as_bytes()).is_ok()
}

fn answers(stream: &mut TcpStream, line: &str) -> bool {
    let is_version = line == "version";
    says(
        stream,
        if is_version {
            "VERSION 1\r\n"
        } else {
            "END\r\n"
        },
    )
}

fn hangs() -> bool {
    thread::sleep(LONG);
    false
}

#[test]
fn connects_that_fail_three_times() {
    let reserved = reserve().unwrap();
    let refusing = reserved.local_addr().unwrap().as_socket().unwrap();
    let hanging = Hanging::start();
    for (address, timeout) in [(refusing, LONG), (hanging.address(), SHORT)] {
        let builder = Client::builder().servers(address).timeout(timeout);
        let watched = Watched::of(builder.max_back_off(LONG));
        for expected in [&[][..], &[], &["down"]] {
            let error = watched.client.get::<String>("key").unwrap_err();
            assert!(error.is_connect() && !error.is_down(), "{error:?}");
            assert_eq!(watched.changes(), expected);
        }
        wait_until("calls fail at once", || {
            watched.client.get::<String>("key").unwrap_err().is_down()
        });
    }
}

#[test]
fn the_first_slow_reply_fails_no_other_call() {
    // The first reply on each connection but every third is slow.
    let server = Server::start(|stream, number, line| match number % 3 {
        2 => answers(stream, line),
        _ if line == "get slow" => hangs(),
        _ => answers(stream, line),
    });
    let watched = Watched::to(server.address, LONG);
    let hurried = watched.client.with_timeout(SHORT);
    for _ in 0..4 {
        assert_eq!(watched.client.get::<String>("key").unwrap(), None);
        if let Err(error) = hurried.get::<String>("slow") {
            assert!(error.is_timeout() && !error.is_down(), "{error:?}");
        }
    }
    watched.was_never_down();
}

/// In whichever protocol, and however many connections idle.
#[test]
fn a_dead_server_costs_two_timeouts() {
    needs_memcached!();
    thread::scope(|scope| {
        for protocol in PROTOCOLS {
            scope.spawn(move || {
                let server = Memcached::start();
                let builder = Client::builder().servers(server.address());
                let builder = builder.protocol(protocol).timeout(LONG);
                let watched = Watched::of(builder.max_back_off(2 * LONG));
                pool_of(&watched.client, 15);
                server.freeze();
                let client = watched.client.with_timeout(SHORT);
                for expected in [&[][..], &["down"]] {
                    let error = client.get::<String>("key").unwrap_err();
                    assert!(error.is_timeout() && !error.is_down(), "{error:?}");
                    assert_eq!(watched.changes(), expected, "{protocol}");
                }
                // Until a back-off of 5 to 10 ms is over.
                let error = client.get::<String>("key").unwrap_err();
                assert!(error.is_down() || error.is_timeout(), "{error:?}");
                server.thaw();
                wait_until("it is used again", || client.get::<String>("key").is_ok());
            });
        }
    });
}

/// Has so many connections idle.
fn pool_of(client: &Client, connections: usize) {
    let all = Barrier::new(connections);
    wait_until("there are as many", || {
        thread::scope(|scope| {
            for _ in 0..connections {
                scope.spawn(|| {
                    all.wait();
                    for _ in 0..20 {
                        client.get::<String>("key").unwrap();
                    }
                });
            }
        });
        client.metrics()[0].connections_idle >= connections.min(5)
    });
}

/// As when a firewall has forgotten them, or the server has moved.
#[test]
fn pooled_connections_gone_dark() {
    let is_dark = Arc::new(AtomicBool::new(false));
    let (dark, old) = (Arc::clone(&is_dark), Arc::new(AtomicUsize::new(0)));
    let all = Barrier::new(15); // So that each call has a connection of its own.
    let olds = Arc::clone(&old);
    let server = Server::start(move |stream, number, line| {
        let is_dark = dark.load(Ordering::SeqCst);
        if !is_dark {
            olds.fetch_max(number, Ordering::SeqCst);
            all.wait();
        } else if number <= olds.load(Ordering::SeqCst) {
            return hangs();
        }
        answers(stream, line)
    });
    let watched = Watched::to(server.address, LONG);
    thread::scope(|scope| {
        for _ in 0..15 {
            scope.spawn(|| watched.client.get::<String>("key").unwrap());
        }
    });
    assert!(watched.client.metrics()[0].connections_idle >= 10);
    is_dark.store(true, Ordering::SeqCst);
    let client = watched.client.with_timeout(AMPLE);
    // All at the same time, as well.
    let failed = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                if let Err(error) = client.get::<String>("key") {
                    assert!(error.is_timeout() && !error.is_down(), "{error:?}");
                    failed.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert!((1..=5).contains(&failed.load(Ordering::SeqCst)));
    for _ in 0..20 {
        assert_eq!(watched.client.get::<String>("key").unwrap(), None);
    }
    watched.was_never_down();
}

/// A key behind a proxy whose backend hangs, beside one that is answered.
fn a_slow_key_takes_no_server_from_others(policy: FailurePolicy) {
    let slow = |stream: &mut TcpStream, _: usize, line: &str| match line {
        "get slow" => hangs(),
        _ => answers(stream, line),
    };
    let (server, other) = (Server::start(slow), Memcached::start());
    let servers = [server.address, other.address()];
    let builder = Client::builder().servers(servers).failure_policy(policy);
    // All keys belong to the first.
    let builder = builder.locator(|_| Ok(Box::new(First)));
    let watched = Watched::of(builder.timeout(AMPLE));
    let (client, is_over) = (&watched.client, AtomicBool::new(false));
    thread::scope(|scope| {
        let slow: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..3 {
                        let error = client.get::<String>("slow").unwrap_err();
                        assert!(error.is_timeout() && !error.is_down(), "{error:?}");
                    }
                })
            })
            .collect();
        let fast = scope.spawn(|| {
            let patient = client.with_timeout(LONG);
            while !is_over.load(Ordering::Relaxed) {
                assert_eq!(patient.get::<String>("fast").unwrap(), None);
            }
        });
        let slow: Vec<bool> = slow.into_iter().map(|it| it.join().is_ok()).collect();
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(slow, [true; 8]);
        fast.join().unwrap();
    });
    watched.was_never_down();
    assert_eq!(client.metrics()[1].operations, 0, "no key moved");
}

#[test]
fn a_slow_key_takes_no_server_from_others_with_errors() {
    a_slow_key_takes_no_server_from_others(FailurePolicy::Error);
}

#[test]
fn a_slow_key_takes_no_server_from_others_with_rehashing() {
    a_slow_key_takes_no_server_from_others(FailurePolicy::Rehash);
}

#[derive(Debug)]
struct First;

impl moecache::Locator for First {
    fn locate(&self, _: &[u8]) -> usize {
        0
    }
}

#[test]
fn slow_transfers_say_nothing() {
    let server = Server::start(|stream, _, line| {
        if line == "version" {
            return answers(stream, line);
        }
        // A value, byte by byte, which takes far longer than a call has.
        says(stream, "VALUE key 0 100000\r\n");
        while says(stream, "x") {
            thread::sleep(Duration::from_millis(5));
        }
        false
    });
    let watched = Watched::to(server.address, AMPLE);
    for _ in 0..3 {
        let error = watched.client.get::<String>("key").unwrap_err();
        assert!(error.is_timeout() && !error.is_down(), "{error:?}");
    }
    watched.was_never_down();
}

/// A value that takes long to encode.
struct Slow;

impl Serialize for Slow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        thread::sleep(2 * SHORT);
        serializer.serialize_u32(1)
    }
}

#[test]
fn slow_code_of_the_caller_says_nothing() {
    // Whether these fail by the clock, is another matter.
    let calls: [fn(&Client, &[String]); 4] = [
        |client, _| drop(client.set("key", &Slow, 0)),
        |client, _| drop(client.set_many([("a", Slow), ("b", Slow)], 0)),
        |client, keys| {
            let mut is_first = true;
            let _ = client.get_many_with(keys, |_, _| {
                if std::mem::take(&mut is_first) {
                    thread::sleep(2 * SHORT);
                }
            });
        },
        |client, _| {
            let mut listed = client.keys();
            for _ in 0..3 {
                let _ = listed.next();
                thread::sleep(SHORT + SHORT / 2);
            }
        },
    ];
    let servers = [Memcached::start(), Memcached::start()];
    let addresses = servers.each_ref().map(Memcached::address);
    let keys: Vec<String> = (0..2000).map(|number| format!("key-{number}")).collect();
    let long = "x".repeat(1000);
    let client = Client::builder().servers(addresses).timeout(LONG);
    let stored = client.build().unwrap();
    let stored = stored.set_many(keys.iter().map(|key| (key, &long)), 0);
    stored.all().unwrap();
    thread::scope(|scope| {
        for call in calls {
            let keys = &keys;
            scope.spawn(move || {
                let watched = Watched::of(Client::builder().servers(addresses).timeout(SHORT));
                for _ in 0..3 {
                    call(&watched.client, keys);
                }
                let patient = watched.client.with_timeout(LONG);
                assert_eq!(patient.get::<String>("other").unwrap(), None);
                watched.was_never_down();
            });
        }
    });
}

/// More threads than the server takes connections go on over those that there are. Where the server tells
/// those that it does not take, no call fails; where it is silent, calls run out of time now and then.
fn serves_at_its_connection_limit(args: &[&str], is_told: bool) {
    const CALLS: usize = 6000;
    let server = Memcached::with_args(args);
    let watched = Watched::of(Client::builder().servers(server.address()).timeout(LONG));
    let client = if is_told {
        watched.client.clone()
    } else {
        watched.client.with_timeout(AMPLE)
    };
    let (start, failed, done) = (Barrier::new(60), AtomicUsize::new(0), AtomicUsize::new(0));
    let changes = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..60 {
            scope.spawn(|| {
                start.wait();
                while done.load(Ordering::SeqCst) < CALLS {
                    match client.get::<String>("key") {
                        // Later there may be no other call whose answer shows that the server is there.
                        Ok(_) if done.fetch_add(1, Ordering::SeqCst) + 1 == CALLS => {
                            *changes.lock().unwrap() = Some(watched.changes());
                        }
                        Ok(_) => {}
                        Err(error) => {
                            failed.fetch_add(1, Ordering::SeqCst);
                            assert!(error.is_timeout() && !error.is_down(), "{error:?}");
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    println!("{args:?}: {failed} calls failed beside {CALLS}");
    assert!(!is_told || failed == 0, "{failed} failed");
    assert_eq!(changes.into_inner().unwrap(), Some(Vec::new()));
}

#[test]
fn a_server_at_its_connection_limit_that_says_so() {
    serves_at_its_connection_limit(&["-c", "40"], true);
}

/// It takes no more, and those that it has not taken wait in the kernel's queue.
#[test]
fn a_server_at_its_connection_limit_that_is_silent() {
    needs_memcached!();
    serves_at_its_connection_limit(&["-c", "64", "-o", "no_maxconns_fast"], false);
}

/// There is none of one's own to wait for.
#[test]
fn turned_away_by_a_server_of_others() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::SeqCst);
            thread::spawn(move || {
                // What is unread would reset the connection, and the words with it.
                let _ = stream.read(&mut [0; 100]);
                says(&mut stream, "ERROR Too many open connections\r\n")
            });
        }
    });
    for protocol in PROTOCOLS {
        let builder = Client::builder().servers(address).protocol(protocol);
        let watched = Watched::of(builder.max_back_off(LONG).timeout(LONG));
        for expected in [&[][..], &[], &["down"]] {
            let error = watched.client.get::<String>("key").unwrap_err();
            assert!(error.is_connect() && !error.is_down(), "{error:?}");
            assert_eq!(watched.changes(), expected, "{protocol}");
        }
        // Nor among many that find out at the same time.
        let watched = Watched::to(address, LONG);
        let started = connections.load(Ordering::SeqCst);
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    let error = watched.client.get::<String>("key").unwrap_err();
                    assert!(error.is_connect(), "{error:?}");
                });
            }
        });
        let made = connections.load(Ordering::SeqCst) - started;
        assert!(made <= 60, "{made}");
    }
}

#[test]
fn commands_on_which_a_server_closes() {
    let server = Server::start(|stream, _, line| !line.starts_with("gat") && answers(stream, line));
    let watched = Watched::to(server.address, LONG);
    let client = &watched.client;
    for round in 0..20 {
        let error = client.get_and_touch::<String>("key", 60).unwrap_err();
        assert!(error.is_io() && !error.is_connect(), "{error:?}");
        if round > 10 {
            assert_eq!(client.get::<String>("key").unwrap(), None);
        }
    }
    watched.was_never_down();
}

#[test]
fn twemproxy_closes_on_gat() {
    let Some(behind) = Proxy::Nutcracker.start() else {
        return;
    };
    let watched = Watched::to(behind.address(), LONG);
    let client = &watched.client;
    client.set("key", "value", 0).unwrap();
    for _ in 0..10 {
        let error = client.get_and_touch::<String>("key", 60).unwrap_err();
        assert!(error.is_io() && !error.is_connect(), "{error:?}");
    }
    assert_eq!(
        client.get::<String>("key").unwrap().as_deref(),
        Some("value")
    );
    watched.was_never_down();
}

/// A tunnel whose other end is gone. It counts at the third time, once `version` has no answer either; and
/// when the other end is back, so is the server.
#[test]
fn a_server_that_closes_every_connection() {
    let (is_back, probes) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let (back, count) = (Arc::clone(&is_back), Arc::clone(&probes));
    let server = Server::start(move |stream, _, line| {
        count.fetch_add(usize::from(line == "version"), Ordering::SeqCst);
        back.load(Ordering::SeqCst) && answers(stream, line)
    });
    let watched = Watched::to(server.address, LONG);
    for (expected, probed) in [(&[][..], 0), (&[], 0), (&["down"], 1)] {
        let error = watched.client.get::<String>("key").unwrap_err();
        assert!(error.is_io() && !error.is_down(), "{error:?}");
        assert_eq!(watched.changes(), expected);
        assert_eq!(probes.load(Ordering::SeqCst), probed);
    }
    wait_until("calls fail at once", || {
        watched.client.get::<String>("key").unwrap_err().is_down()
    });
    is_back.store(true, Ordering::SeqCst);
    let since = Instant::now();
    wait_until("it is used", || watched.client.get::<String>("key").is_ok());
    println!("used again after {:?}", since.elapsed());
    assert_eq!(watched.changes().last(), Some(&"up"));
}

/// The server answers, even if it is not what it should.
#[test]
fn errors_are_answers() {
    for words in [
        "SERVER_ERROR busy\r\n",
        "ERROR\r\n",
        "what?\r\n",
        "VALUE other 0 1\r\n1\r\nEND\r\n",
    ] {
        let server = Server::start(move |stream, _, _| says(stream, words));
        let watched = Watched::to(server.address, LONG);
        for _ in 0..10 {
            let error = watched.client.get::<String>("key").unwrap_err();
            assert!(error.is_server() || error.is_protocol(), "{error:?}");
        }
        watched.was_never_down();
    }
}

fn with_password(server: &Memcached, password: &str) -> ClientBuilder {
    let builder = Client::builder().servers(server.address()).timeout(LONG);
    builder.credentials(USER, password)
}

/// However often it is called: one after the other, and by threads at the same time.
#[test]
fn refused_logins_make_no_storm() {
    needs_memcached!();
    let (server, _folder) = with_password_file(&[]);
    let total = || {
        let client = with_password(&server, PASSWORD).build().unwrap();
        let stats = client.stats().unwrap().remove(0).result.unwrap();
        stats
            .get("total_connections")
            .unwrap()
            .parse::<usize>()
            .unwrap()
    };
    let watched =
        Watched::of(with_password(&server, "wrong").failure_policy(FailurePolicy::Rehash));
    let before = total();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let error = watched.client.get::<String>("key").unwrap_err();
                    assert!(error.is_authentication() && !error.is_down(), "{error:?}");
                    let text = format!("{error:#}");
                    assert!(
                        text.contains("refused the user name and the password"),
                        "{text}"
                    );
                }
            });
        }
    });
    // One each at first, and the counter's own; then one after a second, two, and so on.
    let made = total() - before;
    assert!(made <= 8 + 1 + 5, "{made}");
    watched.was_never_down();
}

/// A server that was away and refuses the password when it is back is no more away.
#[test]
fn refused_logins_end_what_was_known_before() {
    needs_memcached!();
    let (mut server, _folder) = with_password_file(&[]);
    let watched = Watched::of(with_password(&server, "wrong"));
    server.stop();
    let connect = || watched.client.get::<String>("key").unwrap_err();
    wait_until("it is down", || connect().is_down());
    server.restart();
    wait_until("it refuses", || connect().is_authentication());
    // While it starts, it may be probed in vain.
    let mut changes = watched.changes();
    assert_eq!(changes.pop(), Some("up"));
    assert!(!changes.is_empty() && changes.iter().all(|change| *change == "down"));
    let text = format!("{:#}", connect());
    assert!(
        text.contains("refused") && !text.contains("connect"),
        "{text}"
    );
}

#[test]
fn an_answer_that_was_under_way_closes_it() {
    let goes_on = Arc::new(AtomicBool::new(false));
    let wait = Arc::clone(&goes_on);
    let server = Server::start(move |stream, _, line| {
        match line {
            "get later" => wait_until("it goes on", || wait.load(Ordering::SeqCst)),
            "get never" => return hangs(),
            _ => {}
        }
        answers(stream, line)
    });
    let builder = Client::builder().servers(server.address).timeout(LONG);
    let watched = Watched::of(builder.max_back_off(4 * LONG));
    let client = &watched.client;
    thread::scope(|scope| {
        let later = scope.spawn(|| client.get::<String>("later"));
        wait_until("it is asked", || server.connections() == 1);
        let short = client.with_timeout(SHORT);
        for _ in 0..2 {
            assert!(short.get::<String>("never").unwrap_err().is_timeout());
        }
        assert_eq!(watched.changes(), ["down"]);
        goes_on.store(true, Ordering::SeqCst);
        assert_eq!(later.join().unwrap().unwrap(), None);
        assert_eq!(watched.changes(), ["down", "up"]);
        assert_eq!(client.get::<String>("key").unwrap(), None);
    });
}
