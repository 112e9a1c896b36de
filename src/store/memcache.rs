use super::{KeyValueStore, Keys, Lifetime, StoreError};
use crate::client::{CANNOT_LIST, Client};
use crate::error::Error;
use crate::expiry::Expiry;
use crate::key::MAX_KEY_LENGTH;
use std::io;
use std::time::{Duration, SystemTime};

/// What memcached answers, in one writing or another, to an item that is too large.
const TOO_LARGE: &str = "too large";

/// What a memcached answers whose crawler is switched off (`-o no_lru_crawler`).
const NO_CRAWLER: &str = "lru crawler disabled";

/// A store on memcached servers: a [`Client`] behind the face of a [`KeyValueStore`].
///
/// It is as volatile as memcached: what is put may be gone at any time, when memory runs out or a server
/// restarts. Keys go by the client's prefix, placement and protocol; data is stored as
/// [`Client::set_bytes`] stores it, so that what Python's simplekv put there with pylibmc, say, is read by
/// a client that is [compatible with](crate::ClientBuilder::compatible_with) pylibmc.
///
/// ```
/// # let server = moecache::testing::Server::start()?;
/// use moecache::Client;
/// use moecache::store::{KeyValueStore, Lifetime, MemcacheStore};
/// use std::time::Duration;
///
/// # stringify!(
/// let client = Client::new("127.0.0.1:11211")?;
/// # );
/// # let client = Client::new(&server)?;
/// let store = MemcacheStore::new(client);
/// store.put_with("session.17", b"ann", Lifetime::For(Duration::from_secs(3600)))?;
/// assert_eq!(store.get("session.17")?, b"ann");
/// assert_eq!(store.keys("session.")?, ["session.17"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What memcached cannot do
///
/// * **Lifetimes** are whole seconds, to which others are rounded up, and one more, because memcached may
///   take off as much as one. They end on 2038-01-19 at the latest: a longer one is [`StoreError::InvalidLifetime`].
/// * **Large data**: items are at most 1 MB with their key, unless memcached is started with a higher
///   limit (`-I`). More is a [`StoreError::Io`] of the kind
///   [`FileTooLarge`](io::ErrorKind::FileTooLarge), which says so; and the data that the key had is gone,
///   as memcached has it.
/// * **Listing keys** is [`StoreError::Unsupported`] in the binary protocol, by servers older than
///   1.4.31 or with their crawler switched off, and with keys that are hashed. Else it is
///   [`Client::keys`], with what is said there: an item that was stored just before may be left out.
///   What in the same servers is no key of a store is passed over. A key that a
///   [failure policy](crate::FailurePolicy) put on two servers is listed for each.
///
/// With [`FailurePolicy::Miss`](crate::FailurePolicy::Miss), the data of a server that is down is
/// [`StoreError::NotFound`], and what is put there is lost without an error.
///
/// [`contains`](KeyValueStore::contains) asks for the data where the protocol is not meta: text and
/// binary have no other way.
#[derive(Debug, Clone)]
pub struct MemcacheStore {
    client: Client,
}

impl MemcacheStore {
    /// A store of what this client stores.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Why something about `key` failed, but to put it.
    fn failure(&self, key: &str, error: Error) -> StoreError {
        if error.is_validation() && self.client.server_for(key).is_err() {
            // It is one of a store, but not of this client.
            return StoreError::InvalidKey(error.to_string());
        }
        error.into()
    }

    fn put_failure(&self, key: &str, size: usize, error: Error) -> StoreError {
        let limit = if error.is_server() && error.to_string().to_lowercase().contains(TOO_LARGE) {
            Limit::Server
        } else if error.is_validation() && self.client.server_for(key).is_ok() {
            // Key and lifetime are in order.
            Limit::Client
        } else {
            return self.failure(key, error);
        };
        let error = TooLarge {
            size,
            limit,
            source: error,
        };
        io::Error::new(io::ErrorKind::FileTooLarge, error).into()
    }
}

impl KeyValueStore for MemcacheStore {
    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        self.check_key(key)?;
        let found = self.client.get_bytes(key);
        let found = found.map_err(|error| self.failure(key, error))?;
        found.ok_or_else(|| StoreError::NotFound(key.to_owned()))
    }

    fn put_with(&self, key: &str, data: &[u8], lifetime: Lifetime) -> Result<(), StoreError> {
        self.check_key(key)?;
        let expiry = expiry(lifetime)?;
        let stored = self.client.set_bytes(key, data, expiry);
        stored.map_err(|error| self.put_failure(key, data.len(), error))
    }

    fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.check_key(key)?;
        let deleted = self.client.delete(key);
        deleted.map_err(|error| self.failure(key, error))?;
        Ok(())
    }

    fn contains(&self, key: &str) -> Result<bool, StoreError> {
        self.check_key(key)?;
        let found = self.client.contains(key);
        found.map_err(|error| self.failure(key, error))
    }

    fn iter_keys<'s>(&'s self, prefix: &str) -> Keys<'s> {
        let prefix = prefix.to_owned();
        Box::new(self.client.keys().filter_map(move |info| match info {
            Ok(info) => {
                let key = String::from_utf8(info.key).ok()?;
                let is_listed = key.starts_with(&prefix) && self.check_key(&key).is_ok();
                is_listed.then_some(Ok(key))
            }
            Err(error) => Some(Err(listing_failure(error))),
        }))
    }

    fn check_lifetime(&self, lifetime: Lifetime) -> Result<(), StoreError> {
        expiry(lifetime).map(|_| ())
    }

    fn max_key_length(&self) -> usize {
        MAX_KEY_LENGTH.saturating_sub(self.client.prefix().len())
    }
}

/// What keeps data for so long at least. memcached counts whole seconds of a clock of its own: of those
/// that it is told, it takes off what is over of the one that it is in.
fn expiry(lifetime: Lifetime) -> Result<Expiry, StoreError> {
    let duration = lifetime.duration()?;
    let kept = duration.map(|duration| duration.saturating_add(Duration::from_secs(1)));
    let expiry = kept.map_or(Expiry::Never, Expiry::After);
    match expiry.to_wire(SystemTime::now()) {
        Ok(_) => Ok(expiry),
        Err(error) => Err(StoreError::InvalidLifetime(format!("lifetime: {error}"))),
    }
}

fn listing_failure(error: Error) -> StoreError {
    let what = error.to_string();
    if error.is_server() && [CANNOT_LIST, NO_CRAWLER].iter().any(|no| what.contains(no)) {
        return StoreError::Unsupported {
            what,
            source: Some(error.into()),
        };
    }
    error.into()
}

/// Why data could not be put.
#[derive(Debug, thiserror::Error)]
#[error("put: {size} bytes are too large: {limit}")]
struct TooLarge {
    size: usize,
    limit: Limit,
    source: Error,
}

/// Whose limit it is, and how it is raised.
#[derive(Debug, thiserror::Error)]
enum Limit {
    #[error(
        "memcached holds items of up to 1 MB, their keys included, unless it is started with another \
         limit, such as -I 8m"
    )]
    Server,
    #[error("the client's limit is set by ClientBuilder::max_value_size")]
    Client,
}
