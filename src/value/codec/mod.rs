//! The compression algorithms, each with `compress(data)` and `decompress(data, limit)`.
//!
//! Compressed data comes from the server, so it may be anything: memory grows with what really comes
//! out of it and ends at the limit, whatever it claims; and a stream that is cut short, or followed
//! by other bytes, is an error. Uses nothing else of the crate.

pub(super) mod fastlz;
#[cfg(feature = "zlib")]
pub(super) mod gzip;
#[cfg(feature = "lz4")]
pub(super) mod lz4;
#[cfg(test)]
mod tests;
#[cfg(feature = "zlib")]
pub(super) mod zlib;
#[cfg(feature = "zstd")]
pub(super) mod zstd;

/// In place of an algorithm whose feature is not compiled in: nothing can be compressed, and what
/// is compressed is not read.
macro_rules! without {
    ($feature:literal: $($module:ident($($argument:ty),*))*) => {$(
        #[cfg(not(feature = $feature))]
        pub(super) mod $module {
            use super::Damage;

            pub(in crate::value) fn compress(_: &[u8]) -> Option<Vec<u8>> {
                None
            }

            pub(in crate::value) fn decompress(_: &[u8], $(_: $argument),*) -> Result<Vec<u8>, Damage> {
                Err(Damage::Feature($feature))
            }
        }
    )*};
}

without!("zlib": zlib(usize) gzip(usize));
without!("lz4": lz4(usize, usize));
without!("zstd": zstd(usize));

/// Why data cannot be decompressed. `Display` goes on from "the item is a compressed string".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    #[cfg(not(all(feature = "zlib", feature = "lz4", feature = "zstd")))]
    #[error("which needs the feature {0} of moecache")]
    Feature(&'static str),
    #[error("of more than {0} bytes when decompressed, which max_decompressed_size does not allow")]
    TooLarge(usize),
    #[error("that is no valid {0}")]
    Malformed(&'static str),
    #[error("that is cut short")]
    Truncated,
    #[cfg(any(feature = "zlib", feature = "zstd"))]
    #[error("that is followed by other bytes")]
    Trailing,
    #[error("of another length than it claims")]
    WrongLength,
}

/// Refuses a length that an item claims for its block of LZ4 or FastLZ where the block cannot hold so
/// much, before memory is taken for it. One byte of either stands for 255 at most: each further byte
/// of a match's length adds as many (three bytes of FastLZ's level 1 are 264).
fn judge(length: usize, data: &[u8], limit: usize) -> Result<(), Damage> {
    const MOST_PER_BYTE: usize = 255;
    if length > limit {
        return Err(Damage::TooLarge(limit));
    }
    if length > data.len().saturating_mul(MOST_PER_BYTE) {
        return Err(Damage::WrongLength);
    }
    Ok(())
}

/// All that `read` gives until it answers 0. It fills the buffer lent to it from the start.
#[cfg_attr(
    not(any(feature = "zlib", feature = "zstd")),
    expect(
        dead_code,
        reason = "for the algorithms whose output tells its own length"
    )
)]
fn collect(
    limit: usize,
    mut read: impl FnMut(&mut [u8]) -> Result<usize, Damage>,
) -> Result<Vec<u8>, Damage> {
    const FIRST: usize = 4096;
    // One more than allowed, to see that there is more.
    let most = limit.saturating_add(1);
    let mut output = Vec::new();
    let mut length: usize = 0;
    loop {
        if length == output.len() {
            // Doubled, so at most half of it is not yet filled.
            let next = length.saturating_mul(2).clamp(FIRST.min(most), most);
            output.reserve_exact(next - length);
            output.resize(next, 0);
        }
        let count = read(output.get_mut(length..).unwrap_or_default())?;
        length += count;
        if length > limit {
            return Err(Damage::TooLarge(limit));
        }
        if count == 0 {
            output.truncate(length);
            return Ok(output);
        }
    }
}
