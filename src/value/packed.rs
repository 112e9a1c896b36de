//! What is compressed in our own formats: items of their own kind around the real ones.
//!
//! A peer must not take them for anything. Its flags have none of the bits 1, 2, 4, 8 and 16 in the
//! lowest byte, by which other clients unpickle, inflate or parse, nor is that byte one of .NET's
//! `TypeCode`s, nor 0x4d00 one of spymemcached's types. Tried on the clients themselves: each raises,
//! or gives the bytes as they are.

use super::codec::{self, Damage};
use super::compression::{Algorithm, Compression};
use super::fault::damaged;
use super::transcoder::Body;
use crate::error::Error;
use crate::item::Item;

pub(super) const LZ4: u32 = 0x4d20;
pub(super) const ZSTD: u32 = 0x4d60;

pub(super) const KNOWN: &[Algorithm] = &[Algorithm::Lz4, Algorithm::Zstd];

/// The body, compressed where that is asked for and makes it smaller: its flags and its length, 32
/// bits each in little endian, and one block of LZ4 or one frame of Zstandard.
pub(super) fn pack(body: Body<'_>, compression: Compression) -> Body<'_> {
    let flags = match compression.algorithm {
        Some(Algorithm::Lz4) => LZ4,
        Some(Algorithm::Zstd) => ZSTD,
        _ => return body,
    };
    let Ok(length) = u32::try_from(body.data().len()) else {
        return body;
    };
    let mut header = [0; 8];
    header[..4].copy_from_slice(&body.flags().to_le_bytes());
    header[4..].copy_from_slice(&length.to_le_bytes());
    match compression.shrink(&header, body.data()) {
        Some(packed) => Body::owned(flags, packed),
        None => body,
    }
}

/// The item inside of one that is compressed; any other as it is.
pub(super) fn unpack(item: Item, limit: usize) -> Result<Item, Error> {
    let Some(stored) = describe(item.flags) else {
        return Ok(item);
    };
    let (flags, data) = content(item.flags, &item.data, limit)
        .map_err(|damage| damaged(stored, item.flags, damage))?;
    if describe(flags).is_some() {
        return Err(damaged(stored, item.flags, "in another one"));
    }
    Ok(Item {
        flags,
        data,
        ..item
    })
}

pub(super) fn describe(flags: u32) -> Option<&'static str> {
    match flags {
        LZ4 => Some("a value of this client compressed with LZ4"),
        ZSTD => Some("a value of this client compressed with Zstandard"),
        _ => None,
    }
}

fn content(outer: u32, data: &[u8], limit: usize) -> Result<(u32, Vec<u8>), Damage> {
    let (flags, data) = data.split_first_chunk().ok_or(Damage::Truncated)?;
    let (length, data) = data.split_first_chunk().ok_or(Damage::Truncated)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    if length > limit {
        return Err(Damage::TooLarge(limit));
    }
    let content = if outer == LZ4 {
        codec::lz4::decompress(data, limit, length)?
    } else {
        codec::zstd::decompress(data, limit)?
    };
    if content.len() != length {
        return Err(Damage::WrongLength);
    }
    Ok((u32::from_le_bytes(*flags), content))
}
