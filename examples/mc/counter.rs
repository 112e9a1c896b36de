//! `mc incr` and `mc decr`.

use crate::outcome::{Failure, Outcome, missing};
use crate::time;
use clap::Args;
use moecache::{Client, Expiry};
use std::io::Write;

#[derive(Args)]
pub(crate) struct Count {
    /// 1 to 250 bytes, printable ASCII unless --key-bytes says otherwise
    key: String,
    /// By how much
    #[arg(default_value_t = 1, allow_negative_numbers = true)]
    delta: u64,
    /// Make a counter that is not there, with this number; without it, exit with 1
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    initial: Option<u64>,
    /// When a counter that is made expires: 90 (seconds), 15m, 2h, 7d, never; rounded up to a second
    #[arg(
        long,
        default_value = "never",
        requires = "initial",
        value_parser = time::expiry,
        allow_hyphen_values = true
    )]
    expiry: Expiry,
}

#[derive(Clone, Copy)]
pub(crate) enum Direction {
    Up,
    Down,
}

impl Count {
    pub(crate) fn run(
        self,
        client: &Client,
        direction: Direction,
        out: &mut impl Write,
    ) -> Result<Outcome, Failure> {
        let Self {
            key,
            delta,
            initial,
            expiry,
        } = self;
        let count = match (direction, initial) {
            (Direction::Up, None) => client.incr(&key, delta)?,
            (Direction::Down, None) => client.decr(&key, delta)?,
            (Direction::Up, Some(initial)) => {
                Some(client.incr_with_initial(&key, delta, initial, expiry)?)
            }
            (Direction::Down, Some(initial)) => {
                Some(client.decr_with_initial(&key, delta, initial, expiry)?)
            }
        };
        let Some(count) = count else {
            return Ok(missing(&key));
        };
        writeln!(out, "{count}")?;
        Ok(Outcome::Done)
    }
}
