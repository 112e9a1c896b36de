//! The way in: encodes a window of requests, and decodes its replies, in the protocol of the connection.

use super::decoder::{Decoder, Fence};
use super::dialect::Dialect;
use super::ends;
use super::output::Output;
use super::reply::{Malformed, Step};
use super::request::Request;
use super::window::{Limits, Window};
use super::{binary, meta, text};

impl Window {
    /// Encodes as many of `requests`, from the first of `range` up to the second, as may be sent at once, and
    /// at least one. `may_be_quiet` lets replies that say nothing new be left out.
    #[inline]
    pub(crate) fn encode<'a>(
        dialect: Dialect,
        requests: &[Request<'a>],
        range: (usize, usize),
        limits: Limits,
        may_be_quiet: bool,
        opaque: u32,
        out: &mut Output<'a>,
    ) -> Self {
        let window = match requests {
            [_] => Self::of_one(limits.lines, opaque),
            _ => Self::plan(dialect, requests, range, limits, may_be_quiet, opaque),
        };
        let requests = &requests[window.start..window.end];
        let (keys, quiet) = (window.max_keys, window.quiet);
        match dialect {
            Dialect::Text => text::encode_all(requests, keys, out),
            Dialect::Meta => meta::encode_all(requests, quiet, (keys, window.lines), opaque, out),
            Dialect::Binary => binary::encode_all(requests, quiet, opaque, out),
        }
        window
    }
}

impl Decoder<'_> {
    /// The fence to send now, if one is needed to tell where a reply ends.
    pub(crate) fn late_fence(&mut self) -> Option<Output<'static>> {
        if self.late != Fence::Wanted {
            return None;
        }
        self.late = Fence::Sent;
        self.fence |= self.behind.is_none();
        let mut output = Output::default();
        output.push(ends::fence(self.dialect));
        Some(output)
    }

    /// The next step that `input` allows, the bytes not used so far.
    pub(crate) fn decode<'b>(&mut self, input: &'b [u8]) -> Result<Step<'b>, Malformed> {
        if self.is_done() {
            return Ok(Step::NeedMore);
        }
        self.is_undecided = false;
        match self.dialect {
            Dialect::Text => text::decode(self, input),
            Dialect::Meta => meta::decode(self, input),
            Dialect::Binary => binary::decode(self, input),
        }
    }
}
