//! What entries and what belongs to them are called on the servers.

use crate::error::{Error, Kind, Result};
use crate::key::MAX_KEY_LENGTH;
use md5::{Digest, Md5};
use serde::Serialize;
use std::fmt;

/// What an entry is found by: any serde type, which is hashed, or [`raw`] text.
///
/// The hash is the MD5 of the key's MessagePack, with the names of fields. It is the same in every
/// process and on every machine. `1` and `"1"` are two keys, and so are a tuple and a struct.
///
/// **Keys of different types with the same content are one key**, because the name of a type is not in
/// what is hashed: `1_u8` and `1_i64`, `"a"` and `String::from("a")`, `Some(1)` and `1`, `(1, 2)` and
/// `[1, 2]`, but also the newtypes `UserId(7)` and `OrderId(7)`, and two structs with the same fields. Put
/// what it is into the key, `("user", id)`, or give each kind its own
/// [namespace](super::Cache::in_namespace). The same goes for dependencies, which have no namespace.
///
/// A `HashMap` or a `HashSet` makes no key, because its order is another each time; a `BTreeMap` does.
///
/// ```
/// use moecache::cache::{CacheKey, KeyName, raw};
///
/// let name = ("user", 17).name()?;
/// assert_eq!(name.to_string(), "45c4c1b9a8201992e15fbdff8f5ec098");
/// assert_ne!(1.name()?, "1".name()?);
/// assert_eq!((1, 2).name()?, [1, 2].name()?); // One key.
/// assert_eq!(raw("user:17").name()?, KeyName::Raw("user:17".to_owned()));
/// # Ok::<(), moecache::Error>(())
/// ```
pub trait CacheKey {
    /// What the entry is called within its namespace.
    ///
    /// # Errors
    ///
    /// An [encode error](Error::is_encode) if it cannot be serialised; a validation error if raw text
    /// is not legal.
    fn name(&self) -> Result<KeyName>;
}

impl<K: Serialize> CacheKey for K {
    fn name(&self) -> Result<KeyName> {
        Ok(KeyName::Hashed(hash(self)?))
    }
}

/// A key that is kept as it is: see [`raw`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<K>(K);

/// A key that is kept as it is, so that people and other programs can find the entry, and
/// [`Cache::keys`](super::Cache::keys) lists it by name.
///
/// It must be printable ASCII, 0x21 to 0x7e, and not be empty; how long it may be is a matter of what
/// stands in front of it, 200 bytes at least where the client has no prefix and the namespace no more
/// than 38.
pub fn raw<K: AsRef<str>>(key: K) -> Raw<K> {
    Raw(key)
}

impl<K: AsRef<str>> CacheKey for Raw<K> {
    fn name(&self) -> Result<KeyName> {
        let key = self.0.as_ref();
        check("raw key", key.as_bytes(), None)?;
        if key.is_empty() {
            return Err(Error::validation(
                "raw key: it is empty; at least one character is needed",
            ));
        }
        Ok(KeyName::Raw(key.to_owned()))
    }
}

/// What an entry is called within its namespace.
///
/// `Display` gives the text, or the hash in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyName {
    /// The hash of a key: what it was cannot be told.
    Hashed([u8; 16]),
    /// Text that was kept as it is.
    Raw(String),
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hashed(hash) => write!(f, "{:032x}", u128::from_be_bytes(*hash)),
            Self::Raw(key) => f.write_str(key),
        }
    }
}

/// The MD5 of its MessagePack.
pub(super) fn hash<K: Serialize>(key: &K) -> Result<[u8; 16]> {
    let bytes = rmp_serde::to_vec_named(key);
    // What the type's own `Serialize` says could show the key.
    let bytes = bytes.map_err(|_| Error::new(Kind::Encode, "key: it cannot be serialised"))?;
    Ok(Md5::digest(bytes).into())
}

/// The longest namespace, in bytes.
const MAX_NAMESPACE: usize = 100;

/// What stands between the parts of a name.
const SEPARATOR: u8 = b'|';

const ENTRY: &str = "cache|e|";

/// A namespace, judged.
pub(super) fn check_namespace(namespace: &str) -> Result<()> {
    if namespace.len() > MAX_NAMESPACE {
        let length = namespace.len();
        return Err(Error::validation(format!(
            "namespace: {length} bytes long; up to {MAX_NAMESPACE} are allowed"
        )));
    }
    check("namespace", namespace.as_bytes(), Some(SEPARATOR))
}

/// Refuses what is not printable ASCII, and one byte that is.
fn check(what: &str, text: &[u8], not: Option<u8>) -> Result<()> {
    let is_bad = |&byte: &u8| !byte.is_ascii_graphic() || Some(byte) == not;
    let Some(at) = text.iter().position(is_bad) else {
        return Ok(());
    };
    let but = if not.is_some() { " but \"|\"" } else { "" };
    Err(Error::validation(format!(
        "{what}: byte 0x{:02x} at position {at} is not allowed; allowed are the printable ASCII \
         characters 0x21 to 0x7e{but}",
        text[at]
    )))
}

/// The key of the generation of all namespaces.
pub(super) fn of_all() -> Vec<u8> {
    b"cache|all".to_vec()
}

/// The key of the generation of a namespace.
pub(super) fn of_namespace(namespace: &str) -> Vec<u8> {
    format!("cache|ns|{namespace}").into_bytes()
}

/// The key of the generation of what entries depend on.
pub(super) fn of_dependency(hash: [u8; 16]) -> Vec<u8> {
    format!("cache|dep|{}", KeyName::Hashed(hash)).into_bytes()
}

/// The key of the lock of who makes an entry anew while the old one is served.
pub(super) fn of_lock(entry: &[u8]) -> Vec<u8> {
    let hash = KeyName::Hashed(Md5::digest(entry).into());
    format!("cache|lock|{hash}").into_bytes()
}

/// The key of an entry, for a client whose prefix is so long.
pub(super) fn of_entry(namespace: &str, name: &KeyName, prefix: usize) -> Result<Vec<u8>> {
    let kind = match name {
        KeyName::Hashed(_) => 'h',
        KeyName::Raw(_) => 'r',
    };
    let key = format!("{ENTRY}{namespace}|{kind}{name}").into_bytes();
    let too_long = (prefix + key.len()).saturating_sub(MAX_KEY_LENGTH);
    match name {
        KeyName::Raw(raw) if too_long > 0 => Err(Error::validation(format!(
            "raw key: {} bytes long; up to {} fit behind the prefix and the namespace",
            raw.len(),
            raw.len().saturating_sub(too_long)
        ))),
        _ => Ok(key),
    }
}

/// What the key of an entry of `namespace` says; `None` for any other key.
pub(super) fn name_of(namespace: &str, key: &[u8]) -> Option<KeyName> {
    let key = std::str::from_utf8(key).ok()?;
    let key = key.strip_prefix(ENTRY)?.strip_prefix(namespace)?;
    let key = key.strip_prefix('|')?;
    match key.split_at_checked(1)? {
        ("r", raw) => Some(KeyName::Raw(raw.to_owned())),
        ("h", digits) if digits.len() == 32 => {
            let hash = u128::from_str_radix(digits, 16).ok()?;
            Some(KeyName::Hashed(hash.to_be_bytes()))
        }
        _ => None,
    }
}
