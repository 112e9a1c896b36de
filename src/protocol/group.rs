use super::request::Request;
use crate::key::Key;

/// The requests that share a line, and of which of them something has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    start: usize,
    pub(super) end: usize,
    /// The request that is looked at: at first the one after the last of which something has come.
    pub(super) cursor: usize,
    /// A bit for each.
    seen: u128,
}

impl Group {
    /// The most requests of a group.
    pub(super) const MAX: usize = 100;

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
