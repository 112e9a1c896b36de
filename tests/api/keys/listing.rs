//! Listing keys, of a real memcached unless its age is what matters.

use super::{listed, numbered};
use crate::support::{Memcached, RawClient, wait_until};
use moecache::{Client, Item, ItemRef, KeyInfo, testing};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const LISTS: usize = 20;

fn client(address: SocketAddr) -> Client {
    let client = Client::builder().servers(address);
    client.timeout(Duration::from_secs(20)).build().unwrap()
}

/// Stores so many, without a value.
fn store(client: &Client, keys: &[String]) {
    let items = keys.iter().map(|key| (key, (0, "")));
    client
        .set_many(
            items
                .into_iter()
                .map(|(key, (flags, data))| (key, ItemRef::new(flags, data))),
            0,
        )
        .all()
        .unwrap();
}

/// Whether the server lists its keys by its hash table, and not along its LRU lists.
fn has_hash(server: &Memcached) -> bool {
    let mut answer = String::new();
    // It may look for expired items just now.
    wait_until("the crawler is free", || {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(b"lru_crawler metadump hash\r\n").unwrap();
        answer.clear();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        !answer.starts_with("BUSY")
    });
    // Newer servers begin with OK.
    ["OK\r\n", "END\r\n"].contains(&&*answer)
}

/// Reading a key moves it in the server's LRU lists.
#[test]
fn keys_that_are_read_meanwhile() {
    let server = Memcached::start();
    let client = client(server.address());
    let has_hash = has_hash(&server);
    let version = client.version().remove(0).result.unwrap();
    println!("memcached {version} has metadump hash: {has_hash}");
    let keys = numbered(20_000);
    store(&client, &keys);
    let is_over = AtomicBool::new(false);
    let lists = thread::scope(|scope| {
        for chunk in keys.chunks(keys.len() / 2) {
            let (client, is_over) = (&client, &is_over);
            scope.spawn(move || {
                for keys in chunk.chunks(100).cycle() {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    client.get_many::<Item, _>(keys).all().unwrap();
                }
            });
        }
        let lists: Vec<Vec<_>> = (0..LISTS)
            .map(|_| {
                client
                    .keys()
                    .map(|info| info.map(|info| info.key))
                    .collect()
            })
            .collect();
        is_over.store(true, Ordering::Relaxed);
        lists
    });
    let (mut missing, mut twice) = (0, 0);
    for list in lists {
        let list = list
            .into_iter()
            .collect::<moecache::Result<Vec<_>>>()
            .unwrap();
        let different: BTreeSet<_> = list.iter().collect();
        twice += list.len() - different.len();
        missing += keys.len() - different.len();
    }
    println!(
        "{LISTS} lists of {}: {missing} missing, {twice} twice",
        keys.len()
    );
    assert_eq!(twice, 0);
    assert!(missing == 0 || !has_hash, "{missing} are missing");
}

/// Few keys have the prefix, and the server takes its time with the others: longer than the timeout in
/// all, and never so long between two of them.
#[test]
fn the_timeout_begins_anew_with_what_a_prefix_leaves_out() {
    let server = Memcached::start();
    let client = client(server.address());
    store(&client, &numbered(12_000));
    let app = Client::builder().servers(server.address()).prefix("app:");
    let app = app.timeout(Duration::from_secs(2)).build().unwrap();
    app.set("key", 1, 0).unwrap();
    // memcached 1.6.18 sleeps a dozen times for what fills its buffer, newer ones once in a thousand items.
    let mut raw = RawClient::connect(server.address());
    raw.ask("lru_crawler sleep 50000\r\n", "OK\r\n");
    let found: Vec<_> = app.keys().map(|info| info.unwrap().key).collect();
    assert_eq!(found, [b"key"]);
    assert_eq!(app.get("key").unwrap(), Some(1));
}

/// It has no `metadump hash`, and says so at once.
#[test]
fn an_old_server() {
    let server = testing::Server::builder().version("1.6.8").start().unwrap();
    let client = client(server.address());
    let keys = numbered(1000);
    store(&client, &keys);
    assert_eq!(listed(&client).len(), keys.len());
}

/// What the dump tells of an item; its flags only since memcached 1.6.24.
#[test]
fn what_is_told_of_a_key() {
    let server = Memcached::start();
    let client = client(server.address());
    client.set("forever", ItemRef::new(5, "value"), 0).unwrap();
    client
        .set("for-a-while", ItemRef::new(7, "value"), 3600)
        .unwrap();
    let mut infos: Vec<KeyInfo> = client.keys().collect::<Result<_, _>>().unwrap();
    infos.sort_by(|a, b| a.key.cmp(&b.key));
    let of = |at: usize| (&*infos[at].key, infos[at].expiry, infos[at].flags);
    let (key, expiry, flags) = of(0);
    println!("flags of a dump: {flags:?}");
    assert_eq!(key, b"for-a-while");
    assert!(matches!(expiry, Some(moecache::Lifetime::Until(_))));
    assert!(flags.is_none_or(|flags| flags == 7));
    let (key, expiry, flags) = of(1);
    assert_eq!(
        (key, expiry),
        (&b"forever"[..], Some(moecache::Lifetime::Forever))
    );
    assert!(flags.is_none_or(|flags| flags == 5));
}
