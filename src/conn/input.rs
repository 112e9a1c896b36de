/// Its size once many requests were sent at once: fewer, longer reads.
const LARGE_INPUT: usize = 64 << 10;
const MANY: usize = 50;

/// Bytes received and not used yet.
#[derive(Debug)]
pub(super) struct Input {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input {
    /// An empty buffer of so many bytes.
    pub(super) fn new(size: usize) -> Self {
        Self {
            buffer: vec![0; size],
            start: 0,
            end: 0,
        }
    }

    /// Grows where the replies to so many requests are to come.
    pub(super) fn expect(&mut self, requests: usize) {
        if requests >= MANY && self.buffer.len() < LARGE_INPUT {
            self.buffer.resize(LARGE_INPUT, 0);
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(super) fn consume(&mut self, used: usize) {
        self.start += used;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Where the next bytes go: behind those that are left, which move to the front.
    pub(super) fn space(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        &mut self.buffer[self.end..]
    }

    pub(super) fn received(&mut self, bytes: usize) {
        self.end += bytes;
    }
}
