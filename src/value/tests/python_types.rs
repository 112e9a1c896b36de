//! Rust types in the formats of Python's clients: there and back, and what is refused.

use super::*;
use serde_bytes::ByteBuf;
use serde_json::json;

const LIMIT: usize = 1 << 16;

const WITH_PICKLES: [Format; 6] = [
    Format::MoecachePickle,
    Format::Pylibmc,
    Format::PythonMemcached,
    Format::PymemcachePickle,
    Format::PymemcacheCompressed,
    Format::Pyermc,
];

fn transcoder(format: Format) -> Box<dyn Transcoder> {
    format
        .transcoder(format.default_compression(), LIMIT)
        .unwrap()
}

fn store<V: Serialize + ?Sized>(transcoder: &dyn Transcoder, value: &V) -> Result<Item, Error> {
    encode_item(transcoder, value)
}

#[cfg(feature = "pickle")]
mod with_pickles {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;
    use std::fmt::Debug;

    fn round_trip<T>(value: &T)
    where
        T: Serialize + DeserializeOwned + PartialEq + Debug,
    {
        for format in WITH_PICKLES {
            let transcoder = transcoder(format);
            let item = store(&*transcoder, value).unwrap();
            let read: T = decode(&*transcoder, item)
                .unwrap_or_else(|error| panic!("{format}: {value:?}: {error}"));
            assert_eq!(read, *value, "{format}");
        }
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    enum Shape {
        Point,
        Circle(f32),
        Line(u8, char),
        Box { side: u128 },
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Everything {
        name: String,
        nickname: Option<String>,
        #[serde(with = "serde_bytes")]
        picture: Vec<u8>,
        shapes: Vec<Shape>,
        numbers: BTreeMap<(i8, String), (i128, u128)>,
        ratio: f64,
    }

    #[test]
    fn types() {
        round_trip(&true);
        round_trip(&false);
        round_trip(&i8::MIN);
        round_trip(&u16::MAX);
        round_trip(&i64::MIN);
        round_trip(&u64::MAX);
        round_trip(&i128::MIN);
        round_trip(&u128::MAX);
        round_trip(&0.1_f32);
        round_trip(&0.1_f64);
        round_trip(&f64::MAX);
        round_trip(&f32::MIN_POSITIVE);
        round_trip(&f64::NEG_INFINITY);
        round_trip(&'x');
        round_trip(&'😀');
        round_trip(&());
        round_trip(&None::<String>);
        round_trip(&Some("text".to_owned()));
        round_trip(&String::new());
        round_trip(&ByteBuf::new());
        round_trip(&Vec::<u8>::new());
        round_trip(&b"\x00\xff".to_vec());
        round_trip(&Shape::Point);
        round_trip(&Shape::Circle(0.5));
        round_trip(&vec![Shape::Line(1, 'é'), Shape::Box { side: u128::MAX }]);
        round_trip(&Everything {
            name: "größer".repeat(100),
            nickname: None,
            picture: vec![0, 0xff],
            shapes: vec![Shape::Point],
            numbers: BTreeMap::from([((-1, "k".to_owned()), (i128::MIN, u128::MAX))]),
            ratio: 2.5,
        });
    }

    /// An integer that Python has and MessagePack has not is no bytes, and no other number.
    #[test]
    fn wide_integers_in_containers() {
        for format in WITH_PICKLES {
            let transcoder = transcoder(format);
            let item = store(&*transcoder, &[1_u128 << 100]).unwrap();
            let flags = item.flags;
            assert_eq!(
                decode::<[i128; 1]>(&*transcoder, item.clone()).unwrap(),
                [1 << 100]
            );
            let of = |wanted| {
                format!(
                    "the item is a Python pickle (flags {flags}): an integer of more than 64 bits \
                     where {wanted} was expected"
                )
            };
            let error = complaint(decode::<Vec<f64>>(&*transcoder, item.clone()));
            assert_eq!(error, of("f64"));
            let error = complaint(decode::<Vec<ByteBuf>>(&*transcoder, item.clone()));
            assert_eq!(error, of("byte array"));
            for error in [
                complaint(decode::<Vec<u64>>(&*transcoder, item.clone())),
                complaint(decode::<serde_json::Value>(&*transcoder, item)),
            ] {
                assert!(error.starts_with("the item is a Python pickle"), "{error}");
            }
        }
    }

    #[test]
    fn typed_reading_is_strict() {
        let transcoder = transcoder(Format::PythonMemcached);
        let pickled = |value: &'static str, flags| {
            let is = if flags == 1 {
                "a Python pickle"
            } else {
                "a Python str"
            };
            (
                Item::new(flags, value),
                format!("the item is {is} (flags {flags})"),
            )
        };
        let (item, is) = pickled("I01\n.", 1);
        assert!(decode::<bool>(&*transcoder, item.clone()).unwrap());
        let error = complaint(decode::<u8>(&*transcoder, item));
        assert_eq!(error, format!("{is}: a bool where u8 was expected"));
        let (item, is) = pickled("F0.1\n.", 1);
        let error = complaint(decode::<f32>(&*transcoder, item));
        assert_eq!(error, format!("{is}: a float where f32 was expected"));
        let (item, is) = pickled("5", 16);
        let error = complaint(decode::<u8>(&*transcoder, item));
        assert_eq!(error, format!("{is}, not u8"));
        let (item, is) = pickled("cos\nsystem\n.", 1);
        let error = complaint(decode::<String>(&*transcoder, item));
        let object = "with a Python object of class os.system in it: not plain data; not executed";
        assert_eq!(error, format!("{is} {object}"));
    }

    #[test]
    fn the_default_format_reads_pickles_of_moecache() {
        let transcoder = transcoder(Format::Moecache);
        let item = Item::new(256, b"\x80\x02]q\x00(K\x01K\x02e.");
        let read: Vec<u8> = decode(&*transcoder, item).unwrap();
        assert_eq!(read, [1, 2]);
        assert_eq!(store(&*transcoder, &[1_u16]).unwrap().flags, 0x4d40);
    }
}

#[cfg(not(feature = "pickle"))]
#[test]
fn pickles_need_the_feature() {
    for format in WITH_PICKLES.into_iter().chain([Format::Moecache]) {
        let transcoder = transcoder(format);
        let flags = match format {
            Format::Moecache | Format::MoecachePickle => 256,
            _ => 1,
        };
        let error = complaint(decode::<u8>(&*transcoder, Item::new(flags, "I1\n.")));
        let is = format!("the item is a Python pickle (flags {flags})");
        assert_eq!(
            error,
            format!("{is} which needs the feature pickle of moecache")
        );
        if format != Format::Moecache {
            let error = complaint(store(&*transcoder, &[1.5]));
            let stored = "the value is stored as a Python pickle";
            assert_eq!(
                error,
                format!("{stored}, which needs the feature pickle of moecache")
            );
        }
    }
}

#[cfg(not(feature = "zlib"))]
#[test]
fn compression_needs_the_feature() {
    let transcoder = transcoder(Format::Pylibmc);
    let error = complaint(decode::<String>(&*transcoder, Item::new(24, "x")));
    let is = "the item is a compressed Python str (flags 24)";
    assert_eq!(
        error,
        format!("{is} which needs the feature zlib of moecache")
    );
}

/// What pylibmc and pyermc store of a bool is what they store of 0 and 1.
#[test]
fn bools_as_integers() {
    for format in [Format::Pylibmc, Format::Pyermc] {
        let transcoder = transcoder(format);
        let item = store(&*transcoder, &true).unwrap();
        assert_eq!(item, Item::new(2, "1"));
        assert!(decode::<bool>(&*transcoder, item.clone()).unwrap());
        assert_eq!(decode::<u8>(&*transcoder, item.clone()).unwrap(), 1);
        let any: serde_json::Value = decode(&*transcoder, item).unwrap();
        assert_eq!(any, json!(1));
        let error = complaint(decode::<bool>(&*transcoder, Item::new(2, "2")));
        assert_eq!(
            error,
            "the item is a Python bool or int (flags 2), not a boolean"
        );
    }
}

/// Flags 0: bytes that may be a string or a counter.
#[test]
fn untyped() {
    let transcoder = transcoder(Format::Pylibmc);
    let item = |data: &'static str| Item::new(0, data);
    assert_eq!(
        decode::<Vec<u8>>(&*transcoder, item("12 ")).unwrap(),
        b"12 "
    );
    assert_eq!(
        decode::<ByteBuf>(&*transcoder, item("12 ")).unwrap(),
        b"12 "
    );
    assert_eq!(decode_bytes(&*transcoder, item("12 ")).unwrap(), b"12 ");
    assert_eq!(decode::<String>(&*transcoder, item("12 ")).unwrap(), "12 ");
    assert_eq!(
        decode::<Option<u8>>(&*transcoder, item("12 ")).unwrap(),
        Some(12)
    );
    let any: serde_json::Value = decode(&*transcoder, item("12")).unwrap();
    assert_eq!(any, json!(b"12"));
    // None is a pickle.
    let empty: Option<String> = decode(&*transcoder, item("")).unwrap();
    assert_eq!(empty, Some(String::new()));
    let is = "the item is bytes of Python (flags 0)";
    let error = complaint(decode::<f64>(&*transcoder, item("1.5")));
    assert_eq!(error, format!("{is}, not f64"));
    // As pymemcache without a serde stores a list.
    let error = complaint(decode::<Vec<i64>>(&*transcoder, item("[1, 2, 3]")));
    assert_eq!(
        error,
        format!("{is}: a byte of raw data where i64 was expected")
    );
    let not_utf8 = Item::new(0, [0xff]);
    let error = complaint(decode::<String>(&*transcoder, not_utf8));
    assert_eq!(error, format!("{is}: not UTF-8"));
}

#[test]
fn refused() {
    let complain = |format, flags, data: &'static str| {
        complaint(decode::<String>(
            &*transcoder(format),
            Item::new(flags, data),
        ))
    };
    assert_eq!(
        complain(Format::Pylibmc, 3, ""),
        "flags 3, which pylibmc does not know: a compressed Marshal object of dalli, or a bool of \
         php-memcached; not executed"
    );
    assert_eq!(
        complain(Format::PythonMemcached, 0x40, ""),
        "flags 64, which python-memcached does not know: stored by no client that moecache knows"
    );
    assert_eq!(
        complain(Format::MoecachePickle, 265, ""),
        "flags 265, which moecache does not know: an i32 of this client's own format, or an Int32 of \
         EnyimMemcached"
    );
    assert_eq!(
        complain(Format::PythonMemcached, 2, "secret"),
        "the item is a Python int (flags 2) that is no decimal number"
    );
    for format in WITH_PICKLES.into_iter().chain([Format::Pymemcache]) {
        let error = complaint(store(&*transcoder(format), &DateTime(5)));
        assert_eq!(error, "Python has no form of a .NET DateTime");
    }
    let plain = transcoder(Format::Pymemcache);
    let error = complaint(store(&*plain, "é"));
    assert!(error.starts_with("pymemcache without a serde stores no strings but ASCII"));
    let error = complaint(store(&*plain, &'é'));
    assert!(error.starts_with("pymemcache without a serde stores no strings but ASCII"));
    let error = complaint(store(&*plain, &[1_u16]));
    assert!(error.starts_with("pymemcache without a serde stores of a list or dict only what"));
}

#[cfg(all(feature = "zlib", feature = "lz4"))]
#[test]
fn compression() {
    for (format, compression, flags) in [
        (Format::Pylibmc, Compression::zlib(), 24),
        (Format::PythonMemcached, Compression::zlib(), 24),
        (Format::PymemcacheCompressed, Compression::zlib(), 24),
        (Format::Pyermc, Compression::lz4(), 8),
    ] {
        let transcoder = |threshold, limit| {
            let compression = compression.threshold(threshold);
            format.transcoder(compression, limit).unwrap()
        };
        let text = "a".repeat(1000);
        let item = store(&*transcoder(1000, LIMIT), &text).unwrap();
        assert_eq!(item.flags, flags, "{format}");
        assert!(item.data.len() < 50, "{format}");
        // Below the threshold, and where nothing is gained, as it is.
        for (threshold, text) in [(1001, text.as_str()), (1, "a")] {
            let stored = store(&*transcoder(threshold, LIMIT), text).unwrap();
            assert_eq!(stored, Item::new(flags & !8, text), "{format}");
        }
        let read: String = decode(&*transcoder(0, 1000), item.clone()).unwrap();
        assert_eq!(read, text, "{format}");
        let error = complaint(decode::<String>(&*transcoder(0, 999), item));
        let reason = "more than 999 bytes when decompressed, which max_decompressed_size does not";
        assert!(error.contains(reason), "{format}: {error}");
    }

    let refused = |format: Format, compression| {
        let outcome = format.transcoder(compression, LIMIT);
        outcome.map(drop).unwrap_err().to_string()
    };
    let error = refused(Format::Pylibmc, Compression::lz4());
    assert_eq!(
        error,
        "compression: pylibmc does not know lz4; allowed are off, zlib"
    );
    let error = refused(Format::PymemcachePickle, Compression::zlib());
    assert_eq!(
        error,
        "compression: pymemcache does not know zlib; allowed are off"
    );
}
