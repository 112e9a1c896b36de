//! What errors of a server say besides, so that whoever reads them knows what to do.

use crate::support;
use crate::support::needs_memcached;

use moecache::testing::Server;
use moecache::{
    Bytes, Client, Error, IntoServers, Item, ItemRef, MetaGet, MetaMode, MetaSet, Protocol,
};
use support::Memcached;

const PROTOCOLS: [Protocol; 4] = [
    Protocol::Text,
    Protocol::Meta,
    Protocol::Binary,
    Protocol::Auto,
];

fn client(servers: impl IntoServers, protocol: Protocol) -> Client {
    let builder = Client::builder().servers(servers).protocol(protocol);
    builder.build().unwrap()
}

#[track_caller]
fn assert_says(error: &Error, words: &[&str]) {
    assert!(error.is_server(), "{error:?}");
    let shown = error.to_string();
    for words in words {
        assert!(shown.contains(words), "{shown}: {words} is missing");
    }
}

const GONE_IN_ANY: &str = "; memcached has removed";
const GONE: &str = "memcached has removed the key's old value";

#[test]
fn a_value_that_is_too_large() {
    let (real, embedded) = (Memcached::start(), Server::start().unwrap());
    let large = vec![7; 2 << 20];
    let size = "the value has 2097152 bytes";
    let too_large = [size, "-I", "max_value_size"];
    for address in [real.address(), embedded.address()] {
        for protocol in PROTOCOLS {
            println!("{address} {protocol}");
            let client = client(address, protocol);
            let set_old = || client.set_bytes("key", "old", 0).unwrap();
            let is_gone = || assert_eq!(client.get::<Item>("key").unwrap(), None, "{protocol}");

            set_old();
            let error = client.set_bytes("key", &large, 0).unwrap_err();
            println!("{error}");
            assert_says(&error, &too_large);
            assert_says(&error, &[GONE]);
            is_gone();

            set_old();
            let each = client.set_many(
                [("a", &large), ("key", &large)]
                    .into_iter()
                    .map(|(key, value)| (key, Bytes(value))),
                0,
            );
            for (_, error) in each.failed() {
                assert_says(error, &too_large);
                assert_says(error, &[GONE]);
            }
            assert_eq!(each.failed().count(), 2);
            is_gone();

            set_old();
            let mut pipeline = client.pipeline();
            let stored = pipeline.set("key", ItemRef::new(0, &large[..]), 0);
            let mut replies = pipeline.run();
            let error = replies.take(stored).unwrap_err();
            assert_says(&error, &too_large);
            assert_says(&error, &[GONE]);
            is_gone();

            // Of a command with a condition, only where it is a meta command.
            set_old();
            let error = client.add("key", large.clone(), 0).unwrap_err();
            assert_says(&error, &too_large);
            assert_says(&error, &["in the meta protocol, memcached has removed"]);
            assert!(!error.to_string().contains(GONE_IN_ANY), "{error}");
            if address == real.address() {
                let is_meta = matches!(protocol, Protocol::Meta | Protocol::Auto);
                assert_eq!(
                    client.get::<Item>("key").unwrap().is_none(),
                    is_meta,
                    "{protocol}"
                );
            }
            if protocol == Protocol::Meta {
                let set = MetaSet::new().mode(MetaMode::Set);
                let error = client.meta_set("key", (0, &large), 0, set).unwrap_err();
                assert_says(&error, &too_large);
                assert_says(&error, &[GONE]);
                is_gone();
            }
        }
    }
}

#[test]
fn a_server_without_memory() {
    needs_memcached!();
    let real = Memcached::with_args(&["-M", "-m", "2"]);
    for protocol in PROTOCOLS {
        let client = client(real.address(), protocol);
        let value = vec![7; 100_000];
        let error = (0..1000).find_map(|number| {
            let stored = client.set_bytes(format!("{protocol}{number}"), &value, 0);
            stored.err()
        });
        let error = error.expect("2 MB hold 100 MB");
        println!("{error}");
        assert_says(
            &error,
            &["the value has 100000 bytes", "-m sets", "-M", GONE],
        );
        // Of what has no value, there is nothing to say.
        let error = client.incr("text", 1);
        assert!(error.is_ok_and(|count| count.is_none()));
    }
}

#[test]
fn what_a_protocol_cannot_say_names_one_that_can() {
    let server = Server::start().unwrap();
    let text = client(&server, Protocol::Text);
    let binary = client(&server, Protocol::Binary);
    for error in [
        text.meta_get("key", MetaGet::new()).unwrap_err(),
        binary.meta_get("key", MetaGet::new()).unwrap_err(),
        text.delete_with_cas("key", 1).unwrap_err(),
        text.set_returning_cas("key", 1, 0).unwrap_err(),
    ] {
        assert!(error.is_unsupported(), "{error:?}");
        let shown = error.to_string();
        assert!(shown.contains("Protocol::Meta"), "{shown}");
        assert!(shown.contains("Protocol::Auto"), "{shown}");
    }
    let error = binary.keys().next().unwrap().unwrap_err();
    assert!(error.to_string().contains("Protocol::Text"), "{error}");
}

#[test]
fn the_cas_id_of_what_is_stored() {
    let (real, embedded) = (Memcached::start(), Server::start().unwrap());
    for address in [real.address(), embedded.address()] {
        for protocol in [Protocol::Meta, Protocol::Binary] {
            let client = client(address, protocol);
            for value in ["one", "two"] {
                let cas = client.set_returning_cas("key", value, 60).unwrap();
                let (stored, id) = client.gets::<String>("key").unwrap().unwrap();
                assert_eq!((&*stored, id), (value, cas), "{protocol}");
            }
            let error = client
                .set_returning_cas("key", vec![7; 2 << 20], 0)
                .unwrap_err();
            assert_says(&error, &["-I", GONE]);
        }
    }
}
