use super::{RawFlags, Ttl, Wanted};
use crate::expiry::Expiry;
use std::fmt;
use std::time::Duration;

/// What `mg` has besides raw flags: setters, and what the client needs for itself.
const KNOWN: &[u8] = b"bcfhlqstuvCENORT";

/// What [`Client::meta_get`](crate::Client::meta_get) asks for, and what it does to the item on the
/// way. By itself it asks for nothing: only whether the key is there.
///
/// ```
/// # let server = moecache::testing::Server::start()?;
/// use moecache::{Client, MetaGet, Protocol, Ttl};
///
/// let client = Client::builder().servers(&server).protocol(Protocol::Meta).build()?;
/// // How long will it live? It neither comes with its value nor counts as used.
/// if let Some(item) = client.meta_get("session", MetaGet::new().ttl().no_bump())? {
///     match item.ttl {
///         Some(Ttl::After(left)) => println!("{} seconds left", left.as_secs()),
///         _ => println!("it does not expire"),
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: "Meta Get" in memcached's `doc/protocol.txt`; each setter names its flag there.
#[derive(Debug, Clone, Copy, Default)]
#[must_use]
pub struct MetaGet {
    pub(crate) wanted: Wanted,
    pub(crate) touch: Option<Expiry>,
    pub(crate) vivify: Option<Expiry>,
    pub(crate) recache: Option<Expiry>,
    pub(crate) unless_cas: Option<u64>,
    pub(crate) new_cas: Option<u64>,
    pub(crate) flags: RawFlags,
}

impl MetaGet {
    /// Asks for nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the value: [`MetaItem::value`] (`v`).
    pub fn value(self) -> Self {
        self.want(b'v')
    }

    /// Asks for the client flags: [`MetaItem::flags`] (`f`).
    pub fn flags(self) -> Self {
        self.want(b'f')
    }

    /// Asks for the cas id: [`MetaItem::cas`] (`c`).
    pub fn cas(self) -> Self {
        self.want(b'c')
    }

    /// Asks how long the item has left: [`MetaItem::ttl`] (`t`).
    pub fn ttl(self) -> Self {
        self.want(b't')
    }

    /// Asks whether anybody has fetched the item before: [`MetaItem::hit_before`] (`h`).
    pub fn hit_before(self) -> Self {
        self.want(b'h')
    }

    /// Asks for how long nobody has used the item: [`MetaItem::last_access`] (`l`).
    pub fn last_access(self) -> Self {
        self.want(b'l')
    }

    /// Asks for the size of the value: [`MetaItem::size`] (`s`).
    pub fn size(self) -> Self {
        self.want(b's')
    }

    /// Does not count as a use of the item: its place in the LRU, whether it was hit, and when it was
    /// used last stay as they are (`u`).
    pub fn no_bump(self) -> Self {
        self.want(b'u')
    }

    /// Gives the item a new expiry; [`MetaItem::ttl`] is that which it has then (`T`).
    pub fn touch(mut self, expiry: impl Into<Expiry>) -> Self {
        self.touch = Some(expiry.into());
        self
    }

    /// Where the key is not there, makes an empty item that expires at `expiry`, and wins: of all who
    /// ask for it so, one alone gets [`MetaItem::won`], and is to compute the value and store it. The
    /// others find [`MetaItem::already_won`] (`N`).
    ///
    /// Until then the empty item is there for every other command, too: `get` finds an empty value,
    /// `add` finds the key taken. With [`Expiry::Never`] it stays if the winner dies.
    pub fn vivify(mut self, expiry: impl Into<Expiry>) -> Self {
        self.vivify = Some(expiry.into());
        self
    }

    /// Wins ([`MetaItem::won`]) where the item has less than this left: one client alone is told to
    /// compute the value anew before it expires (`R`).
    ///
    /// Up to 30 days, anything else is a validation error; 0 ([`Expiry::Never`]) has no effect.
    pub fn recache(mut self, left: impl Into<Expiry>) -> Self {
        self.recache = Some(left.into());
        self
    }

    /// Leaves out the value if the item still has this cas id: [`MetaItem::unchanged`] (`C`). So a value
    /// that the program keeps itself is asked for again without sending it. [`MetaItem::cas`] comes
    /// with it.
    ///
    /// memcached has this since 1.6.40. An older one sends the value of an item that did not change,
    /// too, and then the call fails with a [server error](crate::Error::is_server) that says so.
    pub fn unless_cas(mut self, id: u64) -> Self {
        self.unless_cas = Some(id);
        self.cas()
    }

    /// Gives the item this cas id that [`vivify`](Self::vivify) makes, in place of the server's next (`E`): for versions that come
    /// from elsewhere, such as a row's in a database. 0 is a validation error of the call: no item has
    /// it.
    ///
    /// memcached has this since 1.6.27; older ones answer with an error, and change nothing.
    pub fn new_cas(mut self, id: u64) -> Self {
        self.new_cas = Some(id);
        self
    }

    /// Sends one more flag, as it is: a letter, and what belongs to it. For those that memcached gets
    /// after this version of the crate, and for those that a proxy reads (`L` and `P`). What the
    /// reply says of it is in [`MetaItem::raw`].
    ///
    /// One word of printable ASCII; the letters of the other setters, and those that the client needs
    /// for itself (`O`, `q`, `b`), are a validation error of the call, and so are more than 64 bytes
    /// in all. A call with such flags is never repeated: nobody here knows what they do.
    pub fn raw_flag(mut self, flag: &str) -> Self {
        self.flags = self.flags.with(flag, KNOWN);
        self
    }

    fn want(mut self, letter: u8) -> Self {
        self.wanted = self.wanted.with(letter);
        self
    }
}

/// What [`Client::meta_get`](crate::Client::meta_get) found. What was not asked for is `None`.
///
/// `Debug` gives the length of the value, which may be secret.
#[derive(Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "what the server says")]
#[non_exhaustive]
pub struct MetaItem {
    /// The stored bytes; empty after [`MetaGet::vivify`] made the item.
    pub value: Option<Vec<u8>>,
    /// The client flags.
    pub flags: Option<u32>,
    /// The cas id.
    pub cas: Option<u64>,
    /// How long it has left.
    pub ttl: Option<Ttl>,
    /// Whether anybody had fetched it before.
    pub hit_before: Option<bool>,
    /// How long ago it was used last, in whole seconds.
    pub last_access: Option<Duration>,
    /// The size of the value, in bytes.
    pub size: Option<usize>,
    /// This call is the one that is to compute the value and store it: after
    /// [`MetaGet::vivify`], [`MetaGet::recache`], or when the item is stale (`W`). The win of a stale
    /// item may be lost when a pooled connection was closed: see
    /// [`Client::meta_get`](crate::Client::meta_get).
    pub won: bool,
    /// The item has the cas id of [`MetaGet::unless_cas`], and its value was not sent.
    pub unchanged: bool,
    /// What the reply says that nothing here stands for, word by word: of
    /// [raw flags](MetaGet::raw_flag).
    pub raw: Vec<String>,
    /// The item was marked as stale: [`MetaDelete::invalidate`](super::MetaDelete::invalidate),
    /// [`MetaSet::invalidate`](super::MetaSet::invalidate) (`X`).
    pub stale: bool,
    /// Somebody else was told so and has not stored it yet (`Z`).
    pub already_won: bool,
}

impl fmt::Debug for MetaItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetaItem")
            .field("length", &self.value.as_ref().map(Vec::len))
            .field("flags", &self.flags)
            .field("cas", &self.cas)
            .field("ttl", &self.ttl)
            .field("hit_before", &self.hit_before)
            .field("last_access", &self.last_access)
            .field("size", &self.size)
            .field("won", &self.won)
            .field("stale", &self.stale)
            .field("already_won", &self.already_won)
            .field("unchanged", &self.unchanged)
            .field("raw", &self.raw)
            .finish()
    }
}
