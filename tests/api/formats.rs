//! Every format: what it takes it gives back, and what it cannot hold it refuses; and what memcached
//! itself does to its values.

use crate::support;

use moecache::testing::Server;
use moecache::value::{Compression, DateTime, Format};
use moecache::{Client, Item, Protocol, Result};
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_bytes::ByteBuf;
use serde_json::{Value as Json, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::thread;
use std::time::Duration;
use support::Memcached;

/// The compressions that the format knows, besides none.
fn compressions(format: Format) -> Vec<Compression> {
    use Format as F;
    match format {
        F::Moecache | F::Enyim | F::EnyimCoreMessagePack => {
            vec![Compression::lz4(), Compression::zstd()]
        }
        F::Pylibmc
        | F::PythonMemcached
        | F::PymemcacheCompressed
        | F::Dalli
        | F::DalliStringFastpath
        | F::DalliJson
        | F::Php
        | F::PhpJson => vec![Compression::zlib()],
        F::Pyermc => vec![Compression::lz4()],
        F::Spymemcached => vec![Compression::gzip()],
        _ => vec![],
    }
}

/// Each format with each compression that it knows, of however short values; pymemcache without a
/// serde stores what nobody can read back. What cannot be made says why.
fn clients(server: &Server) -> Vec<(Format, Compression, Client)> {
    let all = [
        Compression::off(),
        Compression::zlib(),
        Compression::gzip(),
        Compression::lz4(),
        Compression::zstd(),
    ];
    let mut clients = Vec::new();
    for format in Format::all().filter(|format| *format != Format::Pymemcache) {
        let builder = Client::builder().servers(server).format(format);
        for algorithm in all {
            let is_off = algorithm == Compression::off();
            let compression = if is_off {
                algorithm
            } else {
                algorithm.threshold(1)
            };
            let built = builder.clone().compression(compression).build();
            match (built, why_not(format, algorithm)) {
                (Ok(client), None) => clients.push((format, compression, client)),
                (Err(error), Some(why)) => assert!(
                    error.is_validation() && error.to_string().contains(why),
                    "{format}, {compression}: {error}"
                ),
                (built, why) => panic!("{format}, {compression}: {why:?} was expected: {built:?}"),
            }
        }
    }
    clients
}

/// Why there can be no client of the format with the compression, if so.
fn why_not(format: Format, compression: Compression) -> Option<&'static str> {
    if is_json(format) && !cfg!(feature = "json") {
        return Some("needs the feature json of moecache");
    }
    if compression == Compression::off() {
        return None;
    }
    if !compressions(format).contains(&compression) {
        return Some("does not know");
    }
    let (is_compiled_in, why) = if compression == Compression::lz4() {
        (cfg!(feature = "lz4"), "needs the feature lz4 of moecache")
    } else if compression == Compression::zstd() {
        (cfg!(feature = "zstd"), "needs the feature zstd of moecache")
    } else {
        (cfg!(feature = "zlib"), "needs the feature zlib of moecache")
    };
    (!is_compiled_in).then_some(why)
}

/// Those that refuse a value, and how they say so.
type Refusal = (&'static [Format], &'static str);

const RAW: Refusal = (
    &[Format::Raw],
    "libmemcached's format holds strings, bytes and integers",
);
const DALLI_RAW: Refusal = (
    &[Format::DalliRaw],
    "dalli with raw: true holds strings and bytes only",
);
const JAVA: Refusal = (
    &[Format::Spymemcached],
    "spymemcached holds strings, bytes, numbers, booleans and dates",
);
const JAVA_INTEGERS: Refusal = (
    &[Format::Spymemcached],
    "the number does not fit Java's Long",
);
const JAVA_DATES: Refusal = (
    &[Format::Spymemcached],
    "a Java Date is a whole number of milliseconds in UTC",
);
const PHP_INTEGERS: Refusal = (
    &[Format::Php, Format::PhpJson],
    "the number does not fit PHP's integers",
);
const PHP_KEYS: Refusal = (
    &[Format::Php],
    "PHP's arrays have only integers and strings as keys",
);
const PHP_DATES: Refusal = (&[Format::Php], "PHP's DateTime is no plain data");
const JSON_BYTES: Refusal = (
    &[Format::DalliJson, Format::PhpJson],
    "the value has bytes in it, which JSON cannot hold",
);
/// PHP's bytes are its strings.
const RUBY_BYTES: Refusal = (
    &[Format::DalliJson],
    "the value has bytes in it, which JSON cannot hold",
);
/// PHP stores a number by itself as text.
const RUBY_FLOATS: Refusal = (
    &[Format::DalliJson],
    "a float in it that is infinite or not a number, which JSON cannot hold",
);
const JSON_KEYS: Refusal = (
    &[Format::DalliJson, Format::PhpJson],
    "a map in it whose keys are not strings, which JSON cannot hold",
);
const JSON_DATES: Refusal = (&[Format::DalliJson, Format::PhpJson], "JSON has no dates");
const RUBY_DATES: Refusal = (
    &[Format::Dalli, Format::DalliStringFastpath],
    "Ruby's Time is no plain data",
);
const PYTHON_DATES: Refusal = (
    &[
        Format::MoecachePickle,
        Format::Pylibmc,
        Format::PythonMemcached,
        Format::PymemcachePickle,
        Format::PymemcacheCompressed,
        Format::Pyermc,
    ],
    "Python has no form of a .NET DateTime",
);

/// Without the feature, nobody makes pickles.
const NO_PICKLES: &str = "needs the feature pickle of moecache";
/// What only moecache pickles: its bytes are its strings, and its integers have no flags.
const MOECACHE: Refusal = (&[Format::MoecachePickle], NO_PICKLES);
/// Besides, booleans; pylibmc and pyermc have flags for these.
const BOOLEANS: Refusal = (
    &[
        Format::MoecachePickle,
        Format::PythonMemcached,
        Format::PymemcachePickle,
        Format::PymemcacheCompressed,
    ],
    NO_PICKLES,
);
const PYTHON: Refusal = (PYTHON_DATES.0, NO_PICKLES);

/// Each format gives back what it takes, and refuses it if and only if these say so.
fn check<T>(clients: &[(Format, Compression, Client)], name: &str, refusals: &[Refusal], value: &T)
where
    T: Serialize + DeserializeOwned + Debug,
{
    for (format, compression, client) in clients {
        let why = refusals.iter().find(|(formats, why)| {
            formats.contains(format) && !(*why == NO_PICKLES && cfg!(feature = "pickle"))
        });
        match (differs(client, value), why) {
            (Ok(None), None) => {}
            (Err(error), Some((_, why))) => assert!(
                error.is_encode() && error.to_string().contains(why),
                "{format}, {compression}: {name}: {error}"
            ),
            (outcome, why) => {
                panic!("{format}, {compression}: {name}: {why:?} was expected: {outcome:?}")
            }
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
enum Variant {
    Unit,
    Newtype(Option<String>),
    Tuple(i8, String),
    Struct { at: u64, by: Option<char> },
}

#[derive(Debug, Serialize, Deserialize)]
struct Everything {
    single: f32,
    double: f64,
    text: Option<String>,
    character: char,
    units: Vec<()>,
    bytes: ByteBuf,
    signed: i128,
    unsigned: u128,
    array: [u8; 3],
    by_number: BTreeMap<u8, String>,
    by_digits: BTreeMap<String, Variant>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u64),
    Text(String),
    Bytes(ByteBuf),
    Character(char, char),
}

#[derive(Debug, Serialize, Deserialize)]
struct Flat {
    id: u8,
    #[serde(flatten)]
    rest: BTreeMap<String, Json>,
}

/// A format refuses the values that stand behind its refusal, and no others.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_is_taken_is_given_back() {
    let server = Server::start().unwrap();
    let clients = clients(&server);
    macro_rules! check {
        ($($refusals:tt { $($value:expr;)* })*) => {
            $($(check(&clients, stringify!($value), &$refusals, &$value);)*)*
        };
    }
    check! {
        [] {
            String::from("1"); String::from("true"); String::from("None"); String::from("null");
            String::from(" 5 "); String::from("a\0b\r\n"); "größer ".repeat(500);
            Some(String::from("None"));
            Box::<str>::from("text"); Cow::<str>::from("text"); Cow::<str>::from("12");
            json!("text"); json!("12"); json!("größer"); Some(json!("text"));
            Untagged::Text(String::from("text")); Untagged::Text(String::from("12"));
        }
        [RUBY_BYTES, MOECACHE] {
            ByteBuf::from(b"text".to_vec()); ByteBuf::from(b"12".to_vec());
            ByteBuf::from(vec![255, 0]); vec![1_u8]; (1_u8, 2_u8);
            Untagged::Bytes(ByteBuf::from(vec![255, 0]));
        }
        [DALLI_RAW, MOECACHE] {
            i64::MIN; i8::MIN; 0_u8; 1_i64; 53_u8; 1_i64 << 30; Some(0_u8);
        }
        [DALLI_RAW, PHP_INTEGERS, JAVA_INTEGERS, MOECACHE] {
            i128::MIN; u128::MAX; u64::MAX;
        }
        [RAW, DALLI_RAW, PYTHON] {
            -0.0_f64; -0.0_f32; 5e-324_f64; f64::MAX; f32::MAX; 0.1_f32; 0.1_f64; 1e16_f64;
            16_777_217.0_f64; 2.291_712_365_432_881e-9_f64; Some(Some(0.0_f64));
            json!(1.5);
        }
        [RAW, DALLI_RAW, BOOLEANS] {
            true; false; Some(false);
        }
        [RAW, DALLI_RAW, RUBY_FLOATS, PYTHON] {
            f64::NAN; f32::NAN; f64::INFINITY; f32::NEG_INFINITY;
        }
        [RAW, DALLI_RAW, JAVA, PYTHON] {
            (); 'a'; '1'; '\0'; '😀'; None::<String>;
            Vec::<u8>::new(); Vec::<i32>::new(); vec![Some(1_u8), None]; vec![vec![1_u8], vec![]];
            (1_u16,); (String::from("a"), vec![1.5_f32, 0.1], Some(false));
            Variant::Unit; Variant::Newtype(None); Variant::Newtype(Some(String::new()));
            Variant::Tuple(-1, String::from("1")); Variant::Struct { at: 1 << 40, by: Some('1') };
            BTreeMap::<String, u8>::new(); BTreeMap::from([(String::from("0"), 0)]);
            vec![DateTime(-5)];
            json!(null); json!(["text", "12", null, true, 1.5, -7]); json!([]);
            json!({"text": "text", "list": ["text", {"of": "12"}], "7": "digits"});
            vec![Untagged::Text(String::from("text")), Untagged::Number(5)];
            Untagged::Character('a', '1');
            Flat { id: 7, rest: BTreeMap::from([(String::from("a"), json!("text")), (String::from("5"), json!(["12"]))]) };
            vec![Cow::<str>::from("12")]; vec![Box::<str>::from("12")]; vec!['a', '1'];
        }
        [RAW, DALLI_RAW, JAVA, JSON_KEYS, PYTHON] {
            BTreeMap::from([(0_u8, 'a'), (1, 'b')]); BTreeMap::from([(-5_i64, 1)]);
        }
        [RAW, DALLI_RAW, JAVA, JSON_BYTES, PYTHON] {
            vec![Untagged::Text(String::from("text")), Untagged::Bytes(ByteBuf::from(vec![255]))];
            Everything {
                single: 0.1,
                double: -0.0,
                text: Some(String::new()),
                character: '1',
                units: vec![()],
                bytes: ByteBuf::from(b"x".to_vec()),
                signed: 5,
                unsigned: 6,
                array: *b"abc",
                by_number: BTreeMap::from([(0, String::from("x"))]),
                by_digits: BTreeMap::from([(String::from("5"), Variant::Unit)]),
            };
        }
        [RAW, DALLI_RAW, JAVA, JSON_KEYS, PHP_KEYS, PYTHON] {
            BTreeMap::from([(true, 1)]);
            BTreeMap::from([((1, true), ByteBuf::from(b"12".to_vec()))]);
        }
        [RAW, DALLI_RAW, JAVA_DATES, JSON_DATES, PHP_DATES, RUBY_DATES, PYTHON_DATES] {
            DateTime(0);
        }
    }
}

/// What only some formats have, and what one reads as something else.
#[test]
fn dates_and_empty_text() {
    let server = Server::start().unwrap();
    let clients = clients(&server);
    // Java's dates are whole milliseconds, of a time in UTC.
    let utc = DateTime(621_355_968_000_000_000 + (1 << 62));
    let refusals = [
        RAW,
        DALLI_RAW,
        JSON_DATES,
        PHP_DATES,
        RUBY_DATES,
        PYTHON_DATES,
    ];
    check(&clients, "a time in UTC", &refusals, &utc);
    // pyermc's None is no bytes.
    for (format, compression, client) in &clients {
        let differs = differs(client, &Some(String::new())).unwrap();
        let is_pyermc = *format == Format::Pyermc;
        assert_eq!(differs.is_some(), is_pyermc, "{format}, {compression}");
    }
}

/// pymemcache without a serde stores of everything what Python shows of it: of a string, that.
#[test]
fn text_of_pymemcache() -> Result<()> {
    let server = Server::start().unwrap();
    let client = Client::builder()
        .servers(&server)
        .format(Format::Pymemcache);
    let client = client.build()?;
    assert_eq!(differs(&client, &json!("text"))?, None);
    assert_eq!(differs(&client, &Box::<str>::from("text"))?, None);
    assert_eq!(differs(&client, &Untagged::Text("12".to_owned()))?, None);
    assert_eq!(differs(&client, &'a')?, None);
    assert_eq!(differs(&client, &12_u8)?, None);
    assert_eq!(differs(&client, &ByteBuf::from([255, 0]))?, None);
    Ok(())
}

/// Its entries in the order in which they are stored and read.
#[derive(Debug)]
struct Ordered(Vec<(String, u8)>);

impl Serialize for Ordered {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Ordered;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A>(self, mut map: A) -> std::result::Result<Ordered, A::Error>
            where
                A: MapAccess<'de>,
            {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

#[test]
fn maps_keep_their_order() {
    let server = Server::start().unwrap();
    let entries = ["z", "a", "m", "b", "y"].map(str::to_owned);
    let map = Ordered(entries.into_iter().zip(1..).collect());
    let refusals = [RAW, DALLI_RAW, JAVA, PYTHON];
    check(&clients(&server), "a map", &refusals, &map);
}

/// What came back, unless it is the same. By `Debug`, which tells -0.0 from 0.0, and knows a NaN.
fn differs<T>(client: &Client, value: &T) -> Result<Option<String>>
where
    T: Serialize + DeserializeOwned + Debug,
{
    client.set("value", value, 0)?;
    let found = format!("{:?}", client.get::<T>("value")?);
    let is_same = found == format!("{:?}", Some(value));
    Ok((!is_same).then_some(found))
}

#[test]
fn counters_are_read() -> Result<()> {
    let server = Server::start().unwrap();
    for (format, _, client) in clients(&server) {
        client.set_counter("visits", 41, 0)?;
        assert_eq!(client.incr("visits", 1)?, Some(42));
        assert_eq!(client.get::<u64>("visits")?, Some(42), "{format}");
        // 9 that was 42 is padded with a space.
        assert_eq!(client.decr("visits", 33)?, Some(9));
        assert_eq!(client.get::<u8>("visits")?, Some(9), "{format}");
        client.set_counter("large", u64::MAX - 1, 0)?;
        assert_eq!(client.incr("large", 1)?, Some(u64::MAX));
        assert_eq!(client.get("large")?, Some(u64::MAX), "{format}");
    }
    Ok(())
}

#[test]
fn nothing_is_appended_to_what_it_would_ruin() -> Result<()> {
    let server = Server::start().unwrap();
    let text = "x".repeat(3000);
    for (format, compression, client) in clients(&server) {
        client.set("text", &text, 0)?;
        let mut pipeline = client.pipeline();
        let (behind, before) = (
            pipeline.append("text", "yy"),
            pipeline.prepend("text", "yy"),
        );
        let mut replies = pipeline.run();
        let all = [
            client.append("text", "yy"),
            client.prepend("text", "yy"),
            replies.take(behind),
            replies.take(before),
        ];
        let is_as_it_is = compression == Compression::off()
            && !matches!(format, Format::Dalli | Format::DalliJson);
        for stored in all {
            match stored {
                Ok(stored) => assert!(stored && is_as_it_is, "{format}, {compression}"),
                Err(error) => {
                    assert!(error.is_validation() && !is_as_it_is, "{format}: {error}");
                    assert!(error.to_string().contains("format: "), "{error}");
                }
            }
        }
        let length = if is_as_it_is { 3008 } else { 3000 };
        let found = client.get::<String>("text")?;
        assert_eq!(found.map(|text| text.len()), Some(length), "{format}");
    }
    Ok(())
}

/// Those with which each format's owner reads a number, from whichever call a counter comes.
fn counter_flags(format: Format) -> u32 {
    match format {
        Format::Pylibmc => 4,
        Format::PythonMemcached
        | Format::PymemcachePickle
        | Format::PymemcacheCompressed
        | Format::Pyermc => 2,
        Format::Php | Format::PhpJson => 1,
        Format::MoecachePickle => 274,
        _ => 0,
    }
}

#[test]
fn counters_have_flags() -> Result<()> {
    let server = Memcached::start();
    let protocols = [
        Protocol::Text,
        Protocol::Meta,
        Protocol::Binary,
        Protocol::Auto,
    ];
    let formats = Format::all().filter(|format| cfg!(feature = "json") || !is_json(*format));
    for format in formats {
        for protocol in protocols {
            let client = Client::builder().servers(server.address()).format(format);
            let client = client.protocol(protocol).timeout(Duration::from_secs(20));
            let client = client.build()?;
            let name = |how: &str| format!("{format}-{protocol}-{how}");
            let keys = ["set", "add", "incr", "decr"].map(name);
            client.set_counter(&keys[0], 41, 60)?;
            assert!(client.add_counter(&keys[1], 41, 60)?);
            assert_eq!(client.incr_with_initial(&keys[2], 1, 41, 60)?, 41);
            assert_eq!(client.decr_with_initial(&keys[3], 1, 41, 60)?, 41);
            for key in &keys {
                assert_eq!(client.incr_with_initial(key, 1, 7, 60)?, 42, "{key}");
                let item = client.get::<Item>(key)?.unwrap();
                assert_eq!(item.flags, counter_flags(format), "{key}");
                assert_eq!(item.data, b"42", "{key}");
                assert_eq!(client.get::<u64>(key)?, Some(42), "{key}");
            }
        }
    }
    Ok(())
}

fn is_json(format: Format) -> bool {
    matches!(format, Format::DalliJson | Format::PhpJson)
}

/// Making a counter with flags takes more than one command, and none of the others' counts is lost.
#[test]
fn counters_that_many_make_at_once() {
    const THREADS: u64 = 4;
    const COUNTERS: usize = 50;
    let server = Memcached::start();
    for protocol in [Protocol::Text, Protocol::Meta, Protocol::Binary] {
        let client = Client::builder().servers(server.address());
        let client = client.format(Format::Pylibmc).protocol(protocol);
        let client = client.timeout(Duration::from_secs(20)).build().unwrap();
        let key = |number| format!("{protocol}-{number}");
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for number in 0..COUNTERS {
                        client.incr_with_initial(key(number), 1, 1, 60).unwrap();
                    }
                });
            }
        });
        for number in 0..COUNTERS {
            assert_eq!(client.get(key(number)).unwrap(), Some(THREADS));
        }
    }
}

/// A string of digits is how EnyimMemcached and Python's moecache start a counter.
#[test]
fn counters_that_were_strings() -> Result<()> {
    let server = Memcached::start();
    let formats = [
        Format::Moecache,
        Format::Enyim,
        Format::EnyimCoreMessagePack,
        Format::MoecachePickle,
    ];
    for format in formats {
        let client = Client::builder().servers(server.address()).format(format);
        let client = client.timeout(Duration::from_secs(20)).build()?;
        client.set("count", "10", 60)?;
        assert_eq!(client.get::<u64>("count")?, Some(10), "{format}");
        assert_eq!(client.decr("count", 1)?, Some(9));
        let item = client.get::<Item>("count")?.unwrap();
        assert_eq!((item.flags, &*item.data), (274, &b"9 "[..]));
        assert_eq!(client.get::<u8>("count")?, Some(9), "{format}");
        assert_eq!(client.get::<Option<i64>>("count")?, Some(Some(9)));
        assert_eq!(client.get::<String>("count")?.as_deref(), Some("9 "));
        assert_eq!(client.get::<Json>("count")?, Some(json!("9 ")));
        client.set("count", "9 lives", 60)?;
        let error = client.get::<u64>("count").unwrap_err().to_string();
        assert!(error.ends_with("not u64"), "{error}");
    }
    Ok(())
}
