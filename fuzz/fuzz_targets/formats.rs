//! Any item read in the format of any client: never a panic nor more than the limit of decompression, and
//! what is read is stored, compressed in any way that the client knows, and read again as the same.
//!
//! Input: a byte that is the format and the compression, four of flags, little-endian, and the data.

#![no_main]

use libfuzzer_sys::fuzz_target;
use moecache::fuzzing::{MAX_DECOMPRESSED, decodes_as, read_as};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;

macro_rules! each_type {
    ($($type:ty,)*) => {
        fn read_as_every_type(format: u8, flags: u32, data: &[u8]) {
            $(decodes_as::<$type>(format, flags, data);)*
        }
    };
}

each_type! {
    bool, char, i8, i64, u64, i128, u128, f32, f64, (), String, ByteBuf, Vec<u8>, Option<String>,
    Option<Option<i64>>, Vec<Option<u64>>, Vec<i128>, (u8, String), BTreeMap<String, f32>,
    BTreeMap<(i64, bool), ByteBuf>, Enum, Tree,
}

fuzz_target!(|input: &[u8]| {
    let Some(([format, flags @ ..], data)) = input.split_first_chunk::<5>() else {
        return;
    };
    let flags = u32::from_le_bytes(*flags);
    read_as_every_type(*format, flags, data);
    read_as::<serde_json::Value>(*format, flags, data);
    // What is not compressed has escapes, of which each byte stands for two at most.
    let limit = MAX_DECOMPRESSED.max(2 * data.len());
    let is_short = |length: usize| assert!(length <= limit, "{length} of {}", data.len());
    let bytes = read_as::<ByteBuf>(*format, flags, data);
    is_short(bytes.map_or(0, |bytes| bytes.len()));
    let text = read_as::<String>(*format, flags, data);
    is_short(text.map_or(0, |text| text.len()));
});

#[derive(Serialize, Deserialize)]
enum Enum {
    Unit,
    Newtype(u32),
    Tuple(i8, String),
    Struct { at: u64, by: Option<char> },
}

/// As deep as the bytes make it.
#[derive(Serialize, Deserialize)]
struct Tree {
    leaf: bool,
    branches: Vec<Tree>,
}
