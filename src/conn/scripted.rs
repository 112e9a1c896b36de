//! Connections that end in sockets that a fuzz target holds, in place of a server.

use super::connection::Connection;
use super::fault::Fault;
use super::wire::Wire;
use crate::protocol::Limits;
use socket2::{Domain, Socket, Type};
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::sync::Mutex;

/// The connections that are made next.
#[derive(Debug, Default)]
pub(crate) struct Scripted(Mutex<VecDeque<Wire>>);

impl Scripted {
    pub(super) fn next(&self) -> Result<Connection, Fault> {
        let next = self.0.lock().unwrap().pop_front();
        let wire = next.ok_or_else(|| Fault::Connect(ErrorKind::ConnectionRefused.into()))?;
        Ok(Connection::new(wire, None, Limits::UNIX))
    }

    /// Makes the connection that is made next; gives the other end of it.
    pub(super) fn accept(&self) -> Peer {
        let (socket, ours) = Socket::pair(Domain::UNIX, Type::STREAM, None).unwrap();
        let theirs = socket.try_clone().unwrap();
        self.0.lock().unwrap().push_back(Wire::of(socket));
        Peer { ours, theirs }
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
