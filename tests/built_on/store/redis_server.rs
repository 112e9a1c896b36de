//! A real Redis, for as long as a test needs it.

use crate::support::{reserve, skipped};
use socket2::Socket;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

/// A Redis process on a port of 127.0.0.1 that nobody else has. It is killed when this is dropped.
#[derive(Debug)]
pub struct RedisServer {
    address: SocketAddr,
    folder: PathBuf,
    args: Vec<String>,
    process: Option<Child>,
    /// Bound, and not listened to: so nobody else gets the port, also while Redis is stopped.
    _reserved: Socket,
}

impl RedisServer {
    /// Starts one with more arguments; `None`, and says so, if Redis is not installed.
    pub fn start(what: &str, args: &[&str]) -> Option<Self> {
        let installed = Command::new("redis-server")
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        if let Err(error) = installed {
            assert_eq!(error.kind(), ErrorKind::NotFound, "redis-server: {error}");
            // tests/run says why.
            let why = env::var("MOECACHE_WITHOUT_REDIS");
            let why = why.as_deref().unwrap_or("redis-server is not installed");
            skipped(format_args!("{what} on a real Redis: {why}"));
            return None;
        }
        let reserved = reserve().expect("no free port");
        let address = reserved.local_addr().ok().and_then(|at| at.as_socket());
        let address = address.expect("a socket without an address");
        let folder = format!("moecache-redis-{}-{}", std::process::id(), address.port());
        let folder = env::temp_dir().join(folder);
        fs::create_dir_all(&folder).expect("no folder for Redis");
        let mut server = Self {
            address,
            folder,
            args: args.iter().map(ToString::to_string).collect(),
            process: None,
            _reserved: reserved,
        };
        server.restart();
        Some(server)
    }

    pub fn url(&self) -> String {
        format!("redis://{}/0", self.address)
    }

    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("Redis cannot be killed");
            process.wait().expect("Redis cannot be waited for");
        }
    }

    /// Starts it again on the same port, empty.
    pub fn restart(&mut self) {
        self.stop();
        let mut process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port"])
            .arg(self.address.port().to_string())
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(&self.folder)
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("Redis cannot be started");
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.answers() {
            let exited = process.try_wait().ok().flatten();
            assert!(exited.is_none(), "Redis exited: {exited:?}");
            assert!(Instant::now() < deadline, "Redis does not answer");
            // It says nothing when it is ready, so there is only asking again.
            std::thread::sleep(Duration::from_millis(1));
        }
        self.process = Some(process);
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(self.address) else {
            return false;
        };
        let asked = stream.write_all(b"PING\r\n");
        asked.is_ok() && stream.read(&mut [0; 64]).is_ok_and(|count| count > 0)
    }

    /// What Redis answers to a command, such as `"PTTL key"`, on a connection of its own.
    pub fn ask(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .write_all(format!("{command}\r\nQUIT\r\n").as_bytes())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
