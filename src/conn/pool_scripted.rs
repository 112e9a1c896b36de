//! A pool whose connections end in sockets that a fuzz target holds, in place of a server.

use super::super::connect::Place;
use super::super::connection::Connection;
use super::super::stream::Stream;
use super::*;
use crate::protocol::Limits;
use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;
use std::net::Shutdown;

/// The connections that are made next.
#[derive(Debug, Default)]
pub(crate) struct Scripted(Mutex<VecDeque<Stream>>);

impl Scripted {
    pub(in crate::conn) fn next(&self) -> Result<Connection, Fault> {
        let next = self.0.lock().unwrap().pop_front();
        let stream = next.ok_or_else(|| Fault::Connect(ErrorKind::ConnectionRefused.into()))?;
        Ok(Connection::new(stream, Limits::UNIX))
    }
}

impl Pool {
    pub(crate) fn scripted(options: Options) -> Self {
        let address = Address::Unix("/scripted".to_owned());
        let mut pool = Self::new(&address, None, Arc::new(options)).unwrap();
        pool.endpoint.place = Place::Scripted(Scripted::default());
        pool
    }

    /// Makes the connection that is made next; gives the other end of it.
    pub(crate) fn accept(&self) -> Peer {
        let (socket, ours) = Socket::pair(Domain::UNIX, Type::STREAM, None).unwrap();
        let theirs = socket.try_clone().unwrap();
        let Place::Scripted(Scripted(connections)) = &self.endpoint.place else {
            panic!("its connections are not scripted");
        };
        connections.lock().unwrap().push_back(Stream::of(socket));
        Peer { ours, theirs }
    }

    /// Whether the next connection begins with the questions what the server speaks.
    pub(crate) fn asks(&self) -> bool {
        self.dialect().is_none()
    }

    /// As where an idle connection was found to be no good.
    pub(crate) fn forget(&self) {
        self.remember_text(false);
    }

    /// Whether there is an idle connection; one that is not good any more is closed.
    pub(crate) fn has_idle(&self, now: Instant) -> bool {
        let lease = Lease::idle(&self, now);
        lease.map(Lease::put).is_some()
    }
}

/// The server's end of a connection.
#[derive(Debug)]
pub(crate) struct Peer {
    ours: Socket,
    /// The client's end, to look at.
    theirs: Socket,
}

impl Peer {
    pub(crate) fn send(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let sent = self.ours.send(bytes).expect("the client's end is open");
            bytes = &bytes[sent..];
        }
    }

    /// The end of the stream comes after what was sent.
    pub(crate) fn finish(&self) {
        self.ours.shutdown(Shutdown::Write).unwrap();
    }

    /// Whether the client has taken all that was sent.
    pub(crate) fn is_read(&self) -> bool {
        let peeked = look(&self.theirs, libc::MSG_PEEK);
        matches!(peeked, Ok(0)) || peeked.is_err()
    }

    /// Reads what the client sent; how much it is.
    pub(crate) fn drain(&self) -> usize {
        let mut drained = 0;
        while let Ok(read @ 1..) = look(&self.ours, 0) {
            drained += read;
        }
        drained
    }
}

/// Receives without waiting.
fn look(socket: &Socket, flags: libc::c_int) -> io::Result<usize> {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    socket.recv_with_flags(&mut buffer, flags | libc::MSG_DONTWAIT)
}
