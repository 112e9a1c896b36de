//! Keys: what becomes of what a caller names before it is sent, and what is refused. All of it is
//! here, so that nothing else need look at a key again. A leaf: may use nothing but the other leaves.

pub(crate) mod base64;
mod long;
mod naming;
mod rule;
mod transform;

pub(crate) use long::LongKeys;
pub use naming::PrefixPlacement;
pub(crate) use naming::{EmptyKeys, Naming, Rules, Scratch};
pub use rule::KeyBytes;
pub(crate) use rule::KeyRule;
pub use transform::KeyTransform;

/// The longest key that memcached takes, in bytes (`KEY_MAX_LENGTH` in its `memcached.h`).
pub const MAX_KEY_LENGTH: usize = 250;

/// How many bytes base64 makes 250 characters of at most: 248.
const MAX_IN_BASE64: usize = MAX_KEY_LENGTH / 4 * 3;

/// A key that is safe on the wire: 1 to 250 bytes, none of which can end a command or split it.
///
/// memcached executes the value of a storage command that it refuses as further commands, so a
/// key that is too long or holds a line break would let whoever chose the key run `flush_all`.
/// The protocol layer accepts nothing but this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key<'a> {
    bytes: &'a [u8],
    /// How many bytes at its beginning placement leaves out.
    unplaced: u8,
    /// Whether it is only safe in base64, or with its length before it.
    is_binary: bool,
    /// Whether it begins with a word of the text protocol's grammar: `noreply`.
    is_word: bool,
}

impl<'a> Key<'a> {
    pub(crate) fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What its server is chosen by.
    pub(crate) fn placed_by(&self) -> &'a [u8] {
        &self.bytes[usize::from(self.unplaced)..]
    }

    /// Whether a line cannot hold it as it is, but in base64.
    pub(crate) fn is_binary(&self) -> bool {
        self.is_binary
    }

    /// Whether a command of the text protocol may take it for the word `noreply`, with which a line
    /// can end. memcached's own proxy, 1.6.38 for one, compares no more than the length of the word.
    pub(crate) fn is_word(&self) -> bool {
        self.is_word
    }

    /// Whether it can stand on a line between other keys.
    pub(crate) fn is_plain(&self) -> bool {
        !self.is_binary && !self.is_word
    }

    /// The most bytes that it takes on the wire.
    pub(crate) fn wire_length(self) -> usize {
        if self.is_binary {
            self.bytes.len().div_ceil(3) * 4
        } else {
            self.bytes.len()
        }
    }
}
