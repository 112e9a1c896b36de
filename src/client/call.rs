//! The way of every call for one key: from the key to its server, and from the reply to its meaning.

use super::{Client, Values};
use crate::conn::{Batch, Deadline, SingleReply};
use crate::error::{Error, Kind, Result};
use crate::item::Item;
use crate::key::Key;
use crate::middleware::Backend;
use crate::protocol::{Excerpt, Mode, Refused, Reply, Request, Status};
use crate::route::FailurePolicy;
use crate::value;
use serde::de::DeserializeOwned;
use std::time::Instant;

impl Client {
    /// Sends one request about `key`, and returns the meaning of its reply.
    pub(super) fn exchange<T>(
        &self,
        key: Key<'_>,
        request: &Request<'_>,
        deadline: Deadline,
        meaning: impl FnOnce(Reply<'static>) -> Result<T>,
    ) -> Result<T> {
        self.exchange_into(&mut Vec::new(), key, request, deadline, meaning)
    }

    /// The same with a buffer for a value, which moves into the reply. It stays where there is none.
    pub(super) fn exchange_into<T>(
        &self,
        buffer: &mut Vec<u8>,
        key: Key<'_>,
        request: &Request<'_>,
        deadline: Deadline,
        meaning: impl FnOnce(Reply<'static>) -> Result<T>,
    ) -> Result<T> {
        let topology = self.shared.topology();
        let mut server = topology.route(key)?;
        let batch = Batch {
            is_step: self.is_step,
            ..Batch::of(request)
        };
        let mut single = SingleReply::into_buffer(std::mem::take(buffer));
        topology
            .backend(server)
            .exchange(batch, &mut single, deadline);
        let mut reply = single.take();
        if let Err(error) = &reply {
            let next = topology.next(key, server, error);
            if let Some((next, rest)) = next.zip(deadline.try_restarted(Instant::now()).ok()) {
                server = next;
                topology.backend(server).exchange(batch, &mut single, rest);
                reply = single.take();
            }
        }
        *buffer = single.buffer;
        let backend = topology.backend(server);
        let result = match reply {
            Ok(Reply::Refused(_)) | Err(_) => {
                accept(reply, self.policy, request, backend).and_then(meaning)
            }
            Ok(reply) => meaning(reply),
        };
        result.map_err(|error| error.on(backend.name()))
    }
}

impl Values {
    /// The value that a reply brings.
    pub(super) fn value<T: DeserializeOwned>(&self, reply: Reply<'_>) -> Result<Option<T>> {
        match item(reply)? {
            Some(item) => value::decode(&*self.transcoder, item).map(Some),
            None => Ok(None),
        }
    }

    /// The same with its cas id.
    pub(super) fn value_and_cas<T: DeserializeOwned>(
        &self,
        reply: Reply<'_>,
    ) -> Result<Option<(T, u64)>> {
        let Some(item) = item(reply)? else {
            return Ok(None);
        };
        // The decoders let no item through without the cas id that was asked for.
        let cas = item.cas.unwrap_or_default();
        Ok(Some((value::decode(&*self.transcoder, item)?, cas)))
    }

    /// The bytes that a reply brings.
    pub(super) fn bytes(&self, reply: Reply<'_>) -> Result<Option<Vec<u8>>> {
        match item(reply)? {
            Some(item) => value::decode_bytes(&*self.transcoder, item).map(Some),
            None => Ok(None),
        }
    }
}

/// Makes an error of an error line of the server, and applies the failure policy: with
/// [`FailurePolicy::Miss`], a server that fails is one that is empty.
pub(super) fn accept<'b>(
    reply: Result<Reply<'b>>,
    policy: FailurePolicy,
    request: &Request<'_>,
    backend: &Backend,
) -> Result<Reply<'b>> {
    let error = match reply {
        Ok(Reply::Refused(refused)) => return Err(refusal(&refused, request)),
        Ok(reply) => return Ok(reply),
        Err(error) => error,
    };
    match request.miss() {
        Some(miss) if policy == FailurePolicy::Miss && error.is_of_failing_server() => {
            backend.pool().missed(&error);
            Ok(Reply::Status(miss))
        }
        _ => Err(error),
    }
}

/// Whether something was stored, under a condition.
#[inline]
pub(super) fn stored(reply: Reply<'_>) -> Result<bool> {
    match reply {
        Reply::Status(Status::Stored) => Ok(true),
        Reply::Status(Status::NotStored) => Ok(false),
        reply => Err(unexpected(reply)),
    }
}

/// Whether there was something to delete or touch.
#[inline]
pub(super) fn found(reply: Reply<'_>) -> Result<bool> {
    match reply {
        Reply::Status(Status::Deleted | Status::Touched) => Ok(true),
        Reply::Status(Status::NotFound) => Ok(false),
        reply => Err(unexpected(reply)),
    }
}

/// The item, if the key was found.
#[inline]
pub(super) fn item(reply: Reply<'_>) -> Result<Option<Item>> {
    match reply {
        Reply::Hit(hit) => Ok(Some(Item {
            flags: hit.flags,
            data: hit.data.into_owned(),
            cas: hit.cas,
        })),
        Reply::Status(Status::NotFound) => Ok(None),
        reply => Err(unexpected(reply)),
    }
}

/// The number of a counter, if the key was found.
#[inline]
pub(super) fn count(reply: Reply<'_>) -> Result<Option<u64>> {
    match reply {
        Reply::Number(number) => Ok(Some(number)),
        Reply::Status(Status::NotFound) => Ok(None),
        reply => Err(unexpected(reply)),
    }
}

/// The cas id of what was stored.
pub(super) fn cas(reply: Reply<'_>) -> Result<u64> {
    match reply {
        Reply::Cas(id) => Ok(id),
        reply => Err(unexpected(reply)),
    }
}

#[inline]
pub(super) fn done(reply: Reply<'_>) -> Result<()> {
    match reply {
        Reply::Status(Status::Ok | Status::Stored | Status::Reset) => Ok(()),
        reply => Err(unexpected(reply)),
    }
}

/// The error of a reply that is not what was asked for. A decoder lets through only those that a request
/// may have; middleware may give any.
pub(super) fn unexpected(reply: Reply<'_>) -> Error {
    match reply {
        Reply::Refused(refused) => server_error(&refused),
        reply => Error::new(Kind::Protocol, format!("unexpected reply: {reply}")),
    }
}

/// The error of a request that is left without a reply: no connection does that.
pub(super) fn no_reply() -> Error {
    Error::new(Kind::Protocol, "unexpected reply: nothing")
}

/// The error for an error line of the server.
pub(super) fn server_error(refused: &Refused<'_>) -> Error {
    let line = Excerpt::new(&refused.line);
    if refused.wants_credentials() {
        return Error::new(
            Kind::Authentication,
            format!(
                "the server answered {line}: it wants a user name and a password, which \
                 ClientBuilder::credentials and Server::credentials give it"
            ),
        );
    }
    // Of incr and decr, in text and meta, and in binary.
    let hint = if has(&refused.line, b"non-numeric") {
        "; set_counter and add_counter store what can be counted"
    } else {
        ""
    };
    Error::new(Kind::Server, format!("the server answered {line}{hint}"))
}

/// The same, with what there is to say about a value that the server did not store.
fn refusal(refused: &Refused<'_>, request: &Request<'_>) -> Error {
    let error = server_error(refused);
    let Some(size) = request.body().map(<[u8]>::len) else {
        return error;
    };
    let hint = if has(&refused.line, b"too large") {
        "memcached's -I sets how large an item may be (1 MB by default, with its key and some 50 bytes \
         more), and max_value_size refuses larger values before they are sent"
    } else if has(&refused.line, b"out of memory") {
        "memcached's -m sets how much memory it has, and it finds none where -M forbids to evict, or all \
         of it is in use for items of other sizes"
    } else {
        return error;
    };
    // memcached 1.6.18 to 1.6.45: `process_update_command` does so for a set alone, and so does binary;
    // `process_mset_command` in every mode.
    let removed = match request {
        Request::Store { mode, .. } if *mode != Mode::Set => {
            "in the meta protocol, memcached has removed the key's old value"
        }
        _ => "memcached has removed the key's old value",
    };
    error.and(&format!("; the value has {size} bytes: {hint}; {removed}"))
}

/// Whether the words are in the line, in letters of either case.
fn has(line: &[u8], words: &[u8]) -> bool {
    let mut parts = line.windows(words.len());
    parts.any(|part| part.eq_ignore_ascii_case(words))
}
