use super::{base64, flags};
use std::fmt::Display;

pub(super) const OPAQUE_TOO_LONG: &str = "CLIENT_ERROR opaque token too long";

/// A reply as it is sent, which may be nothing; or the line of an error, which no flag hides.
pub(super) type Reply = Result<Vec<u8>, &'static str>;

/// What every reply can carry back: the opaque and the key. Returns whether it was one of these.
pub(super) fn echo(
    reply: &mut Vec<u8>,
    flag: &[u8],
    key: &[u8],
    base64: bool,
) -> Result<bool, &'static str> {
    match flag.first() {
        Some(b'O') if flag.len() > flags::LONGEST_OPAQUE => return Err(OPAQUE_TOO_LONG),
        Some(b'O') => {
            reply.push(b' ');
            reply.extend_from_slice(flag);
        }
        Some(b'k') => write_key(reply, key, base64),
        _ => return Ok(false),
    }
    Ok(true)
}

pub(super) fn write_key(reply: &mut Vec<u8>, key: &[u8], base64: bool) {
    reply.extend_from_slice(b" k");
    if base64 {
        reply.extend(base64::encode(key));
        reply.extend_from_slice(b" b");
    } else {
        reply.extend_from_slice(key);
    }
}

/// The flag with its number.
pub(super) fn write_number(reply: &mut Vec<u8>, flag: u8, number: impl Display) {
    reply.extend_from_slice(&[b' ', flag]);
    reply.extend_from_slice(number.to_string().as_bytes());
}

/// The flag `t`: the seconds left, which are a large number when there are none.
pub(super) fn write_ttl(reply: &mut Vec<u8>, exptime: u32, now: u32) {
    match exptime {
        0 => reply.extend_from_slice(b" t-1"),
        exptime => write_number(reply, b't', exptime.wrapping_sub(now)),
    }
}
