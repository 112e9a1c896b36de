use super::deadline::Deadline;
use super::fault::Fault;
use super::ledger::Account;
use super::stream::{Patience, Slice, Stream};
use crate::protocol::ValueHeader;
use std::io::IoSliceMut;

/// The size of the input buffer: a small value with all that surrounds it, in one read.
const INPUT: usize = 16 << 10;

/// Its size once many requests were sent at once: fewer, longer reads.
const LARGE_INPUT: usize = 64 << 10;
const MANY: usize = 50;

/// How much a value's buffer grows ahead of the bytes received: a server that claims a gigabyte
/// costs no more than this.
const GROWTH: usize = 1 << 20;

/// A value that is coming.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) header: ValueHeader,
    pub(super) data: Vec<u8>,
    filled: usize,
}

impl Value {
    /// Takes what the input buffer has of it.
    pub(super) fn new(header: ValueHeader, mut data: Vec<u8>, input: &mut Input) -> Self {
        let length = header.length;
        let filled = length.min(input.bytes().len());
        if filled == length {
            data.clear();
        } else {
            // What the buffer holds is written over, so that one used again need not be zeroed again.
            let first = length.min(GROWTH);
            data.truncate(length);
            if data.capacity() == 0 {
                data = vec![0; first];
            } else if data.len() < first {
                data.reserve_exact(first - data.len());
                data.resize(first, 0);
            }
        }
        let received = &input.bytes()[..filled];
        if filled == length {
            data.extend_from_slice(received);
        } else {
            data[..filled].copy_from_slice(received);
        }
        input.consume(filled);
        Self {
            header,
            data,
            filled,
        }
    }

    /// Reads the rest from the socket straight to where it belongs; whether all of it is there now.
    /// Counts the bytes.
    pub(super) fn read(
        &mut self,
        stream: &mut Stream,
        input: &mut Input,
        account: &mut Account,
        slice: &Slice,
        deadline: Deadline,
        patience: Patience,
    ) -> Result<bool, Fault> {
        let length = self.header.length;
        while self.filled < length {
            if self.filled == self.data.len() {
                self.data.resize(length.min(self.filled + GROWTH), 0);
            }
            let room = self.data.len() - self.filled;
            let mut parts = [&mut self.data[self.filled..], input.space()].map(IoSliceMut::new);
            // With the end of the value comes the end of the reply: one call less.
            let parts = if self.filled + room == length {
                &mut parts[..]
            } else {
                &mut parts[..1]
            };
            let read = stream.read(parts, deadline, patience)?;
            if read == 0 {
                return Ok(false);
            }
            account.tally.received += read as u64;
            account.hear();
            input.received(read.saturating_sub(room));
            self.filled += read.min(room);
            if self.filled < length && slice.is_over() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Bytes received and not used yet.
#[derive(Debug)]
pub(super) struct Input {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input {
    pub(super) fn new() -> Self {
        Self {
            buffer: vec![0; INPUT],
            start: 0,
            end: 0,
        }
    }

    /// The replies to so many requests are to come.
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

    /// Reads once; 0 if nothing came. There is always room: the decoder asks for more only within a
    /// line, and the buffer holds several of the longest.
    pub(super) fn fill(
        &mut self,
        stream: &mut Stream,
        deadline: Deadline,
        patience: Patience,
    ) -> Result<usize, Fault> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let read = stream.read(&mut [IoSliceMut::new(self.space())], deadline, patience)?;
        self.received(read);
        Ok(read)
    }

    /// Where the next bytes go.
    pub(super) fn space(&mut self) -> &mut [u8] {
        &mut self.buffer[self.end..]
    }

    pub(super) fn received(&mut self, bytes: usize) {
        self.end += bytes;
    }
}
