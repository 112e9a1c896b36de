//! Every format: what it takes it gives back, and what it cannot hold it refuses; and what memcached
//! itself does to its values.

use crate::support;

use moecache::testing::Server;
use moecache::value::{Compression, DateTime, Format};
use moecache::{Client, Error, Protocol, Result};
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
/// serde stores what nobody can read back.
fn clients(server: &Server) -> Vec<(Format, Compression, Client)> {
    let all = [
        Compression::zlib(),
        Compression::gzip(),
        Compression::lz4(),
        Compression::zstd(),
    ];
    let mut clients = Vec::new();
    for format in Format::all().filter(|format| *format != Format::Pymemcache) {
        let known = compressions(format);
        let builder = Client::builder().servers(server).format(format);
        for compression in [Compression::off()].into_iter().chain(all) {
            let is_off = compression == Compression::off();
            let is_known = is_off || known.contains(&compression);
            let compression = if is_off {
                compression
            } else {
                compression.threshold(1)
            };
            match builder.clone().compression(compression).build() {
                Ok(client) if is_known => clients.push((format, compression, client)),
                Err(error) if !is_known => assert!(error.is_validation(), "{format}: {error}"),
                Err(error) if wants_feature(&error) => {}
                built => panic!("{format}, {compression}: {built:?}"),
            }
        }
    }
    clients
}

/// Whether it is only for the features of this build.
fn wants_feature(error: &Error) -> bool {
    error.to_string().contains("needs the feature")
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

/// A format refuses the values that stand behind its name, and no others.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_is_taken_is_given_back() {
    let server = Server::start().unwrap();
    let clients = clients(&server);
    let check = |name: &str,
                 refusing: &[Format],
                 goes_round: &dyn Fn(&Client) -> Result<Option<String>>| {
        for (format, compression, client) in &clients {
            let is_refused = refusing.contains(format);
            match goes_round(client) {
                Ok(None) => assert!(!is_refused, "{format}, {compression}: {name} is taken"),
                Err(error) if wants_feature(&error) => {}
                Ok(Some(found)) => panic!("{format}, {compression}: {name}: {found}"),
                Err(error) => assert!(
                    is_refused && error.is_encode(),
                    "{format}, {compression}: {name}: {error}"
                ),
            }
        }
    };
    macro_rules! check {
        ($($refusing:tt { $($value:expr;)* })*) => {$(
            check!(@ $refusing [$((stringify!($value), &|client| differs(client, &$value)),)*]);
        )*};
        (@ [$($refusing:ident)*] $rows:expr) => {
            let rows: &[(&str, &dyn Fn(&Client) -> Result<Option<String>>)] = &$rows;
            for (name, goes_round) in rows {
                check(name, &[$(Format::$refusing),*], goes_round);
            }
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
        [DalliJson] {
            ByteBuf::from(b"text".to_vec()); ByteBuf::from(b"12".to_vec());
            ByteBuf::from(vec![255, 0]); vec![1_u8]; (1_u8, 2_u8);
            Untagged::Bytes(ByteBuf::from(vec![255, 0]));
        }
        [DalliRaw] {
            i64::MIN; i8::MIN; 0_u8; 1_i64; 53_u8; 1_i64 << 30; Some(0_u8);
        }
        [DalliRaw Php PhpJson Spymemcached] {
            i128::MIN; u128::MAX; u64::MAX;
        }
        [Raw DalliRaw] {
            -0.0_f64; -0.0_f32; 5e-324_f64; f64::MAX; f32::MAX; 0.1_f32; 0.1_f64; 1e16_f64;
            16_777_217.0_f64; 2.291_712_365_432_881e-9_f64; Some(Some(0.0_f64));
            true; false; Some(false);
            json!(1.5);
        }
        [Raw DalliJson DalliRaw] {
            f64::NAN; f32::NAN; f64::INFINITY; f32::NEG_INFINITY;
        }
        [Raw DalliRaw Spymemcached] {
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
        [Raw DalliJson DalliRaw Spymemcached PhpJson] {
            BTreeMap::from([(0_u8, 'a'), (1, 'b')]); BTreeMap::from([(-5_i64, 1)]);
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
        [Raw DalliJson DalliRaw Php PhpJson Spymemcached] {
            BTreeMap::from([(true, 1)]);
            BTreeMap::from([((1, true), ByteBuf::from(b"12".to_vec()))]);
        }
        [
            MoecachePickle Raw Pylibmc PythonMemcached PymemcachePickle PymemcacheCompressed Pyermc
            Dalli DalliStringFastpath DalliJson DalliRaw Php PhpJson Spymemcached
        ] {
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
    for (format, compression, client) in &clients {
        let utc = DateTime(621_355_968_000_000_000 + (1 << 62));
        let taken = differs(client, &utc).is_ok_and(|differs| differs.is_none());
        let has_dates = [
            Format::Moecache,
            Format::Enyim,
            Format::EnyimCoreMessagePack,
            Format::Spymemcached,
        ];
        assert_eq!(taken, has_dates.contains(format), "{format}, {compression}");
    }
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
    for (format, compression, client) in clients(&server) {
        match differs(&client, &map) {
            Err(error) if wants_feature(&error) => {}
            Err(error) if error.is_encode() => assert!(
                [Format::Raw, Format::DalliRaw, Format::Spymemcached].contains(&format),
                "{format}: {error}"
            ),
            differs => assert_eq!(differs.unwrap(), None, "{format}, {compression}"),
        }
    }
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
                let item = client.get_item(key)?.unwrap();
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
        let item = client.get_item("count")?.unwrap();
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
