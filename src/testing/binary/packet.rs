//! Packets: a header of 24 bytes, extras, key, value; numbers in network order.

use crate::testing::session::alter;
use std::ops::Range;

pub(super) const HEADER: usize = 24;

/// Where the opaque is in it.
const OPAQUE: Range<usize> = 12..16;

/// The first byte of a request, by which a connection chooses the protocol.
pub(crate) const REQUEST: u8 = 0x80;
const REPLY: u8 = 0x81;

/// The header of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    pub(super) opcode: u8,
    pub(super) key: usize,
    pub(super) extras: usize,
    /// Extras, key and value.
    pub(super) body: usize,
    pub(super) opaque: [u8; 4],
    pub(super) cas: u64,
}

impl Request {
    /// Nothing, unless it begins with [`REQUEST`]. The data type and the vbucket are ignored.
    pub(super) fn parse(header: &[u8; HEADER]) -> Option<Self> {
        (header[0] == REQUEST).then(|| Self::read(header))
    }

    /// The header of a reply has the same form.
    fn read(header: &[u8; HEADER]) -> Self {
        let [_, opcode, k1, k2, extras, _, _, _, rest @ ..] = header;
        let [b1, b2, b3, b4, o1, o2, o3, o4, cas @ ..] = rest;
        Self {
            opcode: *opcode,
            key: usize::from(u16::from_be_bytes([*k1, *k2])),
            extras: usize::from(*extras),
            body: usize::try_from(u32::from_be_bytes([*b1, *b2, *b3, *b4])).unwrap_or(usize::MAX),
            opaque: [*o1, *o2, *o3, *o4],
            cas: u64::from_be_bytes(*cas),
        }
    }

    /// How long the value is.
    pub(super) fn value(&self) -> usize {
        self.body.saturating_sub(self.extras + self.key)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Success = 0x00,
    NotFound = 0x01,
    Exists = 0x02,
    TooLarge = 0x03,
    Invalid = 0x04,
    NotStored = 0x05,
    NotANumber = 0x06,
    UnknownCommand = 0x81,
    NoMemory = 0x82,
}

impl Status {
    fn text(self) -> &'static str {
        match self {
            Self::Success => "",
            Self::NotFound => "Not found",
            Self::Exists => "Data exists for key.",
            Self::TooLarge => "Too large.",
            Self::Invalid => "Invalid arguments",
            Self::NotStored => "Not stored.",
            Self::NotANumber => "Non-numeric server-side value for incr or decr",
            Self::UnknownCommand => "Unknown command",
            Self::NoMemory => "Out of memory allocating item",
        }
    }
}

/// What a reply is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reply<'a> {
    pub(super) status: Status,
    pub(super) cas: u64,
    pub(super) extras: &'a [u8],
    pub(super) key: &'a [u8],
    pub(super) value: &'a [u8],
}

impl Reply<'_> {
    pub(super) const EMPTY: Reply<'static> = Reply {
        status: Status::Success,
        cas: 0,
        extras: &[],
        key: &[],
        value: &[],
    };

    /// The packet that answers that request.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "keys have at most 250 bytes, and values fit 32 bits"
    )]
    pub(super) fn to(self, request: &Request) -> Vec<u8> {
        let body = self.extras.len() + self.key.len() + self.value.len();
        let mut packet = Vec::with_capacity(HEADER + body);
        packet.extend([REPLY, request.opcode]);
        packet.extend((self.key.len() as u16).to_be_bytes());
        packet.extend([self.extras.len() as u8, 0, 0, self.status as u8]);
        packet.extend((body as u32).to_be_bytes());
        packet.extend(request.opaque);
        packet.extend(self.cas.to_be_bytes());
        packet.extend_from_slice(self.extras);
        packet.extend_from_slice(self.key);
        packet.extend_from_slice(self.value);
        packet
    }
}

/// The packet that tells of an error.
pub(super) fn error(request: &Request, status: Status) -> Vec<u8> {
    let value = status.text().as_bytes();
    Reply {
        status,
        value,
        ..Reply::EMPTY
    }
    .to(request)
}

/// Alters the opaque and the key of each packet.
pub(super) fn misaddress(mut packets: &mut [u8]) {
    while let Some((header, rest)) = packets.split_first_chunk_mut::<HEADER>() {
        let Request {
            extras, key, body, ..
        } = Request::read(header);
        alter(&mut header[OPAQUE]);
        let Some((body, rest)) = rest.split_at_mut_checked(body) else {
            return;
        };
        alter(&mut body[extras..extras + key]);
        packets = rest;
    }
}
