use super::reply::{Malformed, Reply, Step, ValueHeader};
use super::request::Request;
use super::values::Group;
use super::window::Window;
use super::{Bounds, Dialect, binary, meta, text};

/// Decodes the replies to the requests of one window, which it was made from: it knows what may come.
///
/// Each request gets exactly one reply: in the order of the requests, but for those that share a
/// line.
#[derive(Debug)]
pub(crate) struct Decoder<'r> {
    dialect: Dialect,
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

    /// The next step that `input` allows, the bytes not used so far.
    pub(crate) fn decode<'b>(&mut self, input: &'b [u8]) -> Result<Step<'b>, Malformed> {
        if self.is_done() {
            return Ok(Step::NeedMore);
        }
        match self.dialect {
            Dialect::Text => text::decode(self, input),
            Dialect::Meta => meta::decode(self, input),
            Dialect::Binary => binary::decode(self, input),
        }
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

    /// The reply to the request that is due, complete with `used` bytes.
    pub(super) fn reply<'b>(&mut self, used: usize, reply: Reply<'b>) -> Step<'b> {
        let index = self.next;
        self.next += 1;
        self.place = Place::Start;
        Step::Reply { used, index, reply }
    }
}
