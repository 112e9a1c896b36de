//! The values that go both ways: each as Python writes it, and as Rust has it.

use moecache::Client;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

/// What a value is: not every format has all kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Ascii,
    /// Text that is not ASCII.
    Text,
    Bytes,
    Integer,
    Bool,
    Null,
    Float,
    /// Lists, tuples and dicts.
    Object,
}

impl Kind {
    pub const ALL: &[Self] = &[
        Self::Ascii,
        Self::Text,
        Self::Bytes,
        Self::Integer,
        Self::Bool,
        Self::Null,
        Self::Float,
        Self::Object,
    ];
}

/// A value on both sides.
pub struct Shared {
    pub kind: Kind,
    /// The Python expression of what the peer stores.
    pub theirs: String,
    /// The Python expression of what the peer reads of ours.
    pub ours: String,
    /// The same for those who know nothing but bytes.
    pub data: Vec<u8>,
    pub rust: Box<dyn Rust>,
    /// Whether it is worth compressing.
    pub is_large: bool,
}

/// By key.
pub type Values = BTreeMap<String, Shared>;

/// A value of a Rust type, which is not known to who stores and reads it here.
pub trait Rust {
    fn store(&self, client: &Client, key: &str) -> moecache::Result<()>;

    /// What is at the key, if it is not this.
    fn is_at(&self, client: &Client, key: &str) -> Result<(), String>;
}

impl<T: Serialize + DeserializeOwned + PartialEq + Debug> Rust for T {
    fn store(&self, client: &Client, key: &str) -> moecache::Result<()> {
        client.set(key, self, 60)
    }

    fn is_at(&self, client: &Client, key: &str) -> Result<(), String> {
        match client.get::<T>(key) {
            Ok(Some(found)) if found == *self => Ok(()),
            found => Err(format!("{found:?}")),
        }
    }
}

/// Bytes without serde. (It has no `Serialize`, so it is not a [`Rust`] by the rule above.)
struct NoSerde(Vec<u8>);

impl Rust for NoSerde {
    fn store(&self, client: &Client, key: &str) -> moecache::Result<()> {
        client.set_bytes(key, &self.0, 60)
    }

    fn is_at(&self, client: &Client, key: &str) -> Result<(), String> {
        match client.get_bytes(key) {
            Ok(Some(found)) if found == self.0 => Ok(()),
            found => Err(format!("{found:?}")),
        }
    }
}

/// Equal if all bits are: zero has a sign, and what is not a number is itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Exactly(f64);

impl PartialEq for Exactly {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct User {
    name: String,
    age: u8,
    admin: bool,
    balance: f64,
    visits: Vec<i64>,
    address: Option<Address>,
    #[serde(with = "serde_bytes")]
    photo: Vec<u8>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Address {
    city: String,
    lines: (String, Option<u32>),
}

fn value(kind: Kind, python: &str, rust: impl Rust + 'static) -> Shared {
    Shared {
        kind,
        theirs: python.to_owned(),
        ours: python.to_owned(),
        data: Vec::new(),
        rust: Box::new(rust),
        is_large: false,
    }
}

fn text(python: &str, rust: &str) -> Shared {
    let kind = if rust.is_ascii() {
        Kind::Ascii
    } else {
        Kind::Text
    };
    let shared = value(kind, python, rust.to_owned());
    Shared {
        data: rust.into(),
        ..shared
    }
}

fn bytes(python: &str, rust: &[u8]) -> [Shared; 2] {
    let typed = value(Kind::Bytes, python, ByteBuf::from(rust));
    let plain = value(Kind::Bytes, python, NoSerde(rust.to_vec()));
    [typed, plain].map(|shared| Shared {
        data: rust.into(),
        ..shared
    })
}

fn integer(rust: impl Rust + ToString + 'static) -> Shared {
    let number = rust.to_string();
    let shared = value(Kind::Integer, &number, rust);
    Shared {
        data: number.into(),
        ..shared
    }
}

fn float(python: &str, rust: f64) -> Shared {
    value(Kind::Float, python, Exactly(rust))
}

fn object(python: &str, rust: impl Rust + 'static) -> Shared {
    value(Kind::Object, python, rust)
}

impl Shared {
    fn large(self) -> Self {
        Self {
            is_large: true,
            ..self
        }
    }

    /// A sequence is read here from a list as from a tuple; what is stored here as a list or a tuple
    /// is what the Rust type is.
    fn read_as(self, python: &str) -> Self {
        Self {
            ours: python.to_owned(),
            ..self
        }
    }
}

pub fn values() -> Vec<Shared> {
    let all: Vec<u8> = (0..=255).collect();
    let map = |entries: &[(&str, i64)]| -> BTreeMap<String, i64> {
        entries
            .iter()
            .map(|&(key, value)| (key.to_owned(), value))
            .collect()
    };
    let mut values = vec![
        text("'plain'", "plain"),
        text("'Zürich 東京 🦀'", "Zürich 東京 🦀"),
        text("''", ""),
        text("' 12 '", " 12 "),
        text("'line\\r\\nand\\0line'", "line\r\nand\0line"),
        text("'0123456789' * 10_000", &"0123456789".repeat(10_000)).large(),
        text("'ä' * 50_000", &"ä".repeat(50_000)).large(),
        integer(0_u8),
        integer(-1_i8),
        integer(65_535_u16),
        integer(2_147_483_648_u32),
        integer(i64::MIN),
        integer(i64::MAX),
        integer(u64::MAX),
        integer(10_i128.pow(25)),
        integer(-(10_i128.pow(25))),
        value(Kind::Bool, "True", true),
        value(Kind::Bool, "False", false),
        value(Kind::Null, "None", None::<String>),
        value(Kind::Null, "None", ()),
        float("0.1", 0.1),
        float("-0.0", -0.0),
        float("1e300", 1e300),
        float("5e-324", 5e-324),
        float("123456789012345.6", 123_456_789_012_345.6),
        float("1e16", 1e16),
        float("float('inf')", f64::INFINITY),
        float("float('-inf')", f64::NEG_INFINITY),
        float("float('nan')", f64::NAN),
        object("[]", Vec::<String>::new()),
        object("[1, -2, 2**40]", vec![1, -2, 1_i64 << 40]),
        object("list(range(10_000))", (0..10_000).collect::<Vec<u16>>()).large(),
        object(
            "(1, 'two', None, 3.5, True)",
            (1, "two".to_owned(), None::<u8>, 3.5, true),
        ),
        object("[1, 'two']", (1, "two".to_owned())).read_as("(1, 'two')"),
        object(
            "((1, 2, 3), [1], ((2,),))",
            ([1, 2, 3], vec![1], vec![vec![2]]),
        )
        .read_as("((1, 2, 3), [1], [[2]])"),
        object(
            "[b'\\xff\\x00', b'']",
            vec![ByteBuf::from(b"\xff\0"), ByteBuf::new()],
        ),
        object("{}", BTreeMap::<String, i64>::new()),
        object("{'one': 1, 'two': 2}", map(&[("one", 1), ("two", 2)])),
        object("{'one': 1}", HashMap::from([("one".to_owned(), 1)])),
        object(
            "{1: 'a', 2: 'b'}",
            BTreeMap::from([(1, "a".to_owned()), (2, "b".to_owned())]),
        ),
        object("{'a': {'b': [{'c': []}]}}", {
            let inner = BTreeMap::from([("c".to_owned(), Vec::<u8>::new())]);
            BTreeMap::from([(
                "a".to_owned(),
                BTreeMap::from([("b".to_owned(), vec![inner])]),
            )])
        }),
        object(
            "{'name': 'Zoë', 'age': 41, 'admin': False, 'balance': -0.5, 'visits': [1, 2**33], \
             'address': {'city': 'Bern', 'lines': ('a', None)}, 'photo': bytes(range(256))}",
            User {
                name: "Zoë".to_owned(),
                age: 41,
                admin: false,
                balance: -0.5,
                visits: vec![1, 1 << 33],
                address: Some(Address {
                    city: "Bern".to_owned(),
                    lines: ("a".to_owned(), None),
                }),
                photo: all.clone(),
            },
        ),
    ];
    values.extend(bytes("b'plain'", b"plain"));
    values.extend(bytes("b''", b""));
    values.extend(bytes("bytes(range(256))", &all));
    values.extend(bytes("bytes(range(256)) * 400", &all.repeat(400)).map(Shared::large));
    values
}
