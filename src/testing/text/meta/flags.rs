//! Flags: each a letter, some with an argument right behind it. Any command takes any flag, and
//! ignores those that are not its own.

use super::base64;
use crate::testing::store::Store;
use crate::testing::text::number::{signed_32, unsigned_32, unsigned_64};
use crate::testing::text::outcome::BAD_FORMAT;

/// An opaque with its `O`.
pub(super) const LONGEST_OPAQUE: usize = 32;

/// How many words a line may have, and one more for its end (`MFLAG_MAX_OPT_LENGTH`).
const MOST_WORDS: usize = 20;

/// Bytes from this on count as repeated letters.
const LETTERS: usize = 127;

const BAD_NUMBER: &str = "CLIENT_ERROR bad token in command line format";

/// What the flags of a command say, but for those that ask for something in the reply.
#[derive(Debug)]
pub(super) struct Flags {
    /// Decoded, if it came in base64.
    pub(super) key: Vec<u8>,
    /// Which letters there are.
    letters: [bool; LETTERS],
    /// `T`, on the store's clock; so are the next two.
    pub(super) exptime: Option<u32>,
    /// `N`.
    pub(super) vivify: Option<u32>,
    /// `R`.
    pub(super) recache: Option<u32>,
    pub(super) client: u32,
    pub(super) cas: Option<u64>,
    pub(super) mode: Option<u8>,
    pub(super) initial: u64,
    pub(super) delta: u64,
}

/// Why flags are refused, in the words of `mg` and `ms`.
pub(super) struct Invalid(pub(super) &'static str);

/// Whether that many flags, and other arguments, are too many.
pub(super) fn too_many(args: usize) -> bool {
    // The command, the key, and the end.
    args + 3 > MOST_WORDS
}

impl Flags {
    pub(super) fn parse(key: &[u8], words: &[&[u8]], store: &Store) -> Result<Self, Invalid> {
        let mut flags = Self {
            key: key.to_vec(),
            letters: [false; LETTERS],
            exptime: None,
            vivify: None,
            recache: None,
            client: 0,
            cas: None,
            mode: None,
            initial: 0,
            delta: 1,
        };
        let mut error = None;
        for word in words {
            let (letter, argument) = (word[0], &word[1..]);
            match flags.letters.get_mut(usize::from(letter)) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(Invalid("CLIENT_ERROR duplicate flag")),
            }
            if !b"bNTRlOPLkstcfvhuqFCMJDI".contains(&letter) {
                return Err(Invalid("CLIENT_ERROR invalid flag"));
            }
            // memcached goes on after a bad argument, and tells of the last one.
            if let Err(text) = flags.set(letter, argument, store) {
                // A bad `F` says nothing.
                error = text.or(error).or(Some(BAD_FORMAT));
            }
        }
        match error {
            None => Ok(flags),
            Some(text) => Err(Invalid(text)),
        }
    }

    pub(super) fn has(&self, letter: u8) -> bool {
        self.letters.get(usize::from(letter)) == Some(&true)
    }

    fn set(
        &mut self,
        letter: u8,
        argument: &[u8],
        store: &Store,
    ) -> Result<(), Option<&'static str>> {
        let expiry = || match signed_32(argument) {
            Some(exptime) => Ok(Some(store.expiry(exptime))),
            None => Err(Some(BAD_NUMBER)),
        };
        match letter {
            b'b' => {
                self.key =
                    base64::decode(&self.key).ok_or(Some("CLIENT_ERROR error decoding key"))?;
            }
            b'N' => self.vivify = expiry()?,
            b'T' => self.exptime = expiry()?,
            b'R' => self.recache = expiry()?,
            b'F' => self.client = unsigned_32(argument).ok_or(None)?,
            b'C' => self.cas = Some(unsigned_64(argument).ok_or(Some(BAD_NUMBER))?),
            b'M' => match *argument {
                [mode] => self.mode = Some(mode),
                _ => return Err(Some("CLIENT_ERROR incorrect length for M token")),
            },
            b'J' => {
                self.initial = unsigned_64(argument)
                    .ok_or(Some("CLIENT_ERROR invalid numeric initial value"))?;
            }
            b'D' => {
                self.delta = unsigned_64(argument)
                    .ok_or(Some("CLIENT_ERROR invalid numeric delta value"))?;
            }
            _ => {}
        }
        Ok(())
    }
}
