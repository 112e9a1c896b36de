//! What the meta commands ask for and give: memcached's `doc/protocol.txt`, "Meta Commands".

use crate::expiry::Expiry;
use std::fmt;
use std::time::Duration;

/// What [`Client::meta_get`](crate::Client::meta_get) asks for, and what it does to the item on the
/// way. By itself it asks for nothing: only whether the key is there.
///
/// ```no_run
/// use moecache::{Client, MetaGet, Protocol, Ttl};
///
/// let client = Client::builder()
///     .servers("127.0.0.1:11211")
///     .protocol(Protocol::Meta)
///     .build()?;
/// // How long will it live? It neither comes with its value nor counts as used.
/// if let Some(item) = client.meta_get("session", MetaGet::new().ttl().no_bump())? {
///     match item.ttl {
///         Some(Ttl::After(left)) => println!("{} seconds left", left.as_secs()),
///         _ => println!("it does not expire"),
///     }
/// }
/// # Ok::<(), moecache::Error>(())
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
    /// As an exptime: up to 30 days, and 0 ([`Expiry::Never`]) has no effect.
    pub fn recache(mut self, left: impl Into<Expiry>) -> Self {
        self.recache = Some(left.into());
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
    /// [`MetaGet::vivify`], [`MetaGet::recache`], or when the item is stale (`W`).
    pub won: bool,
    /// The item was marked as stale: [`MetaDelete::invalidate`], [`MetaSet::invalidate`] (`X`).
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
            .finish()
    }
}

/// How long an item has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ttl {
    /// It does not expire.
    Never,
    /// It expires after so many whole seconds.
    After(Duration),
}

/// How [`Client::meta_set`](crate::Client::meta_set) stores. By itself it stores as
/// [`set_item`](crate::Client::set_item) does.
///
/// Source: "Meta Set" in memcached's `doc/protocol.txt`; each setter names its flag there.
#[derive(Debug, Clone, Copy, Default)]
#[must_use]
pub struct MetaSet {
    pub(crate) mode: MetaMode,
    pub(crate) cas: Option<u64>,
    pub(crate) invalidate: bool,
    pub(crate) return_cas: bool,
}

impl MetaSet {
    /// Whether the key is there or not.
    pub fn new() -> Self {
        Self::default()
    }

    /// Under which condition it stores (`M`).
    pub fn mode(mut self, mode: MetaMode) -> Self {
        self.mode = mode;
        self
    }

    /// Only if the item still has this cas id (`C`).
    pub fn cas(mut self, id: u64) -> Self {
        self.cas = Some(id);
        self
    }

    /// With a [`cas`](Self::cas) id lower than the item's, stores nevertheless, and marks the item as
    /// stale: it keeps its expiry, and finds a winner on the next
    /// [`meta_get`](crate::Client::meta_get) (`I`).
    pub fn invalidate(mut self) -> Self {
        self.invalidate = true;
        self
    }

    /// Asks for the cas id that the item has then: [`MetaSetOutcome::Stored`] (`c`).
    pub fn return_cas(mut self) -> Self {
        self.return_cas = true;
        self
    }
}

/// What a [`MetaSet`] makes of an item that is there, or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum MetaMode {
    /// Stores, whether the key is there or not.
    #[default]
    Set,
    /// Stores only if the key is not there.
    Add,
    /// Stores only if the key is there.
    Replace,
    /// Puts the bytes behind those that are there; flags and expiry stay.
    Append,
    /// Puts the bytes before those that are there; flags and expiry stay.
    Prepend,
}

/// What came of [`Client::meta_set`](crate::Client::meta_set).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub enum MetaSetOutcome {
    /// The item is stored.
    Stored {
        /// The cas id that it has now, where [`MetaSet::return_cas`] asks for it.
        cas: Option<u64>,
    },
    /// The condition of the [`MetaMode`] does not hold.
    NotStored,
    /// The item has another cas id, and was left as it is.
    Changed,
    /// There is no item that could have the cas id.
    Missing,
}

/// How [`Client::meta_delete`](crate::Client::meta_delete) removes an item, or only marks it. By
/// itself it removes it.
///
/// Source: "Meta Delete" in memcached's `doc/protocol.txt`; each setter names its flag there.
#[derive(Debug, Clone, Copy, Default)]
#[must_use]
pub struct MetaDelete {
    pub(crate) cas: Option<u64>,
    pub(crate) invalidate: bool,
    pub(crate) expiry: Option<Expiry>,
    pub(crate) tombstone: bool,
}

impl MetaDelete {
    /// Removes the item.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only if the item still has this cas id (`C`).
    pub fn cas(mut self, id: u64) -> Self {
        self.cas = Some(id);
        self
    }

    /// Marks the item as stale in place of removing it: one [`meta_get`](crate::Client::meta_get)
    /// wins, and everybody may go on using the old value until the new one is there. It gets a new cas
    /// id (`I`).
    ///
    /// Plain gets find the old value. In the meta protocol, one that asks for this key alone is the
    /// one that wins, and does not know it: to recache in this way, read with `meta_get`.
    pub fn invalidate(mut self) -> Self {
        self.invalidate = true;
        self
    }

    /// Marks it as stale, until `expiry` at most (`I` and `T`).
    pub fn invalidate_until(mut self, expiry: impl Into<Expiry>) -> Self {
        self.expiry = Some(expiry.into());
        self.invalidate()
    }

    /// Leaves the item, but removes its value: alone, or of one that is marked as stale (`x`).
    ///
    /// memcached has this since 1.6.27; older ones answer with an error.
    pub fn tombstone(mut self) -> Self {
        self.tombstone = true;
        self
    }
}

/// How [`Client::meta_arithmetic`](crate::Client::meta_arithmetic) counts.
///
/// Source: "Meta Arithmetic" in memcached's `doc/protocol.txt`; each setter names its flag there.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct MetaArithmetic {
    pub(crate) down: bool,
    pub(crate) delta: u64,
    pub(crate) initial: Option<(u64, Expiry)>,
    pub(crate) touch: Option<Expiry>,
    pub(crate) cas: Option<u64>,
    pub(crate) wanted: Wanted,
}

impl MetaArithmetic {
    /// Adds `delta`; past 2^64 - 1 it goes on from 0.
    pub fn up(delta: u64) -> Self {
        Self {
            down: false,
            delta,
            initial: None,
            touch: None,
            cas: None,
            wanted: Wanted::default(),
        }
    }

    /// Takes `delta` away; it stops at 0 (`MD`).
    pub fn down(delta: u64) -> Self {
        Self {
            down: true,
            ..Self::up(delta)
        }
    }

    /// Makes a counter that is not there: it counts `value` then, until `expiry` (`N` and `J`).
    pub fn initial(mut self, value: u64, expiry: impl Into<Expiry>) -> Self {
        self.initial = Some((value, expiry.into()));
        self
    }

    /// Gives the counter a new expiry (`T`).
    pub fn touch(mut self, expiry: impl Into<Expiry>) -> Self {
        self.touch = Some(expiry.into());
        self
    }

    /// Only if the item still has this cas id (`C`). 0 is none: memcached takes it for no condition,
    /// so that it is an error.
    pub fn cas(mut self, id: u64) -> Self {
        self.cas = Some(id);
        self
    }

    /// Asks for the cas id that the counter has then: [`MetaCounter::cas`] (`c`).
    pub fn return_cas(mut self) -> Self {
        self.wanted = self.wanted.with(b'c');
        self
    }

    /// Asks how long the counter has left: [`MetaCounter::ttl`] (`t`).
    pub fn return_ttl(mut self) -> Self {
        self.wanted = self.wanted.with(b't');
        self
    }
}

/// What came of [`Client::meta_arithmetic`](crate::Client::meta_arithmetic).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub enum MetaArithmeticOutcome {
    /// It counted, or made the counter.
    Counted(MetaCounter),
    /// The item has another cas id, and was left as it is.
    Changed,
    /// The key is not there.
    Missing,
}

/// A counter, after [`Client::meta_arithmetic`](crate::Client::meta_arithmetic).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct MetaCounter {
    /// What it counts now.
    pub count: u64,
    /// The cas id, where [`MetaArithmetic::return_cas`] asks for it.
    pub cas: Option<u64>,
    /// How long it has left, where [`MetaArithmetic::return_ttl`] asks for it.
    pub ttl: Option<Ttl>,
}

impl MetaCounter {
    pub(crate) fn new(count: u64, cas: Option<u64>, ttl: Option<Ttl>) -> Self {
        Self { count, cas, ttl }
    }
}

/// A set of the flags of meta commands that take no token: what is to come back, and `u`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Wanted(u8);

impl Wanted {
    /// In the order in which they are sent.
    const LETTERS: [u8; 8] = *b"uvfcthls";

    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn with(self, letter: u8) -> Self {
        Self(self.0 | Self::bit(letter))
    }

    pub(crate) const fn without(self, letter: u8) -> Self {
        Self(self.0 & !Self::bit(letter))
    }

    pub(crate) const fn has(self, letter: u8) -> bool {
        self.0 & Self::bit(letter) != 0
    }

    /// Whether all of these are in `other`, too.
    pub(crate) const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    pub(crate) fn letters(self) -> impl Iterator<Item = u8> {
        Self::LETTERS.into_iter().filter(move |&it| self.has(it))
    }

    /// Its bit; none for what is not one of these flags.
    const fn bit(letter: u8) -> u8 {
        let mut at = 0;
        while at < Self::LETTERS.len() {
            if Self::LETTERS[at] == letter {
                return 1 << at;
            }
            at += 1;
        }
        0
    }
}
