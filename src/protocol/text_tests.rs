use super::super::replay::{Event, replay};
use super::*;
use crate::item::ItemRef;

const MAX_VALUE: usize = 100;

fn key(bytes: &[u8]) -> Key<'_> {
    Key::new(bytes).unwrap()
}

fn get() -> Request<'static> {
    Request::Get { key: key(b"key") }
}

fn set() -> Request<'static> {
    Request::Set {
        key: key(b"key"),
        item: ItemRef {
            flags: 7,
            data: b"data",
        },
        exptime: 60,
    }
}

fn delete() -> Request<'static> {
    Request::Delete { key: key(b"key") }
}

fn stats(arguments: &str) -> Request<'_> {
    Request::Stats {
        arguments: StatsArguments::new(arguments).unwrap(),
    }
}

/// What comes of `bytes`, in one piece; and it must be the same in pieces of every size.
fn outcome(request: &Request<'_>, bytes: &[u8]) -> Vec<Event> {
    let whole = replay(request, MAX_VALUE, bytes, &[usize::MAX]);
    for piece in 1..bytes.len() {
        let pieces = replay(request, MAX_VALUE, bytes, &[piece]);
        // Bytes after the reply have not all come yet when it is complete; nor have those after
        // what makes it malformed.
        assert_eq!(
            pieces,
            whole,
            "{:?} in pieces of {piece}",
            bytes.escape_ascii().to_string()
        );
    }
    whole
}

fn line(reply: &Reply<'_>) -> Event {
    Event::Line(format!("{reply:?}"))
}

fn status(status: Status) -> Event {
    line(&Reply::Status(status))
}

fn refused(text: &'static str, by_grammar: bool) -> Event {
    line(&Reply::Refused(Refused {
        line: text.as_bytes(),
        by_grammar,
    }))
}

fn value(flags: u32, data: &[u8]) -> Event {
    Event::Value {
        flags,
        data: data.to_vec(),
    }
}

const DONE: Event = Event::Done { surplus: 0 };

#[test]
fn requests() {
    let rows: [(Request<'_>, &[u8]); 6] = [
        (get(), b"get key\r\n"),
        (set(), b"set key 7 60 4\r\ndata\r\n"),
        (delete(), b"delete key\r\n"),
        (stats(""), b"stats\r\n"),
        (stats("detail dump"), b"stats detail dump\r\n"),
        (Request::Version, b"version\r\n"),
    ];
    for (request, expected) in rows {
        let mut out = Vec::new();
        assert_eq!(encode(&request, 4, &mut out), None);
        assert_eq!(out, expected);
    }
    let mut out = Vec::new();
    assert_eq!(
        encode(&set(), 3, &mut out),
        Some((&b"data"[..], &b"\r\n"[..]))
    );
    assert_eq!(out, b"set key 7 60 4\r\n");
}

#[test]
fn replies() {
    use Event::Incomplete;
    let rows: [(Request<'_>, &[u8], Vec<Event>); 20] = [
        (get(), b"END\r\n", vec![status(Status::End), DONE]),
        (
            get(),
            b"VALUE key 0 0\r\n\r\nEND\r\n",
            vec![value(0, b""), status(Status::End), DONE],
        ),
        (
            get(),
            b"VALUE key 4294967295 6\r\na\r\nEND\r\nEND\r\n",
            vec![value(u32::MAX, b"a\r\nEND"), status(Status::End), DONE],
        ),
        (
            get(),
            b"VALUE key 1 0000000002\r\nab\r\nEND\r\n",
            vec![value(1, b"ab"), status(Status::End), DONE],
        ),
        (
            get(),
            b"VALUE key 1 4\r\nab",
            vec![value(1, b"ab"), Incomplete],
        ),
        (
            get(),
            b"VALUE key 1 2\r\nab\r",
            vec![value(1, b"ab"), Incomplete],
        ),
        (
            get(),
            b"VALUE key 1 2\r\nab\r\nEN",
            vec![value(1, b"ab"), Incomplete],
        ),
        (get(), b"", vec![Incomplete]),
        (
            get(),
            b"SERVER_ERROR busy\r\n",
            vec![refused("SERVER_ERROR busy", false), DONE],
        ),
        (set(), b"STORED\r\n", vec![status(Status::Stored), DONE]),
        (
            set(),
            b"STORED\r\n\r\n",
            vec![status(Status::Stored), Event::Done { surplus: 2 }],
        ),
        (set(), b"ERROR\r\n", vec![refused("ERROR", true), DONE]),
        (
            set(),
            b"CLIENT_ERROR bad\r\n",
            vec![refused("CLIENT_ERROR bad", true), DONE],
        ),
        (
            set(),
            b"SERVER_ERROR object too large for cache\r\n",
            vec![
                refused("SERVER_ERROR object too large for cache", false),
                DONE,
            ],
        ),
        (
            delete(),
            b"DELETED\r\n",
            vec![status(Status::Deleted), DONE],
        ),
        (
            delete(),
            b"NOT_FOUND\r\n",
            vec![status(Status::NotFound), DONE],
        ),
        (
            Request::Version,
            b"VERSION 1.6.18\r\n",
            vec![status(Status::Version), DONE],
        ),
        (
            stats("reset"),
            b"RESET\r\n",
            vec![status(Status::Reset), DONE],
        ),
        (
            stats("detail on"),
            b"OK\r\n",
            vec![status(Status::Ok), DONE],
        ),
        (stats("x"), b"ERROR\r\n", vec![refused("ERROR", true), DONE]),
    ];
    for (request, bytes, expected) in rows {
        assert_eq!(
            outcome(&request, bytes),
            expected,
            "{:?}",
            bytes.escape_ascii().to_string()
        );
    }
}

#[test]
fn lines_of_stats() {
    let stat = |name: &'static str, value: &'static str| {
        line(&Reply::Stat {
            name: name.as_bytes(),
            value: value.as_bytes(),
        })
    };
    let reply = b"STAT 22:addr unix:/run/my dir/mem cached.sock\r\nSTAT empty \r\nSTAT bare\r\n\
                  ITEM key [3 b; 0 s]\r\nPREFIX user get 1 hit 2\r\nEND\r\n";
    let expected = vec![
        stat("22:addr", "unix:/run/my dir/mem cached.sock"),
        stat("empty", ""),
        stat("bare", ""),
        stat("key", "[3 b; 0 s]"),
        stat("user", "get 1 hit 2"),
        status(Status::End),
        DONE,
    ];
    assert_eq!(outcome(&stats(""), reply), expected);
    for arguments in [
        "sizes_enable",
        "sizes_disable",
        " sizes_enable ",
        "sizes_disable x",
    ] {
        let expected = vec![stat("sizes_status", "enabled"), DONE];
        assert_eq!(
            outcome(&stats(arguments), b"STAT sizes_status enabled\r\n"),
            expected
        );
    }
}

#[test]
fn malformed_replies() {
    let long_line = [
        b"SERVER_ERROR ".to_vec(),
        vec![b'x'; MAX_LINE],
        b"\r\n".to_vec(),
    ]
    .concat();
    let endless = vec![b'x'; 2 * MAX_LINE];
    let too_large = |length| Malformed::TooLarge {
        length,
        max: MAX_VALUE,
    };
    let unexpected = |line: &[u8]| Malformed::Unexpected(Excerpt::new(line));
    let rows: [(Request<'_>, &[u8], Malformed); 30] = [
        (
            get(),
            b"VALUE other 0 1\r\na\r\nEND\r\n",
            Malformed::WrongKey,
        ),
        (get(), b"VALUE keyhole 0 1\r\n", Malformed::WrongKey),
        (get(), b"VALUE ke 0 1\r\n", Malformed::WrongKey),
        (get(), b"VALUE  key 0 1\r\n", Malformed::WrongKey),
        (get(), b"VALUE key\r\n", Malformed::WrongKey),
        (get(), b"VALUE key 0\r\n", unexpected(b"VALUE key 0")),
        (get(), b"VALUE key  0 1\r\n", unexpected(b"VALUE key  0 1")),
        (get(), b"VALUE key 0 1 \r\n", unexpected(b"VALUE key 0 1 ")),
        (
            get(),
            b"VALUE key 0 1 5\r\n",
            unexpected(b"VALUE key 0 1 5"),
        ),
        (get(), b"VALUE key 0 -1\r\n", unexpected(b"VALUE key 0 -1")),
        (get(), b"VALUE key 0 +1\r\n", unexpected(b"VALUE key 0 +1")),
        (get(), b"VALUE key 0 x\r\n", unexpected(b"VALUE key 0 x")),
        (get(), b"VALUE key 0 \r\n", unexpected(b"VALUE key 0 ")),
        (get(), b"VALUE key -1 1\r\n", unexpected(b"VALUE key -1 1")),
        (
            get(),
            b"VALUE key 4294967296 1\r\n",
            unexpected(b"VALUE key 4294967296 1"),
        ),
        (
            get(),
            b"VALUE key 0 12345678901\r\n",
            unexpected(b"VALUE key 0 12345678901"),
        ),
        (get(), b"VALUE key 0 101\r\n", too_large(101)),
        (
            get(),
            b"VALUE key 0 9999999999\r\n",
            too_large(9_999_999_999),
        ),
        (
            get(),
            b"VALUE key 0 1\r\nab\r\nEND\r\n",
            Malformed::Unterminated,
        ),
        (
            get(),
            b"VALUE key 0 1\r\na\nEND\r\n",
            Malformed::Unterminated,
        ),
        (
            get(),
            b"VALUE key 0 1\r\na\r\nVALUE key 0 1\r\n",
            unexpected(b"VALUE key 0 1"),
        ),
        (
            get(),
            b"VALUE key 0 1\r\na\r\nERROR\r\n",
            unexpected(b"ERROR"),
        ),
        (get(), b"END\n", unexpected(b"END\n")),
        (get(), b"STORED\r\n", unexpected(b"STORED")),
        (get(), b"\r\n", unexpected(b"")),
        (set(), b"END\r\n", unexpected(b"END")),
        (set(), b"ERRORS\r\n", unexpected(b"ERRORS")),
        (Request::Version, b"VERSION\r\n", unexpected(b"VERSION")),
        (set(), &long_line, Malformed::LongLine),
        (set(), &endless, Malformed::LongLine),
    ];
    for (request, bytes, expected) in rows {
        let events = outcome(&request, bytes);
        assert_eq!(
            events.last(),
            Some(&Event::Malformed(expected)),
            "{:?}",
            bytes.escape_ascii().to_string()
        );
    }
}

#[test]
fn an_excerpt_is_escaped_and_cut() {
    assert_eq!(Excerpt::new(b"a\r\n\xff\"").to_string(), r#""a\r\n\xff\"""#);
    let long = Excerpt::new(&[0; 1000]).to_string();
    assert_eq!(long, format!("\"{}...\"", r"\x00".repeat(32)));
}
