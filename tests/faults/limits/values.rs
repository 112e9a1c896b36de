//! Items that claim to be, or become, far more than they are: stored on a real memcached as they are,
//! and read in the formats of all clients.

use super::memory::measured;
use super::support::Memcached;
use moecache::value::Format;
use moecache::{Client, ItemRef};
use std::collections::HashMap;

const MIB: usize = 1 << 20;

fn reader(server: &Memcached, format: Format) -> Client {
    let client = Client::builder().servers(server.address()).format(format);
    let client = client.max_decompressed_size(MIB).timeout(super::LONG);
    client.build().unwrap()
}

/// Reads the value, and tells whether that is refused.
type Refuses = fn(&Client) -> bool;

/// Reading it as anything is an error, or gives little.
fn is_small(row: &str, server: &Memcached, format: Format, flags: u32, data: &[u8]) {
    let client = reader(server, format);
    client.set("key", ItemRef { flags, data }, 0).unwrap();
    let reads: [(&str, Refuses); 5] = [
        ("text", |it| it.get::<String>("key").is_err()),
        ("numbers", |it| it.get::<Vec<u64>>("key").is_err()),
        ("texts", |it| it.get::<Vec<String>>("key").is_err()),
        ("a map", |it| {
            it.get::<HashMap<String, String>>("key").is_err()
        }),
        ("anything", |it| it.get::<serde_json::Value>("key").is_err()),
    ];
    for (kind, read) in reads {
        let (is_refused, took) = measured(|| read(&client));
        assert!(is_refused, "{row} as {kind}: it is read");
        // The limit, while it grows; and some for each byte that did come.
        let most = 4 * MIB + 16 * data.len();
        assert!(took < most, "{row} as {kind}: {took} bytes");
    }
}

/// A few bytes that claim gigabytes.
#[test]
fn claims() {
    const OBJECT: u32 = 0x4d40;
    let most = [0xff; 8];
    let with = |head: &[u8], length: usize| [head, &most[..length]].concat();
    let rows = [
        (
            "an array of MessagePack",
            Format::Moecache,
            OBJECT,
            with(b"\xdd", 4),
        ),
        (
            "a map of MessagePack",
            Format::Moecache,
            OBJECT,
            with(b"\xdf", 4),
        ),
        (
            "a text of MessagePack",
            Format::Moecache,
            OBJECT,
            with(b"\xdb", 4),
        ),
        (
            "bytes of MessagePack",
            Format::Moecache,
            OBJECT,
            with(b"\xc6", 4),
        ),
        (
            "an extension of MessagePack",
            Format::Moecache,
            OBJECT,
            with(b"\xc9", 4),
        ),
        (
            "arrays in arrays",
            Format::Moecache,
            OBJECT,
            b"\xdd\xff\xff\xff\xff".repeat(100_000),
        ),
    ];
    let server = Memcached::start();
    for (row, format, flags, data) in rows {
        is_small(row, &server, format, flags, &data);
    }
}

#[cfg(feature = "pickle")]
#[test]
fn claims_of_pickles() {
    const PICKLE: u32 = 1;
    let rows: [(&str, Vec<u8>); 8] = [
        (
            "a text",
            [&b"\x80\x04\x8d"[..], &[0xff; 7], &[0x7f]].concat(),
        ),
        ("a text of 4 GiB", b"\x80\x03X\xff\xff\xff\xff".to_vec()),
        (
            "bytes",
            [&b"\x80\x04\x8e"[..], &[0xff; 7], &[0x7f]].concat(),
        ),
        (
            "a bytearray",
            [&b"\x80\x05\x96"[..], &[0xff; 7], &[0x7f]].concat(),
        ),
        ("an integer", b"\x80\x02\x8b\xff\xff\xff\x7f".to_vec()),
        (
            "a frame",
            [&b"\x80\x04\x95"[..], &[0xff; 7], &[0x7f]].concat(),
        ),
        (
            "a place in the memo",
            b"\x80\x02K\x01r\xff\xff\xff\xff]j\xff\xff\xff\xff".to_vec(),
        ),
        ("marks", b"(".repeat(500_000)),
    ];
    let server = Memcached::start();
    for format in [
        Format::Pylibmc,
        Format::PymemcachePickle,
        Format::PythonMemcached,
    ] {
        for (row, data) in &rows {
            is_small(row, &server, format, PICKLE, data);
        }
    }
}

/// A list that holds the one before it twice, 60 times: 2^60 elements in 300 bytes.
#[cfg(feature = "pickle")]
#[test]
fn a_pickle_that_unfolds() {
    let mut pickle = b"\x80\x02]q\x00".to_vec();
    for number in 0..60_u8 {
        let next = number + 1;
        pickle.extend([
            b'0', b']', b'q', next, b'(', b'h', number, b'h', number, b'e',
        ]);
    }
    pickle.push(b'.');
    is_small("a pickle", &Memcached::start(), Format::Pylibmc, 1, &pickle);
}

#[cfg(feature = "json")]
#[test]
fn claims_of_json() {
    let server = Memcached::start();
    let nested = b"[".repeat(500_000);
    is_small("JSON", &server, Format::DalliJson, 1, &nested);
    is_small("JSON", &server, Format::PhpJson, 6, &nested);
}

#[test]
fn claims_of_ruby_and_php() {
    const MARSHAL: u32 = 1;
    /// php-memcached's flags of what `serialize` made.
    const SERIALIZED: u32 = 4;
    let server = Memcached::start();
    let rows: [(&str, Vec<u8>); 6] = [
        ("an array", b"\x04\x08[\x04\xff\xff\xff\x3f".to_vec()),
        ("a hash", b"\x04\x08{\x04\xff\xff\xff\x3f".to_vec()),
        ("a string", b"\x04\x08\"\x04\xff\xff\xff\x3f".to_vec()),
        ("an integer", b"\x04\x08l+\x04\xff\xff\xff\x3f".to_vec()),
        ("a symbol", b"\x04\x08:\x04\xff\xff\xff\x3f".to_vec()),
        (
            "arrays in arrays",
            [&b"\x04\x08"[..], &b"[\x06".repeat(200_000)].concat(),
        ),
    ];
    for (row, data) in rows {
        is_small(row, &server, Format::Dalli, MARSHAL, &data);
    }
    let rows: [(&str, Vec<u8>); 3] = [
        ("an array", b"a:4294967295:{".to_vec()),
        ("a string", b"s:4294967295:\"".to_vec()),
        ("arrays in arrays", b"a:1:{i:0;".repeat(50_000)),
    ];
    for (row, data) in rows {
        is_small(row, &server, Format::Php, SERIALIZED, &data);
    }
}

/// 16 MiB that a server holds in a few KB.
#[cfg(all(feature = "zlib", feature = "lz4", feature = "zstd"))]
#[test]
fn decompression_bombs() {
    use moecache::value::Compression;
    let server = Memcached::start();
    let bomb = "x".repeat(16 * MIB);
    let rows = [
        (Format::Pylibmc, Compression::zlib()),
        (Format::PythonMemcached, Compression::zlib()),
        (Format::PymemcacheCompressed, Compression::zlib()),
        (Format::Dalli, Compression::zlib()),
        (Format::Php, Compression::zlib()),
        (Format::Spymemcached, Compression::gzip()),
        (Format::Pyermc, Compression::lz4()),
        (Format::Moecache, Compression::lz4()),
        (Format::Moecache, Compression::zstd()),
        (Format::Enyim, Compression::zstd()),
    ];
    for (format, compression) in rows {
        let writer = Client::builder().servers(server.address()).format(format);
        let writer = writer.compression(compression).timeout(super::LONG);
        writer.build().unwrap().set("key", &bomb, 0).unwrap();
        let client = reader(&server, format);
        let (result, took) = measured(|| client.get::<String>("key"));
        let error = result.unwrap_err();
        assert!(error.is_decode(), "{format}, {compression}: {error}");
        let words = "more than 1048576 bytes when decompressed, which max_decompressed_size";
        assert!(error.to_string().contains(words), "{format}: {error}");
        assert!(took < 5 * MIB, "{format}, {compression}: {took} bytes");
    }
}
