use crate::expiry::Expiry;

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

    /// Only if the item still has this cas id (`C`). 0 is none: memcached 1.6.18 appends and prepends
    /// without a condition then, so that it is an error in every mode.
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
#[non_exhaustive]
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
    /// Plain gets find the old value. In the meta protocol, a call for this key alone that reads or
    /// touches it (`get`, `gets`, `touch`, `get_and_touch`) is the one that wins, and does not know it:
    /// to recache in this way, read with `meta_get`. A win may be lost with a connection, too; see
    /// there.
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
