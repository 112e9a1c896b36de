//! Keys that are words of the protocols' grammar, or look like flags, numbers or replies: every command
//! gives the answer that it gives for any other key, alone and among others, and no reply is taken for
//! another's.
//!
//! memcached 1.6.40 and later take the key of `delete noreply` for the word with which a line can end, and
//! do not answer. Its proxy does so before that, too, with every key that begins with the word.

use super::servers::{SETUPS, Setup};
use super::support::Memcached;
use super::support::behind::Proxy;
use super::{PROTOCOLS, on};
use libtest_mimic::{Completion, Trial};
use moecache::{CasOutcome, Client, Protocol};
use std::time::Duration;

const SETUP: Setup = SETUPS[0];

const WORDS: [&str; 58] = [
    "noreply",
    "NOREPLY",
    "noreplyx",
    "0",
    "1",
    "-1",
    "42",
    "q",
    "b",
    "k",
    "v",
    "f",
    "t",
    "O1",
    "T0",
    "N30",
    "E5",
    "C1",
    "I",
    "ME",
    "MA",
    "MS",
    "S1",
    "mn",
    "mg",
    "ms",
    "md",
    "ma",
    "me",
    "get",
    "gets",
    "gat",
    "set",
    "cas",
    "incr",
    "touch",
    "delete",
    "version",
    "quit",
    "shutdown",
    "stats",
    "flush_all",
    "END",
    "VALUE",
    "STORED",
    "ERROR",
    "SERVER_ERROR",
    "HD",
    "EN",
    "VA",
    "MN",
    "all",
    "base64",
    "4294967295",
    "18446744073709551615",
    "bm9yZXBseQ==",
    "/",
    "*",
];

/// The protocols, and keys in them.
fn clients(server: &Memcached) -> Vec<(String, Client)> {
    let protocols = [Protocol::Text, Protocol::Meta, Protocol::Binary];
    let client = |protocol| {
        let client = Client::builder().servers(server.address());
        let client = client.protocol(protocol).timeout(Duration::from_secs(20));
        (format!("{protocol}"), client.build().unwrap())
    };
    protocols.map(client).into()
}

/// Every command, for a key that is there and one that is not.
fn single(client: &Client, key: &str) {
    client.delete(key).unwrap();
    assert!(!client.delete(key).unwrap());
    assert_eq!(client.get::<String>(key).unwrap(), None);
    assert!(!client.touch(key, 0).unwrap());
    assert_eq!(client.get_and_touch::<String>(key, 0).unwrap(), None);
    assert_eq!(client.incr(key, 1).unwrap(), None);
    assert!(!client.replace(key, "no", 0).unwrap());
    assert!(!client.append(key, "no").unwrap());
    assert!(client.add(key, "added", 0).unwrap());
    assert!(!client.add(key, "no", 0).unwrap());
    client.set(key, "set", 0).unwrap();
    assert_eq!(client.get(key).unwrap(), Some("set".to_owned()));
    let (value, cas) = client.gets::<String>(key).unwrap().unwrap();
    assert_eq!(value, "set");
    let swapped = client.compare_and_swap(key, "swapped", 0, cas).unwrap();
    assert_eq!(swapped, CasOutcome::Stored);
    assert!(client.touch(key, 100).unwrap());
    let got = client.get_and_touch::<String>(key, 0).unwrap();
    assert_eq!(got.unwrap(), "swapped");
    assert!(client.delete(key).unwrap());
    assert_eq!(client.get::<String>(key).unwrap(), None);
    assert!(client.add(key, "again", 0).unwrap());
    assert!(client.delete(key).unwrap());
    client.set_counter(key, 5, 0).unwrap();
    assert_eq!(client.incr(key, 2).unwrap(), Some(7));
    assert_eq!(client.decr(key, 1).unwrap(), Some(6));
    assert!(client.delete(key).unwrap());
}

/// Every call for many keys, with the word first, in the middle and last.
fn many(client: &Client, key: &str) {
    for at in 0..3 {
        let mut keys = vec!["there-1", "there-2"];
        keys.insert(at, key);
        let each_is = |value: Option<&str>| {
            for (key, got) in client.get_each::<String, _>(&keys) {
                assert_eq!(got.unwrap().as_deref(), value, "{key}");
            }
        };
        each_is(None);
        let mut pipeline = client.pipeline();
        let deleted = keys.iter().map(|key| pipeline.delete(key));
        let deleted: Vec<_> = deleted.collect();
        let mut replies = pipeline.run();
        assert!(deleted.into_iter().all(|it| !replies.take(it).unwrap()));
        let stored = client.set_many(keys.iter().map(|key| (*key, "1")), 0);
        assert!(stored.into_iter().all(|(_, stored)| stored.is_ok()));
        each_is(Some("1"));
        assert_eq!(client.get_many::<String, _>(&keys).all().unwrap().len(), 3);
        let mut pipeline = client.pipeline();
        let touched: Vec<_> = keys.iter().map(|key| pipeline.touch(key, 0)).collect();
        let got: Vec<_> = keys.iter().map(|key| pipeline.get::<String>(key)).collect();
        let gone = pipeline.touch("none", 0);
        let last = pipeline.get::<String>(keys[2]);
        let mut replies = pipeline.run();
        assert!(touched.into_iter().all(|it| replies.take(it).unwrap()));
        for got in got {
            assert_eq!(replies.take(got).unwrap().unwrap(), "1");
        }
        assert!(!replies.take(gone).unwrap());
        assert_eq!(replies.take(last).unwrap().unwrap(), "1");
        // Each its own answer: the word is there, one is gone, and one was never there.
        assert!(client.delete("there-1").unwrap());
        let deleted = client.delete_many([key, "there-1", "there-2", "none", key]);
        let deleted = deleted.into_iter().map(|(_, deleted)| deleted.unwrap());
        assert!(deleted.eq([true, false, true, false, false]));
        each_is(None);
    }
}

/// Each word as a test in each protocol, and one of all words behind memcached's own proxy.
pub fn tests() -> Vec<Trial> {
    let mut tests = Vec::new();
    for word in WORDS {
        for (protocol_name, protocol) in PROTOCOLS {
            let name = format!("key_words::{word}::{protocol_name}::{}", SETUP.name);
            tests.push(Trial::ignorable_test(name, move || {
                on(&SETUP, protocol, |client| {
                    let connections = || client.metrics()[0].connections_made;
                    let before = connections();
                    single(client, word);
                    many(client, word);
                    assert_eq!(connections(), before, "a reply was not understood");
                    Ok(())
                })
            }));
        }
    }
    let name = "key_words::every_word::behind_memcacheds_proxy";
    tests.push(Trial::ignorable_test(name, || {
        if let Some(why) = Proxy::BuiltIn.is_missing() {
            return Ok(Completion::ignored_with(why));
        }
        every_word_behind_memcacheds_own_proxy();
        Ok(Completion::Completed)
    }));
    tests
}

/// Behind memcached's own proxy, which has no way to be asked for `noreply` in text: that is an error, and
/// never a miss.
fn every_word_behind_memcacheds_own_proxy() {
    let backend = Memcached::start();
    let config = format!(
        "function mcp_config_pools() return mcp.pool({{mcp.backend('b', '127.0.0.1', {})}}) end
         function mcp_config_routes(pool)
             local route = mcp.funcgen_new()
             local handle = route:new_handle(pool)
             route:ready({{ n = 'all', f = function(context)
                 return function(request) return context:enqueue_and_wait(request, handle) end
             end }})
             mcp.attach(mcp.CMD_ANY_STORAGE, route)
         end",
        backend.address().port()
    );
    let path = std::env::temp_dir().join(format!("moecache-words-{}.lua", std::process::id()));
    std::fs::write(&path, config).unwrap();
    let option = format!("proxy_config={}", path.display());
    let proxy = Memcached::with_args(&["-o", &option]);
    for (protocol, client) in clients(&proxy).into_iter().take(2) {
        for word in WORDS {
            if protocol == "text" && word.starts_with("noreply") {
                continue;
            }
            println!("{word} in {protocol}");
            single(&client, word);
            many(&client, word);
        }
    }
    // What runs out of time is held against a server: each call has a client of its own.
    let text = || clients(&proxy).swap_remove(0).1;
    for word in ["noreply", "noreplyx"] {
        text().set(word, "there", 0).unwrap();
        let short = || text().with_timeout(Duration::from_millis(200));
        match short().get::<String>(word) {
            Ok(value) => assert_eq!(value.as_deref(), Some("there")),
            Err(error) => assert!(error.is_timeout(), "{error:?}"),
        }
        for (key, got) in short().get_each::<String, _>(["a", word, "b"]) {
            let is_miss = matches!(got, Ok(None));
            assert!(key != word || !is_miss, "{word} is a miss");
        }
        let deleted = text().delete_many(["a", word, "b", word, "c"]);
        let deleted = deleted.into_iter().map(|(_, deleted)| deleted.unwrap());
        assert!(deleted.eq([false, true, false, false, false]), "{word}");
        assert!(!text().delete(word).unwrap());
    }
    std::fs::remove_file(&path).unwrap();
}
