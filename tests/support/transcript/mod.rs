//! Transcripts: the file format, playing a case against a server, and recording it.

mod cas;
mod escape;
mod mask;
mod packets;
mod versions;

use super::memcached::{Memcached, release_of};
use mask::masked;
use std::borrow::Cow;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;
use versions::{Expected, Must, Reply, Versions};

/// How long a server may take to answer before a case counts as failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long nothing may come before a reply whose length is not known is over: a dump that is recorded,
/// and what a version says of which nothing is recorded.
const SILENCE: Duration = Duration::from_millis(500);

/// A request for the version, and the reply.
const SENTINEL: [&[u8]; 2] = [b"version\r\n", b"VERSION *\r\n"];
const BINARY_SENTINEL: [&[u8]; 2] = [
    b"\x80\x0b\0\0\0\0\0\0\0\0\0\0good\0\0\0\0\0\0\0\0",
    b"\x81\x0b\0\0\0\0\0\0\0\0\0\x01good\0\0\0\0\0\0\0\0*",
];

/// What the first line of a file begins with.
const VERSIONS: &str = "versions: ";

pub struct File {
    path: PathBuf,
    versions: Versions,
    lines: Vec<String>,
    pub cases: Vec<Case>,
}

/// A server that cases are played against: where it is, and what is known of its answers.
#[derive(Clone, Copy)]
pub struct Server<'a> {
    pub address: SocketAddr,
    /// It answers as this version of memcached does.
    pub version: &'a str,
    /// The cas id of the first item that it stores.
    pub first_cas: u64,
}

pub struct Case {
    pub name: String,
    ending: Ending,
    /// The versions that close the connection in the middle, where others go on.
    closed_by: Versions,
    steps: Vec<Step>,
}

struct Step {
    request: Vec<u8>,
    reply: Reply,
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
        let mut lines = text.lines().map(str::to_owned);
        let versions: Versions = lines
            .next()
            .and_then(|first| Some(words(first.strip_prefix(VERSIONS)?)))
            .expect("the versions are on the first line");
        let lines: Vec<String> = lines.collect();
        let mut cases = Vec::<Case>::new();
        for line in &lines {
            if let Some(name) = line.strip_prefix("== ") {
                cases.push(Case::named(name));
            } else if let Some(request) = line.strip_prefix("> ") {
                let request = escape::read(request);
                let reply = Reply::default();
                let steps = &mut cases.last_mut().unwrap().steps;
                steps.push(Step { request, reply });
            } else if let Some(reply) = line.strip_prefix('<') {
                let (only, reply) = reply.split_once(' ').unwrap();
                let of = match only {
                    "" => versions.clone(),
                    only => only.split(',').map(str::to_owned).collect(),
                };
                let step = cases.last_mut().unwrap().steps.last_mut().unwrap();
                step.reply.add(&escape::read(reply), &of);
            } else {
                assert!(line.is_empty() || line.starts_with('#'), "{line}");
            }
        }
        Self {
            path,
            versions,
            lines,
            cases,
        }
    }

    /// Returns the name of the file.
    pub fn name(&self) -> Cow<'_, str> {
        self.path.file_name().unwrap_or_default().to_string_lossy()
    }

    /// Replaces all replies of this version by those of the server, in the file too. Each is asked of a
    /// server of its own, which the earlier requests of the case are played to again.
    pub fn record(&mut self, version: &str, first_cas: u64, start: impl Fn() -> Memcached) {
        if !self.versions.iter().any(|it| it == version) {
            self.versions.push(version.to_owned());
            self.versions.sort_by_key(|it| release_of(it));
        }
        for case in &mut self.cases {
            for step in 0..case.steps.len() {
                let memcached = start();
                let server = Server {
                    address: memcached.address(),
                    version,
                    first_cas,
                };
                let reply = case.ask(server, step, &self.versions);
                let step = &mut case.steps[step];
                step.reply = step.reply.with(version, &reply, &self.versions);
            }
        }
        let mut replies = self.cases.iter().flat_map(|case| &case.steps);
        let mut text = format!("{VERSIONS}{}\n", self.versions.join(" "));
        for line in self.lines.iter().filter(|line| !line.starts_with('<')) {
            text.push_str(line);
            text.push('\n');
            if line.starts_with("> ") {
                for line in written(&replies.next().unwrap().reply, &self.versions) {
                    text.push_str(&line);
                    text.push('\n');
                }
            }
        }
        std::fs::write(&self.path, text).unwrap();
    }

    /// Plays a case. The error says what was answered instead. If nothing is recorded of the server's
    /// version, it is compared with the nearest ones, and `Ok` has what is not the same.
    pub fn play(&self, case: &Case, server: Server<'_>) -> Result<Vec<String>, String> {
        case.play(server, &self.versions)
    }

    /// Says what a version is compared with.
    pub fn compared_with(&self, version: &str) -> String {
        versions::neighbors(version, &self.versions).join(" and ")
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// A reply as lines of a file.
fn written(reply: &Reply, all: &Versions) -> Vec<String> {
    let mut lines = Vec::new();
    for group in reply.0.chunk_by(|one, next| one.versions == next.versions) {
        let versions = &group[0].versions;
        let only = if versions == all {
            String::new()
        } else {
            versions.join(",")
        };
        let bytes: Vec<u8> = group.iter().flat_map(|part| part.bytes.clone()).collect();
        let texts = match &packets::split(&bytes)[..] {
            [] => escape::write_lines(&bytes),
            packets => packets.iter().map(|packet| escape::write(packet)).collect(),
        };
        lines.extend(texts.iter().map(|text| format!("<{only} {text}")));
    }
    lines
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
        let closed_by = name
            .strip_suffix(')')
            .and_then(|name| Some(words(name.rsplit_once(" (closes: ")?.1)))
            .unwrap_or_default();
        Self {
            name: name.to_owned(),
            ending,
            closed_by,
            steps: Vec::new(),
        }
    }

    fn play(&self, server: Server<'_>, recorded: &Versions) -> Result<Vec<String>, String> {
        let mut connection = Connection::to(server);
        let mut differences = Vec::new();
        let (last, steps) = self.steps.split_last().unwrap();
        for step in steps {
            connection.send(&step.request);
            let expected = step.reply.expected(server.version, recorded);
            differences.extend(connection.expect(&expected)?);
        }
        connection.send(&last.request);
        let expected = last.reply.expected(server.version, recorded);
        if self.ending == Ending::Open {
            differences.extend(connection.expect(&expected)?);
            let [request, reply] = self.sentinel();
            connection.send(request);
            connection.finish();
            let nearest = versions::neighbors(server.version, recorded);
            let closes = |version: &&str| self.closed_by.iter().any(|it| it == version);
            let received = connection.read_to_end();
            if !(received.is_empty() && nearest.iter().any(closes)) {
                let reply = if nearest.iter().all(closes) {
                    b""
                } else {
                    reply
                };
                compare(&received, reply)?;
            }
            return Ok(differences);
        }
        if self.ending == Ending::Unfinished {
            connection.finish();
        }
        let received = connection.read_to_end();
        match expected {
            Expected::Exactly(reply) => compare(&received, &reply)?,
            Expected::Between(parts, _) => differences.extend(differing(&received, &parts)),
        }
        Ok(differences)
    }

    fn sentinel(&self) -> [&'static [u8]; 2] {
        match self.steps.first().map(|step| &step.request[..]) {
            Some([0x80, ..]) => BINARY_SENTINEL,
            _ => SENTINEL,
        }
    }

    /// The reply to one request of the case.
    fn ask(&self, server: Server<'_>, step: usize, recorded: &Versions) -> Vec<u8> {
        let mut connection = Connection::to(server);
        for step in &self.steps[..step] {
            connection.send(&step.request);
            let expected = step.reply.expected(server.version, recorded);
            connection.expect(&expected).unwrap();
        }
        let request = &self.steps[step].request;
        connection.send(request);
        // memcached breaks a dump off when its client has closed the connection, on its side alone
        // too.
        if request.windows(8).any(|part| part == b"metadump") {
            connection.wait(SILENCE);
        } else if self.ending != Ending::Closes || step + 1 < self.steps.len() {
            connection.finish();
        }
        connection.read_to_end()
    }
}

/// A connection that says and hears what a transcript has.
struct Connection {
    stream: TcpStream,
    first_cas: u64,
}

impl Connection {
    fn to(server: Server<'_>) -> Self {
        let stream = TcpStream::connect(server.address).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let connection = Self {
            stream,
            first_cas: server.first_cas,
        };
        connection.wait(PATIENCE);
        connection
    }

    fn wait(&self, time: Duration) {
        self.stream.set_read_timeout(Some(time)).unwrap();
    }

    /// A server that closes the connection in the middle is seen when its reply is read.
    fn send(&mut self, request: &[u8]) {
        let request = cas::request_to_server(request, self.first_cas);
        let _ = self.stream.write_all(&request);
    }

    fn finish(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    fn heard(&self, received: &[u8]) -> Vec<u8> {
        masked(&cas::reply_from_server(received, self.first_cas))
    }

    /// Reads until the reply is there, and not further.
    fn expect(&mut self, expected: &Expected) -> Result<Vec<String>, String> {
        let mut received = Vec::new();
        let mut buffer = vec![0; 65536];
        let mut reply = Vec::new();
        if let Expected::Between(..) = expected {
            self.wait(SILENCE);
        }
        while !expected.is_complete(&reply) {
            match self.stream.read(&mut buffer) {
                Ok(bytes @ 1..) => received.extend_from_slice(&buffer[..bytes]),
                _ => break,
            }
            reply = self.heard(&received);
        }
        self.wait(PATIENCE);
        match expected {
            Expected::Exactly(expected) => compare(&reply, expected).map(|()| Vec::new()),
            Expected::Between(parts, _) => Ok(differing(&reply, parts)),
        }
    }

    /// Reads until the server closes the connection, in order or by a reset.
    fn read_to_end(&mut self) -> Vec<u8> {
        let mut received = Vec::new();
        if let Err(error) = self.stream.read_to_end(&mut received) {
            let silent = [ErrorKind::ConnectionReset, ErrorKind::WouldBlock];
            if !silent.contains(&error.kind()) {
                received.extend_from_slice(format!(" <{error}>").as_bytes());
            }
        }
        self.heard(&received)
    }
}

/// Says what of a reply is missing, and what is new.
fn differing(reply: &[u8], expected: &[(Vec<u8>, Must)]) -> Vec<String> {
    let (missing, new) = versions::differences(reply, expected);
    let missing = missing
        .iter()
        .map(|part| format!("not there: {}", escape::write(part)));
    let new = new
        .iter()
        .map(|part| format!("new: {}", escape::write(part)));
    missing.chain(new).collect()
}

fn compare(received: &[u8], expected: &[u8]) -> Result<(), String> {
    if received == expected {
        return Ok(());
    }
    let (received, expected) = (escape::write(received), escape::write(expected));
    Err(format!("answered\n  {received}\nand not\n  {expected}"))
}
