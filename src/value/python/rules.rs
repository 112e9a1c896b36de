//! What the clients' flags mean, as each was seen to store and to read them.

use crate::value::compression::Algorithm;

/// The bit that all of them have for compressed data.
pub(super) const COMPRESSED: u32 = 8;

/// What sets one client apart from the others.
#[derive(Debug)]
pub(crate) struct Rules {
    /// Its name, for messages.
    pub(super) name: &'static str,
    /// The flags of what it writes.
    pub(super) bytes: u32,
    pub(super) text: u32,
    pub(super) pickle: u32,
    /// An int of at most 64 bits, and a larger one: two types in Python 2.
    pub(super) int: u32,
    pub(super) long: u32,
    /// `None`: bools are pickled.
    pub(super) bool: Option<u32>,
    pub(super) compression: Option<Algorithm>,
    pub(super) compresses_integers: bool,
    /// Whatever the flags, nothing is None.
    pub(super) empty_is_none: bool,
    /// What it makes of flags: the first row that fits. Where none does, it raises.
    reads: &'static [Row],
}

/// Flags that have of the first mask's bits just the second's, and what they say.
type Row = (u32, u32, Stored);

/// What an item is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stored {
    Bytes,
    Str,
    /// Python 2's str, which is bytes.
    Str2,
    Int,
    /// Bools are stored as ints.
    BoolOrInt,
    Pickle,
}

impl Rules {
    pub(super) fn stored(&self, flags: u32) -> Option<Stored> {
        let mut rows = self.reads.iter();
        let &(.., stored) = rows.find(|(mask, bits, _)| flags & mask == *bits)?;
        Some(stored)
    }
}

impl Stored {
    /// With its article, for messages.
    pub(super) fn describe(self, is_compressed: bool) -> &'static str {
        match (self, is_compressed) {
            (Self::Bytes, false) => "bytes of Python",
            (Self::Bytes, true) => "compressed bytes of Python",
            (Self::Str | Self::Str2, false) => "a Python str",
            (Self::Str | Self::Str2, true) => "a compressed Python str",
            (Self::Int, false) => "a Python int",
            (Self::Int, true) => "a compressed Python int",
            (Self::BoolOrInt, false) => "a Python bool or int",
            (Self::BoolOrInt, true) => "a compressed Python bool or int",
            (Self::Pickle, false) => "a Python pickle",
            (Self::Pickle, true) => "a compressed Python pickle",
        }
    }
}

/// pylibmc 1.6.3: of the five bits it knows besides that of zlib, at most one may be set; it does
/// not look at others.
pub(crate) const PYLIBMC: Rules = Rules {
    name: "pylibmc",
    bytes: 0,
    pickle: 1,
    bool: Some(2),
    int: 4,
    long: 4,
    text: 16,
    compression: Some(Algorithm::Zlib),
    compresses_integers: true,
    empty_is_none: false,
    reads: &[
        (0b1_0111, 0, Stored::Bytes),
        (0b1_0111, 1, Stored::Pickle),
        // Reads an int, which in Python is equal to the bool.
        (0b1_0111, 2, Stored::BoolOrInt),
        (0b1_0111, 4, Stored::Int),
        (0b1_0111, 16, Stored::Str),
    ],
};

/// python-memcached 1.62. It shows a pickle that it cannot read as a miss.
pub(crate) const PYTHON_MEMCACHED: Rules = Rules {
    name: "python-memcached",
    bytes: 0,
    pickle: 1,
    bool: None,
    int: 2,
    long: 2,
    text: 16,
    compression: Some(Algorithm::Zlib),
    compresses_integers: false,
    empty_is_none: false,
    reads: &[
        (!COMPRESSED, 0, Stored::Bytes),
        (16, 16, Stored::Str),
        (2, 2, Stored::Int),
        // Python 2's long.
        (4, 4, Stored::Int),
        (1, 1, Stored::Pickle),
    ],
};

/// pymemcache 4.0.0 with `pickle_serde`, whose flags are python-memcached's; but what has none of
/// their bits is bytes.
pub(crate) const PYMEMCACHE: Rules = Rules {
    name: "pymemcache",
    compression: None,
    reads: &[
        (16, 16, Stored::Str),
        (2, 2, Stored::Int),
        (4, 4, Stored::Int),
        (1, 1, Stored::Pickle),
        (0, 0, Stored::Bytes),
    ],
    ..PYTHON_MEMCACHED
};

/// pymemcache 4.0.0 with `compressed_serde`.
pub(crate) const PYMEMCACHE_COMPRESSED: Rules = Rules {
    compression: Some(Algorithm::Zlib),
    compresses_integers: true,
    ..PYMEMCACHE
};

/// pyermc 0.0.6, of Python 2 alone: its str is bytes, and what is empty reads as None.
pub(crate) const PYERMC: Rules = Rules {
    name: "pyermc",
    bytes: 0,
    text: 0,
    pickle: 1,
    bool: Some(2),
    int: 2,
    long: 4,
    compression: Some(Algorithm::Lz4),
    compresses_integers: true,
    empty_is_none: true,
    reads: &[
        (!COMPRESSED, 0, Stored::Str2),
        (2, 2, Stored::BoolOrInt),
        (4, 4, Stored::Int),
        (1, 1, Stored::Pickle),
    ],
};
