//! The server: its address, its threads, its start and stop.

use super::clock::Clock;
use super::connection;
use super::fault::{Fault, Faults, Occasion};
use super::process::Process;
use super::store::Limits;
use crate::server::IntoServers;
use socket2::{Domain, SockRef, Socket, Type};
use std::fmt;
use std::io::{self, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// memcached's `-m`, in bytes.
const MEMORY_LIMIT: usize = 64 * 1024 * 1024;

/// memcached's `-I`, in bytes, and the least that it accepts.
const ITEM_SIZE_MAX: usize = 1024 * 1024;
const ITEM_SIZE_MIN: usize = 1024;

const BACKLOG: i32 = 1024;

/// A memcached server for one test, on a free port of 127.0.0.1, until it is dropped.
///
/// Everything that takes servers takes references to this and lists of it: `Client::new(&server)`,
/// `Client::new([&one, &other])`, `Client::new(&servers)`. `Display` gives `127.0.0.1:port`.
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
    address: SocketAddr,
    limits: Limits,
    clock: Clock,
    faults: Arc<Faults>,
    received: Arc<AtomicU64>,
    running: Mutex<Option<Running>>,
    /// Keeps the port while the server is stopped.
    _reserved: Option<Socket>,
}

#[derive(Debug)]
struct Running {
    process: Arc<Process>,
    acceptor: JoinHandle<()>,
}

/// The options of a [`Server`], from [`Server::builder`].
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    limits: Limits,
    clock: Clock,
}

impl Server {
    /// Starts a server with memcached's defaults.
    ///
    /// # Errors
    ///
    /// When there is no port or thread to be had.
    pub fn start() -> io::Result<Self> {
        Self::builder().start()
    }

    /// The options to start a server with.
    ///
    /// ```
    /// use moecache::testing::{Clock, Server};
    ///
    /// let server = Server::builder()
    ///     .memory_limit(1024 * 1024)
    ///     .item_size_max(64 * 1024)
    ///     .clock(Clock::real())
    ///     .start()?;
    /// assert!(server.to_string().starts_with("127.0.0.1:"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn builder() -> Builder {
        Builder {
            limits: Limits {
                memory: MEMORY_LIMIT,
                item_size: ITEM_SIZE_MAX,
            },
            clock: Clock::real(),
        }
    }

    /// Where it listens; the same for its whole life.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
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

    /// Starts the server again on the same port, empty; one that runs is [stopped](Self::stop)
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
        *running = Some(self.run(listen(self.address)?)?);
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

    fn run(&self, listener: TcpListener) -> io::Result<Running> {
        let process = Arc::new(Process::new(
            self.address,
            self.limits,
            self.clock.clone(),
            Arc::clone(&self.faults),
            Arc::clone(&self.received),
        ));
        let acceptor = {
            let process = Arc::clone(&process);
            thread::Builder::new()
                .name(format!("memcached {}", self.address))
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
        let _ = TcpStream::connect(self.address);
        let _ = acceptor.join();
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// `127.0.0.1:port`.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl From<&Server> for crate::Server {
    fn from(server: &Server) -> Self {
        server.address.into()
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

impl Builder {
    /// How many bytes the items may take together, their headers included, before the least
    /// recently used ones are evicted (memcached's `-m`). 64 MiB by default.
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.limits.memory = bytes;
        self
    }

    /// How many bytes one item may take: its value, its key, and 59 to 63 for its header
    /// (memcached's `-I`). 1 MiB by default, at least 1 KiB.
    pub fn item_size_max(mut self, bytes: usize) -> Self {
        self.limits.item_size = bytes;
        self
    }

    /// The clock to go by; by default the system's, on its own handle.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when the largest item size is under 1 KiB; otherwise when there is no port or
    /// thread to be had.
    pub fn start(self) -> io::Result<Server> {
        if self.limits.item_size < ITEM_SIZE_MIN {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "item_size_max: at least 1024",
            ));
        }
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        // On Linux a port that is bound and not listened to is given to nobody else, and can still
        // be bound again on purpose.
        let reserved = if cfg!(target_os = "linux") {
            Some(bind(any_port)?)
        } else {
            None
        };
        let listener = match &reserved {
            Some(reserved) => listen(local_address(reserved)?)?,
            None => listen(any_port)?,
        };
        let server = Server {
            address: listener.local_addr()?,
            limits: self.limits,
            clock: self.clock,
            faults: Arc::default(),
            received: Arc::default(),
            running: Mutex::default(),
            _reserved: reserved,
        };
        let running = server.run(listener)?;
        *server.running() = Some(running);
        Ok(server)
    }
}

/// Serves connections until the server stops; then joins their threads.
fn accept(listener: &TcpListener, process: &Arc<Process>) {
    let mut threads = Vec::<JoinHandle<()>>::new();
    for stream in listener.incoming() {
        if process.is_stopping() {
            break;
        }
        threads.retain(|thread| !thread.is_finished());
        // What cannot be accepted or served is dropped, which closes it.
        let Ok(mut stream) = stream else {
            continue;
        };
        match process.faults.take(Occasion::Connection) {
            None => {}
            Some((Fault::TooManyConnections, _)) => {
                let _ = stream.write_all(b"ERROR Too many open connections\r\n");
                continue;
            }
            Some(_) => continue,
        }
        let process = Arc::clone(process);
        let thread = thread::Builder::new().spawn(move || {
            let Some(id) = process.enter(&stream) else {
                return;
            };
            // It ends with an error when its client is gone.
            let _ = connection::serve(&stream, &process, id);
            process.leave(id);
        });
        threads.extend(thread);
    }
    // Closing it would not free the port while a process that is just being spawned elsewhere in
    // this program still has a copy. (Only Linux can do this; it matters little elsewhere.)
    let _ = SockRef::from(listener).shutdown(Shutdown::Both);
    for thread in threads {
        let _ = thread.join();
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = bind(address)?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // On Windows this would let two servers share a port.
    if cfg!(unix) {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

fn local_address(socket: &Socket) -> io::Result<SocketAddr> {
    let address = socket.local_addr()?.as_socket();
    address.ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}
