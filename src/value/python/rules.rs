//! What the clients' flags mean, as each was seen to store and to read them.

use crate::value::compression::Algorithm;

/// The bit that all of them have for compressed data.
pub(super) const COMPRESSED: u32 = 8;

/// What sets one client apart from the others.
#[derive(Debug)]
pub(in crate::value) struct Rules {
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

/// Flags that have just `bits` of `mask`.
#[derive(Debug)]
struct Row {
    mask: u32,
    bits: u32,
    stored: Stored,
}

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
        let row = rows.find(|row| flags & row.mask == row.bits)?;
        Some(row.stored)
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

/// A client that looks at this bit alone.
const fn bit(bits: u32, stored: Stored) -> Row {
    Row {
        mask: bits,
        bits,
        stored,
    }
}

/// pylibmc 1.6.3: of the five bits it knows besides that of zlib, at most one may be set; it does
/// not look at others.
pub(in crate::value) const PYLIBMC: Rules = {
    const fn alone(bits: u32, stored: Stored) -> Row {
        Row {
            mask: 0b1_0111,
            bits,
            stored,
        }
    }

    Rules {
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
            alone(0, Stored::Bytes),
            alone(1, Stored::Pickle),
            // Reads an int, which in Python is equal to the bool.
            alone(2, Stored::BoolOrInt),
            alone(4, Stored::Int),
            alone(16, Stored::Str),
        ],
    }
};

/// python-memcached 1.62. It shows a pickle that it cannot read as a miss.
pub(in crate::value) const PYTHON_MEMCACHED: Rules = Rules {
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
        Row {
            mask: !COMPRESSED,
            bits: 0,
            stored: Stored::Bytes,
        },
        bit(16, Stored::Str),
        bit(2, Stored::Int),
        // Python 2's long.
        bit(4, Stored::Int),
        bit(1, Stored::Pickle),
    ],
};

/// pymemcache 4.0.0 with `pickle_serde`, whose flags are python-memcached's; but what has none of
/// their bits is bytes.
pub(in crate::value) const PYMEMCACHE: Rules = Rules {
    name: "pymemcache",
    compression: None,
    reads: &[
        bit(16, Stored::Str),
        bit(2, Stored::Int),
        bit(4, Stored::Int),
        bit(1, Stored::Pickle),
        bit(0, Stored::Bytes),
    ],
    ..PYTHON_MEMCACHED
};

/// pymemcache 4.0.0 with `compressed_serde`.
pub(in crate::value) const PYMEMCACHE_COMPRESSED: Rules = Rules {
    compression: Some(Algorithm::Zlib),
    compresses_integers: true,
    ..PYMEMCACHE
};

/// pyermc 0.0.6, of Python 2 alone: its str is bytes, and what is empty reads as None.
pub(in crate::value) const PYERMC: Rules = Rules {
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
        Row {
            mask: !COMPRESSED,
            bits: 0,
            stored: Stored::Str2,
        },
        bit(2, Stored::BoolOrInt),
        bit(4, Stored::Int),
        bit(1, Stored::Pickle),
    ],
};
