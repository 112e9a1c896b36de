//! A proxy between a client and one real memcached, on a free port of 127.0.0.1, that commits faults:
//! those that a test injects one by one, or random ones that follow from a seed. It knows where
//! requests and replies end in all three protocols, and finds out by itself which one is spoken; each
//! connection of the client has one to the server.
//!
//! ```ignore
//! let memcached = Memcached::start();
//! let proxy = Proxy::start(memcached.address());
//! let client = Client::new(proxy.address())?;
//!
//! proxy.inject(Fault::Cut { after: 9 }); // of the next reply, on whichever connection
//! let error = client.get::<String>("key").unwrap_err();
//! assert_eq!(proxy.committed()["cut"], 1); // it has happened
//!
//! proxy.inject(Fault::TooManyConnections); // of the next connection
//! client.close();
//!
//! proxy.refuse(); // the server is gone, and so are all connections
//! proxy.clear(); // it is back; nothing injected is left, all delays end
//!
//! proxy.set_weather(Weather { mix: Mix::Hostile, per_mille: 50, deadline }, seed);
//! ```
//!
//! Injected faults are committed in their order. A lie for which a reply has no place (a forged key
//! where there is no value) waits for the first reply that has one. Bytes of the test's own come with
//! [`Fault::Garbage`], [`Fault::Surplus`] and [`Fault::Stray`].
//!
//! A connection that is cut, reset or swallowed is so between a request and its reply: the server has
//! carried the request out, or never will; but for [`Fault::DelayRequest`], whose very point it is
//! that it may do so late. (It is Linux that lets a port be reserved and listened on again.)

mod fault;
mod forge;
mod frame;
mod history;
mod script;
mod session;
mod weather;

pub use fault::{Fault, Length};
pub use weather::{Mix, Weather};

use super::memcached::reserve;
use script::Script;
use socket2::{Domain, Socket, Type};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 128;

/// A running proxy. It ends when this is dropped, with all of its connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    script: Arc<Script>,
    acceptor: Option<JoinHandle<()>>,
    /// Keeps the port while nobody listens.
    _reserved: Socket,
}

impl Proxy {
    /// Starts one before the memcached at `upstream`.
    pub fn start(upstream: SocketAddr) -> Self {
        let reserved = reserve().expect("no free port");
        let address = reserved.local_addr().ok().and_then(|at| at.as_socket());
        let address = address.expect("a socket without an address");
        let script = Arc::new(Script::new(upstream));
        let acceptor = thread::spawn({
            let script = Arc::clone(&script);
            move || accept(&script, address)
        });
        script.clear(); // It waits until there is a listener.
        Self {
            address,
            script,
            acceptor: Some(acceptor),
            _reserved: reserved,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Commits `fault` with the next reply or the next connection that no earlier one is for.
    pub fn inject(&self, fault: Fault) {
        self.script.inject(fault);
    }

    /// From now on faults come at random, as `seed` has it.
    pub fn set_weather(&self, weather: Weather, seed: u64) {
        self.script.set_weather(weather, seed);
    }

    /// From now on connections are refused; those that there are, are closed, between two replies.
    pub fn refuse(&self) {
        const LONG: Duration = Duration::from_secs(24 * 60 * 60);
        self.script.refuse(Instant::now() + LONG);
    }

    /// No faults any more: none of those injected, no weather, no delay that still lasts, nobody
    /// refused. Connections that were stalled or swallowed remain so.
    pub fn clear(&self) {
        self.script.clear();
    }

    /// How often each kind of fault was committed, by [`Fault::name`].
    pub fn committed(&self) -> BTreeMap<&'static str, u64> {
        self.script.committed()
    }

    /// What is wrong with the server behind it, or with the proxy itself; empty in a good run.
    pub fn problems(&self) -> Vec<String> {
        self.script.problems()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.script.stop();
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

/// Accepts connections, each served by a thread of its own, whenever there may be a listener.
fn accept(script: &Arc<Script>, address: SocketAddr) {
    let mut session = 0;
    while let Some(listener) = script.listener(|| listen(address)) {
        while let Ok((client, _)) = listener.accept() {
            session += 1;
            // Before the thread runs, so that it is known before the proxy can end.
            let client = Arc::new(TcpStream::from(client));
            let fault = script.add(session, &client);
            let script = Arc::clone(script);
            thread::spawn(move || {
                let mut ending = Ending {
                    script,
                    session,
                    problem: Some("a thread of the proxy panicked".to_owned()),
                };
                let served = session::serve(&ending.script, session, &client, fault.as_ref());
                ending.problem = served
                    .err()
                    .filter(|error| error.kind() == ErrorKind::Other)
                    .map(|error| error.to_string());
            });
        }
    }
}

/// Says that a session is over, however it ended.
struct Ending {
    script: Arc<Script>,
    session: u64,
    problem: Option<String>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.script.remove(self.session, self.problem.take());
    }
}

fn listen(address: SocketAddr) -> Socket {
    let listen = || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        std::io::Result::Ok(socket)
    };
    listen().expect("the port is reserved")
}
