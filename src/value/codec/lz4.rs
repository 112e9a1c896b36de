//! One raw block of LZ4, without a frame: who stores it keeps its length elsewhere.
//!
//! Source: <https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md>.

use super::{Damage, judge};
use lz4_flex::block;

#[expect(clippy::unnecessary_wraps, reason = "as all algorithms have it")]
pub(in crate::value) fn compress(data: &[u8]) -> Option<Vec<u8>> {
    Some(block::compress(data))
}

/// `length` is what the item claims; only that many bytes are right.
pub(in crate::value) fn decompress(
    data: &[u8],
    limit: usize,
    length: usize,
) -> Result<Vec<u8>, Damage> {
    judge(length, data, limit)?;
    let mut output = vec![0; length];
    match block::decompress_into(data, &mut output) {
        Ok(written) if written == length => Ok(output),
        Ok(_) | Err(block::DecompressError::OutputTooSmall { .. }) => Err(Damage::WrongLength),
        Err(_) => Err(Damage::Malformed("block of LZ4")),
    }
}
