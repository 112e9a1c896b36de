//! Zstandard, RFC 8878: one frame.

use super::{Damage, collect};
use std::io::{ErrorKind, Read};
use zstd::bulk;
use zstd::stream::read::Decoder;

pub(in crate::value) fn compress(data: &[u8]) -> Option<Vec<u8>> {
    bulk::compress(data, zstd::DEFAULT_COMPRESSION_LEVEL).ok()
}

/// Decoded as a stream: the length in a frame's head is only a claim.
pub(in crate::value) fn decompress(data: &[u8], limit: usize) -> Result<Vec<u8>, Damage> {
    let malformed = |_| Damage::Malformed("Zstandard frame");
    let mut decoder = Decoder::with_buffer(data)
        .map_err(malformed)?
        .single_frame();
    // The window is memory too, and as large as the head of the frame claims.
    decoder
        .window_log_max(window_log(limit))
        .map_err(malformed)?;
    let output = collect(limit, |buffer| {
        decoder.read(buffer).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => Damage::Truncated,
            _ => Damage::Malformed("Zstandard frame"),
        })
    })?;
    if decoder.finish().is_empty() {
        Ok(output)
    } else {
        Err(Damage::Trailing)
    }
}

/// The exponent of the smallest window that holds `limit` bytes, within what the library takes. A
/// compressor never takes a larger window than its input needs.
fn window_log(limit: usize) -> u32 {
    const LEAST: u32 = 10;
    const MOST: u32 = 27;
    limit
        .checked_next_power_of_two()
        .map_or(MOST, |size| size.trailing_zeros().clamp(LEAST, MOST))
}
