//! Rust types, there and back.

use super::*;
use crate::item::{Bytes, ItemRef};
use serde::Deserialize;
use serde_bytes::ByteBuf;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

const NULL: u32 = 258;
const STRING: u32 = 274;
const RAW: u32 = 0xfa52;
const MSGPACK: u32 = 0x4d40;

/// Stored under these flags, and read back equal.
#[expect(
    clippy::needless_pass_by_value,
    reason = "rows read better without a &"
)]
fn round_trip<T>(name: &str, flags: u32, value: T)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let item = stored(&value).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(item.flags, flags, "{name}");
    let back: T = decode(&Enyim::default(), item).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(back, value, "{name}");
}

#[test]
fn primitives() {
    round_trip("bool", 259, true);
    round_trip("char", 260, 'é');
    round_trip("the last char of the BMP", 260, '\u{ffff}');
    round_trip("a char beyond the BMP", MSGPACK, '😀');
    round_trip("i8", 261, i8::MIN);
    round_trip("u8", 262, u8::MAX);
    round_trip("i16", 263, i16::MIN);
    round_trip("u16", 264, u16::MAX);
    round_trip("i32", 265, i32::MIN);
    round_trip("u32", 266, u32::MAX);
    round_trip("i64", 267, i64::MIN);
    round_trip("u64", 268, u64::MAX);
    round_trip("isize", 267, isize::MIN);
    round_trip("usize", 268, usize::MAX);
    round_trip("i128", MSGPACK, i128::MIN);
    round_trip("u128", MSGPACK, u128::MAX);
    round_trip("f32", 269, f32::MIN_POSITIVE);
    round_trip("f64", 270, f64::INFINITY);
    round_trip("DateTime", 272, DateTime(i64::MIN + 5));
    round_trip("unit", NULL, ());
}

#[test]
fn the_bits_of_a_nan() {
    let nan = f64::from_bits(0x7ff8_dead_beef_0001);
    let back: f64 = decode(&Enyim::default(), stored(&nan).unwrap()).unwrap();
    assert_eq!(back.to_bits(), nan.to_bits());
}

#[test]
fn strings() {
    round_trip("String", STRING, String::from("größer"));
    round_trip("an empty String", STRING, String::new());
    round_trip("Box<str>", STRING, Box::<str>::from("boxed"));
    round_trip("Cow", STRING, Cow::Borrowed("cow"));
    round_trip("a path", STRING, std::path::PathBuf::from("/tmp/x"));

    let text = "text";
    let item = stored(text).unwrap();
    assert_eq!(item, Item::new(STRING, "text"));
    assert_eq!(stored(&text).unwrap(), item, "&&str");
    assert_eq!(stored(&&text).unwrap(), item, "&&&str");
    assert_eq!(
        stored(&format_args!("te{}", "xt")).unwrap(),
        item,
        "Display"
    );
}

#[test]
fn bytes() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Byte(u8);

    round_trip("Vec<u8>", RAW, vec![0_u8, 13, 255]);
    round_trip("Box<[u8]>", RAW, Box::<[u8]>::from([1, 2]));
    round_trip("[u8; 3]", RAW, [1_u8, 2, 3]);
    round_trip("a pair of u8", RAW, (1_u8, 255_u8));
    round_trip("ByteBuf", RAW, ByteBuf::from([1, 2, 3]));
    round_trip("an empty ByteBuf", RAW, ByteBuf::new());
    round_trip("Ipv4Addr", RAW, Ipv4Addr::LOCALHOST);
    round_trip("Ipv6Addr", RAW, Ipv6Addr::LOCALHOST);

    round_trip("an empty Vec<u8>", MSGPACK, Vec::<u8>::new());
    round_trip("an empty array", MSGPACK, [0_u8; 0]);
    round_trip("options of u8", MSGPACK, vec![Some(1_u8), None]);
    round_trip("some options of u8", MSGPACK, vec![Some(1_u8)]);
    round_trip("newtypes of u8", MSGPACK, vec![Byte(1), Byte(2)]);
    round_trip("u16", MSGPACK, vec![1_u16, 2]);
    round_trip("u8 and more", MSGPACK, (1_u8, 2_u8, "three".to_owned()));
    round_trip("a Vec in a Vec", MSGPACK, vec![vec![1_u8]]);

    assert_eq!(stored(b"abc").unwrap(), Item::new(RAW, "abc"));
    assert_eq!(stored(&b"abc"[..]).unwrap(), Item::new(RAW, "abc"));
    assert_eq!(
        stored(&Vec::<u8>::new()).unwrap(),
        Item::new(MSGPACK, [0x90])
    );
    let empty = stored(&Vec::<u8>::new()).unwrap();
    assert_eq!(
        decode::<ByteBuf>(&Enyim::default(), empty.clone()).unwrap(),
        ByteBuf::new()
    );
    assert_eq!(
        decode_bytes(&Enyim::default(), empty).unwrap(),
        Vec::<u8>::new()
    );
}

#[test]
fn transparent() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Meters(f64);
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Unit;

    round_trip("newtype", 270, Meters(1.5));
    round_trip("newtype in a newtype", 270, Some(Some(Meters(1.5))));
    round_trip("Some", STRING, Some("x".to_owned()));
    round_trip("None", NULL, None::<String>);
    round_trip("None of a struct", NULL, None::<BTreeMap<u8, u8>>);
    round_trip("Some of a DateTime", 272, Some(DateTime(1)));
    round_trip("unit struct", NULL, Unit);
    round_trip("Box", 265, Box::new(7));
    round_trip("Some of a map", MSGPACK, Some(BTreeMap::from([(1, 2)])));

    let some_none = stored(&Some(None::<u8>)).unwrap();
    assert_eq!(
        decode::<Option<Option<u8>>>(&Enyim::default(), some_none).unwrap(),
        None
    );
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone, Default)]
struct User {
    name: String,
    age: u8,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    email: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    tags: Vec<String>,
    born: Option<i64>,
}

fn ada() -> User {
    User {
        name: "Ada".to_owned(),
        age: 36,
        tags: vec!["math".to_owned()],
        ..User::default()
    }
}

#[test]
fn structs() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Unit;
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Pair(u8, u8);
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Outer {
        at: DateTime,
        unit: Unit,
        nothing: (),
        pair: Pair,
        #[serde(with = "serde_bytes")]
        raw: Vec<u8>,
        wide: u128,
        address: IpAddr,
        single: f32,
        #[serde(flatten)]
        user: User,
        #[serde(flatten)]
        rest: BTreeMap<String, i64>,
    }

    round_trip("struct", MSGPACK, ada());
    round_trip("structs", MSGPACK, vec![ada(), User::default()]);
    round_trip("tuple struct", MSGPACK, Pair(1, 2));
    round_trip(
        "everything, flattened",
        MSGPACK,
        Outer {
            at: DateTime(5),
            unit: Unit,
            nothing: (),
            pair: Pair(1, 2),
            raw: vec![0, 255],
            wide: 1 << 100,
            address: Ipv4Addr::LOCALHOST.into(),
            single: 0.1,
            user: ada(),
            rest: BTreeMap::from([("x".to_owned(), -1)]),
        },
    );
    let item = stored(&User::default()).unwrap();
    assert_eq!(
        item.data, b"\x83\xa4name\xa0\xa3age\x00\xa4born\xc0",
        "named fields"
    );
}

#[test]
fn enums() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    enum External {
        Unit,
        Newtype(u32),
        Tuple(u8, String),
        Struct { user: User },
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(tag = "type")]
    enum Internal {
        Unit,
        Struct { user: User },
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(tag = "type", content = "content")]
    enum Adjacent {
        Unit,
        Newtype(i64),
        Tuple(u8, String),
        Struct { user: User },
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(untagged)]
    enum Untagged {
        Integer(i64),
        Float(f64),
        Text(String),
        Bytes(Vec<u8>),
        Time(DateTime),
        List(Vec<Untagged>),
        Struct { user: User },
        Null,
    }

    let user = ada;
    round_trip("external unit", MSGPACK, External::Unit);
    round_trip("external newtype", MSGPACK, External::Newtype(5));
    round_trip(
        "external tuple",
        MSGPACK,
        External::Tuple(1, "x".to_owned()),
    );
    round_trip(
        "external struct",
        MSGPACK,
        External::Struct { user: user() },
    );
    round_trip("internal unit", MSGPACK, Internal::Unit);
    round_trip(
        "internal struct",
        MSGPACK,
        Internal::Struct { user: user() },
    );
    round_trip("adjacent unit", MSGPACK, Adjacent::Unit);
    round_trip("adjacent newtype", MSGPACK, Adjacent::Newtype(-5));
    round_trip(
        "adjacent tuple",
        MSGPACK,
        Adjacent::Tuple(1, "x".to_owned()),
    );
    round_trip(
        "adjacent struct",
        MSGPACK,
        Adjacent::Struct { user: user() },
    );
    round_trip("enums", MSGPACK, vec![External::Unit, External::Newtype(1)]);
    // Untagged, they are what they hold.
    round_trip("untagged integer", 267, Untagged::Integer(-5));
    round_trip("untagged float", 270, Untagged::Float(0.5));
    round_trip("untagged text", STRING, Untagged::Text("x".to_owned()));
    round_trip("untagged bytes", RAW, Untagged::Bytes(b"text".to_vec()));
    round_trip("untagged time", 272, Untagged::Time(DateTime(7)));
    round_trip("untagged null", NULL, Untagged::Null);
    round_trip(
        "untagged struct",
        MSGPACK,
        Untagged::Struct { user: user() },
    );
    let list = vec![Untagged::Null, Untagged::List(vec![Untagged::Float(0.5)])];
    round_trip("untagged list", MSGPACK, Untagged::List(list));
}

#[test]
fn containers() {
    round_trip("map", MSGPACK, HashMap::from([("a".to_owned(), 1)]));
    round_trip(
        "keys that are numbers",
        MSGPACK,
        BTreeMap::from([(-1, 'a'), (300, 'b')]),
    );
    round_trip(
        "keys that are pairs",
        MSGPACK,
        BTreeMap::from([((1, 'x'), 2.5)]),
    );
    round_trip("an empty map", MSGPACK, BTreeMap::<String, u8>::new());
    round_trip("strings", MSGPACK, vec!["a".to_owned(), "ü".repeat(100)]);
    round_trip(
        "tuple",
        MSGPACK,
        (1_i32, "x".to_owned(), Some(0.5), None::<u8>),
    );
    round_trip("nested options", MSGPACK, vec![Some(Some(1_i32)), None]);
    round_trip("i128 inside", MSGPACK, vec![i128::MIN, 0, 5, i128::MAX]);
    round_trip("long", MSGPACK, (0..70_000_u32).collect::<Vec<_>>());
    round_trip("Result", MSGPACK, Err::<u8, _>("no".to_owned()));
    round_trip("Duration", MSGPACK, Duration::new(5, 6));
    let now = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 5);
    round_trip("SystemTime", MSGPACK, now);
    let json = serde_json::json!({"a": [1, -1, 0.5, null, true, "x"], "b": {}});
    round_trip("JSON", MSGPACK, json);
    round_trip("a JSON number", 268, serde_json::json!(5));
    round_trip("a JSON string", STRING, serde_json::json!("x"));
    round_trip("a JSON null", NULL, serde_json::Value::Null);
}

#[test]
fn integers_convert_when_they_fit() {
    let item = stored(&5_i32).unwrap();
    assert_eq!(decode::<u8>(&Enyim::default(), item.clone()).unwrap(), 5);
    assert_eq!(decode::<i128>(&Enyim::default(), item.clone()).unwrap(), 5);
    assert_eq!(decode::<u128>(&Enyim::default(), item.clone()).unwrap(), 5);
    assert_eq!(
        decode::<Option<usize>>(&Enyim::default(), item.clone()).unwrap(),
        Some(5)
    );
    assert_eq!(
        decode::<serde_json::Value>(&Enyim::default(), item).unwrap(),
        5
    );
    let halves: f64 = decode(&Enyim::default(), stored(&1.5_f32).unwrap()).unwrap();
    assert_eq!(halves.to_bits(), 1.5_f64.to_bits());
}

#[test]
fn text() {
    assert_eq!(read::<String>(0, "héllo").unwrap(), "héllo");
    assert_eq!(read::<String>(0, "12 ").unwrap(), "12 ", "untrimmed");
    assert_eq!(read::<String>(0, "").unwrap(), "");
    assert_eq!(read::<Option<String>>(0, "").unwrap(), None);
    assert_eq!(read::<Option<u64>>(0, "").unwrap(), None);
    assert_eq!(read::<u64>(0, "18446744073709551615").unwrap(), u64::MAX);
    assert_eq!(read::<u128>(0, u128::MAX.to_string()).unwrap(), u128::MAX);
    assert_eq!(read::<u8>(0, "9  ").unwrap(), 9, "after decr from 100");
    assert_eq!(read::<i16>(0, "-0007").unwrap(), -7);
    assert_eq!(read::<serde_json::Value>(0, "7").unwrap(), "7");
    assert_eq!(
        decode_bytes(&Enyim::default(), Item::new(0, [0xff])).unwrap(),
        [0xff]
    );
    assert_eq!(
        decode_bytes(&Enyim::default(), Item::new(STRING, "é")).unwrap(),
        "é".as_bytes()
    );
}

#[test]
fn nothing_is_copied() {
    let text = "a long text ".repeat(10);
    let body = Enyim::default().encode(Value::Bytes(text.as_bytes()));
    let body = body.unwrap();
    assert_eq!(body.data().as_ptr(), text.as_ptr());

    let item = Item::new(STRING, text.clone());
    let at = item.data.as_ptr();
    let string: String = decode(&Enyim::default(), item).unwrap();
    assert_eq!(string.as_ptr(), at, "String");
    let item = Item::new(RAW, text.clone());
    let at = item.data.as_ptr();
    let buffer: ByteBuf = decode(&Enyim::default(), item).unwrap();
    assert_eq!(buffer.as_ptr(), at, "ByteBuf");
    let item = Item::new(STRING, text);
    let at = item.data.as_ptr();
    let bytes = decode_bytes(&Enyim::default(), item).unwrap();
    assert_eq!(bytes.as_ptr(), at, "bytes");
}

#[test]
fn raw_items() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Wrapped(Item);

    // Flags that no format knows, and data that is none.
    let enyim = Enyim::default();
    for length in [0, 5, 128, 129, 100_000] {
        let item = Item::new(0xdead_beef, vec![0xff; length]);
        assert_eq!(stored(&item).unwrap(), item);
        assert_eq!(stored(&ItemRef::from(&item)).unwrap(), item);
        assert_eq!(stored(&Some(&item)).unwrap(), item);
        assert_eq!(stored(&Wrapped(item.clone())).unwrap(), item);

        let (given, at) = (item.clone(), item.data.as_ptr());
        let read: Item = decode(&enyim, item).unwrap();
        assert!(
            read == given && read.data.as_ptr() == at,
            "nothing is copied"
        );
        let wrapped: Wrapped = decode(&enyim, given.clone()).unwrap();
        assert_eq!(wrapped, Wrapped(given));
    }
    let mut item = Item::new(1, "data");
    item.cas = Some(u64::MAX);
    assert_eq!(decode::<Item>(&enyim, item.clone()).unwrap(), item);

    let inside = "a raw item is a value of its own and cannot be inside of another one";
    for refused in [
        stored(&[&item]),
        stored(&(1, &item)),
        stored(&BTreeMap::from([(1, &item)])),
    ] {
        let complaint = complaint(refused);
        assert_eq!(
            complaint,
            format!("the value cannot be serialised: {inside}")
        );
    }
    for format in Format::all() {
        let Ok(transcoder) = format.transcoder(Compression::off(), usize::MAX) else {
            continue;
        };
        let error = encode_item(&*transcoder, &[&item]).unwrap_err();
        assert!(error.is_encode(), "{format}: {error}");
        assert_eq!(
            encode_item(&*transcoder, &item).unwrap().flags,
            1,
            "{format}"
        );
    }
    let complaint = complaint(decode::<Vec<Item>>(&enyim, stored(&["a"]).unwrap()));
    assert!(complaint.ends_with(inside), "{complaint}");
}

#[test]
fn bytes_in_and_out() {
    let item = stored(&Bytes("data")).unwrap();
    assert_eq!(item, Item::new(RAW, "data"));
    assert_eq!(stored(&Bytes([0_u8; 0])).unwrap(), Item::new(RAW, ""));
    let enyim = Enyim::default();
    let at = item.data.as_ptr();
    let Bytes(read) = decode(&enyim, item).unwrap();
    assert!(read == b"data" && read.as_ptr() == at, "nothing is copied");
    // As get_bytes reads them.
    for (flags, data) in [(STRING, "text"), (0, "text"), (RAW, "")] {
        let Bytes(read) = decode(&enyim, Item::new(flags, data)).unwrap();
        assert_eq!(read, data.as_bytes());
    }
    let Bytes(read) = decode(&enyim, stored(&Vec::<u8>::new()).unwrap()).unwrap();
    assert_eq!(read, b"");
    let refused = decode::<Bytes>(&enyim, stored(&7).unwrap());
    assert_eq!(
        complaint(refused),
        "the item is an i32 (.NET Int32, flags 265), not bytes"
    );
    // Inside of another value.
    let both = (Bytes(vec![1]), Bytes(Vec::new()));
    assert_eq!(
        decode::<(Bytes, Bytes)>(&enyim, stored(&both).unwrap()).unwrap(),
        both
    );
}
