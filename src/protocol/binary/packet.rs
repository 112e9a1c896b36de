use crate::protocol::options::{Direction, Mode};
use crate::protocol::request::Request;

/// The length of a header.
pub(super) const HEADER: usize = 24;

pub(super) const REQUEST: u8 = 0x80;
pub(super) const RESPONSE: u8 = 0x81;

/// The command that does nothing, which is never quiet: the fence behind a quiet window.
pub(super) const NOOP: u8 = 0x0a;

/// The command that `request` is; one that answers only with surprises, if it is `quiet`.
pub(super) fn opcode(request: &Request<'_>, quiet: bool) -> u8 {
    let (loud, silent) = match request {
        Request::Get { .. } => (0x00, 0x09),
        Request::MetaSet { .. } => (0x01, 0x11),
        Request::Store { mode, .. } => match mode {
            Mode::Set | Mode::Cas(_) => (0x01, 0x11),
            Mode::Add => (0x02, 0x12),
            Mode::Replace => (0x03, 0x13),
            Mode::Append => (0x0e, 0x19),
            Mode::Prepend => (0x0f, 0x1a),
        },
        Request::Delete { .. } => (0x04, 0x14),
        // The others are never in a quiet window.
        Request::Arithmetic { direction, .. } => match direction {
            Direction::Up => (0x05, 0x05),
            Direction::Down => (0x06, 0x06),
        },
        Request::FlushAll { .. } => (0x08, 0x08),
        Request::Version => (0x0b, 0x0b),
        Request::Stats { .. } => (0x10, 0x10),
        Request::Authenticate { .. } => (0x21, 0x21),
        Request::Touch { .. } => (0x1c, 0x1c),
        Request::GetAndTouch { .. } => (0x1d, 0x1d),
        // `Dialect::check` lets none of them through.
        Request::Verbosity { .. }
        | Request::Metadump { .. }
        | Request::Raw { .. }
        | Request::MetaGet { .. }
        | Request::MetaDelete { .. }
        | Request::MetaArithmetic { .. } => (NOOP, NOOP),
    };
    if quiet { silent } else { loud }
}

/// The header of a reply. What follows it: `extras` bytes, `key` bytes, and the value, `body` bytes
/// in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) opcode: u8,
    pub(super) key: usize,
    pub(super) extras: usize,
    pub(super) data_type: u8,
    pub(super) status: u16,
    pub(super) body: u32,
    pub(super) opaque: u32,
    pub(super) cas: u64,
}

impl Header {
    /// The header that `input` begins with, once it is all there. The magic byte is not looked at.
    pub(super) fn read(mut input: &[u8]) -> Option<Self> {
        let [_magic, opcode] = take(&mut input)?;
        let key = u16::from_be_bytes(take(&mut input)?);
        let [extras, data_type] = take(&mut input)?;
        Some(Self {
            opcode,
            key: key.into(),
            extras: extras.into(),
            data_type,
            status: u16::from_be_bytes(take(&mut input)?),
            body: u32::from_be_bytes(take(&mut input)?),
            opaque: u32::from_be_bytes(take(&mut input)?),
            cas: u64::from_be_bytes(take(&mut input)?),
        })
    }
}

/// The first bytes of `input`, taken from it.
fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = input.split_first_chunk()?;
    *input = rest;
    Some(*first)
}
