//! Items as memcached holds them: the only value types that the protocol and the transcoders share.

use std::fmt;

/// The largest value that is ever sent, in bytes: 1 GiB, the most that memcached can be told to hold
/// (`-I 1g`).
///
/// Not only a limit of taste: memcached 1.6 reads the length into 32 signed bits, refuses a command
/// line with 2^31 or more, and then executes the value as commands.
pub const MAX_VALUE_SIZE: usize = 1 << 30;

/// An item as the server holds it: flags, data and, where it was asked for, the cas id.
///
/// What [`Client::get_item`](crate::Client::get_item) gives.
/// `Debug` gives the flags and the length of the data, which may be secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// What the client that stored the item says about its data. memcached does not look at it.
    pub flags: u32,
    /// The stored bytes.
    pub data: Vec<u8>,
    /// The cas id, where the command asked for it:
    /// [`gets_item`](crate::Client::gets_item) and
    /// [`get_and_touch_item`](crate::Client::get_and_touch_item) do.
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
/// `Debug` gives the flags and the length of the data, which may be secret.
#[derive(Clone, Copy, PartialEq, Eq)]
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

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item")
            .field("flags", &self.flags)
            .field("length", &self.data.len())
            .field("cas", &self.cas)
            .finish()
    }
}

impl fmt::Debug for ItemRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemRef")
            .field("flags", &self.flags)
            .field("length", &self.data.len())
            .finish()
    }
}
