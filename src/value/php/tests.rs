//! What PHP 8.2 wrote, what it would not, and bytes that lie.

use super::serialize::Refused;
use super::*;
use crate::value::transcoder::Object;
use crate::value::tree::MAX_DEPTH;
use crate::value::{decode, decode_bytes};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::collections::{BTreeMap, HashMap};

fn php() -> Php {
    Php::new(Arrays::Serialized, Compression::off(), 1 << 16).unwrap()
}

fn read_as<T: DeserializeOwned>(text: &str) -> Result<T, crate::Error> {
    decode(&php(), Item::new(SERIALIZED, text))
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct User {
    name: String,
    tags: Vec<String>,
    score: f32,
    blob: ByteBuf,
    extra: BTreeMap<String, Option<bool>>,
}

/// The text is PHP's own, of the same array.
#[test]
fn arrays() {
    let user = User {
        name: "Zoë".to_owned(),
        tags: vec!["a".to_owned(), "b".to_owned()],
        score: 0.5,
        blob: ByteBuf::from([0xff]),
        extra: BTreeMap::from([("x".to_owned(), None), ("y".to_owned(), Some(true))]),
    };
    let serialised = [
        b"a:5:{s:4:\"name\";s:4:\"Zo\xc3\xab\";s:4:\"tags\";a:2:{i:0;s:1:\"a\";i:1;s:1:\"b\";}\
          s:5:\"score\";d:0.5;s:4:\"blob\";s:1:\"",
        &b"\xff\";s:5:\"extra\";a:2:{s:1:\"x\";N;s:1:\"y\";b:1;}}"[..],
    ]
    .concat();
    assert_eq!(user.to_tree().unwrap().to_php().unwrap(), serialised);
    let read: User = decode(&php(), Item::new(SERIALIZED, serialised)).unwrap();
    assert_eq!(read, user);
}

#[derive(Deserialize, PartialEq, Debug)]
struct Options {
    #[serde(default)]
    verbose: bool,
}

/// PHP has one array for lists and maps, and one string for text and bytes.
#[test]
fn one_type_for_two() {
    let empty = "a:0:{}";
    assert_eq!(read_as::<Vec<u8>>(empty).unwrap().len(), 0);
    assert_eq!(read_as::<HashMap<String, u8>>(empty).unwrap().len(), 0);
    let list = "a:2:{i:0;s:1:\"a\";i:1;s:1:\"b\";}";
    assert_eq!(read_as::<Vec<char>>(list).unwrap(), ['a', 'b']);
    let map = BTreeMap::from([(0, 'a'), (1, 'b')]);
    assert_eq!(read_as::<BTreeMap<u8, char>>(list).unwrap(), map);
    let bytes = [ByteBuf::from(*b"a"), ByteBuf::from(*b"b")];
    assert_eq!(read_as::<Vec<ByteBuf>>(list).unwrap(), bytes);
    let sparse = "a:2:{i:1;s:1:\"a\";i:0;s:1:\"b\";}";
    let map = BTreeMap::from([(0, 'b'), (1, 'a')]);
    assert_eq!(read_as::<BTreeMap<u8, char>>(sparse).unwrap(), map);
    assert!(read_as::<Vec<char>>(sparse).is_err());

    // Every key that is the digits of an integer is one.
    let mixed = "a:2:{i:10;s:1:\"x\";s:1:\"k\";s:1:\"y\";}";
    let map = BTreeMap::from([("10".to_owned(), 'x'), ("k".to_owned(), 'y')]);
    assert_eq!(read_as::<BTreeMap<String, char>>(mixed).unwrap(), map);
    assert!(read_as::<BTreeMap<u8, char>>(mixed).is_err());
    assert!(read_as::<Vec<String>>("a:1:{i:0;i:10;}").is_err());

    assert_eq!(
        read_as::<Options>(empty).unwrap(),
        Options { verbose: false }
    );

    let item = Item::new(SERIALIZED, "s:2:\"hi\";");
    assert_eq!(decode_bytes(&php(), item).unwrap(), b"hi");
}

#[test]
fn what_php_cannot_hold() {
    let too_wide = "the number does not fit PHP's integers, of 64 bits with a sign";
    let keys = "PHP's arrays have only integers and strings as keys";
    let rows = [
        ([u64::MAX].to_tree().unwrap().to_php(), too_wide),
        ([u128::MAX].to_tree().unwrap().to_php(), too_wide),
        (
            BTreeMap::from([(true, 1)]).to_tree().unwrap().to_php(),
            keys,
        ),
        (
            BTreeMap::from([((1, 2), 1)]).to_tree().unwrap().to_php(),
            keys,
        ),
    ];
    for (outcome, expected) in rows {
        assert_eq!(outcome.unwrap_err().to_string(), expected);
    }
}

#[test]
fn objects_are_refused_by_name() {
    let rows = [
        (
            "O:4:\"User\":1:{s:4:\"name\";N;}",
            "a PHP object of class User",
        ),
        (
            "C:11:\"ArrayObject\":0:{}",
            "a PHP object of class ArrayObject",
        ),
        ("O:7:\"App\\A\nB\":0:{}", "a PHP object of class App\\AB"),
        ("E:11:\"Suit:Hearts\";", "a case Suit:Hearts of a PHP enum"),
        ("a:2:{i:0;N;i:1;R:2;}", "a PHP reference"),
        ("a:1:{i:0;r:1;}", "a PHP reference"),
    ];
    for (text, what) in rows {
        assert_eq!(unserialize(text.as_bytes()), refused(what));
    }
    let error = read_as::<()>("O:4:\"User\":0:{}").unwrap_err().to_string();
    let expected = "the item is a serialised PHP value (flags 4) with a PHP object of class User in \
                    it: not plain data; not executed";
    assert_eq!(error, expected);
}

fn refused(what: &str) -> Result<Tree, Refused> {
    Err(Refused::Object(what.to_owned()))
}

#[test]
fn bodies_that_lie() {
    let deep = |levels: usize| [&"a:1:{i:0;".repeat(levels), "N;", &"}".repeat(levels)].concat();
    let rows: [(&str, &str, Refused); 15] = [
        ("nothing", "", Refused::Truncated),
        ("text", "hello", Refused::Malformed),
        ("two values", "N;N;", Refused::Trailing),
        ("no end", "i:5", Refused::Truncated),
        ("no number", "i:five;", Refused::Malformed),
        ("too large", "i:9223372036854775808;", Refused::Malformed),
        ("no bool", "b:2;", Refused::Malformed),
        ("a long string", "s:9999999999:\"a\";", Refused::Truncated),
        (
            "a longer string",
            "s:99999999999999999999:\"a\";",
            Refused::Malformed,
        ),
        ("a short string", "s:1:\"ab\";", Refused::Malformed),
        ("many elements", "a:4294967295:{i:0;N;", Refused::Truncated),
        ("a negative number of them", "a:-1:{}", Refused::Malformed),
        ("more elements", "a:0:{i:0;N;}", Refused::Malformed),
        ("a float as a key", "a:1:{d:0.5;N;}", Refused::Malformed),
        ("a key alone", "a:1:{i:0;}", Refused::Truncated),
    ];
    for (name, text, expected) in rows {
        assert_eq!(unserialize(text.as_bytes()), Err(expected), "{name}");
    }
    assert!(unserialize(deep(MAX_DEPTH).as_bytes()).is_ok());
    for levels in [MAX_DEPTH + 1, 1 << 20] {
        assert_eq!(unserialize(deep(levels).as_bytes()), Err(Refused::TooDeep));
    }
}

/// What PHP makes of text that is no number is 0; here it is an error.
#[test]
fn numbers() {
    let rows = [
        (LONG, "", "that is no decimal number"),
        (LONG, "hello", "that is no decimal number"),
        (DOUBLE, "", "that is no number"),
        (DOUBLE, "hello", "that is no number"),
        (BOOL, "yes", "that is neither 1 nor empty"),
    ];
    for (flags, text, how) in rows {
        let error = php().decode(Item::new(flags, text)).err().unwrap();
        assert!(error.to_string().ends_with(how), "{error}");
    }
    for text in [".1", "1e+100", "-Infinity", "NaN"] {
        let item = Item::new(DOUBLE, text);
        let value: f64 = decode(&php(), item.clone()).unwrap();
        let again = php().encode(Value::F64(value)).unwrap();
        assert_eq!(again.as_item().data, item.data);
    }
    let single: f32 = decode(&php(), Item::new(DOUBLE, "1.5")).unwrap();
    assert_eq!(single.to_bits(), 1.5_f32.to_bits());
}

/// What php-memcached 3.3 writes of it with `COMPRESSION_ZSTD`: the length, and one frame.
#[test]
#[cfg(feature = "zstd")]
fn zstandard() {
    let text = "text ".repeat(1000);
    let frame = b"\x28\xb5\x2f\xfd\x60\x88\x12\x6d\0\0\x28text \x01\0\x80\x83\xbe\x68\x01";
    let item = |length: u32, flags| {
        let data = [&length.to_le_bytes()[..], frame].concat();
        Item::new(flags, data)
    };
    assert_eq!(decode::<String>(&php(), item(5000, 0x90)).unwrap(), text);
    // The program's own flags are in the upper half.
    let item_of_program = item(5000, 0x0007_0090);
    assert_eq!(decode::<String>(&php(), item_of_program).unwrap(), text);
    let error = php().decode(item(4999, 0x90)).err().unwrap().to_string();
    assert!(
        error.ends_with("of another length than it claims"),
        "{error}"
    );
    let error = php().decode(item(5000, 0xb0)).err().unwrap().to_string();
    assert!(
        error.ends_with("no valid compression of php-memcached"),
        "{error}"
    );
}

#[derive(Deserialize, PartialEq, Debug)]
struct Numbered {
    #[serde(rename = "7")]
    seven: String,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Citizen {
    name: String,
    #[serde(default)]
    city: String,
}

/// PHP makes integers of keys that are digits, also where a struct or a map is read through serde's own
/// copy.
#[test]
fn keys_that_are_digits() {
    let array = r#"a:3:{i:7;s:1:"a";i:1;s:1:"b";s:1:"c";i:-2;}"#;
    let read: Numbered = read_as(array).unwrap();
    assert_eq!(read.seven, "a");
    let rest = serde_json::json!({"1": "b", "c": -2});
    assert_eq!(serde_json::to_value(&read.rest).unwrap(), rest);
    let whole = serde_json::json!({"7": "a", "1": "b", "c": -2});
    assert_eq!(read_as::<serde_json::Value>(array).unwrap(), whole);

    // Not a field by its place.
    let array = r#"a:2:{i:1;s:1:"b";s:4:"name";s:1:"a";}"#;
    let citizen: Citizen = read_as(array).unwrap();
    assert_eq!((&*citizen.name, &*citizen.city), ("a", ""));
}

#[test]
fn lengths_of_compressed_data() {
    let block = b"\x02abc\x20\x02";
    let item = |length: u32, flags| {
        let data = [&length.to_le_bytes()[..], block].concat();
        Item::new(COMPRESSED | flags, data)
    };
    assert_eq!(decode::<String>(&php(), item(6, FASTLZ)).unwrap(), "abcabc");
    let rows = [
        (item(5, FASTLZ), "of another length than it claims"),
        (item(7, FASTLZ), "of another length than it claims"),
        (
            item(u32::MAX, FASTLZ),
            "which max_decompressed_size does not allow",
        ),
        (item(6, 0), "that is no valid compression of php-memcached"),
        (
            item(6, FASTLZ | ZLIB),
            "that is no valid compression of php-memcached",
        ),
        (Item::new(COMPRESSED | FASTLZ, [0; 3]), "that is cut short"),
    ];
    for (item, how) in rows {
        let error = php().decode(item).err().unwrap().to_string();
        assert!(error.ends_with(how), "{error}");
    }
}
