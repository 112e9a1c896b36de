use crate::conn::{Driver, Sink};
use crate::error::{Error, Kind, Result};
use crate::item::Item;
use crate::protocol::{Counter, Excerpt, Refused, Reply, Request, Status, ValueHeader};
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
    Version(String),
    /// An error line of the server.
    Refused(Error),
}

impl From<Reply<'_>> for Answer {
    fn from(reply: Reply<'_>) -> Self {
        match reply {
            // Comes as a value, not as a reply.
            Reply::Hit => Self::Status(Status::Ok),
            Reply::Status(status) => Self::Status(status),
            Reply::Number(number) => Self::Number(number),
            Reply::Counter(counter) => Self::Counter(counter),
            Reply::Cas(id) => Self::Cas(id),
            Reply::Version(text) => Self::Version(String::from_utf8_lossy(text).into_owned()),
            Reply::Refused(refused) => Self::Refused(server_error(refused.line)),
        }
    }
}

impl Answer {
    /// The error for an answer that is not what was asked for.
    pub(super) fn into_error(self, driver: &dyn Driver) -> Error {
        match self {
            Self::Refused(error) => error,
            // The decoder lets none of these through but where it is asked for.
            Self::Item { .. } => unexpected("a value"),
            Self::Status(status) => unexpected(&format!("{status:?}")),
            Self::Number(_) | Self::Counter(_) => unexpected("a number"),
            Self::Cas(_) => unexpected("a cas id"),
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

/// Takes what comes for one request.
#[derive(Debug, Default)]
pub(super) struct One {
    /// Where a value is read to.
    pub(super) buffer: Vec<u8>,
    answer: Option<Result<Answer>>,
}

impl One {
    pub(super) fn into_buffer(buffer: Vec<u8>) -> Self {
        Self {
            buffer,
            answer: None,
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

    fn reply(&mut self, _: usize, reply: Reply<'_>) {
        self.answer = Some(Ok(reply.into()));
    }

    fn failed(&mut self, _: usize, error: Error) {
        self.answer = Some(Err(error));
    }
}
