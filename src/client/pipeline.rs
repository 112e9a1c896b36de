//! Pipelines: mixed commands for any keys, sent together.

use super::Client;
use super::call;
use super::plan::{ByKey, Plan};
use super::single::DeleteOutcome;
use super::storage::CasOutcome;
use crate::error::{Error, Result};
use crate::expiry::Expiry;
use crate::item::Item;
use crate::key::{Key, Scratch};
use crate::protocol::{Direction, Mode, Reply, Request, SetOptions};
use crate::route::Topology;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// What tells pipelines apart.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// # Pipelines
impl Client {
    /// A pipeline: it collects commands, of any kind and for any keys, and sends them all at once.
    ///
    /// ```
    /// # let servers = [moecache::testing::Server::start()?, moecache::testing::Server::start()?];
    /// # let client = moecache::Client::new(&servers)?;
    /// let mut pipeline = client.pipeline();
    /// let stored = pipeline.set("user:1", "Ann", 3600);
    /// let visits = pipeline.incr("visits", 1);
    /// let user = pipeline.get::<String>("user:1");
    /// let mut replies = pipeline.run();
    ///
    /// replies.take(stored)?;
    /// assert_eq!(replies.take(user)?, Some("Ann".to_owned()));
    /// assert_eq!(replies.take(visits)?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pipeline(&self) -> Pipeline<'_> {
        Pipeline {
            client: self,
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            commands: Vec::new(),
        }
    }
}

/// Commands that are sent together: [`Client::pipeline`] makes one.
///
/// Each command gives a [`Pending`], by which its result is found among the [`Replies`] that
/// [`run`](Self::run) returns. Commands for one server are carried out in the order in which they
/// were given, and so are those for one key; all servers work at the same time. Nothing is sent
/// before `run`; large values and many commands are sent in parts, while replies are read. The
/// timeout is that of the whole pipeline.
#[must_use = "nothing is sent before `run`"]
pub struct Pipeline<'a> {
    client: &'a Client,
    id: u64,
    commands: Vec<Command>,
}

impl<'a> Pipeline<'a> {
    /// As [`Client::get`].
    pub fn get<T: DeserializeOwned>(&mut self, key: impl AsRef<[u8]>) -> Pending<Option<T>> {
        self.push("get", key, Ok(Kind::Get { cas: false }), decoded)
    }

    /// As [`Client::gets`].
    pub fn gets<T: DeserializeOwned>(
        &mut self,
        key: impl AsRef<[u8]>,
    ) -> Pending<Option<(T, u64)>> {
        self.push("gets", key, Ok(Kind::Get { cas: true }), |client, reply| {
            client.values.value_and_cas(reply)
        })
    }

    /// As [`Client::get_and_touch`].
    pub fn get_and_touch<T: DeserializeOwned>(
        &mut self,
        key: impl AsRef<[u8]>,
        expiry: impl Into<Expiry>,
    ) -> Pending<Option<T>> {
        let expiry = expiry.into();
        self.push(
            "get_and_touch",
            key,
            Ok(Kind::GetAndTouch { expiry }),
            decoded,
        )
    }

    /// As [`Client::set`]; the value is encoded now, and kept until the pipeline has run.
    pub fn set<V: Serialize>(
        &mut self,
        key: impl AsRef<[u8]>,
        value: V,
        expiry: impl Into<Expiry>,
    ) -> Pending<()> {
        self.store(Mode::Set, key, &value, expiry.into(), |_, reply| {
            call::done(reply)
        })
    }

    /// As [`Client::set_returning_cas`].
    pub fn set_returning_cas<V: Serialize>(
        &mut self,
        key: impl AsRef<[u8]>,
        value: V,
        expiry: impl Into<Expiry>,
    ) -> Pending<u64> {
        let kind = self.client.encode(&value).map(|item| Kind::Store {
            mode: Mode::Set,
            item,
            expiry: expiry.into(),
            return_cas: true,
        });
        self.push("set_returning_cas", key, kind, |_, reply| call::cas(reply))
    }

    /// As [`Client::set_counter`].
    pub fn set_counter(
        &mut self,
        key: impl AsRef<[u8]>,
        count: u64,
        expiry: impl Into<Expiry>,
    ) -> Pending<()> {
        self.set(key, self.client.counter(count), expiry)
    }

    /// As [`Client::add_counter`].
    pub fn add_counter(
        &mut self,
        key: impl AsRef<[u8]>,
        count: u64,
        expiry: impl Into<Expiry>,
    ) -> Pending<bool> {
        self.add(key, self.client.counter(count), expiry)
    }

    /// As [`Client::add`].
    pub fn add<V: Serialize>(
        &mut self,
        key: impl AsRef<[u8]>,
        value: V,
        expiry: impl Into<Expiry>,
    ) -> Pending<bool> {
        self.store(Mode::Add, key, &value, expiry.into(), |_, reply| {
            call::stored(reply)
        })
    }

    /// As [`Client::replace`].
    pub fn replace<V: Serialize>(
        &mut self,
        key: impl AsRef<[u8]>,
        value: V,
        expiry: impl Into<Expiry>,
    ) -> Pending<bool> {
        self.store(Mode::Replace, key, &value, expiry.into(), |_, reply| {
            call::stored(reply)
        })
    }

    /// As [`Client::compare_and_swap`].
    pub fn compare_and_swap<V: Serialize>(
        &mut self,
        key: impl AsRef<[u8]>,
        value: V,
        expiry: impl Into<Expiry>,
        cas: u64,
    ) -> Pending<CasOutcome> {
        self.store(Mode::Cas(cas), key, &value, expiry.into(), |_, reply| {
            CasOutcome::of(reply)
        })
    }

    /// As [`Client::append`].
    pub fn append(&mut self, key: impl AsRef<[u8]>, bytes: impl AsRef<[u8]>) -> Pending<bool> {
        self.extend(Mode::Append, key, bytes.as_ref())
    }

    /// As [`Client::prepend`].
    pub fn prepend(&mut self, key: impl AsRef<[u8]>, bytes: impl AsRef<[u8]>) -> Pending<bool> {
        self.extend(Mode::Prepend, key, bytes.as_ref())
    }

    /// As [`Client::delete`].
    pub fn delete(&mut self, key: impl AsRef<[u8]>) -> Pending<bool> {
        self.push("delete", key, Ok(Kind::Delete { cas: None }), found)
    }

    /// As [`Client::delete_with_cas`].
    pub fn delete_with_cas(&mut self, key: impl AsRef<[u8]>, cas: u64) -> Pending<DeleteOutcome> {
        let kind = Kind::Delete { cas: Some(cas) };
        self.push("delete_with_cas", key, Ok(kind), |_, reply| {
            DeleteOutcome::of(reply)
        })
    }

    /// As [`Client::touch`].
    pub fn touch(&mut self, key: impl AsRef<[u8]>, expiry: impl Into<Expiry>) -> Pending<bool> {
        let expiry = expiry.into();
        self.push("touch", key, Ok(Kind::Touch { expiry }), found)
    }

    /// As [`Client::incr`].
    pub fn incr(&mut self, key: impl AsRef<[u8]>, delta: u64) -> Pending<Option<u64>> {
        self.count(Direction::Up, key, delta)
    }

    /// As [`Client::decr`].
    pub fn decr(&mut self, key: impl AsRef<[u8]>, delta: u64) -> Pending<Option<u64>> {
        self.count(Direction::Down, key, delta)
    }

    /// How many commands there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Sends all commands, and receives their replies.
    #[must_use = "commands may have failed"]
    pub fn run(self) -> Replies<'a> {
        let unanswered = |command: &Command| Replied {
            reply: None,
            server: 0,
            operation: command.operation,
        };
        let mut results: Vec<Replied> = self.commands.iter().map(unanswered).collect();
        let now = SystemTime::now();
        let mut scratch = Scratch::default();
        let plan = Plan::new(
            self.client,
            self.commands.iter().map(|command| &*command.key),
            &mut scratch,
            |index, key| self.commands[index].request(key, now, self.client),
            |index, error| results[index].reply = Some(Err(error)),
        );
        plan.run(self.client, &mut results);
        Replies {
            client: self.client,
            topology: Arc::clone(plan.topology()),
            pipeline: self.id,
            results,
        }
    }

    fn store<V: Serialize, T>(
        &mut self,
        mode: Mode,
        key: impl AsRef<[u8]>,
        value: &V,
        expiry: Expiry,
        meaning: fn(&Client, Reply<'static>) -> Result<T>,
    ) -> Pending<T> {
        let item = self.client.encode(value);
        let kind = item.map(|item| Kind::Store {
            mode,
            item,
            expiry,
            return_cas: false,
        });
        self.push(mode.name(), key, kind, meaning)
    }

    fn extend(&mut self, mode: Mode, key: impl AsRef<[u8]>, bytes: &[u8]) -> Pending<bool> {
        let kind = self.client.values.extension(bytes).map(|_| Kind::Store {
            mode,
            item: Item::new(0, bytes),
            expiry: Expiry::Never,
            return_cas: false,
        });
        self.push(mode.name(), key, kind, |_, reply| call::stored(reply))
    }

    fn count(
        &mut self,
        direction: Direction,
        key: impl AsRef<[u8]>,
        delta: u64,
    ) -> Pending<Option<u64>> {
        let kind = Kind::Count { direction, delta };
        self.push(direction.name(), key, Ok(kind), |_, reply| {
            call::count(reply)
        })
    }

    fn push<T>(
        &mut self,
        operation: &'static str,
        key: impl AsRef<[u8]>,
        kind: Result<Kind>,
        meaning: fn(&Client, Reply<'static>) -> Result<T>,
    ) -> Pending<T> {
        self.commands.push(Command {
            key: key.as_ref().to_vec(),
            kind,
            operation,
        });
        Pending {
            pipeline: self.id,
            index: self.commands.len() - 1,
            meaning,
        }
    }
}

impl fmt::Debug for Pipeline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("client", self.client)
            .field("len", &self.len())
            .finish()
    }
}

fn decoded<T: DeserializeOwned>(client: &Client, reply: Reply<'static>) -> Result<Option<T>> {
    client.values.value(reply)
}

fn found(_: &Client, reply: Reply<'static>) -> Result<bool> {
    call::found(reply)
}

/// The results of the commands of a [`Pipeline`].
pub struct Replies<'a> {
    client: &'a Client,
    topology: Arc<Topology>,
    /// The pipeline's id.
    pipeline: u64,
    results: Vec<Replied>,
}

/// The reply to one command.
struct Replied {
    reply: Option<Result<Reply<'static>>>,
    /// The server that was asked, by its place in the list.
    server: usize,
    operation: &'static str,
}

/// The result of a command of a [`Pipeline`], once it has run: see
/// [`Replies::take`].
#[must_use = "the command may fail"]
pub struct Pending<T> {
    /// The pipeline's id.
    pipeline: u64,
    index: usize,
    meaning: fn(&Client, Reply<'static>) -> Result<T>,
}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pending").field(&self.index).finish()
    }
}

impl Replies<'_> {
    /// The result of one command.
    ///
    /// # Errors
    ///
    /// Those that the same call on [`Client`] has. A validation error if `pending` is of another
    /// pipeline.
    #[expect(clippy::needless_pass_by_value, reason = "a result is taken once")]
    pub fn take<T>(&mut self, pending: Pending<T>) -> Result<T> {
        let replied = self.results.get_mut(pending.index);
        let Some(replied) = replied.filter(|_| pending.pipeline == self.pipeline) else {
            return Err(Error::validation("pending: it is of another pipeline"));
        };
        let reply = replied
            .reply
            .take()
            .unwrap_or_else(|| Err(call::no_reply()));
        // What was refused before it was sent is about no server.
        let result = reply.and_then(|reply| {
            let value = (pending.meaning)(self.client, reply);
            value.map_err(|error| error.on(self.topology.backend(replied.server).name()))
        });
        result.map_err(|error| error.during(replied.operation))
    }
}

impl fmt::Debug for Replies<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replies")
            .field("len", &self.results.len())
            .finish_non_exhaustive()
    }
}

impl ByKey for Vec<Replied> {
    fn reply(&mut self, command: usize, server: usize, reply: Result<Reply<'_>>) {
        self[command].reply = Some(reply.map(Reply::into_owned));
        self[command].server = server;
    }
}

/// A command for one key.
struct Command {
    key: Vec<u8>,
    kind: Result<Kind>,
    operation: &'static str,
}

enum Kind {
    Get {
        cas: bool,
    },
    GetAndTouch {
        expiry: Expiry,
    },
    Store {
        mode: Mode,
        item: Item,
        expiry: Expiry,
        /// Whether the reply is to give the cas id.
        return_cas: bool,
    },
    Delete {
        cas: Option<u64>,
    },
    Touch {
        expiry: Expiry,
    },
    Count {
        direction: Direction,
        delta: u64,
    },
}

impl Command {
    /// Makes the request, at the time `now`.
    fn request<'k>(
        &'k self,
        key: Key<'k>,
        now: SystemTime,
        client: &Client,
    ) -> Result<Request<'k>> {
        Ok(match self.kind.as_ref().map_err(Clone::clone)? {
            Kind::Get { cas } => Request::Get { key, cas: *cas },
            Kind::GetAndTouch { expiry } => Request::GetAndTouch {
                key,
                exptime: expiry.to_wire(now)?,
                cas: true,
            },
            Kind::Store {
                mode,
                item,
                expiry,
                return_cas,
            } => {
                let item = client.shared.checked(item.into())?;
                let exptime = expiry.to_wire(now)?;
                match return_cas {
                    false => Request::Store {
                        mode: *mode,
                        key,
                        item,
                        exptime,
                    },
                    true => Request::MetaSet {
                        key,
                        item,
                        exptime,
                        options: SetOptions {
                            mode: *mode,
                            cas: None,
                            invalidate: false,
                            return_cas: true,
                            more: None,
                        },
                    },
                }
            }
            Kind::Delete { cas } => Request::Delete { key, cas: *cas },
            Kind::Touch { expiry } => Request::Touch {
                key,
                exptime: expiry.to_wire(now)?,
            },
            Kind::Count { direction, delta } => Request::Arithmetic {
                direction: *direction,
                key,
                delta: *delta,
                initial: None,
            },
        })
    }
}
