//! Who wins a stale item: those who ask for that, and not those who only look.

use super::{found, marks};
use moecache::{Client, DeleteOutcome, Item, MetaDelete, MetaGet};

on_every_server! {
    what_is_only_looked_at_is_not_won
}

fn what_is_only_looked_at_is_not_won(client: &Client) {
    type Look = fn(&Client);
    let looks: [(&str, Look); 8] = [
        ("contains", |client| {
            assert!(client.contains("key").unwrap());
        }),
        ("get_many", |client| {
            assert_eq!(client.get_many::<Item, _>(["key"]).all().unwrap().len(), 1);
        }),
        ("gets_many", |client| {
            assert_eq!(
                client.gets_many::<String, _>(["key"]).all().unwrap().len(),
                1
            );
        }),
        ("get_each", |client| {
            assert!(client.get_each::<Item, _>(["key"]).all().unwrap()[0].is_some());
        }),
        ("get_many_with", |client| {
            let mut seen = 0;
            let failed = client.get_many_with(&["key"], |_, _| seen += 1);
            assert_eq!((seen, failed.len()), (1, 0));
        }),
        ("more than a line of them", |client| {
            let keys: Vec<String> = (0..100).map(|number| format!("no{number}")).collect();
            let keys = keys.iter().map(String::as_str).chain(["key"]);
            assert_eq!(client.get_many::<Item, _>(keys).all().unwrap().len(), 1);
        }),
        ("a pipeline", |client| {
            let mut pipeline = client.pipeline();
            let got = pipeline.get::<Item>("key");
            let deleted = pipeline.delete("other");
            let mut replies = pipeline.run();
            assert!(replies.take(got).unwrap().is_some());
            assert!(!replies.take(deleted).unwrap());
        }),
        ("several", |client| {
            assert!(client.contains("key").unwrap() && client.contains("key").unwrap());
            assert_eq!(client.get_many::<Item, _>(["key"]).all().unwrap().len(), 1);
        }),
    ];
    let ask = MetaGet::new().value().ttl().no_bump();
    for (name, look) in looks {
        client.set("key", "old", 1000).unwrap();
        let mark = MetaDelete::new().invalidate_until(500);
        assert_eq!(
            client.meta_delete("key", mark).unwrap(),
            DeleteOutcome::Deleted
        );
        look(client);
        let item = found(client, "key", ask);
        assert_eq!(marks(&item), (true, true, false), "{name}");
        assert!(super::is_about(item.ttl, 500), "{name}: {item:?}");
        // That one has won it, and nobody else does.
        look(client);
        assert_eq!(
            marks(&found(client, "key", ask)),
            (false, true, true),
            "{name}"
        );
        client.set("key", "new", 1000).unwrap();
        look(client);
        assert_eq!(
            marks(&found(client, "key", ask)),
            (false, false, false),
            "{name}"
        );
    }
    assert!(!client.contains("missing").unwrap());
}
