//! What is stored is not what is asked for: the exact words.

use super::*;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_bytes::ByteBuf;
use serde_json::json;
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize, Debug)]
struct User {
    name: String,
    age: u8,
}

#[derive(Serialize, Deserialize, Debug)]
enum Shape {
    Point,
    Circle(f64),
}

type Asked = fn(Item) -> String;

fn asked<T: DeserializeOwned>(item: Item) -> String {
    complaint(decode::<T>(&Enyim::default(), item))
}

fn asked_bytes(item: Item) -> String {
    complaint(decode_bytes(&Enyim::default(), item))
}

/// Asks the same item for several types. All complaints begin alike.
fn check<const N: usize>(item: &Item, is: &str, rows: [(Asked, &str); N]) {
    for (asked, expected) in rows {
        assert_eq!(asked(item.clone()), format!("the item is {is}{expected}"));
    }
}

fn check_value<V: Serialize + ?Sized, const N: usize>(
    value: &V,
    is: &str,
    rows: [(Asked, &str); N],
) {
    check(&stored(value).unwrap(), is, rows);
}

#[test]
fn types() {
    check_value(
        &5_i32,
        "an i32 (.NET Int32, flags 265)",
        [
            (asked::<String>, ", not a string"),
            (asked::<Option<String>>, ", not a string"),
            (asked::<f64>, ", not f64"),
            (asked::<bool>, ", not a boolean"),
            (asked::<char>, ", not a character"),
            (asked::<()>, ", not unit"),
            (asked::<Vec<u8>>, ", not a sequence"),
            (asked::<(u8, u8)>, ", not a tuple of size 2"),
            (asked::<BTreeMap<u8, u8>>, ", not a map"),
            (asked::<User>, ", not struct User"),
            (asked::<Shape>, ", not enum Shape"),
            (asked::<DateTime>, ", not a DateTime"),
            (asked_bytes, ", not bytes"),
        ],
    );
    check_value(
        "five",
        "a string (.NET String, flags 274)",
        [
            (asked::<u8>, ", not u8"),
            (asked::<Vec<u8>>, ", not a sequence"),
            (asked::<ByteBuf>, ", not byte array"),
            (asked::<char>, ", not a character"),
            (asked::<Shape>, ", not enum Shape"),
        ],
    );
    check_value(
        b"x",
        "bytes (.NET byte[], flags 64082)",
        [
            (asked::<String>, ", not a string"),
            (asked::<u8>, ", not u8"),
            (asked::<BTreeMap<u8, u8>>, ", not a map"),
            (
                asked::<Vec<u16>>,
                ": a byte of raw data where u16 was expected",
            ),
            (
                asked::<Vec<f64>>,
                ": a byte of raw data where f64 was expected",
            ),
            (
                asked::<(bool,)>,
                ": a byte of raw data where a boolean was expected",
            ),
        ],
    );
    check_value(
        &1.5_f64,
        "an f64 (.NET Double, flags 270)",
        [(asked::<f32>, ", not f32"), (asked::<u8>, ", not u8")],
    );
    check_value(
        &DateTime(5),
        "a DateTime (.NET DateTime, flags 272)",
        [
            (asked::<i64>, ", not i64"),
            (asked::<String>, ", not a string"),
        ],
    );
    check_value(
        &(),
        "None (.NET null, flags 258)",
        [
            (asked::<String>, ", not a string"),
            (asked::<u64>, ", not u64"),
        ],
    );
    check_value(
        &true,
        "a bool (.NET Boolean, flags 259)",
        [(asked::<u8>, ", not u8")],
    );
    check_value(
        &'x',
        "a char (.NET Char, flags 260)",
        [(asked::<String>, ", not a string")],
    );
    check(
        &Item::new(0, ""),
        "text (flags 0)",
        [
            (asked::<f64>, ", not f64"),
            (asked::<()>, ", not unit"),
            (asked::<ByteBuf>, ", not byte array"),
        ],
    );
}

#[test]
fn numbers() {
    let int32 = "an i32 (.NET Int32, flags 265): the stored number does not fit";
    check_value(
        &256_i32,
        int32,
        [(asked::<u8>, " u8"), (asked::<i8>, " i8")],
    );
    check_value(
        &-1_i32,
        int32,
        [(asked::<u64>, " u64"), (asked::<u128>, " u128")],
    );
    let uint64 = "a u64 (.NET UInt64, flags 268): the stored number does not fit";
    check_value(&u64::MAX, uint64, [(asked::<i64>, " i64")]);
    let raw = "bytes (.NET byte[], flags 64082): the stored number does not fit";
    check_value(&[1_u8, 200], raw, [(asked::<Vec<i8>>, " i8")]);

    let does_not_fit = "text (flags 0): the stored number does not fit";
    check(&Item::new(0, "300"), does_not_fit, [(asked::<u8>, " u8")]);
    check(&Item::new(0, "-1"), does_not_fit, [(asked::<u64>, " u64")]);
    for text in ["x", "", " ", "-", " 5", "+5", "5\r\n", "5.0", "0x5", "٥"] {
        let no_number = "text (flags 0): not a decimal number, which u64 has to be";
        check(&Item::new(0, text), no_number, [(asked::<u64>, "")]);
    }
}

#[test]
fn lengths() {
    check_value(
        b"abc",
        "bytes (.NET byte[], flags 64082): invalid length 3",
        [
            (asked::<[u8; 4]>, ", expected an array of length 4"),
            (asked::<(u8, u8)>, ", expected 2 elements in sequence"),
        ],
    );
    check_value(
        &[1, 2, 3],
        "a MessagePack object (flags 19776): invalid length",
        [
            (asked::<(u32, u32)>, " 3, expected 2 elements"),
            (asked::<[u32; 4]>, " 3, expected an array of length 4"),
        ],
    );
}

/// The stored words, numbers and names stay out of all of them.
#[test]
fn objects() {
    let is = "a MessagePack object (flags 19776)";
    check_value(
        &json!({"name": "secret", "age": 300}),
        is,
        [
            (asked::<User>, ": the stored number does not fit u8"),
            (asked::<Shape>, ": a map where enum Shape was expected"),
            (
                asked::<BTreeMap<String, String>>,
                ": an integer where a string was expected",
            ),
            (asked::<u8>, ": a map where u8 was expected"),
            (asked_bytes, ", not bytes"),
        ],
    );
    check_value(
        &json!({"name": "secret", "age": "secret"}),
        is,
        [(asked::<User>, ": a string where u8 was expected")],
    );
    check_value(
        &json!({"secret": 1}),
        is,
        [
            (asked::<User>, ": missing field `name`"),
            (asked::<Shape>, ": a variant that is none of: Point, Circle"),
        ],
    );
    check_value(
        &Shape::Point,
        is,
        [(asked::<User>, ": a string where struct User was expected")],
    );
    check_value(
        &Shape::Circle(1.5),
        is,
        [(
            asked::<BTreeMap<String, f32>>,
            ": a float where f32 was expected",
        )],
    );
    check_value(
        &["secret"],
        is,
        [
            (asked::<Vec<f64>>, ": a string where f64 was expected"),
            (
                asked::<Vec<ByteBuf>>,
                ": a string where byte array was expected",
            ),
            (asked::<Vec<char>>, ": a string that is not a character"),
        ],
    );
    check_value(
        &[1, 2],
        is,
        [(asked::<Vec<f64>>, ": an integer where f64 was expected")],
    );
    check_value(
        &[ByteBuf::from("secret")],
        is,
        [(asked::<Vec<String>>, ": bytes where a string was expected")],
    );
}

#[test]
fn other_clients() {
    let rows = [
        (16, "a string of pylibmc, python-memcached or pymemcache"),
        (0x50, "compressed data of php-memcached"),
        (0x300, "a Long of spymemcached"),
        (u32::MAX, "stored by no client that moecache knows"),
    ];
    for (flags, whose) in rows {
        let item = Item::new(flags, "secret");
        let expected = format!("flags {flags}: {whose}");
        assert_eq!(asked::<IgnoredAny>(item.clone()), expected);
        assert_eq!(asked_bytes(item), expected);
    }
    // Of Python's moecache, which the default format reads.
    let item = Item::new(256, "secret");
    let expected = if cfg!(feature = "pickle") {
        "the item is a Python pickle (flags 256) whose opcodes do not fit together"
    } else {
        "the item is a Python pickle (flags 256) which needs the feature pickle of moecache"
    };
    assert_eq!(asked::<IgnoredAny>(item.clone()), expected);
    assert_eq!(asked_bytes(item), expected);
}
