//! One connection: its socket, between the session that understands it and the faults that spoil it.

use super::fault::{Fault, Occasion, Ticket};
use super::process::{Process, State};
use super::session::{BUFFER, Session, Step};
use super::{binary, text};
use std::io::{self, Read, Write};
use std::time::Duration;

/// Serves a connection to its end. An error means that it is dead, which is no news to anybody.
pub(crate) fn serve(stream: &socket2::Socket, process: &Process, id: u64) -> io::Result<()> {
    if process.place.path().is_none() {
        stream.set_tcp_nodelay(true)?;
    }
    let mut socket = Socket {
        stream,
        process,
        id,
    };
    let mut input = Vec::new();
    if socket.receive(&mut input, BUFFER)? == 0 {
        return Ok(());
    }
    // As memcached does, with the first byte.
    if input.starts_with(&[binary::REQUEST]) {
        if !process.speaks_all() {
            return Ok(());
        }
        converse(&mut socket, input, &mut binary::Session::new(id))
    } else {
        converse(&mut socket, input, &mut text::Session::new(id))
    }
}

fn converse(
    socket: &mut Socket<'_>,
    mut input: Vec<u8>,
    session: &mut dyn Session,
) -> io::Result<()> {
    loop {
        let mut used = 0;
        loop {
            match session.step(&input[used..], socket.process) {
                Step::NeedMore => break,
                Step::Used(bytes) => used += bytes,
                Step::Pause(bytes) => {
                    used += bytes;
                    break;
                }
                Step::Quit => return socket.send(session),
                Step::Close => return Ok(()),
            }
            if session.outbox().must_flush() {
                socket.send(session)?;
            }
        }
        input.drain(..used);
        let waiting = session.waiting();
        if waiting == State::Reading {
            socket.send(session)?;
        }
        socket.process.saw_state(socket.id, waiting);
        let room = session.room(input.len());
        if socket.receive(&mut input, room)? == 0 {
            return Ok(());
        }
        session.outbox().woken();
    }
}

struct Socket<'a> {
    stream: &'a socket2::Socket,
    process: &'a Process,
    id: u64,
}

impl Socket<'_> {
    /// Reads at most `room` bytes more; 0 is the end of the stream.
    fn receive(&mut self, input: &mut Vec<u8>, room: usize) -> io::Result<usize> {
        let filled = input.len();
        input.resize(filled + room, 0);
        let received = loop {
            match self.stream.read(&mut input[filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        input.truncate(filled + received.as_ref().map_or(0, |&bytes| bytes));
        if let Ok(bytes) = received {
            self.process.count_received(bytes);
        }
        received
    }

    /// Sends replies, each with the fault that is due. Replies without one go out together.
    fn send(&mut self, session: &mut dyn Session) -> io::Result<()> {
        let mut sound = Vec::new();
        for mut reply in session.outbox().take() {
            match self.process.faults.take(Occasion::Reply) {
                None | Some((Fault::Pass, _)) => sound.extend(reply),
                Some((Fault::Misaddressed, _)) => {
                    session.misaddress(&mut reply);
                    sound.extend(reply);
                }
                Some((fault, ticket)) => {
                    self.write(&sound)?;
                    sound.clear();
                    self.spoil(reply, fault, ticket)?;
                }
            }
        }
        self.write(&sound)
    }

    fn spoil(&mut self, mut reply: Vec<u8>, fault: Fault, ticket: Ticket) -> io::Result<()> {
        let pause = |pause| self.process.faults.pause(pause, ticket);
        match fault {
            Fault::Delay(delay) => {
                pause(delay);
                self.write(&reply)
            }
            Fault::Drip(delay) => reply.chunks(1).try_for_each(|byte| {
                self.process.faults.pause(delay, ticket);
                self.write(byte)
            }),
            Fault::Cut { after } => {
                self.write(&reply[..after.min(reply.len())])?;
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Fault::Reset { after } => {
                self.write(&reply[..after.min(reply.len())])?;
                self.stream.set_linger(Some(Duration::ZERO))?;
                Err(io::ErrorKind::ConnectionReset.into())
            }
            Fault::Garbage(garbage) => self.write(&garbage),
            Fault::Surplus(surplus) => {
                reply.extend(surplus);
                self.write(&reply)
            }
            Fault::Swallow => Ok(()),
            // The others were seen to before.
            Fault::Pass | Fault::Misaddressed | Fault::Refuse | Fault::TooManyConnections => {
                self.write(&reply)
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !bytes.is_empty() {
            self.process.count_sent(bytes.len());
            self.process.saw_state(self.id, State::Writing);
            self.stream.write_all(bytes)?;
        }
        Ok(())
    }
}
