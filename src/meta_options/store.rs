use super::RawFlags;
use crate::expiry::Expiry;

/// What `ms` and `md` have besides raw flags: setters, and what the client needs for itself.
const KNOWN_OF_SET: &[u8] = b"bcsqCEFIMNOST";
const KNOWN_OF_DELETE: &[u8] = b"bqxCEIOT";

/// How [`Client::meta_set`](crate::Client::meta_set) stores. By itself it stores as
/// [`set`](crate::Client::set) of an [`Item`](crate::Item) does.
///
/// Source: "Meta Set" in memcached's `doc/protocol.txt`; each setter names its flag there.
#[derive(Debug, Clone, Copy, Default)]
#[must_use]
pub struct MetaSet {
    pub(crate) mode: MetaMode,
    pub(crate) cas: Option<u64>,
    pub(crate) invalidate: bool,
    pub(crate) return_cas: bool,
    pub(crate) return_size: bool,
    pub(crate) vivify: Option<Expiry>,
    pub(crate) new_cas: Option<u64>,
    pub(crate) flags: RawFlags,
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

    /// Asks for the size that the value has then, after an append, too:
    /// [`MetaSetOutcome::StoredWithSize`] (`s`).
    ///
    /// memcached has this since 1.6.20. An older one stores all the same, and then the call fails with a
    /// [server error](crate::Error::is_server) that says so.
    pub fn return_size(mut self) -> Self {
        self.return_size = true;
        self
    }

    /// Where there is nothing to append or prepend to, makes the item of the bytes, until `expiry`, with
    /// the flags of the call (`N`). In the other modes it is a validation error of the call.
    ///
    /// memcached has this since 1.6.20. An older one stores nothing where there is nothing, and then the
    /// call fails with a [server error](crate::Error::is_server) that says so.
    pub fn vivify(mut self, expiry: impl Into<Expiry>) -> Self {
        self.vivify = Some(expiry.into());
        self
    }

    /// Gives the item this cas id, in place of the server's next (`E`): for versions that come
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
    /// reply says of it is dropped.
    ///
    /// One word of printable ASCII; the letters of the other setters, and those that the client needs
    /// for itself (`O`, `q`, `b`), are a validation error of the call, and so are more than 64 bytes
    /// in all. A call with such flags is never repeated: nobody here knows what they do.
    pub fn raw_flag(mut self, flag: &str) -> Self {
        self.flags = self.flags.with(flag, KNOWN_OF_SET);
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
    /// The item is stored, where [`MetaSet::return_size`] asks for the size.
    StoredWithSize {
        /// The size of the value now, in bytes.
        size: usize,
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
    pub(crate) new_cas: Option<u64>,
    pub(crate) flags: RawFlags,
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
    /// Plain gets find the old value. In the meta protocol, a call for one key that reads or touches it
    /// (`get`, `gets`, `touch`, `get_and_touch`) is the one that wins, and does not know it: to recache in
    /// this way, read with `meta_get`. Calls for many keys, also with a single one, pipelines and
    /// [`contains`](crate::Client::contains) leave the win to others; but for keys that are sent in base64
    /// ([`KeyBytes::Any`](crate::KeyBytes::Any)), and for many `touch` in a pipeline, of which memcached has
    /// no other form. A win may be lost with a connection, too; see there.
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

    /// Gives the item this cas id where it stays: with [`invalidate`](Self::invalidate) or
    /// [`tombstone`](Self::tombstone), in place of the server's next (`E`): for versions that come
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
    /// reply says of it is dropped.
    ///
    /// One word of printable ASCII; the letters of the other setters, and those that the client needs
    /// for itself (`O`, `q`, `b`), are a validation error of the call, and so are more than 64 bytes
    /// in all. A call with such flags is never repeated: nobody here knows what they do.
    pub fn raw_flag(mut self, flag: &str) -> Self {
        self.flags = self.flags.with(flag, KNOWN_OF_DELETE);
        self
    }
}
