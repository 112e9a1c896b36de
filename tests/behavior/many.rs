//! Many keys, and pipelines.

use super::{Row, rows};
use moecache::{
    Bytes, CasOutcome, Client, DeleteOutcome, Error, Item, ItemRef, MetaArithmetic,
    MetaArithmeticOutcome, MetaDelete, MetaGet, MetaSet, MetaSetOutcome, Pending, Pipeline,
    Protocol,
};
use std::collections::{BTreeMap, HashMap};

pub(super) const ROWS: &[Row] = rows! {
    no_keys one_key a_map_of_what_is_there values_in_the_order_of_the_keys items_as_they_come
    gets_many every_store_has_its_own_outcome bytes_and_items delete_touch_and_count
    each_key_fails_alone as_many_keys_as_fill_many_windows large_values_among_small_ones
    a_value_that_the_server_refuses a_pipeline_of_everything a_pipeline_keeps_the_order_of_each_key
    a_result_of_another_pipeline a_value_of_a_pipeline_of_another_type
    get_and_touch_in_a_pipeline a_pipeline_of_large_values_both_ways a_pipeline_of_bytes_and_texts;
    a_pipeline_of_cas_ids a_pipeline_that_makes_counters a_pipeline_of_meta_commands
};

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("key:{number}")).collect()
}

fn no_keys(client: &Client) -> Result<(), Error> {
    let no_keys: [&str; 0] = [];
    assert!(client.get_many::<i32, _>(no_keys).all()?.is_empty());
    assert!(client.get_each::<i32, _>(no_keys).all()?.is_empty());
    assert!(
        client
            .get_many_with(&no_keys, |_, _| panic!("an item"))
            .is_empty()
    );
    assert!(client.set_many([("", 0); 0], 0).is_empty());
    assert!(client.delete_many(no_keys).is_empty());
    assert!(client.pipeline().is_empty());
    let _ = client.pipeline().run();
    Ok(())
}

fn one_key(client: &Client) -> Result<(), Error> {
    assert_eq!(client.get_each::<i32, _>(["key"]).all()?, [None]);
    client.set_many([("key", 1)], 0).all()?;
    assert_eq!(client.get_each("key".split(' ')).all()?, [Some(1)]);
    assert_eq!(client.get_many(["key"]).all()?, HashMap::from([("key", 1)]));
    Ok(())
}

fn a_map_of_what_is_there(client: &Client) -> Result<(), Error> {
    let keys = numbered(300);
    let there = || keys.iter().zip(0..).step_by(3);
    client.set_many(there(), 60).all()?;
    let found = client.get_many::<i32, _>(keys.iter().chain(&keys)).all()?;
    assert_eq!(found, there().collect());
    Ok(())
}

fn values_in_the_order_of_the_keys(client: &Client) -> Result<(), Error> {
    client.set_many([("a", 1), ("b", 2), ("c", 3)], 60).all()?;
    let keys = ["c", "x", "a", "c", "b", "x", "a"];
    let each = client.get_each::<i32, _>(keys);
    assert!(each.iter().map(|(key, _)| *key).eq(keys));
    let expected = [Some(3), None, Some(1), Some(3), Some(2), None, Some(1)];
    assert_eq!(each.all()?, expected);
    let items = client.get_each::<Item, _>(["b", "x"]).all()?;
    assert_eq!(items.len(), 2);
    assert!(items[0].as_ref().is_some_and(|item| item.flags == 265) && items[1].is_none());
    Ok(())
}

fn items_as_they_come(client: &Client) -> Result<(), Error> {
    let keys = numbered(1000);
    let values = keys.iter().map(|key| (key, key.repeat(10)));
    client
        .set_many(values.step_by(2).map(|(key, value)| (key, Bytes(value))), 0)
        .all()?;
    let mut seen = BTreeMap::new();
    let failed = client.get_many_with(&keys, |index, item| {
        assert_eq!(
            (item.flags, item.data),
            (0xfa52, keys[index].repeat(10).as_bytes())
        );
        *seen.entry(index).or_insert(0) += 1;
    });
    assert!(failed.is_empty(), "{failed:?}");
    assert!(
        seen.into_iter()
            .eq((0..1000).step_by(2).map(|index| (index, 1)))
    );
    Ok(())
}

fn gets_many(client: &Client) -> Result<(), Error> {
    let keys = numbered(50);
    client.set_many(keys.iter().zip(0..), 0).all()?;
    let found = client.gets_many::<i32, _>(&keys).all()?;
    for (key, number) in keys.iter().zip(0..) {
        let (value, cas) = found[key];
        assert_eq!(value, number);
        let outcome = client.compare_and_swap(key, value + 1, 0, cas)?;
        assert_eq!(outcome, CasOutcome::Stored);
    }
    Ok(())
}

fn every_store_has_its_own_outcome(client: &Client) -> Result<(), Error> {
    client.set("b", 1, 0)?;
    let added = [("a", 2), ("b", 2), ("c", 2), ("a", 3)];
    let added = together(client, added, |pipeline, (key, value)| {
        pipeline.add(key, value, 0)
    })?;
    assert_eq!(added, [true, false, true, false]);
    assert_eq!(
        client.get_each(["a", "b", "c"]).all()?,
        [Some(2), Some(1), Some(2)]
    );
    client.set_many([("a", "one"), ("a", "two")], 0).all()?;
    assert_eq!(client.get("a")?, Some("two".to_owned()));
    Ok(())
}

fn bytes_and_items(client: &Client) -> Result<(), Error> {
    client
        .set_many(
            [("a", "1"), ("b", "\r\n")]
                .into_iter()
                .map(|(key, value)| (key, Bytes(value))),
            0,
        )
        .all()?;
    client
        .set_many(
            [("c", (7, "3")), ("d", (0, ""))]
                .into_iter()
                .map(|(key, (flags, data))| (key, ItemRef::new(flags, data))),
            0,
        )
        .all()?;
    let items: Vec<_> = client.get_each::<Item, _>(["a", "b", "c", "d"]).all()?;
    let expected = [(0xfa52, "1"), (0xfa52, "\r\n"), (7, "3"), (0, "")];
    assert_eq!(
        items,
        expected.map(|(flags, data)| Some(Item::new(flags, data)))
    );
    Ok(())
}

fn delete_touch_and_count(client: &Client) -> Result<(), Error> {
    let keys = numbered(10);
    let even = || keys.iter().step_by(2);
    let counters = even().map(|key| (key, (0, "5")));
    client
        .set_many(
            counters
                .into_iter()
                .map(|(key, (flags, data))| (key, ItemRef::new(flags, data))),
            0,
        )
        .all()?;
    let there = [true, false].repeat(5);
    let twice: Vec<_> = keys.iter().chain(&keys).collect();
    let counted = together(client, twice, |pipeline, key| pipeline.incr(key, 2))?;
    let expected = [Some(7), None]
        .repeat(5)
        .into_iter()
        .chain([Some(9), None].repeat(5));
    assert!(counted.into_iter().eq(expected));
    let counted = together(client, even(), |pipeline, key| pipeline.decr(key, 10))?;
    assert_eq!(counted, [Some(0); 5]);
    let touched = together(client, &keys, |pipeline, key| pipeline.touch(key, 100))?;
    assert_eq!(touched, there);
    assert_eq!(client.delete_many(&keys).all()?, there);
    assert_eq!(client.delete_many(&keys).all()?, [false; 10]);
    Ok(())
}

fn each_key_fails_alone(client: &Client) -> Result<(), Error> {
    client.set("text", "text", 0)?;
    client.set("number", 1, 0)?;
    let many = client.get_many::<i32, _>(["number", "not a key", "text", "none"]);
    assert_eq!(many.found, HashMap::from([("number", 1)]));
    let [(bad, validation), (text, decode)] = &many.failed[..] else {
        panic!("{many:?}");
    };
    assert_eq!((*bad, *text), ("not a key", "text"));
    assert!(validation.is_validation() && decode.is_decode());
    assert_eq!(decode.server(), Some(&*client.server_for("text")?));
    assert_eq!(decode.operation(), Some("get_many"));
    assert!(many.all().unwrap_err().is_validation());

    let stored = client.set_many([("a", 1), ("", 2), ("b", 3)], 0);
    let failed: Vec<_> = stored.failed().map(|(key, _)| *key).collect();
    assert_eq!(failed, [""]);
    assert_eq!(client.get_each(["a", "b"]).all()?, [Some(1), Some(3)]);
    let expired = client.set_many([("a", 4), ("b", 4)], -1);
    assert!(
        expired
            .iter()
            .all(|(_, result)| result.as_ref().is_err_and(Error::is_validation))
    );

    let mut pipeline = client.pipeline();
    let counted = ["text", "number", "none"].map(|key| pipeline.incr(key, 1));
    let mut replies = pipeline.run();
    let counted = counted.map(|counted| replies.take(counted));
    assert!(
        counted[0].as_ref().is_err_and(Error::is_server),
        "{counted:?}"
    );
    assert!(matches!(counted[2], Ok(None)), "{counted:?}");
    Ok(())
}

fn as_many_keys_as_fill_many_windows(client: &Client) -> Result<(), Error> {
    let keys: Vec<String> = (0..3000)
        .map(|i| format!("{i}:{}", "k".repeat(i % 200)))
        .collect();
    let value = |index: usize| format!("{index}/").repeat(index % 50);
    client
        .set_many(
            keys.iter()
                .enumerate()
                .map(|(index, key)| (key, value(index))),
            0,
        )
        .all()?;
    let found = client.get_each::<String, _>(&keys).all()?;
    for (index, found) in found.into_iter().enumerate() {
        assert_eq!(found, Some(value(index)));
    }
    let added = together(client, &keys, |pipeline, key| pipeline.add(key, "", 0))?;
    assert_eq!(added, [false; 3000]);
    assert_eq!(client.delete_many(&keys).all()?, [true; 3000]);
    assert!(client.get_many::<String, _>(&keys).all()?.is_empty());
    Ok(())
}

fn large_values_among_small_ones(client: &Client) -> Result<(), Error> {
    let sizes = [1, 20 << 10, 3, 1 << 20, 16 << 10, 5, 300 << 10, 2 << 20];
    let keys = numbered(40);
    let value = |index: usize| vec![index.to_le_bytes()[0]; sizes[index % sizes.len()]];
    let items = keys
        .iter()
        .enumerate()
        .map(|(index, key)| (key, value(index)));
    client
        .set_many(items.into_iter().map(|(key, value)| (key, Bytes(value))), 0)
        .all()?;
    let mut seen = 0;
    let failed = client.get_many_with(&keys, |index, item| {
        assert!(item.data == value(index), "{index}");
        seen += 1;
    });
    assert_eq!((seen, failed.len()), (40, 0));
    Ok(())
}

/// One store of many fails, and the others are stored; the connection goes on.
fn a_value_that_the_server_refuses(client: &Client) -> Result<(), Error> {
    let keys = numbered(30);
    let huge = vec![0; 9 << 20];
    let items = keys.iter().enumerate().map(|(index, key)| {
        let is_huge = index % 10 == 7;
        (key, if is_huge { &huge[..] } else { b"small" })
    });
    for (index, (_, result)) in client
        .set_many(items.into_iter().map(|(key, value)| (key, Bytes(value))), 0)
        .into_iter()
        .enumerate()
    {
        match result {
            Err(error) => {
                assert!(
                    index % 10 == 7 && error.is_server() && !error.is_ambiguous(),
                    "{error:?}"
                );
            }
            Ok(()) => assert!(index % 10 != 7, "{index}"),
        }
    }
    let found = client.get_many::<serde_bytes::ByteBuf, _>(&keys).all()?;
    assert_eq!(found.len(), 27);
    Ok(())
}

fn a_pipeline_of_everything(client: &Client) -> Result<(), Error> {
    client.set("old", 1, 0)?;
    client.set_counter("counter", 5, 0)?;
    let (_, cas) = client.gets::<i32>("old")?.unwrap();
    let mut pipeline = client.pipeline();
    let swapped = pipeline.compare_and_swap("old", 2, 0, cas);
    let swapped_again = pipeline.compare_and_swap("old", 3, 0, cas);
    let set = pipeline.set("new", "text", 0);
    let set_item = pipeline.set("item", ItemRef::new(9, "data"), 0);
    let added = pipeline.add("new", "other", 0);
    let replaced = pipeline.replace("none", 1, 0);
    let appended = pipeline.append("new", "!");
    let prepended = pipeline.prepend("new", "?");
    let bad = pipeline.get::<i32>("not a key");
    let value = pipeline.get::<String>("new");
    let typed = pipeline.get::<i32>("new");
    let item = pipeline.get::<Item>("item");
    let versioned = pipeline.gets::<i32>("old");
    let touched = pipeline.touch("old", 100);
    let up = pipeline.incr("counter", 10);
    let down = pipeline.decr("counter", 1);
    let missing = pipeline.incr("none", 1);
    let deleted = pipeline.delete("new");
    let gone = pipeline.get::<String>("new");
    assert_eq!(pipeline.len(), 19);
    let mut replies = pipeline.run();

    assert_eq!(replies.take(swapped)?, CasOutcome::Stored);
    assert_eq!(replies.take(swapped_again)?, CasOutcome::Changed);
    replies.take(set)?;
    replies.take(set_item)?;
    assert!(!replies.take(added)? && !replies.take(replaced)?);
    assert!(replies.take(appended)? && replies.take(prepended)?);
    let error = replies.take(bad).unwrap_err();
    assert!(
        error.is_validation() && error.operation() == Some("get"),
        "{error:?}"
    );
    assert_eq!(replies.take(value)?, Some("?text!".to_owned()));
    let error = replies.take(typed).unwrap_err();
    assert!(error.is_decode() && error.server().is_some(), "{error:?}");
    assert_eq!(replies.take(item)?, Some(Item::new(9, "data")));
    let (old, new_cas) = replies.take(versioned)?.unwrap();
    assert!(old == 2 && new_cas != cas);
    assert!(replies.take(touched)?);
    assert_eq!(
        (replies.take(up)?, replies.take(down)?),
        (Some(15), Some(14))
    );
    assert_eq!(replies.take(missing)?, None);
    assert!(replies.take(deleted)?);
    assert_eq!(replies.take(gone)?, None);
    Ok(())
}

fn a_pipeline_of_bytes_and_texts(client: &Client) -> Result<(), Error> {
    let long = "long".repeat(50_000);
    let mut pipeline = client.pipeline();
    let stored = [
        pipeline.set_bytes("bytes", b"\r\n", 0),
        pipeline.set_str("text", &long, 0),
    ];
    let bytes = pipeline.get_bytes("bytes");
    let item = pipeline.get::<Item>("bytes");
    let text = pipeline.get_bytes("text");
    let missing = pipeline.get_bytes("missing");
    let there = ["bytes", "text", "missing"].map(|key| pipeline.contains(key));
    let bad = pipeline.contains("not a key");
    let mut replies = pipeline.run();
    for stored in stored {
        replies.take(stored)?;
    }
    assert_eq!(replies.take(bytes)?.as_deref(), Some(&b"\r\n"[..]));
    assert_eq!(replies.take(item)?.map(|item| item.flags), Some(0xfa52));
    assert_eq!(replies.take(text)?, Some(long.clone().into_bytes()));
    assert_eq!(client.get("text")?, Some(long));
    assert_eq!(replies.take(missing)?, None);
    for (there, expected) in there.into_iter().zip([true, true, false]) {
        assert_eq!(replies.take(there)?, expected);
    }
    let error = replies.take(bad).unwrap_err();
    assert!(
        error.is_validation() && error.operation() == Some("contains"),
        "{error:?}"
    );
    Ok(())
}

/// What a command gives whose protocol may lack it: it then fails, and the others do not.
fn unless<T>(lacking: bool, result: Result<T, Error>) -> Result<Option<T>, Error> {
    if !lacking {
        return result.map(Some);
    }
    let error = result.err().expect("it was not sent");
    assert!(error.is_unsupported() && !error.is_ambiguous(), "{error:?}");
    Ok(None)
}

fn a_pipeline_of_cas_ids(client: &Client, protocol: Protocol) -> Result<(), Error> {
    client.set("key", 1, 0)?;
    let (_, cas) = client.gets::<i32>("key")?.unwrap();
    let mut pipeline = client.pipeline();
    let changed = pipeline.delete_with_cas("key", cas + 1);
    let deleted = pipeline.delete_with_cas("key", cas);
    let missing = pipeline.delete_with_cas("key", cas);
    let stored = pipeline.set_returning_cas("key", 2, 0);
    let mut replies = pipeline.run();
    let is_text = protocol == Protocol::Text;
    for (outcome, expected) in [
        (changed, DeleteOutcome::Changed),
        (deleted, DeleteOutcome::Deleted),
        (missing, DeleteOutcome::Missing),
    ] {
        let outcome = unless(is_text, replies.take(outcome))?;
        assert!(
            outcome.is_none_or(|outcome| outcome == expected),
            "{outcome:?}"
        );
    }
    let stored = unless(is_text, replies.take(stored))?;
    let expected = stored.map_or((1, cas), |cas| (2, cas));
    assert_eq!(client.gets::<i32>("key")?, Some(expected));
    Ok(())
}

fn a_pipeline_that_makes_counters(client: &Client, protocol: Protocol) -> Result<(), Error> {
    let mut pipeline = client.pipeline();
    let counts = [
        pipeline.incr_with_initial("up", 1, 5, 60),
        pipeline.incr_with_initial("up", 1, 5, 60),
        pipeline.decr_with_initial("down", 3, 10, 60),
        pipeline.decr_with_initial("down", 3, 10, 60),
    ];
    let late = pipeline.incr_with_initial("up", 1, 5, -1);
    let mut replies = pipeline.run();
    for (count, expected) in counts.into_iter().zip([5, 6, 10, 7]) {
        let count = unless(protocol == Protocol::Text, replies.take(count))?;
        assert!(count.is_none_or(|count| count == expected), "{count:?}");
    }
    let error = replies.take(late).unwrap_err();
    assert!(error.is_validation(), "{error:?}");
    assert_eq!(error.operation(), Some("incr_with_initial"));
    Ok(())
}

fn a_pipeline_of_meta_commands(client: &Client, protocol: Protocol) -> Result<(), Error> {
    let mut pipeline = client.pipeline();
    let stored = pipeline.meta_set("key", (7, "value"), 60, MetaSet::new());
    let found = pipeline.meta_get("key", MetaGet::new().value().flags().ttl());
    let missing = pipeline.meta_get("none", MetaGet::new().value());
    let one_more = MetaArithmetic::up(1).initial(4, 60).return_ttl();
    let counted = ["count", "count"].map(|key| pipeline.meta_arithmetic(key, one_more));
    let marked = pipeline.meta_delete("key", MetaDelete::new().invalidate());
    let won = pipeline.meta_get("key", MetaGet::new().value());
    let refused = pipeline.meta_set("key", (7, "value"), 60, MetaSet::new().cas(0));
    let mut replies = pipeline.run();
    let error = replies.take(refused).unwrap_err();
    assert!(error.is_validation(), "{error:?}");
    assert_eq!(error.operation(), Some("meta_set"));

    let lacking = matches!(protocol, Protocol::Text | Protocol::Binary);
    let stored = unless(lacking, replies.take(stored))?;
    assert!(
        matches!(stored, None | Some(MetaSetOutcome::Stored { cas: None })),
        "{stored:?}"
    );
    if let Some(item) = unless(lacking, replies.take(found))? {
        let item = item.unwrap();
        assert_eq!(
            (item.value.as_deref(), item.flags),
            (Some(&b"value"[..]), Some(7))
        );
        assert!(item.ttl.is_some() && item.cas.is_none() && !item.won);
    }
    let missing = unless(lacking, replies.take(missing))?;
    assert!(missing.is_none_or(|item| item.is_none()));
    for (counted, expected) in counted.into_iter().zip([4, 5]) {
        match unless(lacking, replies.take(counted))? {
            Some(MetaArithmeticOutcome::Counted(made)) => {
                assert!(made.count == expected && made.ttl.is_some(), "{made:?}");
            }
            outcome => assert!(outcome.is_none(), "{outcome:?}"),
        }
    }
    let marked = unless(lacking, replies.take(marked))?;
    assert!(marked.is_none_or(|outcome| outcome == DeleteOutcome::Deleted));
    if let Some(item) = unless(lacking, replies.take(won))? {
        assert!(item.is_some_and(|item| item.won && item.stale));
    }
    Ok(())
}

fn a_pipeline_keeps_the_order_of_each_key(client: &Client) -> Result<(), Error> {
    let mut pipeline = client.pipeline();
    let keys = numbered(20);
    let mut values = Vec::new();
    for round in 0..50 {
        for key in &keys {
            let stored = pipeline.set(key, round, 0);
            values.push((round, stored, pipeline.get::<i32>(key)));
        }
    }
    let mut replies = pipeline.run();
    for (round, stored, value) in values {
        replies.take(stored)?;
        assert_eq!(replies.take(value)?, Some(round));
    }
    Ok(())
}

/// Far more in both directions than all socket buffers hold.
fn a_pipeline_of_large_values_both_ways(client: &Client) -> Result<(), Error> {
    let value = vec![b'v'; 500 << 10];
    let keys = numbered(60);
    client
        .set_many(keys.iter().map(|key| (key, Bytes(&value))), 0)
        .all()?;
    let mut pipeline = client.pipeline();
    let mut pending = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        pending.push(pipeline.get::<Item>(key));
        if index % 2 == 0 {
            let _ = pipeline.set(key, ItemRef::new(1, &value), 0);
        }
        let _ = pipeline.incr("none", 1);
    }
    let mut replies = pipeline.run();
    for pending in pending {
        assert!(
            replies
                .take(pending)?
                .is_some_and(|item| item.data == value)
        );
    }
    let flags: Vec<u32> = (client
        .get_each::<Item, _>(&keys)
        .all()?
        .into_iter()
        .flatten())
    .map(|item| item.flags)
    .collect();
    assert_eq!(flags, [1, 0xfa52].repeat(30));
    Ok(())
}

fn a_result_of_another_pipeline(client: &Client) -> Result<(), Error> {
    client.set("one", "of one", 0)?;
    client.set("other", "of other", 0)?;
    let (mut one, mut other) = (client.pipeline(), client.pipeline());
    let of_one = one.get::<String>("one");
    let of_other = other.get::<String>("other");
    let mut replies = other.run();
    let error = replies.take(of_one).unwrap_err();
    assert!(error.is_validation(), "{error:?}");
    assert_eq!(error.to_string(), "pending: it is of another pipeline");
    // It took nothing away.
    assert_eq!(replies.take(of_other)?.as_deref(), Some("of other"));
    Ok(())
}

fn a_value_of_a_pipeline_of_another_type(client: &Client) -> Result<(), Error> {
    client.set("key", "text", 0)?;
    let mut pipeline = client.pipeline();
    let one = pipeline.get::<i32>("key");
    let versioned = pipeline.gets::<i32>("key");
    let mut replies = pipeline.run();
    let server = client.server_for("key")?;
    for (error, operation) in [
        (replies.take(one).unwrap_err(), "get"),
        (replies.take(versioned).unwrap_err(), "gets"),
    ] {
        assert!(error.is_decode(), "{error:?}");
        assert_eq!(
            (error.server(), error.operation()),
            (Some(&*server), Some(operation))
        );
    }
    Ok(())
}

/// A row of its own: nutcracker closes the connection on it, and what becomes of commands before it is chance.
fn get_and_touch_in_a_pipeline(client: &Client) -> Result<(), Error> {
    client.set("key", "text", 0)?;
    let mut pipeline = client.pipeline();
    let touched = pipeline.get_and_touch::<String>("key", 100);
    let typed = pipeline.get_and_touch::<i32>("key", 100);
    let missed = pipeline.get_and_touch::<i32>("none", 100);
    let mut replies = pipeline.run();
    assert_eq!(replies.take(touched)?.as_deref(), Some("text"));
    assert_eq!(replies.take(missed)?, None);
    let error = replies.take(typed).unwrap_err();
    assert!(error.is_decode(), "{error:?}");
    let server = client.server_for("key")?;
    assert_eq!(
        (error.server(), error.operation()),
        (Some(&*server), Some("get_and_touch"))
    );
    Ok(())
}

/// What came of a command for each of them, sent together.
fn together<K, T>(
    client: &Client,
    keys: impl IntoIterator<Item = K>,
    mut command: impl FnMut(&mut Pipeline<'_>, K) -> Pending<T>,
) -> Result<Vec<T>, Error> {
    let mut pipeline = client.pipeline();
    let keys = keys.into_iter();
    let pending: Vec<_> = keys.map(|key| command(&mut pipeline, key)).collect();
    let mut replies = pipeline.run();
    pending.into_iter().map(|it| replies.take(it)).collect()
}
