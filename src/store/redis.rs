use super::{KeyValueStore, Keys, Lifetime, StoreError, key};
use redis::{Cmd, Connection, FromRedisValue, IntoConnectionInfo, RedisError, cmd};
use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a call waits for Redis, unless the program says otherwise.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How many idle connections are kept.
const MAX_IDLE: usize = 16;

/// How many keys Redis looks at for one part of a list: 10 by itself, with which most of the time goes
/// to the round trips.
const KEYS_A_PART: u32 = 1000;

/// Half the milliseconds that Redis can add to the time it is.
const MAX_MILLISECONDS: i64 = i64::MAX / 2;

/// A store in a Redis database, with the feature `redis`: what simplekv's `RedisStore` put there, and
/// what it finds.
///
/// Keys and data are as they are, strings of Redis. A lifetime is rounded up to a millisecond. Any number
/// of threads share a store; a call takes a connection for itself, and one that Redis has closed in the
/// meantime is replaced. Redis 2.8 or later is needed.
///
/// ```no_run
/// use moecache::store::{KeyValueStore, Lifetime, RedisStore};
/// use std::time::Duration;
///
/// let store = RedisStore::new("redis://127.0.0.1:6379/0")?;
/// store.put_with("session.17", b"ann", Lifetime::For(Duration::from_millis(1500)))?;
/// assert_eq!(store.get("session.17")?, b"ann");
/// # Ok::<(), moecache::store::StoreError>(())
/// ```
pub struct RedisStore {
    client: redis::Client,
    /// Without the password.
    address: String,
    timeout: Duration,
    idle: Mutex<Vec<Connection>>,
}

impl RedisStore {
    /// A store in the database at `url`, `redis://[user][:password@]host[:port][/database]` or
    /// `redis+unix:///path[?db=database]`. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] of the kind `InvalidInput` if that is not a URL of Redis.
    pub fn new(url: &str) -> Result<Self, StoreError> {
        let parsed = url.into_connection_info();
        // What it is, is not shown: there may be a password in it.
        let parsed = parsed.map_err(|error| invalid_url(&error))?;
        let address = parsed.addr().to_string();
        let client = redis::Client::open(parsed).map_err(|error| invalid_url(&error))?;
        Ok(Self {
            client,
            address,
            timeout: TIMEOUT,
            idle: Mutex::new(Vec::new()),
        })
    }

    /// How long a call waits for a connection, and again for each of its writes and reads: 1 second, if
    /// this is not called. Zero is taken for a millisecond.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.max(Duration::from_millis(1));
        self
    }

    /// What Redis answers to `command`, which may be sent twice: all of them here do the same then.
    fn ask<T: FromRedisValue>(&self, operation: &str, command: &Cmd) -> Result<T, StoreError> {
        let failed = |error| self.failure(operation, error);
        // The lock is not held any longer.
        let pooled = self.lock().pop();
        if let Some(mut connection) = pooled {
            match command.query(&mut connection) {
                // Redis was restarted, or tired of waiting.
                Err(error) if error.is_io_error() && !error.is_timeout() => {}
                answer => return self.finish(connection, answer).map_err(failed),
            }
        }
        let mut connection = self.connect().map_err(failed)?;
        let answer = command.query(&mut connection);
        self.finish(connection, answer).map_err(failed)
    }

    fn connect(&self) -> Result<Connection, RedisError> {
        let connection = self.client.get_connection_with_timeout(self.timeout)?;
        connection.set_read_timeout(Some(self.timeout))?;
        connection.set_write_timeout(Some(self.timeout))?;
        Ok(connection)
    }

    /// Keeps the connection, if its answer was read to the end.
    fn finish<T>(
        &self,
        connection: Connection,
        answer: Result<T, RedisError>,
    ) -> Result<T, RedisError> {
        // An error of Redis's own has a code; after any other, nobody knows what comes next.
        let is_usable = answer
            .as_ref()
            .map_or_else(|e| e.code().is_some(), |_| true);
        let mut idle = self.lock();
        if is_usable && idle.len() < MAX_IDLE {
            idle.push(connection);
        }
        answer
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        // Nothing panics while it is held.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failure(&self, operation: &str, error: RedisError) -> StoreError {
        use io::ErrorKind::{ConnectionRefused, NotConnected, Other, TimedOut};
        let (kind, reason, source) = if error.is_timeout() {
            (TimedOut, "the time is up".to_owned(), Some(error))
        } else if error.is_connection_refusal() {
            let reason = "the connection was refused".to_owned();
            (ConnectionRefused, reason, Some(error))
        } else if error.is_io_error() {
            (
                NotConnected,
                "the connection failed".to_owned(),
                Some(error),
            )
        } else {
            (Other, error.to_string(), None)
        };
        let failure = Failure {
            what: format!("{operation} on Redis at {}", self.address),
            reason,
            source,
        };
        io::Error::new(kind, failure).into()
    }
}

impl KeyValueStore for RedisStore {
    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        self.check_key(key)?;
        let found: Option<Vec<u8>> = self.ask("get", cmd("GET").arg(key))?;
        found.ok_or_else(|| StoreError::NotFound(key.to_owned()))
    }

    fn put_with(&self, key: &str, data: &[u8], lifetime: Lifetime) -> Result<(), StoreError> {
        self.check_key(key)?;
        let mut set = cmd("SET");
        set.arg(key).arg(data);
        if let Some(lifetime) = lifetime.duration()? {
            set.arg("PX").arg(milliseconds(lifetime)?);
        }
        self.ask("put", &set)
    }

    fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.check_key(key)?;
        self.ask("delete", cmd("DEL").arg(key))
    }

    fn contains(&self, key: &str) -> Result<bool, StoreError> {
        self.check_key(key)?;
        self.ask("contains", cmd("EXISTS").arg(key))
    }

    fn check_lifetime(&self, lifetime: Lifetime) -> Result<(), StoreError> {
        lifetime.duration()?.map(milliseconds).transpose()?;
        Ok(())
    }

    /// By `SCAN`. The keys are kept in memory until the list is done, since Redis may name one twice. What
    /// in the same database is no key of a store is passed over.
    fn iter_keys<'s>(&'s self, prefix: &str) -> Keys<'s> {
        if key::check_characters("prefix", prefix).is_err() {
            return Box::new(std::iter::empty());
        }
        Box::new(Scan {
            store: self,
            pattern: pattern(prefix),
            cursor: Some(0),
            read: VecDeque::new(),
            seen: HashSet::new(),
        })
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("address", &self.address)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A list of keys under way.
struct Scan<'s> {
    store: &'s RedisStore,
    pattern: String,
    /// Where the next part begins; `None` after the last.
    cursor: Option<u64>,
    read: VecDeque<Vec<u8>>,
    seen: HashSet<String>,
}

impl Scan<'_> {
    fn read_part(&mut self, cursor: u64) -> Result<(), StoreError> {
        let mut scan = cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(&self.pattern);
        scan.arg("COUNT").arg(KEYS_A_PART);
        let (next, keys): (u64, Vec<Vec<u8>>) = self.store.ask("keys", &scan)?;
        self.read.extend(keys);
        self.cursor = (next != 0).then_some(next);
        Ok(())
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<String, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            while let Some(key) = self.read.pop_front() {
                let key = String::from_utf8(key).ok();
                let key = key.filter(|key| self.store.check_key(key).is_ok());
                if let Some(key) = key.filter(|key| self.seen.insert(key.clone())) {
                    return Some(Ok(key));
                }
            }
            if let Err(error) = self.read_part(self.cursor?) {
                self.cursor = None;
                return Some(Err(error));
            }
        }
    }
}

/// Redis's pattern for what begins with `prefix`, in which `? [ ] ^ -` and others may have a meaning.
fn pattern(prefix: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len() + 1);
    for c in prefix.chars() {
        if !c.is_ascii_alphanumeric() {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('*');
    pattern
}

/// What `PX` takes, rounded up.
fn milliseconds(lifetime: Duration) -> Result<i64, StoreError> {
    let milliseconds = lifetime.as_nanos().div_ceil(1_000_000);
    let milliseconds = i64::try_from(milliseconds).ok();
    let milliseconds = milliseconds.filter(|&milliseconds| milliseconds <= MAX_MILLISECONDS);
    milliseconds.ok_or_else(|| {
        StoreError::InvalidLifetime(format!(
            "lifetime: {lifetime:?}; Redis can hold {MAX_MILLISECONDS} milliseconds; for data that \
             does not expire use Lifetime::Never"
        ))
    })
}

fn invalid_url(error: &RedisError) -> StoreError {
    let reason = format!("url: {error}; such as redis://127.0.0.1:6379/0 is allowed");
    io::Error::new(io::ErrorKind::InvalidInput, reason).into()
}

/// What Redis or the way to it did, and where.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {reason}")]
struct Failure {
    what: String,
    reason: String,
    source: Option<RedisError>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_rounded_up() {
        let rows = [
            (Duration::from_nanos(1), Some(1)),
            (Duration::from_millis(1), Some(1)),
            (Duration::from_micros(1_500), Some(2)),
            (Duration::from_secs(60), Some(60_000)),
            (Duration::MAX, None),
        ];
        for (lifetime, expected) in rows {
            assert_eq!(milliseconds(lifetime).ok(), expected, "{lifetime:?}");
        }
    }

    #[test]
    fn a_url_that_is_none() {
        for url in ["", "http://127.0.0.1", "redis://:secret@/nonsense"] {
            let error = RedisStore::new(url).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains("redis://127.0.0.1:6379/0"), "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
        let store = RedisStore::new("redis://:secret@127.0.0.1:1/3").unwrap();
        assert!(!format!("{store:?}").contains("secret"), "{store:?}");
    }
}
