//! What Python's clients store, and what they make of bytes. Byte for byte, except that of pickles
//! and of compressed data the meaning counts.

use super::recording::{Checked, Read, Recording, Stored};
use super::vectors::unhex;
use super::*;
use serde::Deserialize;
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;
use std::fmt::Debug;

struct Peer {
    format: Format,
    transcoder: Box<dyn Transcoder>,
    stores: usize,
    reads: usize,
    /// What is not checked in full, and why.
    skipped: BTreeMap<&'static str, usize>,
}

const LIMIT: usize = 1 << 20;

macro_rules! recordings {
    ($($name:literal $format:ident $compression:expr;)*) => {
        [$((
            concat!($name, ".json"),
            include_str!(concat!("../../../tests/vectors/values/", $name, ".json")),
            Format::$format,
            $compression,
        ),)*]
    };
}

/// Checks all recordings of Python's clients.
pub(super) fn check() -> Vec<Checked> {
    let off = Compression::off();
    let recordings = recordings! {
        "moecache" MoecachePickle off;
        "moecache_python2" MoecachePickle off;
        "pylibmc" Pylibmc off;
        // `min_compress_len=100` is the least length for this one, and one less for the others.
        "pylibmc_compressed" Pylibmc Compression::zlib().threshold(100);
        "python-memcached" PythonMemcached off;
        "python-memcached_compressed" PythonMemcached Compression::zlib().threshold(101);
        "pymemcache_default" Pymemcache off;
        "pymemcache_pickle_serde" PymemcachePickle off;
        "pymemcache_compressed_serde" PymemcacheCompressed
            Format::PymemcacheCompressed.default_compression();
        "pyermc_default" Pyermc off;
        "pyermc_compressed" Pyermc Compression::lz4().threshold(101);
    };
    let recordings = recordings.into_iter();
    let checked = recordings.map(|(file, json, format, compression)| {
        let recording: Recording = serde_json::from_str(json).unwrap();
        let mut peer = Peer {
            format,
            transcoder: format.transcoder(compression, LIMIT).unwrap(),
            stores: 0,
            reads: 0,
            skipped: BTreeMap::new(),
        };
        for row in &recording.store {
            peer.check_store(row);
        }
        for row in &recording.read {
            peer.check_read(row);
        }
        Checked {
            file,
            peer: recording.peer,
            scheme: recording.scheme,
            stores: peer.stores,
            reads: peer.reads,
            skipped: peer.skipped,
        }
    });
    checked.collect()
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct User {
    name: String,
    age: u8,
}

impl Peer {
    fn check_store(&mut self, row: &Stored) {
        let text = row.value.as_str();
        if row.error.is_some() {
            let error = self.encode(text).unwrap_err();
            assert!(error.is_encode(), "{error}");
            self.stores += 1;
            return;
        }
        match (row.r#type.as_str(), text) {
            ("str" | "bytes", _) if text.starts_with("hex:") => self.bytes(row),
            ("str", _) => self.same(row, &text.to_owned()),
            ("unicode", _) => self.unicode(row),
            ("int" | "long", _) => self.integer(row),
            ("bool", _) => self.same(row, &(text == "True")),
            ("float", _) => self.same(row, &text.parse::<f64>().unwrap()),
            ("NoneType", _) => self.same(row, &None::<u8>),
            (_, "(1, 'two', 3.0)") => self.same(row, &(1, "two".to_owned(), 3.0)),
            (_, "('a', ('b',))") => self.same(row, &("a".to_owned(), ("b".to_owned(),))),
            (_, "{'name': 'bob', 'age': 7}") => {
                let name = "bob".to_owned();
                self.same(row, &User { name, age: 7 });
            }
            (_, "{'k': [1, None, True]}") => {
                let list = (1, None::<u8>, true);
                self.same(row, &BTreeMap::from([("k".to_owned(), list)]));
            }
            (_, "{'a': 1}") => self.same(row, &BTreeMap::from([("a".to_owned(), 1)])),
            ("list", _) => {
                let items = text[1..text.len() - 1].split(", ");
                let items: Vec<u64> = items.map(|item| item.parse().unwrap()).collect();
                self.same(row, &items);
            }
            (unknown, _) => panic!("{unknown} {text}"),
        }
    }

    /// Read as this, and stored from it as the peer did.
    fn same<T>(&mut self, row: &Stored, value: &T)
    where
        T: Serialize + DeserializeOwned + PartialEq + Debug,
    {
        let name = format!("{} {} {}", self.format, row.r#type, row.value);
        let item = Item::new(row.flags, unhex(&row.hex));
        if self.format == Format::Pymemcache && !matches!(row.r#type.as_str(), "str" | "bytes") {
            return self.shown(row, value);
        }
        let read: T = self
            .decode(item.clone())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read, *value, "{name}");
        let ours = self
            .encode(value)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(ours.flags, row.flags, "{name}");
        let is_pickle = match self.format {
            Format::MoecachePickle => row.flags == 256,
            _ => row.flags & 1 != 0,
        };
        let is_compressed = self.format != Format::MoecachePickle && row.flags & 8 != 0;
        if !is_pickle && !is_compressed {
            assert_eq!(ours, item, "{name}");
        }
        assert_eq!(self.decode::<T>(ours).unwrap(), *value, "{name}");
        self.stores += 1;
    }

    /// pymemcache without a serde: what `str` shows, read as bytes.
    fn shown<T: Serialize>(&mut self, row: &Stored, value: &T) {
        let item = Item::new(0, unhex(&row.hex));
        match row.r#type.as_str() {
            "tuple" | "list" | "dict" => {
                assert!(self.encode(value).unwrap_err().is_encode());
                self.skip("containers are refused");
            }
            _ => {
                assert_eq!(self.encode(value).unwrap(), item, "{}", row.value);
                self.stores += 1;
            }
        }
        let read: String = self.decode(item).unwrap();
        assert_eq!(read, row.value);
    }

    /// Bytes; what Python 2 calls a str too.
    fn bytes(&mut self, row: &Stored) {
        let data = unhex(&row.value[4..]);
        let item = Item::new(row.flags, unhex(&row.hex));
        let read = decode_bytes(&*self.transcoder, item.clone()).unwrap();
        assert_eq!(read, data);
        if self.format != Format::MoecachePickle || row.r#type == "bytes" {
            return self.same(row, &ByteBuf::from(data));
        }
        match String::from_utf8(data) {
            Ok(text) => self.same(row, &text),
            Err(_) => self.skip("Python 2's str of no text is written as bytes"),
        }
    }

    /// Python 2's, of which a recording shows the repr.
    fn unicode(&mut self, row: &Stored) {
        let quoted = row
            .value
            .strip_prefix("u'")
            .and_then(|text| text.strip_suffix('\''));
        let quoted = quoted
            .unwrap()
            .replace("\\xe9", "é")
            .replace("\\u65e5", "日");
        let item = Item::new(row.flags, unhex(&row.hex));
        assert_eq!(self.decode::<String>(item).unwrap(), quoted);
        self.skip("Python 2's unicode is written as str");
    }

    fn integer(&mut self, row: &Stored) {
        let digits = row.value.strip_suffix('L').unwrap_or(&row.value);
        let item = Item::new(row.flags, unhex(&row.hex));
        match (digits.parse::<i128>(), self.format) {
            (Ok(number), Format::Pyermc)
                if row.r#type == "long" && i64::try_from(number).is_ok() =>
            {
                assert_eq!(self.decode::<i128>(item).unwrap(), number);
                self.skip("a long of 64 bits is written as an int");
            }
            (Ok(number), Format::Pymemcache) => {
                assert_eq!(self.decode::<i128>(item).unwrap(), number);
                self.same(row, &number);
            }
            (Ok(number), _) => self.same(row, &number),
            (Err(_), _) => {
                let error = complaint(self.decode::<i128>(item));
                assert!(error.ends_with("of more than 128 bits"), "{error}");
                self.skip("an integer of more than 128 bits is refused");
            }
        }
    }

    fn check_read(&mut self, row: &Read) {
        for &flags in row.flags() {
            self.check_one_read(row, &Item::new(flags, unhex(&row.hex)));
            self.reads += 1;
        }
    }

    fn check_one_read(&mut self, row: &Read, item: &Item) {
        let name = format!("{} flags {}: {}", self.format, item.flags, row.hex);
        let item = || item.clone();
        let any = || self.decode::<serde_json::Value>(item());
        let text = row.value.as_str();
        match row.kind.as_str() {
            "bytes" => {
                let data = unhex(&text.unwrap()[4..]);
                assert_eq!(self.decode::<ByteBuf>(item()).unwrap(), data, "{name}");
                // Without a serde, pymemcache stores a str in the same way.
                let expected = match std::str::from_utf8(&data) {
                    Ok(text) if self.format == Format::Pymemcache => serde_json::json!(text),
                    _ => serde_json::json!(data),
                };
                assert_eq!(any().unwrap(), expected, "{name}");
            }
            "str(py2 bytes)" => {
                let data = unhex(&text.unwrap()[4..]);
                let read = decode_bytes(&*self.transcoder, item());
                assert_eq!(read.unwrap(), data, "{name}");
            }
            "str" => {
                assert_eq!(
                    self.decode::<String>(item()).unwrap(),
                    text.unwrap(),
                    "{name}"
                );
                assert_eq!(any().unwrap(), row.value, "{name}");
            }
            "int" | "long" => {
                let shown = row.value.to_string();
                let number: i64 = shown.trim_matches(['"', 'L']).parse().unwrap();
                assert_eq!(self.decode::<i64>(item()).unwrap(), number, "{name}");
                assert_eq!(any().unwrap(), serde_json::json!(number), "{name}");
            }
            "None" if self.format == Format::Pyermc => {
                assert_eq!(self.decode::<Option<u8>>(item()).unwrap(), None, "{name}");
                assert_eq!(self.decode::<String>(item()).unwrap(), "", "{name}");
            }
            // What is damaged reads as None in some of them, so as a miss.
            "None" | "error" => {
                // moecache's str may be one of Python 2, where it is bytes.
                let error = match (self.format, item().flags) {
                    (Format::MoecachePickle, 274) => complaint(self.decode::<String>(item())),
                    _ => complaint(self.transcoder.decode(item())),
                };
                let client = self.format.to_string();
                let client = client.split(':').next().unwrap();
                let unknown = format!("flags {}, which {client} does not know: ", item().flags);
                let described = ["a ", "an ", "bytes ", "compressed "]
                    .map(|what| format!("the item is {what}"));
                let mut is_named = described.iter().chain([&unknown]);
                assert!(
                    is_named.any(|named| error.starts_with(named)),
                    "{name}: {error}"
                );
            }
            unknown => panic!("{unknown}"),
        }
    }

    fn skip(&mut self, why: &'static str) {
        *self.skipped.entry(why).or_default() += 1;
    }

    fn decode<T: DeserializeOwned>(&self, item: Item) -> Result<T, Error> {
        decode(&*self.transcoder, item)
    }

    fn encode<V: Serialize + ?Sized>(&self, value: &V) -> Result<Item, Error> {
        encode_item(&*self.transcoder, value)
    }
}
