use crate::conn::{Driver, SingleReply, Sink};
use crate::error::{Error, Kind, Result};
use crate::item::Item;
use crate::protocol::{
    Counter, Excerpt, Hit, Line, Malformed, Mode, Refused, Reply, Request, SetReply, Status,
};
use crate::route::FailurePolicy;

/// What a server made of a request.
#[derive(Debug)]
pub(super) enum Answer {
    Item(Hit<'static>),
    Status(Status),
    Number(u64),
    Counter(Counter),
    Cas(u64),
    Set(SetReply),
    Version(String),
    /// An error line of the server.
    Refused(Error),
}

impl Answer {
    /// The answer to a request that stores what `stored` says, if it does.
    pub(super) fn new(reply: Reply<'_>, stored: Option<Stored>) -> Self {
        match reply {
            Reply::Hit(hit) => Self::Item(hit.into_owned()),
            Reply::Lines { end, .. } => Self::new(*end, stored),
            Reply::Status(status) => Self::Status(status),
            Reply::Number(number) => Self::Number(number),
            Reply::Counter(counter) => Self::Counter(counter),
            Reply::Cas(id) => Self::Cas(id),
            Reply::Version(text) => Self::Version(String::from_utf8_lossy(&text).into_owned()),
            Reply::Set(set) => Self::Set(set),
            Reply::Refused(refused) => {
                let error = server_error(&refused);
                let hint = stored.and_then(|stored| stored.hint(&refused.line));
                Self::Refused(match hint {
                    Some(hint) => error.and(&hint),
                    None => error,
                })
            }
        }
    }

    /// The error for an answer that is not what was asked for.
    pub(super) fn into_error(self, driver: &dyn Driver) -> Error {
        // The decoder lets none of these through but where it is asked for.
        let reply = match self {
            Self::Refused(error) => return error.on(driver.name()),
            Self::Item(hit) => Reply::Hit(hit),
            Self::Status(status) => Reply::Status(status),
            Self::Number(number) => Reply::Number(number),
            Self::Counter(counter) => Reply::Counter(counter),
            Self::Cas(id) => Reply::Cas(id),
            Self::Set(set) => Reply::Set(set),
            Self::Version(version) => Reply::Version(version.into_bytes().into()),
        };
        unexpected(&reply.to_string()).on(driver.name())
    }

    /// Whether something was stored, under a condition.
    pub(super) fn stored(self, driver: &dyn Driver) -> Result<bool> {
        match self {
            Self::Status(Status::Stored) => Ok(true),
            Self::Status(Status::NotStored) => Ok(false),
            answer => Err(answer.into_error(driver)),
        }
    }

    /// Whether there was something to delete or touch.
    pub(super) fn found(self, driver: &dyn Driver) -> Result<bool> {
        match self {
            Self::Status(Status::Deleted | Status::Touched) => Ok(true),
            Self::Status(Status::NotFound) => Ok(false),
            answer => Err(answer.into_error(driver)),
        }
    }

    pub(super) fn value(self, driver: &dyn Driver) -> Result<Option<Item>> {
        match self {
            Self::Item(hit) => Ok(Some(Item {
                flags: hit.flags,
                data: hit.data.into_owned(),
                cas: hit.cas,
            })),
            Self::Status(Status::NotFound) => Ok(None),
            answer => Err(answer.into_error(driver)),
        }
    }

    /// What a counter counts; `None` if there is none.
    pub(super) fn count(self, driver: &dyn Driver) -> Result<Option<u64>> {
        match self {
            Self::Number(number) => Ok(Some(number)),
            Self::Status(Status::NotFound) => Ok(None),
            answer => Err(answer.into_error(driver)),
        }
    }

    pub(super) fn done(self, driver: &dyn Driver) -> Result<()> {
        match self {
            Self::Status(Status::Ok | Status::Stored | Status::Reset) => Ok(()),
            answer => Err(answer.into_error(driver)),
        }
    }
}

/// What a request stores.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored {
    /// Bytes of the value.
    size: usize,
    /// Whether memcached then removes the old value in any protocol; otherwise it does so in the meta
    /// protocol alone.
    is_set: bool,
}

impl Stored {
    pub(super) fn of(request: &Request<'_>) -> Option<Self> {
        let is_set = match request {
            Request::Store { mode, .. } => *mode == Mode::Set,
            Request::MetaSet { .. } => true,
            _ => return None,
        };
        let size = request.body()?.len();
        Some(Self { size, is_set })
    }

    /// What to say besides to one who got this error line.
    fn hint(self, line: &[u8]) -> Option<String> {
        let size = self.size;
        let line = line.to_ascii_lowercase();
        let has = |words: &[u8]| line.windows(words.len()).any(|part| part == words);
        let mut hint = if has(b"too large") {
            format!(
                "; the value has {size} bytes: memcached's -I sets how large an item may be (1 MB by \
                 default, with its key and some 50 bytes more), and max_value_size refuses larger \
                 values before they are sent"
            )
        } else if has(b"out of memory") {
            format!(
                "; the value has {size} bytes: memcached's -m sets how much memory it has, and it \
                 finds none where -M forbids to evict, or all of it is in use for items of other sizes"
            )
        } else {
            return None;
        };
        // memcached 1.6.18 to 1.6.45: `process_update_command` does so for a set alone, and so does binary;
        // `process_mset_command` in every mode.
        hint.push_str(if self.is_set {
            "; memcached has removed the key's old value"
        } else {
            "; in the meta protocol, memcached has removed the key's old value"
        });
        Some(hint)
    }
}

/// What the caller is to see in place of a failure, if the policy says so.
pub(super) fn forgive(
    policy: FailurePolicy,
    error: Error,
    request: &Request<'_>,
    driver: &dyn Driver,
) -> Result<Answer> {
    if policy != FailurePolicy::Miss || !error.is_of_failing_server() {
        return Err(error);
    }
    let Some(miss) = request.miss() else {
        return Err(error);
    };
    driver.missed(&error);
    Ok(Answer::Status(miss))
}

/// The error for an error line of the server.
pub(super) fn server_error(refused: &Refused<'_>) -> Error {
    let line = &*refused.line;
    // Of incr and decr, in text and meta, and in binary.
    let is_no_counter = line
        .windows(11)
        .any(|words| words.eq_ignore_ascii_case(b"non-numeric"));
    let hint = if is_no_counter {
        "; set_counter and add_counter store what can be counted"
    } else {
        ""
    };
    if refused.wants_credentials() {
        let line = Excerpt::new(line);
        return Error::new(
            Kind::Authentication,
            format!(
                "the server answered {line}: it wants a user name and a password, which \
                 ClientBuilder::credentials and Server::credentials give it"
            ),
        );
    }
    let line = Excerpt::new(line);
    Error::new(Kind::Server, format!("the server answered {line}{hint}"))
}

/// A driver leaves no request without an answer: this is for one that does.
pub(super) fn unanswered() -> Error {
    unexpected("nothing")
}

fn unexpected(what: &str) -> Error {
    Error::new(Kind::Protocol, format!("unexpected reply: {what}"))
}

/// Takes what comes for one request.
#[derive(Debug, Default)]
pub(super) struct One {
    pub(super) single: SingleReply,
    /// What the request stores.
    pub(super) stored: Option<Stored>,
    pub(super) lines: Vec<Line<'static>>,
}

impl One {
    pub(super) fn into_buffer(buffer: Vec<u8>) -> Self {
        let mut one = Self::default();
        one.single.buffer = buffer;
        one
    }

    pub(super) fn take(&mut self) -> Result<Answer> {
        let (lines, reply) = self.single.take()?.split();
        self.lines = lines;
        Ok(Answer::new(reply, self.stored))
    }
}

impl Sink for One {
    fn buffer(&mut self, index: usize) -> Vec<u8> {
        self.single.buffer(index)
    }

    fn line(&mut self, index: usize, line: Line<'_>) -> Result<(), Malformed> {
        self.single.line(index, line)
    }

    fn reply(&mut self, index: usize, reply: Result<Reply<'_>>) {
        self.single.reply(index, reply);
    }
}
