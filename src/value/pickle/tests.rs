//! Pickles as Python makes them, and as nobody should.

use super::*;
use crate::value::transcoder::Object;
use crate::value::tree::MAX_DEPTH;
use serde::{Deserialize, Serialize};
use serde_bytes::Bytes;

const LIMIT: usize = 1 << 20;

#[derive(Deserialize)]
struct Recorded {
    pickles: Vec<Pickle>,
}

#[derive(Deserialize)]
struct Pickle {
    hex: String,
    name: String,
    protocol: u8,
    python: String,
}

fn recorded() -> Vec<Pickle> {
    let json = include_str!("../../../tests/vectors/values/python_pickles.json");
    let recorded: Recorded = serde_json::from_str(json).unwrap();
    recorded.pickles
}

fn unhex(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2);
    let bytes = pairs.map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
    bytes.collect()
}

fn list<const N: usize>(items: [Tree; N]) -> Tree {
    Tree::List(items.into())
}

fn int(value: i128) -> Tree {
    Tree::Integer(value)
}

fn text(value: &str) -> Tree {
    Tree::String(value.to_owned())
}

/// What was pickled under this name. Python 2's str is text where it can be.
fn value(name: &str, is_python2: bool) -> Tree {
    let bytes = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(string) if is_python2 => text(string),
        _ => Tree::Bytes(bytes.to_owned()),
    };
    let one = |key, value| Tree::Map(vec![(key, value)]);
    let shared = || list([int(1), text("two")]);
    match name {
        "None" => Tree::Null,
        "True" => Tree::Bool(true),
        "False" => Tree::Bool(false),
        "ints" => {
            let mut items: Vec<_> = [
                0,
                -1,
                255,
                256,
                65535,
                65536,
                i32::MAX.into(),
                i32::MIN.into(),
                2_147_483_648,
                i64::MIN.into(),
                i64::MAX.into(),
                u64::MAX.into(),
                -18_446_744_073_709_551_616,
                i128::MAX,
                i128::MIN,
            ]
            .map(int)
            .into();
            items.push(Tree::Unsigned(u128::MAX));
            Tree::List(items)
        }
        "floats" => {
            let (big, inf) = (1e300, f64::INFINITY);
            list([0.0, -0.0, 1.5, 0.1, big, 5e-324, inf, -inf].map(Tree::Float))
        }
        "text" => {
            let long = "x".repeat(300);
            let strings = [
                "",
                "a",
                "hé",
                "日",
                "😀",
                "it's \\ \"q\"\n\r\t\0\u{1a}",
                &long,
            ];
            list(strings.map(text))
        }
        "bytes" => list([
            bytes(b""),
            bytes(b"\x00\xff\xfe"),
            bytes(b"it's\\\"\n\r\t"),
            bytes(&[0x80; 300]),
        ]),
        "bytearray" => list([vec![], vec![0, 0xff]].map(Tree::Bytes)),
        "containers" => list([
            list([]),
            list([]),
            Tree::Map(vec![]),
            list([int(1)]),
            list([1, 2].map(int)),
            list([1, 2, 3].map(int)),
            list([1, 2, 3, 4].map(int)),
            one(text("a"), one(text("b"), list([Tree::Null]))),
            one(list([1, 2].map(int)), int(3)),
        ]),
        "shared" => list([shared(), shared(), one(text("k"), shared())]),
        "sets" => list([list([]), list([int(7)]), list([int(8)])]),
        unknown => panic!("{unknown}"),
    }
}

#[test]
fn of_every_protocol() {
    let pickles = recorded();
    assert_eq!(pickles.len(), 100);
    for pickle in pickles {
        let is_python2 = pickle.python.starts_with('2');
        let read = load(&unhex(&pickle.hex), LIMIT);
        let expected = value(&pickle.name, is_python2);
        let Pickle {
            name,
            protocol,
            python,
            ..
        } = pickle;
        assert_eq!(
            read,
            Ok(expected),
            "{name}, protocol {protocol} of {python}"
        );
    }
}

#[test]
fn cut_short_or_changed() {
    for pickle in recorded() {
        let whole = unhex(&pickle.hex);
        for end in 0..whole.len() {
            assert!(load(&whole[..end], LIMIT).is_err(), "{}", pickle.name);
        }
        for at in 0..whole.len() {
            for change in [1, 4, 0x80] {
                let mut changed = whole.clone();
                changed[at] ^= change;
                // Whatever it is, neither a panic nor more than its size warrants.
                drop(load(&changed, LIMIT));
            }
        }
        let followed = [&whole[..], b"."].concat();
        assert_eq!(load(&followed, LIMIT), Err(Refused::Trailing));
    }
}

fn complaint(pickle: &[u8]) -> String {
    match load(pickle, LIMIT) {
        Ok(_) => "nothing".to_owned(),
        Err(refused) => refused.to_string(),
    }
}

#[test]
fn objects_are_refused_by_name() {
    let rows: [(&[u8], &str); 13] = [
        (b"cos\nsystem\n(S'true'\ntR.", "object of class os.system"),
        (
            b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.",
            "object of class posix.system",
        ),
        (b"(ios\nsystem\n.", "object of class os.system"),
        (b"(cmodule\nClass\no.", "object of class module.Class"),
        (
            b"\x80\x02cmodule\nClass\n)\x81}U\x01aK\x01sb.",
            "object of class module.Class",
        ),
        (
            b"ccopy_reg\n_reconstructor\n(cmodule\nClass\nc__builtin__\nobject\nNtR.",
            "object of class copy_reg._reconstructor",
        ),
        (b"cbuiltins\neval\n.", "object of class builtins.eval"),
        (b"cbuil\"t \n\xff\x1b[31m\n.", "object of class built.31m"),
        (b"cbuiltins\nset\n.", "function"),
        (b"\x82\x01.", "object of a registered class"),
        (b"N}b.", "object"),
        (b"Pid\n.", "reference to something outside of it"),
        (b"\x97.", "buffer that is stored elsewhere"),
    ];
    for (pickle, what) in rows {
        let complaint = complaint(pickle);
        let is_named = complaint.ends_with(&format!("{what} in it: not plain data; not executed"));
        assert!(is_named, "{complaint}");
    }
}

#[test]
fn damage_is_told_without_the_value() {
    let incoherent = "whose opcodes do not fit together";
    let number = "with a number in it that is none";
    let no_text = "with text in it that is not Unicode";
    let wide = "with an integer in it of more than 128 bits";
    let short = "that is cut short";
    let rows: &[(&[u8], &str)] = &[
        (b"", short),
        (b"N", short),
        (b".", incoherent),
        (b"(.", incoherent),
        (b"N(.", incoherent),
        (b"Na.", incoherent),
        (b"NNs.", incoherent),
        (b"}(Nu.", incoherent),
        (b"(Nd.", incoherent),
        (b"N\x86.", incoherent),
        (b"N(N\x86.", incoherent),
        (b"t.", incoherent),
        (b"h\x00.", incoherent),
        (b"NR.", incoherent),
        (b"NNR.", incoherent),
        (b"cbuiltins\nset\n(K\x01tR.", incoherent),
        (b"c_codecs\nencode\n(Va\nVutf-8\ntR.", incoherent),
        (b"c_codecs\nencode\n(V\\u1234\nVlatin1\ntR.", no_text),
        (b"\x93.", incoherent),
        (b"NN\x93.", incoherent),
        (b"Isecret\n.", number),
        (b"I\n.", number),
        (b"Lsecret\n.", number),
        (b"Fsecret\n.", number),
        (b"gsecret\n.", number),
        (b"Ssecret\n.", no_text),
        (b"S'\\q'\n.", no_text),
        (b"S'\\x1'\n.", no_text),
        (b"V\\ud83d\n.", no_text),
        (b"V\\ud83dx\n.", no_text),
        (b"V\\uzzzz\n.", no_text),
        (b"X\x01\x00\x00\x00\xff.", no_text),
        (b"L340282366920938463463374607431768211456L\n.", wide),
        (
            b"\x8a\x11\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01.",
            wide,
        ),
        (
            b"\x8a\x11\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff.",
            wide,
        ),
        (b"\x80\x06N.", "of protocol 6; known are 0 to 5"),
        (b"\x01.", "with an opcode in it, 0x01, that is not known"),
        (b"X\xff\xff\xff\xffabc.", short),
        (b"\x8e\xff\xff\xff\xff\xff\xff\xff\xffabc.", short),
        (b"\x8b\xff\xff\xff\x7fabc.", short),
        (b"Iabc", short),
    ];
    for (pickle, expected) in rows {
        assert_eq!(complaint(pickle), *expected, "{}", pickle.escape_ascii());
    }
}

#[test]
fn depth() {
    let too_deep = "that nests deeper than 128 levels, or holds itself";
    let nested = |depth: usize, open: &[u8], close: &[u8]| {
        [&open.repeat(depth), &b"N"[..], &close.repeat(depth), b"."].concat()
    };
    for (open, close) in [(b"]", b"a"), (b"(", b"t")] {
        assert!(load(&nested(MAX_DEPTH, open, close), LIMIT).is_ok());
        assert_eq!(complaint(&nested(MAX_DEPTH + 1, open, close)), too_deep);
        assert_eq!(complaint(&nested(100_000, open, close)), too_deep);
    }
    assert_eq!(complaint(&nested(100_000, b"", b"\x85")), too_deep);
    assert_eq!(complaint(&nested(100_000, b"}K\x01", b"s")), too_deep);
    // A list that holds itself, and a dict that does through a list.
    assert_eq!(complaint(b"]q\x00h\x00a."), too_deep);
    assert_eq!(complaint(b"}q\x00K\x01]h\x00as."), too_deep);
}

/// A value that is written once and used again takes its size each time.
#[test]
fn repetition() {
    let too_large = "that repeats parts of it to more than the 1048576 bytes of \
                     max_decompressed_size";
    // Each level holds the one below ten times.
    let mut laughs = b"(".to_vec();
    laughs.extend([b'N'; 10]);
    laughs.extend(b"tq\x000");
    for level in 1..20 {
        laughs.push(b'(');
        laughs.extend([b'h', level - 1].repeat(10));
        laughs.extend([b't', b'q', level, b'0']);
    }
    laughs.extend(b"h\x13.");
    assert_eq!(complaint(&laughs), too_large);

    // What is used again costs; what is large by itself does not.
    let long = |times: usize| {
        let mut pickle = b"(X\x00\x00\x04\x00".to_vec();
        pickle.extend(b"x".repeat(1 << 18));
        pickle.extend(b"q\x00");
        pickle.extend(b"h\x00".repeat(times));
        pickle.extend(b"t.");
        pickle
    };
    assert!(load(&long(3), LIMIT).is_ok());
    assert_eq!(complaint(&long(4)), too_large);
    let mut plain = b"(".to_vec();
    plain.extend(b"K\x07".repeat(LIMIT));
    plain.extend(b"t.");
    assert!(load(&plain, LIMIT).is_ok());

    // Calls copy their arguments.
    let mut calls = b"cbuiltins\nset\nq\x00(".to_vec();
    calls.extend([b'N'; 10_000]);
    calls.extend(b"t\x85q\x010");
    calls.extend(b"h\x00h\x01R0".repeat(10_000));
    calls.extend(b"N.");
    assert_eq!(complaint(&calls), too_large);
}

#[test]
fn what_is_written_is_read() {
    #[derive(Serialize)]
    enum Shape {
        Point,
        Circle(f64),
        Line(u8, i8),
        Box { side: u128 },
    }
    let one = |key: &str, value| Tree::Map(vec![(text(key), value)]);
    let rows: [(&dyn Object, Tree); 16] = [
        (&(), Tree::Null),
        (&Some(true), Tree::Bool(true)),
        (
            &[127_i64, 128, 255, 256, 65535, 65536],
            list([127, 128, 255, 256, 65535, 65536].map(int)),
        ),
        (
            &[-1_i64, -128, -129, i64::MIN],
            list([-1, -128, -129, i64::MIN.into()].map(int)),
        ),
        (
            &[u64::MAX, 1 << 63],
            list([u64::MAX.into(), 1 << 63].map(int)),
        ),
        (
            &[i128::MIN, i128::MAX, -(1 << 64)],
            list([i128::MIN, i128::MAX, -(1 << 64)].map(int)),
        ),
        (&u128::MAX, Tree::Unsigned(u128::MAX)),
        (&1.5_f32, Tree::Float(1.5)),
        (&'é', text("é")),
        (&Bytes::new(b"\x00\xff"), Tree::Bytes(vec![0, 255])),
        (&Bytes::new(b""), Tree::Bytes(vec![])),
        (&vec!["a", "b"], list([text("a"), text("b")])),
        (&[Shape::Point], list([text("Point")])),
        (&Shape::Circle(0.5), one("Circle", Tree::Float(0.5))),
        (&Shape::Line(1, -1), one("Line", list([int(1), int(-1)]))),
        (&Shape::Box { side: 7 }, one("Box", one("side", int(7)))),
    ];
    for (value, expected) in rows {
        let pickle = value.to_tree().unwrap().to_pickle().unwrap();
        assert_eq!(pickle[..2], [0x80, 2]);
        assert_eq!(load(&pickle, LIMIT), Ok(expected));
    }
}

#[test]
fn what_python_could_not_load() {
    use std::collections::BTreeMap;
    #[derive(Serialize)]
    struct Deep(Option<Box<(Deep,)>>);
    let pickled = |value: &dyn Object| value.to_tree().and_then(|tree| tree.to_pickle());
    let refused = |value: &dyn Object| pickled(value).unwrap_err().to_string();
    let hash = "the value cannot be serialised: a dict of Python has no list or dict as a key";
    assert_eq!(refused(&BTreeMap::from([(vec![1], 1)])), hash);
    assert_eq!(refused(&BTreeMap::from([((1, vec![1]), 1)])), hash);
    assert_eq!(refused(&BTreeMap::from([(Ok::<u8, u8>(1), 1)])), hash);
    assert!(pickled(&BTreeMap::from([((1, "a"), [1])])).is_ok());

    let deep = |levels| (0..levels).fold(Deep(None), |deep, _| Deep(Some(Box::new((deep,)))));
    let pickle = pickled(&deep(MAX_DEPTH)).unwrap();
    assert!(load(&pickle, LIMIT).is_ok());
    let too_deep = "the value cannot be serialised: it nests deeper than 128 levels";
    assert_eq!(refused(&deep(MAX_DEPTH + 1)), too_deep);
}
