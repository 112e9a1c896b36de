//! The compression algorithms, each with `compress(data)` and `decompress(data, limit)`.
//!
//! Compressed data comes from the server, so it may be anything: memory grows with what really comes
//! out of it and ends at the limit, whatever it claims; and a stream that is cut short, or followed
//! by other bytes, is an error. Uses nothing else of the crate.

#[cfg(test)]
mod tests;

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
#[cfg(any(feature = "zlib", feature = "zstd"))]
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

/// The same of a stream that ends in an error where it is cut short.
#[cfg(any(feature = "zlib", feature = "zstd"))]
fn drain(
    limit: usize,
    mut stream: impl std::io::Read,
    what: &'static str,
) -> Result<Vec<u8>, Damage> {
    collect(limit, |buffer| {
        stream.read(buffer).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Damage::Truncated,
            _ => Damage::Malformed(what),
        })
    })
}

/// The output, if nothing is left of the input.
#[cfg(any(feature = "zlib", feature = "zstd"))]
fn whole(output: Vec<u8>, rest: &[u8]) -> Result<Vec<u8>, Damage> {
    if rest.is_empty() {
        Ok(output)
    } else {
        Err(Damage::Trailing)
    }
}

/// zlib, RFC 1950.
#[cfg(feature = "zlib")]
pub(super) mod zlib {
    use super::{Damage, collect, whole};
    use flate2::write::ZlibEncoder;
    use flate2::{Compression, Decompress, FlushDecompress, Status};
    use std::io::Write;

    pub(crate) fn compress(data: &[u8]) -> Option<Vec<u8>> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).ok()?;
        encoder.finish().ok()
    }

    /// Not through `ZlibDecoder`, which takes a stream that is cut short for a whole one.
    pub(crate) fn decompress(data: &[u8], limit: usize) -> Result<Vec<u8>, Damage> {
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
        whole(output, rest)
    }

    fn past(bytes: &[u8], count: u64) -> &[u8] {
        let count = usize::try_from(count).ok();
        count
            .and_then(|count| bytes.get(count..))
            .unwrap_or_default()
    }
}

/// gzip, RFC 1952: one member.
#[cfg(feature = "zlib")]
pub(super) mod gzip {
    use super::{Damage, drain, whole};
    use flate2::Compression;
    use flate2::bufread::GzDecoder;
    use flate2::write::GzEncoder;
    use std::io::Write;

    pub(crate) fn compress(data: &[u8]) -> Option<Vec<u8>> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).ok()?;
        encoder.finish().ok()
    }

    /// A stream that is cut short lacks the length at its end, so `GzDecoder` sees it.
    pub(crate) fn decompress(data: &[u8], limit: usize) -> Result<Vec<u8>, Damage> {
        let mut decoder = GzDecoder::new(data);
        let output = drain(limit, &mut decoder, "gzip stream")?;
        whole(output, decoder.into_inner())
    }
}

/// One raw block of LZ4, without a frame: who stores it keeps its length elsewhere.
///
/// Source: <https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md>.
#[cfg(feature = "lz4")]
pub(super) mod lz4 {
    use super::{Damage, judge};
    use lz4_flex::block;

    #[expect(clippy::unnecessary_wraps, reason = "as all algorithms have it")]
    pub(crate) fn compress(data: &[u8]) -> Option<Vec<u8>> {
        Some(block::compress(data))
    }

    /// `length` is what the item claims; only that many bytes are right.
    pub(crate) fn decompress(data: &[u8], limit: usize, length: usize) -> Result<Vec<u8>, Damage> {
        judge(length, data, limit)?;
        let mut output = vec![0; length];
        match block::decompress_into(data, &mut output) {
            Ok(written) if written == length => Ok(output),
            Ok(_) | Err(block::DecompressError::OutputTooSmall { .. }) => Err(Damage::WrongLength),
            Err(_) => Err(Damage::Malformed("block of LZ4")),
        }
    }
}

/// Zstandard, RFC 8878: one frame.
#[cfg(feature = "zstd")]
pub(super) mod zstd {
    use super::{Damage, drain, whole};
    use ::zstd::stream::read::Decoder;
    use ::zstd::{DEFAULT_COMPRESSION_LEVEL, bulk};

    pub(crate) fn compress(data: &[u8]) -> Option<Vec<u8>> {
        bulk::compress(data, DEFAULT_COMPRESSION_LEVEL).ok()
    }

    /// Decoded as a stream: the length in a frame's head is only a claim.
    pub(crate) fn decompress(data: &[u8], limit: usize) -> Result<Vec<u8>, Damage> {
        const WHAT: &str = "Zstandard frame";
        let malformed = |_| Damage::Malformed(WHAT);
        let decoder = Decoder::with_buffer(data).map_err(malformed)?;
        let mut decoder = decoder.single_frame();
        // The window is memory too, and as large as the head of the frame claims.
        let window_log = window_log(limit);
        decoder.window_log_max(window_log).map_err(malformed)?;
        let output = drain(limit, &mut decoder, WHAT)?;
        whole(output, decoder.finish())
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
}

/// FastLZ, levels 1 and 2, as php-memcached keeps strings; read only.
///
/// A block is a sequence of instructions. A byte below 0x20 copies that many literals and one more;
/// any other one copies a match out of what was already written: its upper three bits are the
/// length, its lower five the upper bits of the distance. The first instruction has the level in its
/// upper bits, and is always one for literals.
///
/// Source: <https://github.com/ariya/FastLZ>, "Block Format".
pub(super) mod fastlz {
    use super::{Damage, judge};

    const MALFORMED: Damage = Damage::Malformed("block of FastLZ");

    /// `length` is what the item claims; only that many bytes are right.
    pub(crate) fn decompress(data: &[u8], limit: usize, length: usize) -> Result<Vec<u8>, Damage> {
        judge(length, data, limit)?;
        let Some((&first, _)) = data.split_first() else {
            return if length == 0 {
                Ok(Vec::new())
            } else {
                Err(Damage::Truncated)
            };
        };
        let far = match first >> 5 {
            0 => Far::Never,
            1 => Far::Long,
            _ => return Err(MALFORMED),
        };
        let mut input = Input { rest: data };
        let mut output = Vec::with_capacity(length);
        let mut instruction = input.byte()? & 0x1f;
        loop {
            if instruction < 0x20 {
                let literals = input.take(usize::from(instruction) + 1)?;
                if literals.len() > length - output.len() {
                    return Err(Damage::WrongLength);
                }
                output.extend_from_slice(literals);
            } else {
                let (count, distance) = input.back_reference(instruction, far)?;
                if count > length - output.len() {
                    return Err(Damage::WrongLength);
                }
                copy(&mut output, count, distance)?;
            }
            match input.byte() {
                Ok(next) => instruction = next,
                Err(_) if output.len() == length => return Ok(output),
                Err(_) => return Err(Damage::WrongLength),
            }
        }
    }

    /// Whether a match may lie further back than 13 bits reach: what level 2 adds.
    #[derive(Clone, Copy, PartialEq)]
    enum Far {
        Never,
        Long,
    }

    struct Input<'a> {
        rest: &'a [u8],
    }

    impl<'a> Input<'a> {
        fn byte(&mut self) -> Result<u8, Damage> {
            let (&byte, rest) = self.rest.split_first().ok_or(Damage::Truncated)?;
            self.rest = rest;
            Ok(byte)
        }

        fn take(&mut self, count: usize) -> Result<&'a [u8], Damage> {
            let (taken, rest) = self.rest.split_at_checked(count).ok_or(Damage::Truncated)?;
            self.rest = rest;
            Ok(taken)
        }

        /// How many bytes to copy, and from how far back.
        fn back_reference(&mut self, instruction: u8, far: Far) -> Result<(usize, usize), Damage> {
            let mut count = usize::from(instruction >> 5) + 2;
            if instruction >> 5 == 7 {
                loop {
                    let more = self.byte()?;
                    count += usize::from(more);
                    if far == Far::Never || more != 255 {
                        break;
                    }
                }
            }
            let high = usize::from(instruction & 0x1f);
            let low = usize::from(self.byte()?);
            let mut distance = (high << 8) + low;
            if far == Far::Long && distance == 0x1fff {
                let further = [self.byte()?, self.byte()?];
                distance += usize::from(u16::from_be_bytes(further));
            }
            Ok((count, distance + 1))
        }
    }

    /// The copy may overlap itself, which repeats what lies between.
    fn copy(output: &mut Vec<u8>, count: usize, distance: usize) -> Result<(), Damage> {
        let start = output.len().checked_sub(distance).ok_or(MALFORMED)?;
        let mut left = count;
        while left > 0 {
            let step = left.min(output.len() - start);
            output.extend_from_within(start..start + step);
            left -= step;
        }
        Ok(())
    }
}

/// In place of an algorithm whose feature is not compiled in: nothing can be compressed, and what
/// is compressed is not read.
macro_rules! without {
    ($feature:literal: $($module:ident($($argument:ty),*))*) => {$(
        #[cfg(not(feature = $feature))]
        pub(super) mod $module {
            use super::Damage;

            pub(crate) fn compress(_: &[u8]) -> Option<Vec<u8>> {
                None
            }

            pub(crate) fn decompress(_: &[u8], $(_: $argument),*) -> Result<Vec<u8>, Damage> {
                Err(Damage::Feature($feature))
            }
        }
    )*};
}

without!("zlib": zlib(usize) gzip(usize));
without!("lz4": lz4(usize, usize));
without!("zstd": zstd(usize));
