//! The base of every comparison: the least that can be done on sockets. One connection a server, a
//! request that is there already, one write a server, reads into a fixed buffer until the reply is
//! there; only its end is looked at.

use crate::crew;
use crate::ours;
use crate::work::{
    COUNT, MIX_KEYS, Operation, THREADS_KEYS, Task, Turn, VALUE, Work, keys, mix, value,
};
use moecache::Client;
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::slice;

/// Those of raw data.
const FLAGS: u32 = 0xfa52;

/// How much is read at once.
const ONE_KEY: usize = 16 << 10;
/// Of a value over [`ONE_KEY`]: with less, the raw socket is slower than clients that read more.
const LARGE_VALUE: usize = 256 << 10;
const MANY_KEYS: usize = 64 << 10;

pub fn operation(task: &Task) -> Operation {
    // It talks about the keys that ours has, to the servers on which ours has them.
    let client = ours::client(task.servers);
    let locate = placing(&client, task.servers);
    let get = |count: usize, size: usize| {
        let keys = keys(ours::TAG, count);
        fill(&client, keys, size);
        group(task.servers.len(), keys, locate, get_line)
    };
    let set = |count: usize, size: usize| {
        let keys = keys(ours::TAG, count);
        let stored = b"STORED\r\n".len();
        group(task.servers.len(), keys, locate, |keys| {
            Exchange::new(set_lines(keys, size), Reply::Length(stored * keys.len()))
        })
    };
    match task.work {
        Work::Get(size) => {
            let buffer = if size < ONE_KEY { ONE_KEY } else { LARGE_VALUE };
            batch(task, buffer, get(1, size))
        }
        Work::Set(size) => batch(task, ONE_KEY, set(1, size)),
        Work::Miss => line(task, "get none\r\n", "END\r\n"),
        Work::Delete => line(task, "delete none\r\n", "NOT_FOUND\r\n"),
        Work::Increment => {
            let key = "raw:count";
            client.set_counter(key, COUNT, 0).expect("it is stored");
            line(task, &format!("incr {key} 1\r\n"), "1000000000001\r\n")
        }
        Work::GetMany(count, _) => batch(task, MANY_KEYS, get(count, VALUE)),
        Work::SetMany(count) | Work::SetManyQuiet(count) => {
            batch(task, MANY_KEYS, set(count, VALUE))
        }
        Work::Mix => {
            let keys = keys(ours::TAG, MIX_KEYS);
            fill(&client, keys, VALUE);
            each_turn(task, keys, locate)
        }
        Work::Threads => {
            let keys = keys(ours::TAG, THREADS_KEYS);
            fill(&client, keys, VALUE);
            let exchanges: Vec<_> = keys
                .iter()
                .map(|key| (locate(key), get_line(&[key])))
                .collect();
            crew::operation(|number| {
                let mut raw = Raw::connect(task.servers, ONE_KEY);
                let mut mine = exchanges.clone();
                mine.rotate_left(number * THREADS_KEYS / crew::THREADS);
                raw.learn(&mut mine);
                let mut turn = (0..mine.len()).cycle();
                move || {
                    let turn = turn.next().expect("it goes round");
                    raw.exchange(slice::from_ref(&mine[turn]));
                }
            })
        }
    }
}

/// What a raw socket takes to do more, or can do with less: to read every `VALUE` line of many; to
/// set quietly, where the base has replies; to use the unix socket, where the base is our client
/// over TCP.
pub fn other(task: &Task) -> Option<Operation> {
    match task.work {
        Work::GetMany(count, _) => {
            let client = ours::client(task.servers);
            let keys = keys(ours::TAG, count);
            fill(&client, keys, VALUE);
            let locate = placing(&client, task.servers);
            let mut exchanges = group(task.servers.len(), keys, locate, get_line);
            let mut raw = Raw::connect(task.servers, MANY_KEYS);
            raw.learn(&mut exchanges);
            // All replies of a server, in one piece.
            raw.buffer.resize(LARGE_VALUE, 0);
            Some(Box::new(move || {
                assert_eq!(raw.exchange_and_parse(&exchanges), count);
            }))
        }
        Work::SetManyQuiet(count) => {
            let client = ours::client(task.servers);
            let locate = placing(&client, task.servers);
            let keys = keys(ours::TAG, count);
            let exchanges = group(task.servers.len(), keys, locate, |keys| {
                let mut request = Vec::new();
                for key in keys {
                    let line = format!("ms {key} {VALUE} F{FLAGS} q\r\n");
                    request.extend([line.as_bytes(), &value(VALUE), b"\r\n"].concat());
                }
                request.extend(b"mn\r\n");
                Exchange::new(request, Reply::Length(b"MN\r\n".len()))
            });
            Some(batch(task, MANY_KEYS, exchanges))
        }
        Work::Get(size) if task.on_unix() => {
            let mut raw = Raw::connect(task.servers, ONE_KEY);
            let keys = keys(ours::TAG, 1);
            let stored = Reply::Length(b"STORED\r\n".len());
            raw.exchange(&[(0, Exchange::new(set_lines(keys, size), stored))]);
            let mut get = [(0, get_line(keys))];
            raw.learn(&mut get);
            Some(Box::new(move || raw.exchange(&get)))
        }
        _ => None,
    }
}

/// Which of the servers has a key.
fn placing(client: &Client, servers: &[String]) -> impl Fn(&str) -> usize + Copy {
    move |key| {
        let server = client.server_for(key).expect("it is a key");
        let index = servers.iter().position(|it| *it == server);
        index.expect("it is one of the servers")
    }
}

fn fill(client: &Client, keys: &[&str], size: usize) {
    for key in keys {
        let set = client.set_bytes(key, value(size), 0);
        set.expect("it is stored");
    }
}

fn get_line(keys: &[&str]) -> Exchange {
    let line = format!("get {}\r\n", keys.join(" "));
    Exchange::new(line.into_bytes(), Reply::Until(b"END\r\n"))
}

fn set_lines(keys: &[&str], size: usize) -> Vec<u8> {
    let mut request = Vec::new();
    for key in keys {
        let line = format!("set {key} {FLAGS} 0 {size}\r\n");
        request.extend([line.as_bytes(), &value(size), b"\r\n"].concat());
    }
    request
}

/// The exchange of each server that has any of the keys.
fn group(
    servers: usize,
    keys: &[&'static str],
    locate: impl Fn(&str) -> usize,
    exchange: impl Fn(&[&'static str]) -> Exchange,
) -> Vec<(usize, Exchange)> {
    let mut groups = vec![Vec::new(); servers];
    for key in keys {
        groups[locate(key)].push(*key);
    }
    let asked = groups
        .iter()
        .enumerate()
        .filter(|(_, keys)| !keys.is_empty());
    asked
        .map(|(server, keys)| (server, exchange(keys)))
        .collect()
}

fn line(task: &Task, request: &str, reply: &str) -> Operation {
    let request = request.as_bytes().to_vec();
    let exchange = Exchange::new(request, Reply::Length(reply.len()));
    batch(task, ONE_KEY, vec![(0, exchange)])
}

fn batch(task: &Task, buffer: usize, mut exchanges: Vec<(usize, Exchange)>) -> Operation {
    let mut raw = Raw::connect(task.servers, buffer);
    raw.learn(&mut exchanges);
    Box::new(move || raw.exchange(&exchanges))
}

fn each_turn(task: &Task, keys: &[&str], locate: impl Fn(&str) -> usize) -> Operation {
    let mut raw = Raw::connect(task.servers, ONE_KEY);
    let exchange = |turn: Turn| {
        let key = keys[turn.key];
        let stored = Reply::Length(b"STORED\r\n".len());
        let exchange = if turn.set {
            Exchange::new(set_lines(&[key], VALUE), stored)
        } else {
            get_line(&[key])
        };
        (locate(key), exchange)
    };
    let mut exchanges: Vec<_> = mix().into_iter().map(exchange).collect();
    raw.learn(&mut exchanges);
    let mut turn = (0..exchanges.len()).cycle();
    Box::new(move || {
        let turn = turn.next().expect("it goes round");
        raw.exchange(slice::from_ref(&exchanges[turn]));
    })
}

/// A request, and what is known about its reply.
#[derive(Clone)]
struct Exchange {
    request: Vec<u8>,
    reply: Reply,
}

#[derive(Clone)]
enum Reply {
    Length(usize),
    /// It ends so. How long it is must be learned.
    Until(&'static [u8]),
}

impl Exchange {
    fn new(request: Vec<u8>, reply: Reply) -> Self {
        Self { request, reply }
    }
}

/// A connection to each server.
struct Raw {
    sockets: Vec<Box<dyn Socket>>,
    buffer: Vec<u8>,
}

trait Socket: Read + Write + Send {}

impl<T: Read + Write + Send> Socket for T {}

impl Raw {
    fn connect(servers: &[String], buffer: usize) -> Self {
        let connect = |server: &String| -> Box<dyn Socket> {
            if server.starts_with('/') {
                return Box::new(UnixStream::connect(server).expect("memcached accepts"));
            }
            let socket = TcpStream::connect(server).expect("memcached accepts");
            socket.set_nodelay(true).expect("it is a TCP socket");
            Box::new(socket)
        };
        Self {
            sockets: servers.iter().map(connect).collect(),
            buffer: vec![0; buffer],
        }
    }

    /// Tries how long the replies are that are not known yet.
    fn learn(&mut self, exchanges: &mut [(usize, Exchange)]) {
        for (server, exchange) in exchanges {
            let Reply::Until(end) = exchange.reply else {
                continue;
            };
            let socket = &mut self.sockets[*server];
            socket
                .write_all(&exchange.request)
                .expect("memcached reads");
            let mut reply = Vec::new();
            while !reply.ends_with(end) {
                let read = socket.read(&mut self.buffer).expect("memcached answers");
                reply.extend(&self.buffer[..read]);
            }
            exchange.reply = Reply::Length(reply.len());
        }
    }

    /// Sends all of them, then awaits all of them.
    fn exchange(&mut self, exchanges: &[(usize, Exchange)]) {
        for (server, exchange) in exchanges {
            let sent = self.sockets[*server].write_all(&exchange.request);
            sent.expect("memcached reads");
        }
        for (server, exchange) in exchanges {
            let Reply::Length(length) = exchange.reply else {
                unreachable!("it was learned");
            };
            let (mut received, mut last) = (0, 0);
            while received < length {
                let read = self.sockets[*server].read(&mut self.buffer);
                last = read.expect("memcached answers");
                received += last;
            }
            assert!(received == length && self.buffer[last - 1] == b'\n');
        }
    }

    /// The same, and reads the values' lengths; how many values there are.
    fn exchange_and_parse(&mut self, exchanges: &[(usize, Exchange)]) -> usize {
        for (server, exchange) in exchanges {
            let sent = self.sockets[*server].write_all(&exchange.request);
            sent.expect("memcached reads");
        }
        let mut values = 0;
        for (server, exchange) in exchanges {
            let Reply::Length(length) = exchange.reply else {
                unreachable!("it was learned");
            };
            let mut received = 0;
            while received < length {
                let read = self.sockets[*server].read(&mut self.buffer[received..]);
                received += read.expect("memcached answers");
            }
            let mut rest = &self.buffer[..received];
            while let Some(line) = rest.strip_prefix(b"VALUE ") {
                let end = memchr::memchr(b'\n', line).expect("it is a line");
                let digits = memchr::memrchr(b' ', &line[..end]).expect("it has words") + 1;
                let digits = line[digits..end - 1].iter();
                let size = digits.fold(0, |size, digit| size * 10 + usize::from(digit - b'0'));
                black_box(&line[end + 1..][..size]);
                rest = &line[end + 1 + size + 2..];
                values += 1;
            }
            assert_eq!(rest, b"END\r\n");
        }
        values
    }
}
