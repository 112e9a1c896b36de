use super::dialect::Dialect;
use super::reply::{Refused, Reply, Step, ValueHeader};
use super::request::Request;
use super::window::Window;
use crate::key::Key;
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

/// Decodes the replies to the requests of one window, which it was made from: it knows what may come.
///
/// Each request gets exactly one reply: in the order of the requests, but for those that share a
/// line.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts, and not states")]
pub(crate) struct Decoder<'r> {
    pub(super) dialect: Dialect,
    pub(super) requests: &'r [Request<'r>],
    pub(super) window: Window,
    pub(super) bounds: Bounds,
    /// The request whose reply is due.
    pub(super) next: usize,
    /// Those before it have no reply of their own, as what came for it shows.
    pub(super) found: usize,
    /// Those whose replies end together; the first of them is due until all have.
    pub(super) group: Group,
    pub(super) place: Place,
    /// Whether a fence is still to come.
    pub(super) fence: bool,
    /// Whether an error came that does not say to which of several requests.
    pub(super) unclear: bool,
    /// The window that was sent behind this one.
    pub(super) behind: Option<Window>,
    /// Whether a fence can be sent behind the two.
    pub(super) can_fence: bool,
    /// One that is sent late, because of an error.
    pub(super) late: Fence,
    /// Whether there is a decision that more bytes would help with.
    pub(super) is_undecided: bool,
    /// Whether no more bytes come.
    pub(super) has_no_more: bool,
    /// Whether an `END` may come that belongs to the reply before: some servers end a reply with it
    /// that is an error.
    pub(super) owes_end: bool,
    /// What the keys of the line that is due get in place of values.
    pub(super) error: Option<LineError>,
    /// Whether it is not known what the next bytes are.
    pub(super) is_lost: bool,
}

/// A fence that did not come with the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fence {
    None,
    Wanted,
    Sent,
}

/// An error in the reply to several keys.
#[derive(Debug)]
pub(super) struct LineError {
    pub(super) line: Vec<u8>,
    pub(super) by_grammar: bool,
    /// Whether the reply has ended.
    pub(super) is_end: bool,
    /// Whether what comes after that is the reply to the next request.
    pub(super) is_certain: bool,
}

/// Where in a reply the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Start,
    /// After the data of a value.
    EndOfValue,
    /// After a line about an item, of which no data follows.
    EndOfHeader,
    /// After a line of a reply of many.
    MoreLines,
    /// Before a line of `detail dump`, in a packet of which so many bytes are left.
    InDump {
        left: usize,
    },
}

impl<'r> Decoder<'r> {
    /// A decoder for the replies to `window` of the batch `requests`. What is over `bounds` is
    /// malformed.
    pub(crate) fn new(
        dialect: Dialect,
        requests: &'r [Request<'r>],
        window: Window,
        bounds: Bounds,
    ) -> Self {
        Self {
            dialect,
            requests,
            window,
            bounds,
            next: window.start,
            found: window.start,
            group: Group::new(window.start, 0),
            place: Place::Start,
            fence: window.quiet,
            unclear: false,
            behind: None,
            can_fence: true,
            late: Fence::None,
            is_undecided: false,
            has_no_more: false,
            owes_end: false,
            error: None,
            is_lost: false,
        }
    }

    pub(crate) fn window(&self) -> Window {
        self.window
    }

    /// The request whose reply is under way.
    pub(crate) fn next(&self) -> usize {
        self.next
    }

    /// Whether the reply to a request of this window or one before it is complete, and stays so.
    pub(crate) fn is_answered(&self, index: usize) -> bool {
        !self.unclear && (index < self.next || self.group.has(index))
    }

    /// Whether nothing has been decoded: the next step takes bytes.
    pub(crate) fn is_fresh(&self) -> bool {
        self.next == self.window.start && self.place == Place::Start
    }

    /// Whether all replies are complete.
    pub(crate) fn is_done(&self) -> bool {
        self.next == self.window.end && !self.fence
    }

    /// Whether the requests must be sent again, each with its own reply: an error came that does not
    /// say which of them it is for.
    pub(crate) fn is_unclear(&self) -> bool {
        self.unclear
    }

    /// Says what else was sent: the window behind this one; and part of another, if `is_cut`.
    pub(crate) fn set_behind(&mut self, behind: Option<Window>, is_cut: bool) {
        self.behind = behind;
        let last = behind.unwrap_or(self.window);
        self.can_fence = !is_cut && !last.quiet;
    }

    /// Whether the last thing that was sent is such a fence.
    pub(crate) fn has_late_fence(&self) -> bool {
        self.late == Fence::Sent
    }

    /// Says that it comes after the replies to this window.
    pub(crate) fn expect_late_fence(&mut self) {
        self.late = Fence::Sent;
        self.fence = true;
    }

    /// Says that no more bytes come. Whether something can be decided without them.
    pub(crate) fn end_of_input(&mut self) -> bool {
        self.has_no_more = true;
        if self.next == self.window.end && self.late == Fence::Sent {
            (self.fence, self.is_lost) = (false, true);
            return true;
        }
        self.is_undecided
    }

    /// Whether it is not known what the next bytes are: those of a reply before them, perhaps.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost
    }

    pub(crate) fn owes_end(&self) -> bool {
        self.owes_end
    }

    /// Says whether an `END` may come first that belongs to the reply before.
    pub(crate) fn set_owes_end(&mut self, owes_end: bool) {
        self.owes_end = owes_end;
    }

    /// The reply to a request whose [`Step::LineError`] this is.
    pub(crate) fn line_error(&self) -> Reply<'_> {
        let error = self.error.as_ref();
        Reply::Refused(Refused {
            line: error.map_or(&b""[..], |error| &error.line).into(),
            by_grammar: error.is_some_and(|error| error.by_grammar),
        })
    }

    /// Whether the server may go on to take the value of request `index` for commands, after this
    /// reply to it; or, in binary, any part of it.
    pub(crate) fn is_out_of_step(&self, index: usize, reply: &Reply<'_>) -> bool {
        matches!(reply, Reply::Refused(refused) if refused.by_grammar)
            && (self.dialect == Dialect::Binary || self.requests[index].body().is_some())
    }

    /// Whether request `index` asks for an item, which is there or is not.
    pub(crate) fn reads(&self, index: usize) -> bool {
        self.requests[index].reads()
    }

    /// The request whose reply is due.
    pub(super) fn due(&self) -> Option<&'r Request<'r>> {
        let requests: &'r [Request<'r>] = self.requests;
        requests[..self.window.end].get(self.next)
    }

    /// The value of the request that is due, of which `rest` is there, after `used` bytes that say
    /// so. If that is all of it, `tail` gives the length of what ends it; otherwise `place` is next.
    pub(super) fn value<'b>(
        &mut self,
        rest: &[u8],
        used: usize,
        header: ValueHeader,
        place: Place,
        tail: impl FnOnce(&[u8]) -> Option<usize>,
    ) -> Step<'b> {
        let index = self.next;
        if let Some(tail) = rest.get(header.length..).and_then(tail) {
            self.next += 1;
            self.place = Place::Start;
            return Step::Whole {
                used,
                index,
                header,
                tail,
            };
        }
        self.place = place;
        Step::Value {
            used,
            index,
            header,
        }
    }

    /// The value of the request that is due ends with `used` bytes.
    pub(super) fn end_of_value(&mut self, used: usize) -> Step<'static> {
        let index = self.next;
        self.next += 1;
        self.place = Place::Start;
        Step::EndOfValue { used, index }
    }

    /// The reply to the request that is due, complete with `used` bytes.
    pub(super) fn reply<'b>(&mut self, used: usize, reply: Reply<'b>) -> Step<'b> {
        let index = self.next;
        self.next += 1;
        self.place = Place::Start;
        Step::Reply { used, index, reply }
    }
}

/// The requests that share a line, and of which of them something has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    start: usize,
    pub(super) end: usize,
    /// The request that is looked at: at first the one after the last of which something has come.
    pub(super) cursor: usize,
    /// A bit for each: a line has [no more](super::window::Limits::MAX_KEYS) than there are bits.
    seen: u128,
}

impl Group {
    pub(super) fn new(start: usize, length: usize) -> Self {
        Self {
            start,
            end: start + length,
            cursor: start,
            seen: 0,
        }
    }

    /// The first request, and the one after the last.
    pub(super) fn bounds(&self) -> (usize, usize) {
        (self.start, self.end)
    }

    /// Whether nothing has come of any.
    pub(super) fn is_untouched(&self) -> bool {
        self.seen == 0
    }

    pub(super) fn is_single(&self) -> bool {
        self.end - self.start == 1
    }

    pub(super) fn has(&self, index: usize) -> bool {
        (self.start..self.end).contains(&index) && self.seen >> (index - self.start) & 1 == 1
    }

    /// The key that comes next, if all are there and in order.
    pub(super) fn expected<'r>(&self, requests: &[Request<'r>]) -> Option<Key<'r>> {
        let is_free = self.cursor < self.end && !self.has(self.cursor);
        is_free.then(|| requests[self.cursor].key()).flatten()
    }

    /// The next request for `key` of which nothing has come.
    pub(super) fn find(&self, requests: &[Request<'_>], key: &[u8]) -> Option<usize> {
        let is_it = |index: &usize| {
            let asked = requests[*index].key();
            asked.is_some_and(|asked| asked.as_bytes() == key) && !self.has(*index)
        };
        let cursor = self.cursor.min(self.end);
        (cursor..self.end).chain(self.start..cursor).find(is_it)
    }

    /// The first request of which nothing has come.
    pub(super) fn first_missing(&self) -> Option<usize> {
        let index = self.start + self.seen.trailing_ones() as usize;
        (index < self.end).then_some(index)
    }

    /// Something has come of the request at the cursor. Gives the request that is due after it, where
    /// `due` is now.
    pub(super) fn take(&mut self, due: usize) -> usize {
        self.seen |= 1 << (self.cursor - self.start);
        self.cursor += 1;
        if self.is_single() { self.end } else { due }
    }
}
