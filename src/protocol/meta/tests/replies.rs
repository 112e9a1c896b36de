use super::*;

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
            vec![reply_to(0, Reply::Version(b"1.6.18".into())), DONE],
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
        value_of(1, 7, None, b"x"),
        status_of(0, NotFound),
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
