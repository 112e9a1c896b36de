use std::collections::BTreeMap;
use std::time::Duration;

/// What must never happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Never {
    /// The value of another key.
    OtherKey,
    /// A value of which the checksum is wrong, or that is not read as what was stored.
    Corrupt,
    /// An acknowledged write, read back older.
    Older,
    /// The effect of a write that failed and was not said to be ambiguous, or of none at all.
    Phantom,
    /// A miss for an acknowledged key.
    Miss,
    /// A call that took longer than its deadline and some slack.
    Overrun,
    Panic,
    /// An error of a kind that is not documented for what went wrong, or that does not name the
    /// server and the operation.
    Undocumented,
    /// A call that failed a second after the last fault.
    NotBack,
}

impl Never {
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::OtherKey, "other key"),
        (Self::Corrupt, "corrupt"),
        (Self::Older, "older"),
        (Self::Phantom, "phantom"),
        (Self::Miss, "miss"),
        (Self::Overrun, "overrun"),
        (Self::Panic, "panic"),
        (Self::Undocumented, "undoc."),
        (Self::NotBack, "not back"),
    ];
}

/// What happened.
#[derive(Debug, Default)]
pub struct Tally {
    pub operations: u64,
    pub errors: BTreeMap<&'static str, u64>,
    pub never: BTreeMap<Never, u64>,
    pub longest: Duration,
    /// The first cases of what must never happen.
    pub cases: Vec<String>,
}

impl Tally {
    const CASES: usize = 20;

    pub fn error(&mut self, kind: &'static str) {
        *self.errors.entry(kind).or_default() += 1;
    }

    pub fn never(&mut self, what: Never, case: impl FnOnce() -> String) {
        *self.never.entry(what).or_default() += 1;
        if self.cases.len() < Self::CASES {
            self.cases.push(format!("{what:?}: {}", case()));
        }
    }

    pub fn add(&mut self, other: Self) {
        self.operations += other.operations;
        for (kind, count) in other.errors {
            *self.errors.entry(kind).or_default() += count;
        }
        for (what, count) in other.never {
            *self.never.entry(what).or_default() += count;
        }
        self.longest = self.longest.max(other.longest);
        self.cases.extend(other.cases);
        self.cases.truncate(Self::CASES);
    }
}
