//! gzip, RFC 1952: one member.

use super::{Damage, collect};
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use std::io::{ErrorKind, Read, Write};

pub(in crate::value) fn compress(data: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).ok()?;
    encoder.finish().ok()
}

/// A stream that is cut short lacks the length at its end, so `GzDecoder` sees it.
pub(in crate::value) fn decompress(data: &[u8], limit: usize) -> Result<Vec<u8>, Damage> {
    let mut decoder = GzDecoder::new(data);
    let output = collect(limit, |buffer| {
        decoder.read(buffer).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => Damage::Truncated,
            _ => Damage::Malformed("gzip stream"),
        })
    })?;
    if decoder.into_inner().is_empty() {
        Ok(output)
    } else {
        Err(Damage::Trailing)
    }
}
