use super::{PROTOCOLS, goes_round, listed, three};
use crate::support::Memcached;
use moecache::{Client, Distribution, KeyBytes, KeyTransform, Library, Protocol};

/// All that are there with the features of this build.
const TRANSFORMS: &[KeyTransform] = &[
    KeyTransform::Base64,
    #[cfg(feature = "sha1")]
    KeyTransform::Sha1,
    #[cfg(feature = "tiger")]
    KeyTransform::Tiger,
];

#[test]
fn commands() {
    for protocol in PROTOCOLS {
        for &transform in TRANSFORMS {
            let (_servers, builder) = three();
            let builder = builder.compatible_with(Library::Enyim).protocol(protocol);
            let client = builder.key_transform(transform).build().unwrap();
            let keys = [
                "key",
                "a key",
                "ключ",
                "line\r\nflush_all",
                &"k".repeat(180),
            ];
            goes_round(&client, &keys);
            goes_round(&client.with_prefix("ä ").unwrap(), &keys[..4]);
        }
    }
}

/// They are placed by what goes over the wire.
#[test]
fn placement() {
    for &transform in TRANSFORMS {
        let (_servers, builder) = three();
        let plain = builder.clone().build().unwrap();
        let client = builder
            .prefix("p ")
            .key_transform(transform)
            .build()
            .unwrap();
        for number in 0..30 {
            client.set(number.to_string(), number, 0).unwrap();
        }
        let listed = listed(&plain);
        assert_eq!(listed.len(), 30);
        for (key, server) in listed {
            assert_eq!(plain.server_for(&key).unwrap(), server, "{transform}");
        }
    }
}

#[test]
fn keys_in_base64_are_listed() {
    let server = Memcached::start();
    let builder = Client::builder().servers(server.address());
    let client = builder.key_transform(KeyTransform::Base64).build().unwrap();
    let app = client.with_prefix("app ").unwrap();
    for client in [&client, &app] {
        client
            .set_many([("a key", 1), ("ключ", 2)], 0)
            .all()
            .unwrap();
    }
    // Nobody's base64.
    Client::new(server.address())
        .unwrap()
        .set("other", 1, 0)
        .unwrap();
    let all = ["a key", "app a key", "app ключ", "ключ"].map(str::as_bytes);
    assert!(listed(&client).keys().eq(all));
    let below = ["a key", "ключ"].map(str::as_bytes);
    assert!(listed(&app).keys().eq(below));
}

#[cfg(feature = "sha1")]
#[test]
fn hashed_keys_are_listed_as_they_are() {
    let server = Memcached::start();
    let builder = Client::builder().servers(server.address());
    let client = builder.key_transform(KeyTransform::Sha1).build().unwrap();
    client.set("key", 1, 0).unwrap();
    assert!(listed(&client).keys().eq([b"59AozOO257Ya4sdS166XDaBKt8Y="]));
    let [Err(error)] = &client
        .with_prefix("app:")
        .unwrap()
        .keys()
        .collect::<Vec<_>>()[..]
    else {
        panic!("keys of which nobody can know");
    };
    assert!(error.is_unsupported(), "{error}");
}

#[cfg(not(feature = "sha1"))]
#[test]
fn a_transform_without_its_feature() {
    let builder = Client::builder()
        .servers("10.0.0.1")
        .key_transform(KeyTransform::Sha1);
    let error = builder.build().unwrap_err();
    let expected = "key_transform: sha1 needs the feature `sha1` of the crate";
    assert!(
        error.is_validation() && error.to_string().contains(expected),
        "{error}"
    );
}

/// dalli's are shortened, everybody else's are refused.
#[test]
fn long_keys() {
    let long = "k".repeat(251);
    for protocol in PROTOCOLS {
        let (_servers, builder) = three();
        let builder = builder.protocol(protocol);
        let plain = builder.clone().build().unwrap();
        let error = plain.set(&long, 1, 0).unwrap_err();
        assert!(error.is_validation(), "{error:?}");

        // The distribution is our own: where dalli puts a key is another matter.
        let dalli = builder.compatible_with(Library::Dalli);
        let dalli = dalli.distribution(Distribution::Moecache);
        let dalli = dalli.build().unwrap();
        goes_round(&dalli, &["short", &long, &"k".repeat(10_000)]);
        dalli.set(&long, 1, 0).unwrap();
        let shortened = format!("{}:md5:f0506ef804c48c4c4a9816dcef0b6091", "k".repeat(212));
        assert_eq!(plain.get(&shortened).unwrap(), Some(1), "{protocol}");
        let namespaced = dalli.with_prefix("ns:").unwrap();
        namespaced.set("k".repeat(248), 2, 0).unwrap();
        let shortened = format!(
            "ns:{}:md5:91e51f8b3d532a6a166cd75a00f4c7ea",
            "k".repeat(210)
        );
        assert_eq!(plain.get(&shortened).unwrap(), Some(2), "{protocol}");
    }
}

/// What a line can hold without harm is stored as it is; the rest is for other protocols.
#[test]
fn bytes() {
    let high: Vec<u8> = (0x21..=0xff).filter(|&byte| byte != 0x7f).collect();
    for protocol in PROTOCOLS {
        let (_servers, builder) = three();
        let builder = builder.protocol(protocol);
        let client = builder
            .clone()
            .key_bytes(KeyBytes::NonAscii)
            .build()
            .unwrap();
        for byte in 0..=u8::MAX {
            let key = [b'a', byte, b'b'];
            let stored = client.set(key, byte, 0);
            assert_eq!(
                stored.is_ok(),
                high.contains(&byte),
                "{protocol}: {byte:#04x}"
            );
            if stored.is_ok() {
                assert_eq!(
                    client.get(key).unwrap(),
                    Some(byte),
                    "{protocol}: {byte:#04x}"
                );
            }
        }
        goes_round(
            &client,
            &["ключ", "日本", "a\u{85}b\u{a0}", &"é".repeat(125)],
        );
        if protocol != Protocol::Binary {
            assert_eq!(listed(&client).len(), high.len());
        }
        let any = builder.key_bytes(KeyBytes::Any).build();
        assert_eq!(any.is_ok(), protocol != Protocol::Text);
    }
}
