//! The formats of .NET's clients: the lowest byte of the flags, and objects of EnyimMemcachedCore.

use super::recording::Checked;
use super::vectors::{ENYIM, same_or_error, unhex, vectors, what_enyim_stores};
use super::*;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;

fn transcoder(format: Format) -> Box<dyn Transcoder> {
    format.transcoder(Compression::off(), 1 << 20).unwrap()
}

/// Checks the recording of EnyimMemcached.
pub(super) fn check() -> Checked {
    what_enyim_stores();
    what_enyim_reads();
    let recording = vectors(ENYIM);
    Checked {
        file: "enyim.json",
        peer: "enyim".to_owned(),
        scheme: "DefaultTranscoder".to_owned(),
        stores: recording.store.len(),
        reads: recording.read.len(),
        skipped: BTreeMap::new(),
    }
}

fn what_enyim_reads() {
    let enyim = transcoder(Format::Enyim);
    let mut counts = [0; 2];
    for row in &vectors(ENYIM).read {
        let item = Item::new(row.flags, unhex(&row.hex));
        let refused = match row.kind.as_str() {
            "System.String" => same_or_error::<String>(&*enyim, row),
            "System.Boolean" => same_or_error::<bool>(&*enyim, row),
            "System.Char" => same_or_error::<char>(&*enyim, row),
            "System.SByte" => same_or_error::<i8>(&*enyim, row),
            "System.UInt16" => same_or_error::<u16>(&*enyim, row),
            "System.Int32" => same_or_error::<i32>(&*enyim, row),
            "System.Int64" => same_or_error::<i64>(&*enyim, row),
            "System.Single" => same_or_error::<f32>(&*enyim, row),
            "System.DateTime" => same_or_error::<DateTime>(&*enyim, row),
            "System.Byte[]" => same_or_error::<ByteBuf>(&*enyim, row),
            "null" => match decode::<Option<String>>(&*enyim, item) {
                Ok(value) => {
                    assert_eq!(value, None);
                    false
                }
                Err(error) => error.is_decode(),
            },
            // Ours, which only EnyimMemcached cannot read.
            "error" if row.flags == 19776 => continue,
            "error" => {
                let error = complaint(decode::<IgnoredAny>(&*enyim, item));
                let named = [format!("flags {}: ", row.flags), "the item is a".to_owned()];
                assert!(
                    named.iter().any(|named| error.starts_with(named)),
                    "{error}"
                );
                true
            }
            unknown => panic!("{unknown}"),
        };
        counts[usize::from(refused)] += 1;
    }
    assert_eq!(counts, [72, 216]);
}

#[test]
fn objects_are_refused_by_name() {
    for flags in [1, 257, 271, 0x0501] {
        let error = complaint(decode::<IgnoredAny>(
            &*transcoder(Format::Enyim),
            Item::new(flags, *b"\0\x01\0\0\0\xff\xff\xff\xff"),
        ));
        let start = format!("flags {flags}: a .NET object of BinaryFormatter");
        assert!(error.starts_with(&start), "{error}");
        assert!(error.ends_with("not executed"), "{error}");
    }
}

#[test]
fn ours_compare_exactly() {
    let enyim = transcoder(Format::Enyim);
    let list = stored(&[1, 2, 300]).unwrap();
    assert_eq!(list.flags, 19776);
    assert_eq!(decode::<Vec<u16>>(&*enyim, list).unwrap(), [1, 2, 300]);
    let bytes = Item::new(0xfa52, [1, 2]);
    assert_eq!(decode_bytes(&*enyim, bytes).unwrap(), [1, 2]);
    // 0x40 and 0x52 are no TypeCodes.
    for flags in [0x40, 0x140, 0x52] {
        assert!(decode::<IgnoredAny>(&*enyim, Item::new(flags, [0x90])).is_err());
    }
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
#[serde(rename_all = "PascalCase")]
struct Person {
    first_name: String,
    age: u8,
    tags: Vec<String>,
    manager: Option<Box<Person>>,
}

#[test]
fn objects_of_enyim_core() {
    let core = transcoder(Format::EnyimCoreMessagePack);
    let manager = Person {
        first_name: "Grace".to_owned(),
        age: 85,
        tags: vec![],
        manager: None,
    };
    let person = Person {
        first_name: "Ada".to_owned(),
        age: 36,
        tags: vec!["math".to_owned()],
        manager: Some(Box::new(manager)),
    };
    let item = encode_item(&*core, &person);
    let item = item.unwrap();
    assert_eq!(item.flags, 257);
    assert_eq!(item.data[..15], *b"\x84\xa9FirstName\xa3Ada");
    assert_eq!(decode::<Person>(&*core, item).unwrap(), person);

    // What is no object is as EnyimMemcached has it, and our own objects are read too.
    let text = encode_item(&*core, "text");
    assert_eq!(text.unwrap(), Item::new(274, "text"));
    let ours = stored(&person).unwrap();
    assert_eq!(decode::<Person>(&*core, ours).unwrap(), person);

    let damaged = complaint(decode::<Person>(&*core, Item::new(257, [0x81])));
    assert_eq!(
        damaged,
        "the item is a MessagePack object (flags 257) that is cut short"
    );
}
