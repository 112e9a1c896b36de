//! A proxy between a client and two memcacheds, as fleets have them.

use super::memcached::{self, Memcached, reserve};
use super::passwords::Folder;
use super::raw::{RawClient, wait_until};
use super::skipped;
use moecache::Protocol;
use socket2::Socket;
use std::ffi::OsString;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

/// Which proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    /// memcached's own, set up by its routelib.
    BuiltIn,
    /// nutcracker, which is also called twemproxy.
    Nutcracker,
}

/// A proxy that runs. It and its memcacheds are killed when this is dropped.
#[derive(Debug)]
pub struct Behind {
    address: SocketAddr,
    backends: [Memcached; 2],
    _process: Process,
    _folder: Folder,
}

#[derive(Debug)]
enum Process {
    Memcached(#[allow(dead_code, reason = "it runs until it is dropped")] Memcached),
    Nutcracker(Child, #[allow(dead_code, reason = "its ports")] [Socket; 2]),
}

impl Proxy {
    /// What to call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::BuiltIn => "memcached's proxy",
            Self::Nutcracker => "nutcracker",
        }
    }

    /// The one that the environment variable `MOECACHE_BEHIND` chooses for a whole program, if it is set:
    /// `proxy` or `nutcracker`.
    pub fn chosen() -> Option<Self> {
        match std::env::var("MOECACHE_BEHIND").ok()?.as_str() {
            "proxy" => Some(Self::BuiltIn),
            "nutcracker" => Some(Self::Nutcracker),
            other => panic!("MOECACHE_BEHIND={other}: it is proxy or nutcracker"),
        }
    }

    /// Whether it knows a protocol. nutcracker takes `Auto` too, which comes down to text.
    pub fn speaks(self, protocol: Protocol) -> bool {
        match self {
            Self::BuiltIn => protocol != Protocol::Binary,
            Self::Nutcracker => matches!(protocol, Protocol::Text | Protocol::Auto),
        }
    }

    /// Returns why there is none, if there is none.
    pub fn is_missing(self) -> Option<String> {
        if let Some(why) = memcached::is_missing() {
            return Some(why);
        }
        match self {
            Self::BuiltIn if memcached::has_option("proxy_config") => None,
            Self::BuiltIn => Some(format!("memcached {} has no proxy", memcached::version())),
            Self::Nutcracker => {
                let output = Command::new(nutcracker_program()).arg("--version").output();
                let error = output.err()?;
                let why = std::env::var("MOECACHE_WITHOUT_NUTCRACKER");
                Some(
                    why.unwrap_or_else(|_| {
                        format!("no nutcracker ({error}); tests/run installs it")
                    }),
                )
            }
        }
    }

    /// Starts it; `None` where there is none. Why, is printed.
    pub fn start(self) -> Option<Behind> {
        self.with_args(&[])
    }

    /// The same with more arguments for memcached.
    pub fn with_args(self, args: &[&str]) -> Option<Behind> {
        if let Some(why) = self.is_missing() {
            skipped(format_args!("{}: {why}", self.name()));
            return None;
        }
        let backends = [(); 2].map(|()| Memcached::with_args(args));
        let addresses = backends.each_ref().map(Memcached::address);
        let folder = Folder::new();
        let (address, process) = match self {
            Self::BuiltIn => built_in(&folder, addresses, args)?,
            Self::Nutcracker => nutcracker(&folder, addresses),
        };
        Some(Behind {
            address,
            backends,
            _process: process,
            _folder: folder,
        })
    }
}

fn built_in(
    folder: &Folder,
    backends: [SocketAddr; 2],
    args: &[&str],
) -> Option<(SocketAddr, Process)> {
    let options = routes(folder, backends)?;
    let args = [args, &["-o", &options]].concat();
    let proxy = Memcached::with_args(&args);
    Some((proxy.address(), Process::Memcached(proxy)))
}

/// The options that make a memcached a proxy of these two; `None` where it cannot be one. Why, is printed.
pub fn routes(folder: &Folder, backends: [SocketAddr; 2]) -> Option<String> {
    if let Some(why) = Proxy::BuiltIn.is_missing() {
        skipped(format_args!("memcached's proxy: {why}"));
        return None;
    }
    let [one, other] = backends;
    let routes = folder.file(
        "routes.lua",
        &format!(
            "pools{{ main = {{ backends = {{ \"{one}\", \"{other}\" }} }} }}\n\
             routes{{ default = route_direct{{ child = \"main\" }} }}\n"
        ),
    );
    Some(format!("proxy_config=routelib,proxy_arg={routes}"))
}

fn nutcracker_program() -> OsString {
    std::env::var_os("NUTCRACKER").unwrap_or_else(|| "nutcracker".into())
}

fn nutcracker(folder: &Folder, backends: [SocketAddr; 2]) -> (SocketAddr, Process) {
    let ports = [(); 2].map(|()| reserve().expect("no free port"));
    let [address, statistics] = ports
        .each_ref()
        .map(|port| port.local_addr().unwrap().as_socket().unwrap());
    let [one, other] = backends;
    let settings = folder.file(
        "nutcracker.yml",
        &format!(
            "pool:\n  listen: {address}\n  hash: fnv1a_64\n  distribution: ketama\n  \
             timeout: 20000\n  servers:\n   - {one}:1\n   - {other}:1\n"
        ),
    );
    let started = Command::new(nutcracker_program())
        .args(["-c", &settings, "-o", &folder.path("nutcracker.log")])
        .args(["-a", "127.0.0.1", "-s", &statistics.port().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let process = started.expect("nutcracker can be started");
    let process = Process::Nutcracker(process, ports);
    wait_until("nutcracker accepts", || TcpStream::connect(address).is_ok());
    (address, process)
}

impl Behind {
    /// Where the proxy listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Empties the memcacheds, not by way of the proxy.
    pub fn empty(&self) {
        for backend in &self.backends {
            RawClient::connect(backend.address()).ask("flush_all\r\n", "OK\r\n");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Self::Nutcracker(process, _) = self {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
