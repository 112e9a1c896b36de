use super::flight::Flights;
use super::key;
use super::target::Settings;
use crate::client::Client;
use crate::error::Result;
use std::sync::Arc;
use std::time::Duration;

/// A cache on memcached, with namespaces. See the [module](crate::cache) for what it does and how.
///
/// It is cheap to clone and shared freely, as the [`Client`] is.
#[derive(Debug, Clone)]
pub struct Cache {
    /// It shows which servers fail; the cache hides it.
    pub(super) client: Client,
    pub(super) namespace: Arc<str>,
    pub(super) settings: Settings,
    pub(super) flights: Arc<Flights>,
}

/// # Setting up
impl Cache {
    /// A cache with these servers, formats and prefix, in the namespace `""`. Nothing is asked of the
    /// servers, which need not be there. Whatever the client's
    /// [`FailurePolicy`](crate::FailurePolicy), a server that fails is a miss.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "the cache is what it is for")]
    pub fn new(client: Client) -> Self {
        Self {
            client: client.strict(),
            namespace: "".into(),
            settings: Settings {
                lifetime: Duration::from_secs(3600),
                stale: Duration::ZERO,
                early: Duration::ZERO,
                max_wait: Duration::from_secs(10),
                lease: Duration::from_secs(60),
            },
            flights: Arc::default(),
        }
    }

    /// The same cache in another namespace, in place of its own.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// # let cache = moecache::cache::Cache::new(client);
    /// let pages = cache.in_namespace("pages")?;
    /// pages.set(1, "a page")?;
    /// assert_eq!(cache.query::<String>(1)?, None);
    /// assert_eq!(cache.in_namespace("pages")?.query::<String>(1)?.as_deref(), Some("a page"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A validation error if it is longer than 100 bytes, or anything but printable ASCII (0x21 to
    /// 0x7e) without `|`.
    pub fn in_namespace(&self, namespace: &str) -> Result<Self> {
        key::check_namespace(namespace)?;
        Ok(Self {
            namespace: namespace.into(),
            ..self.clone()
        })
    }

    /// How long an entry is fresh, to the millisecond; an hour by default. More than 0, and as long
    /// as an [`Expiry`](crate::Expiry) can say, together with [`stale_for`](Self::stale_for).
    #[must_use]
    pub fn default_lifetime(self, lifetime: Duration) -> Self {
        self.with(|settings| settings.lifetime = lifetime)
    }

    /// How long [`get_or_set`](Self::get_or_set) may serve an entry after that, while one makes it
    /// anew; 0 by default.
    #[must_use]
    pub fn stale_for(self, stale: Duration) -> Self {
        self.with(|settings| settings.stale = stale)
    }

    /// How long before the end of its lifetime [`get_or_set`](Self::get_or_set) has one make an entry
    /// anew, while the others are served the old one; 0 by default.
    #[must_use]
    pub fn recache_early(self, early: Duration) -> Self {
        self.with(|settings| settings.early = early)
    }

    /// How long a [`get_or_set`](Self::get_or_set) waits for another that makes the same entry, before
    /// one of those who wait takes over; 10 seconds by default. It waits for two at most, so no longer
    /// than twice this time, and then makes it itself. With zero, nobody waits.
    #[must_use]
    pub fn max_wait(self, wait: Duration) -> Self {
        self.with(|settings| settings.max_wait = wait)
    }

    /// How long the making of an entry may take, if it is to be stored; after that, it is no longer
    /// taken to be under way. A minute by default; in whole seconds, at least one. If a process dies
    /// while it makes an entry, others wait no longer than this for it, nor than
    /// [`max_wait`](Self::max_wait).
    #[must_use]
    pub fn lease(self, lease: Duration) -> Self {
        self.with(|settings| settings.lease = lease.max(Duration::from_secs(1)))
    }

    fn with(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        set(&mut self.settings);
        self
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }
}
