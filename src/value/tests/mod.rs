//! What is stored and read, by the default transcoder.

mod dotnet;
mod hostile;
mod mismatches;
mod packed;
#[cfg(all(feature = "json", feature = "zlib"))]
mod peers;
#[cfg(all(feature = "lz4", feature = "pickle", feature = "zlib"))]
mod python;
mod python_types;
#[cfg_attr(
    not(feature = "zlib"),
    expect(dead_code, reason = "in all of them some values are compressed")
)]
pub(crate) mod recording;
mod round_trips;
mod tree;
mod vectors;

use super::*;
use crate::error::Error;
use crate::item::Item;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Checks every recording whose features are there: `tests/vectors/values`.
pub(crate) fn check() -> Vec<recording::Checked> {
    let checked = [dotnet::check()].into_iter();
    #[cfg(all(feature = "json", feature = "zlib"))]
    let checked = checked.chain(peers::check());
    #[cfg(all(feature = "lz4", feature = "pickle", feature = "zlib"))]
    let checked = checked.chain(python::check());
    checked.collect()
}

/// What is stored for the value.
fn stored<V: Serialize + ?Sized>(value: &V) -> Result<Item, Error> {
    encode_item(&Enyim::default(), value)
}

fn read<T: DeserializeOwned>(flags: u32, data: impl Into<Vec<u8>>) -> Result<T, Error> {
    decode(&Enyim::default(), Item::new(flags, data))
}

/// What goes wrong.
fn complaint<T>(outcome: Result<T, Error>) -> String {
    match outcome {
        Ok(_) => "nothing".to_owned(),
        Err(error) => {
            assert!(error.is_decode() || error.is_encode());
            error.to_string()
        }
    }
}
