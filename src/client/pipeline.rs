//! Pipelines: mixed commands for any keys, sent together.

use super::command::{Ask, Call, Command, Meaning};
use super::plan::{ByKey, Plan};
use super::single::DeleteOutcome;
use super::storage::CasOutcome;
use super::{Client, call, contains, counter, meta, single, storage};
use crate::error::{Error, Kind, Result};
use crate::expiry::Expiry;
use crate::item::{Bytes, ItemRef};
use crate::key::Scratch;
use crate::meta_options::{
    MetaArithmetic, MetaArithmeticOutcome, MetaDelete, MetaGet, MetaItem, MetaSet, MetaSetOutcome,
};
use crate::protocol::{Direction, Reply};
use crate::route::Topology;
use crate::value::Body;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
///
/// It has every command of a [`Client`] for one key but those that are no single command:
/// [`update`](Client::update) is a loop, which reads and stores until nobody else changed the item in
/// between. Nor has it [`get_into`](Client::get_into): its replies come together, and have a buffer each. A command that the
/// [protocol](crate::ClientBuilder::protocol) lacks is [unsupported](Error::is_unsupported); with
/// [`Protocol::Auto`](crate::Protocol::Auto) so are all others for its server then, and none of them is
/// sent.
#[must_use = "nothing is sent before `run`"]
pub struct Pipeline<'a> {
    client: &'a Client,
    id: u64,
    /// Each with its key.
    commands: Vec<(Vec<u8>, Command<'static>)>,
}

impl<'a> Pipeline<'a> {
    /// As [`Client::get`].
    pub fn get<T: DeserializeOwned>(&mut self, key: impl AsRef<[u8]>) -> Pending<Option<T>> {
        self.push(key, single::get())
    }

    /// As [`Client::get_bytes`].
    pub fn get_bytes(&mut self, key: impl AsRef<[u8]>) -> Pending<Option<Vec<u8>>> {
        self.push(key, single::get_bytes())
    }

    /// As [`Client::gets`].
    pub fn gets<T: DeserializeOwned>(
        &mut self,
        key: impl AsRef<[u8]>,
    ) -> Pending<Option<(T, u64)>> {
        self.push(key, single::gets())
    }

    /// As [`Client::get_and_touch`].
    pub fn get_and_touch<T: DeserializeOwned>(
        &mut self,
        key: impl AsRef<[u8]>,
        expiry: impl Into<Expiry>,
    ) -> Pending<Option<T>> {
        self.push(key, single::get_and_touch(expiry.into()))
    }

    /// As [`Client::contains`]. In every protocol the value travels, and is thrown away.
    pub fn contains(&mut self, key: impl AsRef<[u8]>) -> Pending<bool> {
        self.push(key, contains::contains())
    }

    /// As [`Client::set`]; the value is encoded now, and kept until the pipeline has run.
    pub fn set<V: Serialize>(
        &mut self,
        key: impl AsRef<[u8]>,
        value: V,
        expiry: impl Into<Expiry>,
    ) -> Pending<()> {
        let body = self.encode(&value);
        self.push(key, storage::set(body, expiry.into()))
    }

    /// As [`Client::set_returning_cas`].
    pub fn set_returning_cas<V: Serialize>(
        &mut self,
        key: impl AsRef<[u8]>,
        value: V,
        expiry: impl Into<Expiry>,
    ) -> Pending<u64> {
        let body = self.encode(&value);
        self.push(key, storage::set_returning_cas(body, expiry.into()))
    }

    /// As [`Client::set_bytes`]; the bytes are copied, and kept until the pipeline has run.
    pub fn set_bytes(
        &mut self,
        key: impl AsRef<[u8]>,
        bytes: impl AsRef<[u8]>,
        expiry: impl Into<Expiry>,
    ) -> Pending<()> {
        self.set(key, Bytes(bytes), expiry)
    }

    /// As [`Client::set_str`]; here it is the same as [`set`](Self::set).
    pub fn set_str(
        &mut self,
        key: impl AsRef<[u8]>,
        string: impl AsRef<str>,
        expiry: impl Into<Expiry>,
    ) -> Pending<()> {
        self.set(key, string.as_ref(), expiry)
    }

    /// As [`Client::add`].
    pub fn add<V: Serialize>(
        &mut self,
        key: impl AsRef<[u8]>,
        value: V,
        expiry: impl Into<Expiry>,
    ) -> Pending<bool> {
        let body = self.encode(&value);
        self.push(key, storage::add(body, expiry.into()))
    }

    /// As [`Client::replace`].
    pub fn replace<V: Serialize>(
        &mut self,
        key: impl AsRef<[u8]>,
        value: V,
        expiry: impl Into<Expiry>,
    ) -> Pending<bool> {
        let body = self.encode(&value);
        self.push(key, storage::replace(body, expiry.into()))
    }

    /// As [`Client::compare_and_swap`].
    pub fn compare_and_swap<V: Serialize>(
        &mut self,
        key: impl AsRef<[u8]>,
        value: V,
        expiry: impl Into<Expiry>,
        cas: u64,
    ) -> Pending<CasOutcome> {
        let body = self.encode(&value);
        self.push(key, storage::compare_and_swap(body, expiry.into(), cas))
    }

    /// As [`Client::append`].
    pub fn append(&mut self, key: impl AsRef<[u8]>, bytes: impl AsRef<[u8]>) -> Pending<bool> {
        let body = self
            .client
            .values
            .extension(bytes.as_ref())
            .map(|body| owned(&body));
        self.push(key, storage::append(body))
    }

    /// As [`Client::prepend`].
    pub fn prepend(&mut self, key: impl AsRef<[u8]>, bytes: impl AsRef<[u8]>) -> Pending<bool> {
        let body = self
            .client
            .values
            .extension(bytes.as_ref())
            .map(|body| owned(&body));
        self.push(key, storage::prepend(body))
    }

    /// As [`Client::touch`].
    pub fn touch(&mut self, key: impl AsRef<[u8]>, expiry: impl Into<Expiry>) -> Pending<bool> {
        self.push(key, single::touch(expiry.into()))
    }

    /// As [`Client::delete`].
    pub fn delete(&mut self, key: impl AsRef<[u8]>) -> Pending<bool> {
        self.push(key, single::delete())
    }

    /// As [`Client::delete_with_cas`].
    pub fn delete_with_cas(&mut self, key: impl AsRef<[u8]>, cas: u64) -> Pending<DeleteOutcome> {
        self.push(key, single::delete_with_cas(cas))
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

    /// As [`Client::incr`].
    pub fn incr(&mut self, key: impl AsRef<[u8]>, delta: u64) -> Pending<Option<u64>> {
        self.push(key, counter::count(Direction::Up, delta))
    }

    /// As [`Client::decr`].
    pub fn decr(&mut self, key: impl AsRef<[u8]>, delta: u64) -> Pending<Option<u64>> {
        self.push(key, counter::count(Direction::Down, delta))
    }

    /// As [`Client::incr_with_initial`], where that is one command: in the meta and binary protocols, and in
    /// formats whose counters have flags 0. Otherwise it is
    /// [unsupported](crate::Error::is_unsupported): a batch has no second step. If somebody else makes and
    /// removes the counter at the same time it is a [conflict](crate::Error::is_conflict) at once.
    pub fn incr_with_initial(
        &mut self,
        key: impl AsRef<[u8]>,
        delta: u64,
        initial: u64,
        expiry: impl Into<Expiry>,
    ) -> Pending<u64> {
        self.count_from(Direction::Up, key.as_ref(), delta, initial, expiry.into())
    }

    /// As [`Client::decr_with_initial`], where [`incr_with_initial`](Self::incr_with_initial) is possible.
    pub fn decr_with_initial(
        &mut self,
        key: impl AsRef<[u8]>,
        delta: u64,
        initial: u64,
        expiry: impl Into<Expiry>,
    ) -> Pending<u64> {
        self.count_from(Direction::Down, key.as_ref(), delta, initial, expiry.into())
    }

    /// As [`Client::meta_get`].
    pub fn meta_get(&mut self, key: impl AsRef<[u8]>, get: MetaGet) -> Pending<Option<MetaItem>> {
        self.push(key, meta::meta_get(get))
    }

    /// As [`Client::meta_set`]; the data is copied, and kept until the pipeline has run.
    pub fn meta_set<'i>(
        &mut self,
        key: impl AsRef<[u8]>,
        item: impl Into<ItemRef<'i>>,
        expiry: impl Into<Expiry>,
        set: MetaSet,
    ) -> Pending<MetaSetOutcome> {
        let ItemRef { flags, data } = item.into();
        let body = Body::owned(flags, data.to_vec());
        self.push(key, meta::meta_set(body, expiry.into(), set))
    }

    /// As [`Client::meta_delete`].
    pub fn meta_delete(
        &mut self,
        key: impl AsRef<[u8]>,
        delete: MetaDelete,
    ) -> Pending<DeleteOutcome> {
        self.push(key, meta::meta_delete(delete))
    }

    /// As [`Client::meta_arithmetic`].
    pub fn meta_arithmetic(
        &mut self,
        key: impl AsRef<[u8]>,
        arithmetic: MetaArithmetic,
    ) -> Pending<MetaArithmeticOutcome> {
        self.push(key, meta::meta_arithmetic(arithmetic))
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
        let Self {
            client,
            id,
            commands,
        } = self;
        let mut replies: Vec<Replied> = commands.iter().map(|_| Replied::default()).collect();
        let mut scratch = Scratch::default();
        let plan = Plan::new(
            client,
            commands.iter().map(|(key, _)| &**key),
            &mut scratch,
            |index, key| commands[index].1.request(client, key),
            |index, error| replies[index].reply = Some(Err(error)),
        );
        plan.run(client, &mut replies);
        let topology = Arc::clone(plan.topology());
        let commands = commands.into_iter().map(|(_, command)| command);
        Replies {
            client,
            topology,
            pipeline: id,
            results: commands.zip(replies).collect(),
        }
    }

    /// The body that [`Client::set`] would store of `value`.
    fn encode<V: Serialize>(&self, value: &V) -> Result<Body<'static>> {
        let item = self.client.encode(value)?;
        Ok(Body::owned(item.flags, item.data))
    }

    fn count_from(
        &mut self,
        direction: Direction,
        key: &[u8],
        delta: u64,
        initial: u64,
        expiry: Expiry,
    ) -> Pending<u64> {
        let mut call = counter::count_from(direction, delta, initial, expiry);
        if self.client.counter(initial).flags != 0 {
            let reason =
                "counters have flags in this format, which the command that makes one does not set";
            call.command.ask = Ask::Refused(Error::new(Kind::Unsupported, reason));
        }
        self.push(key, call)
    }

    fn push<T>(&mut self, key: impl AsRef<[u8]>, call: Call<'static, T>) -> Pending<T> {
        self.commands.push((key.as_ref().to_vec(), call.command));
        Pending {
            pipeline: self.id,
            index: self.commands.len() - 1,
            meaning: call.meaning,
        }
    }
}

fn owned(body: &Body<'_>) -> Body<'static> {
    Body::owned(body.flags(), body.data().to_vec())
}

impl fmt::Debug for Pipeline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("client", self.client)
            .field("len", &self.len())
            .finish()
    }
}

/// The results of the commands of a [`Pipeline`].
pub struct Replies<'a> {
    client: &'a Client,
    topology: Arc<Topology>,
    /// The pipeline's id.
    pipeline: u64,
    results: Vec<(Command<'static>, Replied)>,
}

/// The reply to one command.
#[derive(Default)]
struct Replied {
    reply: Option<Result<Reply<'static>>>,
    /// The server that was asked, by its place in the list.
    server: usize,
}

/// The result of a command of a [`Pipeline`], once it has run: see
/// [`Replies::take`].
#[must_use = "the command may fail"]
pub struct Pending<T> {
    /// The pipeline's id.
    pipeline: u64,
    index: usize,
    meaning: Meaning<T>,
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
        let Some((command, replied)) = replied.filter(|_| pending.pipeline == self.pipeline) else {
            return Err(Error::validation("pending: it is of another pipeline"));
        };
        let reply = replied.reply.take();
        let reply = reply.unwrap_or_else(|| Err(call::no_reply()));
        // What was refused before it was sent is about no server.
        let result = reply.and_then(|reply| {
            let value = (pending.meaning)(&self.client.values, &command.ask, reply);
            value.map_err(|error| error.on(self.topology.backend(replied.server).name()))
        });
        result.map_err(|error| command.explain(error))
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
