//! What JSON cannot hold, and what it does not say.

use super::*;
use crate::item::Item;
use crate::value::{Compression, Format, Value, decode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;

fn read_as<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let dalli = Format::DalliJson.transcoder(Compression::off(), 1 << 16)?;
    decode(&*dalli, Item::new(1, text))
}

fn of(value: Value<'_>) -> Result<Vec<u8>, Error> {
    value.to_tree(NO_DATE_TIME)?.to_json()
}

/// Also those that a parser which does not care for the last bit reads as their neighbours.
#[test]
fn floats() {
    let rows = [0.1, -0.0, 3.0, 1e300, 5e-324, 111_111_122_222_222_230_000.0];
    for value in rows {
        let text = String::from_utf8(of(Value::F64(value)).unwrap()).unwrap();
        let back: f64 = read_as(&text).unwrap();
        assert_eq!(back.to_bits(), value.to_bits(), "{text}");
    }
    let single: f32 = read_as("0.5").unwrap();
    assert_eq!(single.to_bits(), 0.5_f32.to_bits());
}

#[test]
fn whole_numbers_are_floats_as_well() {
    let numbers: (f64, f32, i8, Option<f64>) = read_as("[3, -4, 5, 6]").unwrap();
    assert_eq!(numbers, (3.0, -4.0, 5, Some(6.0)));
    assert!(read_as::<i8>("5.0").is_err());

    // The largest that a single still tells from its neighbours, and the next.
    let single: f32 = read_as("16777216").unwrap();
    assert_eq!(single.to_bits(), 16_777_216_f32.to_bits());
    let error = read_as::<f32>("16777217").unwrap_err().to_string();
    assert!(error.contains("does not fit f32"), "{error}");
}

#[test]
fn wide_integers() {
    let rows = [
        "18446744073709551616",
        "-170141183460469231731687303715884105728",
    ];
    for text in rows {
        let number: i128 = read_as(text).unwrap();
        assert_eq!(of(Value::I128(number)).unwrap(), text.as_bytes());
    }
}

#[test]
fn what_json_cannot_hold() {
    let rows = [
        (
            of(Value::Bytes(b"a")),
            "has bytes in it, which JSON cannot hold: store a string",
        ),
        (
            of(Value::F64(f64::NAN)),
            "has a float in it that is infinite or not a number, which JSON cannot hold",
        ),
        (
            of(Value::Object(&[ByteBuf::from(*b"a")])),
            "has bytes in it, which JSON cannot hold: store a string",
        ),
        (
            of(Value::Object(&[u128::MAX])),
            "has an integer of more than 64 bits in it, which is read from JSON as a float",
        ),
        (
            of(Value::Object(&BTreeMap::from([(1, 2)]))),
            "has a map in it whose keys are not strings, which JSON cannot hold",
        ),
    ];
    for (outcome, expected) in rows {
        let error = outcome.unwrap_err();
        assert!(error.is_encode());
        assert_eq!(error.to_string(), format!("the value {expected}"));
    }
}

#[derive(serde::Serialize, Deserialize, PartialEq, Debug)]
struct Quote {
    text: String,
    by: Option<char>,
}

#[test]
fn text() {
    let quote = Quote {
        text: "\"to be\"\n\u{1}\\日".to_owned(),
        by: Some('W'),
    };
    let json = of(Value::Object(&quote)).unwrap();
    let json = String::from_utf8(json).unwrap();
    assert_eq!(
        json,
        "{\"text\":\"\\\"to be\\\"\\n\\u0001\\\\日\",\"by\":\"W\"}"
    );
    assert_eq!(read_as::<Quote>(&json).unwrap(), quote);
}

/// A map in the order in which it is read.
#[derive(PartialEq, Debug)]
struct Ordered(Vec<(String, serde_json::Value)>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> serde::de::Visitor<'de> for Entries {
            type Value = Ordered;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A>(self, mut map: A) -> Result<Ordered, A::Error>
            where
                A: serde::de::MapAccess<'de>,
            {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// Of a key that is there twice, the first has the place and the last the value, as in Ruby and PHP.
#[test]
fn maps_keep_their_order() {
    let entry = |key: &str, value| (key.to_owned(), serde_json::json!(value));
    for (text, expected) in [
        (r#"{"z":1,"a":2,"m":3}"#, vec![("z", 1), ("a", 2), ("m", 3)]),
        (r#"{"z":1,"a":2,"z":3}"#, vec![("z", 3), ("a", 2)]),
        ("{}", vec![]),
    ] {
        let expected = expected.into_iter().map(|(key, value)| entry(key, value));
        let expected: Vec<_> = expected.collect();
        assert_eq!(read_as::<Ordered>(text).unwrap().0, expected);
        let nested = format!("[{text}]");
        assert_eq!(read_as::<[Ordered; 1]>(&nested).unwrap()[0].0, expected);
    }
    // serde_json's own name for a number, which here is a key like any other.
    let number = r#"{"$serde_json::private::Number":"1"}"#;
    let read: Ordered = read_as(number).unwrap();
    assert_eq!(read.0[0].1, "1");
}

#[test]
fn bodies_that_lie() {
    let deep = "[".repeat(1 << 20);
    for text in ["[1", "1 2", "nul", "{1:2}", "\"\\ud800\"", &deep] {
        let error = read_as::<serde_json::Value>(text).unwrap_err().to_string();
        let expected =
            "the item is JSON (flags 1) that is malformed, or nests deeper than 128 levels";
        assert_eq!(error, expected);
    }
}
