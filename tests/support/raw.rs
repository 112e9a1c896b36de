//! A connection without a client library.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection that says what it expects.
#[derive(Debug)]
pub(crate) struct RawClient(TcpStream);

impl RawClient {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    pub(crate) fn local_address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    pub(crate) fn send(&mut self, request: &str) {
        self.0.write_all(request.as_bytes()).unwrap();
    }

    /// Sends the request, and expects this reply. What comes after it is left for the next call.
    pub(crate) fn ask(&mut self, request: &str, reply: &str) {
        self.send(request);
        let mut received = vec![0; reply.len()];
        self.0.read_exact(&mut received).unwrap();
        assert_eq!(String::from_utf8_lossy(&received), reply, "{request}");
    }

    pub(crate) fn version(&mut self) {
        self.ask("version\r\n", "VERSION 1.6.18\r\n");
    }

    /// One value of `stats`.
    pub(crate) fn stat(&mut self, name: &str) -> String {
        self.send("stats\r\n");
        let mut reply = String::new();
        while !reply.ends_with("END\r\n") {
            let mut buffer = [0; 4096];
            let bytes = self.0.read(&mut buffer).unwrap();
            assert_ne!(bytes, 0, "the connection was closed");
            reply.push_str(std::str::from_utf8(&buffer[..bytes]).unwrap());
        }
        let value = reply.lines().find_map(|line| {
            line.strip_prefix("STAT ")?
                .strip_prefix(name)?
                .strip_prefix(' ')
        });
        value.unwrap().to_owned()
    }

    /// Expects that the connection ends, after whatever is left.
    pub(crate) fn expect_closed(&mut self) {
        match io::copy(&mut self.0, &mut io::sink()) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }

    /// Expects that the connection is reset, with nothing left.
    pub(crate) fn expect_reset(&mut self) {
        let error = self.0.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
}

/// Waits for what another thread is about to do.
pub(crate) fn wait_until(done: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "it did not happen");
        thread::yield_now();
    }
}
