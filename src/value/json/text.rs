//! JSON to values, and back.

use crate::value::transcoder::{Decoded, integer};
use crate::value::tree::{Tree, WORDS};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::Number;
use std::collections::HashMap;
use std::fmt;

/// The value, or why there is none: goes on from "the item is JSON (flags 1) that".
///
/// Integers beyond 64 bits are read where they are all there is; elsewhere they are floats, as in
/// JavaScript.
pub(crate) fn read(text: &[u8]) -> Result<Decoded, &'static str> {
    match integer(text) {
        Ok(Decoded::Integer(value)) if WORDS.contains(&value) => {}
        Ok(wide) => return Ok(wide),
        Err(_) => {}
    }
    match serde_json::from_slice(text) {
        Ok(Parsed(tree)) => Ok(Decoded::Tree(tree)),
        Err(_) => Err("is malformed, or nests deeper than 128 levels"),
    }
}

/// As it is written: serde_json's own tree sorts maps.
struct Parsed(Tree);

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Parser).map(Self)
    }
}

struct Parser;

impl<'de> Visitor<'de> for Parser {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(Parsed(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    /// Of a key that is there twice, the last value counts, as in Ruby and PHP.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        let mut places = HashMap::new();
        while let Some((key, Parsed(value))) = map.next_entry::<String, Parsed>()? {
            if let (NUMBER, Tree::String(digits)) = (&*key, &value) {
                if let Some(number) = exact_number(digits) {
                    return Ok(number);
                }
            }
            let place = *places.entry(key.clone()).or_insert(entries.len());
            match entries.get_mut(place) {
                Some((_, old)) => *old = value,
                None => entries.push((Tree::String(key), value)),
            }
        }
        Ok(Tree::Map(entries))
    }
}

/// What serde_json has in place of a number, as the key of a map, where the program has its feature
/// `arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

/// The number, if that feature is there.
fn exact_number(digits: &str) -> Option<Tree> {
    let keeps_digits = |number: Number| number.to_string() == "1.10";
    if !serde_json::from_str("1.10").is_ok_and(keeps_digits) {
        return None;
    }
    match (digits.parse::<i64>(), digits.parse::<u64>()) {
        (Ok(number), _) => Some(Tree::Integer(number.into())),
        (_, Ok(number)) => Some(Tree::Integer(number.into())),
        _ => digits.parse().ok().map(Tree::Float),
    }
}

/// The text, or why there is none: goes on from "the value".
pub(super) fn write(tree: &Tree) -> Result<Vec<u8>, serde_json::Error> {
    match tree {
        Tree::Integer(value) => Ok(value.to_string().into_bytes()),
        Tree::Unsigned(value) => Ok(value.to_string().into_bytes()),
        _ => serde_json::to_vec(&Written(tree)),
    }
}

/// Refuses what serde_json would write as something else: floats that are not finite as null, bytes
/// as a list, keys of other types as strings.
struct Written<'a>(&'a Tree);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let refused = |reason| Err(S::Error::custom(reason));
        match self.0 {
            Tree::Null => serializer.serialize_unit(),
            Tree::Bool(value) => serializer.serialize_bool(*value),
            Tree::Integer(value) if WORDS.contains(value) => serializer.serialize_i128(*value),
            Tree::Integer(_) | Tree::Unsigned(_) => refused(
                "has an integer of more than 64 bits in it, which is read from JSON as a float",
            ),
            Tree::Float(value) if value.is_finite() => serializer.serialize_f64(*value),
            Tree::Float(_) => refused(
                "has a float in it that is infinite or not a number, which JSON cannot hold",
            ),
            Tree::String(value) => serializer.serialize_str(value),
            Tree::Bytes(_) => refused("has bytes in it, which JSON cannot hold: store a string"),
            Tree::List(items) | Tree::Tuple(items) => {
                serializer.collect_seq(items.iter().map(Written))
            }
            Tree::Map(entries)
                if entries
                    .iter()
                    .all(|(key, _)| matches!(key, Tree::String(_))) =>
            {
                let entries = entries.iter();
                serializer.collect_map(entries.map(|(key, value)| (Written(key), Written(value))))
            }
            Tree::Map(_) => {
                refused("has a map in it whose keys are not strings, which JSON cannot hold")
            }
        }
    }
}
