//! What comes back.

use super::*;

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
            reply(0, &Reply::Version(b"1.6.18".into())),
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
    let longest = vec![b'x'; 2000];
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
            vec![part("path", &"x".repeat(2000))],
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
