//! The binary protocol of memcached 1.6.18: bytes in, replies out, no socket.
//!
//! Sources: memcached's `doc/protocol-binary.xml`, and the server itself, against which every case
//! of `tests/transcripts/binary_*.txt` is run.

mod commands;
mod packet;
mod stats;

pub(crate) use packet::REQUEST;

use super::process::{self, Process};
use super::session::{BUFFER, Outbox, Step};
use super::store::{Storage, StoreOutcome, Verb};
use commands::{Outcome, execute};
use packet::{HEADER, Reply, Request, Status, error};

/// The protocol's side of one connection.
#[derive(Debug)]
pub(crate) struct Session {
    id: u64,
    state: State,
    outbox: Outbox,
}

#[derive(Debug)]
enum State {
    /// Between commands.
    Packet,
    /// In the value of a storage command.
    Data {
        request: Request,
        storage: Storage,
        quiet: bool,
        data: Vec<u8>,
    },
    /// In what is not looked at; so many bytes of it are still to come.
    Swallow(usize),
}

impl Session {
    pub(crate) fn new(id: u64) -> Self {
        Self {
            id,
            state: State::Packet,
            outbox: Outbox::new(),
        }
    }

    fn packet(&mut self, input: &[u8], process: &Process) -> Step {
        let Some(header) = input.first_chunk::<HEADER>() else {
            return Step::NeedMore;
        };
        let Some(request) = Request::parse(header) else {
            return Step::Close;
        };
        let used = HEADER + request.extras + request.key;
        let Some(body) = input.get(HEADER..used) else {
            return Step::NeedMore;
        };
        let (extras, key) = body.split_at(request.extras);
        let mut store = process.store();
        process.saw_command(self.id, store.time.now());
        let outcome = execute(&request, extras, key, &mut store, process);
        drop(store);
        match outcome {
            Outcome::Reply(reply) => self.outbox.push(reply),
            Outcome::AtOnce(reply) => {
                self.outbox.push(reply);
                self.outbox.flush();
            }
            Outcome::Data { storage, quiet } => {
                self.state = State::Data {
                    request,
                    storage,
                    quiet,
                    data: Vec::new(),
                };
                return Step::Used(used);
            }
            Outcome::Swallow { reply, length } => {
                self.outbox.push(reply);
                if length > 0 {
                    self.state = State::Swallow(length);
                    return Step::Used(used);
                }
                self.outbox.flush();
            }
            Outcome::Quit(reply) => {
                self.outbox.push(reply);
                return Step::Quit;
            }
        }
        self.outbox.finish_command(process);
        Step::Used(used)
    }

    fn finish_data(&mut self, process: &Process) {
        let State::Data {
            request,
            storage,
            quiet,
            data,
        } = std::mem::replace(&mut self.state, State::Packet)
        else {
            return;
        };
        let verb = storage.verb;
        let mut store = process.store();
        store.count_attempt(&storage);
        let outcome = store.store(storage, data);
        drop(store);
        let result = match outcome {
            StoreOutcome::Stored(cas) => Ok(cas),
            StoreOutcome::Exists => Err(Status::Exists),
            StoreOutcome::NotFound => Err(Status::NotFound),
            StoreOutcome::NotStored => Err(match verb {
                Verb::Add => Status::Exists,
                Verb::Replace => Status::NotFound,
                _ => Status::NotStored,
            }),
        };
        match result {
            Ok(_) if quiet => {}
            Ok(cas) => {
                let reply = Reply {
                    cas,
                    ..Reply::EMPTY
                };
                self.outbox.push(reply.to(&request));
            }
            // An error is sent at once, with all replies before it (`write_bin_error`).
            Err(status) => {
                self.outbox.push(error(&request, status));
                self.outbox.flush();
            }
        }
        self.outbox.finish_command(process);
    }
}

impl super::session::Session for Session {
    fn step(&mut self, input: &[u8], process: &Process) -> Step {
        match &mut self.state {
            State::Packet => self.packet(input, process),
            State::Data { storage, data, .. } => {
                let missing = storage.length - data.len();
                if missing > 0 && input.is_empty() {
                    return Step::NeedMore;
                }
                let used = missing.min(input.len());
                data.extend_from_slice(&input[..used]);
                if used == missing {
                    self.finish_data(process);
                }
                Step::Used(used)
            }
            State::Swallow(_) if input.is_empty() => Step::NeedMore,
            State::Swallow(missing) => {
                let used = input.len().min(*missing);
                *missing -= used;
                if *missing == 0 {
                    self.state = State::Packet;
                    self.outbox.finish_command(process);
                }
                Step::Used(used)
            }
        }
    }

    fn waiting(&self) -> process::State {
        match self.state {
            State::Packet => process::State::Reading,
            State::Data { .. } => process::State::ReadingValue,
            State::Swallow(_) => process::State::Swallowing,
        }
    }

    fn room(&self, buffered: usize) -> usize {
        match &self.state {
            // A key may have up to 65,535 bytes before it is refused.
            State::Packet => match BUFFER.saturating_sub(buffered) {
                0 => BUFFER,
                room => room,
            },
            State::Data { storage, data, .. } => (storage.length - data.len()).min(4 * BUFFER),
            State::Swallow(missing) => (*missing).min(BUFFER),
        }
    }

    fn misaddress(&self, reply: &mut [u8]) {
        packet::misaddress(reply);
    }

    fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }
}
