//! Keys to count: the user's own, or made ones.

use crate::lines::Lines;
use crate::outcome::{Failure, Outcome, outcome_of, say};
use clap::Args;

#[derive(Args, Default, PartialEq)]
pub(super) struct Sample {
    /// Count the keys of this file, one a line, in place of made ones; - is standard input
    #[arg(long, value_name = "FILE")]
    keys: Option<String>,
    /// How many keys are made [default: 100000]
    #[arg(long, value_name = "NUMBER", conflicts_with = "keys")]
    sample: Option<usize>,
}

impl Sample {
    /// Does `one` with each key. Of those that are none is said why, and the others are counted.
    pub(super) fn each(
        &self,
        mut one: impl FnMut(&[u8]) -> moecache::Result<()>,
    ) -> Result<Outcome, Failure> {
        let mut worst = Outcome::Done;
        let Some(file) = &self.keys else {
            for key in made().take(self.sample.unwrap_or(100_000)) {
                one(key.as_bytes())?;
            }
            return Ok(worst);
        };
        let mut lines = Lines::open(file)?;
        while let Some(line) = lines.next()? {
            if let Err(error) = one(line.bytes) {
                say(&format!("{line}: {error:#}"));
                worst = worst.max(outcome_of(&error));
            }
        }
        Ok(worst)
    }

    /// What its keys are called.
    pub(super) fn name(&self) -> &'static str {
        if self.keys.is_some() {
            "keys"
        } else {
            "made keys"
        }
    }
}

/// Keys without end that look like those of programs, and the same ones each time.
pub(super) fn made() -> impl Iterator<Item = String> {
    (0_u64..).map(|number| format!("key:{:016x}", mixed(number)))
}

/// The `number`th of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
/// Generators"): no hash is at an advantage, as it might be with numbers in a row.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
