//! Packets of the binary protocol.

use std::io::{self, Read};

/// A reply, with every field free to be wrong.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    pub magic: u8,
    pub opcode: u8,
    pub data_type: u8,
    pub status: u16,
    pub opaque: u32,
    pub cas: u64,
    pub extras: &'a [u8],
    pub key: &'a [u8],
    pub value: &'a [u8],
    /// What the header claims of extras, key and value together, if it is not the truth.
    pub claims: Option<u32>,
}

impl Packet<'_> {
    pub fn bytes(&self) -> Vec<u8> {
        let length = self.extras.len() + self.key.len() + self.value.len();
        let claims = self.claims.unwrap_or(u32::try_from(length).unwrap());
        let mut bytes = vec![self.magic, self.opcode];
        bytes.extend(u16::try_from(self.key.len()).unwrap().to_be_bytes());
        bytes.push(u8::try_from(self.extras.len()).unwrap());
        bytes.push(self.data_type);
        bytes.extend(self.status.to_be_bytes());
        bytes.extend(claims.to_be_bytes());
        bytes.extend(self.opaque.to_be_bytes());
        bytes.extend(self.cas.to_be_bytes());
        bytes.extend(self.extras);
        bytes.extend(self.key);
        bytes.extend(self.value);
        bytes
    }
}

/// What of a request counts here.
pub(super) struct Request {
    pub(super) opcode: u8,
    pub(super) opaque: u32,
    pub(super) cas: u64,
    pub(super) key: Vec<u8>,
}

/// Reads one, after its magic byte.
pub(super) fn read(from: &mut impl Read) -> io::Result<Request> {
    let mut header = [0; 23];
    from.read_exact(&mut header)?;
    let number = |at: usize| u32::from_be_bytes(header[at..at + 4].try_into().unwrap());
    let key = usize::from(u16::from_be_bytes([header[1], header[2]]));
    let extras = usize::from(header[3]);
    let mut body = vec![0; usize::try_from(number(7)).unwrap()];
    from.read_exact(&mut body)?;
    Ok(Request {
        opcode: header[0],
        opaque: number(11),
        cas: u64::from_be_bytes(header[15..].try_into().unwrap()),
        key: body[extras..extras + key].to_vec(),
    })
}
