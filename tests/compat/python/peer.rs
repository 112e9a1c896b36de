//! The Python clients: how each stores values, what it makes of flags, and a process that calls it.

use crate::support::Python;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// The flags that this client stores a string, bytes, an i32 and MessagePack with.
pub const STRING: u32 = 274;
pub const RAW: u32 = 0xfa52;
pub const INT32: u32 = 265;
pub const MSGPACK: u32 = 0x4d40;

/// A Python client.
#[derive(Debug)]
pub struct Peer {
    /// As driver.py calls it.
    pub name: &'static str,
    /// The flags that it stores `str`, `bytes` and `int` with.
    pub text: u32,
    pub bytes: u32,
    pub number: u32,
    /// Whether its `touch` can be used.
    pub touches: bool,
    /// What it reads an item with these flags as.
    pub reads: fn(u32) -> Read,
}

#[derive(Debug, Clone, Copy)]
pub enum Read {
    Bytes,
    Text,
    Number,
    None,
    Raises(&'static str),
}

impl Read {
    /// What comes of the data, as driver.py says it.
    pub fn of(self, data: &[u8]) -> Value {
        match (self, std::str::from_utf8(data)) {
            (Self::Bytes, _) => bytes(data),
            (Self::Text, Ok(text)) => json!(text),
            (Self::Text, Err(_)) => json!({ "raises": "UnicodeDecodeError" }),
            (Self::Number, text) => json!(text.unwrap().trim_end().parse::<i64>().unwrap()),
            (Self::None, _) => Value::Null,
            (Self::Raises(class), _) => json!({ "raises": class }),
        }
    }
}

/// Bytes, as driver.py takes and gives them.
pub fn bytes(data: &[u8]) -> Value {
    json!({ "bytes": data.iter().copied().map(char::from).collect::<String>() })
}

pub const MOECACHE: Peer = Peer {
    name: "moecache",
    text: STRING,
    // Everything else is a pickle.
    bytes: 256,
    number: 256,
    touches: false,
    reads: |flags| match flags {
        STRING => Read::Text,
        _ => Read::Raises("ClientException"),
    },
};

/// Of the bits that it knows, 8 inflates, and the others must be one of its types as a whole: so 274 and
/// 0xfa52 are "unknown memcached key flags 18", and 265 fails to inflate.
/// (`_PylibMC_deserialize_native` in `_pylibmcmodule.c`.)
fn pylibmc(flags: u32) -> Read {
    match flags {
        // None of the bits that it knows is set.
        0 | MSGPACK => Read::Bytes,
        2 | 4 => Read::Number,
        16 => Read::Text,
        _ => Read::Raises("Error"),
    }
}

/// Looks for single bits, text (16) before integers (2 and 4) before pickles (1): so 274 and 0xfa52
/// are text, and 265 is a pickle. (`python_memcache_deserializer` in `pymemcache/serde.py`.)
fn pickle_serde(flags: u32) -> Read {
    match flags {
        0 | MSGPACK => Read::Bytes,
        2 | 4 => Read::Number,
        16 | STRING | RAW => Read::Text,
        // What fails to unpickle is None.
        INT32 => Read::None,
        _ => unreachable!("not known, as no test stores it: {flags}"),
    }
}

/// As `pickle_serde`, but bit 8 inflates first. (`CompressedSerde` there, and `_recv_value` in
/// `memcache.py`, which raises on flags that have none of its bits.)
fn zlib(flags: u32, msgpack: Read) -> Read {
    match flags {
        INT32 => Read::Raises("error"), // zlib.error
        MSGPACK => msgpack,
        _ => pickle_serde(flags),
    }
}

pub const PYLIBMC: Peer = Peer {
    name: "pylibmc",
    text: 16,
    bytes: 0,
    number: 4,
    touches: true,
    reads: pylibmc,
};

pub const PYLIBMC_BINARY: Peer = Peer {
    name: "pylibmc, binary",
    // The libmemcached 1.0 in its wheel does it, and then waits 5 seconds for more of an answer.
    touches: false,
    ..PYLIBMC
};

/// Only printable ASCII.
pub const PYLIBMC_VERIFYING: Peer = Peer {
    name: "pylibmc, verify_keys",
    ..PYLIBMC
};

/// As it is without a serde: it has no use for flags.
pub const PYMEMCACHE: Peer = Peer {
    name: "pymemcache",
    text: 0,
    bytes: 0,
    number: 0,
    touches: true,
    reads: |_| Read::Bytes,
};

pub const PYMEMCACHE_UNICODE: Peer = Peer {
    name: "pymemcache, allow_unicode_keys",
    ..PYMEMCACHE
};

pub const PYMEMCACHE_PICKLE: Peer = Peer {
    name: "pymemcache, pickle_serde",
    text: 16,
    bytes: 0,
    number: 2,
    touches: true,
    reads: pickle_serde,
};

pub const PYMEMCACHE_COMPRESSED: Peer = Peer {
    name: "pymemcache, compressed_serde",
    reads: |flags| zlib(flags, Read::Bytes),
    ..PYMEMCACHE_PICKLE
};

pub const PYTHON_MEMCACHED: Peer = Peer {
    name: "python-memcached",
    text: 16,
    bytes: 0,
    number: 2,
    touches: true,
    reads: |flags| zlib(flags, Read::Raises("ValueError")),
};

impl Peer {
    /// Starts the client, in the Python that `tests/run` made for it.
    pub fn start(&self, servers: &[SocketAddr]) -> Process {
        let servers = servers.iter().map(ToString::to_string);
        let arguments = [self.name.to_owned()].into_iter().chain(servers);
        Process(Python::start(include_str!("driver.py"), arguments))
    }
}

/// driver.py.
#[derive(Debug)]
pub struct Process(Python);

impl Process {
    /// Calls its methods, and returns what each of them did.
    pub fn call(&mut self, calls: &[Value]) -> Vec<Value> {
        let results = self.0.ask(&Value::from(calls));
        let mut results: Vec<Value> = serde_json::from_value(results).unwrap();
        assert_eq!(results.len(), calls.len());
        for (call, result) in calls.iter().zip(&mut results) {
            // Seen if the test fails.
            println!("{:.500} -> {:.500}", call.to_string(), result.to_string());
            if let Some(exception) = result.as_object_mut() {
                exception.remove("saying");
            }
        }
        results
    }

    /// Begins with a new client, on new connections.
    pub fn reconnect(&mut self) {
        assert_eq!(self.0.ask(&json!("reconnect")), json!([]));
    }

    /// Calls one method.
    pub fn call_one(&mut self, call: Value) -> Value {
        self.call(&[call]).remove(0)
    }

    pub fn get_many<K: AsRef<str>>(
        &mut self,
        keys: impl IntoIterator<Item = K>,
    ) -> BTreeMap<String, Value> {
        let keys: Vec<Value> = keys.into_iter().map(|key| json!(key.as_ref())).collect();
        serde_json::from_value(self.call_one(json!(["get_many", keys]))).unwrap()
    }
}
