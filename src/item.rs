//! Items as memcached holds them: the only value types that the protocol and the transcoders share.

/// An item as the server holds it: flags, data and, where it was asked for, the cas id.
///
/// What [`Client::get_item`](crate::Client::get_item) gives.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// What the client that stored the item says about its data. memcached does not look at it.
    pub flags: u32,
    /// The stored bytes.
    pub data: Vec<u8>,
    /// The cas id, where the command asked for it.
    pub cas: Option<u64>,
}

impl Item {
    /// An item without a cas id.
    #[must_use]
    pub fn new(flags: u32, data: impl Into<Vec<u8>>) -> Self {
        Self {
            flags,
            data: data.into(),
            cas: None,
        }
    }
}

/// Flags and data to store, borrowed.
///
/// What [`Client::set_item`](crate::Client::set_item) takes; `(flags, data)` and `&Item` convert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemRef<'a> {
    /// What to store beside the data.
    pub flags: u32,
    /// The bytes to store.
    pub data: &'a [u8],
}

impl<'a> From<&'a Item> for ItemRef<'a> {
    fn from(item: &'a Item) -> Self {
        Self {
            flags: item.flags,
            data: &item.data,
        }
    }
}

impl<'a, D: AsRef<[u8]> + ?Sized> From<(u32, &'a D)> for ItemRef<'a> {
    fn from((flags, data): (u32, &'a D)) -> Self {
        Self {
            flags,
            data: data.as_ref(),
        }
    }
}
