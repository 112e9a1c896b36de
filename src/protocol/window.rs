use super::dialect::Dialect;
use super::options::Mode;
use super::output::Output;
use super::request::{Request, Shape, is_classic};

/// The most bytes of requests that may wait in sockets which nobody reads, in one half-window: two
/// of them always fit, even into those of a server that has stopped reading because its own replies
/// are not taken.
const SMALL: usize = 16 << 10;

/// The most bytes that are copied into one window.
const MOST_COPIED: usize = 128 << 10;

/// How much may be asked for at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// How many replies of one line fit into the sockets on the way back, unread, as half of them.
    replies: usize,
    /// The most keys of one `get` line: 1 to [`MAX_KEYS`](Self::MAX_KEYS).
    pub(crate) keys: usize,
    /// Whether gets go on `get` lines in the meta protocol, too, even one that is alone there: those of
    /// a call for many, so that it is the same for any number of keys.
    pub(crate) lines: bool,
}

impl Limits {
    pub(crate) fn with_lines(self, lines: bool) -> Self {
        Self { lines, ..self }
    }

    /// Longer lines gain nothing: shorter ones are sent together anyway.
    pub(crate) const MAX_KEYS: usize = 100;

    pub(crate) const TCP: Self = Self {
        replies: 512,
        keys: Self::MAX_KEYS,
        lines: false,
    };
    /// A unix socket counts messages: one that nobody reads takes some 160 of them.
    pub(crate) const UNIX: Self = Self {
        replies: 64,
        keys: Self::MAX_KEYS,
        lines: false,
    };
}

/// Requests that are sent in one write.
///
/// Nothing here may block both ends. Two half-windows are on their way at most; the second is sent
/// before the replies to the first are read only if one of two things holds for both together
/// ([`may_follow`](Self::may_follow)):
///
/// - they are so short that the sockets take them, whether the server reads or not;
/// - their replies are so few and short that the sockets take those, so that the server goes on
///   reading, however long the requests are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "facts, and not states")]
pub(crate) struct Window {
    /// Which requests of the batch: from `start` up to `end`.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Whether only surprising replies come, and then a fence.
    pub(super) quiet: bool,
    /// That of the first request; each further one has the next, the fence the last.
    pub(super) opaque: u32,
    /// The most keys of one `get` line.
    pub(super) max_keys: usize,
    /// Whether a get that is alone is one, too: [`Limits::lines`].
    pub(super) lines: bool,
    is_small: bool,
    has_values: bool,
    /// Whether nothing may be sent behind it: an error in it may not say whose it is, and it is then
    /// repeated before anything else is done; or it may have no reply.
    is_exclusive: bool,
}

impl Window {
    /// Plans a window of as many of `requests[start..end]` as may be sent at once, at least one.
    pub(super) fn plan(
        dialect: Dialect,
        requests: &[Request<'_>],
        (start, end): (usize, usize),
        limits: Limits,
        may_be_quiet: bool,
        opaque: u32,
    ) -> Self {
        let mut window = Self {
            start,
            end: start,
            quiet: may_be_quiet && is_quiet(dialect, &requests[start..end]),
            opaque,
            max_keys: limits.keys,
            lines: limits.lines,
            is_small: true,
            has_values: false,
            is_exclusive: false,
        };
        // In binary every error names its request, and of gets none is repeated.
        let is_store = requests[start].body().is_some();
        window.is_exclusive = window.quiet && dialect == Dialect::Meta && is_store;
        window.grow(dialect, &requests[..end], limits);
        window
    }

    /// Plans a window of one request; `lines` as in [`Limits`].
    pub(super) fn of_one(lines: bool, opaque: u32) -> Self {
        Self {
            start: 0,
            end: 1,
            quiet: false,
            opaque,
            max_keys: 1,
            lines,
            is_small: false,
            has_values: true,
            is_exclusive: false,
        }
    }

    /// Takes requests up to what may be sent at once.
    fn grow(&mut self, dialect: Dialect, requests: &[Request<'_>], limits: Limits) {
        let (mut size, mut copied, mut large) = (0, 0, 0);
        // One that is alone has both halves for itself.
        let max_replies = limits.replies * if self.is_exclusive { 2 } else { 1 };
        let mut previous = None;
        for request in &requests[self.start..] {
            let shape = request.shape();
            let is_first = self.end == self.start;
            let is_doubtful = dialect == Dialect::Text && request.may_have_no_reply();
            if (shape == Shape::Lines || is_doubtful) && !is_first {
                return;
            }
            self.is_exclusive |= is_doubtful;
            let bound = dialect.size_bound(request, previous.replace(request), limits.keys);
            let is_small = size + bound <= SMALL;
            let is_large = Output::leaves(request.body().unwrap_or_default());
            if !is_first {
                let values = self.has_values || shape == Shape::Value;
                let too_many = self.end - self.start == max_replies && !(values && is_small);
                let other = self.quiet
                    && quiet_class(dialect, request) != quiet_class(dialect, &requests[self.start]);
                let too_large = if values {
                    !is_small
                } else {
                    copied + bound > MOST_COPIED && !is_large || large == Output::MAX_BODIES
                };
                if too_many || too_large || other {
                    return;
                }
            }
            size += bound;
            if is_large {
                large += 1;
            } else {
                copied += bound;
            }
            self.is_small = is_small;
            self.has_values |= shape != Shape::Line;
            self.end += 1;
            if shape == Shape::Lines || is_doubtful {
                return;
            }
        }
    }

    /// Whether this may be sent while the replies to `earlier` are not read.
    pub(crate) fn may_follow(&self, earlier: &Self) -> bool {
        let are_small = self.is_small && earlier.is_small;
        let have_values = self.has_values || earlier.has_values;
        !earlier.is_exclusive && (are_small || !have_values)
    }

    /// How many opaques it uses.
    pub(crate) fn opaques(&self) -> u32 {
        u32::try_from(self.end - self.start + 1).unwrap_or(u32::MAX)
    }
}

/// Whether a window that begins with these is worth a fence.
fn is_quiet(dialect: Dialect, requests: &[Request<'_>]) -> bool {
    let [first, second, ..] = requests else {
        return false;
    };
    let class = quiet_class(dialect, first);
    class.is_some() && class == quiet_class(dialect, second)
}

/// What a request must have in common with the others of a quiet window: with the replies of only
/// one kind left out, those that do come are clear. `None` where a reply always says something.
fn quiet_class(dialect: Dialect, request: &Request<'_>) -> Option<u8> {
    match (dialect, request) {
        (Dialect::Text, _) => None,
        (Dialect::Meta, Request::Get { .. }) if is_classic(request) => None,
        (_, Request::Get { .. }) => Some(0),
        // In binary each reply says to which request it is.
        (Dialect::Binary, Request::Store { .. } | Request::Delete { .. })
        | (
            Dialect::Meta,
            Request::Store {
                mode: Mode::Set, ..
            },
        ) => Some(1),
        _ => None,
    }
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
