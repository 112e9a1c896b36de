use super::Client;
use super::answer::server_error;
use crate::conn::{Batch, Deadline, Exchange, Expired, Patience, Sink, State};
use crate::error::{Error, Kind, Result};
use crate::key::Naming;
use crate::protocol::{Excerpt, Malformed, Part, Reply, Request, ValueHeader};
use crate::route::Topology;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// What is the matter with a server that answers `ERROR`.
pub(crate) const CANNOT_LIST: &str =
    "the server answered \"ERROR\": it cannot list its keys; memcached can since 1.4.31";

/// What is the matter with a prefix that is hashed.
const HASHED: &str = "the keys below the prefix are hashed, and cannot be told from others";

/// How long a busy server is left alone.
const BUSY: Duration = Duration::from_millis(10);

const DUMP: Request<'static> = Request::Metadump;

/// # Listing keys
impl Client {
    /// The keys of all servers, one server after the other, as they come: memcached's
    /// `lru_crawler metadump all`.
    ///
    /// Each server goes through its items while it goes on serving others: what is stored or removed
    /// meanwhile may be there or not, and each key is there once. memcached 1.6.18 can also leave out
    /// an item that was stored just before. An error is that of one server, whose further keys are
    /// missing; the list goes on with the next. The timeout is that of each wait for more keys, not of
    /// the whole. A server does one such list at a time, and looks for expired items by the same means
    /// now and then: while it is busy with that, it is asked again.
    ///
    /// A client with a [prefix](Self#keys) lists what is below it, without the prefix. What
    /// [`KeyTransform::Base64`](crate::KeyTransform::Base64) made of a key is undone; a hash cannot be,
    /// and is listed as it is.
    ///
    /// Between two keys, [`Keys`] holds the connection that it reads from. A call to the same server
    /// meanwhile, to delete what is listed, say, needs a second one: with
    /// [`max_connections(1)`](crate::ClientBuilder::max_connections) it would wait in vain until its
    /// time is up.
    ///
    /// ```
    /// # let servers = [moecache::testing::Server::start()?, moecache::testing::Server::start()?];
    /// # let client = moecache::Client::new(&servers)?;
    /// # client.set("some_key", 1, 0)?;
    /// for key in client.keys() {
    ///     let key = key?;
    ///     println!("{} on {}", key.key.escape_ascii(), key.server);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A server error of one older than memcached 1.4.31, which cannot list its keys, or whose crawler
    /// is switched off, or busy for as long as the timeout; [unsupported](Error::is_unsupported) in the
    /// binary protocol, and with a prefix whose keys are hashed, so that nobody can tell which they are.
    pub fn keys(&self) -> Keys<'_> {
        let mut keys = Keys {
            client: self,
            topology: self.shared.topology(),
            next: 0,
            current: None,
            patience: self.deadline(),
            lines: Lines {
                naming: &self.naming,
                server: String::new(),
                read: VecDeque::new(),
                busy: None,
            },
        };
        if !self.naming.can_be_undone() {
            keys.next = usize::MAX;
            let error = Error::new(Kind::Unsupported, HASHED);
            keys.lines.read.push_back(Err(error));
        }
        keys
    }
}

/// What a server tells about an item besides its value. What it does not tell is `None`; which of it
/// there is depends on the server's version.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyInfo {
    /// The key, as the client that lists it names it.
    pub key: Vec<u8>,
    /// The server that has it, as in [`Client::servers`].
    pub server: String,
    /// When it expires.
    pub expiry: Option<Lifetime>,
    /// When it was last read or stored, to the minute.
    pub last_access: Option<SystemTime>,
    /// Its cas id.
    pub cas: Option<u64>,
    /// Whether it was ever read.
    pub fetched: Option<bool>,
    /// The slab class that it is in.
    pub class: Option<u32>,
    /// How much memory it takes in all, in bytes: key, value and some 50 more.
    pub size: Option<u64>,
}

/// How long an item lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lifetime {
    /// It does not expire.
    Forever,
    /// It expires then.
    Until(SystemTime),
}

/// The keys of all servers: what [`Client::keys`] gives. It holds a connection to the server whose keys
/// it lists, until it goes on to the next or is dropped.
#[must_use = "it asks the servers as it is iterated over"]
pub struct Keys<'c> {
    client: &'c Client,
    topology: Arc<Topology>,
    /// The server that comes after the current one.
    next: usize,
    current: Option<Current>,
    /// How long the current server's crawler is waited for.
    patience: Deadline,
    lines: Lines<'c>,
}

/// The list of one server, under way.
struct Current {
    exchange: Box<dyn Exchange>,
    state: State,
}

impl Iterator for Keys<'_> {
    type Item = Result<KeyInfo>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(line) = self.lines.read.pop_front() {
                let result = line.map_err(|error| error.during("keys"));
                return Some(result);
            }
            let Some(current) = &mut self.current else {
                self.begin()?;
                continue;
            };
            let Current { exchange, state } = current;
            match *state {
                State::Done => {
                    self.current = None;
                    self.wait_for_crawler();
                }
                State::Closed => {
                    exchange.open();
                    *state = State::Running;
                }
                State::Running | State::Waiting => {
                    exchange.set_deadline(self.client.deadline());
                    *state = exchange.step(Patience::Full, &mut self.lines);
                }
            }
        }
    }
}

impl Keys<'_> {
    /// Begins with the next server; `None` if there is none.
    fn begin(&mut self) -> Option<()> {
        let driver = self.topology.shared_driver(self.next)?;
        self.next += 1;
        self.patience = self.client.deadline();
        self.lines.server = driver.name().to_owned();
        let batch = Batch {
            insists: true,
            ..Batch::of(&DUMP)
        };
        let mut exchange = driver.converse_on(batch, self.client.deadline());
        let state = exchange.begin(Patience::Full, &mut self.lines);
        self.current = Some(Current { exchange, state });
        Some(())
    }

    /// Has the server asked again that was busy, after a moment; until its time is up.
    fn wait_for_crawler(&mut self) {
        let Some(busy) = self.lines.busy.take() else {
            return;
        };
        let patience = self.patience;
        match patience.remaining(Instant::now()) {
            Ok(left) => {
                thread::sleep(left.map_or(BUSY, |left| left.min(BUSY)));
                self.next -= 1;
                self.begin();
                self.patience = patience;
            }
            Err(Expired) => self.lines.read.push_back(Err(busy)),
        }
    }
}

impl fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("client", self.client)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

/// Reads ahead of the iterator.
struct Lines<'c> {
    naming: &'c Naming,
    /// The server that is read.
    server: String,
    read: VecDeque<Result<KeyInfo>>,
    /// What the server answered that cannot list its keys now.
    busy: Option<Error>,
}

impl Sink for Lines<'_> {
    /// There are no values in a list of keys.
    fn value(&mut self, _: usize, _: ValueHeader, _: Vec<u8>) {}

    fn part(&mut self, _: usize, part: Part<'_>) -> Result<(), Malformed> {
        let Part::Item(line) = part else {
            return Ok(());
        };
        let info = KeyInfo::parse(line, &self.server);
        let mut info = info.ok_or_else(|| Malformed::Unexpected(Excerpt::new(line)))?;
        if let Some(name) = self.naming.name_of(info.key) {
            info.key = name;
            self.read.push_back(Ok(info));
        }
        Ok(())
    }

    fn pauses(&self) -> bool {
        !self.read.is_empty()
    }

    fn reply(&mut self, _: usize, reply: Reply<'_>) {
        let Reply::Refused(refused) = reply else {
            return;
        };
        let error = match refused.line {
            b"ERROR" => Error::new(Kind::Server, CANNOT_LIST),
            line => server_error(line),
        };
        let error = error.on(&self.server);
        if refused.line.starts_with(b"BUSY ") {
            self.busy = Some(error);
        } else {
            self.read.push_back(Err(error));
        }
    }

    fn failed(&mut self, _: usize, error: Error) {
        self.read.push_back(Err(error));
    }
}

impl KeyInfo {
    /// `key=<escaped> exp=<unix time, -1 for never> la=<unix time> cas=<id> fetch=<yes or no>
    /// cls=<class> size=<bytes>`, of which older servers leave out the end, and newer ones may add
    /// more.
    fn parse(line: &[u8], server: &str) -> Option<Self> {
        let mut info = Self {
            key: Vec::new(),
            server: server.to_owned(),
            expiry: None,
            last_access: None,
            cas: None,
            fetched: None,
            class: None,
            size: None,
        };
        let fields = line.split(|&byte| byte == b' ');
        for field in fields.filter(|field| !field.is_empty()) {
            let equals = memchr::memchr(b'=', field)?;
            let (name, value) = (&field[..equals], &field[equals + 1..]);
            let text = || std::str::from_utf8(value).ok();
            match name {
                b"key" => info.key = unescaped(value)?,
                b"exp" if value == b"-1" => info.expiry = Some(Lifetime::Forever),
                b"exp" => info.expiry = Some(Lifetime::Until(moment(text()?)?)),
                b"la" => info.last_access = Some(moment(text()?)?),
                b"cas" => info.cas = Some(text()?.parse().ok()?),
                b"fetch" => info.fetched = Some(value == b"yes"),
                b"cls" => info.class = Some(text()?.parse().ok()?),
                b"size" => info.size = Some(text()?.parse().ok()?),
                _ => {}
            }
        }
        (!info.key.is_empty()).then_some(info)
    }
}

/// A unix time.
fn moment(seconds: &str) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds.parse().ok()?))
}

/// `%20` is a space, and so on.
fn unescaped(escaped: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let (digits, tail) = tail.split_at_checked(2)?;
        let digit = |digit: u8| char::from(digit).to_digit(16);
        let value = digit(digits[0])? * 16 + digit(digits[1])?;
        bytes.push(u8::try_from(value).ok()?);
        rest = tail;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_dump() {
        let parse = |line: &str| KeyInfo::parse(line.as_bytes(), "a:1");
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let full = "key=a%20b%25%FF exp=1795245680 la=1795245580 cas=2 fetch=no cls=1 size=68";
        let expected = KeyInfo {
            key: b"a b%\xff".to_vec(),
            server: "a:1".to_owned(),
            expiry: Some(Lifetime::Until(at(1_795_245_680))),
            last_access: Some(at(1_795_245_580)),
            cas: Some(2),
            fetched: Some(false),
            class: Some(1),
            size: Some(68),
        };
        assert_eq!(parse(full), Some(expected.clone()));
        assert!(parse(&format!("{full} \r")).is_none());
        assert_eq!(parse(&format!("{full} flags=0 ")), Some(expected));
        let short = parse("key=k exp=-1").unwrap();
        assert_eq!((short.expiry, short.cas), (Some(Lifetime::Forever), None));
        for wrong in [
            "",
            "exp=-1",
            "key= exp=-1",
            "key=%2 exp=1",
            "key=%zz",
            "key=k exp=x",
            "key",
        ] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }
}
