use super::MAX_KEY_LENGTH;
use md5::{Digest, Md5};

/// What becomes of a key that is longer than memcached takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LongKeys {
    /// It is refused.
    Refused,
    /// As dalli does: its end is replaced by an MD5 of the whole.
    Dalli,
}

/// dalli's `TRUNCATED_KEY_SEPARATOR`.
const SEPARATOR: &[u8] = b":md5:";

/// An MD5 in hexadecimal.
const DIGEST_LENGTH: usize = 32;

impl LongKeys {
    /// Shortens what is in `key` from `start` on, if it is too long. `has_prefix` tells whether it
    /// begins with a prefix.
    pub(super) fn shorten(self, key: &mut Vec<u8>, start: usize, has_prefix: bool) {
        if self == Self::Dalli {
            shorten_as_dalli(key, start, has_prefix);
        }
    }
}

/// `KeyManager#truncated_key` (dalli 5, `lib/dalli/key_manager.rb`): a key of over 250 becomes its
/// beginning, `:md5:` and the digest of all of it, namespace included. Two quirks are dalli's own:
///
/// - The result is 250 long with a namespace, and 249 without one ("for historical reasons").
/// - It counts Ruby's characters, not bytes. So a key of 250 characters that are more bytes is left
///   alone, and memcached refuses it.
fn shorten_as_dalli(key: &mut Vec<u8>, start: usize, has_prefix: bool) {
    let whole = &key[start..];
    let target = if has_prefix {
        MAX_KEY_LENGTH
    } else {
        MAX_KEY_LENGTH - 1
    };
    let kept = target - SEPARATOR.len() - DIGEST_LENGTH;
    let kept = match std::str::from_utf8(whole) {
        Ok(text) if text.chars().count() <= MAX_KEY_LENGTH => return,
        Ok(text) => text.char_indices().nth(kept).map_or(0, |(at, _)| at),
        // Of a Ruby string that is no text, each byte counts.
        Err(_) if whole.len() <= MAX_KEY_LENGTH => return,
        Err(_) => kept,
    };
    let digest = Md5::digest(whole);
    key.truncate(start + kept);
    key.extend_from_slice(SEPARATOR);
    for byte in digest {
        key.extend([byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]));
    }
}
