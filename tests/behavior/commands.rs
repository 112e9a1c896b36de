//! The commands of one key, and of the fleet.

use super::support::memcached;
use super::{Row, rows};
use moecache::{CasOutcome, Client, DeleteOutcome, Error, Item, ItemRef, Lifetime, Protocol};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

pub(super) const ROWS: &[Row] = rows! {
    add replace append_and_prepend compare_and_swap gets raw_items update update_with_others
    update_gives_up contains touch get_and_touch get_and_touch_an_item incr_and_decr_count
    incr_wraps_and_decr_stops a_counter_that_is_not_there_is_made what_is_no_counter_is_not_counted
    flush_all every_server_has_a_version reset_stats a_bad_key_is_refused;
    delete_with_cas verbosity list_keys
};

fn add(client: &Client) -> Result<(), Error> {
    assert!(client.add("key", "first", 0)?);
    assert!(!client.add("key", "second", 0)?);
    assert_eq!(client.get("key")?, Some("first".to_owned()));
    assert!(!client.add("key", ItemRef::new(1, "third"), 0)?);
    assert!(client.delete("key")? && client.add("key", ItemRef::new(1, "third"), 0)?);
    assert_eq!(client.get::<Item>("key")?, Some(Item::new(1, "third")));
    Ok(())
}

fn replace(client: &Client) -> Result<(), Error> {
    assert!(!client.replace("key", 1, 0)?);
    assert_eq!(client.get::<i32>("key")?, None);
    client.set("key", 1, 0)?;
    assert!(client.replace("key", 2, 0)?);
    assert_eq!(client.get("key")?, Some(2));
    assert!(client.replace("key", ItemRef::new(1, ""), 0)?);
    assert_eq!(client.get::<Item>("key")?, Some(Item::new(1, "")));
    Ok(())
}

fn append_and_prepend(client: &Client) -> Result<(), Error> {
    assert!(!client.append("key", "z")? && !client.prepend("key", "a")?);
    client.set("key", "m", 0)?;
    assert!(client.append("key", "z")? && client.prepend("key", "a")?);
    assert_eq!(client.get("key")?, Some("amz".to_owned()));
    let large = vec![b'x'; 100 << 10];
    assert!(client.append("key", &large)?);
    assert_eq!(
        client.get_bytes("key")?.map(|bytes| bytes.len()),
        Some(3 + large.len())
    );
    Ok(())
}

fn compare_and_swap(client: &Client) -> Result<(), Error> {
    assert_eq!(
        client.compare_and_swap("key", 1, 0, 77)?,
        CasOutcome::Missing
    );
    client.set("key", 1, 0)?;
    let (_, cas) = client.gets::<i32>("key")?.unwrap();
    assert_eq!(
        client.compare_and_swap("key", 2, 0, cas)?,
        CasOutcome::Stored
    );
    assert_eq!(
        client.compare_and_swap("key", 3, 0, cas)?,
        CasOutcome::Changed
    );
    assert_eq!(client.get("key")?, Some(2));
    let (item, cas) = client.gets::<Item>("key")?.unwrap();
    assert_eq!(item.cas, Some(cas));
    let outcome = client.compare_and_swap("key", ItemRef::new(5, "five"), 0, cas)?;
    assert_eq!(outcome, CasOutcome::Stored);
    assert_eq!(client.get::<Item>("key")?, Some(Item::new(5, "five")));
    Ok(())
}

fn gets(client: &Client) -> Result<(), Error> {
    assert_eq!(client.gets::<i32>("key")?, None);
    client.set("key", 1, 0)?;
    let first = client.gets::<i32>("key")?.unwrap();
    assert_eq!(client.gets("key")?, Some(first));
    client.set("key", 1, 0)?;
    let second = client.gets::<i32>("key")?.unwrap();
    assert!(second.0 == first.0 && second.1 != first.1);
    assert!(client.gets::<String>("key").unwrap_err().is_decode());
    Ok(())
}

fn raw_items(client: &Client) -> Result<(), Error> {
    client.set("key", ItemRef::new(u32::MAX, "data"), 60)?;
    let item = client.get::<Item>("key")?.unwrap();
    assert_eq!(
        (item.flags, &*item.data, item.cas),
        (u32::MAX, &b"data"[..], None)
    );
    let (with_cas, _) = client.gets::<Item>("key")?.unwrap();
    assert!(with_cas.cas.is_some() && with_cas.data == item.data);
    Ok(())
}

fn update(client: &Client) -> Result<(), Error> {
    let made = client.update("key", 0, |old: Option<u32>| old.unwrap_or(40) + 1)?;
    let changed = client.update("key", 0, |old: Option<u32>| old.unwrap_or(40) + 1)?;
    assert_eq!((made, changed), (41, 42));
    assert_eq!(client.get::<u32>("key")?, Some(42));
    Ok(())
}

fn update_with_others(client: &Client) -> Result<(), Error> {
    let (threads, times) = (4, 20);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut left = times;
                while left > 0 {
                    match client.update("key", 0, |old: Option<u32>| old.unwrap_or(0) + 1) {
                        Ok(_) => left -= 1,
                        Err(error) => assert!(error.is_conflict(), "{error:?}"),
                    }
                }
            });
        }
    });
    assert_eq!(client.get::<u32>("key")?, Some(threads * times));
    Ok(())
}

fn update_gives_up(client: &Client) -> Result<(), Error> {
    let tries = AtomicUsize::new(0);
    let error = client
        .update("key", 0, |old: Option<usize>| {
            let other = tries.fetch_add(1, Ordering::Relaxed);
            client.set("key", other, 0).unwrap();
            old.unwrap_or_default()
        })
        .unwrap_err();
    assert!(error.is_conflict() && error.is_retryable(), "{error:?}");
    let server = client.server_for("key")?;
    let expected = format!("update on {server}: others changed the item, 32 times in a row");
    assert_eq!(error.to_string(), expected);
    assert_eq!(client.get("key")?, Some(31));
    Ok(())
}

fn contains(client: &Client) -> Result<(), Error> {
    let past = SystemTime::now() - Duration::from_secs(60);
    assert!(!client.contains("key")?);
    // Whatever it holds: nothing, what no String is, and what takes several reads.
    for data in [vec![], vec![0xff; 3], vec![b'x'; 1 << 20]] {
        client.set("key", ItemRef::new(0xdead, &data), 60)?;
        let before = client.gets::<Item>("key")?;
        assert!(client.contains("key")?);
        assert_eq!(client.gets::<Item>("key")?, before);
    }
    assert!(client.touch("key", past)? && !client.contains("key")?);
    Ok(())
}

fn touch(client: &Client) -> Result<(), Error> {
    let past = SystemTime::now() - Duration::from_secs(60);
    assert!(!client.touch("key", 60)?);
    client.set("key", 1, 0)?;
    assert!(client.touch("key", 60)?);
    assert_eq!(client.get("key")?, Some(1));
    assert!(client.touch("key", past)?);
    assert_eq!(client.get::<i32>("key")?, None);
    Ok(())
}

fn get_and_touch(client: &Client) -> Result<(), Error> {
    let past = SystemTime::now() - Duration::from_secs(60);
    assert_eq!(client.get_and_touch::<i32>("key", 60)?, None);
    client.set("key", 1, 0)?;
    assert_eq!(client.get_and_touch("key", 60)?, Some(1));
    assert_eq!(client.get_and_touch("key", past)?, Some(1));
    assert_eq!(client.get::<i32>("key")?, None);
    Ok(())
}

fn get_and_touch_an_item(client: &Client) -> Result<(), Error> {
    client.set("key", ItemRef::new(u32::MAX, "data"), 60)?;
    let touched = client.get_and_touch::<Item>("key", 60)?.unwrap();
    let (with_cas, _) = client.gets::<Item>("key")?.unwrap();
    assert_eq!((touched.flags, touched.cas), (with_cas.flags, with_cas.cas));
    assert_eq!(touched.data, b"data");
    Ok(())
}

fn incr_and_decr_count(client: &Client) -> Result<(), Error> {
    assert_eq!(
        (client.incr("key", 1)?, client.decr("key", 1)?),
        (None, None)
    );
    assert!(client.add_counter("key", 40, 0)? && !client.add_counter("key", 0, 0)?);
    assert_eq!(client.incr("key", 7)?, Some(47));
    assert_eq!(client.decr("key", 5)?, Some(42));
    assert_eq!(client.incr("key", 0)?, Some(42));
    assert_eq!(client.get::<u64>("key")?, Some(42));
    Ok(())
}

fn incr_wraps_and_decr_stops(client: &Client) -> Result<(), Error> {
    client.set_counter("key", u64::MAX, 0)?;
    assert_eq!(client.incr("key", 3)?, Some(2));
    assert_eq!(client.decr("key", u64::MAX)?, Some(0));
    assert_eq!(client.incr("key", u64::MAX)?, Some(u64::MAX));
    // The number that is shorter now may be padded with spaces.
    assert_eq!(client.decr("key", u64::MAX - 5)?, Some(5));
    assert_eq!(client.get::<u64>("key")?, Some(5));
    Ok(())
}

fn a_counter_that_is_not_there_is_made(client: &Client) -> Result<(), Error> {
    assert_eq!(client.incr_with_initial("up", 5, 100, 60)?, 100);
    assert_eq!(client.incr_with_initial("up", 5, 100, 60)?, 105);
    assert_eq!(client.decr_with_initial("down", 5, 0, 0)?, 0);
    assert_eq!(client.decr_with_initial("down", 5, 7, 0)?, 0);
    assert_eq!(client.get::<u64>("up")?, Some(105));
    let past = SystemTime::now() - Duration::from_secs(60);
    assert_eq!(client.incr_with_initial("past", 1, 1, past)?, 1);
    assert_eq!(client.get::<u64>("past")?, None);
    Ok(())
}

fn what_is_no_counter_is_not_counted(client: &Client) -> Result<(), Error> {
    client.set("key", "text", 0)?;
    let mut operations = Vec::new();
    for error in [
        client.incr("key", 1).unwrap_err(),
        client.decr("key", 1).unwrap_err(),
        client.incr_with_initial("key", 1, 1, 0).unwrap_err(),
        client.decr_with_initial("key", 1, 1, 0).unwrap_err(),
    ] {
        assert!(error.is_server() && !error.is_ambiguous(), "{error:?}");
        assert!(
            error.to_string().ends_with("what can be counted"),
            "{error}"
        );
        operations.push(error.operation().map(str::to_owned));
    }
    let expected = ["incr", "decr", "incr_with_initial", "decr_with_initial"];
    assert!(operations.iter().flatten().eq(&expected), "{operations:?}");
    assert_eq!(client.get("key")?, Some("text".to_owned()));
    Ok(())
}

fn flush_all(client: &Client) -> Result<(), Error> {
    let keys: Vec<String> = (0..20).map(|i| format!("key-{i}")).collect();
    client.set_many(keys.iter().map(|key| (key, 1)), 0).all()?;
    let flushed = client.flush_all(0);
    assert_eq!(flushed.len(), client.servers().len());
    for server in flushed {
        server.result?;
    }
    assert!(client.get_many::<i32, _>(&keys).all()?.is_empty());
    // Later is later.
    client.set("key", 1, 0)?;
    for server in client.flush_all(1000) {
        server.result?;
    }
    assert_eq!(client.get("key")?, Some(1));
    let refused = client.flush_all(-1);
    assert_eq!(refused.len(), client.servers().len());
    for (refused, server) in refused.into_iter().zip(client.servers()) {
        assert_eq!(refused.server, server);
        let error = refused.result.unwrap_err();
        assert!(error.is_validation(), "{error:?}");
        assert_eq!(error.operation(), Some("flush_all"));
    }
    Ok(())
}

fn every_server_has_a_version(client: &Client) -> Result<(), Error> {
    for server in client.version() {
        let version = server.result?;
        // The embedded server is 1.6.18.
        assert!(
            ["1.6.18", memcached::version()].contains(&&*version),
            "{version}"
        );
    }
    assert!(
        client
            .ping()
            .into_iter()
            .all(|server| server.result.is_ok())
    );
    Ok(())
}

fn reset_stats(client: &Client) -> Result<(), Error> {
    client.set("key", 1, 0)?;
    for server in client.stats_of("reset")? {
        server.result?;
    }
    for server in client.stats()? {
        assert_eq!(server.result?.cmd_set(), Some(0));
    }
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "a row")]
fn a_bad_key_is_refused(client: &Client) -> Result<(), Error> {
    for key in [
        &b""[..],
        b"a b",
        b"a\r\nflush_all",
        &[b'k'; 251],
        b"\x7f",
        b"\xff",
    ] {
        let errors = [
            client.get::<i32>(key).unwrap_err(),
            client.contains(key).unwrap_err(),
            client.gets::<i32>(key).unwrap_err(),
            client.add(key, 1, 0).unwrap_err(),
            client.append(key, "1").unwrap_err(),
            client.compare_and_swap(key, 1, 0, 1).unwrap_err(),
            client.delete(key).unwrap_err(),
            client.touch(key, 0).unwrap_err(),
            client.get_and_touch::<i32>(key, 0).unwrap_err(),
            client.incr(key, 1).unwrap_err(),
            client.incr_with_initial(key, 1, 1, 0).unwrap_err(),
            client.update(key, 0, |_: Option<i32>| 1).unwrap_err(),
            client.get_many::<i32, _>([key]).all().unwrap_err(),
            client.set_many([(key, 1)], 0).all().unwrap_err(),
        ];
        for error in errors {
            assert!(error.is_validation(), "{}: {error:?}", key.escape_ascii());
            assert!(
                error.operation().is_some() && error.server().is_none(),
                "{error:?}"
            );
        }
    }
    Ok(())
}

fn verbosity(client: &Client, protocol: Protocol) -> Result<(), Error> {
    for server in client.verbosity(0) {
        match server.result {
            Err(error) if protocol == Protocol::Binary => assert!(error.is_unsupported()),
            result => result?,
        }
    }
    Ok(())
}

fn delete_with_cas(client: &Client, protocol: Protocol) -> Result<(), Error> {
    client.set("key", 1, 0)?;
    let (_, cas) = client.gets::<i32>("key")?.unwrap();
    if protocol == Protocol::Text {
        let error = client.delete_with_cas("key", cas).unwrap_err();
        assert!(error.is_unsupported() && !error.is_ambiguous(), "{error:?}");
        assert_eq!(error.operation(), Some("delete_with_cas"));
        assert_eq!(client.get("key")?, Some(1));
        return Ok(());
    }
    assert_eq!(
        client.delete_with_cas("key", cas + 1)?,
        DeleteOutcome::Changed
    );
    assert_eq!(client.delete_with_cas("key", cas)?, DeleteOutcome::Deleted);
    assert_eq!(client.delete_with_cas("key", cas)?, DeleteOutcome::Missing);
    Ok(())
}

fn list_keys(client: &Client, protocol: Protocol) -> Result<(), Error> {
    let stored: BTreeSet<String> = (0..1000).map(|i| format!("key%{i}=")).collect();
    client
        .set_many(stored.iter().map(|key| (key, 1)), 1000)
        .all()?;
    client.set("forever", 1, 0)?;
    if protocol == Protocol::Binary {
        for listed in client.keys() {
            assert!(listed.unwrap_err().is_unsupported());
        }
        return Ok(());
    }
    let mut listed = BTreeMap::new();
    for info in client.keys() {
        let info = info?;
        let key = String::from_utf8(info.key.clone()).unwrap();
        assert_eq!(client.server_for(&key)?, info.server);
        assert!(info.cas.is_some() && info.size.is_some() && info.last_access.is_some());
        assert!(listed.insert(key, info).is_none(), "each is there once");
    }
    let forever = listed.remove("forever").unwrap();
    assert_eq!(forever.expiry, Some(Lifetime::Forever));
    assert!(listed.keys().eq(&stored));
    let now = SystemTime::now();
    for info in listed.values() {
        let Some(Lifetime::Until(expiry)) = info.expiry else {
            panic!("{info:?}");
        };
        let left = expiry.duration_since(now).unwrap();
        assert!(left > Duration::from_secs(900) && left < Duration::from_secs(1100));
    }
    // One that is given up in the middle harms nobody.
    drop(client.keys().next());
    assert_eq!(client.get("forever")?, Some(1));
    Ok(())
}
