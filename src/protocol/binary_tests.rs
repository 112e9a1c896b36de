use super::packet::{HEADER, NOOP};
use crate::item::ItemRef;
use crate::key::{Key, KeyRule};
use crate::protocol::replay::{Event, encode, replay};
use crate::protocol::{
    Dialect, Direction, Excerpt, Initial, Malformed, Mode, Part, Refused, Reply, Request,
    StatsArguments, Status,
};

const MAX_VALUE: usize = 100;

fn key(bytes: &[u8]) -> Key<'_> {
    KeyRule::Counted.key(bytes).unwrap()
}

fn get() -> Request<'static> {
    Request::Get {
        key: key(b"key"),
        cas: false,
    }
}

fn gets() -> Request<'static> {
    Request::Get {
        key: key(b"key"),
        cas: true,
    }
}

fn get_and_touch() -> Request<'static> {
    Request::GetAndTouch {
        key: key(b"key"),
        exptime: 60,
        cas: false,
    }
}

fn store(mode: Mode) -> Request<'static> {
    Request::Store {
        mode,
        key: key(b"key"),
        item: ItemRef::from((7, b"data")),
        exptime: 60,
    }
}

fn delete(cas: Option<u64>) -> Request<'static> {
    Request::Delete {
        key: key(b"key"),
        cas,
    }
}

fn touch() -> Request<'static> {
    Request::Touch {
        key: key(b"key"),
        exptime: 60,
    }
}

fn count(direction: Direction, initial: Option<Initial>) -> Request<'static> {
    Request::Arithmetic {
        direction,
        key: key(b"key"),
        delta: 0x0102,
        initial,
    }
}

fn incr() -> Request<'static> {
    count(Direction::Up, None)
}

fn stats(arguments: &str) -> Request<'_> {
    Request::Stats {
        arguments: StatsArguments::new(arguments).unwrap(),
    }
}

/// A packet of a reply.
#[derive(Clone, Copy)]
struct Packet<'a> {
    magic: u8,
    opcode: u8,
    extras: &'a [u8],
    key: &'a [u8],
    value: &'a [u8],
    data_type: u8,
    status: u16,
    opaque: u32,
    cas: u64,
}

impl Packet<'_> {
    fn bytes(self) -> Vec<u8> {
        let body = self.extras.len() + self.key.len() + self.value.len();
        self.claiming(u32::try_from(body).unwrap())
    }

    /// With this for the length of its body.
    fn claiming(self, body: u32) -> Vec<u8> {
        [
            &[
                self.magic,
                self.opcode,
                0,
                self.key.len().try_into().unwrap(),
            ][..],
            &[self.extras.len().try_into().unwrap(), self.data_type],
            &self.status.to_be_bytes(),
            &body.to_be_bytes(),
            &self.opaque.to_be_bytes(),
            &self.cas.to_be_bytes(),
            self.extras,
            self.key,
            self.value,
        ]
        .concat()
    }
}

/// The reply to the first request of a window, with the status 0.
fn ok(opcode: u8) -> Packet<'static> {
    Packet {
        magic: 0x81,
        opcode,
        extras: b"",
        key: b"",
        value: b"",
        data_type: 0,
        status: 0,
        opaque: 0,
        cas: 0x99,
    }
}

fn failed(opcode: u8, status: u16, text: &[u8]) -> Packet<'_> {
    Packet {
        status,
        value: text,
        ..ok(opcode)
    }
}

fn with_value(opcode: u8, value: &[u8]) -> Packet<'_> {
    Packet {
        extras: &[0, 0, 1, 2],
        value,
        ..ok(opcode)
    }
}

fn fence(opaque: u32) -> Vec<u8> {
    Packet { opaque, ..ok(NOOP) }.bytes()
}

fn stat_packet<'a>(name: &'a [u8], value: &'a [u8]) -> Vec<u8> {
    Packet {
        key: name,
        value,
        ..ok(0x10)
    }
    .bytes()
}

/// What comes of `bytes`, in one piece; and it must be the same in pieces of every size.
fn outcome(requests: &[Request<'_>], bytes: &[u8]) -> Vec<Event> {
    let whole = replay(Dialect::Binary, requests, MAX_VALUE, bytes, &[usize::MAX]);
    for piece in (1..bytes.len()).take(200) {
        let pieces = replay(Dialect::Binary, requests, MAX_VALUE, bytes, &[piece]);
        assert_eq!(pieces, whole, "{bytes:x?} in pieces of {piece}");
    }
    whole
}

fn reply(index: usize, reply: &Reply<'_>) -> Event {
    Event::Reply(index, format!("{reply:?}"))
}

fn status(index: usize, status: Status) -> Event {
    reply(index, &Reply::Status(status))
}

fn refused(index: usize, text: &str, by_grammar: bool) -> Event {
    let line = text.as_bytes();
    reply(index, &Reply::Refused(Refused { line, by_grammar }))
}

fn part(name: &str, value: &str) -> Event {
    let (name, value) = (name.as_bytes(), value.as_bytes());
    Event::Part(format!("{:?}", Part::Stat { name, value }))
}

fn value(index: usize, cas: Option<u64>, data: &[u8]) -> Event {
    Event::Value {
        index,
        flags: 0x0102,
        cas,
        data: data.to_vec(),
    }
}

const DONE: Event = Event::Done { surplus: 0 };

/// A request; its opcode, cas id, extras, key and value.
type Encoded<'a> = (Request<'a>, u8, u64, &'a [u8], &'a [u8], &'a [u8]);

#[test]
fn requests() {
    let initial = Some(Initial {
        value: 0x0304,
        exptime: 60,
    });
    let store_extras = b"\0\0\0\x07\0\0\0\x3c";
    let rows: [Encoded<'_>; 22] = [
        (get(), 0x00, 0, b"", b"key", b""),
        (gets(), 0x00, 0, b"", b"key", b""),
        (get_and_touch(), 0x1d, 0, b"\0\0\0\x3c", b"key", b""),
        (store(Mode::Set), 0x01, 0, store_extras, b"key", b"data"),
        (store(Mode::Add), 0x02, 0, store_extras, b"key", b"data"),
        (store(Mode::Replace), 0x03, 0, store_extras, b"key", b"data"),
        (store(Mode::Append), 0x0e, 0, b"", b"key", b"data"),
        (store(Mode::Prepend), 0x0f, 0, b"", b"key", b"data"),
        (store(Mode::Cas(9)), 0x01, 9, store_extras, b"key", b"data"),
        (delete(None), 0x04, 0, b"", b"key", b""),
        (delete(Some(u64::MAX)), 0x04, u64::MAX, b"", b"key", b""),
        (touch(), 0x1c, 0, b"\0\0\0\x3c", b"key", b""),
        (
            incr(),
            0x05,
            0,
            b"\0\0\0\0\0\0\x01\x02\0\0\0\0\0\0\0\0\xff\xff\xff\xff",
            b"key",
            b"",
        ),
        (
            count(Direction::Down, initial),
            0x06,
            0,
            b"\0\0\0\0\0\0\x01\x02\0\0\0\0\0\0\x03\x04\0\0\0\x3c",
            b"key",
            b"",
        ),
        (Request::FlushAll { delay: 0 }, 0x08, 0, b"", b"", b""),
        (
            Request::FlushAll { delay: 258 },
            0x08,
            0,
            b"\0\0\x01\x02",
            b"",
            b"",
        ),
        (stats(""), 0x10, 0, b"", b"", b""),
        (stats(" "), 0x10, 0, b"", b"", b""),
        (stats("detail dump"), 0x10, 0, b"", b"detail dump", b""),
        (stats(" items "), 0x10, 0, b"", b"items", b""),
        (Request::Version, 0x0b, 0, b"", b"", b""),
        (
            Request::Get {
                key: key(b"\0\r\n \xff"),
                cas: false,
            },
            0x00,
            0,
            b"",
            b"\0\r\n \xff",
            b"",
        ),
    ];
    for (request, opcode, cas, extras, key, value) in rows {
        let expected = Packet {
            magic: 0x80,
            extras,
            key,
            value,
            cas,
            ..ok(opcode)
        };
        let (_, bytes) = encode(Dialect::Binary, &[request]);
        assert_eq!(bytes, expected.bytes(), "{request:?}");
    }
}

#[test]
fn quiet_requests() {
    let rows: [(&[Request<'_>], &[u8]); 5] = [
        (&[get(), gets()], &[0x09, 0x09, 0x0a]),
        (
            &[
                store(Mode::Set),
                store(Mode::Add),
                store(Mode::Replace),
                store(Mode::Append),
                store(Mode::Prepend),
                store(Mode::Cas(9)),
                delete(None),
            ],
            &[0x11, 0x12, 0x13, 0x19, 0x1a, 0x11, 0x14, 0x0a],
        ),
        (&[touch(), touch()], &[0x1c, 0x1c]),
        (&[incr(), incr()], &[0x05, 0x05]),
        (&[get_and_touch(), get_and_touch()], &[0x1d, 0x1d]),
    ];
    for (requests, opcodes) in rows {
        let (_, bytes) = encode(Dialect::Binary, requests);
        let mut rest = &bytes[..];
        for (opaque, opcode) in (0..).zip(opcodes) {
            let body = u32::from_be_bytes(rest[8..12].try_into().unwrap());
            assert_eq!((rest[0], rest[1]), (0x80, *opcode), "{requests:?}");
            assert_eq!(rest[12..16], u32::to_be_bytes(opaque));
            rest = &rest[HEADER + body as usize..];
        }
        assert_eq!(rest, b"");
    }
}

#[test]
fn a_large_value_is_whole() {
    let data = vec![b'x'; 100_000];
    let request = Request::Store {
        mode: Mode::Set,
        key: key(b"key"),
        item: ItemRef::from((0, &data)),
        exptime: 0,
    };
    let (_, bytes) = encode(Dialect::Binary, &[request]);
    assert_eq!(bytes[8..12], (8 + 3 + 100_000_u32).to_be_bytes());
    assert_eq!(bytes[HEADER + 8 + 3..], data);
}

#[test]
fn what_it_cannot_say_is_refused() {
    let refused = [
        Request::Metadump,
        Request::Verbosity { level: 1 },
        store(Mode::Cas(0)),
        delete(Some(0)),
    ];
    for request in refused {
        let error = Dialect::Binary.check(&request).unwrap_err();
        assert!(error.is_unsupported(), "{request:?}");
    }
    for request in [store(Mode::Cas(1)), delete(Some(1)), delete(None)] {
        Dialect::Binary.check(&request).unwrap();
    }
}

#[test]
fn values() {
    let rows: [(&str, Request<'_>, Vec<u8>, Vec<Event>); 8] = [
        (
            "a value",
            get(),
            with_value(0x00, b"data").bytes(),
            vec![value(0, None, b"data"), DONE],
        ),
        (
            "with its cas id",
            gets(),
            with_value(0x00, b"data").bytes(),
            vec![value(0, Some(0x99), b"data"), DONE],
        ),
        (
            "an empty one",
            get(),
            with_value(0x00, b"").bytes(),
            vec![value(0, None, b""), DONE],
        ),
        (
            "the longest",
            get(),
            with_value(0x00, &[0x81; MAX_VALUE]).bytes(),
            vec![value(0, None, &[0x81; MAX_VALUE]), DONE],
        ),
        (
            "touched",
            get_and_touch(),
            with_value(0x1d, b"data").bytes(),
            vec![value(0, None, b"data"), DONE],
        ),
        (
            "a miss",
            get(),
            failed(0x00, 1, b"Not found").bytes(),
            vec![status(0, Status::NotFound), DONE],
        ),
        (
            "a miss of a touch",
            get_and_touch(),
            failed(0x1d, 1, b"").bytes(),
            vec![status(0, Status::NotFound), DONE],
        ),
        (
            "cut off",
            get(),
            with_value(0x00, b"data").claiming(9),
            vec![value(0, None, b"data"), Event::Incomplete],
        ),
    ];
    for (name, request, bytes, expected) in rows {
        assert_eq!(outcome(&[request], &bytes), expected, "{name}");
    }
}

#[test]
fn statuses() {
    let row = |request, opcode, code, expected| {
        let packet = failed(opcode, code, if code == 0 { b"" } else { b"text" });
        (request, packet, status(0, expected))
    };
    let (add, replace, append) = (Mode::Add, Mode::Replace, Mode::Append);
    let with_flags = Packet {
        extras: &[0; 4],
        ..ok(0x1c)
    };
    let number = with_value(0x05, b"\0\0\0\0\0\0\x01\0");
    let number = Packet {
        extras: b"",
        ..number
    };
    let rows = [
        row(store(Mode::Set), 0x01, 0, Status::Stored),
        row(store(add), 0x02, 0, Status::Stored),
        row(store(add), 0x02, 2, Status::NotStored),
        row(store(add), 0x02, 5, Status::NotStored),
        row(store(replace), 0x03, 0, Status::Stored),
        row(store(replace), 0x03, 1, Status::NotStored),
        row(store(append), 0x0e, 0, Status::Stored),
        row(store(append), 0x0e, 5, Status::NotStored),
        row(store(Mode::Prepend), 0x0f, 5, Status::NotStored),
        row(store(Mode::Cas(9)), 0x01, 0, Status::Stored),
        row(store(Mode::Cas(9)), 0x01, 1, Status::NotFound),
        row(store(Mode::Cas(9)), 0x01, 2, Status::Exists),
        row(delete(None), 0x04, 0, Status::Deleted),
        row(delete(None), 0x04, 1, Status::NotFound),
        row(delete(Some(9)), 0x04, 2, Status::Exists),
        row(touch(), 0x1c, 0, Status::Touched),
        row(touch(), 0x1c, 1, Status::NotFound),
        (touch(), with_flags, status(0, Status::Touched)),
        row(incr(), 0x05, 1, Status::NotFound),
        row(incr(), 0x05, 5, Status::NotFound),
        (incr(), number, reply(0, &Reply::Number(256))),
        row(Request::FlushAll { delay: 0 }, 0x08, 0, Status::Ok),
        (
            Request::Version,
            failed(0x0b, 0, b"1.6.18"),
            reply(0, &Reply::Version(b"1.6.18")),
        ),
    ];
    for (request, packet, expected) in rows {
        let events = outcome(&[request], &packet.bytes());
        assert_eq!(events, [expected, DONE], "{request:?}");
        let surplus = [packet.bytes(), packet.bytes()].concat();
        let surplus = outcome(&[request], &surplus);
        let length = packet.bytes().len();
        assert_eq!(surplus[1..], [Event::Done { surplus: length }]);
    }
}

/// A request; the opcode, status and text of the reply; the text that comes of it, and whether the
/// connection is of no more use.
type Refusal = (Request<'static>, u8, u16, &'static [u8], &'static str, bool);

#[test]
fn refusals() {
    let rows: [Refusal; 14] = [
        (
            store(Mode::Set),
            0x01,
            3,
            b"Too large.",
            "Too large.",
            false,
        ),
        (store(Mode::Set), 0x01, 3, b"", "Too large", false),
        (store(Mode::Set), 0x01, 4, b"", "Invalid arguments", true),
        (store(Mode::Set), 0x01, 1, b"", "Not found", false),
        (store(Mode::Set), 0x01, 2, b"", "Data exists for key", false),
        (store(Mode::Set), 0x01, 5, b"", "Not stored", false),
        (incr(), 0x05, 6, b"Non-numeric", "Non-numeric", false),
        (get(), 0x00, 0x20, b"", "Authentication failure", true),
        (touch(), 0x1c, 0x81, b"Unknown", "Unknown", true),
        (get(), 0x00, 0x82, b"", "Out of memory", false),
        (get(), 0x00, 0x85, b"", "Busy", false),
        (get(), 0x00, 0x86, b"", "Temporary failure", false),
        (get(), 0x00, 0xffff, b"", "an error without a text", false),
        (stats("no"), 0x10, 1, b"Not found", "Not found", false),
    ];
    for (request, opcode, code, text, expected, by_grammar) in rows {
        let events = outcome(&[request], &failed(opcode, code, text).bytes());
        let expected = refused(0, expected, by_grammar);
        assert_eq!(events, [expected, DONE], "{request:?}, {code}");
    }
}

#[test]
fn lines_of_stats() {
    let end = ok(0x10).bytes();
    let two = [
        stat_packet(b"pid", b"123"),
        stat_packet(b"socket", b""),
        end.clone(),
    ];
    let enabled = stat_packet(b"sizes_status", b"enabled");
    let dump = b"PREFIX user get 1 hit 2\r\nPREFIX a get 3 hit 4\r\nEND\r\n";
    let long = [dump[..dump.len() - 5].repeat(400), b"END\r\n".to_vec()].concat();
    let longest = vec![b'x'; 8000];
    let done = status(0, Status::Ok);
    let prefixes = [part("user", "get 1 hit 2"), part("a", "get 3 hit 4")];
    let rows: [(&str, &str, Vec<u8>, Vec<Event>); 8] = [
        ("nothing", "reset", end.clone(), vec![]),
        (
            "two",
            "",
            two.concat(),
            vec![part("pid", "123"), part("socket", "")],
        ),
        (
            "a long one",
            "",
            [stat_packet(b"path", &longest), end.clone()].concat(),
            vec![part("path", &"x".repeat(8000))],
        ),
        (
            "one without an end",
            "sizes_enable",
            enabled,
            vec![part("sizes_status", "enabled")],
        ),
        (
            "a dump is one value",
            "detail dump",
            [stat_packet(b"detailed", dump), end.clone()].concat(),
            prefixes.to_vec(),
        ),
        (
            "a long dump",
            " detail dump",
            [stat_packet(b"detailed", &long), end.clone()].concat(),
            prefixes.iter().cycle().take(800).cloned().collect(),
        ),
        (
            "an empty dump",
            "detail dump",
            [stat_packet(b"detailed", b"END\r\n"), end.clone()].concat(),
            vec![],
        ),
        (
            "a dump in packets",
            "detail dump",
            [stat_packet(b"user", b"get 1 hit 2"), end].concat(),
            vec![part("user", "get 1 hit 2")],
        ),
    ];
    for (name, arguments, bytes, mut expected) in rows {
        expected.extend([done.clone(), DONE]);
        assert_eq!(outcome(&[stats(arguments)], &bytes), expected, "{name}");
    }
}

/// What it shows; the requests; what comes, and what comes of it.
type Quiet<'a> = (&'a str, &'a [Request<'a>], Vec<u8>, Vec<Event>);

#[test]
fn quiet_windows() {
    let hit = |opaque| {
        let packet = with_value(0x09, b"data");
        Packet { opaque, ..packet }.bytes()
    };
    let busy = |opcode, opaque| {
        let packet = failed(opcode, 0x85, b"Busy");
        Packet { opaque, ..packet }.bytes()
    };
    let answer = |opcode, status, opaque| {
        let packet = failed(opcode, status, b"text");
        Packet { opaque, ..packet }.bytes()
    };
    let data = |index| value(index, None, b"data");
    let miss = |index| status(index, Status::NotFound);
    let stored = |index| status(index, Status::Stored);
    let refused = |index| refused(index, "Busy", false);
    let four_gets = [get(); 4];
    let three_sets = [store(Mode::Set); 3];
    let conditional = [
        store(Mode::Set),
        store(Mode::Add),
        store(Mode::Replace),
        store(Mode::Append),
        store(Mode::Cas(9)),
        delete(None),
        delete(None),
    ];
    let rows: [Quiet<'_>; 8] = [
        (
            "all miss",
            &four_gets,
            fence(4),
            vec![miss(0), miss(1), miss(2), miss(3), DONE],
        ),
        (
            "all hit",
            &four_gets,
            [hit(0), hit(1), hit(2), hit(3), fence(4)].concat(),
            vec![data(0), data(1), data(2), data(3), DONE],
        ),
        (
            "some hit",
            &four_gets,
            [hit(1), hit(3), fence(4)].concat(),
            vec![miss(0), data(1), miss(2), data(3), DONE],
        ),
        (
            "the error is that of one",
            &four_gets,
            [busy(0x09, 1), hit(2), fence(4)].concat(),
            vec![miss(0), refused(1), data(2), miss(3), DONE],
        ),
        (
            "a server that says everything",
            &four_gets[..2],
            [answer(0x09, 1, 0), answer(0x09, 1, 1), fence(2)].concat(),
            vec![miss(0), miss(1), DONE],
        ),
        (
            "all stored",
            &three_sets,
            fence(3),
            vec![stored(0), stored(1), stored(2), DONE],
        ),
        (
            "one not stored",
            &three_sets,
            [busy(0x11, 1), fence(3)].concat(),
            vec![stored(0), refused(1), stored(2), DONE],
        ),
        (
            "each in its way",
            &conditional,
            [
                answer(0x12, 2, 1),
                answer(0x19, 5, 3),
                answer(0x11, 1, 4),
                answer(0x14, 1, 6),
                fence(7),
            ]
            .concat(),
            vec![
                stored(0),
                status(1, Status::NotStored),
                stored(2),
                status(3, Status::NotStored),
                miss(4),
                status(5, Status::Deleted),
                miss(6),
                DONE,
            ],
        ),
    ];
    for (name, requests, bytes, expected) in rows {
        assert_eq!(outcome(requests, &bytes), expected, "{name}");
    }
}

#[test]
fn replies_in_a_row() {
    let bytes = [ok(0x1c), failed(0x1c, 1, b"Not found"), ok(0x1c)];
    let bytes = (0..).zip(bytes).flat_map(|(opaque, packet)| {
        let packet = Packet { opaque, ..packet };
        packet.bytes()
    });
    let expected = [
        status(0, Status::Touched),
        status(1, Status::NotFound),
        status(2, Status::Touched),
        DONE,
    ];
    assert_eq!(outcome(&[touch(); 3], &bytes.collect::<Vec<_>>()), expected);
}

/// Requests, what comes for them, and why that is malformed.
type Broken<'a> = (Vec<Request<'a>>, Vec<u8>, Malformed);

fn broken<'a>(rows: impl IntoIterator<Item = Broken<'a>>) {
    for (requests, bytes, expected) in rows {
        let events = outcome(&requests, &bytes);
        let expected = Event::Malformed(expected);
        assert_eq!(events.last(), Some(&expected), "{}", bytes.escape_ascii());
    }
}

/// One request, and a packet that is not for it.
fn odd(request: Request<'_>, bytes: Vec<u8>) -> Broken<'_> {
    let expected = Malformed::Unexpected(Excerpt::new(&bytes[..HEADER]));
    (vec![request], bytes, expected)
}

#[test]
fn not_a_packet() {
    let text = |line: &[u8], shown: &[u8]| {
        let unexpected = Malformed::Unexpected(Excerpt::new(shown));
        (vec![get()], line.to_vec(), unexpected)
    };
    broken([
        text(b"\x80", b"\x80"),
        text(b"\0", b"\0"),
        text(b"\r\n", b"\r"),
        text(b"ERROR\r\n", b"ERROR"),
        text(
            b"SERVER_ERROR out of memory\r\n",
            b"SERVER_ERROR out of memory",
        ),
        text(b"END\n", b"END\n"),
        (vec![get()], vec![b'x'; 5000], Malformed::LongLine),
    ]);
}

#[test]
fn not_to_this_request() {
    let hit = with_value(0x00, b"data");
    let quiet_hit = with_value(0x09, b"data");
    let unexpected = |bytes: &[u8]| Malformed::Unexpected(Excerpt::new(&bytes[..HEADER]));
    broken([
        odd(get(), with_value(0x01, b"data").bytes()),
        odd(get(), quiet_hit.bytes()),
        odd(get(), ok(NOOP).bytes()),
        (
            vec![get()],
            Packet { opaque: 1, ..hit }.bytes(),
            Malformed::WrongOpaque,
        ),
        (
            vec![get()],
            Packet {
                opaque: u32::MAX,
                ..hit
            }
            .bytes(),
            Malformed::WrongOpaque,
        ),
        (
            vec![touch(), touch()],
            [ok(0x1c).bytes(), ok(0x1c).bytes()].concat(),
            Malformed::WrongOpaque,
        ),
        (
            vec![touch(), touch()],
            Packet {
                opaque: 1,
                ..ok(0x1c)
            }
            .bytes(),
            Malformed::WrongOpaque,
        ),
        (
            vec![get(), get()],
            [quiet_hit.bytes(), quiet_hit.bytes()].concat(),
            Malformed::WrongOpaque,
        ),
        (
            vec![get(), get()],
            Packet {
                opaque: 3,
                ..quiet_hit
            }
            .bytes(),
            Malformed::WrongOpaque,
        ),
        (vec![get(), get()], fence(1), unexpected(&fence(1))),
        (
            vec![get(), get()],
            Packet {
                opaque: 2,
                ..quiet_hit
            }
            .bytes(),
            unexpected(
                &Packet {
                    opaque: 2,
                    ..quiet_hit
                }
                .bytes(),
            ),
        ),
    ]);
}

#[test]
fn not_of_its_form() {
    let hit = with_value(0x00, b"data");
    let number = failed(0x05, 0, b"\0\0\0\0\0\0\x01\0");
    let too_large = |length| Malformed::TooLarge {
        length,
        max: MAX_VALUE,
    };
    broken([
        odd(
            get(),
            Packet {
                data_type: 1,
                ..hit
            }
            .bytes(),
        ),
        odd(get(), Packet { extras: b"", ..hit }.bytes()),
        odd(
            get(),
            Packet {
                extras: b"flags",
                ..hit
            }
            .bytes(),
        ),
        odd(get(), Packet { key: b"key", ..hit }.bytes()),
        odd(get(), hit.claiming(3)),
        odd(store(Mode::Set), failed(0x01, 0, b"text").bytes()),
        odd(store(Mode::Set), ok(0x01).claiming(u32::MAX)),
        odd(store(Mode::Set), failed(0x01, 3, b"").claiming(2049)),
        odd(store(Mode::Set), failed(0x01, 3, b"").claiming(u32::MAX)),
        odd(
            store(Mode::Set),
            Packet {
                key: b"key",
                ..failed(0x01, 3, b"text")
            }
            .bytes(),
        ),
        odd(touch(), with_value(0x1c, b"data").bytes()),
        odd(incr(), failed(0x05, 0, b"1").bytes()),
        odd(incr(), failed(0x05, 0, b"123456789").bytes()),
        odd(
            incr(),
            Packet {
                extras: &[0; 4],
                ..number
            }
            .bytes(),
        ),
        (vec![get()], hit.claiming(105), too_large(101)),
        (vec![get()], hit.claiming(u32::MAX), too_large(0xffff_fffb)),
    ]);
}

#[test]
fn not_statistics() {
    broken([
        odd(Request::Version, ok(0x0b).bytes()),
        odd(stats(""), failed(0x10, 0, b"value").bytes()),
        odd(stats(""), with_value(0x10, b"value").bytes()),
        odd(
            stats(""),
            Packet {
                key: b"name",
                ..ok(0x10)
            }
            .claiming(3),
        ),
        odd(
            stats(""),
            Packet {
                key: b"name",
                ..ok(0x10)
            }
            .claiming(8193),
        ),
        odd(
            stats("detail dump"),
            Packet {
                key: b"detailex",
                value: &[0; 8192],
                ..ok(0x10)
            }
            .bytes(),
        ),
        (
            vec![stats("detail dump")],
            stat_packet(b"detailed", b"END\r\nEND\r\n"),
            Malformed::Unexpected(Excerpt::new(b"END")),
        ),
        (
            vec![stats("detail dump")],
            stat_packet(b"detailed", b"PREFIX a b"),
            Malformed::Unexpected(Excerpt::new(b"PREFIX a b")),
        ),
        (
            vec![stats("detail dump")],
            stat_packet(b"detailed", b"PREFIX a b\r\n"),
            Malformed::Unexpected(Excerpt::new(b"PREFIX a b")),
        ),
        (
            vec![stats("detail dump")],
            stat_packet(b"detailed", b""),
            Malformed::Unexpected(Excerpt::new(b"")),
        ),
    ]);
}

/// Whatever is wrong, it is the same in pieces; and no request has two replies.
#[test]
fn any_byte_may_be_wrong() {
    let hit = |opaque| {
        let packet = with_value(0x09, b"data");
        Packet { opaque, ..packet }.bytes()
    };
    let failed = |opcode, opaque| {
        let packet = failed(opcode, 2, b"Exists");
        Packet { opaque, ..packet }.bytes()
    };
    let dump = stat_packet(b"detailed", b"PREFIX a b\r\nEND\r\n");
    let rows: [(&[Request<'_>], Vec<u8>); 4] = [
        (&[get(); 3], [hit(0), hit(2), fence(3)].concat()),
        (
            &[store(Mode::Set), store(Mode::Add), delete(Some(9))],
            [failed(0x12, 1), failed(0x14, 2), fence(3)].concat(),
        ),
        (&[stats("detail dump")], [dump, ok(0x10).bytes()].concat()),
        (
            &[stats("")],
            [stat_packet(b"pid", b"1"), ok(0x10).bytes()].concat(),
        ),
    ];
    for (requests, mut bytes) in rows {
        for at in 0..bytes.len() {
            let right = bytes[at];
            for wrong in [right ^ 1, right ^ 0x80, b'A', 0xff, 0] {
                bytes[at] = wrong;
                let whole = replay(Dialect::Binary, requests, MAX_VALUE, &bytes, &[usize::MAX]);
                let pieces = replay(Dialect::Binary, requests, MAX_VALUE, &bytes, &[1]);
                assert_eq!(pieces, whole, "{}", bytes.escape_ascii());
                let replied = whole.iter().filter_map(|event| match event {
                    Event::Value { index, .. } | Event::Reply(index, _) => Some(*index),
                    _ => None,
                });
                let replied: Vec<usize> = replied.collect();
                assert!(replied.iter().copied().eq(0..replied.len()), "{whole:?}");
            }
            bytes[at] = right;
        }
    }
}
