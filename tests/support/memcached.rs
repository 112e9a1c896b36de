//! A real memcached, for as long as a test needs it.

use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long it may take to start, on a machine that is busy.
const START: Duration = Duration::from_secs(20);

/// A memcached process on a port of 127.0.0.1 that nobody else has. It is killed when this is
/// dropped.
#[derive(Debug)]
pub struct Memcached {
    address: SocketAddr,
    args: Vec<String>,
    process: Option<Child>,
    /// Bound, and not listened to: so the kernel gives the port to nobody else, also while memcached
    /// is stopped, and memcached can still bind it. (So it is on Linux.)
    _reserved: Socket,
}

impl Memcached {
    /// Starts memcached with its defaults.
    pub fn start() -> Self {
        Self::with_args(&[])
    }

    /// Starts memcached with more arguments, such as `&["-m", "1"]`.
    pub fn with_args(args: &[&str]) -> Self {
        let reserved = reserve().expect("no free port");
        let address = reserved.local_addr().ok().and_then(|at| at.as_socket());
        let mut memcached = Self {
            address: address.expect("a socket without an address"),
            args: args.iter().map(ToString::to_string).collect(),
            process: None,
            _reserved: reserved,
        };
        memcached.restart();
        memcached
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Kills it. Its port stays reserved.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("memcached cannot be killed");
            process.wait().expect("memcached cannot be waited for");
        }
    }

    /// Starts it again on the same port, empty.
    pub fn restart(&mut self) {
        self.stop();
        let port = self.address.port().to_string();
        let process = Command::new("memcached")
            .args(["-l", "127.0.0.1", "-p", &port, "-U", "0"])
            // It refuses to run as root unless told to; for others this has no effect.
            .args(["-u", "root"])
            .args(&self.args)
            .stdin(Stdio::null())
            .spawn();
        self.process = match process {
            Ok(process) => Some(process),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                panic!("memcached is not installed: run tests/run, which installs it")
            }
            Err(error) => panic!("memcached cannot be started: {error}"),
        };
        self.wait_until_it_accepts();
    }

    fn wait_until_it_accepts(&mut self) {
        let deadline = Instant::now() + START;
        while TcpStream::connect(self.address).is_err() {
            let exited = self.process.as_mut().and_then(|it| it.try_wait().ok()?);
            assert!(exited.is_none(), "memcached exited: {exited:?}");
            assert!(Instant::now() < deadline, "memcached does not accept");
            // It says nothing when it is ready, so there is only asking again.
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Memcached {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A port of 127.0.0.1 where nobody listens, for as long as the socket lives.
pub fn reserve() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    Ok(socket)
}
