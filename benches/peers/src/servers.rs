//! The servers that the bench talks to: real memcacheds of its own.

#[expect(dead_code, reason = "some of it is for tests")]
#[path = "../../../tests/support/memcached.rs"]
mod memcached;

use crate::work::Place;
use memcached::Memcached;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio, id};
use std::thread::sleep;
use std::time::Duration;

/// Values of 1 MB fit, and nothing is evicted.
const ARGS: [&str; 4] = ["-I", "8m", "-m", "512"];

/// Four of them on ports of 127.0.0.1, and one on a unix socket. They end when this is dropped.
pub struct Servers {
    tcp: Vec<String>,
    unix: Vec<String>,
    _processes: (Vec<Memcached>, OnUnixSocket),
}

impl Servers {
    pub fn start() -> Self {
        let tcp: Vec<_> = (0..4).map(|_| Memcached::with_args(&ARGS)).collect();
        let unix = OnUnixSocket::start();
        Self {
            tcp: tcp.iter().map(|it| it.address().to_string()).collect(),
            unix: vec![unix.path.to_str().expect("the path is text").to_owned()],
            _processes: (tcp, unix),
        }
    }

    /// Those that a row takes place on.
    pub fn at(&self, place: Place) -> &[String] {
        match place {
            Place::Tcp(count) => &self.tcp[..count],
            Place::Unix => &self.unix,
        }
    }
}

struct OnUnixSocket {
    path: PathBuf,
    process: Child,
}

impl OnUnixSocket {
    fn start() -> Self {
        // Short: the path of a socket has room for some 100 bytes.
        let path = std::env::temp_dir().join(format!("moecache-peers-{}.sock", id()));
        let process = Command::new("memcached")
            .arg("-s")
            .arg(&path)
            .args(["-u", "root"])
            .args(ARGS)
            .stdin(Stdio::null())
            .spawn();
        let mut server = Self {
            path,
            process: process.expect("memcached starts"),
        };
        while UnixStream::connect(&server.path).is_err() {
            let exited = server.process.try_wait().expect("it is our child");
            assert!(exited.is_none(), "memcached exited: {exited:?}");
            sleep(Duration::from_millis(1));
        }
        server
    }
}

impl Drop for OnUnixSocket {
    fn drop(&mut self) {
        // It cannot fail: nobody has waited for it.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_file(&self.path);
    }
}
