//! Transcripts: the file format, playing a case against a server, and recording it.

mod escape;
mod mask;
mod packets;

use super::Memcached;
use mask::masked;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

/// How long a server may take to answer before a case counts as failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a dump takes, when it is recorded.
const DUMP: Duration = Duration::from_millis(300);

/// A request for the version, and the reply.
const SENTINEL: [&[u8]; 2] = [b"version\r\n", b"VERSION 1.6.18\r\n"];
const BINARY_SENTINEL: [&[u8]; 2] = [
    b"\x80\x0b\0\0\0\0\0\0\0\0\0\0good\0\0\0\0\0\0\0\0",
    b"\x81\x0b\0\0\0\0\0\0\0\0\0\x06good\0\0\0\0\0\0\0\x001.6.18",
];

pub struct File {
    path: PathBuf,
    lines: Vec<String>,
    pub cases: Vec<Case>,
}

pub struct Case {
    pub name: String,
    ending: Ending,
    steps: Vec<Step>,
}

struct Step {
    request: Vec<u8>,
    reply: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq)]
enum Ending {
    Open,
    Closes,
    Unfinished,
}

impl File {
    pub fn read(path: PathBuf) -> Self {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut cases = Vec::<Case>::new();
        for line in &lines {
            if let Some(name) = line.strip_prefix("== ") {
                cases.push(Case::named(name));
            } else if let Some(request) = line.strip_prefix("> ") {
                let request = escape::read(request);
                let reply = Vec::new();
                let steps = &mut cases.last_mut().unwrap().steps;
                steps.push(Step { request, reply });
            } else if let Some(reply) = line.strip_prefix("< ") {
                let step = cases.last_mut().unwrap().steps.last_mut().unwrap();
                step.reply.extend(escape::read(reply));
            } else {
                assert!(line.is_empty() || line.starts_with('#'), "{line}");
            }
        }
        Self { path, lines, cases }
    }

    /// Replaces all replies by those of the server, in the file too. Each is asked of a server of
    /// its own, which the earlier requests of the case are played to again.
    pub fn record(&mut self, start: impl Fn() -> Memcached) {
        for case in &mut self.cases {
            for step in 0..case.steps.len() {
                let memcached = start();
                case.steps[step].reply = case.ask(memcached.address(), step);
            }
        }
        let mut replies = self.cases.iter().flat_map(|case| &case.steps);
        let mut text = String::new();
        for line in self.lines.iter().filter(|line| !line.starts_with("< ")) {
            text.push_str(line);
            text.push('\n');
            if line.starts_with("> ") {
                for line in written(&replies.next().unwrap().reply) {
                    text.push_str("< ");
                    text.push_str(&line);
                    text.push('\n');
                }
            }
        }
        std::fs::write(&self.path, text).unwrap();
    }
}

/// A reply as lines of a file.
fn written(reply: &[u8]) -> Vec<String> {
    match &packets::split(reply)[..] {
        [] => escape::write_lines(reply),
        packets => packets.iter().map(|packet| escape::write(packet)).collect(),
    }
}

impl Case {
    fn named(name: &str) -> Self {
        let ending = if name.ends_with(" (closes)") {
            Ending::Closes
        } else if name.ends_with(" (unfinished)") {
            Ending::Unfinished
        } else {
            Ending::Open
        };
        Self {
            name: name.to_owned(),
            ending,
            steps: Vec::new(),
        }
    }

    /// Plays the case; the error says what was answered instead.
    pub fn play(&self, address: SocketAddr) -> Result<(), String> {
        let mut stream = connect(address);
        let (last, steps) = self.steps.split_last().unwrap();
        for step in steps {
            send(&mut stream, &step.request);
            expect(&mut stream, &step.reply)?;
        }
        send(&mut stream, &last.request);
        match self.ending {
            Ending::Open => {
                expect(&mut stream, &last.reply)?;
                let [request, reply] = self.sentinel();
                send(&mut stream, request);
                finish(&stream);
                compare(&read_to_end(&mut stream), reply)
            }
            Ending::Closes => compare(&read_to_end(&mut stream), &last.reply),
            Ending::Unfinished => {
                finish(&stream);
                compare(&read_to_end(&mut stream), &last.reply)
            }
        }
    }

    fn sentinel(&self) -> [&'static [u8]; 2] {
        match self.steps.first().map(|step| &step.request[..]) {
            Some([0x80, ..]) => BINARY_SENTINEL,
            _ => SENTINEL,
        }
    }

    /// The reply to one request of the case.
    fn ask(&self, address: SocketAddr, step: usize) -> Vec<u8> {
        let mut stream = connect(address);
        for step in &self.steps[..step] {
            send(&mut stream, &step.request);
            expect(&mut stream, &step.reply).unwrap();
        }
        send(&mut stream, &self.steps[step].request);
        // memcached breaks a dump off when its client has closed the connection, on its side alone
        // too.
        if self.steps[step]
            .request
            .windows(8)
            .any(|part| part == b"metadump")
        {
            stream.set_read_timeout(Some(DUMP)).unwrap();
        } else if self.ending != Ending::Closes || step + 1 < self.steps.len() {
            finish(&stream);
        }
        read_to_end(&mut stream)
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// A server that closes the connection in the middle is seen when its reply is read.
fn send(stream: &mut TcpStream, request: &[u8]) {
    let _ = stream.write_all(request);
}

fn finish(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Write);
}

/// Reads until the reply is there, and not further.
fn expect(stream: &mut TcpStream, reply: &[u8]) -> Result<(), String> {
    let mut received = Vec::new();
    let mut buffer = vec![0; 65536];
    while masked(&received) != reply {
        match stream.read(&mut buffer) {
            Ok(bytes @ 1..) => received.extend_from_slice(&buffer[..bytes]),
            _ => return compare(&masked(&received), reply),
        }
    }
    Ok(())
}

/// Reads until the server closes the connection, in order or by a reset.
fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    if let Err(error) = stream.read_to_end(&mut received) {
        let silent = [ErrorKind::ConnectionReset, ErrorKind::WouldBlock];
        if !silent.contains(&error.kind()) {
            received.extend_from_slice(format!(" <{error}>").as_bytes());
        }
    }
    masked(&received)
}

fn compare(received: &[u8], expected: &[u8]) -> Result<(), String> {
    if received == expected {
        return Ok(());
    }
    let (received, expected) = (escape::write(received), escape::write(expected));
    Err(format!("answered\n  {received}\nand not\n  {expected}"))
}
