use super::Client;
use super::call;
use crate::conn::{Batch, Deadline, Exchange, ReplyHandler, State, Wait};
use crate::error::{Error, Kind, Result};
use crate::key::Naming;
use crate::percent;
use crate::protocol::{Excerpt, Line, Malformed, Reply, Request, Walk};
use crate::route::Topology;
use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// What is the matter with a server that answers `ERROR`.
pub(crate) const CANNOT_LIST: &str =
    "the server answered \"ERROR\": it cannot list its keys; memcached can since 1.4.31";

/// What is the matter with a prefix that is hashed.
const HASHED: &str = "the keys below the prefix are hashed, and cannot be told from others";

/// What memcached answers while its hash table grows.
const LOCKED: &[u8] = b"ERROR locked try again later";

/// The pause before a busy server is asked again.
const BUSY: Duration = Duration::from_millis(10);

const BY_HASH: Request<'static> = Request::Metadump { walk: Walk::Hash };
const BY_LRU: Request<'static> = Request::Metadump { walk: Walk::Lru };

/// # Listing keys
impl Client {
    /// Lists the keys of all servers, one server after the other, as they come: memcached's
    /// `lru_crawler metadump hash`, or `all` where a server refuses that word.
    ///
    /// Each server goes through its items while it goes on serving others. With `hash`, which memcached
    /// has since 1.6.9, it goes through its hash table: each key that is there from the start to the end
    /// is listed, and is listed once; what is stored or removed meanwhile may be there or not. With `all`
    /// it goes along its lists of the least recently used, and misses keys that are merely read
    /// meanwhile; those that it lists twice are left out. For that the 64-bit hashes of the listed keys
    /// are kept, 9 to 18 bytes a key; among ten million keys the chance that two share one, and the
    /// second is left out, is 1 in 370,000. With `hash` nothing is kept.
    ///
    /// An error is that of one server, whose further keys are missing; the list goes on with the next.
    /// The timeout is that of each wait for more keys, not of the whole, also where none of what comes is
    /// below the client's prefix. A server does one such list at a time, and looks for expired items by
    /// the same means now and then: while it is busy with that, or its hash table grows, it is asked
    /// again until the timeout.
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
            busy_until: self.deadline(),
            walk: Walk::Hash,
            lines: Lines {
                naming: &self.naming,
                server: String::new(),
                read: VecDeque::new(),
                has_progressed: false,
                listed: None,
                refused: None,
                is_complete: false,
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
    /// Its flags. memcached tells them since 1.6.24.
    pub flags: Option<u32>,
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
    busy_until: Deadline,
    /// What the current server is asked for.
    walk: Walk,
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
                    if std::mem::take(&mut self.lines.is_complete) {
                        self.counted(Ok(()));
                    }
                    self.settle();
                }
                State::Closed => {
                    exchange.open();
                    *state = State::Running;
                }
                State::Running | State::Waiting => {
                    exchange.set_deadline(self.client.deadline());
                    self.lines.has_progressed = false;
                    *state = exchange.step(Wait::UntilDeadline, &mut self.lines);
                }
            }
        }
    }
}

impl Keys<'_> {
    /// Begins with the next server; `None` if there is none.
    fn begin(&mut self) -> Option<()> {
        self.busy_until = self.client.deadline();
        self.walk = Walk::Hash;
        self.ask()?;
        self.next += 1;
        Some(())
    }

    /// Asks the next server; `None` if there is none.
    fn ask(&mut self) -> Option<()> {
        let backend = self.topology.backends().nth(self.next)?;
        backend.name().clone_into(&mut self.lines.server);
        self.lines.listed = match self.walk {
            Walk::Hash => None,
            Walk::Lru => Some(Listed::default()),
        };
        let request = match self.walk {
            Walk::Hash => &BY_HASH,
            Walk::Lru => &BY_LRU,
        };
        let batch = Batch {
            bypasses_breaker: true,
            is_step: true,
            ..Batch::of(request)
        };
        let deadline = self.client.deadline();
        let mut exchange = backend.converse(batch, deadline);
        exchange.set_deadline(deadline);
        let state = exchange.begin(Wait::UntilDeadline, &mut self.lines);
        self.current = Some(Current { exchange, state });
        Some(())
    }

    /// Asks the server again that refused: after a moment if it is busy, until its time is up; and for
    /// less if it may not have what it was asked for. No version says whether it has: a proxy passes on
    /// that of another server.
    fn settle(&mut self) {
        let Some(Refusal { error, is_busy }) = self.lines.refused.take() else {
            return;
        };
        if is_busy {
            let Ok(left) = self.busy_until.remaining(Instant::now()) else {
                self.counted(Err(&error));
                self.lines.read.push_back(Err(error));
                return;
            };
            thread::sleep(left.map_or(BUSY, |left| left.min(BUSY)));
        } else if self.walk == Walk::Hash {
            self.walk = Walk::Lru;
        } else {
            self.counted(Err(&error));
            self.lines.read.push_back(Err(error));
            return;
        }
        self.next -= 1;
        self.ask();
        self.next += 1;
    }

    /// Counts the list of the current server as one request, however often it was asked for. How long it
    /// takes is the caller's.
    fn counted(&self, outcome: Result<(), &Error>) {
        if let Some(backend) = self.topology.backends().nth(self.next - 1) {
            backend.counted(outcome, None);
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
    /// Whether a line came since this was last looked at.
    has_progressed: bool,
    /// Where the server may list a key twice.
    listed: Option<Listed>,
    /// What the server answered that did not list its keys.
    refused: Option<Refusal>,
    /// Whether all of them have come.
    is_complete: bool,
}

/// The keys that were listed: their hashes, which nobody can choose so that two are alike.
#[derive(Debug, Default)]
struct Listed {
    hasher: RandomState,
    hashes: HashSet<u64>,
}

impl Listed {
    /// `false` if the key was there before.
    fn insert(&mut self, key: &[u8]) -> bool {
        self.hashes.insert(self.hasher.hash_one(key))
    }
}

struct Refusal {
    error: Error,
    /// Whether it may list them in a moment.
    is_busy: bool,
}

impl ReplyHandler for Lines<'_> {
    fn line(&mut self, _: usize, line: Line<'_>) -> Result<(), Malformed> {
        let Line::Item(line) = line else {
            return Ok(());
        };
        let info = KeyInfo::parse(&line, &self.server);
        let mut info = info.ok_or_else(|| Malformed::Unexpected(Excerpt::new(&line)))?;
        self.has_progressed = true;
        if let Some(listed) = &mut self.listed {
            if !listed.insert(&info.key) {
                return Ok(());
            }
        }
        if let Some(name) = self.naming.name_of(info.key) {
            info.key = name;
            self.read.push_back(Ok(info));
        }
        Ok(())
    }

    /// Also where none of the lines is for the caller, whose deadline begins anew.
    fn pauses(&self) -> bool {
        self.has_progressed
    }

    fn reply(&mut self, _: usize, reply: Result<Reply<'_>>) {
        let refused = match reply {
            Ok(Reply::Refused(refused)) => refused,
            Ok(_) => {
                self.is_complete = true;
                return;
            }
            Err(error) => return self.read.push_back(Err(error)),
        };
        let error = match &*refused.line {
            b"ERROR" => Error::new(Kind::Server, CANNOT_LIST),
            _ => call::server_error(&refused),
        };
        self.refused = Some(Refusal {
            error: error.on(&self.server),
            is_busy: refused.line.starts_with(b"BUSY ") || &*refused.line == LOCKED,
        });
    }
}

impl KeyInfo {
    /// `key=<escaped> exp=<unix time, -1 for never> la=<unix time> cas=<id> fetch=<yes or no>
    /// cls=<class> size=<bytes> flags=<flags>`, of which older servers leave out the end, and newer ones
    /// may add more. memcached can be built with flags of 64 bits.
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
            flags: None,
        };
        let fields = line.split(|&byte| byte == b' ');
        for field in fields.filter(|field| !field.is_empty()) {
            let equals = memchr::memchr(b'=', field)?;
            let (name, value) = (&field[..equals], &field[equals + 1..]);
            let text = || std::str::from_utf8(value).ok();
            match name {
                b"key" => info.key = percent::decode(value)?,
                b"exp" if value == b"-1" => info.expiry = Some(Lifetime::Forever),
                b"exp" => info.expiry = Some(Lifetime::Until(moment(text()?)?)),
                b"la" => info.last_access = Some(moment(text()?)?),
                b"cas" => info.cas = Some(text()?.parse().ok()?),
                b"fetch" => info.fetched = Some(value == b"yes"),
                b"cls" => info.class = Some(text()?.parse().ok()?),
                b"size" => info.size = Some(text()?.parse().ok()?),
                b"flags" => info.flags = text().and_then(|text| text.parse().ok()),
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
            flags: None,
        };
        assert_eq!(parse(full), Some(expected.clone()));
        assert!(parse(&format!("{full} \r")).is_none());
        for (more, flags) in [("flags=5 ", Some(5)), ("flags=4294967296", None)] {
            let expected = KeyInfo {
                flags,
                ..expected.clone()
            };
            let line = format!("{full} {more}");
            assert_eq!(parse(&line), Some(expected), "{line}");
        }
        let extra = "ext_page=1 ext_offset=2 and=more ";
        assert_eq!(parse(&format!("{full} {extra}")), Some(expected));
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
