//! What the clients of .NET, Ruby, PHP, Java and Go store, and what they make of bytes. Byte for byte,
//! except that of compressed data the meaning counts.

use super::recording::{Checked, Read, Recording, Stored};
use super::vectors::unhex;
use super::*;
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::{Duration, SystemTime};

struct Peer {
    format: Format,
    transcoder: Box<dyn Transcoder>,
    stores: usize,
    reads: usize,
    refused: usize,
    /// What is not checked in full, and why.
    skipped: BTreeMap<&'static str, usize>,
}

const LIMIT: usize = 1 << 20;

macro_rules! recordings {
    ($($name:literal $format:ident;)*) => {
        [$((
            concat!($name, ".json"),
            include_str!(concat!("../../../tests/vectors/values/", $name, ".json")),
            Format::$format,
        ),)*]
    };
}

/// Checks all recordings of the clients of Ruby, PHP, Java and Go.
pub(super) fn check() -> Vec<Checked> {
    let recordings = recordings! {
        "dalli_default" Dalli;
        "dalli_string_fastpath" DalliStringFastpath;
        "dalli_json" DalliJson;
        "dalli_raw" DalliRaw;
        "php-memcached_php" Php;
        "php-memcached_json" PhpJson;
        "spymemcached" Spymemcached;
        "gomemcache" Raw;
    };
    let checked = recordings.into_iter().map(|(file, json, format)| {
        let recording: Recording = serde_json::from_str(json).unwrap();
        let compression = format.default_compression();
        let mut peer = Peer {
            format,
            transcoder: format.transcoder(compression, LIMIT).unwrap(),
            stores: 0,
            reads: 0,
            refused: 0,
            skipped: BTreeMap::new(),
        };
        for row in &recording.store {
            peer.check_store(row);
        }
        for row in &recording.read {
            for &flags in row.flags() {
                peer.check_read(row, &Item::new(flags, unhex(&row.hex)));
            }
        }
        let skipped: usize = peer.skipped.values().sum();
        assert_eq!(peer.stores + skipped, recording.store.len(), "{format}");
        Checked {
            file,
            peer: recording.peer,
            scheme: recording.scheme,
            stores: peer.stores,
            reads: peer.reads + peer.refused,
            skipped: peer.skipped,
        }
    });
    checked.collect()
}

impl Peer {
    fn check_store(&mut self, row: &Stored) {
        let text = row.value.as_str();
        let after = |mark: &str| text.split_once(mark).map(|(_, rest)| rest);
        match (row.r#type.as_str(), text) {
            // PHP's list has a float in it, which becomes 3 in JSON.
            (_, "[1,\"two\",3]") if self.format == Format::PhpJson => {
                self.same(row, &(1, "two".to_owned(), 3));
                let item = Item::new(row.flags, unhex(&row.hex));
                let read: (u8, String, f64) = self.decode(item).unwrap();
                assert_eq!(read, (1, "two".to_owned(), 3.0));
            }
            (_, "[1, \"two\", 3.0]" | "[1,\"two\",3]") => {
                self.same(row, &(1, "two".to_owned(), 3.0));
            }
            (_, "{\"a\"=>1}" | "{\"a\":1}") => {
                self.same(row, &BTreeMap::from([("a".to_owned(), 1)]));
            }
            ("Array", _) => self.same(row, &serde_json::from_str::<Vec<u32>>(text).unwrap()),
            ("Symbol", _) => {
                if row.error.is_none() {
                    let item = Item::new(row.flags, unhex(&row.hex));
                    assert_eq!(self.decode::<String>(item).unwrap(), text[1..]);
                }
                self.skip("a Symbol is read as a string, and never written");
            }
            ("java.lang.Short" | "java.lang.Character" | "java.util.ArrayList", _) => {
                let item = Item::new(row.flags, unhex(&row.hex));
                let error = complaint(self.decode::<serde::de::IgnoredAny>(item));
                let expected =
                    "the item is a serialised Java object (flags 1) that is not executed";
                assert_eq!(error, expected);
                self.skip("a serialised Java object is refused by name");
            }
            ("[]byte with caller's Flags", _) if row.flags != 0 => {
                let item = Item::new(row.flags, unhex(&row.hex));
                let read = self.decode::<ByteBuf>(item).unwrap();
                assert_eq!(read, unhex(after("hex:").unwrap()));
                self.skip("flags of the program's own are stored as an Item");
            }
            ("String(UTF-8)" | "java.lang.String", _) => self.string(row),
            ("string" | "String(ASCII-8BIT)" | "[B" | "[]byte with caller's Flags", _) => {
                self.bytes(row, &unhex(after("hex:").unwrap()));
            }
            ("java.util.Date", _) => {
                let milliseconds = Duration::from_millis(after("=").unwrap().parse().unwrap());
                let moment = SystemTime::UNIX_EPOCH + milliseconds;
                self.same(row, &DateTime::from_system_time(moment).unwrap());
            }
            ("Integer" | "integer", _) => self.same(row, &text.parse::<i128>().unwrap()),
            ("java.lang.Byte", _) => self.same(row, &text.parse::<i8>().unwrap()),
            ("java.lang.Integer", _) => self.same(row, &text.parse::<i32>().unwrap()),
            ("java.lang.Long", _) => self.same(row, &text.parse::<i64>().unwrap()),
            ("java.lang.Float", _) => self.same(row, &text.parse::<f32>().unwrap()),
            ("Float" | "double" | "java.lang.Double", _) => {
                self.same(row, &text.parse::<f64>().unwrap());
            }
            ("TrueClass" | "FalseClass" | "boolean" | "java.lang.Boolean", _) => {
                self.same(row, &(text == "true"));
            }
            ("NilClass" | "NULL", _) => self.same(row, &None::<u8>),
            (unknown, _) => panic!("{unknown} {text}"),
        }
    }

    fn string(&mut self, row: &Stored) {
        let text = match row.value.strip_prefix("hex:") {
            Some(hex) => String::from_utf8(unhex(hex)).unwrap(),
            None => row.value.clone(),
        };
        self.same(row, &text);
    }

    fn bytes(&mut self, row: &Stored, data: &[u8]) {
        if self.format == Format::DalliJson && row.error.is_none() {
            return self.string(row);
        }
        self.same(row, &ByteBuf::from(data));
        if row.error.is_none() {
            let item = Item::new(row.flags, unhex(&row.hex));
            assert_eq!(decode_bytes(&*self.transcoder, item).unwrap(), data);
        }
    }

    /// Read as this, and stored from it as the peer did, or refused as the peer did.
    fn same<T>(&mut self, row: &Stored, value: &T)
    where
        T: Serialize + DeserializeOwned + PartialEq + Debug,
    {
        let name = format!("{} {} {}", self.format, row.r#type, row.value);
        self.stores += 1;
        if row.error.is_some() {
            let error = self.encode(value).unwrap_err();
            assert!(error.is_encode(), "{name}: {error}");
            return;
        }
        let item = Item::new(row.flags, unhex(&row.hex));
        let read: T = self
            .decode(item.clone())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read, *value, "{name}");
        let ours = self
            .encode(value)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        // php-memcached reads zlib (0x20) and writes FastLZ (0x40).
        let compression = match self.format {
            Format::Php | Format::PhpJson => 0x70,
            _ => 2,
        };
        if row.flags & compression == 0 {
            assert_eq!(ours, item, "{name}");
        } else {
            assert_eq!(ours.flags & !0x60, row.flags & !0x60, "{name}");
            assert_eq!(self.decode::<T>(ours).unwrap(), *value, "{name}");
        }
    }

    fn check_read(&mut self, row: &Read, item: &Item) {
        let name = format!("{} flags {}: {}", self.format, item.flags, row.hex);
        let item = || item.clone();
        let text = row.value.as_str().unwrap_or_default();
        let hex = text.strip_prefix("hex:");
        let same = match row.kind.as_str() {
            "String(ASCII-8BIT)" | "string" | "bytes" | "[B" => {
                let read = decode_bytes(&*self.transcoder, item());
                read.map(|read| assert_eq!(read, unhex(hex.unwrap()), "{name}"))
            }
            "String(UTF-8)" => {
                let read = self.decode::<String>(item());
                read.map(|read| assert_eq!(read.as_bytes(), unhex(hex.unwrap()), "{name}"))
            }
            "java.lang.String" => self.reads(item(), &text.to_owned(), &name),
            "Integer" | "integer" => self.reads(item(), &text.parse::<i64>().unwrap(), &name),
            "java.lang.Integer" => self.reads(item(), &text.parse::<i32>().unwrap(), &name),
            "double" => self.reads(item(), &text.parse::<f64>().unwrap(), &name),
            "boolean" | "java.lang.Boolean" => self.reads(item(), &(text == "true"), &name),
            "NilClass" => self.reads(item(), &None::<u8>, &name),
            "java.util.Date" => {
                let milliseconds = text.split_once('=').unwrap().1.parse().unwrap();
                let moment = SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds);
                match DateTime::from_system_time(moment) {
                    Some(date) => self.reads(item(), &date, &name),
                    None => Err(self.transcoder.decode(item()).err().unwrap()),
                }
            }
            // What it cannot read, spymemcached reads as null.
            "error" | "null" => match self.transcoder.decode(item()) {
                Ok(_) => panic!("{name}: read"),
                Err(error) => Err(error),
            },
            unknown => panic!("{unknown}"),
        };
        match same {
            Ok(()) => self.reads += 1,
            Err(error) => {
                let error = error.to_string();
                let unknown = format!("flags {}, which ", item().flags);
                let is_named = error.starts_with("the item is a")
                    || error.starts_with("the item is JSON")
                    || error.starts_with("the item is bytes")
                    || error.starts_with("the item is compressed")
                    || error.starts_with(&unknown);
                assert!(is_named, "{name}: {error}");
                self.refused += 1;
            }
        }
    }

    fn reads<T>(&self, item: Item, expected: &T, name: &str) -> Result<(), Error>
    where
        T: DeserializeOwned + PartialEq + Debug,
    {
        let read: T = self.decode(item)?;
        assert_eq!(read, *expected, "{name}");
        Ok(())
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
