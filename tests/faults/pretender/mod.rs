//! A server that pretends to have every key, and lies when it is told to.
//!
//! The value of a key says whose it is (`value of key`), so that a wrong answer shows; every store
//! succeeds, every counter counts 1. It answers in the protocol in which it is asked, writes down
//! what it was asked on which connection, and which connections its client has closed.

mod asked;
mod packet;

pub use asked::{Asked, Line, Wire, value_of};
pub use packet::Packet;

use socket2::SockRef;
use std::collections::VecDeque;
use std::io::{self, BufReader, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Requests that one reply answers: one, or quiet ones with the fence behind them.
#[derive(Debug)]
pub struct Batch {
    pub asked: Vec<Asked>,
}

impl Batch {
    /// A lie about the first request, and honest replies to the others.
    pub fn but_first(&self, lie: &[u8]) -> Vec<u8> {
        let rest = self.asked[1..].iter().flat_map(Asked::honest);
        lie.iter().copied().chain(rest).collect()
    }

    /// What an honest server answers.
    pub fn honest(&self) -> Vec<u8> {
        self.asked.iter().flat_map(Asked::honest).collect()
    }

    pub fn first(&self) -> &Asked {
        &self.asked[0]
    }
}

/// What the server does in place of an honest reply.
#[derive(Debug)]
pub struct Deed {
    pub bytes: Vec<u8>,
    pub then: Then,
}

/// What comes after the bytes of a [`Deed`].
#[derive(Debug)]
pub enum Then {
    /// Honest replies again.
    GoOn,
    /// Nothing, ever; the connection stays open.
    Silence,
    /// The server's side is closed. What the client still sends is written down.
    Close,
    /// A TCP RST.
    Reset,
    /// They themselves come one by one, with such a pause before each; then honest replies again.
    Drip(Duration),
    /// These bytes, over and over.
    Repeat(Vec<u8>),
}

type Lie = Box<dyn FnOnce(&Batch) -> Deed + Send>;

/// The server. See the [module](self).
#[derive(Debug)]
pub struct Pretender {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    lies: Mutex<VecDeque<Lie>>,
    /// Those that are open, by their numbers.
    streams: Mutex<Vec<Option<TcpStream>>>,
    log: Mutex<Log>,
    is_over: AtomicBool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Log {
    connections: usize,
    asked: Vec<(usize, String)>,
    closed: Vec<usize>,
}

impl Pretender {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::<Shared>::default();
        let acceptor = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || accept(&listener, &shared))
        };
        Self {
            address,
            shared,
            acceptor: Some(acceptor),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next reply is this, after those that were ordered before.
    pub fn next(&self, lie: impl FnOnce(&Batch) -> Deed + Send + 'static) {
        lock(&self.shared.lies).push_back(Box::new(lie));
    }

    /// Sends something that nobody asked for.
    pub fn interject(&self, connection: usize, bytes: &[u8]) {
        let streams = lock(&self.shared.streams);
        let mut stream = streams[connection].as_ref().expect("it is open");
        stream.write_all(bytes).unwrap();
    }

    /// Closes the server's side of a connection.
    pub fn close(&self, connection: usize) {
        let streams = lock(&self.shared.streams);
        let stream = streams[connection].as_ref().expect("it is open");
        stream.shutdown(Shutdown::Write).unwrap();
    }

    /// How many connections were ever made.
    pub fn connections(&self) -> usize {
        lock(&self.shared.log).connections
    }

    /// On which connections (the first is 0) it was asked this: `get key`, `set key`.
    pub fn asked(&self, what: &str) -> Vec<usize> {
        let log = lock(&self.shared.log);
        let asked = log.asked.iter().filter(|(_, asked)| asked == what);
        asked.map(|(connection, _)| *connection).collect()
    }

    /// How many requests there were.
    pub fn requests(&self) -> usize {
        lock(&self.shared.log).asked.len()
    }

    /// Whether the client has closed this connection.
    pub fn is_closed(&self, connection: usize) -> bool {
        lock(&self.shared.log).closed.contains(&connection)
    }
}

impl Drop for Pretender {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // Wakes the acceptor.
        let _ = TcpStream::connect(self.address);
        let _ = self.acceptor.take().map(JoinHandle::join);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Each connection has a thread, which ends with it.
fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().unwrap();
        if shared.is_over.load(Ordering::Relaxed) {
            return;
        }
        let mut streams = lock(&shared.streams);
        let number = streams.len();
        streams.push(Some(stream.try_clone().unwrap()));
        drop(streams);
        lock(&shared.log).connections += 1;
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            stream.set_nodelay(true).unwrap();
            let _guard = Guard {
                shared: &shared,
                number,
            };
            // It ends with an error when the client is gone.
            let _ = serve(&stream, &shared, number);
        });
    }
}

/// Closes and writes it down, whatever happens.
struct Guard<'s> {
    shared: &'s Shared,
    number: usize,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        lock(&self.shared.streams)[self.number] = None;
        lock(&self.shared.log).closed.push(self.number);
    }
}

fn serve(stream: &TcpStream, shared: &Shared, number: usize) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    let mut answers = true;
    loop {
        let mut batch = Batch { asked: Vec::new() };
        while batch.asked.last().is_none_or(|asked| asked.is_quiet) {
            let Some(asked) = Asked::read(&mut reader)? else {
                return Ok(());
            };
            lock(&shared.log)
                .asked
                .extend(asked.lines().into_iter().map(|line| (number, line)));
            batch.asked.push(asked);
        }
        if !answers {
            continue;
        }
        let lie = lock(&shared.lies).pop_front();
        let Some(lie) = lie else {
            writer.write_all(&batch.honest())?;
            continue;
        };
        let deed = lie(&batch);
        if matches!(deed.then, Then::Reset) {
            SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
        }
        if let Then::Drip(pause) = deed.then {
            for byte in deed.bytes {
                thread::sleep(pause);
                writer.write_all(&[byte])?;
            }
            continue;
        }
        writer.write_all(&deed.bytes)?;
        match deed.then {
            Then::GoOn | Then::Drip(_) => {}
            Then::Silence => answers = false,
            Then::Close => {
                stream.shutdown(Shutdown::Write)?;
                answers = false;
            }
            // With the linger of zero, closing resets.
            Then::Reset => return Ok(()),
            Then::Repeat(bytes) => loop {
                writer.write_all(&bytes)?;
            },
        }
    }
}
