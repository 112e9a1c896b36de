//! The words of other libraries' settings: understood, or answered with the name to use here.

use moecache::value::Format;
use moecache::{Client, Config, Hash, KeyTransform, Protocol, Scheme, Server};

fn reason<T: std::str::FromStr<Err = moecache::Error> + std::fmt::Debug>(text: &str) -> String {
    text.parse::<T>().unwrap_err().to_string()
}

#[test]
fn hashes() {
    for (text, hash) in [
        ("MEMCACHED_HASH_MD5", Hash::Md5),
        ("MEMCACHED_HASH_DEFAULT", Hash::OneAtATime),
        ("Memcached::HASH_FNV1A_32", Hash::Fnv1a32),
        ("HASH_MURMUR", Hash::Murmur),
        ("KETAMA_HASH", Hash::Md5),
        ("DefaultHashAlgorithm.CRC_HASH", Hash::Crc),
        ("NATIVE_HASH", Hash::Native),
    ] {
        assert_eq!(text.parse::<Hash>().unwrap(), hash, "{text}");
    }
    assert!(reason::<Hash>("MEMCACHED_HASH_CUSTOM").contains("allowed are default, md5, "));
}

#[test]
fn formats() {
    for (text, name) in [
        ("DefaultTranscoder", "it is enyim;"),
        (
            "Enyim.Caching.Memcached.MessagePackTranscoder",
            "it is enyimmemcachedcore:messagepack;",
        ),
        ("NewtonsoftJsonTranscoder", "strings of JSON"),
        ("serde.pickle_serde", "it is pymemcache:pickle_serde;"),
        ("compressed_serde", "it is pymemcache:compressed_serde;"),
        ("Dalli::JSONSerializer", "it is dalli:json;"),
        ("Marshal", "it is dalli;"),
        ("raw", "it is libmemcached, or dalli:raw;"),
        ("Memcached::SERIALIZER_JSON", "it is php-memcached:json;"),
        ("igbinary", "it is not read here"),
        ("SerializingTranscoder", "it is spymemcached;"),
        ("nonsense", "is not known; allowed are moecache, "),
    ] {
        let error = reason::<Format>(text);
        assert!(error.contains(name), "{text}: {error}");
    }
}

#[test]
fn protocols_and_key_transforms() {
    for (text, protocol) in [("Binary", Protocol::Binary), ("ascii", Protocol::Text)] {
        assert_eq!(text.parse::<Protocol>().unwrap(), protocol);
    }
    for (text, transform) in [
        ("SHA1KeyTransformer", KeyTransform::Sha1),
        (
            "Enyim.Caching.Memcached.TigerHashKeyTransformer, Enyim.Caching",
            KeyTransform::Tiger,
        ),
        ("Base64KeyTransformer", KeyTransform::Base64),
        ("DefaultKeyTransformer", KeyTransform::None),
    ] {
        assert_eq!(text.parse::<KeyTransform>().unwrap(), transform);
    }
}

/// Whoever reaches for the wrong door is told the right one.
#[test]
fn errors_name_what_to_use() {
    for url in [
        "memcache://127.0.0.1:11211",
        "memcached://127.0.0.1",
        "memcache+tls://127.0.0.1:11211",
        "memcaches://ann:secret@127.0.0.1",
    ] {
        let error = Client::new(url).unwrap_err().to_string();
        assert!(error.contains("parse::<Config>()"), "{error}");
        assert!(!error.contains("secret"), "{error}");
        assert_eq!(url.parse::<Config>().unwrap().servers.len(), 1, "{url}");
    }
    let client = Client::new("10.0.0.1").unwrap();
    let error = client.server_for("ключ").unwrap_err().to_string();
    assert!(
        error.contains("key_bytes to non-ascii, KeyBytes::NonAscii"),
        "{error}"
    );
    let ketama = reason::<Scheme>("pylibmc:ketama");
    assert!(ketama.contains("consistent/default"), "{ketama}");
}

/// The paths of unix sockets, by the library that has them.
#[test]
fn weights_behind_a_path() {
    let shares = |scheme: &str, server: &str| {
        let servers: [Server; 2] = [server.into(), "/run/b.sock".into()];
        let builder = Client::builder().servers(servers);
        let built = builder
            .compatible_with(scheme.parse::<Scheme>().unwrap())
            .build();
        built.map(|client| (client.servers(), client.shares()))
    };
    for scheme in Scheme::all() {
        // .NET, spymemcached's rings and pyermc know no two of these.
        let Ok(plain) = shares(&scheme.to_string(), "/run/a.sock") else {
            continue;
        };
        for spelling in ["unix:/run/a.sock", "unix:///run/a.sock"] {
            assert_eq!(
                shares(&scheme.to_string(), spelling).unwrap(),
                plain,
                "{scheme}"
            );
        }
    }
    for (scheme, text, weight) in [
        #[cfg(feature = "sha1")]
        ("dalli", "/run/a.sock:5", 5),
        ("twemproxy", "/run/a.sock:5", 5),
        ("libmemcached:consistent", "/run/a.sock:0:5", 5),
        ("pylibmc:ketama_weighted", "unix:///run/a.sock:0:5", 5),
        ("php-memcached:libketama_compatible", "/run/a.sock:0:5", 5),
    ] {
        let builder = Client::builder().servers([
            Server::from("/run/a.sock").weight(weight),
            "/run/b.sock".into(),
        ]);
        let expected = builder.compatible_with(scheme.parse::<Scheme>().unwrap());
        let expected = expected.build().unwrap();
        let found = shares(scheme, text).unwrap();
        assert_eq!(found, (expected.servers(), expected.shares()), "{scheme}");
        assert_eq!(found.0[0], "/run/a.sock");
    }
    for (scheme, text) in [
        ("moecache", "/run/a.sock:0:5"),
        ("moecache", "/run/a.sock:5"),
        ("pymemcache", "/run/a.sock:11211"),
        ("gomemcache", "/run/a.sock:0:5"),
        ("libmemcached", "/run/a.sock:5"),
        ("twemproxy", "/run/a.sock:0:5"),
        ("enyim", "/run/a.sock:0:5"),
    ] {
        let error = shares(scheme, text).unwrap_err().to_string();
        assert!(error.contains("unix socket"), "{scheme} {text}: {error}");
    }
}
