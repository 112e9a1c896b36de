//! `mc append` and `mc prepend`.

use crate::outcome::{Failure, Outcome, say};
use clap::Args;
use moecache::Client;
use std::ffi::OsString;
use std::io::{self, Read};

#[derive(Args)]
pub(crate) struct Append {
    /// 1 to 250 bytes, printable ASCII unless --key-bytes says otherwise
    key: String,
    /// What to put there; read from standard input if it is not given, to the last byte: line ends
    /// are not left out
    #[arg(allow_negative_numbers = true)]
    value: Option<OsString>,
}

/// Where it goes.
#[derive(Clone, Copy)]
pub(crate) enum End {
    Front,
    Back,
}

impl Append {
    pub(crate) fn run(self, client: &Client, end: End) -> Result<Outcome, Failure> {
        let Self { key, value } = self;
        let bytes = match value {
            Some(value) => value.into_encoded_bytes(),
            None => read()?,
        };
        let is_stored = match end {
            End::Front => client.prepend(&key, bytes)?,
            End::Back => client.append(&key, bytes)?,
        };
        if is_stored {
            return Ok(Outcome::Done);
        }
        // memcached gives one answer to both.
        say(&format!("{key}: not found, or too large with this"));
        Ok(Outcome::Unmet)
    }
}

fn read() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let input = &mut io::stdin().lock();
    input.read_to_end(&mut bytes).map_err(Failure::Input)?;
    Ok(bytes)
}
