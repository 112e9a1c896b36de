use std::ops::RangeInclusive;

/// What a server may send: anything else is malformed, before memory is taken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// The most bytes of a value.
    pub(crate) value: usize,
    /// And of a line, its end included; in binary of what follows a header, where that is not a value.
    pub(crate) line: usize,
    /// Whether a value may come under the name of a queue, for a key that is this name and behind a
    /// `/` what to do with it: kestrel's and darner's.
    pub(crate) queues: bool,
}

impl Bounds {
    /// What may be chosen for a line. At least, the longest that memcached sends: under 600 bytes for
    /// a VALUE line with a key of 250 and a STAT line with the path of a unix socket, under 900 for a
    /// metadump line, whose key is escaped. At most, half of an input buffer: a decision may take two
    /// lines.
    pub(crate) const LINE: RangeInclusive<usize> = 1 << 10..=8 << 10;

    pub(crate) const DEFAULT_LINE: usize = 2 << 10;

    /// For the replies to what comes first on a connection, which are lines.
    pub(crate) const SET_UP: Self = Self {
        value: 0,
        line: Self::DEFAULT_LINE,
        queues: false,
    };
}
