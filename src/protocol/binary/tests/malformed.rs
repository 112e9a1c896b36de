//! What must not be taken for a reply.

use super::*;

const LONG_LINE: Malformed = Malformed::LongLine {
    max: Bounds::DEFAULT_LINE,
};

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
        (vec![get()], vec![b'x'; 5000], LONG_LINE),
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
            .claiming(2049),
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
