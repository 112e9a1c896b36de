//! FastLZ, levels 1 and 2, as php-memcached keeps strings; read only.
//!
//! A block is a sequence of instructions. A byte below 0x20 copies that many literals and one more;
//! any other one copies a match out of what was already written: its upper three bits are the
//! length, its lower five the upper bits of the distance. The first instruction has the level in its
//! upper bits, and is always one for literals.
//!
//! Source: <https://github.com/ariya/FastLZ>, "Block Format".

use super::{Damage, judge};

const MALFORMED: Damage = Damage::Malformed("block of FastLZ");

/// `length` is what the item claims; only that many bytes are right.
pub(in crate::value) fn decompress(
    data: &[u8],
    limit: usize,
    length: usize,
) -> Result<Vec<u8>, Damage> {
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
