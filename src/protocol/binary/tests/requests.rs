//! What is sent.

use super::*;
use crate::protocol::request::{Confidential, Walk};

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
fn credentials() {
    let request = Request::Authenticate {
        message: Confidential(b"\0ann\0s3cret"),
    };
    let (_, bytes) = encode(Dialect::Binary, &[request]);
    let header = [0x80, 0x21, 0, 5, 0, 0, 0, 0, 0, 0, 0, 16];
    assert_eq!(bytes[..header.len()], header);
    assert_eq!(bytes[HEADER..], *b"PLAIN\0ann\0s3cret");
    assert!(!format!("{request:?}").contains("115"), "{request:?}");
}

#[test]
fn what_it_cannot_say_is_refused() {
    let refused = [
        Request::Metadump { walk: Walk::Hash },
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
