use super::deadline::Deadline;
use super::fault::Fault;
use super::tls::{Connector, Session};
use super::wire::{Wait, Wire};
use std::io::{IoSlice, IoSliceMut};

/// A connected socket, encrypted or not, each of whose calls ends by a deadline.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) wire: Wire,
    session: Option<Box<Session>>,
}

impl Stream {
    /// A stream that is not encrypted.
    pub(super) fn plain(wire: Wire) -> Self {
        let session = None;
        Self { wire, session }
    }

    /// Encrypts all that follows, once the server has shown who it is.
    pub(super) fn secure(mut self, tls: &Connector, limit: Deadline) -> Result<Self, Fault> {
        self.session = Some(Session::handshake(tls, &mut self.wire, limit)?);
        Ok(self)
    }

    /// Whether the connection is as it was left: open, and with nothing to read.
    pub(super) fn is_quiet(&mut self) -> bool {
        match &mut self.session {
            None => self.wire.is_quiet(),
            Some(session) => session.is_quiet(&mut self.wire),
        }
    }

    /// Whether nothing is left of what was taken from the socket.
    pub(super) fn is_drained(&mut self) -> bool {
        match &mut self.session {
            None => true,
            Some(session) => session.is_drained(),
        }
    }

    /// Reads at least one byte, into the first of `parts` as long as it has room; 0 if nothing came
    /// in that time.
    pub(super) fn read(
        &mut self,
        parts: &mut [IoSliceMut<'_>],
        deadline: Deadline,
        wait: Wait,
    ) -> Result<usize, Fault> {
        match &mut self.session {
            None => self.wire.read(parts, deadline, wait),
            Some(session) => session.read(&mut self.wire, parts, deadline, wait),
        }
    }

    /// Writes some of `parts`; 0 bytes if the socket took none in that time.
    pub(super) fn write(
        &mut self,
        parts: &[IoSlice<'_>],
        deadline: Deadline,
        wait: Wait,
    ) -> Result<usize, Fault> {
        match &mut self.session {
            None => self.wire.write(parts, deadline, wait),
            Some(session) => session.write(&mut self.wire, parts, deadline, wait),
        }
    }
}
