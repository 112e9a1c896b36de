//! A server that is slow, silent or talkative costs the others nothing, and ends in time itself.

use super::support::scripted::{accept, answer, read_until, scripted};
use super::{GUARD, client, line_of};
use moecache::{Bytes, Client, Item, Protocol};
use std::collections::HashSet;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

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
        patient.get::<Item>(key).unwrap();
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
        client.get::<Item>(key).unwrap();
    }
    let long = vec![0; LENGTH];
    let one = std::iter::once((&keys[0], &long[..]));
    let many = std::iter::repeat_n((&keys[1], &b"x"[..]), STORES);
    let stored = client.set_many(one.chain(many).map(|(key, value)| (key, Bytes(value))), 0);
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
        read_until(&mut connection, b"lru_crawler metadump hash\r\n");
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
        let client = client(servers, Protocol::Text, Duration::from_millis(400));
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
