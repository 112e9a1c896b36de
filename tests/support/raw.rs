//! A connection without a client library.

use socket2::{Domain, SockAddr, Socket, Type};
use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection that says what it expects.
#[derive(Debug)]
pub struct RawClient(Socket);

impl RawClient {
    pub fn connect(address: SocketAddr) -> Self {
        let client = Self::connect_to(Domain::for_address(address), &address.into());
        client.0.set_tcp_nodelay(true).unwrap();
        client
    }

    pub fn connect_to_path(path: &Path) -> Self {
        Self::connect_to(Domain::UNIX, &SockAddr::unix(path).unwrap())
    }

    fn connect_to(domain: Domain, address: &SockAddr) -> Self {
        let socket = Socket::new(domain, Type::STREAM, None).unwrap();
        socket.connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    pub fn local_address(&self) -> SocketAddr {
        self.0.local_addr().unwrap().as_socket().unwrap()
    }

    /// A second handle on the connection.
    pub fn try_clone(&self) -> Self {
        Self(self.0.try_clone().unwrap())
    }

    pub fn send(&mut self, request: impl AsRef<[u8]>) {
        self.0.write_all(request.as_ref()).unwrap();
    }

    /// Sends the request, and expects this reply. What comes after it is left for the next call.
    pub fn ask(&mut self, request: impl AsRef<[u8]>, reply: impl AsRef<[u8]>) {
        let (request, reply) = (request.as_ref(), reply.as_ref());
        self.send(request);
        let mut received = vec![0; reply.len()];
        self.0.read_exact(&mut received).unwrap();
        assert_eq!(text(&received), text(reply), "{}", text(request));
    }

    /// Asks for the version, whatever it is: the connection is still good.
    pub fn version(&mut self) {
        self.ask("version\r\n", "VERSION ");
        self.read_until("\r\n");
    }

    /// One value of `stats`.
    pub fn stat(&mut self, name: &str) -> String {
        self.stats("").remove(name).unwrap()
    }

    /// Sends the request and reads until the reply ends so; with nothing, reads nothing.
    pub fn after(mut self, request: impl AsRef<[u8]>, ending: &str) -> Self {
        self.send(request);
        self.read_until(ending);
        self
    }

    /// The names and values of `stats` about that.
    pub fn stats(&mut self, about: &str) -> HashMap<String, String> {
        self.send(format!("stats {about}").trim_end().to_owned() + "\r\n");
        let reply = self.read_until("END\r\n");
        let rows = reply.lines().filter_map(|line| {
            let (name, value) = line.strip_prefix("STAT ")?.split_once(' ')?;
            Some((name.to_owned(), value.to_owned()))
        });
        rows.collect()
    }

    /// Reads this many bytes, whatever they are.
    pub fn skip(&mut self, bytes: usize) {
        self.0.read_exact(&mut vec![0; bytes]).unwrap();
    }

    /// Reads until `ending` has come.
    pub fn read_until(&mut self, ending: &str) -> String {
        let mut received = Vec::new();
        while !received.ends_with(ending.as_bytes()) {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            received.extend(byte);
        }
        String::from_utf8(received).unwrap()
    }

    /// Expects that the connection ends, after whatever is left.
    pub fn expect_closed(&mut self) {
        match io::copy(&mut self.0, &mut io::sink()) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }

    /// Expects that the connection is reset, with nothing left.
    pub fn expect_reset(&mut self) {
        let error = self.0.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// Waits until `condition` holds, which nothing announces; fails if it never does.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "still not so: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}
