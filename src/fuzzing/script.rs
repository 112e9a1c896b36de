use super::requests::requests;
use crate::conn::Protocol;
use crate::protocol::{Dialect, Request};

/// A script of what happens. In the input: a byte of switches and one of how the scenes end, two for the lengths
/// of pieces, two each for the lengths of what is sent in the first two scenes, little-endian; the
/// letters of both batches, each with a line feed behind it; what is sent.
pub(super) struct Script<'i> {
    pub(super) protocol: Protocol,
    pub(super) max_keys: usize,
    /// What a server says that is asked what it speaks.
    pub(super) greeting: &'static [u8],
    /// Whether the connection idles for so long before the second batch that it is looked at.
    pub(super) is_looked_at: bool,
    /// Whether something comes on it before that.
    pub(super) is_early: bool,
    /// Whether the server reads what it is sent. If not, its end is reset as it is closed.
    pub(super) is_read: bool,
    pub(super) batches: [Vec<Request<'static>>; 2],
    /// On the first connection for the first batch, and for the second; on another connection.
    pub(super) scenes: [(&'i [u8], End); 3],
    pub(super) pieces: [usize; 2],
}

/// Says what the server does after the last bytes of a scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing: the client's time is up.
    Silence,
    /// It ends its stream, and goes on reading.
    Finish,
    /// It closes the connection.
    Close,
}

impl<'i> Script<'i> {
    pub(super) fn read(input: &'i [u8]) -> Option<Self> {
        let ([switches, ends, one, other, lengths @ ..], rest) = input.split_first_chunk::<8>()?;
        let mut parts = rest.splitn(3, |&byte| byte == b'\n');
        let (first, second, sent) = (parts.next()?, parts.next()?, parts.next()?);
        let has = |bit: u8| switches >> bit & 1 == 1;
        let protocols = [
            Protocol::Text,
            Protocol::Meta,
            Protocol::Binary,
            Protocol::Auto,
        ];
        let protocol = protocols[usize::from(switches & 3)];
        let greetings: [&[u8]; 4] = [
            b"VERSION 1.6.18\r\nMN\r\n",
            b"VERSION 1.4.0\r\nERROR\r\n",
            b"ERROR\r\nERROR\r\n",
            b"SERVER_ERROR busy\r\nMN\r\n",
        ];
        let end = |scene: u8| match ends >> (2 * scene) & 3 {
            0 => End::Silence,
            1 => End::Close,
            _ => End::Finish,
        };
        let length = |low: u8, high: u8| usize::from(u16::from_le_bytes([low, high]));
        let [a, b, c, d] = *lengths;
        let (here, sent) = sent.split_at(length(a, b).min(sent.len()));
        let (again, there) = sent.split_at(length(c, d).min(sent.len()));
        let dialect = protocol.dialect().unwrap_or(Dialect::Text);
        let script = Self {
            protocol,
            max_keys: [100, 1, 2, 7][usize::from(ends >> 6)],
            greeting: greetings[usize::from(switches >> 2 & 3)],
            is_looked_at: has(4),
            is_early: has(5),
            is_read: has(6),
            batches: [first, second].map(|letters| requests(dialect, letters)),
            scenes: [(here, end(0)), (again, end(1)), (there, end(2))],
            pieces: [usize::from(*one), usize::from(*other)],
        };
        // What is sent goes into the sockets, even if nobody reads it.
        let bytes = |request: &Request<'_>| {
            let key = request.key().map_or(0, |key| key.as_bytes().len());
            128 + key + request.body().map_or(0, <[u8]>::len)
        };
        let sizes = script.batches.each_ref().map(|batch| {
            let size: usize = batch.iter().map(bytes).sum();
            (1..=96 << 10).contains(&size)
        });
        sizes.iter().all(|&is_right| is_right).then_some(script)
    }
}
