//! What one server, or one request, does to the others of the same call.

mod support;

use moecache::{Client, IntoServers, Protocol};
use std::collections::HashSet;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use support::Memcached;
use support::scripted::{accept, answer, read_until, scripted};

/// What never takes so long, unless something hangs.
const GUARD: Duration = Duration::from_secs(20);

/// Tells servers that the test has seen what it waits for.
#[derive(Clone, Default)]
struct Seen(Arc<AtomicBool>);

impl Seen {
    fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

fn pause(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}

fn client(servers: impl IntoServers, protocol: Protocol, timeout: Duration) -> Client {
    let client = Client::builder().servers(servers).protocol(protocol);
    client.timeout(timeout).build().unwrap()
}

/// A key of each server.
fn keys_of(client: &Client, servers: &[SocketAddr]) -> Vec<String> {
    let key_of = |server: &SocketAddr| {
        let is_there = |key: &String| client.server_for(key).unwrap() == server.to_string();
        let keys = (0..).map(|number| format!("key-{number}"));
        keys.into_iter().find(is_there).unwrap()
    };
    servers.iter().map(key_of).collect()
}

/// The key that the line of a `get` asks for.
fn key_in(line: &[u8]) -> String {
    String::from_utf8_lossy(&line[4..line.len() - 2]).into_owned()
}

/// A server that has every key, until nobody asks any more.
fn with_everything() -> SocketAddr {
    let (address, _) = scripted(|listener| {
        let mut connection = accept(listener);
        while let Some(line) = line_of(&mut connection) {
            let reply = format!("VALUE {} 0 1\r\nx\r\nEND\r\n", key_in(&line));
            connection.write_all(reply.as_bytes()).unwrap();
        }
    });
    address
}

/// The next line; `None` at the end.
fn line_of(connection: &mut TcpStream) -> Option<Vec<u8>> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while !line.ends_with(b"\r\n") {
        connection.read_exact(&mut byte).ok()?;
        line.push(byte[0]);
    }
    Some(line)
}

/// A server that has nothing at first. To the second request it says `begin`, with the key, and then
/// `more` again and again, until the test has seen enough.
fn talkative(
    seen: &Seen,
    begin: fn(&str) -> String,
    more: impl Fn(&mut TcpStream) -> io::Result<()> + Send + 'static,
) -> SocketAddr {
    let seen = seen.clone();
    let (address, _) = scripted(move |listener| {
        let mut connection = accept(listener);
        connection.set_nodelay(true).unwrap();
        answer(&mut connection, b"END\r\n");
        let key = key_in(&read_until(&mut connection, b"\r\n"));
        connection.write_all(begin(&key).as_bytes()).unwrap();
        while !seen.is_set() && more(&mut connection).is_ok() {}
    });
    address
}

/// A server that has nothing at first, and then says nothing more.
fn frozen(seen: &Seen) -> SocketAddr {
    let silence = |_: &mut TcpStream| {
        pause(1);
        Ok(())
    };
    talkative(seen, |_| String::new(), silence)
}

/// The keys of the `good` servers come while the `bad` ones still do what they do, and only then end
/// their connections.
fn harms_nobody(bad: &[SocketAddr], good: &[SocketAddr], seen: &Seen, timeout: Duration) {
    let servers = [bad, good].concat();
    let client = client(servers.clone(), Protocol::Text, timeout);
    let keys = keys_of(&client, &servers);
    // There are connections to all.
    let patient = client.with_timeout(GUARD);
    for key in &keys {
        patient.get_item(key).unwrap();
    }
    let mut found = HashSet::new();
    let failed = client.get_many_with(&keys, |index, _| {
        found.insert(index);
        if found.len() == good.len() {
            seen.set();
        }
    });
    seen.set();
    assert!(found.into_iter().all(|index| index >= bad.len()));
    let failed_keys = failed.iter().map(|(key, _)| *key);
    assert!(failed_keys.eq(&keys[..bad.len()]), "{failed:?}");
    for (key, error) in &failed {
        assert!(error.is_io() && !error.is_timeout(), "{key}: {error:?}");
    }
}

#[test]
fn a_server_that_drips_or_floods_harms_no_others() {
    type Begin = fn(&str) -> String;
    let line: Begin = |_| "VALUE ".to_owned();
    let value: Begin = |key| format!("VALUE {key} 0 1000000000\r\n");
    let rows: [(&str, Begin, usize, u64); 5] = [
        ("a line in drops", line, 1, 8),
        ("a value in drops", value, 1, 1),
        ("a value in slow drops", value, 1, 8),
        ("a value in small pieces", value, 1_000, 1),
        ("a value at full speed", value, 100_000, 0),
    ];
    for (row, begin, length, between) in rows {
        eprintln!("{row}");
        let seen = Seen::default();
        let bad = talkative(&seen, begin, move |connection| {
            connection.write_all(&vec![b'x'; length])?;
            if between > 0 {
                pause(between);
            }
            Ok(())
        });
        let good = [with_everything(), with_everything()];
        harms_nobody(&[bad], &good, &seen, GUARD);
    }
}

/// So many that one short wait for each of them would be too long.
#[test]
fn many_servers_that_are_silent_harm_no_others() {
    let seen = Seen::default();
    let bad: Vec<_> = (0..120).map(|_| frozen(&seen)).collect();
    harms_nobody(&bad, &[with_everything()], &seen, Duration::from_secs(2));
}

#[test]
fn a_server_that_was_restarted_is_not_held_up_by_one_that_is_silent() {
    let seen = Seen::default();
    let (restarted, _) = scripted(|listener| {
        let mut connection = accept(listener);
        answer(&mut connection, b"END\r\n");
        read_until(&mut connection, b"\r\n");
        drop(connection);
        let mut connection = accept(listener);
        let key = key_in(&read_until(&mut connection, b"\r\n"));
        let reply = format!("VALUE {key} 0 1\r\nx\r\nEND\r\n");
        connection.write_all(reply.as_bytes()).unwrap();
        line_of(&mut connection);
    });
    harms_nobody(&[frozen(&seen)], &[restarted], &seen, GUARD);
}

#[test]
fn a_server_that_reads_slowly_holds_up_no_stores_of_others() {
    // Seconds for the slow one.
    const LENGTH: usize = 200 << 20;
    // More than are ever sent before the first replies are read.
    const STORES: usize = 5_000;
    let seen = Seen::default();
    let (tell, read) = mpsc::channel();
    let (slow, _) = scripted({
        let seen = seen.clone();
        move |listener| {
            let mut connection = accept(listener);
            answer(&mut connection, b"END\r\n");
            let (mut all, mut buffer) = (0, vec![0; 256 << 10]);
            while !seen.is_set() {
                all += connection.read(&mut buffer).unwrap();
                pause(5);
            }
            tell.send(all).unwrap();
        }
    });
    let (good, storing) = scripted({
        let seen = seen.clone();
        move |listener| {
            let mut connection = accept(listener);
            answer(&mut connection, b"END\r\n");
            for _ in 0..STORES {
                read_until(&mut connection, b"\r\nx\r\n");
                connection.write_all(b"STORED\r\n").unwrap();
            }
            seen.set();
        }
    });
    let client = client([slow, good], Protocol::Text, GUARD);
    let keys = keys_of(&client, &[slow, good]);
    for key in &keys {
        client.get_item(key).unwrap();
    }
    let long = vec![0; LENGTH];
    let one = std::iter::once((&keys[0], &long[..]));
    let many = std::iter::repeat_n((&keys[1], &b"x"[..]), STORES);
    let stored = client.set_many_bytes(one.chain(many), 0);
    seen.set();
    for (key, result) in stored {
        match result {
            Ok(()) => assert_eq!(*key, keys[1]),
            Err(error) => {
                assert_eq!(*key, keys[0], "{error:?}");
                assert!(!error.is_timeout() && error.is_ambiguous(), "{error:?}");
            }
        }
    }
    storing.join().unwrap();
    let read = read.recv_timeout(GUARD).unwrap();
    assert!(read < LENGTH, "{read}");
}

/// The timeout is that of each wait for more keys.
#[test]
fn a_list_of_keys_may_take_longer_than_the_timeout() {
    let (address, server) = scripted(|listener| {
        let mut connection = accept(listener);
        read_until(&mut connection, b"lru_crawler metadump all\r\n");
        for number in 0..15 {
            let line = format!("key=k{number} exp=-1 la=1 cas=1 fetch=no cls=1 size=60\n");
            connection.write_all(line.as_bytes()).unwrap();
            pause(100);
        }
        connection.write_all(b"END\r\n").unwrap();
    });
    let client = client(address, Protocol::Text, Duration::from_secs(1));
    let keys: Vec<_> = client.keys().map(|key| key.unwrap().key).collect();
    let expected = (0..15).map(|number| format!("k{number}").into_bytes());
    assert!(keys.into_iter().eq(expected));
    server.join().unwrap();
}

/// Reads a little now and then, to the end, and gives how much there was.
fn read_slowly(mut connection: impl io::Read) -> usize {
    let (mut all, mut buffer) = (0, vec![0; 36 << 10]);
    loop {
        match connection.read(&mut buffer) {
            Ok(length) if length > 0 => all += length,
            _ => return all,
        }
        pause(12);
    }
}

/// The timeout ends a store of which the server takes a piece now and then: not all of it was sent.
#[test]
fn a_store_to_a_slow_reader_ends_in_time() {
    let data = vec![0; 16 << 20];
    let check = |servers: &str, read: mpsc::Receiver<usize>| {
        let client = client(servers, Protocol::Text, Duration::from_millis(100));
        let error = client.set_bytes("key", &data, 0).unwrap_err();
        assert!(error.is_timeout() && error.is_ambiguous(), "{error:?}");
        let read = read.recv_timeout(GUARD).unwrap();
        assert!(read < data.len(), "{read}");
    };

    let (tell, read) = mpsc::channel();
    let (address, _) = scripted(move |listener| tell.send(read_slowly(accept(listener))).unwrap());
    check(&address.to_string(), read);

    let path = std::env::temp_dir().join(format!("moecache-batches-{}", std::process::id()));
    let listener = UnixListener::bind(&path).unwrap();
    let (tell, read) = mpsc::channel();
    thread::spawn(move || {
        let connection = listener.accept().unwrap().0;
        tell.send(read_slowly(connection)).unwrap();
    });
    check(path.to_str().unwrap(), read);
    std::fs::remove_file(&path).unwrap();
}

/// In a window of quiet stores an error does not say whose it is. The window is repeated, but before
/// anything that comes after it.
#[test]
fn a_refused_store_does_not_bring_back_what_was_deleted_after_it() {
    let server = Memcached::start();
    let client = client(server.address(), Protocol::Meta, GUARD);
    let large = vec![b'x'; 2 << 20];
    let mut pipeline = client.pipeline();
    let stored = pipeline.set_item("key", (0, "value"), 0);
    let refused = pipeline.set_item("large", (0, &large), 0);
    let deleted = pipeline.delete("key");
    let mut replies = pipeline.run();
    replies.take(stored).unwrap();
    let error = replies.take(refused).unwrap_err();
    assert!(error.is_server(), "{error:?}");
    assert!(replies.take(deleted).unwrap());
    assert_eq!(client.get_item("key").unwrap(), None);
}

#[test]
fn a_refused_store_does_not_bring_back_an_older_value() {
    let server = Memcached::start();
    let client = client(server.address(), Protocol::Meta, GUARD);
    let large = vec![b'x'; 2 << 20];
    let fillers: Vec<_> = (0..600).map(|number| format!("filler-{number}")).collect();
    let mut items = vec![("key", (0, &b"old"[..])), ("large", (0, &large[..]))];
    items.extend(fillers.iter().map(|key| (key.as_str(), (0, &b"v"[..]))));
    items.push(("key", (0, b"new")));
    let stored = client.set_many_items(items, 0);
    let failed: Vec<_> = stored.failed().collect();
    assert!(
        matches!(failed[..], [(&"large", error)] if error.is_server()),
        "{failed:?}"
    );
    let item = client.get_item("key").unwrap().unwrap();
    assert_eq!(item.data, b"new");
}

/// An error says that one was refused, and not which; then the connection ends.
#[test]
fn stores_of_a_window_that_was_cut_after_an_error_are_ambiguous() {
    let (address, server) = scripted(|listener| {
        let mut connection = accept(listener);
        read_until(&mut connection, b"mn\r\n");
        connection
            .write_all(b"SERVER_ERROR out of memory storing object\r\nHD O2\r\n")
            .unwrap();
    });
    let client = client(address, Protocol::Meta, GUARD);
    let items = ["a", "b", "c", "d"].map(|key| (key, (0, "1")));
    for (key, result) in client.set_many_items(items, 0) {
        let error = result.unwrap_err();
        assert!(error.is_io() && error.is_ambiguous(), "{key}: {error:?}");
    }
    server.join().unwrap();
}

/// The first attempt may have stored the value, whatever became of the second.
#[test]
fn a_store_that_was_turned_away_when_it_was_repeated_is_ambiguous() {
    let (address, server) = scripted(|listener| {
        let mut connection = accept(listener);
        answer(&mut connection, b"END\r\n");
        read_until(&mut connection, b"value\r\n");
        drop(connection);
        let mut connection = accept(listener);
        let turned_away = b"ERROR Too many open connections\r\n";
        connection.write_all(turned_away).unwrap();
    });
    let client = client(address, Protocol::Text, GUARD);
    assert_eq!(client.get_item("key").unwrap(), None);
    let error = client.set("key", "value", 0).unwrap_err();
    assert!(error.is_ambiguous() && !error.is_retryable(), "{error:?}");
    server.join().unwrap();
}

#[test]
fn what_comes_after_the_version_is_no_reply() {
    let (address, server) = scripted(|listener| {
        let mut connection = accept(listener);
        answer(&mut connection, b"VERSION 1.4.0\r\nSTORED\r\n");
        assert_eq!(line_of(&mut connection), None);
    });
    let client = client(address, Protocol::Auto, GUARD);
    let error = client.set("key", "value", 0).unwrap_err();
    assert!(error.is_protocol(), "{error:?}");
    server.join().unwrap();
}

/// A server that was too busy to say its version is asked again on the next connection.
#[test]
fn a_version_that_was_not_told_is_asked_for_again() {
    let (closed, is_closed) = mpsc::channel();
    let (address, server) = scripted(move |listener| {
        let mut connection = accept(listener);
        assert_eq!(read_until(&mut connection, b"\r\n"), b"version\r\n");
        connection.write_all(b"SERVER_ERROR busy\r\n").unwrap();
        assert_eq!(read_until(&mut connection, b"\r\n"), b"get key\r\n");
        connection.write_all(b"END\r\n").unwrap();
        drop(connection);
        closed.send(()).unwrap();
        let mut connection = accept(listener);
        assert_eq!(read_until(&mut connection, b"\r\n"), b"version\r\n");
        connection.write_all(b"VERSION 1.6.18\r\n").unwrap();
        let line = read_until(&mut connection, b"\r\n");
        assert!(line.starts_with(b"mg key "), "{}", line.escape_ascii());
        connection.write_all(b"EN O0\r\n").unwrap();
    });
    let client = client(address, Protocol::Auto, GUARD);
    assert_eq!(client.get_item("key").unwrap(), None);
    is_closed.recv_timeout(GUARD).unwrap();
    assert_eq!(client.get_item("key").unwrap(), None);
    server.join().unwrap();
}

/// As some proxies send them.
#[test]
fn values_of_a_line_in_another_order() {
    let (address, server) = scripted(|listener| {
        let reply = b"VALUE b 0 1\r\nB\r\nVALUE a 0 1\r\nA\r\nEND\r\n";
        answer(&mut accept(listener), reply);
    });
    let client = client(address, Protocol::Text, GUARD);
    let items = client.get_each_item(["a", "none", "b"]).all().unwrap();
    let data = items.into_iter().map(|item| item.map(|item| item.data));
    let expected = [Some(b"A".to_vec()), None, Some(b"B".to_vec())];
    assert!(data.eq(expected));
    server.join().unwrap();
}

/// Text has no command that counts from an initial value, and in no time nothing can be sent: both show
/// before the connection is used, and it stays.
#[test]
fn what_is_never_sent_costs_no_connection() {
    let (address, server) = scripted(|listener| {
        let mut connection = accept(listener);
        while let Some(line) = line_of(&mut connection) {
            let is_get = line.starts_with(b"get ");
            let reply: &[u8] = if is_get { b"END\r\n" } else { b"7\r\n" };
            connection.write_all(reply).unwrap();
        }
        // Nobody else has come.
        listener.set_nonblocking(true).unwrap();
        let nobody = listener.accept().map(|(_, address)| address);
        assert_eq!(nobody.unwrap_err().kind(), io::ErrorKind::WouldBlock);
    });
    let client = client(address, Protocol::Text, GUARD);
    let hasty = client.with_timeout(Duration::ZERO);
    for _ in 0..20 {
        assert_eq!(client.incr_with_initial("key", 1, 1, 0).unwrap(), 7);
        assert!(hasty.get_item("key").unwrap_err().is_timeout());
        assert_eq!(client.get_item("key").unwrap(), None);
    }
    drop((client, hasty));
    server.join().unwrap();
}
