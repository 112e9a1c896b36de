//! The text protocol of memcached 1.6.18, with the meta commands: bytes in, replies out, no socket. It has its own
//! parser and shares nothing with the client's.
//!
//! Sources: memcached's `doc/protocol.txt`, and the server itself, against which every case of
//! `tests/transcripts` is run.

mod commands;
mod crawler;
mod meta;
mod number;
mod outcome;
mod stats;

pub(crate) use number::unsigned_64;

use super::process::{self, Process};
use super::session::{BUFFER, Outbox, Step, alter};
use super::store::{Storage, StoreOutcome};
use commands::execute;
use outcome::{MetaStored, Outcome};

/// A longer line that has not ended must be a get, or the connection is closed.
const LONGEST_LINE: usize = 2048;

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
    Line,
    /// In the value of a storage command.
    Data {
        storage: Storage,
        form: Form,
        data: Vec<u8>,
    },
    /// In a value that was refused; so many bytes of it are still to come.
    Swallow(usize),
}

/// How a storage command is answered.
#[derive(Debug)]
enum Form {
    Classic { noreply: bool },
    Meta(MetaStored),
}

impl Session {
    pub(crate) fn new(id: u64) -> Self {
        Self {
            id,
            state: State::Line,
            outbox: Outbox::new(),
        }
    }

    fn line(&mut self, input: &[u8], process: &Process) -> Step {
        let Some(end) = input.iter().position(|&byte| byte == b'\n') else {
            return if input.len() > LONGEST_LINE && !is_get(input) {
                Step::Close
            } else {
                Step::NeedMore
            };
        };
        // A lone CR is not taken for a line end.
        let line = match &input[..end] {
            [line @ .., b'\r'] if !line.is_empty() => line,
            line => line,
        };
        let mut store = process.store();
        process.saw_command(self.id, store.time.now());
        let alone = self.outbox.is_empty();
        let answer = execute(line, alone, &mut store, process);
        drop(store);
        let reply = |text: &str| {
            if answer.noreply {
                Vec::new()
            } else {
                format!("{text}\r\n").into_bytes()
            }
        };
        match answer.outcome {
            Outcome::Line(text) => self.outbox.push(reply(&text)),
            Outcome::Report(report) => self.outbox.push(report),
            Outcome::AtOnce(reply) => {
                self.outbox.push(reply);
                self.outbox.flush();
            }
            Outcome::Dump(dump) => {
                self.outbox.push(dump);
                self.outbox.flush();
                return Step::Pause(end + 1);
            }
            Outcome::TakeBack(text) => {
                self.outbox.clear();
                self.outbox.push(reply(text));
            }
            Outcome::Data(storage) => {
                let noreply = answer.noreply;
                return self.expect_data(storage, Form::Classic { noreply }, end + 1);
            }
            Outcome::MetaData(storage, stored) => {
                return self.expect_data(storage, Form::Meta(stored), end + 1);
            }
            Outcome::Swallow { text, length } => {
                self.outbox.push(reply(text));
                self.state = State::Swallow(length + 2);
                return Step::Used(end + 1);
            }
            Outcome::Quit => return Step::Quit,
            Outcome::Close => return Step::Close,
        }
        self.outbox.finish_command(process);
        Step::Used(end + 1)
    }

    fn expect_data(&mut self, storage: Storage, form: Form, used: usize) -> Step {
        self.state = State::Data {
            storage,
            form,
            data: Vec::new(),
        };
        Step::Used(used)
    }

    fn finish_data(&mut self, process: &Process) {
        let State::Data {
            storage,
            form,
            mut data,
        } = std::mem::replace(&mut self.state, State::Line)
        else {
            return;
        };
        let mut store = process.store();
        store.count_attempt(&storage);
        let outcome = if data.ends_with(b"\r\n") {
            data.truncate(storage.length);
            Some(store.store(storage, data))
        } else {
            None
        };
        drop(store);
        let reply = match (form, outcome) {
            (Form::Classic { noreply: true }, _) => Vec::new(),
            (_, None) => b"CLIENT_ERROR bad data chunk\r\n".to_vec(),
            (Form::Meta(stored), Some(outcome)) => stored.reply(outcome),
            (Form::Classic { .. }, Some(outcome)) => match outcome {
                StoreOutcome::Stored(_) => b"STORED\r\n".to_vec(),
                StoreOutcome::NotStored => b"NOT_STORED\r\n".to_vec(),
                StoreOutcome::Exists => b"EXISTS\r\n".to_vec(),
                StoreOutcome::NotFound => b"NOT_FOUND\r\n".to_vec(),
            },
        };
        self.outbox.push(reply);
        self.outbox.finish_command(process);
    }
}

impl super::session::Session for Session {
    fn step(&mut self, input: &[u8], process: &Process) -> Step {
        if input.is_empty() {
            return Step::NeedMore;
        }
        match &mut self.state {
            State::Line => self.line(input, process),
            State::Data { storage, data, .. } => {
                let missing = storage.length + 2 - data.len();
                let used = missing.min(input.len());
                data.extend_from_slice(&input[..used]);
                if used == missing {
                    self.finish_data(process);
                }
                Step::Used(used)
            }
            State::Swallow(missing) => {
                let used = input.len().min(*missing);
                *missing -= used;
                if *missing == 0 {
                    self.state = State::Line;
                    self.outbox.finish_command(process);
                }
                Step::Used(used)
            }
        }
    }

    fn waiting(&self) -> process::State {
        match self.state {
            State::Line => process::State::Reading,
            State::Data { .. } => process::State::ReadingValue,
            State::Swallow(_) => process::State::Swallowing,
        }
    }

    fn room(&self, buffered: usize) -> usize {
        match &self.state {
            State::Line => match BUFFER.saturating_sub(buffered) {
                // A get may be longer than the buffer.
                0 => BUFFER,
                room => room,
            },
            State::Data { storage, data, .. } => (storage.length + 2 - data.len()).min(4 * BUFFER),
            State::Swallow(missing) => (*missing).min(BUFFER),
        }
    }

    fn misaddress(&self, reply: &mut [u8]) {
        misaddress(reply);
    }

    fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }
}

/// Whether a line that is not complete yet is a get, which may be of any length.
fn is_get(input: &[u8]) -> bool {
    let spaces = input.iter().take_while(|&&byte| byte == b' ').count();
    let command = &input[spaces..];
    spaces <= 100 && (command.starts_with(b"get ") || command.starts_with(b"gets "))
}

/// Alters the key and the opaque in the first line.
fn misaddress(reply: &mut [u8]) {
    let end = reply.iter().position(|&byte| byte == b'\r');
    let line = &mut reply[..end.unwrap_or_default()];
    let is_meta = line.get(2).is_none_or(|&byte| byte == b' ');
    let is_value = line.starts_with(b"VALUE ");
    for word in line.split_mut(|&byte| byte == b' ').skip(1) {
        match word {
            [b'k' | b'O', rest @ ..] if is_meta => alter(rest),
            word if is_value => return alter(word),
            _ => {}
        }
    }
}
