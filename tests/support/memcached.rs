//! A real memcached, for as long as a test needs it. Where there is none, tests have the embedded server in
//! its place, with those of its options that it has; those that it cannot stand in for begin with
//! `needs_memcached!()`.

use moecache::testing::{Builder, Server};
use socket2::{Domain, Socket, Type};
use std::ffi::OsString;
use std::io::{self, ErrorKind, Read};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long it may take to start, on a machine that is busy.
const START: Duration = Duration::from_secs(20);

/// Skips a test where there is no memcached, and says so.
#[allow(unused_macros, reason = "the benchmarks have no tests")]
macro_rules! needs_memcached {
    () => {
        if let Some(why) = $crate::support::memcached::is_missing() {
            let thread = std::thread::current();
            let test = thread.name().unwrap_or("a test");
            return $crate::support::skipped(format_args!("{test}: {why}"));
        }
    };
}
#[allow(unused_imports, reason = "as above")]
pub(crate) use needs_memcached;

/// A memcached process on a port of 127.0.0.1 that nobody else has. It is killed when this is
/// dropped.
#[derive(Debug)]
pub struct Memcached {
    address: SocketAddr,
    args: Vec<String>,
    variables: Vec<(String, String)>,
    process: Option<Child>,
    /// In its place.
    embedded: Option<Box<Server>>,
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
        Self::with_args_and_variables(args, &[])
    }

    /// Starts memcached with more arguments, and with these environment variables.
    pub fn with_args_and_variables(args: &[&str], variables: &[(&str, &str)]) -> Self {
        let embedded = stands_in().then(|| Box::new(embedded(Server::builder(), args)));
        let reserved = reserve().expect("no free port");
        let address = reserved.local_addr().ok().and_then(|at| at.as_socket());
        let address = match &embedded {
            Some(server) => server.address(),
            None => address.expect("a socket without an address"),
        };
        let mut memcached = Self {
            address,
            args: args.iter().map(ToString::to_string).collect(),
            variables: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            process: None,
            embedded,
            _reserved: reserved,
        };
        if memcached.embedded.is_none() {
            memcached.restart();
        }
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
        if let Some(server) = &self.embedded {
            server.stop();
        }
    }

    /// Starts it again on the same port, empty.
    pub fn restart(&mut self) {
        self.stop();
        if let Some(server) = &self.embedded {
            return server.restart().expect("the embedded server starts again");
        }
        let port = self.address.port().to_string();
        let args = ["-l", "127.0.0.1", "-p", &port, "-U", "0"];
        let mut process = spawn(&args, &self.args, &self.variables);
        wait_until(&mut process, || {
            hang_up(TcpStream::connect(self.address), TcpStream::shutdown)
        });
        self.process = Some(process);
    }

    /// Lets it do nothing, as if its machine had stopped, until [`thaw`](Self::thaw).
    pub fn freeze(&self) {
        self.signal("-STOP");
        // Its threads stop one after the other, and one that still runs may answer.
        let deadline = Instant::now() + START;
        while !self.is_frozen() {
            assert!(Instant::now() < deadline, "memcached does not stop");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whether all threads are stopped; where there is no `/proc`, it is taken for granted.
    fn is_frozen(&self) -> bool {
        let process = self.process.as_ref().expect("it runs");
        let Ok(threads) = std::fs::read_dir(format!("/proc/{}/task", process.id())) else {
            return true;
        };
        // `<id> (<name>) <state> ..`, and T is stopped.
        threads.flatten().all(|thread| {
            let stat = std::fs::read_to_string(thread.path().join("stat"));
            stat.is_ok_and(|stat| {
                stat.rsplit_once(") ")
                    .is_some_and(|(_, it)| it.starts_with('T'))
            })
        })
    }

    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let process = self.process.as_ref();
        let process = process.expect("it runs, or the test needs_memcached!()");
        let kill = Command::new("kill")
            .args([signal, &process.id().to_string()])
            .status();
        assert!(kill.expect("there is kill").success());
    }
}

impl Drop for Memcached {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A memcached on a unix socket. It is killed when this is dropped.
#[derive(Debug)]
pub struct UnixMemcached {
    path: PathBuf,
    process: Option<Child>,
    /// In its place.
    _embedded: Option<Server>,
}

impl UnixMemcached {
    pub fn with_args(args: &[&str]) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("moecache-test-{}-{number}.sock", std::process::id());
        let path = std::env::temp_dir().join(name);
        let text = path.to_str().expect("the path is UTF-8").to_owned();
        if stands_in() {
            let server = embedded(Server::builder().unix_socket(&path), args);
            return Self {
                path,
                process: None,
                _embedded: Some(server),
            };
        }
        let mut process = spawn(&["-s", &text], args, &[]);
        wait_until(&mut process, || {
            hang_up(UnixStream::connect(&path), UnixStream::shutdown)
        });
        Self {
            path,
            process: Some(process),
            _embedded: None,
        }
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for UnixMemcached {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Whether the embedded server stands in for memcached: in tests, and in no benchmark.
fn stands_in() -> bool {
    cfg!(test) && is_missing().is_some()
}

/// The embedded server with memcached's options.
fn embedded(mut builder: Builder, args: &[&str]) -> Server {
    let megabytes = |text: &str| text.trim_end_matches('m').parse::<usize>().unwrap() << 20;
    for option in args.chunks(2) {
        builder = match *option {
            ["-m", limit] => builder.memory_limit(megabytes(limit)),
            ["-I", size] => builder.item_size_max(megabytes(size)),
            ["-c", connections] => builder.max_connections(connections.parse().unwrap()),
            // How it does its work, which nobody sees.
            ["-t", _] | ["-o", "no_lru_maintainer"] => builder,
            _ => panic!("the embedded server has no {option:?}: this test needs_memcached!()"),
        };
    }
    builder.start().expect("the embedded server starts")
}

fn spawn<A: AsRef<str>>(place: &[&str], args: &[A], variables: &[(String, String)]) -> Child {
    let process = Command::new(program())
        .args(place)
        // It refuses to run as root unless told to; for others this has no effect.
        .args(["-u", "root"])
        .args(args.iter().map(AsRef::as_ref))
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .spawn();
    match process {
        Ok(process) => process,
        Err(error) => not_started(&error),
    }
}

/// The memcached that tests start: the one that the environment variable `MEMCACHED` names, or the
/// first on the path.
pub fn program() -> OsString {
    std::env::var_os("MEMCACHED").unwrap_or_else(|| "memcached".into())
}

/// Returns why there is no memcached, if there is none.
pub fn is_missing() -> Option<String> {
    static MISSING: LazyLock<Option<String>> = LazyLock::new(|| {
        let started = Command::new(program()).arg("--version").output();
        let (program, error) = (program(), started.err()?);
        let program = Path::new(&program).display();
        Some(format!(
            "{program}: {error}; tests/run installs memcached, MEMCACHED names one"
        ))
    });
    MISSING.clone()
}

/// What that memcached says its version is, such as `1.6.18`, which the embedded server says too.
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        if is_missing().is_some() {
            return "1.6.18".to_owned();
        }
        let answer = said("--version");
        let version = answer.trim().strip_prefix("memcached ");
        version.unwrap_or_else(|| panic!("{answer}")).to_owned()
    });
    &VERSION
}

/// Whether that memcached is of this release or a later one.
pub fn is_at_least(release: [u32; 3]) -> bool {
    release_of(version()) >= release
}

/// The three numbers at the beginning of a version.
pub fn release_of(version: &str) -> [u32; 3] {
    let mut numbers = version
        .split(|letter: char| !letter.is_ascii_digit())
        .map(|number| number.parse().unwrap_or(0));
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

/// Whether that memcached's help names an option. Some are left out when it is compiled.
pub fn has_option(option: &str) -> bool {
    static HELP: LazyLock<String> = LazyLock::new(|| said("--help"));
    is_missing().is_none() && HELP.contains(option)
}

fn said(argument: &str) -> String {
    match Command::new(program()).arg(argument).output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(error) => not_started(&error),
    }
}

fn not_started(error: &io::Error) -> ! {
    let program = program();
    let program = Path::new(&program).display();
    match error.kind() {
        ErrorKind::NotFound => {
            panic!("there is no {program}: tests/run installs memcached, MEMCACHED names one")
        }
        _ => panic!("{program} cannot be started: {error}"),
    }
}

fn wait_until(process: &mut Child, mut accepts: impl FnMut() -> bool) {
    let deadline = Instant::now() + START;
    while !accepts() {
        let exited = process.try_wait().ok().flatten();
        assert!(exited.is_none(), "memcached exited: {exited:?}");
        assert!(Instant::now() < deadline, "memcached does not accept");
        // It says nothing when it is ready, so there is only asking again.
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Whether there was a connection. It is over on both sides, and in no count of the server's any more.
fn hang_up<S: Read>(
    connected: io::Result<S>,
    shutdown: impl FnOnce(&S, Shutdown) -> io::Result<()>,
) -> bool {
    let Ok(mut stream) = connected else {
        return false;
    };
    // A server that is gone again is found out by what comes next.
    let _ = shutdown(&stream, Shutdown::Write);
    let _ = stream.read(&mut [0]);
    true
}

/// A port of 127.0.0.1 where nobody listens, for as long as the socket lives.
pub fn reserve() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    Ok(socket)
}
