//! `max_key_length`, and another compression for some calls.

use moecache::testing::Server;
use moecache::value::{Body, Compression, Decoded, Transcoder, Value};
use moecache::{Client, Error, Item, KeyTransform, Result};

#[test]
fn keys_are_no_longer_than_was_said() {
    let server = Server::start().unwrap();
    let builder = Client::builder().servers(&server).max_key_length(10);
    let client = builder.clone().build().unwrap();
    client.set("k".repeat(10), 1, 0).unwrap();
    let long = "k".repeat(11);
    let errors = [
        client.set(&long, 1, 0).unwrap_err(),
        client.get_many::<i32, _>([&long]).all().unwrap_err(),
        client.server_for(&long).unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_validation(), "{error}");
        let text = error.to_string();
        assert!(
            text.ends_with("key: 11 bytes long; 1 to 10 are allowed"),
            "{text}"
        );
    }
    let prefixed = client.with_prefix("abc").unwrap();
    prefixed.set("k".repeat(7), 1, 0).unwrap();
    let error = prefixed.set("k".repeat(8), 1, 0).unwrap_err();
    let expected = "set: key: 8 bytes long, 11 with the prefix; 1 to 10 are allowed";
    assert_eq!(error.to_string(), expected);
    let error = prefixed
        .get_many::<i32, _>(["k".repeat(8)])
        .all()
        .unwrap_err();
    assert!(error.is_validation(), "{error}");
    let error = client.with_prefix("0123456789").unwrap_err().to_string();
    assert!(
        error.starts_with("prefix: 10 bytes long; up to 9 are allowed"),
        "{error}"
    );
    // As it is sent: base64 of 8 bytes is 12.
    let base64 = builder
        .clone()
        .key_transform(KeyTransform::Base64)
        .build()
        .unwrap();
    base64.set("1234567", 1, 0).unwrap_err();
    base64.set("123456", 1, 0).unwrap();
    for length in [0, 251] {
        let error = builder.clone().max_key_length(length).build().unwrap_err();
        let expected = format!("max_key_length: {length}; 1 to 250 are allowed");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
#[cfg(feature = "lz4")]
fn a_handle_compresses_in_its_own_way() {
    let server = Server::start().unwrap();
    let client = Client::builder()
        .servers(&server)
        .compression(Compression::lz4().threshold(1000))
        .build()
        .unwrap();
    let text = "moe".repeat(100);
    let length = |client: &Client| {
        client.set("key", &text, 0).unwrap();
        assert_eq!(client.get::<String>("key").unwrap().as_ref(), Some(&text));
        client.get::<Item>("key").unwrap().unwrap().data.len()
    };
    assert_eq!(length(&client), 300);
    let from_100 = client
        .with_compression(Compression::lz4().threshold(100))
        .unwrap();
    assert!(length(&from_100) < 100);
    assert!(length(&from_100.with_prefix("a").unwrap()) < 100);
    assert_eq!(length(&client), 300, "the other is as it was");
    let off = from_100.with_compression(Compression::off()).unwrap();
    assert_eq!(length(&off), 300);
    // What may be compressed takes no more behind it.
    assert!(off.append("key", "!").unwrap());
    assert!(from_100.append("key", "!").unwrap_err().is_validation());
    let mut pipeline = from_100.pipeline();
    let pending = pipeline.set("key", &text, 0);
    pipeline.run().take(pending).unwrap();
    assert!(client.get::<Item>("key").unwrap().unwrap().data.len() < 100);
    client.set_servers(["10.0.0.1"]).unwrap();
    assert_eq!(
        from_100.servers(),
        ["10.0.0.1:11211"],
        "they are one client"
    );
}

#[test]
fn a_compression_that_is_not_possible() {
    let client = Client::builder().servers("10.0.0.1").build().unwrap();
    let error = client.with_compression(Compression::gzip()).unwrap_err();
    assert!(error.is_validation(), "{error}");
    assert!(error.to_string().contains("does not know gzip"), "{error}");
    let builder = Client::builder().servers("10.0.0.1").transcoder(Own);
    let own = builder.build().unwrap();
    let error = own.with_compression(Compression::off()).unwrap_err();
    let expected = "compression: it does not go with a transcoder of your own";
    assert_eq!(error.to_string(), expected);
}

/// A transcoder that stores nothing.
#[derive(Debug)]
struct Own;

impl Transcoder for Own {
    fn encode<'a>(&self, _: Value<'a>) -> Result<Body<'a>> {
        Err(Error::encode("nothing is stored here"))
    }

    fn decode(&self, _: Item) -> Result<Decoded> {
        Err(Error::decode("nothing is stored here"))
    }

    fn describe(&self, _: u32) -> &'static str {
        "nothing"
    }
}
