use super::Client;
use super::call;
use crate::conn::{Batch, SingleReply};
use crate::error::{Error, Result};
use crate::item::Item;
use crate::key::Scratch;
use crate::protocol::{Expected, Line, RawLine, Reply, Request};
use std::fmt;

/// # Raw commands
impl Client {
    /// A command that this crate has no call for, as one line without its end: the last resort, for
    /// what memcached gets after this version of the crate, and for its rarer commands.
    ///
    /// [`Raw`] says which server gets it and what comes back.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// client.set("key", moecache::Item::new(7, "value"), 0)?;
    /// assert_eq!(client.raw("mn").line()?, b"MN");
    /// assert_eq!(client.raw("get key").for_key("key").value()?.unwrap().flags, 7);
    /// let settings = client.raw("stats settings").lines()?;
    /// assert!(settings.iter().any(|line| line.starts_with(b"STAT maxbytes ")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn raw(&self, command: impl Into<Vec<u8>>) -> Raw<'_> {
        Raw {
            client: self,
            command: command.into(),
            target: Target::Only,
        }
    }
}

/// A command of the program's own, from [`Client::raw`]: which server gets it, and what comes back.
///
/// The program says what comes back, and the client believes it: where that is wrong, the call may
/// wait until its time is up. The connection is closed afterwards, so that no later call can read what
/// this one left.
///
/// # Errors
///
/// A validation error, and nothing is sent, for
///
/// - what could be more than one command: a line over 1,000 bytes, or with a control character;
/// - what takes a value on a second line (`set`, `ms` and so on): what a server refuses of those, it
///   may run as commands;
/// - what has no answer, or may have none (`quit`, `noreply`, the meta flag `q`), or one without end
///   (`watch`);
/// - a client with several servers, of which none is named.
///
/// [Unsupported](Error::is_unsupported) in the binary protocol. A server error, if the answer is
/// `ERROR`, `CLIENT_ERROR` or `SERVER_ERROR`, under every
/// [`FailurePolicy`](crate::FailurePolicy). It is never repeated: if the connection is lost underway,
/// the error is [ambiguous](Error::is_ambiguous).
#[must_use = "nothing is sent before `line`, `lines` or `value`"]
pub struct Raw<'c> {
    client: &'c Client,
    command: Vec<u8>,
    target: Target,
}

/// Which server gets it.
enum Target {
    /// The one that there is.
    Only,
    Server(String),
    Key(Vec<u8>),
}

impl Raw<'_> {
    /// Sends it to this server, as [`Client::servers`] names it.
    pub fn on_server(mut self, server: impl Into<String>) -> Self {
        self.target = Target::Server(server.into());
        self
    }

    /// Sends it to the server that `key` belongs to. What the command says of the key is the program's:
    /// with a [prefix](Client::prefix), say, it has to be there.
    pub fn for_key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.target = Target::Key(key.as_ref().to_vec());
        self
    }

    /// Sends it; one line comes back, given without its end.
    ///
    /// # Errors
    ///
    /// Those of [`Raw`].
    pub fn line(self) -> Result<Vec<u8>> {
        self.send(Expected::Line, first_line)
    }

    /// Sends it; lines come back, up to `END` or, of meta commands, `EN`, which is left out.
    ///
    /// # Errors
    ///
    /// Those of [`Raw`]; a protocol error for over 128 MiB of lines, or if a value is among them, which
    /// no line end ends.
    pub fn lines(self) -> Result<Vec<Vec<u8>>> {
        self.send(Expected::Lines, |reply| Ok(lines(reply)?.collect()))
    }

    /// Sends it; a value comes back, as after `get` (`VALUE ..`) or `mg` with the flag `v` (`VA ..`), or
    /// `None` if there is none.
    ///
    /// # Errors
    ///
    /// Those of [`Raw`]; a protocol error for a value over
    /// [`max_read_size`](crate::ClientBuilder::max_read_size).
    pub fn value(self) -> Result<Option<Item>> {
        self.send(Expected::Value, |reply| call::item(reply.split().1))
    }

    fn send<T>(
        &self,
        expected: Expected,
        meaning: impl FnOnce(Reply<'static>) -> Result<T>,
    ) -> Result<T> {
        let result = self.exchange(expected, meaning);
        result.map_err(|error| error.during("raw"))
    }

    fn exchange<T>(
        &self,
        expected: Expected,
        meaning: impl FnOnce(Reply<'static>) -> Result<T>,
    ) -> Result<T> {
        let Client { shared, .. } = self.client;
        let topology = shared.topology();
        let mut backends = topology.backends();
        let servers = backends.len();
        let named = match &self.target {
            Target::Only if servers == 1 => backends.next(),
            Target::Only => {
                return Err(Error::validation(format!(
                    "command: there are {servers} servers; on_server or for_key says which gets it"
                )));
            }
            Target::Server(name) => backends.find(|backend| backend.name() == name),
            Target::Key(key) => {
                let mut scratch = Scratch::default();
                let key = self.client.key(key, &mut scratch)?;
                Some(topology.backend(topology.route(key)?))
            }
        };
        let backend = named.ok_or_else(|| {
            Error::validation(
                "command: no server of the client has that name; Client::servers has them",
            )
        })?;
        let line = RawLine::new(&self.command, expected)?;
        let request = Request::Raw { line };
        shared.check(&request)?;
        let batch = Batch {
            bypasses_breaker: true,
            ..Batch::of(&request)
        };
        let mut single = SingleReply::default();
        backend.exchange(batch, &mut single, self.client.deadline());
        let result = single.take().and_then(meaning);
        result.map_err(|error| error.on(backend.name()))
    }
}

/// The lines of a reply.
fn lines(reply: Reply<'static>) -> Result<impl Iterator<Item = Vec<u8>>> {
    let (lines, end) = reply.split();
    call::done(end)?;
    Ok(lines.into_iter().filter_map(|line| match line {
        Line::Item(line) => Some(line.into_owned()),
        Line::Stat { .. } => None,
    }))
}

/// The only line of a reply.
fn first_line(reply: Reply<'static>) -> Result<Vec<u8>> {
    lines(reply)?.next().ok_or_else(call::no_reply)
}

impl fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw")
            .field("length", &self.command.len())
            .finish_non_exhaustive()
    }
}
