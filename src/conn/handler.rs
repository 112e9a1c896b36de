use crate::error::{Error, Kind, Result};
use crate::protocol::{Line, Lines, Malformed, Reply, Status};
use std::borrow::Cow;

/// Takes the replies to the requests of a batch, which it knows by their places in it. Each gets exactly
/// one; or, where the first turns out to be wrong, a second that counts in its place.
pub(crate) trait ReplyHandler {
    /// Gives the buffer that a large value is read into, in place of what it holds.
    fn buffer(&mut self, _index: usize) -> Vec<u8> {
        Vec::new()
    }

    /// Takes a line that comes before the reply.
    ///
    /// # Errors
    ///
    /// When there are more of them than can be right: the connection is closed.
    fn line(&mut self, _index: usize, _line: Line<'_>) -> Result<(), Malformed> {
        Ok(())
    }

    /// Whether to come back with what there is, rather than wait for more lines.
    fn pauses(&self) -> bool {
        false
    }

    /// Takes the reply to a request, or the reason why there is none.
    fn reply(&mut self, index: usize, reply: Result<Reply<'_>>);
}

/// Keeps the reply to one request, with the lines before it.
#[derive(Debug, Default)]
pub(crate) struct SingleReply {
    /// Where a value is put.
    pub(crate) buffer: Vec<u8>,
    lines: Vec<Line<'static>>,
    /// What the lines take in memory, in bytes.
    length: usize,
    reply: Option<Result<Reply<'static>>>,
}

impl SingleReply {
    /// The reply, with its value in `buffer` in place of what that holds.
    #[inline]
    pub(crate) fn into_buffer(buffer: Vec<u8>) -> Self {
        Self {
            buffer,
            ..Self::default()
        }
    }

    /// The most bytes of lines that are taken. `stats conns` of a server with 100,000 connections is
    /// half of it.
    pub(crate) const MAX_LINES: usize = 128 << 20;

    /// What a line takes in memory besides its bytes, with what the allocator adds.
    const PER_LINE: usize = size_of::<Line<'_>>() + 64;

    /// The reply.
    ///
    /// # Errors
    ///
    /// That of the exchange. A protocol error if there is no reply: no connection leaves it out.
    #[inline]
    pub(crate) fn take(&mut self) -> Result<Reply<'static>> {
        let nothing = || Err(Error::new(Kind::Protocol, "unexpected reply: nothing"));
        self.reply.take().unwrap_or_else(nothing)
    }
}

impl ReplyHandler for SingleReply {
    fn buffer(&mut self, _: usize) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    fn line(&mut self, _: usize, line: Line<'_>) -> Result<(), Malformed> {
        let length = match &line {
            Line::Stat { name, value } => name.len() + value.len(),
            Line::Item(line) => line.len(),
        };
        self.length += length + Self::PER_LINE;
        if self.length > Self::MAX_LINES {
            return Err(Malformed::TooManyStats(Self::MAX_LINES));
        }
        self.lines.push(line.into_owned());
        Ok(())
    }

    fn reply(&mut self, _: usize, mut reply: Result<Reply<'_>>) {
        if let Ok(Reply::Hit(hit)) = &mut reply {
            if let (Cow::Borrowed(data), 1..) = (&hit.data, self.buffer.capacity()) {
                self.buffer.clear();
                self.buffer.extend_from_slice(data);
                hit.data = Cow::Owned(std::mem::take(&mut self.buffer));
            }
        }
        let reply = reply.map(Reply::into_owned);
        self.reply = Some(match std::mem::take(&mut self.lines) {
            none if none.is_empty() => reply,
            lines => reply.map(|reply| with_lines(lines, reply)),
        });
    }
}

/// The lines that came before this reply are a part of it.
#[cold]
fn with_lines(lines: Vec<Line<'static>>, reply: Reply<'static>) -> Reply<'static> {
    let hit = match reply {
        Reply::Hit(hit) => Some(hit),
        Reply::Status(Status::Ok) => None,
        reply => return reply,
    };
    Reply::Lines(Box::new(Lines { lines, hit }))
}

/// The replies to a batch, by the places of its requests.
impl ReplyHandler for Vec<SingleReply> {
    fn buffer(&mut self, index: usize) -> Vec<u8> {
        self[index].buffer(index)
    }

    fn line(&mut self, index: usize, line: Line<'_>) -> Result<(), Malformed> {
        self[index].line(index, line)
    }

    fn reply(&mut self, index: usize, reply: Result<Reply<'_>>) {
        self[index].reply(index, reply);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Hit;

    #[test]
    fn lines_come_with_the_reply() {
        let mut single = SingleReply::default();
        single.line(0, Line::Item(b"key=a".into())).unwrap();
        single.reply(0, Ok(Reply::Status(Status::Ok)));
        let (lines, end) = single.take().unwrap().split();
        assert_eq!(lines, [Line::Item(b"key=a".into())]);
        assert_eq!(end, Reply::Status(Status::Ok));
        assert!(single.take().unwrap_err().is_protocol(), "it is taken");
    }

    #[test]
    fn endless_lines_end() {
        let line = vec![b'x'; SingleReply::MAX_LINES / 8];
        let mut single = SingleReply::default();
        let line = || Line::Item(line.as_slice().into());
        let taken = (0..20).take_while(|_| single.line(0, line()).is_ok());
        let over = "the eighth is over, with what it takes besides";
        assert_eq!(taken.count(), 7, "{over}");
    }

    #[test]
    fn a_value_is_put_into_the_buffer() {
        let mut single = SingleReply::into_buffer(Vec::with_capacity(100));
        let buffer = single.buffer.as_ptr();
        single.reply(0, Ok(Reply::Hit(Hit::new(7, b"data"))));
        let Reply::Hit(hit) = single.take().unwrap() else {
            panic!("no hit");
        };
        assert_eq!((&*hit.data, hit.data.as_ptr()), (&b"data"[..], buffer));
    }
}
