use super::options::{
    ArithmeticOptions, DeleteOptions, Direction, GetOptions, Initial, Mode, SetOptions,
};
use super::raw::RawLine;
use super::reply::Status;
use crate::error::Error;
use crate::item::ItemRef;
use crate::key::Key;
use std::collections::HashMap;
use std::fmt;
use std::time::SystemTime;

/// One command.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Request<'a> {
    Get {
        key: Key<'a>,
        /// Whether the value comes with its cas id.
        cas: bool,
    },
    /// Gets an item and gives it a new expiry.
    GetAndTouch {
        key: Key<'a>,
        exptime: u32,
        cas: bool,
    },
    Store {
        mode: Mode,
        key: Key<'a>,
        item: ItemRef<'a>,
        exptime: u32,
    },
    Delete {
        key: Key<'a>,
        /// Only if the item still has this cas id.
        cas: Option<u64>,
    },
    Touch {
        key: Key<'a>,
        exptime: u32,
    },
    Arithmetic {
        direction: Direction,
        key: Key<'a>,
        delta: u64,
        initial: Option<Initial>,
    },
    /// The meta commands with all that they can do, of the meta protocol alone.
    MetaGet {
        key: Key<'a>,
        options: GetOptions<'a>,
    },
    MetaSet {
        key: Key<'a>,
        item: ItemRef<'a>,
        exptime: u32,
        options: SetOptions<'a>,
    },
    MetaDelete {
        key: Key<'a>,
        options: DeleteOptions<'a>,
    },
    MetaArithmetic {
        key: Key<'a>,
        options: ArithmeticOptions<'a>,
    },
    /// After so many seconds.
    FlushAll {
        delay: u32,
    },
    Verbosity {
        level: u32,
    },
    Stats {
        arguments: StatsArguments<'a>,
    },
    Version,
    /// Who the client is: a user name and a password, as the protocol wants them.
    Authenticate {
        message: Confidential<'a>,
    },
    /// A line about every item: `lru_crawler metadump`.
    Metadump {
        walk: Walk,
    },
    /// A command of the program's own.
    Raw {
        line: RawLine<'a>,
    },
}

/// How the server finds its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Walk {
    /// Bucket by bucket through its hash table: each item once. memcached has it since 1.6.9.
    Hash,
    /// Along its lists of the least recently used: items that are read meanwhile change their places,
    /// and may be missed or come twice.
    Lru,
}

/// What `Debug` must not show.
#[derive(Clone, Copy)]
pub(crate) struct Confidential<'a>(pub(crate) &'a [u8]);

impl fmt::Debug for Confidential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Confidential(..)")
    }
}

/// What the reply to a request looks like, which decides what may be sent behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One short line.
    Line,
    /// A value of any size, or a line.
    Value,
    /// Any number of lines.
    Lines,
}

/// What of an item a request depends on, or changes: some of these bits.
type Facts = u8;

/// Whether it is there, and its value, flags and cas id.
const VALUE: Facts = 1;
/// When it expires.
const TTL: Facts = 2;

/// The exptime from which on it is a unix time, which may have passed: then the item is gone at once.
const FIRST_UNIX_TIME: u32 = 60 * 60 * 24 * 30 + 1;

impl<'a> Request<'a> {
    /// Whether sending all of these twice, in this order, gives the same answers and leaves the same
    /// items as sending them once: see [`is_idempotent`](Self::is_idempotent). An answer that depends
    /// on a key changes if something behind it writes to that key: a pipeline that gets a key and then
    /// deletes it would be told that there was nothing, and nobody would have the value.
    ///
    /// A single `delete` is repeatable by this rule, as documented: if it was carried out before, its
    /// answer is `false`.
    ///
    /// It costs some time for each request; it is asked when a connection was lost.
    pub(crate) fn are_idempotent(requests: &[Self]) -> bool {
        if !requests.iter().all(Self::is_idempotent) {
            return false;
        }
        if !requests.iter().any(|request| request.writes() != 0) {
            return true;
        }
        let (mut any, mut read) = (0, HashMap::<&[u8], Facts>::new());
        requests.iter().all(|request| {
            let Some(key) = request.key() else {
                return request.writes() & any == 0;
            };
            let facts = read.entry(key.as_bytes()).or_default();
            let is_free = request.writes() & *facts == 0;
            *facts |= request.reads_of_item();
            any |= request.reads_of_item();
            is_free
        })
    }

    /// What of its item the answer depends on.
    fn reads_of_item(&self) -> Facts {
        match self {
            Self::MetaGet { options, .. } if options.wanted.has(b't') => VALUE | TTL,
            // That it was stored, whatever was there.
            Self::Store {
                mode: Mode::Set, ..
            } => 0,
            Self::MetaSet { options, .. } if options.is_idempotent() => 0,
            request if request.key().is_some() => VALUE,
            _ => 0,
        }
    }

    /// What of its item, or of all items, it changes.
    fn writes(&self) -> Facts {
        let touches = match self {
            Self::Touch { exptime, .. } | Self::GetAndTouch { exptime, .. } => Some(*exptime),
            Self::MetaGet { options, .. } if !options.may_win() => options.touch,
            _ => None,
        };
        match touches {
            Some(FIRST_UNIX_TIME..) => VALUE | TTL,
            Some(_) => TTL,
            None if self.is_write() => VALUE | TTL,
            None => 0,
        }
    }

    /// Whether sending it twice has the same effect as sending it once, so that it may be repeated
    /// on a fresh connection when a pooled one turns out to be dead. Every new command has to say.
    pub(crate) fn is_idempotent(&self) -> bool {
        match self {
            // `stats reset` and `stats detail on` change the server, but to the same state.
            Self::Get { .. }
            | Self::Touch { .. }
            | Self::FlushAll { .. }
            | Self::Verbosity { .. }
            | Self::Stats { .. }
            | Self::Version
            | Self::Authenticate { .. }
            | Self::Metadump { .. } => true,
            // With a time that has passed, the first try gets the value, and the second nothing.
            Self::GetAndTouch { exptime, .. } => !is_past(*exptime),
            Self::Store { mode, .. } => *mode == Mode::Set,
            Self::Delete { cas, .. } => cas.is_none(),
            Self::MetaGet { options, .. } => {
                options.is_idempotent() && !options.touch.is_some_and(is_past)
            }
            Self::MetaSet { options, .. } => options.is_idempotent(),
            Self::MetaDelete { options, .. } => options.is_idempotent(),
            Self::Arithmetic { .. } | Self::MetaArithmetic { .. } | Self::Raw { .. } => false,
        }
    }

    /// Whether it changes what the server holds, so that it matters when its reply is lost.
    pub(crate) fn is_write(&self) -> bool {
        match self {
            Self::Store { .. }
            | Self::Delete { .. }
            | Self::Touch { .. }
            | Self::GetAndTouch { .. }
            | Self::Arithmetic { .. }
            | Self::MetaSet { .. }
            | Self::MetaDelete { .. }
            | Self::MetaArithmetic { .. }
            // For all that is known of it.
            | Self::Raw { .. }
            | Self::FlushAll { .. } => true,
            Self::MetaGet { options, .. } => options.changes(),
            Self::Get { .. }
            | Self::Verbosity { .. }
            | Self::Stats { .. }
            | Self::Version
            | Self::Authenticate { .. }
            | Self::Metadump { .. } => false,
        }
    }

    /// Whether it asks for an item, which is there or is not.
    pub(super) fn reads(&self) -> bool {
        matches!(
            self,
            Self::Get { .. } | Self::GetAndTouch { .. } | Self::MetaGet { .. }
        )
    }

    /// Whether some servers do not answer it in text: memcached's own proxy takes the key `noreply` of
    /// `get noreply` for the word. There is no other way to ask for it. What comes behind it would be
    /// taken for its reply.
    pub(super) fn may_have_no_reply(&self) -> bool {
        matches!(self, Self::Get { key, .. } if key.is_word())
    }

    /// Whether text answers it with `VALUE` and `END`.
    pub(super) fn asks_for_value(&self) -> bool {
        matches!(self, Self::Get { .. } | Self::GetAndTouch { .. })
    }

    pub(crate) fn shape(&self) -> Shape {
        match self {
            Self::Get { .. } | Self::GetAndTouch { .. } => Shape::Value,
            Self::MetaGet { options, .. } if options.wanted.has(b'v') => Shape::Value,
            Self::Stats { .. } | Self::Metadump { .. } | Self::Raw { .. } => Shape::Lines,
            Self::Store { .. }
            | Self::Delete { .. }
            | Self::Touch { .. }
            | Self::Arithmetic { .. }
            | Self::MetaGet { .. }
            | Self::MetaSet { .. }
            | Self::MetaDelete { .. }
            | Self::MetaArithmetic { .. }
            | Self::FlushAll { .. }
            | Self::Verbosity { .. }
            | Self::Authenticate { .. }
            | Self::Version => Shape::Line,
        }
    }

    pub(crate) fn key(&self) -> Option<Key<'a>> {
        match self {
            Self::Get { key, .. }
            | Self::GetAndTouch { key, .. }
            | Self::Store { key, .. }
            | Self::Delete { key, .. }
            | Self::Touch { key, .. }
            | Self::Arithmetic { key, .. }
            | Self::MetaGet { key, .. }
            | Self::MetaSet { key, .. }
            | Self::MetaDelete { key, .. }
            | Self::MetaArithmetic { key, .. } => Some(*key),
            Self::FlushAll { .. }
            | Self::Verbosity { .. }
            | Self::Stats { .. }
            | Self::Version
            | Self::Authenticate { .. }
            | Self::Metadump { .. }
            | Self::Raw { .. } => None,
        }
    }

    /// What a server answers that holds nothing and stores nothing, but for `set`, which it takes.
    /// `None` where such an answer would mislead.
    pub(crate) fn miss(&self) -> Option<Status> {
        match self {
            Self::Store { mode, .. } => Some(match mode {
                Mode::Set => Status::Stored,
                Mode::Cas(_) => Status::NotFound,
                _ => Status::NotStored,
            }),
            Self::Get { .. }
            | Self::GetAndTouch { .. }
            | Self::Delete { .. }
            | Self::Touch { .. }
            | Self::Arithmetic { initial: None, .. } => Some(Status::NotFound),
            _ => None,
        }
    }

    /// The value that follows the command line, of a storage command.
    pub(crate) fn body(&self) -> Option<&'a [u8]> {
        match self {
            Self::Store { item, .. } | Self::MetaSet { item, .. } => Some(item.data),
            _ => None,
        }
    }

    /// Whether some servers may send more than the reply that is expected, so that the connection
    /// is not used again.
    pub(crate) fn reply_end_is_uncertain(&self) -> bool {
        match self {
            Self::Stats { arguments } => arguments.has_one_line(),
            // What comes back is what the program says, and it may be wrong.
            Self::Raw { .. } => true,
            _ => false,
        }
    }
}

/// Whether an item with this exptime is gone at once.
fn is_past(exptime: u32) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    exptime >= FIRST_UNIX_TIME && now.is_ok_and(|now| u64::from(exptime) <= now.as_secs())
}

/// What follows `stats` on its line: nothing, or words of printable ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatsArguments<'a>(&'a str);

impl<'a> StatsArguments<'a> {
    /// The longest that is sent, in bytes. memcached's own are all under 20.
    const MAX_LENGTH: usize = 250;

    pub(crate) fn new(arguments: &'a str) -> Result<Self, Error> {
        if arguments.len() > Self::MAX_LENGTH {
            return Err(Error::validation(format!(
                "arguments: {} bytes long; up to {} are allowed",
                arguments.len(),
                Self::MAX_LENGTH
            )));
        }
        match arguments
            .bytes()
            .position(|byte| !(b' '..=b'~').contains(&byte))
        {
            Some(at) => Err(Error::validation(format!(
                "arguments: byte 0x{:02x} at position {at} is not allowed; allowed are the \
                 printable ASCII characters and the space",
                arguments.as_bytes()[at]
            ))),
            None => Ok(Self(arguments)),
        }
    }

    pub(crate) fn as_str(&self) -> &'a str {
        self.0
    }

    /// Whether it is `detail dump`, for which the binary protocol has a form of its own.
    pub(super) fn is_detail_dump(&self) -> bool {
        // As memcached compares it.
        self.0.trim_start_matches(' ').starts_with("detail dump")
    }

    /// Whether the server answers with one STAT line and no END, as memcached 1.6.18 does.
    pub(super) fn has_one_line(&self) -> bool {
        let command = self.0.split(' ').find(|word| !word.is_empty());
        matches!(command, Some("sizes_enable" | "sizes_disable"))
    }
}

/// Counts the requests, from the first on, that share a line, which takes up to `max_keys`.
pub(super) fn keys_on_line(requests: &[Request<'_>], max_keys: usize) -> usize {
    let share = |pair: &&[Request<'_>]| shares_line(Some(&pair[0]), &pair[1]);
    1 + requests
        .windows(2)
        .take(max_keys - 1)
        .take_while(share)
        .count()
}

/// Tells whether `request` can go on the line of the one before it. A binary key can be on no line, and
/// `noreply` on none with others: memcached's own proxy leaves out its value.
pub(super) fn shares_line(previous: Option<&Request<'_>>, request: &Request<'_>) -> bool {
    match (previous, request) {
        (Some(Request::Get { key: a, cas: one }), Request::Get { key: b, cas: other }) => {
            one == other && a.is_plain() && b.is_plain()
        }
        _ => false,
    }
}

/// Tells whether it may share a classic `get` line with others.
pub(super) fn is_classic(request: &Request<'_>) -> bool {
    matches!(request, Request::Get { key, .. } if key.is_plain())
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
