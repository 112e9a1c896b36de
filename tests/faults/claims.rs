//! What a server only claims: nothing is allocated for it, and more than is allowed is not read.

use super::malformed::{packet, value};
use super::pretender::{Pretender, Then};
use super::row::{client, eventually, says};
use super::support::in_each_protocol;
use super::support::scripted::{accept, answer, scripted};
use moecache::{Client, Protocol};

in_each_protocol! {
    a_claim_takes_no_memory_in_any_protocol
}

/// Memory grows with what comes, and not with what is claimed.
fn a_claim_takes_no_memory_in_any_protocol(protocol: Protocol) {
    let server = Pretender::start();
    let client = client(server.address(), protocol);
    server.next(|batch| {
        let huge = value(batch.first(), |line| line.length = "1073741824".into())
            .or_else(|| packet(batch.first(), |it| it.claims = Some(4 + (1 << 30))));
        says(huge.unwrap(), Then::Close)
    });
    let mut buffer = Vec::new();
    let error = client.get_into("key", &mut buffer).unwrap_err();
    assert!(error.is_io(), "{error:?}");
    assert!(buffer.is_empty() && buffer.capacity() <= 2 << 20);
    eventually(&client, "after");
}

#[test]
fn a_claim_takes_no_memory() {
    let (address, server) = scripted(|listener| {
        answer(
            &mut accept(listener),
            b"VALUE key 0 1073741824\r\nten bytes.",
        );
        answer(
            &mut accept(listener),
            b"VALUE key 0 1073741825\r\nten bytes.",
        );
    });
    let client = Client::new(address).unwrap();
    let mut buffer = Vec::new();
    let error = client.get_into("key", &mut buffer).unwrap_err();
    assert!(error.is_io(), "{error:?}");
    assert!(
        buffer.is_empty() && buffer.capacity() <= 2 << 20,
        "{}",
        buffer.capacity()
    );
    let error = client.get_into("key", &mut buffer).unwrap_err();
    assert!(
        error.is_protocol() && error.to_string().contains("maximum is 1073741824"),
        "{error}"
    );
    server.join().unwrap();
}

#[test]
fn a_value_over_the_configured_maximum_is_not_read() {
    let (address, server) = scripted(|listener| {
        answer(&mut accept(listener), b"VALUE key 0 5\r\nfive.\r\nEND\r\n");
        answer(&mut accept(listener), b"VALUE key 0 4\r\nfour\r\nEND\r\n");
    });
    let client = Client::builder()
        .servers(address)
        .max_read_size(4)
        .build()
        .unwrap();
    let error = client.get::<String>("key").unwrap_err();
    assert!(
        error.is_protocol() && error.to_string().contains("maximum is 4"),
        "{error}"
    );
    assert_eq!(
        client.get::<String>("key").unwrap().as_deref(),
        Some("four")
    );
    server.join().unwrap();
}
