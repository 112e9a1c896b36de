//! zlib, RFC 1950.

use super::{Damage, collect};
use flate2::write::ZlibEncoder;
use flate2::{Compression, Decompress, FlushDecompress, Status};
use std::io::Write;

pub(in crate::value) fn compress(data: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).ok()?;
    encoder.finish().ok()
}

/// Not through `ZlibDecoder`, which takes a stream that is cut short for a whole one.
pub(in crate::value) fn decompress(data: &[u8], limit: usize) -> Result<Vec<u8>, Damage> {
    const WITH_HEADER: bool = true;
    let mut stream = Decompress::new(WITH_HEADER);
    let mut rest = data;
    let mut ended = false;
    let output = collect(limit, |buffer| {
        if ended {
            return Ok(0);
        }
        let (read_before, written_before) = (stream.total_in(), stream.total_out());
        let status = stream.decompress(rest, buffer, FlushDecompress::None);
        let status = status.map_err(|_| Damage::Malformed("zlib stream"))?;
        rest = past(rest, stream.total_in() - read_before);
        ended = status == Status::StreamEnd;
        let written = stream.total_out() - written_before;
        if written == 0 && !ended {
            return Err(Damage::Truncated);
        }
        usize::try_from(written).map_err(|_| Damage::TooLarge(limit))
    })?;
    if rest.is_empty() {
        Ok(output)
    } else {
        Err(Damage::Trailing)
    }
}

fn past(bytes: &[u8], count: u64) -> &[u8] {
    let count = usize::try_from(count).ok();
    count
        .and_then(|count| bytes.get(count..))
        .unwrap_or_default()
}
