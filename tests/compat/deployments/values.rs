//! Both read the same value: every type that the peer's format has, each way.

use super::peer::{self, TOOLS};
use super::report::{self, Outcome};
use super::servers::{PROTOCOLS, Servers, TWO};
use super::shared::{self, Kind, Shared, Values};
use moecache::value::{Compression, Format};
use moecache::{Item, Library};
use serde_json::{Value, json};

/// The flag of all those that compress.
const COMPRESSED: u32 = 8;

/// What can be read where flags do not say what a value is.
const UNTYPED: &[Kind] = &[Kind::Ascii, Kind::Text, Kind::Bytes, Kind::Integer];

struct Row {
    peer: &'static str,
    /// How the peer is set up, as driver.py and `Tools` have it.
    settings: Value,
    format: Format,
    /// What is set here; the format's own default where nothing is.
    compression: Option<Compression>,
    /// The kinds of values that are read here, and there.
    kinds: [&'static [Kind]; 2],
}

fn rows() -> Vec<Row> {
    use Format as F;
    let row = |peer, settings, format| Row {
        peer,
        settings,
        format,
        compression: None,
        kinds: [Kind::ALL; 2],
    };
    let zlib = Some(Compression::zlib().threshold(40));
    let mut rows = vec![
        // All else it pickles, which the default reads and does not write.
        Row {
            kinds: [Kind::ALL, &[Kind::Ascii, Kind::Text]],
            ..row("moecache", json!({}), F::Moecache)
        },
        row("moecache", json!({}), F::MoecachePickle),
        row("pylibmc", json!({}), F::Pylibmc),
        row("pylibmc", json!({"binary": true}), F::Pylibmc),
        Row {
            compression: zlib,
            ..row("pylibmc", json!({"min_compress_len": 40}), F::Pylibmc)
        },
        row("python-memcached", json!({}), F::PythonMemcached),
        Row {
            compression: zlib,
            ..row(
                "python-memcached",
                json!({"min_compress_len": 40}),
                F::PythonMemcached,
            )
        },
        // It makes a str of whatever it is given, and what that was, nobody can tell. A str that is not
        // ASCII it stores only where it is told to, so this client does not.
        Row {
            kinds: [
                UNTYPED,
                &[
                    Kind::Ascii,
                    Kind::Bytes,
                    Kind::Integer,
                    Kind::Bool,
                    Kind::Null,
                    Kind::Float,
                ],
            ],
            ..row("pymemcache", json!({}), F::Pymemcache)
        },
        row(
            "pymemcache",
            json!({"serde": "pickle_serde"}),
            F::PymemcachePickle,
        ),
        row(
            "pymemcache",
            json!({"serde": "compressed_serde"}),
            F::PymemcacheCompressed,
        ),
        // What is compressed must be longer than any integer here, which it could not store.
        Row {
            compression: zlib,
            ..row(
                "pymemcache",
                json!({"serde": "CompressedSerde", "serde_settings": {"min_compress_len": 40}}),
                F::PymemcacheCompressed,
            )
        },
        Row {
            kinds: [UNTYPED; 2],
            ..row(TOOLS, json!({}), F::Raw)
        },
    ];
    // Whatever protocol their pickles have; ours have 2.
    for pickle in 0..=5 {
        let protocol = json!({"behaviors": {"pickle_protocol": pickle}});
        rows.push(row("pylibmc", protocol, F::Pylibmc));
        let protocol = json!({"pickleProtocol": pickle});
        rows.push(row("python-memcached", protocol, F::PythonMemcached));
        let protocol =
            json!({"serde": "PickleSerde", "serde_settings": {"pickle_version": pickle}});
        rows.push(row("pymemcache", protocol, F::PymemcachePickle));
    }
    peer::leave_out_missing(&mut rows, |row| row.peer);
    rows
}

pub fn agree() {
    report::run(&["peer", "settings", "format", "compression"], &rows());
}

impl report::Row for Row {
    fn name(&self) -> Vec<String> {
        let compression = self.compression.map(|compression| compression.to_string());
        vec![
            self.peer.to_owned(),
            self.settings.to_string(),
            self.format.to_string(),
            compression.unwrap_or_else(|| "default".to_owned()),
        ]
    }

    fn check(&self) -> Outcome {
        let servers = Servers::start(&TWO);
        let mut peer = peer::start(self.peer, &self.settings, &servers.addresses());
        let mut outcome = Outcome::default();
        for protocol in PROTOCOLS {
            let client = servers.client().compatible_with(self.placement());
            let client = client.format(self.format).protocol(protocol);
            let client = match self.compression {
                Some(compression) => client.compression(compression),
                None => client,
            };
            let client = client.build().unwrap();
            let mut differ = |way: &str, value: &Shared, how: &str| {
                let difference = format!("{protocol}, {way}: {:.80}: {how:.300}", value.theirs);
                outcome.differences.push(difference);
            };

            let theirs = values("theirs", self.kinds[0]);
            for (key, how) in peer.store_values(&theirs) {
                differ("stored there", &theirs[&key], &how);
            }
            for (key, value) in &theirs {
                if let Err(how) = value.rust.is_at(&client, key) {
                    differ("read here", value, &how);
                }
            }
            let ours = values("ours", self.kinds[1]);
            for (key, value) in &ours {
                if let Err(error) = value.rust.store(&client, key) {
                    differ("stored here", value, &error.to_string());
                }
            }
            for (key, how) in peer.misread(&ours) {
                differ("read there", &ours[&key], &how);
            }

            if self.compresses() {
                for values in [&theirs, &ours] {
                    for (key, value) in values.iter().filter(|(_, value)| value.is_large) {
                        let item = client.get::<Item>(key).unwrap();
                        if item.is_none_or(|item| item.flags & COMPRESSED == 0) {
                            differ(key, value, "is not compressed");
                        }
                    }
                }
            }
            outcome.tried[0] += theirs.len();
            outcome.tried[1] += ours.len();
        }
        outcome
    }
}

impl Row {
    /// That of the peer itself.
    fn placement(&self) -> Library {
        self.peer.parse().unwrap()
    }

    fn compresses(&self) -> bool {
        self.compression.is_some() || self.format == Format::PymemcacheCompressed
    }
}

/// The values of these kinds, at keys that begin so.
fn values(prefix: &str, kinds: &[Kind]) -> Values {
    let values = shared::values().into_iter();
    let values = values.filter(|value| kinds.contains(&value.kind));
    let keyed = values.enumerate();
    keyed
        .map(|(index, value)| (format!("{prefix}{index}"), value))
        .collect()
}
