//! The conventions of each library for keys and values. Its placement is in [`Scheme`](crate::Scheme), its
//! names are in [`Library`]. May use the value formats and the leaves.

use crate::key::{EmptyKeys, KeyBytes, LongKeys, PrefixPlacement};
use crate::library::Library;
use crate::value::Format;

/// How a library names items and stores values, unless it is set up otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conventions {
    pub(crate) format: Format,
    /// The bytes that keys have, in each protocol.
    pub(crate) text: KeyBytes,
    pub(crate) meta: KeyBytes,
    pub(crate) binary: KeyBytes,
    /// Whether it places a key by its prefix, too.
    pub(crate) prefix: PrefixPlacement,
    pub(crate) long: LongKeys,
    pub(crate) empty: EmptyKeys,
}

impl Conventions {
    /// The same bytes in all protocols, a prefix like any part of the key, and no exceptions.
    const fn new(format: Format, bytes: KeyBytes) -> Self {
        Self {
            format,
            text: bytes,
            meta: bytes,
            binary: bytes,
            prefix: PrefixPlacement::Hashed,
            long: LongKeys::Refused,
            empty: EmptyKeys::Refused,
        }
    }

    /// It hashes without the namespace unless HASH_WITH_NAMESPACE is set (`generate_hash`, `hash.cc`).
    const fn of_libmemcached(format: Format, text: KeyBytes) -> Self {
        Self {
            binary: KeyBytes::Any,
            prefix: PrefixPlacement::LeftOut,
            ..Self::new(format, text)
        }
    }

    /// Returns those of `library`. `tests/compat/python/keys.rs` holds those that can be run to them; of the
    /// others it is their source that is quoted.
    ///
    /// None allows more in a line than 0x21 to 0x7e and 0x80 to 0xff here. Some do: libmemcached and
    /// spymemcached send a tab as it is, pymemcache 0x01 and 0x7f. What is stored so can be read with
    /// [`KeyBytes::Any`].
    pub(crate) const fn of(library: Library) -> Self {
        use KeyBytes::{Any, NonAscii, Printable};

        match library {
            // EnyimMemcached's DefaultKeyTransformer refuses nothing over 0x20, but its text protocol
            // sends what is not ASCII as "?", so that such keys are one and the same.
            Library::Moecache => Self::new(Format::Moecache, Printable),
            Library::Enyim | Library::EnyimCore => Self::new(Format::Enyim, Printable),
            Library::EnyimCoreMessagePack => Self::new(Format::EnyimCoreMessagePack, Printable),
            // They look at no byte of a key unless VERIFY_KEY is set (`memcached_key_test`, `key.cc`).
            Library::Libmemcached => Self::of_libmemcached(Format::Raw, NonAscii),
            Library::Pylibmc => Self::of_libmemcached(Format::Pylibmc, NonAscii),
            // In text `!isgraph(str[i]) || isspace(str[i])` is refused, since 3.2.0; in binary no more
            // than a line feed (`MEMC_CHECK_KEY`, `php_memcached.c`).
            Library::PhpMemcached => Self::of_libmemcached(Format::Php, Printable),
            // `[\x21-\x7e\x80-\xff]+$`. Its `_multi` calls hash `key_prefix + key`.
            Library::PythonMemcached => Self::new(Format::PythonMemcached, NonAscii),
            // It refuses whitespace and 0x00 (`check_key_helper`, `client/base.py`), and text that is
            // not ASCII unless `allow_unicode_keys` is set, but never bytes. HashClient asks for the
            // node of the key without `key_prefix`. An empty key is refused by the server, but with a
            // prefix.
            Library::Pymemcache => Self {
                prefix: PrefixPlacement::LeftOut,
                empty: EmptyKeys::BehindPrefix,
                ..Self::new(Format::Pymemcache, NonAscii)
            },
            // `^[^\x00-\x20\x7f\n\s]+$` (`memcache.py`).
            Library::Pyermc => Self::new(Format::Pyermc, NonAscii),
            // In the meta protocol it sends in base64 what is not ASCII or has whitespace
            // (`Meta::KeyRegularizer`); in binary, up to its version 4, it sends what it is given. The
            // ring is asked for the whole key, namespace and digest included (`Client#perform`).
            Library::Dalli => Self {
                meta: Any,
                binary: Any,
                long: LongKeys::Dalli,
                ..Self::new(Format::Dalli, NonAscii)
            },
            // gomemcache: `key[i] <= ' ' || key[i] == 0x7f` is refused (`legalKey`, `memcache.go`).
            // twemproxy: a key ends at a space or a carriage return (`nc_memcache.c`).
            Library::Gomemcache | Library::Twemproxy => Self::new(Format::Raw, NonAscii),
            // `b == ' ' || b == '\n' || b == '\r' || b == 0` is refused in text, nothing in binary
            // (`StringUtils.validateKey`).
            Library::Spymemcached => Self {
                binary: Any,
                ..Self::new(Format::Spymemcached, NonAscii)
            },
        }
    }
}
