//! Every format that this build has: what it takes it gives back, or says that it cannot; and what
//! memcached itself does to its values.

use moecache::testing::Server;
use moecache::value::{Compression, DateTime, Format};
use moecache::{Client, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// Each format with each compression that it knows; pymemcache without a serde stores what nobody
/// can read back.
fn clients(server: &Server) -> Vec<(Format, Compression, Client)> {
    let compressions = [
        Compression::off(),
        Compression::zlib().threshold(1),
        Compression::gzip().threshold(1),
        Compression::lz4().threshold(1),
        Compression::zstd().threshold(1),
    ];
    let formats = Format::all().filter(|format| *format != Format::Pymemcache);
    let all = formats.flat_map(|format| compressions.map(|compression| (format, compression)));
    let built = all.filter_map(|(format, compression)| {
        let builder = Client::builder().servers(server).format(format);
        let client = builder.compression(compression).build().ok()?;
        Some((format, compression, client))
    });
    built.collect()
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

#[test]
fn what_is_taken_is_given_back() {
    let server = Server::start().unwrap();
    let clients = clients(&server);
    let check = |name: &str, goes_round: &dyn Fn(&Client) -> Result<Option<String>>| {
        let mut taken = 0;
        for (format, compression, client) in &clients {
            match goes_round(client) {
                Ok(None) => taken += 1,
                Ok(Some(found)) => panic!("{format}, {compression}: {name}: {found}"),
                Err(error) if error.is_encode() => {}
                Err(error) => panic!("{format}, {compression}: {name}: {error}"),
            }
        }
        assert!(taken > 0, "{name}");
    };
    macro_rules! check {
        ($($value:expr;)*) => {$(
            check(stringify!($value), &|client| differs(client, &$value));
        )*};
    }
    check! {
        f64::NAN; f32::NAN; -0.0_f64; -0.0_f32; f64::INFINITY; f32::NEG_INFINITY; 5e-324_f64;
        f64::MAX; f32::MAX; 0.1_f32; 0.1_f64; 1e16_f64; 16_777_217.0_f64; 2.291_712_365_432_881e-9_f64;
        i128::MIN; u128::MAX; u64::MAX; i64::MIN; i8::MIN; 0_u8; 1_i64; 53_u8; 1_i64 << 30;
        true; false; (); 'a'; '1'; '\0'; '😀';
        String::from("1"); String::from("true"); String::from("None"); String::from("null");
        String::from(" 5 "); String::from("a\0b\r\n"); "größer ".repeat(500);
        ByteBuf::from(b"text".to_vec()); ByteBuf::from(b"12".to_vec()); ByteBuf::from(vec![255, 0]);
        vec![1_u8]; Vec::<u8>::new(); Vec::<i32>::new(); vec![Some(1_u8), None]; vec![vec![1_u8], vec![]];
        (1_u8, 2_u8); (1_u16,); (String::from("a"), vec![1.5_f32, 0.1], Some(false));
        None::<String>; Some(0_u8); Some(false); Some(String::from("None")); Some(Some(0.0_f64));
        Variant::Unit; Variant::Newtype(None); Variant::Newtype(Some(String::new()));
        Variant::Tuple(-1, String::from("1")); Variant::Struct { at: 1 << 40, by: Some('1') };
        BTreeMap::<String, u8>::new(); BTreeMap::from([(String::from("0"), 0)]);
        BTreeMap::from([(0_u8, 'a'), (1, 'b')]); BTreeMap::from([(-5_i64, 1)]);
        BTreeMap::from([(true, 1)]); BTreeMap::from([((1, true), ByteBuf::from(b"12".to_vec()))]);
        DateTime(0); DateTime(621_355_968_000_000_000); vec![DateTime(-5)];
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
    // pyermc's None is no bytes.
    for (format, compression, client) in &clients {
        let differs = differs(client, &Some(String::new())).unwrap();
        let is_pyermc = *format == Format::Pyermc;
        assert_eq!(differs.is_some(), is_pyermc, "{format}, {compression}");
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
        match client.get::<u64>("visits") {
            Err(error) if format == Format::MoecachePickle => assert!(error.is_decode()),
            count => assert_eq!(count?, Some(42), "{format}"),
        }
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
