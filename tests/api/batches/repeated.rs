//! What is repeated, when, and what becomes of it; and replies that are not what they seem.

use super::support::Memcached;
use super::support::scripted::{accept, answer, read_until, scripted};
use super::{GUARD, client, line_of};
use moecache::{Error, Item, ItemRef, Pipeline, Protocol};
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

/// In a window of quiet stores an error does not say whose it is. The window is repeated, but before
/// anything that comes after it.
#[test]
fn a_refused_store_does_not_bring_back_what_was_deleted_after_it() {
    let server = Memcached::start();
    let client = client(server.address(), Protocol::Meta, GUARD);
    let large = vec![b'x'; 2 << 20];
    let mut pipeline = client.pipeline();
    let stored = pipeline.set("key", ItemRef::new(0, "value"), 0);
    let refused = pipeline.set("large", ItemRef::new(0, &large), 0);
    let deleted = pipeline.delete("key");
    let mut replies = pipeline.run();
    replies.take(stored).unwrap();
    let error = replies.take(refused).unwrap_err();
    assert!(error.is_server(), "{error:?}");
    assert!(replies.take(deleted).unwrap());
    assert_eq!(client.get::<Item>("key").unwrap(), None);
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
    let stored = client.set_many(
        items
            .into_iter()
            .map(|(key, (flags, data))| (key, ItemRef::new(flags, data))),
        0,
    );
    let failed: Vec<_> = stored.failed().collect();
    assert!(
        matches!(failed[..], [(&"large", error)] if error.is_server()),
        "{failed:?}"
    );
    let item = client.get::<Item>("key").unwrap().unwrap();
    assert_eq!(item.data, b"new");
}

/// An error says that one was refused, and not which; then the connection ends.
#[test]
fn stores_of_a_window_that_was_cut_after_an_error_are_ambiguous() {
    let (address, server) = scripted(|listener| {
        let mut connection = accept(listener);
        read_until(&mut connection, b"mn\r\n");
        let error = b"SERVER_ERROR out of memory storing object\r\n";
        connection.write_all(error).unwrap();
    });
    let client = client(address, Protocol::Meta, GUARD);
    let items = ["a", "b", "c", "d"].map(|key| (key, (0, "1")));
    for (key, result) in client.set_many(
        items
            .into_iter()
            .map(|(key, (flags, data))| (key, ItemRef::new(flags, data))),
        0,
    ) {
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
    assert_eq!(client.get::<Item>("key").unwrap(), None);
    let error = client.set("key", "value", 0).unwrap_err();
    assert!(error.is_ambiguous() && !error.is_retryable(), "{error:?}");
    server.join().unwrap();
}

/// Where more comes than the answers to what a connection was asked, it is not used.
#[test]
fn what_comes_after_the_answers_is_no_reply() {
    let (address, server) = scripted(|listener| {
        let mut connection = accept(listener);
        read_until(&mut connection, b"mn\r\n");
        let answers = b"VERSION 1.4.0\r\nERROR\r\nSTORED\r\n";
        connection.write_all(answers).unwrap();
        assert_eq!(line_of(&mut connection), None);
        let mut connection = accept(listener);
        read_until(&mut connection, b"value\r\n");
        connection.write_all(b"SERVER_ERROR full\r\n").unwrap();
    });
    let client = client(address, Protocol::Auto, GUARD);
    let error = client.set("key", "value", 0).unwrap_err();
    assert!(error.is_server(), "{error:?}");
    server.join().unwrap();
}

/// A server that was too busy to say its version is asked again on the next connection.
#[test]
fn a_version_that_was_not_told_is_asked_for_again() {
    let (closed, is_closed) = mpsc::channel();
    let (address, server) = scripted(move |listener| {
        let mut connection = accept(listener);
        assert_eq!(read_until(&mut connection, b"mn\r\n"), b"version\r\nmn\r\n");
        connection
            .write_all(b"SERVER_ERROR busy\r\nMN\r\n")
            .unwrap();
        assert_eq!(read_until(&mut connection, b"\r\n"), b"get key\r\n");
        connection.write_all(b"END\r\n").unwrap();
        drop(connection);
        closed.send(()).unwrap();
        let mut connection = accept(listener);
        assert_eq!(read_until(&mut connection, b"mn\r\n"), b"version\r\nmn\r\n");
        connection.write_all(b"VERSION 1.6.18\r\nMN\r\n").unwrap();
        let line = read_until(&mut connection, b"\r\n");
        assert!(line.starts_with(b"mg key "), "{}", line.escape_ascii());
        let opaque = line.rsplit(|&byte| byte == b' ').next().unwrap();
        let reply = [b"EN ", opaque].concat();
        connection.write_all(&reply).unwrap();
    });
    let client = client(address, Protocol::Auto, GUARD);
    assert_eq!(client.get::<Item>("key").unwrap(), None);
    is_closed.recv_timeout(GUARD).unwrap();
    assert_eq!(client.get::<Item>("key").unwrap(), None);
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
    let items = client
        .get_each::<Item, _>(["a", "none", "b"])
        .all()
        .unwrap();
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
        assert!(hasty.get::<Item>("key").unwrap_err().is_timeout());
        assert_eq!(client.get::<Item>("key").unwrap(), None);
    }
    drop((client, hasty));
    server.join().unwrap();
}

/// A server that has `job`, and carries out what it is asked. After the first call, the next command that
/// is no get is the last on its connection, and nobody is told what came of it: so does a proxy that is
/// restarted. Gives what it was asked after that.
fn restarted_proxy() -> (SocketAddr, mpsc::Receiver<String>) {
    let (tell, asked) = mpsc::channel();
    let (address, _) = scripted(move |listener| {
        let mut job = Some(b"the only copy".to_vec());
        let (mut calls, mut is_silent) = (0, false);
        loop {
            let mut connection = accept(listener);
            while let Some(line) = line_of(&mut connection) {
                let line = String::from_utf8(line).unwrap();
                let words: Vec<&str> = line.split_whitespace().collect();
                calls += 1;
                if calls > 1 && tell.send(line.clone()).is_err() {
                    return;
                }
                is_silent |= calls == 2;
                let is_there = job.is_some();
                let value = job.clone().unwrap_or_default();
                let hit = |line: String| [line.as_bytes(), &value, b"\r\n"].concat();
                let reply = match words[0] {
                    "get" | "gets" | "gat" if is_there => {
                        let cas = if words[0] == "gets" { " 1" } else { "" };
                        let head = format!("VALUE job 0 {}{cas}\r\n", value.len());
                        [hit(head), b"END\r\n".to_vec()].concat()
                    }
                    "get" | "gets" | "gat" => b"END\r\n".to_vec(),
                    "mg" if is_there => {
                        let cas = if words.contains(&"c") { " c1" } else { "" };
                        let opaque = words[words.len() - 1];
                        hit(format!("VA {} f0{cas} {opaque}\r\n", value.len()))
                    }
                    "mg" => format!("EN {}\r\n", words[words.len() - 1]).into(),
                    "set" | "ms" => {
                        let length = if words[0] == "set" {
                            words[4]
                        } else {
                            words[2]
                        };
                        let mut data = vec![0; length.parse::<usize>().unwrap() + 2];
                        connection.read_exact(&mut data).unwrap();
                        data.truncate(data.len() - 2);
                        job = Some(data);
                        match words[0] {
                            "set" => b"STORED\r\n".to_vec(),
                            _ => format!("HD {}\r\n", words[words.len() - 1]).into(),
                        }
                    }
                    "delete" | "md" => {
                        let was_there = job.take().is_some();
                        match (words[0], was_there) {
                            ("delete", true) => b"DELETED\r\n".to_vec(),
                            ("delete", false) => b"NOT_FOUND\r\n".to_vec(),
                            (_, true) => format!("HD {}\r\n", words[words.len() - 1]).into(),
                            _ => format!("NF {}\r\n", words[words.len() - 1]).into(),
                        }
                    }
                    _ => panic!("{line}"),
                };
                if !is_silent {
                    connection.write_all(&reply).unwrap();
                } else if !["get", "gets", "gat", "mg"].contains(&words[0]) {
                    is_silent = false;
                    break;
                }
            }
        }
    });
    (address, asked)
}

/// The second try would be told of what the first one did: that there is nothing, or the new value. And
/// nobody else would have the old one.
#[test]
fn a_pipeline_that_reads_a_key_and_then_writes_it_is_not_repeated() {
    type Write = fn(&mut Pipeline<'_>);
    type Read = fn(Pipeline<'_>, Write) -> Error;
    let reads: [(&str, Read); 3] = [
        ("get", |mut pipeline, write| {
            let got = pipeline.get::<Item>("job");
            write(&mut pipeline);
            pipeline.run().take(got).unwrap_err()
        }),
        ("gets", |mut pipeline, write| {
            let got = pipeline.gets::<String>("job");
            write(&mut pipeline);
            pipeline.run().take(got).unwrap_err()
        }),
        ("get_and_touch", |mut pipeline, write| {
            let got = pipeline.get_and_touch::<String>("job", 60);
            write(&mut pipeline);
            pipeline.run().take(got).unwrap_err()
        }),
    ];
    let writes: [(&str, Write); 2] = [
        ("delete", |pipeline| drop(pipeline.delete("job"))),
        ("set", |pipeline| {
            drop(pipeline.set("job", ItemRef::new(0, "mine"), 0));
        }),
    ];
    for protocol in [Protocol::Text, Protocol::Meta] {
        for (read, get) in reads {
            for (write, change) in writes {
                let (address, asked) = restarted_proxy();
                let client = client(address, protocol, GUARD);
                assert!(client.get::<Item>("job").unwrap().is_some());
                let error = get(client.pipeline(), change);
                let row = format!("{read}, {write} in {protocol}");
                assert!(error.is_io(), "{row}: {error:?}");
                drop(client);
                // What it was asked was asked once.
                let asked: Vec<String> = asked.try_iter().collect();
                assert!(asked.len() <= 2, "{row}: {asked:?}");
            }
        }
    }
}

/// What reads after it has written is told the same again.
#[test]
fn a_pipeline_that_writes_a_key_and_then_reads_it_is_repeated() {
    let (address, server) = scripted(|listener| {
        let mut connection = accept(listener);
        answer(&mut connection, b"END\r\n");
        read_until(&mut connection, b"get job other\r\n");
        drop(connection);
        let mut connection = accept(listener);
        read_until(&mut connection, b"get job other\r\n");
        let replies = b"STORED\r\nSTORED\r\nVALUE job 0 4\r\nmine\r\nEND\r\n";
        connection.write_all(replies).unwrap();
    });
    let client = client(address, Protocol::Text, GUARD);
    assert_eq!(client.get::<Item>("job").unwrap(), None);
    let mut pipeline = client.pipeline();
    let stored = ["his", "mine"].map(|data| pipeline.set("job", ItemRef::new(0, data), 0));
    let got = ["job", "other"].map(|key| pipeline.get::<Item>(key));
    let mut replies = pipeline.run();
    for stored in stored {
        replies.take(stored).unwrap();
    }
    let [job, other] = got.map(|got| replies.take(got).unwrap());
    assert_eq!(job.unwrap().data, b"mine");
    assert_eq!(other, None);
    server.join().unwrap();
}
