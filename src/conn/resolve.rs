use super::deadline::Deadline;
use super::fault::Fault;
use crate::error::{Error, Kind};
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Finds the addresses of one server's host.
///
/// A literal address needs no lookup. A name is looked up anew for each connection, in a thread of
/// its own, because `getaddrinfo` cannot be interrupted and may take minutes; there is at most one
/// such thread a server, and whoever wants the answer waits for it until his deadline.
#[derive(Debug)]
pub(super) struct Resolver(Arc<Shared>);

/// Finds the addresses of a host and port; may take as long as it likes.
pub(super) type LookUp = fn(&str, u16) -> io::Result<Vec<SocketAddr>>;

/// The system's own way: files, DNS and whatever else it is set up with.
pub(super) fn getaddrinfo(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok((host, port).to_socket_addrs()?.collect())
}

#[derive(Debug)]
struct Shared {
    host: String,
    port: u16,
    look_up: LookUp,
    lookup: Mutex<Lookup>,
    finished: Condvar,
}

#[derive(Debug, Default)]
struct Lookup {
    in_flight: bool,
    /// How many have finished.
    finished: u64,
    /// What the last one found. An error is kept as its kind and text: `io::Error` is not `Clone`.
    found: Option<Result<Vec<SocketAddr>, (io::ErrorKind, String)>>,
}

impl Resolver {
    pub(super) fn new(host: &str, port: u16, look_up: LookUp) -> Self {
        Self(Arc::new(Shared {
            host: host.to_owned(),
            port,
            look_up,
            lookup: Mutex::default(),
            finished: Condvar::new(),
        }))
    }

    /// All addresses of the server, at least one.
    pub(super) fn resolve(&self, deadline: Deadline) -> Result<Vec<SocketAddr>, Fault> {
        if let Ok(ip) = self.0.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, self.0.port)]);
        }
        let mut lookup = self.0.lookup.lock().unwrap_or_else(PoisonError::into_inner);
        let next = lookup.finished + 1;
        if !lookup.in_flight {
            let shared = Arc::clone(&self.0);
            let thread = thread::Builder::new().name("moecache-resolve".to_owned());
            thread
                .spawn(move || shared.look_up())
                .map_err(Fault::Resolve)?;
            lookup.in_flight = true;
        }
        while lookup.finished < next {
            let finished = &self.0.finished;
            lookup = match deadline.remaining(Instant::now())? {
                Some(left) => {
                    let waited = finished.wait_timeout(lookup, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => finished
                    .wait(lookup)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
        match lookup.found.clone() {
            Some(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            Some(Err((kind, text))) => Err(Fault::Resolve(io::Error::new(kind, text))),
            _ => Err(Fault::Resolve(io::Error::new(
                io::ErrorKind::NotFound,
                "no address",
            ))),
        }
    }
}

/// The first IPv4 address of `host`: what .NET's clients take of those that a name has.
pub(crate) fn first_ipv4(host: &str, timeout: Duration) -> Result<IpAddr, Error> {
    // A port is asked for by the interface, and does not matter.
    let found =
        Resolver::new(host, 0, getaddrinfo).resolve(Deadline::after(timeout, Instant::now()));
    let addresses = found.map_err(|fault| match fault {
        Fault::Timeout => Error::new(
            Kind::ConnectTimeout,
            format!("{host:?} cannot be resolved within {timeout:?}"),
        ),
        fault => fault.into_error(timeout).on(host),
    })?;
    let ipv4 = addresses.iter().map(SocketAddr::ip).find(IpAddr::is_ipv4);
    ipv4.ok_or_else(|| {
        let reason = format!("{host:?} has no IPv4 address");
        Error::new(Kind::Connect, reason)
    })
}

impl Shared {
    fn look_up(&self) {
        let found = (self.look_up)(&self.host, self.port);
        let mut lookup = self.lookup.lock().unwrap_or_else(PoisonError::into_inner);
        lookup.found = Some(found.map_err(|error| (error.kind(), error.to_string())));
        lookup.in_flight = false;
        lookup.finished += 1;
        self.finished.notify_all();
    }
}
