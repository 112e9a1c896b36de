//! Any item read in the format of any client: never a panic nor more memory than it warrants, and what
//! is read is stored and read again as the same.
//!
//! Input: a byte that is the format, four of flags, little-endian, and the data.

#![no_main]

use libfuzzer_sys::fuzz_target;
use moecache::fuzzing::{decodes_as, is_read_as};
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
    is_read_as::<serde_json::Value>(*format, flags, data);
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
