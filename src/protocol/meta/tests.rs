use super::*;
use crate::item::ItemRef;
use crate::key::{Key, KeyRule};
use crate::protocol::lines::MAX_LINE;
use crate::protocol::options::{ArithmeticOptions, DeleteOptions, GetOptions, SetOptions};
use crate::protocol::replay::{Event, encode, replay};
use crate::protocol::reply::Details;
use crate::protocol::request::{Direction, Initial, Mode, StatsArguments};
use crate::protocol::{Dialect, Limits, Window};

const MAX_VALUE: usize = 100;

/// As the tests of requests and replies have it; with it, a `bin(0)` is `mg YSAw b`.
fn key(bytes: &[u8]) -> Key<'_> {
    KeyRule::Base64.key(bytes).unwrap()
}

fn get() -> Request<'static> {
    get_of(b"key", false)
}

fn get_of(bytes: &[u8], cas: bool) -> Request<'_> {
    let key = key(bytes);
    Request::Get { key, cas }
}

fn set() -> Request<'static> {
    store(Mode::Set)
}

fn store(mode: Mode) -> Request<'static> {
    Request::Store {
        mode,
        key: key(b"key"),
        item: ItemRef::from((7, "data")),
        exptime: 60,
    }
}

fn delete(cas: Option<u64>) -> Request<'static> {
    let key = key(b"key");
    Request::Delete { key, cas }
}

fn touch() -> Request<'static> {
    Request::Touch {
        key: key(b"key"),
        exptime: 5,
    }
}

fn get_and_touch(cas: bool) -> Request<'static> {
    Request::GetAndTouch {
        key: key(b"key"),
        exptime: 5,
        cas,
    }
}

fn count(direction: Direction, initial: Option<Initial>) -> Request<'static> {
    Request::Arithmetic {
        direction,
        key: key(b"key"),
        delta: 10,
        initial,
    }
}

const INITIAL: Option<Initial> = Some(Initial {
    value: 1,
    exptime: 60,
});

fn meta_get(letters: &[u8]) -> Request<'static> {
    let wanted = letters.iter().fold(Wanted::NONE, |all, &it| all.with(it));
    meta_get_with(GetOptions {
        wanted,
        ..GetOptions::default()
    })
}

fn meta_get_with(options: GetOptions) -> Request<'static> {
    let key = key(b"key");
    Request::MetaGet { key, options }
}

fn meta_set(mode: Mode, cas: Option<u64>, invalidate: bool, return_cas: bool) -> Request<'static> {
    Request::MetaSet {
        key: key(b"key"),
        item: ItemRef::from((0, "data")),
        exptime: 0,
        options: SetOptions {
            mode,
            cas,
            invalidate,
            return_cas,
        },
    }
}

fn meta_delete(options: DeleteOptions) -> Request<'static> {
    let key = key(b"key");
    Request::MetaDelete { key, options }
}

fn meta_count(cas: Option<u64>, initial: Option<Initial>, letters: &[u8]) -> Request<'static> {
    Request::MetaArithmetic {
        key: key(b"key"),
        options: ArithmeticOptions {
            direction: Direction::Down,
            delta: u64::MAX,
            initial,
            touch: None,
            cas,
            wanted: letters.iter().fold(Wanted::NONE, |all, &it| all.with(it)),
        },
    }
}

/// What comes of `bytes`, in one piece; and it must be the same in pieces of every size.
fn outcome(requests: &[Request<'_>], bytes: &[u8]) -> Vec<Event> {
    let whole = replay(Dialect::Meta, requests, MAX_VALUE, bytes, &[usize::MAX]);
    for piece in 1..bytes.len() {
        let pieces = replay(Dialect::Meta, requests, MAX_VALUE, bytes, &[piece]);
        let bytes = bytes.escape_ascii().to_string();
        assert_eq!(pieces, whole, "{bytes:?} in pieces of {piece}");
    }
    whole
}

fn reply_to(index: usize, reply: Reply<'_>) -> Event {
    Event::Reply(index, format!("{reply:?}"))
}

fn status_of(index: usize, status: Status) -> Event {
    reply_to(index, Reply::Status(status))
}

fn refused_to(index: usize, line: &'static str, by_grammar: bool) -> Event {
    let line = line.as_bytes();
    reply_to(index, Reply::Refused(Refused { line, by_grammar }))
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
    let max = u32::MAX;
    let all = GetOptions {
        touch: Some(1),
        vivify: Some(2),
        recache: Some(3),
        ..GetOptions::default()
    };
    let stale = DeleteOptions {
        cas: Some(3),
        invalidate: true,
        exptime: Some(0),
        tombstone: true,
    };
    let rows: Vec<(Request<'_>, &[u8])> = vec![
        (get(), b"mg key v f O0\r\n"),
        (get_of(b"key", true), b"mg key v f c O0\r\n"),
        (get_of(b"a b", false), b"mg YSBi b v f O0\r\n"),
        (
            get_of(b"\xff\xfe\xfd\xfc", false),
            b"mg //79/A== b v f O0\r\n",
        ),
        (get_of(b"\0\0\0\0\0", true), b"mg AAAAAAA= b v f c O0\r\n"),
        (get_and_touch(false), b"mg key T5 v f O0\r\n"),
        (get_and_touch(true), b"mg key T5 v f c O0\r\n"),
        (touch(), b"mg key T5 O0\r\n"),
        (set(), b"ms key 4 F7 T60 O0\r\ndata\r\n"),
        (store(Mode::Add), b"ms key 4 F7 T60 ME O0\r\ndata\r\n"),
        (store(Mode::Replace), b"ms key 4 F7 T60 MR O0\r\ndata\r\n"),
        (store(Mode::Append), b"ms key 4 F7 T60 MA O0\r\ndata\r\n"),
        (store(Mode::Prepend), b"ms key 4 F7 T60 MP O0\r\ndata\r\n"),
        (store(Mode::Cas(9)), b"ms key 4 F7 T60 C9 O0\r\ndata\r\n"),
        (delete(None), b"md key O0\r\n"),
        (delete(Some(9)), b"md key C9 O0\r\n"),
        (count(Direction::Up, None), b"ma key D10 v O0\r\n"),
        (
            count(Direction::Down, INITIAL),
            b"ma key MD D10 N60 J1 v O0\r\n",
        ),
        (meta_get(b""), b"mg key O0\r\n"),
        (meta_get(b"slhtcfvu"), b"mg key u v f c t h l s O0\r\n"),
        (meta_get_with(all), b"mg key T1 N2 R3 O0\r\n"),
        (
            meta_set(Mode::Set, None, false, false),
            b"ms key 4 O0\r\ndata\r\n",
        ),
        (
            meta_set(Mode::Append, Some(5), true, true),
            b"ms key 4 MA C5 I c O0\r\ndata\r\n",
        ),
        (meta_delete(DeleteOptions::default()), b"md key O0\r\n"),
        (meta_delete(stale), b"md key C3 I T0 x O0\r\n"),
        (
            meta_count(Some(4), INITIAL, b"tc"),
            b"ma key MD D18446744073709551615 N60 J1 C4 v c t O0\r\n",
        ),
        (Request::Version, b"version\r\n"),
        (
            Request::FlushAll { delay: max },
            b"flush_all 4294967295\r\n",
        ),
    ];
    for (request, expected) in rows {
        let (_, bytes) = encode(Dialect::Meta, &[request]);
        assert_eq!(
            bytes.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
    }
}

#[test]
fn requests_together() {
    let gets = |count: usize, word: &str| format!("{word}{}\r\n", " key".repeat(count));
    let (a, b) = (get_of(b" a", false), get_of(b" b", true));
    let rows: Vec<(Vec<Request<'_>>, String)> = vec![
        (vec![get(); 2], gets(2, "get")),
        (vec![get_of(b"key", true); 3], gets(3, "gets")),
        // A line takes 100 keys; one that is left over is a get of its own.
        (vec![get(); 101], gets(100, "get") + "mg key v f O100\r\n"),
        (
            vec![get(), get(), get_of(b"key", true), a, get(), get()],
            gets(2, "get") + "mg key v f c O2\r\nmg IGE= b v f O3\r\n" + &gets(2, "get"),
        ),
        (
            vec![delete(None), get(), touch()],
            "md key O0\r\nmg key v f O1\r\nmg key T5 O2\r\n".to_owned(),
        ),
        // Quiet.
        (
            vec![a, b, a],
            "mg IGE= b q v f O0\r\nmg IGI= b q v f c O1\r\nmg IGE= b q v f O2\r\nmn\r\n".to_owned(),
        ),
        (
            vec![set(), set()],
            "ms key 4 q F7 T60 O0\r\ndata\r\nms key 4 q F7 T60 O1\r\ndata\r\nmn\r\n".to_owned(),
        ),
    ];
    for (requests, expected) in rows {
        let (_, bytes) = encode(Dialect::Meta, &requests);
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }
}

#[test]
fn opaques_go_around() {
    let mut out = Output::default();
    let (requests, all) = ([touch(), touch()], (0, 2));
    let last = u32::MAX;
    let window = Window::encode(
        Dialect::Meta,
        &requests,
        all,
        Limits::TCP,
        true,
        last,
        &mut out,
    );
    let bytes = out.into_buffer();
    assert_eq!(bytes, b"mg key T5 O4294967295\r\nmg key T5 O0\r\n");
    let mut decoder = Decoder::new(Dialect::Meta, &requests, window, MAX_VALUE);
    for (index, line) in [(0, &b"HD O4294967295\r\n"[..]), (1, b"EN O0\r\n")] {
        let step = decoder.decode(line).unwrap();
        assert!(
            matches!(step, Step::Reply { index: it, .. } if it == index),
            "{step:?}"
        );
    }
    assert!(decoder.is_done());
}

#[test]
fn no_command_is_longer_than_its_bound() {
    let long = [0; 186];
    let (key, time, number) = (key(&long), u32::MAX, u64::MAX);
    let wanted = [b'u', b'v', b'f', b'c', b't', b'h', b'l', b's'];
    let wanted = wanted.iter().fold(Wanted::NONE, |all, &it| all.with(it));
    let initial = Some(Initial {
        value: number,
        exptime: time,
    });
    let get = GetOptions {
        wanted,
        touch: Some(time),
        vivify: Some(time),
        recache: Some(time),
    };
    let set = SetOptions {
        mode: Mode::Append,
        cas: Some(number),
        invalidate: true,
        return_cas: true,
    };
    let item = ItemRef {
        flags: time,
        data: &[0; 9999],
    };
    let arithmetic = ArithmeticOptions {
        direction: Direction::Down,
        delta: number,
        initial,
        touch: Some(time),
        cas: Some(number),
        wanted: Wanted::NONE.with(b'c').with(b't'),
    };
    let requests = [
        Request::Get { key, cas: true },
        Request::MetaGet { key, options: get },
        Request::MetaSet {
            key,
            item,
            exptime: time,
            options: set,
        },
        Request::MetaArithmetic {
            key,
            options: arithmetic,
        },
    ];
    for request in requests {
        let mut out = Output::default();
        encode_all(&[request], true, time, &mut out);
        let bound = Dialect::Meta.size_bound(&request);
        assert!(out.len() <= bound, "{} of {bound}: {request:?}", out.len());
    }
}

#[test]
fn replies() {
    use Status::{Deleted, Exists, NotFound, NotStored, Stored, Touched};
    let is = |status| vec![status_of(0, status), DONE];
    let number = |number| vec![reply_to(0, Reply::Number(number)), DONE];
    let cas_of = |request: fn(Option<u64>) -> Request<'static>| request(Some(1));
    let rows: Vec<(Request<'_>, &[u8], Vec<Event>)> = vec![
        (get(), b"EN O0\r\n", is(NotFound)),
        (
            get(),
            b"VA 4 f7 O0\r\nda\r\n\r\n",
            vec![value_of(0, 7, None, b"da\r\n"), DONE],
        ),
        (
            get_of(b"key", true),
            b"VA 0 f4294967295 c18446744073709551615 O0\r\n\r\n",
            vec![value_of(0, u32::MAX, Some(u64::MAX), b""), DONE],
        ),
        (
            get_and_touch(true),
            b"VA 1 O0 c1 f2\r\nx\r\n",
            vec![value_of(0, 2, Some(1), b"x"), DONE],
        ),
        (
            get(),
            b"VA 2 f0 O0\r\nx",
            vec![value_of(0, 0, None, b"x"), Event::Incomplete],
        ),
        (get(), b"EN O0\r", vec![Event::Incomplete]),
        (
            get(),
            b"SERVER_ERROR busy\r\n",
            vec![refused_to(0, "SERVER_ERROR busy", false), DONE],
        ),
        (touch(), b"HD O0\r\n", is(Touched)),
        (touch(), b"HD O0 Z X\r\n", is(Touched)),
        (touch(), b"EN O0\r\n", is(NotFound)),
        (set(), b"HD O0\r\n", is(Stored)),
        (
            set(),
            b"CLIENT_ERROR bad\r\nx",
            vec![
                refused_to(0, "CLIENT_ERROR bad", true),
                Event::Done { surplus: 1 },
            ],
        ),
        (store(Mode::Add), b"NS O0\r\n", is(NotStored)),
        (store(Mode::Append), b"NS O0\r\n", is(NotStored)),
        (store(Mode::Cas(1)), b"EX O0\r\n", is(Exists)),
        (store(Mode::Cas(1)), b"NF O0\r\n", is(NotFound)),
        (delete(None), b"HD O0\r\n", is(Deleted)),
        (delete(None), b"NF O0\r\n", is(NotFound)),
        (cas_of(delete), b"EX O0\r\n", is(Exists)),
        (
            count(Direction::Up, None),
            b"VA 20 O0\r\n18446744073709551615\r\n",
            number(u64::MAX),
        ),
        (count(Direction::Up, None), b"NF O0\r\n", is(NotFound)),
        (
            count(Direction::Up, INITIAL),
            b"VA 1 O0\r\n0\r\n",
            number(0),
        ),
        (count(Direction::Up, INITIAL), b"NS O0\r\n", is(NotStored)),
        (
            count(Direction::Up, None),
            b"CLIENT_ERROR cannot\r\n",
            vec![refused_to(0, "CLIENT_ERROR cannot", true), DONE],
        ),
        (
            Request::Version,
            b"VERSION 1.6.18\r\n",
            vec![reply_to(0, Reply::Version(b"1.6.18")), DONE],
        ),
    ];
    for (request, bytes, expected) in rows {
        let shown = bytes.escape_ascii().to_string();
        assert_eq!(outcome(&[request], bytes), expected, "{shown:?}");
    }
}

#[test]
fn replies_to_meta_commands() {
    use Status::{Deleted, Exists, NotFound, NotStored, Stored};
    let is = |status| vec![status_of(0, status), DONE];
    let none = Details::default();
    let full = Details {
        ttl: Some(30),
        last_access: 4,
        size: 1,
        hit_before: Some(true),
        ..none
    };
    let won = Details { won: true, ..none };
    let stale = Details {
        stale: true,
        already_won: true,
        ..none
    };
    let not_hit = Details {
        hit_before: Some(false),
        ..none
    };
    let item = |details, cas, data| vec![Event::Details(details), value_of(0, 0, cas, data), DONE];
    let counter = |number, cas, ttl| {
        let counter = Counter { number, cas, ttl };
        vec![reply_to(0, Reply::Counter(counter)), DONE]
    };
    let plain = |mode, cas| meta_set(mode, cas, false, false);
    let asking = |cas| meta_set(Mode::Set, cas, false, true);
    let deleting = |cas| {
        meta_delete(DeleteOptions {
            cas,
            ..DeleteOptions::default()
        })
    };
    let rows: Vec<(Request<'_>, &[u8], Vec<Event>)> = vec![
        (meta_get(b""), b"EN O0\r\n", is(NotFound)),
        (
            meta_get(b""),
            b"HD O0\r\n",
            vec![value_of(0, 0, None, b""), DONE],
        ),
        (
            meta_get(b"u"),
            b"HD O0\r\n",
            vec![value_of(0, 0, None, b""), DONE],
        ),
        (meta_get(b""), b"HD O0 W\r\n", item(won, None, b"")),
        (
            meta_get(b"v"),
            b"VA 1 O0 Z X\r\nx\r\n",
            item(stale, None, b"x"),
        ),
        (meta_get(b"v"), b"VA 0 W O0\r\n\r\n", item(won, None, b"")),
        (meta_get(b"h"), b"HD h0 O0\r\n", item(not_hit, None, b"")),
        (
            meta_get(b"vfcthls"),
            b"VA 1 f0 c5 t30 h1 l4 s1 O0\r\nx\r\n",
            item(full, Some(5), b"x"),
        ),
        (
            meta_get(b"t"),
            b"HD t-1 O0\r\n",
            vec![value_of(0, 0, None, b""), DONE],
        ),
        (plain(Mode::Set, None), b"HD O0\r\n", is(Stored)),
        (plain(Mode::Add, None), b"NS O0\r\n", is(NotStored)),
        (plain(Mode::Append, Some(1)), b"NS O0\r\n", is(NotStored)),
        (plain(Mode::Set, Some(1)), b"NF O0\r\n", is(NotFound)),
        (
            asking(None),
            b"HD O0 c5\r\n",
            vec![reply_to(0, Reply::Cas(5)), DONE],
        ),
        (asking(Some(1)), b"EX O0 c0\r\n", is(Exists)),
        (asking(Some(1)), b"EX O0\r\n", is(Exists)),
        (deleting(None), b"HD O0\r\n", is(Deleted)),
        (deleting(None), b"NF O0\r\n", is(NotFound)),
        (deleting(Some(1)), b"EX O0\r\n", is(Exists)),
        (
            meta_count(None, None, b"ct"),
            b"VA 2 c3 t60 O0\r\n12\r\n",
            counter(12, Some(3), Some(60)),
        ),
        (
            meta_count(None, None, b""),
            b"VA 1 O0\r\n0\r\n",
            counter(0, None, None),
        ),
        (meta_count(Some(1), None, b"c"), b"EX O0\r\n", is(Exists)),
        (meta_count(None, None, b""), b"NF O0\r\n", is(NotFound)),
    ];
    for (request, bytes, expected) in rows {
        let shown = bytes.escape_ascii().to_string();
        assert_eq!(outcome(&[request], bytes), expected, "{shown:?}");
    }
}

#[test]
fn replies_together() {
    use Status::{Deleted, NotFound};
    let requests = [
        get_of(b"a", false),
        get_of(b"b", false),
        delete(None),
        get(),
    ];
    let bytes = b"VALUE b 7 1\r\nx\r\nEND\r\nHD O2\r\nVA 1 f0 O3\r\ny\r\n";
    let expected = [
        status_of(0, NotFound),
        value_of(1, 7, None, b"x"),
        status_of(2, Deleted),
        value_of(3, 0, None, b"y"),
        DONE,
    ];
    assert_eq!(outcome(&requests, bytes), expected);
    let requests = [get(), get_of(b" ", false), get_of(b"key", true)];
    let bytes = b"EN O0\r\nVA 0 f0 O1\r\n\r\nEN O2\r\n";
    let expected = [
        status_of(0, NotFound),
        value_of(1, 0, None, b""),
        status_of(2, NotFound),
        DONE,
    ];
    assert_eq!(outcome(&requests, bytes), expected);
}

#[test]
fn quiet_gets() {
    let miss = |index| status_of(index, Status::NotFound);
    let hit = |index| value_of(index, 0, None, b"x");
    let error = |index| refused_to(index, "SERVER_ERROR oom", false);
    let unexpected = |line: &[u8]| Event::Malformed(unexpected(line));
    let surplus = |surplus| Event::Done { surplus };
    let rows: Vec<(&[u8], Vec<Event>)> = vec![
        (b"MN\r\n", vec![miss(0), miss(1), miss(2), DONE]),
        (
            b"VA 1 f0 O1\r\nx\r\nMN\r\n",
            vec![miss(0), hit(1), miss(2), DONE],
        ),
        (
            b"VA 1 f0 O2\r\nx\r\nMN\r\n!",
            vec![miss(0), miss(1), hit(2), surplus(1)],
        ),
        // A proxy may send what memcached leaves out.
        (
            b"EN O0\r\nVA 1 f0 O1\r\nx\r\nMN\r\n",
            vec![miss(0), hit(1), miss(2), DONE],
        ),
        (b"VA 1 f0 O0\r\nx\r\n", vec![hit(0), Event::Incomplete]),
        // An error stands for all that it may be about.
        (
            b"SERVER_ERROR oom\r\nMN\r\n",
            vec![error(0), error(1), error(2), DONE],
        ),
        (
            b"SERVER_ERROR oom\r\nVA 1 f0 O1\r\nx\r\nMN\r\n",
            vec![error(0), hit(1), miss(2), DONE],
        ),
        (
            b"VA 1 f0 O0\r\nx\r\nSERVER_ERROR a\r\nSERVER_ERROR oom\r\nMN\r\n",
            vec![hit(0), error(1), error(2), DONE],
        ),
        (b"SERVER_ERROR oom\r\n", vec![Event::Incomplete]),
        // And for one at least.
        (
            b"SERVER_ERROR oom\r\nVA 1 f0 O0\r\nx\r\nMN\r\n",
            vec![unexpected(b"SERVER_ERROR oom")],
        ),
        (
            b"VA 1 f0 O2\r\nx\r\nSERVER_ERROR oom\r\nMN\r\n",
            vec![miss(0), miss(1), hit(2), unexpected(b"SERVER_ERROR oom")],
        ),
        (
            b"VA 1 f0 O3\r\n",
            vec![Event::Malformed(Malformed::WrongOpaque)],
        ),
        (
            b"VA 1 f0 O1\r\nx\r\nVA 1 f0 O1\r\n",
            vec![miss(0), hit(1), Event::Malformed(Malformed::WrongOpaque)],
        ),
        // Nothing follows from a line that is wrong.
        (b"VA 1 O2\r\n", vec![unexpected(b"VA 1 O2")]),
        (b"HD O2\r\n", vec![unexpected(b"HD O2")]),
        (b"MN \r\n", vec![unexpected(b"MN ")]),
        (b"END\r\n", vec![unexpected(b"END")]),
    ];
    let requests = [
        get_of(b" a", false),
        get_of(b" b", false),
        get_of(b" c", false),
    ];
    for (bytes, expected) in rows {
        let shown = bytes.escape_ascii().to_string();
        assert_eq!(outcome(&requests, bytes), expected, "{shown:?}");
    }
}

#[test]
fn quiet_sets() {
    let stored = |index| status_of(index, Status::Stored);
    let client_error = unexpected(b"CLIENT_ERROR bad");
    let rows: Vec<(&[u8], Vec<Event>, bool)> = vec![
        (
            b"MN\r\n",
            vec![stored(0), stored(1), stored(2), DONE],
            false,
        ),
        (
            b"HD O1\r\nMN\r\n",
            vec![stored(0), stored(1), stored(2), DONE],
            false,
        ),
        // Whose it is, another pass tells.
        (
            b"SERVER_ERROR out of memory\r\nSERVER_ERROR too large\r\nMN\r\n",
            vec![stored(0), stored(1), stored(2), DONE],
            true,
        ),
        (
            b"CLIENT_ERROR bad\r\nMN\r\n",
            vec![Event::Malformed(client_error)],
            false,
        ),
        (
            b"NS O1\r\nMN\r\n",
            vec![Event::Malformed(unexpected(b"NS O1"))],
            false,
        ),
    ];
    let requests = [set(), set(), set()];
    for (bytes, expected, is_unclear) in rows {
        let shown = bytes.escape_ascii().to_string();
        assert_eq!(outcome(&requests, bytes), expected, "{shown:?}");
        let (window, _) = encode(Dialect::Meta, &requests);
        let mut decoder = Decoder::new(Dialect::Meta, &requests, window, MAX_VALUE);
        let first = decoder.decode(bytes);
        assert_eq!(decoder.is_unclear(), is_unclear, "{shown:?}: {first:?}");
    }
}

#[test]
fn malformed_replies() {
    let long = [b"HD ".to_vec(), vec![b'x'; MAX_LINE]].concat();
    let stats = Request::Stats {
        arguments: StatsArguments::new("").unwrap(),
    };
    let too_large = Malformed::TooLarge {
        length: 101,
        max: MAX_VALUE,
    };
    let is = |line: &[u8]| unexpected(line);
    let rows: Vec<(Request<'_>, &[u8], Malformed)> = vec![
        (get(), b"EN O1\r\n", Malformed::WrongOpaque),
        (get(), b"VA 1 f0 O1\r\nx\r\n", Malformed::WrongOpaque),
        (get(), b"VA 101 f0 O0\r\n", too_large),
        (get(), b"VA 1 f0 O0\r\nxy", Malformed::Unterminated),
        (set(), &long, Malformed::LongLine),
        (stats, b"HD\r\n", is(b"HD")),
        (get(), b"VALUE key 0 1\r\n", is(b"VALUE key 0 1")),
    ];
    let unexpected_lines: Vec<(Request<'_>, &[u8])> = vec![
        (get(), b"EN"),
        (get(), b"EN O"),
        (get(), b"EN O-1"),
        (get(), b"EN O4294967296"),
        (get(), b"EN O0 O0"),
        (get(), b"EN  O0"),
        (get(), b"EN O0 "),
        (get(), b"EN O0 W"),
        (get(), b"EN O0 c1"),
        (get(), b"END"),
        (get(), b"MN"),
        (get(), b"en O0"),
        (get(), b"HD f0 O0"),
        (get(), b"NF O0"),
        (get(), b"VA"),
        (get(), b"VA O0"),
        (get(), b"VA 1 O0"),
        (get(), b"VA 1 f0"),
        (get(), b"VA -1 f0 O0"),
        (get(), b"VA 12345678901 f0 O0"),
        (get(), b"VA 1 f-1 O0"),
        (get(), b"VA 1 f4294967296 O0"),
        (get(), b"VA 1 f0 f0 O0"),
        (get(), b"VA 1 f0 c1 O0"),
        (get(), b"VA 1 f0 O0 W1"),
        (get(), b"VA 1 f0 O0 X X"),
        (get(), b"VA 1 f0 O0 q"),
        (get(), b"VA 1 f0 v O0"),
        (get(), b"VA 1 f0 kkey O0"),
        (get_of(b"key", true), b"VA 1 f0 O0"),
        (get_of(b"key", true), b"VA 1 f0 cx O0"),
        (touch(), b"VA 0 O0"),
        (touch(), b"NF O0"),
        (set(), b"HD"),
        (set(), b"NS O0"),
        (set(), b"EX O0"),
        (set(), b"NF O0"),
        (set(), b"HD O0 W"),
        (set(), b"HD O0 c1"),
        (set(), b"STORED"),
        (store(Mode::Cas(1)), b"NS O0"),
        (delete(None), b"EX O0"),
        (delete(None), b"EN O0"),
        (count(Direction::Up, None), b"HD O0"),
        (count(Direction::Up, None), b"NS O0"),
        (count(Direction::Up, None), b"EX O0"),
        (count(Direction::Up, None), b"VA 1 t1 O0"),
        (meta_get(b"v"), b"HD O0"),
        (meta_get(b""), b"VA 1 O0"),
        (meta_get(b"t"), b"HD O0"),
        (meta_get(b"t"), b"HD t-2 O0"),
        (meta_get(b"h"), b"HD h2 O0"),
        (meta_get(b"l"), b"HD l O0"),
        (meta_get(b""), b"HD s1 O0"),
        (meta_set(Mode::Set, None, false, true), b"HD O0"),
        (meta_count(None, None, b"c"), b"VA 1 O0"),
    ];
    let expected = unexpected_lines.iter().map(|&(request, line)| {
        let bytes = [line, b"\r\n"].concat();
        (request, bytes, is(line))
    });
    let rows = rows
        .into_iter()
        .map(|(request, bytes, it)| (request, bytes.to_vec(), it));
    for (request, bytes, expected) in rows.chain(expected) {
        let events = outcome(&[request], &bytes);
        let shown = bytes.escape_ascii().to_string();
        assert_eq!(
            events.last(),
            Some(&Event::Malformed(expected)),
            "{shown:?}"
        );
    }
    // A number that is not one, or not as long as it says.
    for digits in ["x", "12", "", "1 ", "-"] {
        let bytes = format!("VA 1 O0\r\n{digits}\r\n");
        let events = outcome(&[count(Direction::Up, None)], bytes.as_bytes());
        let expected = Event::Malformed(unexpected(digits.as_bytes()));
        assert_eq!(events, [expected], "{digits:?}");
    }
}
