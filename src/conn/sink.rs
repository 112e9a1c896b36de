use crate::error::Error;
use crate::protocol::{Malformed, Part, Reply, ValueHeader};

/// Takes what comes for the requests of a batch, which it knows by their places in it. Each gets
/// exactly one of [`value`](Self::value), [`reply`](Self::reply) and [`failed`](Self::failed); or,
/// where the first turns out to be wrong, a second that counts in its place.
pub(crate) trait Sink {
    /// A value is coming: where to read it to, in place of what that holds.
    fn buffer(&mut self, _index: usize, _header: &ValueHeader) -> Vec<u8> {
        Vec::new()
    }

    /// The value that a request asked for, complete.
    fn value(&mut self, index: usize, header: ValueHeader, data: Vec<u8>);

    /// The same, with the data still where it was received.
    fn slice(&mut self, index: usize, header: ValueHeader, data: &[u8]) {
        let mut buffer = self.buffer(index, &header);
        buffer.clear();
        if buffer.capacity() == 0 {
            buffer = data.to_vec();
        } else {
            buffer.extend_from_slice(data);
        }
        self.value(index, header, buffer);
    }

    /// A line of a reply of many.
    ///
    /// # Errors
    ///
    /// When there are more of them than can be right: the connection is closed.
    fn part(&mut self, _index: usize, _part: Part<'_>) -> Result<(), Malformed> {
        Ok(())
    }

    /// Whether to come back with what there is, rather than wait for more lines.
    fn pauses(&self) -> bool {
        false
    }

    /// A reply that is not a value; the end of one of many lines.
    fn reply(&mut self, index: usize, reply: Reply<'_>);

    /// There is no reply.
    fn failed(&mut self, index: usize, error: Error);
}
