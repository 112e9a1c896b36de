//! What memcached's meta commands gained since 1.6.18: on a server that has it, it works, and one that
//! has not is named in the error.

use super::support::skipped;
use super::{cas_of, found, is_about, marks};
use moecache::{
    Client, DeleteOutcome, Error, Item, ItemRef, MetaArithmetic, MetaArithmeticOutcome, MetaDelete,
    MetaGet, MetaMode, MetaSet, MetaSetOutcome,
};

on_every_server! {
    a_value_that_did_not_change_is_not_sent
    a_cas_id_of_the_programs_own
    an_append_that_creates
    the_size_of_what_is_stored
    raw_flags
    what_me_says
}

/// Whether the server is of this version or later, as it says.
fn is_since(client: &Client, patch: u32) -> bool {
    let version = client.version().remove(0).result.unwrap();
    let mut numbers = version.split(|it: char| !it.is_ascii_digit());
    let mut next = || numbers.next().and_then(|it| it.parse().ok()).unwrap_or(0);
    (next(), next(), next()) >= (1, 6, patch)
}

/// The server has not what came with this version, and the error says so.
#[track_caller]
fn assert_unknown(error: &Error, flag: &str, patch: u32) {
    let words = format!("the server does not know the flag {flag}");
    let since = format!("memcached has it from 1.6.{patch} on");
    let shown = error.to_string();
    assert!(error.is_server(), "{error:?}");
    assert!(shown.contains(&words) && shown.contains(&since), "{shown}");
    skipped(format!("meta: {flag}: {shown}"));
}

fn a_value_that_did_not_change_is_not_sent(client: &Client) {
    client.set("key", ItemRef::new(7, "value"), 60).unwrap();
    let cas = cas_of(client, "key");
    let ask = |id| MetaGet::new().value().flags().unless_cas(id);
    let changed = found(client, "key", ask(cas + 1));
    assert_eq!(changed.value.as_deref(), Some(&b"value"[..]));
    assert_eq!((changed.unchanged, changed.cas), (false, Some(cas)));
    assert_eq!(client.meta_get("other", ask(cas)).unwrap(), None);
    // Where no value is asked for, every server can tell.
    let there = found(client, "key", MetaGet::new().unless_cas(cas));
    assert!(there.unchanged && there.value.is_none());

    let asked = client.meta_get("key", ask(cas));
    if is_since(client, 40) {
        let unchanged = asked.unwrap().unwrap();
        assert!(unchanged.unchanged);
        assert_eq!((unchanged.value, unchanged.flags), (None, Some(7)));
        // An empty value that did change is one.
        client.set("key", ItemRef::new(0, ""), 60).unwrap();
        let empty = found(client, "key", ask(cas));
        assert_eq!((empty.unchanged, empty.value), (false, Some(vec![])));
        let touched = found(client, "key", ask(empty.cas.unwrap()).touch(1000).ttl());
        assert!(
            touched.unchanged && is_about(touched.ttl, 1000),
            "{touched:?}"
        );
    } else {
        assert_unknown(&asked.unwrap_err(), "C (unless_cas)", 40);
    }
    // The connection goes on.
    assert!(client.get::<Item>("key").unwrap().is_some());
}

fn a_cas_id_of_the_programs_own(client: &Client) {
    let set = |id| client.meta_set("key", (7, "value"), 60, MetaSet::new().new_cas(id));
    let zero = set(0).unwrap_err();
    assert!(
        zero.is_validation() && zero.to_string().contains("new_cas"),
        "{zero}"
    );
    client.set_counter("counter", 1, 0).unwrap();
    let count = || {
        let up = MetaArithmetic::up(1).new_cas(u64::MAX).return_cas();
        client.meta_arithmetic("counter", up)
    };
    let vivify = || client.meta_get("made", MetaGet::new().vivify(60).new_cas(56).cas());
    let mark = || client.meta_delete("counter", MetaDelete::new().invalidate().new_cas(57));
    if is_since(client, 27) {
        assert_eq!(set(55).unwrap(), MetaSetOutcome::Stored { cas: None });
        assert_eq!(cas_of(client, "key"), 55);
        let MetaArithmeticOutcome::Counted(counter) = count().unwrap() else {
            panic!("not counted");
        };
        assert_eq!((counter.count, counter.cas), (2, Some(u64::MAX)));
        let made = vivify().unwrap().unwrap();
        assert_eq!((made.cas, marks(&made)), (Some(56), (true, false, false)));
        assert_eq!(mark().unwrap(), DeleteOutcome::Deleted);
        assert_eq!(found(client, "counter", MetaGet::new().cas()).cas, Some(57));
    } else {
        for error in [
            set(55).unwrap_err(),
            count().unwrap_err(),
            vivify().unwrap_err(),
            mark().unwrap_err(),
        ] {
            assert_unknown(&error, "E (new_cas)", 27);
        }
        assert_eq!(client.get::<Item>("key").unwrap(), None);
    }
}

fn an_append_that_creates(client: &Client) {
    let item = (9, "12");
    let add = |mode: MetaMode| {
        let set = MetaSet::new().mode(mode).vivify(100).return_cas();
        client.meta_set("key", item, 0, set)
    };
    for mode in [MetaMode::Set, MetaMode::Add, MetaMode::Replace] {
        let error = add(mode).unwrap_err();
        assert!(
            error.is_validation() && error.to_string().contains("vivify"),
            "{error}"
        );
    }
    if !is_since(client, 20) {
        assert_unknown(&add(MetaMode::Append).unwrap_err(), "N (vivify)", 20);
        assert_eq!(client.get::<Item>("key").unwrap(), None);
        return;
    }
    for (mode, expected) in [(MetaMode::Append, "12"), (MetaMode::Prepend, "1212")] {
        let MetaSetOutcome::Stored { cas: Some(cas) } = add(mode).unwrap() else {
            panic!("{mode:?}: no cas id");
        };
        let item = found(client, "key", MetaGet::new().value().flags().ttl().cas());
        assert_eq!(item.value.as_deref(), Some(expected.as_bytes()), "{mode:?}");
        assert_eq!((item.flags, item.cas), (Some(9), Some(cas)), "{mode:?}");
        assert!(is_about(item.ttl, 100), "{item:?}");
    }
}

fn the_size_of_what_is_stored(client: &Client) {
    let set = |mode: MetaMode| {
        let set = MetaSet::new().mode(mode).return_size();
        client.meta_set("key", (0, "value"), 60, set)
    };
    assert_eq!(set(MetaMode::Replace).unwrap(), MetaSetOutcome::NotStored);
    let stored = set(MetaMode::Set);
    if is_since(client, 20) {
        let size = |size| MetaSetOutcome::StoredWithSize { size, cas: None };
        assert_eq!(stored.unwrap(), size(5));
        assert_eq!(set(MetaMode::Append).unwrap(), size(10));
        let set = MetaSet::new().return_size().return_cas();
        let MetaSetOutcome::StoredWithSize { size: 0, cas } =
            client.meta_set("key", (0, ""), 60, set).unwrap()
        else {
            panic!("no size");
        };
        assert_eq!(cas, Some(cas_of(client, "key")));
        let wrong = set.cas(cas.unwrap() + 1);
        let outcome = client.meta_set("key", (0, "1"), 60, wrong).unwrap();
        assert_eq!(outcome, MetaSetOutcome::Changed);
    } else {
        let error = stored.unwrap_err();
        assert_unknown(&error, "s (return_size)", 20);
        assert!(error.to_string().contains("the value is stored"), "{error}");
        assert_eq!(client.get::<Item>("key").unwrap().unwrap().data, b"value");
    }
}

fn raw_flags(client: &Client) {
    // Every server knows these three: one that answers, and two for proxies.
    let get = MetaGet::new()
        .value()
        .raw_flag("k")
        .raw_flag("Lpath/")
        .raw_flag("P");
    assert_eq!(client.meta_get("key", get).unwrap(), None);
    let set = MetaSet::new().return_cas().raw_flag("k").raw_flag("Lpath/");
    let outcome = client.meta_set("key", (0, "1"), 60, set).unwrap();
    assert!(matches!(outcome, MetaSetOutcome::Stored { cas: Some(_) }));
    let item = found(client, "key", get);
    assert_eq!(item.value.as_deref(), Some(&b"1"[..]));
    assert_eq!(item.raw, ["kkey"]);
    assert!(
        found(client, "key", MetaGet::new().raw_flag("P"))
            .raw
            .is_empty()
    );
    let count = MetaArithmetic::up(1).raw_flag("k");
    let counted = client.meta_arithmetic("key", count).unwrap();
    assert!(matches!(counted, MetaArithmeticOutcome::Counted(it) if it.count == 2));
    let delete = MetaDelete::new().raw_flag("k");
    assert_eq!(
        client.meta_delete("key", delete).unwrap(),
        DeleteOutcome::Deleted
    );
    assert_eq!(
        client.meta_delete("key", delete).unwrap(),
        DeleteOutcome::Missing
    );

    for flag in ["O1", "q", "b", "", "a b", "a\r\nflush_all", "v"] {
        let error = client
            .meta_get("key", MetaGet::new().raw_flag(flag))
            .unwrap_err();
        assert!(error.is_validation(), "{flag:?}: {error:?}");
        assert!(
            error.to_string().starts_with("meta_get: raw_flag: "),
            "{error}"
        );
    }
    for error in [
        client
            .meta_set("key", (0, "1"), 0, MetaSet::new().raw_flag("O1"))
            .unwrap_err(),
        client
            .meta_delete("key", MetaDelete::new().raw_flag("q"))
            .unwrap_err(),
        client
            .meta_arithmetic("key", MetaArithmetic::up(1).raw_flag("N0"))
            .unwrap_err(),
    ] {
        assert!(error.is_validation(), "{error:?}");
    }
    // One that no server knows yet.
    let error = client
        .meta_get("key", MetaGet::new().raw_flag("!"))
        .unwrap_err();
    assert!(error.is_server(), "{error:?}");
    assert!(client.get::<Item>("key").unwrap().is_none());
}

fn what_me_says(client: &Client) {
    let me = || client.raw("me key").for_key("key").line();
    match me() {
        Ok(said) => assert_eq!(said, b"EN"),
        // The embedded server has no such command.
        Err(error) => {
            assert!(
                error.is_server() && error.to_string().contains("ERROR"),
                "{error:?}"
            );
            return skipped(format!("me: {error}"));
        }
    }
    client.set("key", ItemRef::new(0, "value"), 0).unwrap();
    let said = String::from_utf8(me().unwrap()).unwrap();
    for fact in [
        "exp=-1",
        "fetch=no",
        &format!("cas={}", cas_of(client, "key")),
    ] {
        assert!(said.split(' ').any(|word| word == fact), "{said}");
    }
    assert!(said.starts_with("ME key ") && said.contains(" size=") && said.contains(" cls="));
}
