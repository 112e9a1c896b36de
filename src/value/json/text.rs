//! JSON to values, and back.

use super::NoJson;
use crate::value::decimal::integer;
use crate::value::decoded::Decoded;
use crate::value::msgpack::{Document, Origin};
use crate::value::tree::Tree;
use serde_json::Value as Json;

/// Integers beyond 64 bits are read where they are all there is; elsewhere they are floats, as in
/// JavaScript.
pub(in crate::value) fn read(text: &[u8]) -> Result<Decoded, NoJson> {
    if let Ok(wide @ (Decoded::I128(_) | Decoded::U128(_))) = integer(text) {
        return Ok(wide);
    }
    let value = serde_json::from_slice(text).map_err(|_| NoJson::Malformed)?;
    let document =
        Document::of_untyped(&tree(value), Origin::Json).map_err(|_| NoJson::Malformed)?;
    Ok(Decoded::Object(document))
}

fn tree(value: Json) -> Tree {
    match value {
        Json::Null => Tree::Null,
        Json::Bool(value) => Tree::Bool(value),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(value), ..) => Tree::Integer(value.into()),
            (_, Some(value), _) => Tree::Integer(value.into()),
            (.., float) => Tree::Float(float.unwrap_or(f64::NAN)),
        },
        Json::String(text) => Tree::String(text),
        Json::Array(items) => Tree::List(items.into_iter().map(tree).collect()),
        Json::Object(entries) => {
            let entries = entries.into_iter();
            let entries = entries.map(|(key, value)| (Tree::String(key), tree(value)));
            Tree::Map(entries.collect())
        }
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
