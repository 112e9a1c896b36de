//! JSON to values, and back.

use super::NoJson;
use crate::value::decimal::integer;
use crate::value::msgpack::{Document, Origin};
use crate::value::transcoder::Decoded;
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

#[cfg(test)]
mod tests {
    use crate::item::Item;
    use crate::value::{Body, Compression, Format, Transcoder, decode, encode};

    fn json() -> Box<dyn Transcoder> {
        let json = Format::DalliJson.transcoder(Compression::off(), 1 << 20);
        json.unwrap()
    }

    /// serde_json reads some as their neighbours, unless its feature `float_roundtrip` is there.
    #[test]
    fn floats_read_back_to_the_last_bit() {
        let json = json();
        let mut state = 1_u64;
        for _ in 0..5000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let [.., a, b, c, d] = state.to_be_bytes();
            let floats = (
                f64::from_bits(state.rotate_left(20)),
                f32::from_be_bytes([d, c, b, a]),
            );
            if !floats.0.is_finite() || !floats.1.is_finite() {
                continue;
            }
            let item = |body: Body<'_>| Ok(Item::new(body.flags(), body.data()));
            let stored = encode(&*json, &floats, item).unwrap();
            let read: (f64, f32) = decode(&*json, stored).unwrap();
            assert_eq!(read.0.to_bits(), floats.0.to_bits());
            assert_eq!(read.1.to_bits(), floats.1.to_bits());
        }
    }

    #[test]
    fn whole_numbers_as_singles() {
        let read = |text: &str| decode::<f32>(&*json(), Item::new(1, text));
        assert_eq!(
            read("16777216").unwrap().to_bits(),
            16_777_216_f32.to_bits()
        );
        let error = read("16777217").unwrap_err().to_string();
        assert!(error.contains("does not fit f32"), "{error}");
    }
}
