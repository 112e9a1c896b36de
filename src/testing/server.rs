//! The server: its address, its threads, its start and stop.

use super::clock::Clock;
use super::connection;
use super::counters::Counters;
use super::fault::{Fault, Faults, Occasion};
use super::place::{Place, reachable};
use super::process::Process;
use super::settings::Settings;
use crate::address::IntoServers;
use socket2::Socket;
use std::fmt;
use std::io::{self, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// What memcached says beyond `-c`.
const TOO_MANY_CONNECTIONS: &[u8] = b"ERROR Too many open connections\r\n";

/// A memcached server for one test, on a free port of 127.0.0.1, an [address](super::Builder::address) of
/// your choice or a [unix socket](super::Builder::unix_socket), until it is dropped.
///
/// Everything that takes servers takes references to this and lists of it: `Client::new(&server)`,
/// `Client::new([&one, &other])`, `Client::new(&servers)`. `Display` gives its entry in a list of
/// servers: `127.0.0.1:port`, or the path.
///
/// Dropping it closes its socket and all connections, and joins its threads.
///
/// ```
/// use moecache::testing::Server;
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// let server = Server::start()?;
/// let mut stream = TcpStream::connect(server.address())?;
/// stream.write_all(b"set some_key 0 60 10\r\nSome value\r\nget some_key\r\nquit\r\n")?;
/// let mut replies = String::new();
/// stream.read_to_string(&mut replies)?;
/// assert_eq!(replies, "STORED\r\nVALUE some_key 0 10\r\nSome value\r\nEND\r\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Server {
    place: Place,
    settings: Settings,
    clock: Clock,
    faults: Arc<Faults>,
    received: Arc<AtomicU64>,
    running: Mutex<Option<Running>>,
    /// What was counted when it was last stopped.
    stopped_with: Mutex<Counters>,
    /// Keeps the port while the server is stopped.
    _reserved: Option<Socket>,
}

#[derive(Debug)]
struct Running {
    process: Arc<Process>,
    acceptor: JoinHandle<()>,
}

impl Server {
    pub(super) fn start_at(
        place: Place,
        reserved: Option<Socket>,
        settings: Settings,
        clock: Clock,
    ) -> io::Result<Self> {
        let server = Self {
            place,
            settings,
            clock,
            faults: Arc::default(),
            received: Arc::default(),
            running: Mutex::default(),
            stopped_with: Mutex::default(),
            _reserved: reserved,
        };
        server.restart()?;
        Ok(server)
    }

    /// The address to connect to; the same for its whole life. For a server that listens on all
    /// addresses of the machine this is the loopback address. A server on a unix socket has no address:
    /// for it this is port 0, to which nothing connects. (Its name in any case is what `Display` gives.)
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        match self.place {
            Place::Tcp(address) => reachable(address),
            Place::Unix(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        }
    }

    /// The unix socket it listens on, if it is not on TCP.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.place.path()
    }

    /// The clock it goes by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Stops listening and closes all connections; its threads have ended when this returns. The
    /// items are lost. Until a [restart](Self::restart), connections are refused.
    pub fn stop(&self) {
        self.stop_running(&mut self.running());
    }

    /// Starts the server again on the same port or path, empty; one that runs is [stopped](Self::stop)
    /// before. Clock and faults stay as they are.
    ///
    /// # Errors
    ///
    /// When there is no thread to be had, or (not on Linux, where it is reserved) somebody else took
    /// the port.
    pub fn restart(&self) -> io::Result<()> {
        let mut running = self.running();
        self.stop_running(&mut running);
        self.faults.start();
        *running = Some(self.run(self.place.listen()?)?);
        Ok(())
    }

    /// Closes all connections, and stays up: what clients see when something between them and the
    /// server drops idle connections.
    pub fn disconnect(&self) {
        if let Some(running) = &*self.running() {
            running.process.disconnect();
        }
    }

    /// The next reply or connection that the fault concerns suffers it. Several faults happen one
    /// after the other, in the order given, also across connections.
    pub fn inject(&self, fault: Fault) {
        self.faults.once(fault);
    }

    /// The same for several faults in one step, so that replies to other threads do not come in
    /// between. [`Fault::Pass`] is a reply that is left as it is.
    ///
    /// ```
    /// use moecache::testing::{Fault, Server};
    /// use moecache::Client;
    ///
    /// let server = Server::start()?;
    /// let client = Client::new(&server)?;
    /// server.inject_script([Fault::Pass, Fault::Pass, Fault::Cut { after: 0 }]);
    /// client.set("balance", 100, 0)?;
    /// client.set("name", "Ann", 0)?;
    /// assert!(client.append("name", "e").unwrap_err().is_ambiguous()); // The third reply is lost.
    /// assert_eq!(server.pending_faults(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn inject_script(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.script(faults.into_iter().collect());
    }

    /// How many of the faults given to [`inject`](Self::inject) and
    /// [`inject_script`](Self::inject_script) have not happened yet: 0 once a test has seen them all.
    #[must_use]
    pub fn pending_faults(&self) -> usize {
        self.faults.pending()
    }

    /// Every reply or connection that the fault concerns suffers it, after those given to
    /// [`inject`](Self::inject), until [`clear_faults`](Self::clear_faults) or the next call of this
    /// one. There is one such fault for replies, and one for connections.
    pub fn inject_always(&self, fault: Fault) {
        self.faults.always(fault);
    }

    /// Forgets all faults that have not happened yet. Delays and drips that are under way are cut
    /// short.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }

    /// What it counted since it was started: hits, misses and so on. [`Client::stats_of`]`("reset")` sets
    /// them to zero, and so does a [restart](Self::restart); a server that is stopped keeps those it
    /// had.
    ///
    /// ```
    /// use moecache::{Client, testing::Server};
    ///
    /// let server = Server::start()?;
    /// let client = Client::new(&server)?;
    /// client.set("a", 1, 0)?;
    /// client.get_many::<i32, _>(["a", "b", "c"]).all()?;
    /// let counted = server.counters();
    /// assert_eq!((counted.sets, counted.hits, counted.misses), (1, 1, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// [`Client::stats_of`]: crate::Client::stats_of
    #[must_use]
    pub fn counters(&self) -> Counters {
        match &*self.running() {
            Some(running) => Counters::of(&running.process.store()),
            None => *self.stopped_with(),
        }
    }

    /// How often a key was asked for and was there: [`Counters::hits`].
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.counters().hits
    }

    /// How often a key was asked for and was not there: [`Counters::misses`].
    #[must_use]
    pub fn misses(&self) -> u64 {
        self.counters().misses
    }

    /// How many connections are open. A connection that a client has closed counts until the server
    /// noticed it.
    #[must_use]
    pub fn connections(&self) -> usize {
        let running = self.running();
        running
            .as_ref()
            .map_or(0, |running| running.process.open_count())
    }

    /// How many bytes clients have sent to it in its whole life.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    fn run(&self, listener: Socket) -> io::Result<Running> {
        let process = Arc::new(Process::new(
            self.place.clone(),
            self.settings.clone(),
            self.clock.clone(),
            Arc::clone(&self.faults),
            Arc::clone(&self.received),
        ));
        let acceptor = {
            let process = Arc::clone(&process);
            thread::Builder::new()
                .name(format!("memcached {}", self.place))
                .spawn(move || accept(&listener, &process))?
        };
        Ok(Running { process, acceptor })
    }

    fn stop_running(&self, running: &mut Option<Running>) {
        let Some(Running { process, acceptor }) = running.take() else {
            return;
        };
        process.stop();
        // Wakes the acceptor. Where no connection can be made, it has enough others to wake up to.
        let _ = self.place.connect();
        let _ = acceptor.join();
        self.place.leave();
        *self.stopped_with() = Counters::of(&process.store());
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopped_with(&self) -> MutexGuard<'_, Counters> {
        let counters = self.stopped_with.lock();
        counters.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The [address](Server::address), or the path of the unix socket.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Tcp(_) => self.address().fmt(f),
            place @ Place::Unix(_) => place.fmt(f),
        }
    }
}

impl From<&Server> for crate::Server {
    fn from(server: &Server) -> Self {
        server.to_string().into()
    }
}

impl IntoServers for &Server {
    fn into_servers(self) -> Vec<crate::Server> {
        vec![self.into()]
    }
}

impl IntoServers for &[Server] {
    fn into_servers(self) -> Vec<crate::Server> {
        self.iter().map(Into::into).collect()
    }
}

impl<const N: usize> IntoServers for &[Server; N] {
    fn into_servers(self) -> Vec<crate::Server> {
        self.as_slice().into_servers()
    }
}

impl IntoServers for &Vec<Server> {
    fn into_servers(self) -> Vec<crate::Server> {
        self.as_slice().into_servers()
    }
}

/// Serves connections until the server stops; then joins their threads.
fn accept(listener: &Socket, process: &Arc<Process>) {
    let mut threads = Vec::<JoinHandle<()>>::new();
    loop {
        let accepted = listener.accept();
        if process.is_stopping() {
            break;
        }
        threads.retain(|thread| !thread.is_finished());
        // What cannot be accepted or served is dropped, which closes it.
        let Ok((mut stream, _)) = accepted else {
            continue;
        };
        match process.faults.take(Occasion::Connection) {
            None => {}
            Some((Fault::TooManyConnections, _)) => {
                let _ = stream.write_all(TOO_MANY_CONNECTIONS);
                continue;
            }
            Some(_) => continue,
        }
        if process.is_full() {
            process.store().counters.rejected_connections += 1;
            let _ = stream.write_all(TOO_MANY_CONNECTIONS);
            continue;
        }
        let Some(id) = process.enter(&stream) else {
            continue;
        };
        let thread = {
            let process = Arc::clone(process);
            thread::Builder::new().spawn(move || {
                // It ends with an error when its client is gone.
                let _ = connection::serve(&stream, &process, id);
                process.leave(id);
            })
        };
        if thread.is_err() {
            process.leave(id);
        }
        threads.extend(thread);
    }
    // Closing it would not free the port while a process that is just being spawned elsewhere in
    // this program still has a copy. (Only Linux can do this; it matters little elsewhere.)
    let _ = listener.shutdown(Shutdown::Both);
    for thread in threads {
        let _ = thread.join();
    }
}
