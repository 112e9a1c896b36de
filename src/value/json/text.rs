//! JSON to values, and back.

use super::NoJson;
use crate::value::decimal::integer;
use crate::value::decoded::Decoded;
use crate::value::msgpack::{Document, Origin};
use crate::value::tree::Tree;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value as Json};
use std::collections::HashMap;
use std::fmt;

/// Integers beyond 64 bits are read where they are all there is; elsewhere they are floats, as in
/// JavaScript.
pub(in crate::value) fn read(text: &[u8]) -> Result<Decoded, NoJson> {
    if let Ok(wide @ (Decoded::I128(_) | Decoded::U128(_))) = integer(text) {
        return Ok(wide);
    }
    let Parsed(tree) = serde_json::from_slice(text).map_err(|_| NoJson::Malformed)?;
    let document = Document::of_untyped(&tree, Origin::Json).map_err(|_| NoJson::Malformed)?;
    Ok(Decoded::Object(document))
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

    fn visit_string<E>(self, value: String) -> Result<Tree, E> {
        Ok(Tree::String(value))
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

/// Not through serde, which makes null of a float that is not finite, and lists of bytes.
pub(in crate::value) fn write(tree: &Tree) -> Result<Vec<u8>, NoJson> {
    let mut text = String::new();
    match tree {
        Tree::Integer(value) => text = value.to_string(),
        Tree::Unsigned(value) => text = value.to_string(),
        _ => value(&mut text, tree)?,
    }
    Ok(text.into_bytes())
}

fn value(text: &mut String, tree: &Tree) -> Result<(), NoJson> {
    match tree {
        Tree::Null => text.push_str("null"),
        Tree::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Tree::Integer(value) if i64::try_from(*value).is_ok() || u64::try_from(*value).is_ok() => {
            text.push_str(&value.to_string());
        }
        Tree::Integer(_) | Tree::Unsigned(_) => return Err(NoJson::Wide),
        // With a fraction or an exponent, so that it is a float again when it is read.
        Tree::Float(value) if value.is_finite() => text.extend([format!("{value:?}")]),
        Tree::Float(_) => return Err(NoJson::NotFinite),
        Tree::String(value) => string(text, value),
        Tree::Bytes(_) => return Err(NoJson::Bytes),
        Tree::List(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                separate(text, at);
                value(text, item)?;
            }
            text.push(']');
        }
        Tree::Map(entries) => {
            text.push('{');
            for (at, (key, item)) in entries.iter().enumerate() {
                separate(text, at);
                let Tree::String(key) = key else {
                    return Err(NoJson::Keys);
                };
                string(text, key);
                text.push(':');
                value(text, item)?;
            }
            text.push('}');
        }
    }
    Ok(())
}

fn separate(text: &mut String, at: usize) {
    if at > 0 {
        text.push(',');
    }
}

fn string(text: &mut String, value: &str) {
    text.push_str(&Json::from(value).to_string());
}
