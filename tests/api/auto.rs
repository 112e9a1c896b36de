//! `Protocol::Auto`: what a connection is asked, what the answers are taken for, and that no value is sent
//! to a server that may not know the command before it.

use crate::support;

use moecache::{Client, ClientBuilder, MetaGet, Protocol, testing};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;
use support::behind::Proxy;
use support::{Memcached, wait_until};

const LONG: Duration = Duration::from_secs(20);

/// What a server does with a line.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Says(&'static str),
    /// After so many milliseconds.
    SaysLater(u64, &'static str),
    SaysAndCloses(&'static str),
    Closes,
    Nothing,
}

use Deed::{Closes, Nothing, Says, SaysAndCloses, SaysLater};

/// How a server answers `version` and `mn`, and whether it has the meta commands.
#[derive(Debug, Clone, Copy)]
struct Answers {
    version: Deed,
    mn: Deed,
    meta: bool,
}

const fn text(version: Deed, mn: Deed) -> Answers {
    Answers {
        version,
        mn,
        meta: false,
    }
}

const META: Answers = Answers {
    version: Says("VERSION 1.6.18\r\n"),
    mn: Says("MN\r\n"),
    meta: true,
};

const OLD: Answers = text(Says("VERSION 1.5.22\r\n"), Says("ERROR\r\n"));

/// A server that stores nothing: it answers line by line, takes the value behind a `set`, and behind an
/// `ms` only if it has that; otherwise the value is the next line to it, as it is to old memcacheds.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    /// What each connection heard, in the order of the lines.
    heard: Arc<Mutex<Vec<(usize, String)>>>,
}

impl Server {
    /// `answers` is asked for each connection, counted from 0.
    fn start(answers: impl Fn(usize) -> Answers + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            heard: Arc::default(),
        };
        let (connections, heard) = (Arc::clone(&server.connections), Arc::clone(&server.heard));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let number = connections.fetch_add(1, Ordering::SeqCst);
                let (answers, heard) = (answers(number), Arc::clone(&heard));
                let hear = move |line: &str| heard.lock().unwrap().push((number, line.to_owned()));
                thread::spawn(move || converse(stream, answers, hear));
            }
        });
        server
    }

    fn client(&self) -> Client {
        auto(self.address).build().unwrap()
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn heard(&self) -> Vec<(usize, String)> {
        self.heard.lock().unwrap().clone()
    }

    /// Whether any connection heard a line that begins so.
    fn has_heard(&self, start: &str) -> bool {
        self.heard().iter().any(|(_, line)| line.starts_with(start))
    }
}

fn auto(address: SocketAddr) -> ClientBuilder {
    let builder = Client::builder().servers(address).timeout(LONG);
    builder.protocol(Protocol::Auto)
}

fn converse(mut stream: TcpStream, answers: Answers, hear: impl Fn(&str)) {
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
        let words: Vec<&str> = line.split_whitespace().collect();
        hear(line.trim_end());
        let length = match &words[..] {
            ["set", _, _, _, length] => Some(length),
            ["ms", _, length, ..] if answers.meta => Some(length),
            _ => None,
        };
        if let Some(length) = length {
            let mut value = vec![0; length.parse::<usize>().unwrap() + 2];
            lines.read_exact(&mut value).unwrap();
        }
        let opaque = words.iter().find(|word| word.starts_with('O'));
        let opaque = opaque.map(|word| format!(" {word}")).unwrap_or_default();
        let deed = match words[0] {
            "version" => answers.version,
            "mn" => answers.mn,
            _ => Nothing,
        };
        let says = match words[0] {
            "version" | "mn" => match deed {
                Says(words) | SaysAndCloses(words) => words.to_owned(),
                SaysLater(milliseconds, words) => {
                    thread::sleep(Duration::from_millis(milliseconds));
                    words.to_owned()
                }
                Closes => return,
                Nothing => String::new(),
            },
            "get" => "END\r\n".to_owned(),
            "set" => "STORED\r\n".to_owned(),
            "mg" if answers.meta => format!("EN{opaque}\r\n"),
            // Quiet: it only says what is no success.
            "ms" if answers.meta && words.contains(&"q") => String::new(),
            "ms" if answers.meta => format!("HD{opaque}\r\n"),
            _ => "ERROR\r\n".to_owned(),
        };
        // The client may be gone.
        let _ = stream.write_all(says.as_bytes());
        if matches!(deed, SaysAndCloses(_)) {
            return;
        }
        line.clear();
    }
}

/// What servers answer, and how many connections they have had then.
const ANSWERS: [(&str, usize, Answers); 21] = [
    (
        "Infinispan",
        1,
        text(Says("VERSION 15.0.4.Final\r\n"), Says("ERROR\r\n")),
    ),
    (
        "kestrel",
        1,
        text(Says("VERSION 2.4.8\r\n"), Says("CLIENT_ERROR\r\n")),
    ),
    ("an old memcached", 1, OLD),
    (
        "the last without an opaque in a miss",
        1,
        text(Says("VERSION 1.6.17\r\n"), Says("MN\r\n")),
    ),
    (
        "a proxy with a version of its own",
        1,
        text(Says("VERSION 37.0.0 mcrouter\r\n"), Says("MN\r\n")),
    ),
    (
        "a proxy that closes after an error",
        2,
        text(
            Says("VERSION 37.0.0 mcrouter\r\n"),
            SaysAndCloses("ERROR\r\n"),
        ),
    ),
    (
        "a proxy that passes on the version",
        1,
        text(Says("VERSION 1.6.18\r\n"), Says("ERROR\r\n")),
    ),
    ("twemproxy 0.5", 2, text(Nothing, Closes)),
    (
        "a proxy that closes on mn",
        2,
        text(Says("VERSION 1.6.18\r\n"), Closes),
    ),
    ("one that closes on version", 2, text(Closes, Closes)),
    (
        "one that knows neither",
        1,
        text(Says("ERROR\r\n"), Says("ERROR\r\n")),
    ),
    (
        "one in trouble",
        1,
        text(Says("SERVER_ERROR busy\r\n"), Says("SERVER_ERROR busy\r\n")),
    ),
    (
        "one that knows only mn",
        1,
        text(Says("ERROR\r\n"), Says("MN\r\n")),
    ),
    (
        "one that is silent on mn",
        2,
        text(Says("VERSION 1.6.18\r\n"), Nothing),
    ),
    (
        "one that is silent on version",
        2,
        text(Nothing, Says("MN\r\n")),
    ),
    (
        "another order",
        1,
        text(Says("MN\r\n"), Says("VERSION 1.6.18\r\n")),
    ),
    (
        "mn much later",
        2,
        text(Says("VERSION 1.6.18\r\n"), SaysLater(2000, "MN\r\n")),
    ),
    (
        "too much",
        2,
        text(Says("VERSION 1.6.18\r\n"), Says("MN\r\nMN\r\n")),
    ),
    (
        "redis",
        2,
        text(
            Says("-ERR unknown command\r\n"),
            Says("-ERR unknown command\r\n"),
        ),
    ),
    (
        "a web server",
        2,
        text(SaysAndCloses("HTTP/1.1 400 Bad Request\r\n"), Nothing),
    ),
    (
        "a line without end",
        2,
        text(Says("VERSION 1.6.18\n"), Says("MN\n")),
    ),
];

/// Whatever is answered that is not today's memcached: text, on one connection where the answers leave no
/// doubt of what comes next, on a second otherwise.
#[test]
fn anything_else_is_text() {
    thread::scope(|scope| {
        for (row, connections, answers) in ANSWERS {
            let check = move || {
                let server = Server::start(move |_| answers);
                let client = server.client();
                // If it were sent behind `ms`, the server would run it.
                client.set("page", "flush_all", 0).unwrap();
                assert_eq!(client.get::<String>("page").unwrap(), None);
                let error = client.meta_get("page", MetaGet::new().value()).unwrap_err();
                assert!(error.is_unsupported(), "{error:?}");
                assert!(server.has_heard("set page "), "{:?}", server.heard());
                for line in ["ms ", "mg ", "flush_all"] {
                    assert!(!server.has_heard(line), "{line}: {:?}", server.heard());
                }
                // A server that closed the connection a moment later has had another.
                let made = server.connections();
                assert!(
                    made == connections || (row.contains("closes after") && made == 2),
                    "{made}"
                );
                // The next one is not asked for nothing, if that was the end of the first.
                client.set("page", "flush_all", 0).unwrap();
                assert_eq!(server.connections(), made);
            };
            thread::Builder::new()
                .name(row.to_owned())
                .spawn_scoped(scope, check)
                .unwrap();
        }
    });
}

/// What may be remembered is that to ask a connection is the end of it.
#[test]
fn a_server_that_closes_on_the_questions_is_asked_once() {
    let server = Server::start(|_| text(Nothing, Closes));
    let client = auto(server.address)
        .max_idle_connections(0)
        .build()
        .unwrap();
    for _ in 0..5 {
        client.set("page", "flush_all", 0).unwrap();
    }
    let asked = |server: &Server| {
        server
            .heard()
            .iter()
            .filter(|(_, line)| line == "mn")
            .count()
    };
    assert_eq!((asked(&server), server.connections()), (1, 6));
    // But not after a close.
    client.close();
    client.set("page", "flush_all", 0).unwrap();
    assert_eq!((asked(&server), server.connections()), (2, 8));
}

#[test]
fn meta_where_both_answers_say_so() {
    let late = Answers {
        mn: SaysLater(20, "MN\r\n"),
        ..META
    };
    for answers in [META, late] {
        let server = Server::start(move |_| answers);
        let client = server.client();
        client.set("page", "flush_all", 0).unwrap();
        assert!(
            client
                .meta_get("page", MetaGet::new().value())
                .unwrap()
                .is_none()
        );
        let heard = server.heard();
        let lines: Vec<&str> = heard.iter().map(|(_, line)| &**line).collect();
        assert_eq!(lines[..2], ["version", "mn"]);
        assert!(lines[2].starts_with("ms page "), "{lines:?}");
        assert_eq!(server.connections(), 1);
    }
}

/// Both questions come in one write, and nothing behind them until they are answered.
#[test]
fn nothing_is_sent_before_the_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = auto(listener.local_addr().unwrap()).build().unwrap();
    thread::scope(|scope| {
        let call = scope.spawn(|| client.set("page", "flush_all", 0));
        let mut stream = listener.accept().unwrap().0;
        let mut received = [0; 100];
        let length = stream.read(&mut received).unwrap();
        assert_eq!(&received[..length], b"version\r\nmn\r\n");
        stream.write_all(b"VERSION 1.6.18\r\n").unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        assert!(stream.read(&mut received).is_err());
        stream.write_all(b"MN\r\n").unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        let length = stream.read(&mut received).unwrap();
        assert!(received[..length].starts_with(b"ms page 9 "));
        stream.write_all(b"HD\r\n").unwrap();
        drop(stream);
        // Whether the reply is right is the business of other tests.
        let _ = call.join().unwrap();
    });
}

/// A server that says nothing at all may as well be down: it is no text server, and the call times out.
#[test]
fn silence_is_a_timeout() {
    let server = Server::start(|_| text(Nothing, Nothing));
    let client = auto(server.address)
        .timeout(Duration::from_millis(200))
        .max_back_off(Duration::ZERO)
        .build()
        .unwrap();
    let error = client.meta_get("page", MetaGet::new()).unwrap_err();
    assert!(error.is_timeout() && !error.is_unsupported(), "{error:?}");
    let error = client.set("page", "flush_all", 0).unwrap_err();
    assert!(error.is_timeout() && !error.is_ambiguous(), "{error:?}");
    assert!(
        !server.has_heard("ms") && !server.has_heard("set"),
        "{:?}",
        server.heard()
    );
}

/// Two versions behind one address: each connection is asked.
#[test]
fn two_versions_behind_one_address() {
    let server = Server::start(|number| if number % 2 == 0 { META } else { OLD });
    let client = server.client();
    let all = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                all.wait();
                for _ in 0..50 {
                    client.set("page", "flush_all", 0).unwrap();
                    let many = [("a", "flush_all"), ("b", "flush_all"), ("c", "flush_all")];
                    client.set_many(many, 0).all().unwrap();
                    assert_eq!(client.get::<String>("page").unwrap(), None);
                }
            });
        }
    });
    for (number, line) in server.heard() {
        let is_meta = line.starts_with("ms ") || line.starts_with("mg ");
        assert!(
            !is_meta || number % 2 == 0,
            "{line:?} on connection {number}"
        );
        assert_ne!(line, "flush_all", "on connection {number}");
    }
}

/// A server that had meta is replaced by one that has it not, in each way in which a connection ends.
#[test]
fn a_server_that_is_replaced() {
    type End = fn(&Client, &AtomicBool);
    let idle: fn(ClientBuilder) -> ClientBuilder = |builder| builder.idle_timeout(Duration::ZERO);
    let surplus: fn(ClientBuilder) -> ClientBuilder = |builder| builder.max_idle_connections(0);
    let plain: fn(ClientBuilder) -> ClientBuilder = |builder| builder;
    let nothing: End = |_, _| {};
    let close: End = |client, _| client.close();
    let cut: End = |_, is_cut| {
        is_cut.store(true, Ordering::SeqCst);
        wait_until("it is closed", || !is_cut.load(Ordering::SeqCst));
    };
    let rows = [
        ("idle", idle, nothing),
        ("surplus", surplus, nothing),
        ("close()", plain, close),
        ("closed by the server", plain, cut),
    ];
    for (row, set_up, end) in rows {
        let is_cut = Arc::new(AtomicBool::new(false));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let (cut, lines) = (Arc::clone(&is_cut), Arc::clone(&heard));
        thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let lines = Arc::clone(&lines);
                let ends = stream.try_clone().unwrap();
                let answers = if number == 0 { META } else { OLD };
                let hear = move |line: &str| {
                    if number > 0 {
                        lines.lock().unwrap().push(line.to_owned());
                    }
                };
                thread::spawn(move || converse(stream, answers, hear));
                let cut = Arc::clone(&cut);
                thread::spawn(move || {
                    while !cut.load(Ordering::SeqCst) {
                        thread::sleep(Duration::from_millis(1));
                    }
                    let _ = ends.shutdown(std::net::Shutdown::Both);
                    cut.store(false, Ordering::SeqCst);
                });
            }
        });
        let client = set_up(auto(address)).build().unwrap();
        assert!(
            client.meta_get("page", MetaGet::new()).unwrap().is_none(),
            "{row}"
        );
        end(&client, &is_cut);
        client.set("page", "flush_all", 0).unwrap();
        let heard = heard.lock().unwrap();
        assert!(
            heard.iter().any(|line| line.starts_with("set page ")),
            "{row}: {heard:?}"
        );
        let is_meta = |line: &String| line.starts_with("ms") || line == "flush_all";
        assert!(!heard.iter().any(is_meta), "{row}: {heard:?}");
    }
}

#[test]
fn memcached_itself() {
    let server = Memcached::start();
    let client = auto(server.address()).build().unwrap();
    client.set("page", "flush_all", 0).unwrap();
    let item = client.meta_get("page", MetaGet::new().value()).unwrap();
    assert!(item.is_some());
    let stats = client.stats().unwrap().remove(0).result.unwrap();
    assert_eq!(stats.get("cmd_flush"), Some("0"));
}

/// twemproxy closes the connection on `mn`; memcached's own proxy speaks meta.
#[test]
fn memcached_behind_proxies() {
    for proxy in [Proxy::Nutcracker, Proxy::BuiltIn] {
        let Some(behind) = proxy.start() else {
            continue;
        };
        let client = auto(behind.address()).build().unwrap();
        client.set("page", "flush_all", 0).unwrap();
        let page = client.get::<String>("page").unwrap();
        assert_eq!(page.as_deref(), Some("flush_all"));
        let many = (0..100).map(|number| (format!("key-{number}"), number));
        client.set_many(many.clone(), 0).all().unwrap();
        let keys = many.map(|(key, _)| key);
        let found = client.get_many::<i32, _>(keys).all().unwrap();
        assert_eq!(found.len(), 100);
        match client.meta_get("page", MetaGet::new().value()) {
            Ok(item) => assert!(item.is_some() && proxy == Proxy::BuiltIn),
            Err(error) => {
                assert!(error.is_unsupported(), "{error:?}");
                assert_eq!(proxy, Proxy::Nutcracker);
            }
        }
        assert!(client.delete("page").unwrap());
    }
}

/// Old servers speak text with `Auto`, and what they do not know is a clear error.
#[test]
fn old_servers() {
    for version in ["1.4.20", "1.5.22", "1.6.17"] {
        let server = testing::Server::builder().version(version).start().unwrap();
        let auto = Client::builder().servers(&server).protocol(Protocol::Auto);
        let client = auto.build().unwrap();
        client.set("key", 1, 0).unwrap();
        assert_eq!(client.get("key").unwrap(), Some(1));
        assert!(client.contains("key").unwrap() && !client.contains("other").unwrap());
        let (_, cas) = client.gets::<i32>("key").unwrap().unwrap();
        let error = client.delete_with_cas("key", cas).unwrap_err();
        assert!(error.is_unsupported(), "{version}: {error:?}");
        assert!(
            client
                .meta_get("key", MetaGet::new())
                .unwrap_err()
                .is_unsupported()
        );
        let keys: Result<Vec<_>, _> = client.keys().collect();
        match keys {
            Ok(keys) => assert!(version != "1.4.20" && keys.len() == 1, "{version}"),
            Err(error) => {
                assert_eq!(version, "1.4.20");
                let expected = "it cannot list its keys; memcached can since 1.4.31";
                assert!(
                    error.is_server() && error.to_string().contains(expected),
                    "{error}"
                );
            }
        }
    }
}
