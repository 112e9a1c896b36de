use crate::conn::{Driver, Sink};
use crate::error::{Error, Kind, Result};
use crate::item::Item;
use crate::protocol::{
    Counter, Excerpt, Malformed, Mode, Part, Refused, Reply, Request, SetReply, Status, ValueHeader,
};
use crate::route::FailurePolicy;

/// What a server made of a request.
#[derive(Debug)]
pub(super) enum Answer {
    Item {
        header: ValueHeader,
        data: Vec<u8>,
    },
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
            // Comes as a value, not as a reply.
            Reply::Hit => Self::Status(Status::Ok),
            Reply::Status(status) => Self::Status(status),
            Reply::Number(number) => Self::Number(number),
            Reply::Counter(counter) => Self::Counter(counter),
            Reply::Cas(id) => Self::Cas(id),
            Reply::Version(text) => Self::Version(String::from_utf8_lossy(text).into_owned()),
            Reply::Set(set) => Self::Set(set),
            Reply::Refused(refused) => {
                let error = server_error(refused.line);
                let hint = stored.and_then(|stored| stored.hint(refused.line));
                Self::Refused(match hint {
                    Some(hint) => error.and(&hint),
                    None => error,
                })
            }
        }
    }

    /// The error for an answer that is not what was asked for.
    pub(super) fn into_error(self, driver: &dyn Driver) -> Error {
        match self {
            Self::Refused(error) => error,
            // The decoder lets none of these through but where it is asked for.
            Self::Item { .. } => unexpected("a value"),
            Self::Status(status) => unexpected(&format!("{status:?}")),
            Self::Number(_) | Self::Counter(_) => unexpected("a number"),
            Self::Cas(_) => unexpected("a cas id"),
            Self::Set(_) => unexpected("a size"),
            Self::Version(_) => unexpected("a version"),
        }
        .on(driver.name())
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
            Self::Item { header, data } => Ok(Some(Item {
                flags: header.flags,
                data,
                cas: header.cas,
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
pub(super) fn server_error(line: &[u8]) -> Error {
    // Of incr and decr, in text and meta, and in binary.
    let is_no_counter = line
        .windows(11)
        .any(|words| words.eq_ignore_ascii_case(b"non-numeric"));
    let hint = if is_no_counter {
        "; set_counter and add_counter store what can be counted"
    } else {
        ""
    };
    if Refused::wants_credentials(line) {
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

/// The most bytes of lines that are taken.
const MAX_LINES: usize = 128 << 20;

/// Takes what comes for one request.
#[derive(Debug, Default)]
pub(super) struct One {
    /// Where a value is read to.
    pub(super) buffer: Vec<u8>,
    /// What the request stores.
    pub(super) stored: Option<Stored>,
    /// Lines that came before the answer.
    pub(super) lines: Vec<Vec<u8>>,
    /// The bytes that they take.
    length: usize,
    answer: Option<Result<Answer>>,
}

impl One {
    pub(super) fn into_buffer(buffer: Vec<u8>) -> Self {
        Self {
            buffer,
            ..Self::default()
        }
    }

    pub(super) fn take(&mut self) -> Result<Answer> {
        // A driver leaves no request without an answer.
        let nothing = || Err(unanswered());
        self.answer.take().unwrap_or_else(nothing)
    }
}

impl Sink for One {
    fn buffer(&mut self, _: usize, _: &ValueHeader) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    fn value(&mut self, _: usize, header: ValueHeader, data: Vec<u8>) {
        self.answer = Some(Ok(Answer::Item { header, data }));
    }

    fn part(&mut self, _: usize, part: Part<'_>) -> Result<(), Malformed> {
        if let Part::Item(line) = part {
            self.length += line.len() + size_of::<Vec<u8>>() + 16;
            if self.length > MAX_LINES {
                return Err(Malformed::TooManyStats(MAX_LINES));
            }
            self.lines.push(line.to_vec());
        }
        Ok(())
    }

    fn reply(&mut self, _: usize, reply: Reply<'_>) {
        self.answer = Some(Ok(Answer::new(reply, self.stored)));
    }

    fn failed(&mut self, _: usize, error: Error) {
        self.answer = Some(Err(error));
    }
}
