//! Where requests and replies end, in all three protocols.

use std::io::{self, ErrorKind, Read as _};
use std::net::TcpStream;
use std::ops::Range;
use std::sync::Arc;

/// The length of a header of the binary protocol.
pub const HEADER: usize = 24;

/// One message of either side: a line with the data that it announces, or a packet.
#[derive(Debug, Clone)]
pub struct Message<'b> {
    pub bytes: &'b [u8],
    /// The value, if it is a line that announces one.
    pub data: Option<Range<usize>>,
}

impl<'b> Message<'b> {
    /// The message that `bytes` begin with, once all of it is there.
    pub fn first(bytes: &'b [u8]) -> Option<Self> {
        if matches!(bytes.first()?, 0x80 | 0x81) {
            let body: [u8; 4] = bytes.get(8..12)?.try_into().ok()?;
            let length = HEADER + usize::try_from(u32::from_be_bytes(body)).ok()?;
            let (bytes, data) = (bytes.get(..length)?, None);
            return Some(Self { bytes, data });
        }
        let line = bytes.iter().position(|&byte| byte == b'\n')? + 1;
        let mut message = Self {
            bytes: &bytes[..line],
            data: None,
        };
        if let Some(length) = message.announced() {
            message.bytes = bytes.get(..line + length + 2)?;
            message.data = Some(line..line + length);
        }
        Some(message)
    }

    /// All messages of `bytes`, each with its place.
    pub fn all(bytes: &'b [u8]) -> Vec<(usize, Self)> {
        let mut messages = Vec::new();
        let mut at = 0;
        while let Some(message) = Self::first(&bytes[at..]) {
            let length = message.bytes.len();
            messages.push((at, message));
            at += length;
        }
        messages
    }

    pub fn is_packet(&self) -> bool {
        matches!(self.bytes.first(), Some(0x80 | 0x81))
    }

    /// The words of a line.
    pub fn words(&self) -> Vec<&'b [u8]> {
        let end = self.bytes.iter().position(|&byte| byte == b'\n');
        let line = &self.bytes[..end.unwrap_or(0)];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        line.split(|&byte| byte == b' ').collect()
    }

    /// The place of the word that says how long the value is.
    pub fn length_word(&self) -> Option<usize> {
        match self.words()[0] {
            b"VALUE" => Some(3),
            b"VA" => Some(1),
            b"set" | b"add" | b"replace" | b"append" | b"prepend" | b"cas" => Some(4),
            b"ms" => Some(2),
            _ => None,
        }
    }

    fn announced(&self) -> Option<usize> {
        let words = self.words();
        let word = words.get(self.length_word()?)?;
        std::str::from_utf8(word).ok()?.parse().ok()
    }

    /// What tells to which request a reply is: meta, binary.
    pub fn opaque(&self) -> Option<u32> {
        if self.is_packet() {
            let opaque: [u8; 4] = self.bytes[12..16].try_into().ok()?;
            return Some(u32::from_be_bytes(opaque));
        }
        let words = self.words();
        let flags = match words[0] {
            b"HD" | b"EN" | b"NF" | b"NS" | b"EX" => &words[1..],
            b"VA" | b"mg" | b"ms" | b"md" | b"ma" => words.get(2..)?,
            _ => return None,
        };
        let opaque = flags.iter().find_map(|word| word.strip_prefix(b"O"))?;
        std::str::from_utf8(opaque).ok()?.parse().ok()
    }

    /// Whether it is a request that is answered only with surprises.
    fn is_quiet(&self) -> bool {
        if self.is_packet() {
            return matches!(self.bytes[1], 0x09 | 0x0d | 0x11..=0x1a | 0x1e | 0x24);
        }
        let words = self.words();
        let is_meta = matches!(words[0], b"mg" | b"ms" | b"md" | b"ma");
        is_meta && words.iter().skip(2).any(|word| word == b"q")
    }
}

/// A request; or several that are quiet, with the fence behind them.
#[derive(Debug)]
pub struct Exchange {
    pub bytes: Vec<u8>,
    /// The opaques of its requests, if they have any.
    pub opaques: Vec<u32>,
    ending: Ending,
}

/// How a reply ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// With one message.
    Message,
    /// With the first line that is not a value.
    Values,
    /// With `END`, or a line that stands alone.
    Lines,
    /// With `MN`.
    Fence,
    /// With a packet that has no body.
    Packets,
    /// With the reply to a packet that does nothing.
    PacketFence,
}

impl Exchange {
    /// The next one that the client sends.
    pub fn read(client: &mut Wire) -> io::Result<Self> {
        let mut opaques = Vec::new();
        let (mut at, mut is_quiet) = (0, false);
        loop {
            let message = client.message(at)?;
            let length = message.bytes.len();
            opaques.extend(message.opaque());
            if message.is_quiet() {
                is_quiet = true;
                at += length;
                continue;
            }
            let ending = ending(&message, is_quiet);
            let bytes = client.take(at + length);
            return Ok(Self {
                bytes,
                opaques,
                ending,
            });
        }
    }

    /// Its first request.
    pub fn request(&self) -> Message<'_> {
        Message::first(&self.bytes).expect("it was read so")
    }

    /// The keys of a `get` line of text.
    pub fn keys(&self) -> Vec<&[u8]> {
        let words = self.request().words();
        let keys = if words[0].starts_with(b"gat") { 2 } else { 1 };
        words.into_iter().skip(keys).collect()
    }

    /// Whether its reply is a list of values.
    pub fn asks_for_values(&self) -> bool {
        self.ending == Ending::Values
    }

    /// Whether its reply ends with a fence.
    pub fn is_fenced(&self) -> bool {
        matches!(self.ending, Ending::Fence | Ending::PacketFence)
    }

    /// The reply to it.
    pub fn reply(&self, server: &mut Wire) -> io::Result<Vec<u8>> {
        let mut at = 0;
        loop {
            let message = server.message(at)?;
            let is_last = self.is_last(&message);
            at += message.bytes.len();
            if is_last {
                return Ok(server.take(at));
            }
        }
    }

    fn is_last(&self, message: &Message<'_>) -> bool {
        let is_word = |words: &[&[u8]]| words.contains(&message.words()[0]);
        match self.ending {
            Ending::Message => true,
            Ending::Values => !is_word(&[b"VALUE"]),
            Ending::Lines => {
                let first = message.words()[0];
                !is_word(&[b"STAT", b"ITEM", b"PREFIX"]) && !first.starts_with(b"key=")
            }
            Ending::Fence => is_word(&[b"MN"]),
            Ending::Packets => message.bytes[8..12] == [0; 4] || message.bytes[6..8] != [0; 2],
            Ending::PacketFence => message.bytes[1] == NOOP,
        }
    }
}

/// The binary command that does nothing.
const NOOP: u8 = 0x0a;
const STATS: u8 = 0x10;

fn ending(request: &Message<'_>, is_quiet: bool) -> Ending {
    if request.is_packet() {
        return match request.bytes[1] {
            NOOP if is_quiet => Ending::PacketFence,
            STATS => Ending::Packets,
            _ => Ending::Message,
        };
    }
    match request.words()[0] {
        b"mn" if is_quiet => Ending::Fence,
        b"get" | b"gets" | b"gat" | b"gats" => Ending::Values,
        b"stats" | b"lru_crawler" => Ending::Lines,
        _ => Ending::Message,
    }
}

/// One side of a connection, and what has been received from it.
#[derive(Debug)]
pub struct Wire {
    pub stream: Arc<TcpStream>,
    buffer: Vec<u8>,
}

impl Wire {
    const PIECE: usize = 64 << 10;

    pub fn new(stream: Arc<TcpStream>) -> Self {
        let buffer = Vec::new();
        Self { stream, buffer }
    }

    /// Whether something of the next message is there.
    pub fn has_begun(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The message that begins so many bytes on.
    fn message(&mut self, at: usize) -> io::Result<Message<'_>> {
        while Message::first(&self.buffer[at..]).is_none() {
            self.fill()?;
        }
        Ok(Message::first(&self.buffer[at..]).expect("it is there"))
    }

    /// Reads once; an error if there is nothing more.
    pub fn fill(&mut self) -> io::Result<()> {
        let end = self.buffer.len();
        self.buffer.resize(end + Self::PIECE, 0);
        let read = (&*self.stream).read(&mut self.buffer[end..]);
        self.buffer.truncate(end + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Forgets what was received.
    pub fn discard(&mut self) {
        self.buffer.clear();
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(length);
        std::mem::replace(&mut self.buffer, rest)
    }
}
