//! Bodies that lie, and values that cannot be stored.

use super::super::tree::MAX_DEPTH;
use super::*;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde::ser::{Error as _, SerializeSeq, SerializeStruct, Serializer};
use std::panic::catch_unwind;
use std::thread;

#[test]
fn primitives() {
    let rows: [(&str, u32, &[u8], &str); 7] = [
        (
            "half a pair",
            260,
            b"\x00\xd8",
            "a char (.NET Char, flags 260) that is half of a surrogate pair",
        ),
        (
            "Latin-1",
            274,
            b"\xe9",
            "a string (.NET String, flags 274) that is not UTF-8",
        ),
        ("Latin-1 text", 0, b"\xe9", "text (flags 0): not UTF-8"),
        (
            "half an Int64",
            267,
            &[0; 4],
            "an i64 (.NET Int64, flags 267) of 4 bytes instead of 8",
        ),
        (
            "an empty Boolean",
            259,
            b"",
            "a bool (.NET Boolean, flags 259) of 0 bytes instead of 1",
        ),
        (
            "a long Boolean",
            259,
            &[1, 0],
            "a bool (.NET Boolean, flags 259) of 2 bytes instead of 1",
        ),
        (
            "a long null",
            258,
            &[0; 3],
            "None (.NET null, flags 258) of 3 bytes instead of 0",
        ),
    ];
    for (name, flags, data, expected) in rows {
        let expected = format!("the item is {expected}");
        assert_eq!(
            complaint(read::<IgnoredAny>(flags, data)),
            expected,
            "{name}"
        );
    }
}

#[test]
fn objects() {
    let short = " that is cut short";
    let bomb = vec![0x91; 100_000];
    let rows: [(&str, &[u8], &str); 9] = [
        ("nothing", b"", short),
        ("cut short", b"\x92\x01", short),
        ("4 billion elements", b"\xdd\xff\xff\xff\xff", short),
        ("4 billion pairs", b"\xdf\xff\xff\xff\xff", short),
        ("a string of 4 GB", b"\xdb\xff\xff\xff\xff", short),
        (
            "trailing",
            b"\x91\x01\x02",
            " that is followed by other bytes",
        ),
        ("a depth bomb", &bomb, " that nests deeper than 128 levels"),
        (
            "reserved",
            b"\xc1",
            " with a byte in it that starts no MessagePack value",
        ),
        ("Latin-1", b"\xa1\xe9", ": a string in it is not UTF-8"),
    ];
    for (name, data, expected) in rows {
        let expected = format!("the item is a MessagePack object (flags 19776){expected}");
        assert_eq!(
            complaint(read::<IgnoredAny>(19776, data)),
            expected,
            "{name}"
        );
    }
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(tag = "type", content = "content")]
enum Chain {
    End,
    Link(Box<Chain>),
}

fn chain(links: usize) -> Chain {
    (0..links).fold(Chain::End, |chain, _| Chain::Link(Box::new(chain)))
}

fn nested(depth: usize) -> serde_json::Value {
    let null = serde_json::Value::Null;
    (0..depth).fold(null, |value, _| serde_json::json!([value]))
}

/// On a thread as small as `std` makes them; this one's size depends on who runs the tests.
#[test]
fn as_deep_as_allowed() {
    let small = thread::Builder::new().stack_size(2 << 20);
    let deep = small.spawn(|| {
        let value = nested(MAX_DEPTH);
        let item = stored(&value).unwrap();
        assert_eq!(
            decode::<serde_json::Value>(&Enyim::default(), item).unwrap(),
            value
        );
        let value = chain(MAX_DEPTH - 1);
        let item = stored(&value).unwrap();
        assert_eq!(decode::<Chain>(&Enyim::default(), item).unwrap(), value);
    });
    deep.unwrap().join().unwrap();
}

#[test]
fn too_deep_to_store() {
    let expected = "the value nests deeper than 128 levels";
    assert_eq!(complaint(stored(&nested(MAX_DEPTH + 1))), expected);
    assert_eq!(complaint(stored(&chain(MAX_DEPTH))), expected);
}

/// A `Serialize` that does as it says.
#[derive(Clone, Copy)]
enum Misbehaviour {
    Refuse,
    RefuseWithin,
    Panic,
    Announce(usize),
    AnnounceBytes(usize),
}

impl Serialize for Misbehaviour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Refuse => Err(S::Error::custom("not\ntoday")),
            Self::RefuseWithin => {
                let mut object = serializer.serialize_struct("Object", 1)?;
                object.serialize_field("field", &Self::Refuse)?;
                object.end()
            }
            Self::Panic => panic!("in Serialize"),
            Self::Announce(length) => {
                let mut seq = serializer.serialize_seq(Some(length))?;
                seq.serialize_element("one")?;
                seq.serialize_element("two")?;
                seq.end()
            }
            Self::AnnounceBytes(length) => {
                let mut seq = serializer.serialize_seq(Some(length))?;
                seq.serialize_element(&1_u8)?;
                seq.end()
            }
        }
    }
}

#[test]
fn unserialisable() {
    use Misbehaviour as M;
    let miscounted = "the value's Serialize did not write as many elements as it announced";
    let refused = "the value cannot be serialised: not today";
    let rows = [
        ("refused", M::Refuse, refused),
        ("refused within", M::RefuseWithin, refused),
        ("more elements than announced", M::Announce(1), miscounted),
        ("fewer elements than announced", M::Announce(3), miscounted),
        ("far fewer", M::Announce(usize::MAX), miscounted),
    ];
    for (name, misbehaviour, expected) in rows {
        let outcome = encode_item(&Enyim::default(), &misbehaviour);
        assert_eq!(complaint(outcome), expected, "{name}");
    }
    let bytes = stored(&M::AnnounceBytes(usize::MAX)).unwrap();
    assert_eq!(bytes, Item::new(0xfa52, [1]));
}

#[test]
fn a_panic_stores_nothing() {
    let outcome = catch_unwind(|| {
        let value = (1, Misbehaviour::Panic);
        encode_item(&Enyim::default(), &value)
    });
    let words = outcome.unwrap_err();
    assert_eq!(words.downcast_ref(), Some(&"in Serialize"));
}

/// What is read in formats whose values are made of nodes, with these limits.
fn read_in<T: DeserializeOwned>(
    format: Format,
    limit: usize,
    flags: u32,
    data: &[u8],
) -> Result<T, Error> {
    let transcoder = format.transcoder(Compression::off(), limit)?;
    decode(&*transcoder, Item::new(flags, data))
}

/// An Array in Marshal, of up to 16,777,215 elements.
fn array(count: usize, elements: &[u8]) -> Vec<u8> {
    let [low, middle, high, ..] = count.to_le_bytes();
    [b"\x04\x08[", &[3, low, middle, high][..], elements].concat()
}

/// The name of a symbol is there once, and each link to it stands for all of it.
#[test]
fn a_bomb_of_symbols() {
    let name = [b":\x03\x00\x00\x01", &vec![b'n'; 65_536][..]].concat();
    // As a value of its own, with an encoding, and as the name of an instance variable.
    let rows: [(&str, Vec<u8>); 2] = [
        ("a symbol", name.clone()),
        (
            "with an encoding",
            [b"I", &name[..], b"\x06:\x06ET"].concat(),
        ),
    ];
    for (what, symbol) in rows {
        let few = array(4, &[&symbol[..], &b";\x00".repeat(3)].concat());
        let read: Vec<String> = read_in(Format::Dalli, 1 << 20, 1, &few).unwrap();
        assert_eq!(read.len(), 4, "{what}");
        assert!(read.iter().all(|name| name.len() == 65_536), "{what}");

        let many = array(10_001, &[&symbol[..], &b";\x00".repeat(10_000)].concat());
        let complaint = complaint(read_in::<Vec<String>>(Format::Dalli, 1 << 20, 1, &many));
        let expected = "the item is a Ruby object (flags 1) of more than 1048576 bytes, which \
                        max_decompressed_size does not allow";
        assert_eq!(complaint, expected, "{what}");
    }
}

/// A value of a byte takes many in memory: so much is allowed that every other byte is a value, and
/// above that what the limit allows.
#[test]
fn bombs_of_small_values() {
    const COUNT: usize = 1 << 20;
    const LIMIT: usize = 64 << 20;
    let nils = array(COUNT, &vec![b'0'; COUNT]);
    let ones = array(COUNT, &b"i\x06".repeat(COUNT));
    let too_large = "of more than 1 bytes, which max_decompressed_size does not allow";
    let complaint_of =
        |data: &[u8]| complaint(read_in::<Vec<IgnoredAny>>(Format::Dalli, 1, 1, data));
    let complaint = complaint_of(&nils);
    assert!(complaint.ends_with(too_large), "{complaint}");
    assert_eq!(complaint_of(&ones), "nothing");
    let read: Vec<Option<u8>> = read_in(Format::Dalli, LIMIT, 1, &nils).unwrap();
    assert_eq!(read.len(), COUNT);
}

/// A `Deserialize` that has a value for what it cannot read, or reads nothing.
#[derive(Debug, PartialEq, Default)]
struct Lenient(String);

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(String::deserialize(deserializer).map_or_else(|_| Self::default(), Self))
    }
}

#[derive(Debug, PartialEq)]
struct Blind;

impl<'de> Deserialize<'de> for Blind {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Self)
    }
}

#[test]
fn no_type_hides_what_cannot_be_decoded() {
    let broken = || Item::new(265, [0; 3]);
    let expected = "the item is an i32 (.NET Int32, flags 265) of 3 bytes instead of 4";
    let enyim = Enyim::default();
    assert_eq!(complaint(decode::<Lenient>(&enyim, broken())), expected);
    assert_eq!(complaint(decode::<Blind>(&enyim, broken())), expected);
    assert_eq!(
        complaint(decode::<Option<Lenient>>(&enyim, broken())),
        expected
    );
    assert_eq!(
        complaint(decode::<Option<Blind>>(&enyim, broken())),
        expected
    );

    let int = || stored(&5).unwrap();
    assert_eq!(
        decode::<Lenient>(&enyim, int()).unwrap(),
        Lenient::default()
    );
    assert_eq!(decode::<Blind>(&enyim, int()).unwrap(), Blind);
    assert_eq!(decode::<Option<Blind>>(&enyim, int()).unwrap(), Some(Blind));
    let null = || stored(&()).unwrap();
    assert_eq!(decode::<Option<Lenient>>(&enyim, null()).unwrap(), None);
    assert_eq!(decode::<Option<Blind>>(&enyim, null()).unwrap(), None);
}
