//! The commands: one packet each.

use super::packet::{Reply, Request, Status, error};
use super::stats::stat;
use crate::testing::process::Process;
use crate::testing::store::{
    DeleteOutcome, Delta, Direction, Item, Marks, NoRoom, Storage, Store, StoreOutcome, Uncounted,
    Verb,
};
use crate::testing::text::unsigned_64;
use crate::testing::version::Ability;

const KEY_MAX: usize = 250;

/// An expiry that forbids to create a number.
const DO_NOT_CREATE: u32 = u32::MAX;

pub(super) enum Outcome {
    /// It may be empty.
    Reply(Vec<u8>),
    /// It is sent without waiting for more commands.
    AtOnce(Vec<u8>),
    /// The value of a storage command comes next.
    Data { storage: Storage, quiet: bool },
    /// That many bytes more are not looked at.
    Swallow { reply: Vec<u8>, length: usize },
    /// The connection is closed after the reply.
    Quit(Vec<u8>),
}

/// One command, without what makes it quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Get { with_key: bool },
    Store(Verb),
    Join(Verb),
    Delete,
    Count(Direction),
    Quit,
    Flush,
    Noop,
    Version,
    Stat,
    Touch,
    GetAndTouch { with_key: bool },
    SaslMechanisms,
    Sasl,
}

impl Command {
    /// The command of an opcode, and whether that is the quiet form.
    fn of(opcode: u8) -> Option<(Self, bool)> {
        let loud = |command| Some((command, false));
        let quiet = |command| Some((command, true));
        match opcode {
            0x00 => loud(Self::Get { with_key: false }),
            0x01 => loud(Self::Store(Verb::Set)),
            0x02 => loud(Self::Store(Verb::Add)),
            0x03 => loud(Self::Store(Verb::Replace)),
            0x04 => loud(Self::Delete),
            0x05 => loud(Self::Count(Direction::Up)),
            0x06 => loud(Self::Count(Direction::Down)),
            0x07 => loud(Self::Quit),
            0x08 => loud(Self::Flush),
            0x09 => quiet(Self::Get { with_key: false }),
            0x0a => loud(Self::Noop),
            0x0b => loud(Self::Version),
            0x0c => loud(Self::Get { with_key: true }),
            0x0d => quiet(Self::Get { with_key: true }),
            0x0e => loud(Self::Join(Verb::Append)),
            0x0f => loud(Self::Join(Verb::Prepend)),
            0x10 => loud(Self::Stat),
            0x11 => quiet(Self::Store(Verb::Set)),
            0x12 => quiet(Self::Store(Verb::Add)),
            0x13 => quiet(Self::Store(Verb::Replace)),
            0x14 => quiet(Self::Delete),
            0x15 => quiet(Self::Count(Direction::Up)),
            0x16 => quiet(Self::Count(Direction::Down)),
            0x17 => quiet(Self::Quit),
            0x18 => quiet(Self::Flush),
            0x19 => quiet(Self::Join(Verb::Append)),
            0x1a => quiet(Self::Join(Verb::Prepend)),
            0x1c => loud(Self::Touch),
            0x1d => loud(Self::GetAndTouch { with_key: false }),
            0x1e => quiet(Self::GetAndTouch { with_key: false }),
            0x20 => loud(Self::SaslMechanisms),
            0x21 | 0x22 => loud(Self::Sasl),
            0x23 => loud(Self::GetAndTouch { with_key: true }),
            0x24 => quiet(Self::GetAndTouch { with_key: true }),
            _ => None,
        }
    }

    /// Whether the lengths of a request are right for the command. A wrong one ends the connection.
    fn accepts(self, request: &Request) -> bool {
        let Request { key, extras, .. } = *request;
        let value = request.value();
        match self {
            Self::Get { .. } | Self::Delete => key > 0 && extras == 0 && value == 0,
            Self::Store(_) => key > 0 && extras == 8,
            Self::Join(_) | Self::Sasl => key > 0 && extras == 0,
            Self::Count(_) => key > 0 && extras == 20 && value == 0,
            Self::Flush => key == 0 && (extras == 0 || extras == 4) && value == 0,
            Self::Quit | Self::Noop | Self::Version | Self::SaslMechanisms => request.body == 0,
            Self::Stat => extras == 0,
            Self::Touch | Self::GetAndTouch { .. } => key > 0 && extras == 4,
        }
    }
}

pub(super) fn execute(
    request: &Request,
    extras: &[u8],
    key: &[u8],
    store: &mut Store,
    process: &Process,
) -> Outcome {
    let fail = |status| Outcome::AtOnce(error(request, status));
    if request.extras + request.key > request.body {
        return Outcome::Quit(error(request, Status::UnknownCommand));
    }
    if key.len() > KEY_MAX {
        return Outcome::Quit(error(request, Status::Invalid));
    }
    let known = Command::of(request.opcode).filter(|(command, _)| match command {
        Command::Touch | Command::GetAndTouch { .. } => process.has(Ability::Touch),
        _ => true,
    });
    let Some((command, quiet)) = known else {
        // As much as the whole body, although extras and key were taken off already.
        return Outcome::Swallow {
            reply: error(request, Status::UnknownCommand),
            length: request.body,
        };
    };
    if !command.accepts(request) {
        return Outcome::Quit(error(request, Status::Invalid));
    }
    let success = |reply: Reply| if quiet { Vec::new() } else { reply.to(request) };
    match command {
        Command::Get { with_key } => {
            let reply = match store.get(key) {
                Some(item) => found(request, key, item, with_key),
                None => return missed(request, key, with_key, quiet),
            };
            Outcome::Reply(reply)
        }
        Command::GetAndTouch { with_key } => {
            let exptime = store.expiry(number_32(extras));
            let reply = match store.get_and_touch(key, exptime) {
                Some(item) => found(request, key, item, with_key),
                None => return missed(request, key, with_key, quiet),
            };
            Outcome::Reply(reply)
        }
        Command::Touch => {
            let exptime = store.expiry(number_32(extras));
            let Some(item) = store.get_and_touch(key, exptime) else {
                return fail(Status::NotFound);
            };
            let reply = Reply {
                cas: item.cas,
                extras: &item.flags.to_be_bytes(),
                ..Reply::EMPTY
            };
            Outcome::Reply(reply.to(request))
        }
        Command::Store(verb) => storage(request, extras, key, store, (verb, quiet)),
        Command::Join(verb) => storage(request, &[0; 8], key, store, (verb, quiet)),
        Command::Delete => {
            store.count_prefix_delete(key);
            match store.delete(key, request.cas) {
                DeleteOutcome::Deleted => Outcome::Reply(success(Reply::EMPTY)),
                DeleteOutcome::NotFound => fail(Status::NotFound),
                DeleteOutcome::Exists => fail(Status::Exists),
            }
        }
        Command::Count(direction) => match count(request, extras, key, direction, store) {
            Ok((number, cas)) => Outcome::Reply(success(Reply {
                cas,
                value: &number.to_be_bytes(),
                ..Reply::EMPTY
            })),
            Err(status) => fail(status),
        },
        Command::Flush => {
            store.counters.cmd_flush += 1;
            store.flush(number_32(extras));
            Outcome::Reply(success(Reply::EMPTY))
        }
        Command::Noop => Outcome::AtOnce(Reply::EMPTY.to(request)),
        Command::Quit => Outcome::Quit(success(Reply::EMPTY)),
        Command::Version => {
            let value = process.settings.version.text().as_bytes();
            Outcome::Reply(
                Reply {
                    value,
                    ..Reply::EMPTY
                }
                .to(request),
            )
        }
        Command::Stat => match stat(request, key, store, process) {
            Ok(report) => Outcome::Reply(report),
            Err(status) => fail(status),
        },
        Command::SaslMechanisms | Command::Sasl => Outcome::Swallow {
            reply: error(request, Status::UnknownCommand),
            length: request.value(),
        },
    }
}

fn found(request: &Request, key: &[u8], item: &Item, with_key: bool) -> Vec<u8> {
    let reply = Reply {
        cas: item.cas,
        extras: &item.flags.to_be_bytes(),
        key: if with_key { key } else { &[] },
        value: &item.data,
        ..Reply::EMPTY
    };
    reply.to(request)
}

/// A miss is told with the key or with a text, never both.
fn missed(request: &Request, key: &[u8], with_key: bool, quiet: bool) -> Outcome {
    if quiet {
        return Outcome::Reply(Vec::new());
    }
    if !with_key {
        return Outcome::AtOnce(error(request, Status::NotFound));
    }
    let reply = Reply {
        status: Status::NotFound,
        key,
        ..Reply::EMPTY
    };
    Outcome::Reply(reply.to(request))
}

fn storage(
    request: &Request,
    extras: &[u8],
    key: &[u8],
    store: &mut Store,
    (verb, quiet): (Verb, bool),
) -> Outcome {
    let (flags, exptime) = extras.split_at(4);
    // With a cas id they are all the same.
    let stored_verb = match verb {
        Verb::Append | Verb::Prepend => verb,
        _ if request.cas != 0 => Verb::Cas,
        _ => verb,
    };
    let storage = Storage {
        verb: stored_verb,
        key: key.to_vec(),
        flags: number_32(flags),
        exptime: store.expiry(number_32(exptime)),
        cas: request.cas,
        may_be_stale: false,
        marks: Marks::default(),
        length: request.value(),
    };
    store.count_prefix_set(key);
    let Err(reason) = store.admit(&storage) else {
        return Outcome::Data { storage, quiet };
    };
    if verb == Verb::Set {
        store.discard(key);
    }
    let status = match reason {
        NoRoom::TooLarge => Status::TooLarge,
        NoRoom::NoMemory => Status::NoMemory,
    };
    Outcome::Swallow {
        reply: error(request, status),
        length: request.value(),
    }
}

/// The number after it, and the cas id.
fn count(
    request: &Request,
    extras: &[u8],
    key: &[u8],
    direction: Direction,
    store: &mut Store,
) -> Result<(u64, u64), Status> {
    let (amount, rest) = extras.split_at(8);
    let (initial, exptime) = rest.split_at(8);
    let exptime = number_32(exptime);
    let delta = Delta {
        direction,
        amount: number_64(amount),
        cas: request.cas,
    };
    match store.count(key, delta, unsigned_64) {
        Ok(counted) => Ok((counted.number, counted.cas)),
        Err(Uncounted::Exists) => Err(Status::Exists),
        Err(Uncounted::NotANumber) => Err(Status::NotANumber),
        Err(Uncounted::NotFound) if exptime == DO_NOT_CREATE => {
            store.count_uncounted(direction);
            Err(Status::NotFound)
        }
        Err(Uncounted::NotFound) => {
            let initial = number_64(initial);
            let exptime = store.expiry(exptime);
            match store.create_number(key, initial, exptime) {
                StoreOutcome::Stored(cas) => Ok((initial, cas)),
                _ => Err(Status::NotStored),
            }
        }
    }
}

/// Expiries too are without a sign here: what would be negative lies in the year 2106.
fn number_32(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |number, &byte| number << 8 | u32::from(byte))
}

fn number_64(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}
