use super::*;
use crate::key::KeyRule;
use crate::meta_options::Wanted;

fn key(text: &str) -> Key<'_> {
    KeyRule::Printable.key(text.as_bytes()).unwrap()
}

fn get(name: &str) -> Request<'_> {
    let key = key(name);
    Request::Get { key, cas: false }
}

fn gets(name: &str) -> Request<'_> {
    let key = key(name);
    Request::Get { key, cas: true }
}

fn get_and_touch(name: &str, exptime: u32) -> Request<'_> {
    Request::GetAndTouch {
        key: key(name),
        exptime,
        cas: false,
    }
}

fn touch(name: &str, exptime: u32) -> Request<'_> {
    let key = key(name);
    Request::Touch { key, exptime }
}

fn store(name: &str, mode: Mode) -> Request<'_> {
    Request::Store {
        mode,
        key: key(name),
        item: ItemRef {
            flags: 0,
            data: b"1",
        },
        exptime: 0,
    }
}

fn set(name: &str) -> Request<'_> {
    store(name, Mode::Set)
}

fn delete(name: &str) -> Request<'_> {
    let key = key(name);
    Request::Delete { key, cas: None }
}

fn meta_get<'a>(name: &'a str, options: GetOptions<'a>) -> Request<'a> {
    let key = key(name);
    Request::MetaGet { key, options }
}

fn meta_set(name: &str) -> Request<'_> {
    Request::MetaSet {
        key: key(name),
        item: ItemRef {
            flags: 0,
            data: b"1",
        },
        exptime: 0,
        options: SetOptions {
            mode: Mode::Set,
            cas: None,
            invalidate: false,
            return_cas: true,
            more: None,
        },
    }
}

/// What `letters` ask for.
fn wanted(letters: &[u8]) -> GetOptions<'static> {
    let all = letters.iter().fold(Wanted::NONE, |all, &it| all.with(it));
    GetOptions {
        wanted: all,
        ..GetOptions::default()
    }
}

fn meta_touch(name: &str) -> Request<'_> {
    let touch = Some(30);
    let options = GetOptions {
        touch,
        ..wanted(b"v")
    };
    meta_get(name, options)
}

#[test]
fn what_is_the_same_when_it_is_sent_twice() {
    let meta_delete = Request::MetaDelete {
        key: key("a"),
        options: DeleteOptions::default(),
    };
    let rows: [(&str, &[Request<'_>]); 20] = [
        ("nothing", &[]),
        ("get", &[get("a"), get("b"), get("a"), gets("a")]),
        ("set", &[set("a"), set("b"), set("a")]),
        ("delete", &[delete("a"), delete("b")]),
        ("set, get", &[set("a"), get("a"), get("b")]),
        ("set, delete", &[set("a"), delete("a")]),
        ("other keys", &[get("a"), set("b"), delete("c")]),
        ("get and touch", &[get_and_touch("a", 10)]),
        ("a far date", &[get_and_touch("a", 2_147_483_647)]),
        ("two", &[get_and_touch("a", 10), get_and_touch("a", 10)]),
        ("get, touch", &[get("a"), touch("a", 10)]),
        ("touch", &[touch("a", 10), touch("a", 0), get("a")]),
        ("meta get", &[meta_get("a", wanted(b"vfct"))]),
        ("no trace", &[meta_get("a", wanted(b"uhl"))]),
        ("meta set", &[meta_set("a"), meta_set("a"), gets("a")]),
        ("meta delete", &[meta_delete]),
        ("meta touch", &[meta_touch("a"), get("a")]),
        ("ttl", &[touch("a", 10), meta_get("a", wanted(b"t"))]),
        ("flush", &[Request::FlushAll { delay: 0 }, get("a")]),
        ("version", &[Request::Version, set("a")]),
    ];
    for (row, requests) in rows {
        assert!(Request::are_idempotent(requests), "{row}");
    }
}

#[test]
fn what_is_not_the_same_when_it_is_sent_twice() {
    let past = 1_000_000_000;
    let vivify = GetOptions {
        vivify: Some(30),
        ..wanted(b"v")
    };
    let touched = GetOptions {
        touch: Some(past),
        ..wanted(b"v")
    };
    let meta_delete = |name| Request::MetaDelete {
        key: key(name),
        options: DeleteOptions::default(),
    };
    let rows: [(&str, &[Request<'_>]); 26] = [
        ("get, delete", &[get("a"), delete("a")]),
        ("get, set", &[get("b"), get("a"), set("c"), set("a")]),
        ("gets, set", &[gets("a"), set("a")]),
        ("get, meta set", &[get("a"), meta_set("a")]),
        ("get, meta delete", &[get("a"), meta_delete("a")]),
        ("meta get, set", &[meta_get("a", wanted(b"v")), set("a")]),
        ("ttl, touch", &[meta_get("a", wanted(b"t")), touch("a", 10)]),
        (
            "ttl, get and touch",
            &[meta_get("a", wanted(b"t")), get_and_touch("a", 10)],
        ),
        (
            "ttl, meta touch",
            &[meta_get("a", wanted(b"t")), meta_touch("a")],
        ),
        ("get and touch, set", &[get_and_touch("a", 10), set("a")]),
        (
            "get and touch, delete",
            &[get_and_touch("a", 10), delete("a")],
        ),
        ("meta touch, set", &[meta_touch("a"), set("a")]),
        ("get, touch away", &[get("a"), touch("a", past)]),
        (
            "get, get and touch away",
            &[get("a"), get_and_touch("a", past)],
        ),
        ("touch, delete", &[touch("a", 10), delete("a")]),
        ("delete, set", &[delete("a"), set("a")]),
        ("delete twice", &[delete("a"), delete("b"), delete("a")]),
        ("get, flush", &[get("a"), Request::FlushAll { delay: 0 }]),
        ("get and touch away", &[get_and_touch("a", past)]),
        ("meta touch away", &[meta_get("a", touched)]),
        ("vivify", &[meta_get("a", vivify)]),
        ("hit before", &[meta_get("a", wanted(b"vh"))]),
        ("last access", &[meta_get("a", wanted(b"l"))]),
        ("add", &[set("b"), store("a", Mode::Add)]),
        ("append", &[store("a", Mode::Append)]),
        ("cas", &[store("a", Mode::Cas(1))]),
    ];
    for (row, requests) in rows {
        assert!(!Request::are_idempotent(requests), "{row}");
    }
}
