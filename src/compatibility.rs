//! What a peer's name stands for, besides the placement that [`Scheme`](crate::Scheme) has. May use
//! the placement, the value formats and the leaves.

use crate::key::{EmptyKeys, KeyBytes, LongKeys, PrefixPlacement};
use crate::library::Library;
use crate::value::Format;

/// How the peer stores values, unless it is set up otherwise.
pub(crate) fn format(peer: Library) -> Format {
    match peer {
        Library::Moecache => Format::Moecache,
        Library::Enyim | Library::EnyimCore => Format::Enyim,
        Library::EnyimCoreMessagePack => Format::EnyimCoreMessagePack,
        Library::Libmemcached | Library::Gomemcache | Library::Twemproxy => Format::Raw,
        Library::Pylibmc => Format::Pylibmc,
        Library::PhpMemcached => Format::Php,
        Library::PythonMemcached => Format::PythonMemcached,
        Library::Pymemcache => Format::Pymemcache,
        Library::Pyermc => Format::Pyermc,
        Library::Dalli => Format::Dalli,
        Library::Spymemcached => Format::Spymemcached,
    }
}

/// How a peer names its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keys {
    /// Which bytes its keys have, in each protocol.
    pub(crate) text: KeyBytes,
    pub(crate) meta: KeyBytes,
    pub(crate) binary: KeyBytes,
    /// Whether it places a key by its prefix, too.
    pub(crate) prefix: PrefixPlacement,
    pub(crate) long: LongKeys,
    pub(crate) empty: EmptyKeys,
}

impl Keys {
    /// The same bytes in all protocols, a prefix like any part of the key, and no exceptions.
    const fn of(bytes: KeyBytes) -> Self {
        Self {
            text: bytes,
            meta: bytes,
            binary: bytes,
            prefix: PrefixPlacement::Hashed,
            long: LongKeys::Refused,
            empty: EmptyKeys::Refused,
        }
    }
}

/// How the peer names its items. `tests/compat/python/keys.rs` holds those that can be run to it; of the
/// others it is their source that is quoted.
///
/// None allows more in a line than 0x21 to 0x7e and 0x80 to 0xff here. Some do: libmemcached and
/// spymemcached send a tab as it is, pymemcache 0x01 and 0x7f. What is stored so can be read with
/// [`KeyBytes::Any`].
pub(crate) fn keys(peer: Library) -> Keys {
    match peer {
        // EnyimMemcached's DefaultKeyTransformer refuses nothing over 0x20, but its text protocol
        // sends what is not ASCII as "?", so that such keys are one and the same.
        Library::Moecache | Library::Enyim | Library::EnyimCore | Library::EnyimCoreMessagePack => {
            Keys::of(KeyBytes::Printable)
        }
        // It looks at no byte of a key unless VERIFY_KEY is set (`memcached_key_test`, `key.cc`). It
        // hashes without the namespace unless HASH_WITH_NAMESPACE is (`generate_hash`, `hash.cc`).
        Library::Libmemcached | Library::Pylibmc => Keys {
            binary: KeyBytes::Any,
            prefix: PrefixPlacement::LeftOut,
            ..Keys::of(KeyBytes::NonAscii)
        },
        // In text `!isgraph(str[i]) || isspace(str[i])` is refused, since 3.2.0; in binary no more than
        // a line feed (`MEMC_CHECK_KEY`, `php_memcached.c`).
        Library::PhpMemcached => Keys {
            binary: KeyBytes::Any,
            prefix: PrefixPlacement::LeftOut,
            ..Keys::of(KeyBytes::Printable)
        },
        // python-memcached: `[\x21-\x7e\x80-\xff]+$`. Its `_multi` calls hash `key_prefix + key`.
        // pyermc: `^[^\x00-\x20\x7f\n\s]+$` (`memcache.py`).
        // gomemcache: `key[i] <= ' ' || key[i] == 0x7f` is refused (`legalKey`, `memcache.go`).
        // twemproxy: a key ends at a space or a carriage return (`nc_memcache.c`).
        Library::PythonMemcached | Library::Pyermc | Library::Gomemcache | Library::Twemproxy => {
            Keys::of(KeyBytes::NonAscii)
        }
        // It refuses whitespace and 0x00 (`check_key_helper`, `client/base.py`), and text that is not
        // ASCII unless `allow_unicode_keys` is set, but never bytes. HashClient asks for the node of
        // the key without `key_prefix`. An empty key is refused by the server, but with a prefix.
        Library::Pymemcache => Keys {
            prefix: PrefixPlacement::LeftOut,
            empty: EmptyKeys::BehindPrefix,
            ..Keys::of(KeyBytes::NonAscii)
        },
        // In the meta protocol it sends in base64 what is not ASCII or has whitespace
        // (`Meta::KeyRegularizer`); in binary, up to its version 4, it sends what it is given. The
        // ring is asked for the whole key, namespace and digest included (`Client#perform`).
        Library::Dalli => Keys {
            meta: KeyBytes::Any,
            binary: KeyBytes::Any,
            long: LongKeys::Dalli,
            ..Keys::of(KeyBytes::NonAscii)
        },
        // `b == ' ' || b == '\n' || b == '\r' || b == 0` is refused in text, nothing in binary
        // (`StringUtils.validateKey`).
        Library::Spymemcached => Keys {
            binary: KeyBytes::Any,
            ..Keys::of(KeyBytes::NonAscii)
        },
    }
}
