use super::super::replay::{Event, encode, replay};
use super::super::request::StatsArguments;
use super::super::{Bounds, Dialect};
use super::*;
use crate::item::ItemRef;
use crate::key::{Key, KeyRule};
use crate::protocol::request::Confidential;

const MAX_VALUE: usize = 100;

const LONG_LINE: Malformed = Malformed::LongLine {
    max: Bounds::DEFAULT_LINE,
};

fn key(bytes: &[u8]) -> Key<'_> {
    KeyRule::Printable.key(bytes).unwrap()
}

fn get() -> Request<'static> {
    Request::Get {
        key: key(b"key"),
        cas: false,
    }
}

fn set() -> Request<'static> {
    store(Mode::Set)
}

fn store(mode: Mode) -> Request<'static> {
    Request::Store {
        mode,
        key: key(b"key"),
        item: ItemRef {
            flags: 7,
            data: b"data",
        },
        exptime: 60,
    }
}

fn delete() -> Request<'static> {
    Request::Delete {
        key: key(b"key"),
        cas: None,
    }
}

fn stats(arguments: &str) -> Request<'_> {
    Request::Stats {
        arguments: StatsArguments::new(arguments).unwrap(),
    }
}

/// What comes of `bytes`, in one piece; and it must be the same in pieces of every size.
fn outcome(requests: &[Request<'_>], bytes: &[u8]) -> Vec<Event> {
    let whole = replay(Dialect::Text, requests, MAX_VALUE, bytes, &[usize::MAX]);
    for piece in 1..bytes.len() {
        let pieces = replay(Dialect::Text, requests, MAX_VALUE, bytes, &[piece]);
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

fn reply(reply: Reply<'_>) -> Event {
    reply_to(0, reply)
}

#[expect(clippy::needless_pass_by_value, reason = "what is made for the call")]
fn reply_to(index: usize, reply: Reply<'_>) -> Event {
    Event::Reply(index, format!("{reply:?}"))
}

fn status(status: Status) -> Event {
    reply(Reply::Status(status))
}

fn refused_line(text: &'static str, by_grammar: bool) -> Event {
    reply(Reply::Refused(Refused {
        line: text.as_bytes().into(),
        by_grammar,
    }))
}

fn value(flags: u32, data: &[u8]) -> Event {
    value_of(0, flags, None, data)
}

fn value_of(index: usize, flags: u32, cas: Option<u64>, data: &[u8]) -> Event {
    Event::Value {
        index,
        flags,
        cas,
        data: data.to_vec(),
    }
}

const DONE: Event = Event::Done { surplus: 0 };

#[test]
fn requests() {
    let touch = Request::Touch {
        key: key(b"key"),
        exptime: 5,
    };
    let get_and_touch = |cas| Request::GetAndTouch {
        key: key(b"key"),
        exptime: 5,
        cas,
    };
    let gets = Request::Get {
        key: key(b"key"),
        cas: true,
    };
    let flush = |delay| Request::FlushAll { delay };
    let rows: [(Request<'_>, &[u8]); 24] = [
        (get(), b"get key\r\n"),
        (gets, b"gets key\r\n"),
        (get_and_touch(false), b"gat 5 key\r\n"),
        (get_and_touch(true), b"gats 5 key\r\n"),
        (set(), b"set key 7 60 4\r\ndata\r\n"),
        (store(Mode::Add), b"add key 7 60 4\r\ndata\r\n"),
        (store(Mode::Replace), b"replace key 7 60 4\r\ndata\r\n"),
        (store(Mode::Append), b"append key 7 60 4\r\ndata\r\n"),
        (store(Mode::Prepend), b"prepend key 7 60 4\r\ndata\r\n"),
        (
            store(Mode::Cas(u64::MAX)),
            b"cas key 7 60 4 18446744073709551615\r\ndata\r\n",
        ),
        (delete(), b"delete key\r\n"),
        (touch, b"touch key 5\r\n"),
        (count(Direction::Up), b"incr key 10\r\n"),
        (count(Direction::Down), b"decr key 10\r\n"),
        (flush(0), b"flush_all\r\n"),
        (flush(10), b"flush_all 10\r\n"),
        (Request::Verbosity { level: 1 }, b"verbosity 1\r\n"),
        (stats(""), b"stats\r\n"),
        (stats("detail dump"), b"stats detail dump\r\n"),
        (Request::Version, b"version\r\n"),
        (
            Request::Authenticate {
                message: Confidential(b"ann s3cret"),
            },
            b"set moecache:authentication 0 -1 10\r\nann s3cret\r\n",
        ),
        (
            Request::Metadump { walk: Walk::Hash },
            b"lru_crawler metadump hash\r\n",
        ),
        (
            Request::Metadump { walk: Walk::Lru },
            b"lru_crawler metadump all\r\n",
        ),
        (
            Request::FlushAll { delay: u32::MAX },
            b"flush_all 4294967295\r\n",
        ),
    ];
    for (request, expected) in rows {
        let (_, bytes) = encode(Dialect::Text, &[request]);
        assert_eq!(
            bytes.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
    }
}

fn count(direction: Direction) -> Request<'static> {
    Request::Arithmetic {
        direction,
        key: key(b"key"),
        delta: 10,
        initial: None,
    }
}

#[test]
fn gets_in_a_row_share_a_line() {
    let keys: Vec<String> = (0..102).map(|number| format!("k{number}")).collect();
    let all = keys.iter().map(|name| Request::Get {
        key: key(name.as_bytes()),
        cas: false,
    });
    let mut requests: Vec<_> = all.collect();
    requests.push(Request::Get {
        key: key(b"k0"),
        cas: true,
    });
    requests.extend([delete(), requests[1]]);
    let expected = format!(
        "get {}\r\nget k100 k101\r\ngets k0\r\ndelete key\r\nget k1\r\n",
        keys[..100].join(" ")
    );
    let (_, bytes) = encode(Dialect::Text, &requests);
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[test]
fn replies_to_several() {
    let asked = |bytes, cas| Request::Get {
        key: key(bytes),
        cas,
    };
    let requests = [
        asked(b"a", false),
        asked(b"b", false),
        asked(b"c", false),
        asked(b"d", true),
        delete(),
    ];
    let missing = |index| reply_to(index, Reply::Status(Status::NotFound));
    let deleted = reply_to(4, Reply::Status(Status::Deleted));
    let rows: [(&[u8], Vec<Event>); 4] = [
        // In any order, as proxies have them.
        (
            b"VALUE c 3 1\r\nc\r\nVALUE a 1 1\r\na\r\nEND\r\nEND\r\nDELETED\r\n",
            vec![value_of(2, 3, None, b"c"), value_of(0, 1, None, b"a"), missing(1), missing(3), deleted.clone(), DONE],
        ),
        (
            b"VALUE b 1 2\r\nbb\r\nEND\r\nEND\r\nDELETED\r\n",
            vec![value_of(1, 1, None, b"bb"), missing(0), missing(2), missing(3), deleted.clone(), DONE],
        ),
        (
            b"VALUE a 1 1\r\na\r\nVALUE c 2 1\r\nc\r\nEND\r\nVALUE d 3 1 99\r\nd\r\nEND\r\nDELETED\r\n",
            vec![
                value_of(0, 1, None, b"a"),
                value_of(2, 2, None, b"c"),
                missing(1),
                value_of(3, 3, Some(99), b"d"),
                deleted,
                DONE,
            ],
        ),
        // An error ends the line, and the values that it has not sent are no misses.
        (
            b"VALUE a 1 1\r\na\r\nSERVER_ERROR busy\r\nEND\r\nNOT_FOUND\r\n",
            vec![
                value_of(0, 1, None, b"a"),
                reply_to(1, Reply::Refused(Refused { line: b"SERVER_ERROR busy".into(), by_grammar: false })),
                reply_to(2, Reply::Refused(Refused { line: b"SERVER_ERROR busy".into(), by_grammar: false })),
                missing(3),
                missing(4),
                DONE,
            ],
        ),
    ];
    for (bytes, expected) in rows {
        assert_eq!(outcome(&requests, bytes), expected);
    }
    let malformed: [(&[u8], Malformed); 4] = [
        // Twice, not asked for on this line, without its cas id, with one.
        (
            b"VALUE a 0 1\r\na\r\nVALUE a 0 1\r\na\r\nEND\r\n",
            Malformed::WrongKey,
        ),
        (b"VALUE d 0 1\r\nd\r\nEND\r\n", Malformed::WrongKey),
        (
            b"END\r\nVALUE d 0 1\r\nd\r\nEND\r\n",
            Malformed::Unexpected(Excerpt::new(b"VALUE d 0 1")),
        ),
        (
            b"VALUE a 0 1 5\r\na\r\nEND\r\n",
            Malformed::Unexpected(Excerpt::new(b"VALUE a 0 1 5")),
        ),
    ];
    for (bytes, expected) in malformed {
        let events = outcome(&requests, bytes);
        assert_eq!(events.last(), Some(&Event::Malformed(expected)));
    }
}

#[test]
fn replies_of_one_word() {
    let not_stored = b"NOT_STORED\r\n";
    let rows: [(Request<'_>, &[u8], Vec<Event>); 13] = [
        (
            store(Mode::Add),
            not_stored,
            vec![status(Status::NotStored), DONE],
        ),
        (
            store(Mode::Replace),
            not_stored,
            vec![status(Status::NotStored), DONE],
        ),
        (
            store(Mode::Append),
            not_stored,
            vec![status(Status::NotStored), DONE],
        ),
        (
            store(Mode::Prepend),
            b"STORED\r\n",
            vec![status(Status::Stored), DONE],
        ),
        (
            store(Mode::Cas(1)),
            b"STORED\r\n",
            vec![status(Status::Stored), DONE],
        ),
        (
            store(Mode::Cas(1)),
            b"EXISTS\r\n",
            vec![status(Status::Exists), DONE],
        ),
        (
            store(Mode::Cas(1)),
            b"NOT_FOUND\r\n",
            vec![status(Status::NotFound), DONE],
        ),
        (
            count(Direction::Up),
            b"18446744073709551615\r\n",
            vec![reply(Reply::Number(u64::MAX)), DONE],
        ),
        (
            count(Direction::Down),
            b"NOT_FOUND\r\n",
            vec![status(Status::NotFound), DONE],
        ),
        (
            count(Direction::Up),
            b"CLIENT_ERROR cannot increment or decrement non-numeric value\r\n",
            vec![
                refused_line(
                    "CLIENT_ERROR cannot increment or decrement non-numeric value",
                    true,
                ),
                DONE,
            ],
        ),
        (
            Request::Touch {
                key: key(b"key"),
                exptime: 0,
            },
            b"TOUCHED\r\n",
            vec![status(Status::Touched), DONE],
        ),
        (
            Request::FlushAll { delay: 0 },
            b"OK\r\n",
            vec![status(Status::Ok), DONE],
        ),
        (
            Request::Verbosity { level: 0 },
            b"OK\r\n",
            vec![status(Status::Ok), DONE],
        ),
    ];
    check(&rows);
}

#[test]
fn replies() {
    use Event::Incomplete;
    let rows: [(Request<'_>, &[u8], Vec<Event>); 20] = [
        (get(), b"END\r\n", vec![status(Status::NotFound), DONE]),
        (
            get(),
            b"VALUE key 0 0\r\n\r\nEND\r\n",
            vec![value(0, b""), DONE],
        ),
        (
            get(),
            b"VALUE key 4294967295 6\r\na\r\nEND\r\nEND\r\n",
            vec![value(u32::MAX, b"a\r\nEND"), DONE],
        ),
        (
            get(),
            b"VALUE key 1 0000000002\r\nab\r\nEND\r\n",
            vec![value(1, b"ab"), DONE],
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
            vec![refused_line("SERVER_ERROR busy", false), DONE],
        ),
        (set(), b"STORED\r\n", vec![status(Status::Stored), DONE]),
        (
            set(),
            b"STORED\r\n\r\n",
            vec![status(Status::Stored), Event::Done { surplus: 2 }],
        ),
        (set(), b"ERROR\r\n", vec![refused_line("ERROR", true), DONE]),
        (
            set(),
            b"CLIENT_ERROR bad\r\n",
            vec![refused_line("CLIENT_ERROR bad", true), DONE],
        ),
        (
            set(),
            b"SERVER_ERROR object too large for cache\r\n",
            vec![
                refused_line("SERVER_ERROR object too large for cache", false),
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
            vec![reply(Reply::Version(b"1.6.18".into())), DONE],
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
        (
            stats("x"),
            b"ERROR\r\n",
            vec![refused_line("ERROR", true), DONE],
        ),
    ];
    check(&rows);
}

fn check(rows: &[(Request<'_>, &[u8], Vec<Event>)]) {
    for (request, bytes, expected) in rows {
        let shown = bytes.escape_ascii();
        assert_eq!(outcome(&[*request], bytes), *expected, "{shown}");
    }
}

#[test]
fn lines_of_stats() {
    let stat = |name: &'static str, value: &'static str| {
        let part = Line::Stat {
            name: name.as_bytes().into(),
            value: value.as_bytes().into(),
        };
        Event::Part(format!("{part:?}"))
    };
    let reply = b"STAT 22:addr unix:/run/my dir/mem cached.sock\r\nSTAT empty \r\nSTAT bare\r\n\
                  ITEM key [3 b; 0 s]\r\nPREFIX user get 1 hit 2\r\nEND\r\n";
    let expected = vec![
        stat("22:addr", "unix:/run/my dir/mem cached.sock"),
        stat("empty", ""),
        stat("bare", ""),
        stat("key", "[3 b; 0 s]"),
        stat("user", "get 1 hit 2"),
        status(Status::Ok),
        DONE,
    ];
    assert_eq!(outcome(&[stats("")], reply), expected);
    for arguments in [
        "sizes_enable",
        "sizes_disable",
        " sizes_enable ",
        "sizes_disable x",
    ] {
        let expected = vec![stat("sizes_status", "enabled"), status(Status::Ok), DONE];
        assert_eq!(
            outcome(&[stats(arguments)], b"STAT sizes_status enabled\r\n"),
            expected
        );
    }
}

#[test]
fn malformed_replies() {
    let long_line = [
        b"SERVER_ERROR ".to_vec(),
        vec![b'x'; Bounds::DEFAULT_LINE],
        b"\r\n".to_vec(),
    ]
    .concat();
    let endless = vec![b'x'; 2 * Bounds::DEFAULT_LINE];
    let too_large = |length| Malformed::TooLarge {
        length,
        max: MAX_VALUE,
    };
    let unexpected = |line: &[u8]| Malformed::Unexpected(Excerpt::new(line));
    let rows: [(Request<'_>, &[u8], Malformed); 35] = [
        (set(), b"NOT_STORED\r\n", unexpected(b"NOT_STORED")),
        (set(), b"EXISTS\r\n", unexpected(b"EXISTS")),
        (store(Mode::Add), b"NOT_FOUND\r\n", unexpected(b"NOT_FOUND")),
        (
            count(Direction::Up),
            b"18446744073709551616\r\n",
            unexpected(b"18446744073709551616"),
        ),
        (count(Direction::Up), b"1 \r\n", unexpected(b"1 ")),
        (
            get(),
            b"VALUE other 0 1\r\na\r\nEND\r\n",
            Malformed::WrongKey,
        ),
        (get(), b"VALUE keyhole 0 1\r\n", Malformed::WrongKey),
        (get(), b"VALUE ke 0 1\r\n", Malformed::WrongKey),
        (get(), b"VALUE  key 0 1\r\n", Malformed::WrongKey),
        (get(), b"VALUE key\r\n", unexpected(b"VALUE key")),
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
        (set(), &long_line, LONG_LINE),
        (set(), &endless, LONG_LINE),
    ];
    for (request, bytes, expected) in rows {
        let events = outcome(&[request], bytes);
        assert_eq!(
            events.last(),
            Some(&Event::Malformed(expected)),
            "{:?}",
            bytes.escape_ascii().to_string()
        );
    }
}

#[test]
fn a_metadump() {
    let item = |line: &str| Event::Part(format!("{:?}", Line::Item(line.as_bytes().into())));
    let rows: [(&[u8], Vec<Event>); 7] = [
        (b"END\r\n", vec![status(Status::Ok), DONE]),
        (
            b"key=a exp=-1\nkey=b exp=5\nEND\r\n",
            vec![
                item("key=a exp=-1"),
                item("key=b exp=5"),
                status(Status::Ok),
                DONE,
            ],
        ),
        (
            b"OK\r\nkey=a exp=-1\nEND\r\n",
            vec![item("key=a exp=-1"), status(Status::Ok), DONE],
        ),
        (b"ERROR\r\n", vec![refused_line("ERROR", true), DONE]),
        (
            b"BUSY currently processing crawler request\r\n",
            vec![
                refused_line("BUSY currently processing crawler request", false),
                DONE,
            ],
        ),
        (
            b"BADCLASS invalid class id\r\n",
            vec![refused_line("BADCLASS invalid class id", false), DONE],
        ),
        // While its hash table grows.
        (
            b"OK\r\nERROR locked try again later\r\n",
            vec![refused_line("ERROR locked try again later", true), DONE],
        ),
    ];
    for (bytes, expected) in rows {
        let request = Request::Metadump { walk: Walk::Hash };
        assert_eq!(outcome(&[request], bytes), expected);
    }
}

#[test]
fn an_excerpt_is_escaped_and_cut() {
    assert_eq!(Excerpt::new(b"a\r\n\xff\"").to_string(), r#""a\r\n\xff\"""#);
    let long = Excerpt::new(&[0; 1000]).to_string();
    assert_eq!(long, format!("\"{}...\"", r"\x00".repeat(32)));
}
