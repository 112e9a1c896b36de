//! Any item read as any type: never a panic, and what is read is stored and read again as the same.
//! And any value: what is stored reads back as the same value.
//!
//! Input: four bytes of flags, little-endian, and the data; the data is also what values are made of.

#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use moecache::fuzzing::{decodes, is_read, round_trips};
use moecache::value::DateTime;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

macro_rules! each_type {
    ($($type:ty,)*) => {
        fn read_as_every_type(flags: u32, data: &[u8]) {
            $(decodes::<$type>(flags, data);)*
        }
    };
}

each_type! {
    bool, char, i8, i16, i32, i64, i128, u8, u16, u32, u64, u128, f32, f64, (), String, Vec<u8>,
    ByteBuf, DateTime, Option<u8>, Option<String>, Option<Vec<u8>>, Option<Option<i64>>,
    Vec<String>, Vec<Option<u64>>, (u8, String), [u8; 4], BTreeMap<String, u64>,
    BTreeMap<i32, Vec<f64>>, Struct, Enum, Newtype, Unit, Tree, serde_json::Value,
}

fuzz_target!(|input: &[u8]| {
    let Some((flags, data)) = input.split_first_chunk() else {
        return;
    };
    let flags = u32::from_le_bytes(*flags);
    read_as_every_type(flags, data);
    is_read::<IgnoredAny>(flags, data);
    is_read::<HashMap<String, IgnoredAny>>(flags, data);
    let _ = values(&mut Unstructured::new(data));
});

/// A value of every type, out of the same bytes.
fn values(bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    round_trips(&Struct::arbitrary(bytes)?);
    round_trips(&Tree::arbitrary(bytes)?);
    round_trips(&Enum::arbitrary(bytes)?);
    round_trip::<Vec<u8>>(bytes)?;
    round_trip::<String>(bytes)?;
    round_trip::<char>(bytes)?;
    round_trip::<bool>(bytes)?;
    round_trip::<(i8, i16, i32, i64, i128)>(bytes)?;
    round_trip::<(u8, u16, u32, u64)>(bytes)?;
    round_trip::<i64>(bytes)?;
    round_trip::<u64>(bytes)?;
    round_trip::<i128>(bytes)?;
    round_trip::<u128>(bytes)?;
    round_trip::<Option<i32>>(bytes)?;
    round_trip::<HashMap<String, Vec<Option<u32>>>>(bytes)?;
    round_trip::<HashMap<i16, (char, bool)>>(bytes)?;
    round_trip::<Result<String, u8>>(bytes)?;
    round_trips(&DateTime(i64::arbitrary(bytes)?));
    round_trips(&ByteBuf::from(Vec::arbitrary(bytes)?));
    // NaN is equal to nothing, its bits are.
    round_trips(&Bits(f64::arbitrary(bytes)?));
    Ok(())
}

fn round_trip<'a, T>(bytes: &mut Unstructured<'a>) -> arbitrary::Result<()>
where
    T: Arbitrary<'a> + Serialize + for<'de> Deserialize<'de> + PartialEq + Debug,
{
    round_trips(&T::arbitrary(bytes)?);
    Ok(())
}

#[derive(Arbitrary, Serialize, Deserialize, PartialEq, Debug)]
struct Struct {
    name: String,
    age: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nickname: Option<String>,
    #[serde(with = "serde_bytes")]
    picture: Vec<u8>,
    tags: Vec<Enum>,
    scores: BTreeMap<String, i64>,
}

#[derive(Arbitrary, Serialize, Deserialize, PartialEq, Debug)]
enum Enum {
    Unit,
    Newtype(u32),
    Tuple(i8, String),
    Struct { at: u64, by: Option<char> },
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Newtype(u64);

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Unit;

/// As deep as the bytes make it.
#[derive(Arbitrary, Serialize, Deserialize, PartialEq, Debug)]
struct Tree {
    leaf: bool,
    branches: Vec<Tree>,
}

#[derive(Serialize, Deserialize, Debug)]
struct Bits(f64);

impl PartialEq for Bits {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}
