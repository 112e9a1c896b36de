use super::*;
use crate::meta_options::RawFlags;
use crate::protocol::options::More;

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
        more: None,
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
            "ms key 4 q F7 T60\r\ndata\r\nms key 4 q F7 T60\r\ndata\r\nmn\r\n".to_owned(),
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
    let mut decoder = Decoder::new(Dialect::Meta, &requests, window, bounds(MAX_VALUE));
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
    let flags = RawFlags::default().with(&"x".repeat(RawFlags::MAX_LENGTH - 1), b"");
    let more = Some(&More {
        new_cas: Some(number),
        vivify: Some(time),
        return_size: true,
        flags,
    });
    let get = GetOptions {
        wanted,
        touch: Some(time),
        vivify: Some(time),
        recache: Some(time),
        unless_cas: Some(number),
        more,
    };
    let set = SetOptions {
        mode: Mode::Append,
        cas: Some(number),
        invalidate: true,
        return_cas: true,
        more,
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
        more,
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
        encode_all(&[request], true, (1, false), time, &mut out);
        let bound = Dialect::Meta.size_bound(&request, None, 1);
        assert!(out.len() <= bound, "{} of {bound}: {request:?}", out.len());
    }
}
