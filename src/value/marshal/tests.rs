//! What Ruby 3.1 wrote, what it would not, and bytes that lie.

use super::read::{Refused, read};
use crate::item::Item;
use crate::value::transcoder::{Decoded, Object};
use crate::value::tree::MAX_DEPTH;
use crate::value::{Compression, Format, decode, decode_bytes};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;

const LIMIT: usize = 1 << 16;

fn read_as<T: DeserializeOwned>(data: &[u8]) -> Result<T, String> {
    match read(data, LIMIT) {
        Ok(Decoded::Tree(tree)) => T::deserialize(tree.reader()).map_err(|fault| fault.to_string()),
        Ok(_) => Err("bytes".to_owned()),
        Err(refused) => Err(refused.to_string()),
    }
}

fn refusal(data: &[u8]) -> Refused {
    match read(data, LIMIT) {
        Ok(_) => panic!("read: {data:?}"),
        Err(refused) => refused,
    }
}

/// `Marshal.dump` of integers at every edge of the format.
#[test]
fn integers() {
    let rows: [(i128, &[u8]); 23] = [
        (0, b"i\x00"),
        (1, b"i\x06"),
        (122, b"i\x7f"),
        (123, b"i\x01\x7b"),
        (255, b"i\x01\xff"),
        (256, b"i\x02\x00\x01"),
        (65_535, b"i\x02\xff\xff"),
        (65_536, b"i\x03\x00\x00\x01"),
        (0x00ff_ffff, b"i\x03\xff\xff\xff"),
        (0x0100_0000, b"i\x04\x00\x00\x00\x01"),
        (-1, b"i\xfa"),
        (-123, b"i\x80"),
        (-124, b"i\xff\x84"),
        (-256, b"i\xff\x00"),
        (-257, b"i\xfe\xff\xfe"),
        (-65_536, b"i\xfe\x00\x00"),
        (-65_537, b"i\xfd\xff\xff\xfe"),
        ((1 << 30) - 1, b"i\x04\xff\xff\xff\x3f"),
        (1 << 30, b"l+\x07\x00\x00\x00\x40"),
        (-(1 << 30), b"i\xfc\x00\x00\x00\xc0"),
        (-(1 << 30) - 1, b"l-\x07\x01\x00\x00\x40"),
        (1 << 64, b"l+\x0a\0\0\0\0\0\0\0\0\x01\x00"),
        (i128::MIN, b"l-\x0d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80"),
    ];
    for (number, body) in rows {
        let data = [b"\x04\x08", body].concat();
        assert_eq!(
            number.to_tree().unwrap().to_marshal().unwrap(),
            data,
            "{number}"
        );
        assert_eq!(read_as(&data), Ok(number));
    }
    let largest = [b"\x04\x08l+\x0d", [0xff; 16].as_slice()].concat();
    assert_eq!(u128::MAX.to_tree().unwrap().to_marshal().unwrap(), largest);
    assert_eq!(read_as(&largest), Ok(u128::MAX));
    let wider = [b"\x04\x08l+\x0e", [1; 18].as_slice()].concat();
    assert_eq!(refusal(&wider), Refused::Wide);
}

type Strings = (
    String,
    serde_bytes::ByteBuf,
    serde_bytes::ByteBuf,
    char,
    serde_bytes::ByteBuf,
    String,
    String,
    char,
);

#[test]
fn strings() {
    // ["a", "b".encode("Shift_JIS"), "c".encode("Shift_JIS"), "d".encode("US-ASCII"), "e".b, :f,
    //  :"\u00e9", :f]
    let data = b"\x04\x08[\x0dI\"\x06a\x06:\x06ETI\"\x06b\x06:\x0dencoding\"\x0eShift_JIS\
                 I\"\x06c\x06;\x06@\x08I\"\x06d\x06;\x00F\"\x06e:\x06fI:\x07\xc3\xa9\x06;\x00T;\x07";
    let bytes = |byte: u8| serde_bytes::ByteBuf::from([byte]);
    let expected: Strings = (
        "a".to_owned(),
        bytes(b'b'),
        bytes(b'c'),
        'd',
        bytes(b'e'),
        "f".to_owned(),
        "é".to_owned(),
        'f',
    );
    assert_eq!(read_as(data), Ok(expected));
    assert!(matches!(read(b"\x04\x08\"\x06\xff", 0), Ok(Decoded::Bytes(bytes)) if bytes == [0xff]));
}

#[derive(serde::Serialize, Deserialize, PartialEq, Debug)]
struct User {
    name: String,
    scores: Vec<Option<f64>>,
    kind: Kind,
}

#[derive(serde::Serialize, Deserialize, PartialEq, Debug)]
enum Kind {
    Admin,
    Guest { since: u16 },
    Pair(bool, char),
}

/// Checked with `Marshal.load` too.
#[test]
fn objects() {
    let kinds = [
        Kind::Admin,
        Kind::Guest { since: 2012 },
        Kind::Pair(true, '日'),
    ];
    for kind in kinds {
        let user = User {
            name: "Ada".to_owned(),
            scores: vec![Some(0.5), None, Some(-1e300)],
            kind,
        };
        let data = user.to_tree().unwrap().to_marshal().unwrap();
        assert_eq!(read_as(&data), Ok(user));
    }
    let map = BTreeMap::from([(1, "one".to_owned())]);
    let data = b"\x04\x08{\x06i\x06I\"\x08one\x06:\x06ET";
    assert_eq!(map.to_tree().unwrap().to_marshal().unwrap(), data);
    assert_eq!(read_as(data), Ok(map));
    let long: Vec<u32> = (0..1000).collect();
    assert_eq!(
        read_as(&long.to_tree().unwrap().to_marshal().unwrap()),
        Ok(long)
    );
}

type Linked = (Vec<f32>, Vec<f64>, f64, f32, BTreeMap<String, Vec<f64>>);

/// `x = [1.5]; [x, x, 1.5, 1.5, {a: x}]`: what is there twice is a link to the first.
#[test]
fn links() {
    let data = b"\x04\x08[\x0a[\x06f\x081.5@\x06@\x07@\x07{\x06:\x06a@\x06";
    let a = BTreeMap::from([("a".to_owned(), vec![1.5])]);
    let expected: Linked = (vec![1.5], vec![1.5], 1.5, 1.5, a);
    assert_eq!(read_as(data), Ok(expected));

    // a = []; a << a
    assert_eq!(refusal(b"\x04\x08[\x06@\x00"), Refused::HoldsItself);
    for (what, data) in [
        ("an object", &b"\x04\x08[\x06@\x07"[..]),
        ("a symbol", b"\x04\x08;\x00"),
        ("a negative object", b"\x04\x08[\x06@\xfa"),
    ] {
        assert_eq!(
            refusal(data),
            Refused::Malformed,
            "{what} that is not there"
        );
    }
}

/// Lists of ten links each to the one before: 10^30 elements in 400 bytes.
#[test]
fn a_bomb_of_links() {
    let mut data = b"\x04\x08[\x24[\x06i\x06".to_vec();
    for level in 1..31_u8 {
        data.extend(b"[\x0f");
        data.extend([b'@', level + 5].repeat(10));
    }
    assert_eq!(refusal(&data), Refused::TooLarge(LIMIT));
}

#[test]
fn default_values_are_no_data() {
    // Hash.new(7).update(1 => 2)
    let map = BTreeMap::from([(1, 2)]);
    assert_eq!(read_as(b"\x04\x08}\x06i\x06i\x07i\x0c"), Ok(map));

    // d = "abc"; [Hash.new(d), d, "xyz"]: a link to what is left out, and more after it.
    let what = "a link into the default value of a Hash";
    let linked = b"\x04\x08[\x08}\x00\"\x08abc@\x07\"\x08xyz";
    assert_eq!(refusal(linked), Refused::Object(what.to_owned()));

    // Hash.new(Hash.new(Hash.new(..))): what is left out nests as well.
    let nested = |levels| [b"\x04\x08", &b"}\x00".repeat(levels)[..], b"0"].concat();
    assert_eq!(
        read_as::<BTreeMap<u8, u8>>(&nested(MAX_DEPTH)),
        Ok(BTreeMap::new())
    );
    for levels in [MAX_DEPTH + 1, 1 << 20] {
        assert_eq!(refusal(&nested(levels)), Refused::TooDeep);
    }
}

/// "\xe9".dup.force_encoding('ISO-8859-1')
#[test]
fn strings_in_other_encodings_are_bytes() {
    let data = b"\x04\x08I\"\x06\xe9\x06:\rencoding\"\x0fISO-8859-1";
    let dalli = Format::Dalli.transcoder(Compression::off(), LIMIT).unwrap();
    let bytes = decode_bytes(&*dalli, Item::new(1, data));
    assert_eq!(bytes.unwrap(), b"\xe9");
}

#[test]
fn objects_are_refused_by_name() {
    let rows: [(&[u8], &str); 10] = [
        (b"o:\x09User\x06:\x0a@name0", "a Ruby object of class User"),
        (b"Iu:\x09Time\x0d", "a Ruby object of class Time"),
        (
            b"U:\x0dRational[\x07i\x06i\x07",
            "a Ruby object of class Rational",
        ),
        (
            b"S:\x0aPoint\x06:\x06xi\x06",
            "a Ruby Struct of class Point",
        ),
        (b"C:\x0bMyHash{\x00", "a Ruby object of class MyHash"),
        (
            b"e:\x0fComparableo:\x0bObject\x00",
            "a Ruby object extended by Comparable",
        ),
        (b"c\x0bString", "a Ruby class"),
        (b"m\x0fComparable", "a Ruby module"),
        (b"I/\x06a\x00\x06:\x06EF", "a regular expression"),
        (
            b"I\"\x06a\x07:\x06ET:\x08@xyi\x06",
            "a String with instance variables",
        ),
    ];
    for (body, what) in rows {
        for nested in [&b""[..], b"[\x06"] {
            let data = [b"\x04\x08", nested, body].concat();
            assert_eq!(refusal(&data), Refused::Object(what.to_owned()));
        }
    }
    let expected = "with a Ruby object of class A::B in it: not plain data; not executed";
    assert_eq!(refusal(b"\x04\x08o:\x0bA::\nB\0").to_string(), expected);
}

/// Ruby keeps any bytes in a String that says it is UTF-8, and in a Symbol; dalli gives them as they are.
#[test]
fn strings_that_are_not_what_they_say() {
    let rows: [&[u8]; 3] = [
        b"\x04\x08I\"\x07a\xe9\x06:\x06ET",
        b"\x04\x08I\"\x07a\xe9\x06:\x06EF",
        b"\x04\x08:\x07a\xe9",
    ];
    for data in rows {
        assert_eq!(read_as::<Vec<u8>>(data).unwrap(), b"a\xe9");
        assert_eq!(read_as::<ByteBuf>(data).unwrap(), b"a\xe9");
        assert!(read_as::<String>(data).is_err());
        let dalli = Format::Dalli.transcoder(Compression::off(), LIMIT).unwrap();
        let item = Item::new(1, data);
        assert_eq!(decode_bytes(&*dalli, item).unwrap(), b"a\xe9");
    }
    // Inside of a list, and linked to.
    let list = b"\x04\x08[\x07I\"\x07a\xe9\x06:\x06ET@\x06";
    assert_eq!(read_as::<Vec<ByteBuf>>(list).unwrap(), [b"a\xe9"; 2]);
    // With string_fastpath: flags 4.
    let setting = Format::DalliStringFastpath;
    let dalli = setting.transcoder(Compression::off(), LIMIT).unwrap();
    let item = Item::new(4, b"a\xe9");
    assert_eq!(decode::<Vec<u8>>(&*dalli, item.clone()).unwrap(), b"a\xe9");
    assert!(decode::<String>(&*dalli, item).is_err());
}

#[test]
fn bodies_that_lie() {
    let deep = |levels: usize| [&b"\x04\x08"[..], &b"[\x06".repeat(levels), b"0"].concat();
    let rows: [(&str, Vec<u8>, Refused); 13] = [
        ("nothing", b"".to_vec(), Refused::Truncated),
        ("only a version", b"\x04\x08".to_vec(), Refused::Truncated),
        (
            "another version",
            b"\x04\x09i\x00".to_vec(),
            Refused::Version,
        ),
        ("text", b"hello".to_vec(), Refused::Version),
        ("two values", b"\x04\x0800".to_vec(), Refused::Trailing),
        (
            "after bytes",
            b"\x04\x08\"\x06a0".to_vec(),
            Refused::Trailing,
        ),
        ("no tag", b"\x04\x08?".to_vec(), Refused::Malformed),
        (
            "a negative length",
            b"\x04\x08[\xfa".to_vec(),
            Refused::Malformed,
        ),
        (
            "2 GB of elements",
            b"\x04\x08[\x04\xff\xff\xff\x7f0".to_vec(),
            Refused::Truncated,
        ),
        (
            "2 GB of text",
            b"\x04\x08I\"\x04\xff\xff\xff\x7fa".to_vec(),
            Refused::Truncated,
        ),
        (
            "2 GB of digits",
            b"\x04\x08l+\x04\xff\xff\xff\x7f0".to_vec(),
            Refused::Truncated,
        ),
        ("a float", b"\x04\x08f\x08one".to_vec(), Refused::Malformed),
        ("too deep", deep(MAX_DEPTH + 1), Refused::TooDeep),
    ];
    for (name, data, expected) in rows {
        assert_eq!(refusal(&data), expected, "{name}");
    }
    assert!(read(&deep(MAX_DEPTH), LIMIT).is_ok());
    assert_eq!(refusal(&deep(1 << 20)), Refused::TooDeep);
    let whole = [1.5, 2.5].to_tree().unwrap().to_marshal().unwrap();
    for cut in 0..whole.len() {
        assert_eq!(refusal(&whole[..cut]), Refused::Truncated, "{cut}");
    }
}
