//! What is read from the formats that decode to a tree.

use super::*;
use crate::item::Bytes;
use crate::value::fault::Fault;
use serde::Deserialize;
use serde_bytes::ByteBuf;

/// All formats that are compiled in, without compression.
fn formats() -> Vec<(Format, Box<dyn Transcoder>)> {
    let formats = Format::all().filter_map(|format| {
        let transcoder = format.transcoder(Compression::off(), 1 << 20).ok()?;
        Some((format, transcoder))
    });
    formats.collect()
}

/// serde does not say of what an empty sequence is one.
#[test]
fn no_bytes() {
    let mut count = 0;
    for (format, transcoder) in formats() {
        let Ok(item) = encode_item(&*transcoder, &Vec::<u8>::new()) else {
            continue;
        };
        count += 1;
        let bytes = decode_bytes(&*transcoder, item.clone());
        assert_eq!(bytes.unwrap(), b"", "{format}");
        let Bytes(bytes) = decode(&*transcoder, item.clone()).unwrap();
        assert_eq!(bytes, b"", "{format}");
        let bytes: Vec<u8> = decode(&*transcoder, item.clone()).unwrap();
        assert_eq!(bytes, b"", "{format}");
        let bytes: ByteBuf = decode(&*transcoder, item).unwrap();
        assert_eq!(bytes, b"", "{format}");
        // Of something, they are no bytes.
        let item = encode_item(&*transcoder, &[1_u16]).unwrap();
        assert!(decode_bytes(&*transcoder, item).is_err(), "{format}");
    }
    assert!(count >= 6, "only {count} formats hold an empty list");
}

fn read_tree<T: DeserializeOwned>(tree: Tree) -> Result<T, Fault> {
    T::deserialize(tree.reader())
}

fn refusal<T: DeserializeOwned>(tree: Tree) -> String {
    match read_tree::<T>(tree) {
        Ok(_) => "nothing".to_owned(),
        Err(fault) => fault.to_string(),
    }
}

#[test]
#[expect(clippy::float_cmp, reason = "they are the same")]
fn integers_are_floats_where_these_are_the_same_number() {
    const EXACT: [i128; 6] = [0, -7, 1 << 53, -(1 << 53), 1 << 63, (1 << 54) + 4];
    for value in EXACT {
        #[expect(clippy::cast_precision_loss, reason = "it is exact")]
        let float = value as f64;
        assert_eq!(read_tree::<f64>(Tree::Integer(value)).unwrap(), float);
    }
    for value in [
        (1 << 53) + 1,
        -(1 << 53) - 1,
        i64::MAX.into(),
        u64::MAX.into(),
    ] {
        let refusal = refusal::<f64>(Tree::Integer(value));
        assert_eq!(refusal, ": the stored number does not fit f64", "{value}");
    }
    assert_eq!(
        read_tree::<f32>(Tree::Integer(1 << 24)).unwrap(),
        16_777_216.0
    );
    let inexact = refusal::<f32>(Tree::Integer((1 << 24) + 1));
    assert_eq!(inexact, ": the stored number does not fit f32");
    // In JavaScript, 2 ** 60 and 2 ** 64 are these digits.
    for (digits, float) in [
        (1_152_921_504_606_847_000, 2_f64.powi(60)),
        (-1_152_921_504_606_847_000, -2_f64.powi(60)),
        (18_446_744_073_709_550_000, 18_446_744_073_709_550_000.0),
    ] {
        assert_eq!(read_tree::<f64>(Tree::Integer(digits)).unwrap(), float);
    }
    for (format, transcoder) in formats() {
        let Ok(item) = encode_item(&*transcoder, &[(1_i64 << 53) + 1]) else {
            continue;
        };
        assert!(decode::<Vec<f64>>(&*transcoder, item).is_err(), "{format}");
    }
}

#[derive(Deserialize, PartialEq, Debug)]
enum Shape {
    Point {
        #[serde(default)]
        x: u8,
        #[serde(default)]
        y: u8,
    },
    Pair(u8, u8),
    Empty {},
}

/// As a struct of its own is read.
#[test]
fn variants() {
    let variant = |name: &str, content| Tree::Map(vec![(Tree::String(name.to_owned()), content)]);
    let list = || Tree::List(vec![Tree::Integer(1), Tree::Integer(2)]);
    let shape = read_tree::<Shape>(variant("Point", list())).unwrap();
    assert_eq!(shape, Shape::Point { x: 1, y: 2 });
    let shape = read_tree::<Shape>(variant("Pair", list())).unwrap();
    assert_eq!(shape, Shape::Pair(1, 2));
    let shape = read_tree::<Shape>(variant("Empty", Tree::List(Vec::new()))).unwrap();
    assert_eq!(shape, Shape::Empty {});
    let named = vec![(Tree::String("y".to_owned()), Tree::Integer(2))];
    let shape = read_tree::<Shape>(variant("Point", Tree::Map(named))).unwrap();
    assert_eq!(shape, Shape::Point { x: 0, y: 2 });
    let refusal = refusal::<Shape>(variant("Point", Tree::Integer(1)));
    assert_eq!(
        refusal,
        ": an integer where struct variant Shape::Point was expected"
    );
}

/// An extension value of MessagePack, as rmp-serde has it.
#[derive(Deserialize, PartialEq, Debug)]
#[serde(rename = "_ExtStruct")]
struct Ext((i8, ByteBuf));

#[derive(Deserialize, PartialEq, Debug)]
struct Unit;

#[test]
fn structs_without_fields_and_extensions() {
    for empty in [Tree::List(Vec::new()), Tree::Tuple(Vec::new()), Tree::Null] {
        assert_eq!(read_tree::<Unit>(empty).unwrap(), Unit);
    }
    assert!(read_tree::<Unit>(Tree::List(vec![Tree::Null])).is_err());

    let pair = Tree::List(vec![Tree::Integer(1), Tree::Bytes(vec![2])]);
    assert_eq!(
        read_tree::<(i8, ByteBuf)>(pair.clone()).unwrap(),
        (1, ByteBuf::from([2]))
    );
    let refusal = refusal::<Ext>(pair);
    assert_eq!(refusal, ": a sequence where tuple struct Ext was expected");
}

/// What is stored as it is reads as it is, whatever the format makes of it.
#[test]
fn an_item_that_may_be_there() {
    let item = Item::new(0xdead_beef, [0xff; 5]);
    for (format, transcoder) in formats() {
        let stored = encode_item(&*transcoder, &Some(&item)).unwrap();
        assert_eq!(stored, item, "{format}");
        let read = decode::<Option<Item>>(&*transcoder, stored).unwrap();
        assert_eq!(read.as_ref(), Some(&item), "{format}");
        let nested = decode::<Option<Option<Item>>>(&*transcoder, item.clone()).unwrap();
        assert_eq!(nested, Some(Some(item.clone())), "{format}");
        let Ok(none) = encode_item(&*transcoder, &None::<String>) else {
            continue;
        };
        let read = decode::<Option<String>>(&*transcoder, none.clone());
        if format != Format::Pymemcache {
            assert_eq!(read.unwrap(), None, "{format}");
            let nested = decode::<Option<Option<u8>>>(&*transcoder, none).unwrap();
            assert_eq!(nested, None, "{format}");
        }
    }
}
