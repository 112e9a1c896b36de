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
mod recording;
mod round_trips;
mod tree;
mod vectors;

use super::*;
use crate::error::Error;
use crate::item::Item;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::path::Path;

/// All that were recorded, `tests/vectors/values`, as a table: `cargo test --all-features --lib
/// every_recorded_value -- --nocapture`.
#[test]
fn every_recorded_value() {
    let checked = check();
    println!(
        "{:19} {:50} {:>6} {:>6}",
        "library", "scheme", "stores", "reads"
    );
    let row = |library: &str, scheme: &str, stores: usize, reads: usize| {
        println!("{library:19} {scheme:50} {stores:>6} {reads:>6}");
    };
    for it in &checked {
        // A difference has ended the test before.
        row(&it.peer, &it.scheme, it.stores, it.reads);
        for (why, count) in &it.skipped {
            println!("{:19} {count} not both ways: {why}", "");
        }
    }
    let stores = checked.iter().map(|it| it.stores).sum();
    let reads = checked.iter().map(|it| it.reads).sum();
    row("all", "", stores, reads);
    if cfg!(all(
        feature = "json",
        feature = "lz4",
        feature = "pickle",
        feature = "zlib"
    )) {
        assert_eq!((stores, reads), (788, 4440));
        // None is left out.
        let files: BTreeSet<&str> = checked.iter().map(|it| it.file).collect();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/values");
        for file in std::fs::read_dir(folder).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            // Pickles in all protocols, which no client stored: a test of the reader alone.
            let is_checked = files.contains(&*name) || name == "python_pickles.json";
            assert!(is_checked, "{name} is in no table");
        }
    }
}

/// Checks every recording whose features are there.
fn check() -> Vec<recording::Checked> {
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
