//! The servers that the bench talks to: real memcacheds of its own.

#[expect(dead_code, reason = "some of it is for tests")]
#[path = "../../../tests/support/memcached.rs"]
mod memcached;

use crate::work::Place;
use memcached::Memcached;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio, id};
use std::thread::sleep;
use std::time::Duration;

/// Values of 1 MB fit, and nothing is evicted.
const ARGS: [&str; 4] = ["-I", "8m", "-m", "512"];

/// How one process tells the next where the servers are: between commas, the unix socket last.
const ADDRESSES: &str = "MOECACHE_BENCH_SERVERS";

/// Where the servers are.
pub struct Addresses {
    tcp: Vec<String>,
    unix: Vec<String>,
}

impl Addresses {
    /// Those that the process before this one started; `None` if there was none.
    pub fn given() -> Option<Self> {
        let addresses = std::env::var(ADDRESSES).ok()?;
        let mut tcp: Vec<_> = addresses.split(',').map(str::to_owned).collect();
        let unix = tcp.split_off(tcp.len() - 1);
        Some(Self { tcp, unix })
    }

    /// Those that a row takes place on.
    pub fn at(&self, place: Place) -> &[String] {
        match place {
            Place::Tcp(count) => &self.tcp[..count],
            Place::Unix => &self.unix,
        }
    }
}

/// Runs this program again, with four servers on ports of 127.0.0.1 and one on a unix socket.
///
/// They belong to another process than what is measured: so they end even if a client crashes it.
pub fn with_servers(arguments: &[String]) -> ExitCode {
    let tcp: Vec<_> = (0..4).map(|_| Memcached::with_args(&ARGS)).collect();
    let unix = OnUnixSocket::start();
    let mut addresses: Vec<_> = tcp.iter().map(|it| it.address().to_string()).collect();
    addresses.push(unix.path.to_str().expect("the path is text").to_owned());
    let status = Command::new(std::env::current_exe().expect("the path of this program"))
        .args(arguments)
        .env(ADDRESSES, addresses.join(","))
        .status()
        .expect("it has been started before");
    if status.success() {
        return ExitCode::SUCCESS;
    }
    eprintln!("the bench: {status}");
    ExitCode::FAILURE
}

struct OnUnixSocket {
    path: PathBuf,
    process: Child,
}

impl OnUnixSocket {
    fn start() -> Self {
        // Short: the path of a socket has room for some 100 bytes.
        let path = std::env::temp_dir().join(format!("moecache-peers-{}.sock", id()));
        let program = std::env::var_os("MEMCACHED").unwrap_or_else(|| "memcached".into());
        let process = Command::new(program)
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
