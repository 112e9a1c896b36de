//! How a connection is made: resolution, all addresses, and the time for it.

use super::super::breaker::BackOff;
use super::super::connect::Place;
use super::super::exchange::Batch;
use super::super::handler::ReplyHandler;
use super::super::resolve::{LookUp, Resolver};
use super::super::version::Protocol;
use super::*;
use crate::address::Server;
use crate::error::Error;
use crate::event::Hook;
use crate::protocol::{Bounds, Reply, Request};
use socket2::{Domain, Socket, Type};
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const LONG: Duration = Duration::from_secs(20);
const LONGEST_IDLE: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

/// Where nobody listens: the servers of these tests are on 127.0.0.1.
const REFUSING: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// Where a test may listen, and not accept.
const SILENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// A server that answers `version`, again and again, on each of so many connections.
fn server(connections: usize) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().take(connections) {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                while stream.read_exact(&mut [0; "version\r\n".len()]).is_ok() {
                    stream.write_all(b"VERSION 1\r\n").unwrap();
                }
            });
        }
        // Others are taken by the kernel, and not answered.
        loop {
            thread::park();
        }
    });
    port
}

fn pool(port: u16, connect_timeout: Option<Duration>, look_up: LookUp) -> Arc<Pool> {
    let address = Server::from(("name.invalid", port)).address().unwrap();
    let options = Options {
        protocol: Protocol::Text,
        credentials: None,
        tls: None,
        nodelay: true,
        connect_timeout,
        bounds: Bounds {
            value: 1,
            line: 1 << 10,
            queues: false,
        },
        max_keys: 1,
        max_connections: 2,
        max_idle: 2,
        idle_timeout: LONGEST_IDLE,
        back_off: BackOff {
            longest: Duration::ZERO,
            steady: Duration::ZERO,
            shortest_wait: Duration::ZERO,
        },
        hook: Hook::default(),
    };
    let mut pool = Pool::new(&address, None, options.into()).unwrap();
    pool.endpoint.place = Place::Tcp(Resolver::new("name.invalid", port, look_up));
    Arc::new(pool)
}

/// Asks for the version; fails if that takes far longer than `timeout`.
fn ask(pool: &Arc<Pool>, timeout: Duration) -> Result<(), Error> {
    let started = Instant::now();
    let mut outcome = Outcome::default();
    let deadline = Deadline::after(timeout, started);
    pool.exchange(Batch::of(&Request::Version), &mut outcome, deadline);
    assert!(started.elapsed() < LONG / 2, "{:?}", started.elapsed());
    outcome.0.expect("the handler is told")
}

/// What came of one request.
#[derive(Default)]
struct Outcome(Option<Result<(), Error>>);

impl ReplyHandler for Outcome {
    fn reply(&mut self, _: usize, reply: Result<Reply<'_>, Error>) {
        self.0 = Some(reply.map(drop));
    }
}

#[test]
fn all_addresses_are_tried_in_turn() {
    let pool = pool(server(1), None, |_, port| {
        Ok([REFUSING, Ipv4Addr::LOCALHOST]
            .map(|ip| SocketAddr::from((ip, port)))
            .to_vec())
    });
    ask(&pool, LONG).unwrap();
}

/// Listens where nobody accepts: after one or two the kernel takes no more connections, and answers
/// nothing. It does so while these live.
fn hangs(silent: SocketAddr) -> (Socket, Vec<TcpStream>) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&silent.into()).unwrap();
    listener.listen(0).unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&silent, SHORT) {
        waiting.push(stream);
    }
    (listener, waiting)
}

#[test]
fn the_addresses_share_the_time() {
    let port = server(1);
    let silent = SocketAddr::from((SILENT, port));
    let _hangs = hangs(silent);
    let pool = pool(port, None, |_, port| {
        Ok([SILENT, Ipv4Addr::LOCALHOST]
            .map(|ip| SocketAddr::from((ip, port)))
            .to_vec())
    });
    ask(&pool, Duration::from_secs(2)).unwrap();

    let address = Server::from(silent).address().unwrap();
    let alone = Arc::new(Pool::new(&address, None, Arc::clone(&pool.options)).unwrap());
    let error = ask(&alone, SHORT).unwrap_err();
    assert!(error.is_connect() && error.is_timeout(), "{error:?}");
}

/// However many there are, the call takes no longer than it may.
#[test]
fn many_silent_addresses_take_no_longer_than_one() {
    /// With its whole time for each address, the call would take over a minute.
    const COUNT: u8 = 40;
    let silent = SocketAddr::from((SILENT, server(0)));
    let _hangs = hangs(silent);
    let pool = pool(silent.port(), None, |_, port| {
        Ok(vec![SocketAddr::from((SILENT, port)); COUNT.into()])
    });
    let error = ask(&pool, Duration::from_secs(2)).unwrap_err();
    assert!(error.is_connect() && error.is_timeout(), "{error:?}");
    assert!(error.to_string().contains("within 2s"), "{error}");
}

#[test]
fn a_name_is_looked_up_for_each_connection() {
    static LOOKUPS: AtomicUsize = AtomicUsize::new(0);
    let pool = pool(server(2), None, |_, port| {
        let first = LOOKUPS.fetch_add(1, Ordering::Relaxed) == 0;
        let ip = if first { REFUSING } else { Ipv4Addr::LOCALHOST };
        Ok(vec![SocketAddr::from((ip, port))])
    });
    assert!(ask(&pool, LONG).unwrap_err().is_connect());
    ask(&pool, LONG).unwrap();
    pool.close();
    ask(&pool, LONG).unwrap();
    assert_eq!(LOOKUPS.load(Ordering::Relaxed), 3);
}

#[test]
fn a_lookup_that_hangs_is_waited_for_until_the_deadline_and_not_repeated() {
    static LOOKUPS: AtomicUsize = AtomicUsize::new(0);
    let pool = pool(1, None, |_, _| {
        LOOKUPS.fetch_add(1, Ordering::Relaxed);
        loop {
            thread::park();
        }
    });
    for _ in 0..3 {
        let error = ask(&pool, SHORT).unwrap_err();
        assert!(error.is_connect() && error.is_timeout(), "{error:?}");
        assert!(
            error.to_string().contains("cannot connect within 50ms"),
            "{error}"
        );
    }
    assert_eq!(LOOKUPS.load(Ordering::Relaxed), 1);
}

#[test]
fn a_failed_lookup_says_why() {
    let failing = pool(1, None, |_, _| Err(io::Error::other("no such host")));
    let error = ask(&failing, LONG).unwrap_err();
    assert!(error.is_connect() && !error.is_timeout(), "{error:?}");
    assert!(
        format!("{error:#}").ends_with("cannot be resolved: no such host"),
        "{error:#}"
    );
    let empty = pool(1, None, |_, _| Ok(Vec::new()));
    assert!(ask(&empty, LONG).unwrap_err().is_connect());
}

#[test]
fn a_longer_connect_timeout_is_added_to_the_timeout() {
    let slow: LookUp = |_, port| {
        thread::sleep(20 * SHORT);
        Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))])
    };
    // Enough for the exchange on any machine, and not for the look-up.
    ask(&pool(server(1), Some(LONG), slow), 10 * SHORT).unwrap();
    let error = ask(&pool(server(1), None, slow), 10 * SHORT).unwrap_err();
    assert!(error.is_connect() && error.is_timeout(), "{error:?}");
    let error = ask(&pool(server(1), Some(SHORT), slow), LONG).unwrap_err();
    assert!(
        error.to_string().contains("cannot connect within 50ms"),
        "{error}"
    );
}

#[test]
fn no_time_is_no_time_to_connect_either() {
    let hanging: LookUp = |_, _| loop {
        thread::park();
    };
    let error = ask(&pool(1, Some(LONG), hanging), Duration::ZERO).unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
}

#[test]
fn what_idles_for_long_is_closed() {
    let pool = pool(server(1), None, |_, port| {
        Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))])
    });
    ask(&pool, LONG).unwrap();
    let lease = pool.idle(Instant::now()).unwrap();
    let last_used = lease.last_used();
    pool.put(lease);
    pool.put(pool.idle(last_used + LONGEST_IDLE).unwrap());
    assert!(pool.idle(last_used + LONGEST_IDLE + SHORT).is_none());
    assert_eq!(pool.connections().open, 0);
}

/// Its time is what is left, and it idles from then on.
#[test]
fn a_connection_that_was_waited_for_is_used_from_then_on() {
    let pool = pool(server(2), None, |_, port| {
        Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))])
    });
    let mut deadline = Deadline::after(LONG, Instant::now());
    let opening = Opening {
        purpose: Purpose::Request,
        bypasses_breaker: false,
        was_turned_away: false,
    };
    let leases = [(); 2].map(|()| pool.open(&mut deadline, opening).unwrap().0);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| ask(&pool, LONG));
        while pool.connections().waiting == 0 {
            thread::yield_now();
        }
        let [one, other] = leases;
        let freed = Instant::now();
        pool.put(one);
        waiting.join().unwrap().unwrap();
        let idle = pool.idle(Instant::now()).unwrap();
        assert!(idle.last_used() >= freed);
        pool.put(other);
    });
}
