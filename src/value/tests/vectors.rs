//! What EnyimMemcached and Python's moecache store, byte for byte, and what they make of bytes.

use super::*;
use serde::Deserialize;
use serde_bytes::ByteBuf;
use std::fmt::Debug;

#[derive(Deserialize)]
pub(super) struct Vectors {
    pub(super) store: Vec<Stored>,
    pub(super) read: Vec<Read>,
}

#[derive(Deserialize)]
pub(super) struct Stored {
    r#type: String,
    value: Option<String>,
    flags: u32,
    hex: String,
}

#[derive(Deserialize)]
pub(super) struct Read {
    pub(super) flags: u32,
    pub(super) hex: String,
    pub(super) kind: String,
    value: Option<String>,
}

pub(super) const ENYIM: &str = include_str!("../../../tests/vectors/values/enyim.json");
const MOECACHE: &str = include_str!("../../../tests/vectors/values/moecache.json");

pub(super) fn vectors(json: &str) -> Vectors {
    serde_json::from_str(json).unwrap()
}

pub(super) fn unhex(hex: &str) -> Vec<u8> {
    assert_eq!(hex.len() % 2, 0);
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// The Rust value that a peer's text shows.
pub(super) trait Shown: Sized {
    fn shown(text: &str) -> Self;
    fn is_same(&self, other: &Self) -> bool;
}

macro_rules! shown {
    ($($type:ty: $parse:expr;)*) => {$(
        impl Shown for $type {
            fn shown(text: &str) -> Self {
                let parse: fn(&str) -> Self = $parse;
                parse(text)
            }

            fn is_same(&self, other: &Self) -> bool {
                self == other
            }
        }
    )*};
}

shown! {
    String: str::to_owned;
    bool: |text| text == "True";
    i8: |text| text.parse().unwrap();
    i16: |text| text.parse().unwrap();
    i32: |text| if text == "Friday" { 5 } else { text.parse().unwrap() };
    i64: |text| text.parse().unwrap();
    u8: |text| text.parse().unwrap();
    u16: |text| text.parse().unwrap();
    u32: |text| text.parse().unwrap();
    u64: |text| text.parse().unwrap();
    char: |text| char::from_u32(u32::from_str_radix(&text[2..], 16).unwrap()).unwrap();
    ByteBuf: |text| unhex(text.strip_prefix("hex:").unwrap()).into();
    DateTime: |text| {
        let ticks: i64 = text.split_once(" ticks=").unwrap().1.parse().unwrap();
        match text {
            _ if text.contains("kind=Unspecified") => DateTime(ticks),
            _ if text.contains("kind=Utc") => DateTime(ticks | 1 << 62),
            _ => DateTime(ticks | i64::MIN),
        }
    };
}

/// The text shows neither the sign of zero nor the bits of NaN; encoding what was read checks those.
macro_rules! shown_float {
    ($($float:ty)*) => {$(
        impl Shown for $float {
            fn shown(text: &str) -> Self {
                text.parse().unwrap()
            }

            #[expect(clippy::float_cmp, reason = "exactly the peer's value")]
            fn is_same(&self, other: &Self) -> bool {
                self == other || self.is_nan() && other.is_nan()
            }
        }
    )*};
}

shown_float!(f32 f64);

fn both_ways<T: Shown + Serialize + DeserializeOwned + Debug>(row: &Stored) {
    let name = format!("{} {:?}", row.r#type, row.value);
    let item = Item::new(row.flags, unhex(&row.hex));
    let value: T =
        decode(&Enyim::default(), item.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let shown = T::shown(row.value.as_deref().unwrap());
    assert!(value.is_same(&shown), "{name}: read as {value:?}");
    assert_eq!(stored(&value).unwrap(), item, "{name}");
}

#[test]
pub(super) fn what_enyim_stores() {
    let rows = vectors(ENYIM).store;
    assert_eq!(rows.len(), 126);
    for row in &rows {
        match row.r#type.as_str() {
            _ if row.flags == 257 => {
                let error = complaint(read::<String>(row.flags, unhex(&row.hex)));
                assert!(error.starts_with("flags 257: a .NET object"), "{error}");
            }
            "System.String" => both_ways::<String>(row),
            "System.Boolean" => both_ways::<bool>(row),
            "System.SByte" => both_ways::<i8>(row),
            "System.Byte" => both_ways::<u8>(row),
            "System.Int16" => both_ways::<i16>(row),
            "System.UInt16" => both_ways::<u16>(row),
            "System.Int32" | "System.DayOfWeek" => both_ways::<i32>(row),
            "System.UInt32" => both_ways::<u32>(row),
            "System.Int64" => both_ways::<i64>(row),
            "System.UInt64" => both_ways::<u64>(row),
            "System.Single" => both_ways::<f32>(row),
            "System.Double" => both_ways::<f64>(row),
            "System.Char" => both_ways::<char>(row),
            "System.DateTime" => both_ways::<DateTime>(row),
            "System.Byte[]" => {
                both_ways::<ByteBuf>(row);
                let data = unhex(&row.hex);
                let item = Item::new(row.flags, data.clone());
                assert_eq!(
                    decode::<Vec<u8>>(&Enyim::default(), item.clone()).unwrap(),
                    data
                );
                assert_eq!(decode_bytes(&Enyim::default(), item.clone()).unwrap(), data);
                if !data.is_empty() {
                    assert_eq!(stored(&data).unwrap(), item);
                }
            }
            "null" | "System.DBNull" => {
                let item = Item::new(row.flags, unhex(&row.hex));
                assert_eq!(stored(&None::<i32>).unwrap(), item);
                assert_eq!(stored(&()).unwrap(), item);
                assert_eq!(
                    decode::<Option<i32>>(&Enyim::default(), item.clone()).unwrap(),
                    None
                );
                decode::<()>(&Enyim::default(), item).unwrap();
            }
            unknown => panic!("{unknown}"),
        }
    }
}

#[test]
fn what_moecache_stores() {
    let rows = vectors(MOECACHE).store;
    assert_eq!(rows.len(), 52);
    for row in &rows {
        match row.flags {
            274 => both_ways::<String>(row),
            // As which values, the tests of pickles say.
            256 => {
                let complaint = complaint(read::<serde::de::IgnoredAny>(256, unhex(&row.hex)));
                let expected = if cfg!(feature = "pickle") {
                    "nothing"
                } else {
                    "the item is a Python pickle (flags 256) which needs the feature pickle of moecache"
                };
                assert_eq!(complaint, expected);
            }
            flags => panic!("{flags}"),
        }
    }
}

/// The peer's value or an error, for whatever bytes stand under a type's flags.
/// Answers whether it is an error.
pub(super) fn same_or_error<T>(transcoder: &dyn Transcoder, row: &Read) -> bool
where
    T: Shown + DeserializeOwned + Debug,
{
    let name = format!("flags {}: {}", row.flags, row.hex);
    match decode::<T>(transcoder, Item::new(row.flags, unhex(&row.hex))) {
        Ok(value) => {
            let shown = T::shown(row.value.as_deref().unwrap());
            assert!(value.is_same(&shown), "{name}: read as {value:?}");
            false
        }
        Err(error) => {
            assert!(error.is_decode(), "{name}: {error}");
            true
        }
    }
}

#[test]
fn what_enyim_reads() {
    // Their flags mean something to us, though not always to EnyimMemcached.
    let known = [0, 258, 259, 265, 267, 269, 272, 274, 0xfa52, 19776];
    let ours = Enyim::default();
    for row in &vectors(ENYIM).read {
        let data = unhex(&row.hex);
        if row.flags == 256 && data.is_empty() {
            assert_eq!(row.kind, "null");
            assert_eq!(read::<Option<String>>(256, "").unwrap(), None);
            assert_eq!(read::<Option<u64>>(256, "").unwrap(), None);
            assert!(read::<serde_json::Value>(256, "").unwrap().is_null());
            read::<()>(256, "").unwrap();
            assert!(read::<String>(256, "").is_err());
            continue;
        }
        if !known.contains(&row.flags) {
            let error = complaint(read::<serde::de::IgnoredAny>(row.flags, data));
            let expected = match row.flags {
                256 => "the item is a Python pickle (flags 256) ".to_owned(),
                flags => format!("flags {flags}: "),
            };
            assert!(error.starts_with(&expected), "{error}");
            continue;
        }
        match row.kind.as_str() {
            "System.String" => _ = same_or_error::<String>(&ours, row),
            "System.Boolean" => _ = same_or_error::<bool>(&ours, row),
            "System.Int32" => _ = same_or_error::<i32>(&ours, row),
            "System.Int64" => _ = same_or_error::<i64>(&ours, row),
            "System.Single" => _ = same_or_error::<f32>(&ours, row),
            "System.DateTime" => _ = same_or_error::<DateTime>(&ours, row),
            "System.Byte[]" => _ = same_or_error::<ByteBuf>(&ours, row),
            "null" => match read::<Option<String>>(row.flags, data) {
                Ok(value) => assert_eq!(value, None),
                Err(error) => assert!(error.is_decode()),
            },
            "error" if row.flags == 19776 => {}
            "error" => {
                let error = complaint(read::<serde::de::IgnoredAny>(row.flags, data));
                assert!(error.contains(" (.NET "), "{error}");
            }
            unknown => panic!("{unknown}"),
        }
    }
}

#[test]
fn what_moecache_reads() {
    for row in &vectors(MOECACHE).read {
        match (row.flags, row.kind.as_str()) {
            (274, "str") => {
                let value: String = read(row.flags, unhex(&row.hex)).unwrap();
                assert_eq!(Some(value), row.value);
            }
            // To EnyimMemcached it is a null.
            (256, _) if row.hex.is_empty() => {}
            (274 | 256, _) => {
                let outcome = read::<serde::de::IgnoredAny>(row.flags, unhex(&row.hex));
                assert_ne!(complaint(outcome), "nothing");
            }
            // moecache knows no others.
            (_, kind) => assert_eq!(kind, "error"),
        }
    }
}
