use super::*;

const PLAIN: Rules = Rules {
    longest: MAX_KEY_LENGTH,
    rule: KeyRule::Printable,
    transform: KeyTransform::None,
    long: LongKeys::Refused,
    empty: EmptyKeys::Refused,
    prefix: PrefixPlacement::Hashed,
};

fn naming(rules: Rules, prefix: &str) -> Naming {
    Naming::new(rules).with_prefix(prefix.as_bytes()).unwrap()
}

/// What is sent, and what is placed by.
type Sent = Result<(Vec<u8>, Vec<u8>), String>;

/// Asked for one by one and all together, which is the same.
fn sent(naming: &Naming, names: &[&[u8]]) -> Vec<Sent> {
    let parts = |key: Result<Key<'_>, KeyError>| match key {
        Ok(key) => Ok((key.as_bytes().to_vec(), key.placed_by().to_vec())),
        Err(error) => Err(error.to_string()),
    };
    let one = |name: &&[u8]| parts(naming.key(name, &mut Scratch::default()));
    let alone: Vec<_> = names.iter().map(one).collect();
    let mut scratch = Scratch::default();
    let keys = naming.keys(names.iter().copied(), &mut scratch);
    let indexed = names.iter().enumerate();
    let together: Vec<_> = indexed
        .map(|(at, name)| parts(keys.key(at, name)))
        .collect();
    assert_eq!(alone, together, "{naming:?}");
    alone
}

#[test]
fn what_is_sent_and_placed_by() {
    let left_out = Rules {
        prefix: PrefixPlacement::LeftOut,
        ..PLAIN
    };
    let pymemcache = Rules {
        empty: EmptyKeys::BehindPrefix,
        ..left_out
    };
    let base64 = Rules {
        transform: KeyTransform::Base64,
        ..left_out
    };
    for (rules, prefix, name, wire, placed) in [
        (PLAIN, "", "key", "key", "key"),
        (PLAIN, "app:", "key", "app:key", "app:key"),
        (left_out, "", "key", "key", "key"),
        (left_out, "app:", "key", "app:key", "key"),
        (pymemcache, "app:", "", "app:", ""),
        // What is transformed is placed as a whole.
        (base64, "", "a key", "YSBrZXk=", "YSBrZXk="),
        (
            base64,
            "app ",
            "ключ",
            "YXBwINC60LvRjtGH",
            "YXBwINC60LvRjtGH",
        ),
    ] {
        let expected = Ok((wire.into(), placed.into()));
        let other = "first".as_bytes();
        let sent = sent(&naming(rules, prefix), &[other, name.as_bytes(), b"last"]);
        assert_eq!(sent[1], expected, "{rules:?}: {prefix}, {name}");
    }
}

/// `Convert.ToBase64String(hash.ComputeHash(Encoding.Unicode.GetBytes(key)))`, as Python's hashlib
/// computes it with SHA-1, and PHP's `hash` with `tiger192,3`.
#[cfg(all(feature = "sha1", feature = "tiger"))]
#[test]
fn hashed_keys() {
    let long = "k".repeat(300);
    for (transform, prefix, name, expected) in [
        (
            KeyTransform::Sha1,
            "",
            "key",
            "59AozOO257Ya4sdS166XDaBKt8Y=",
        ),
        (
            KeyTransform::Sha1,
            "app:",
            "key",
            "+N9RBJQ+xtVSKMaLQGwiZwQcsVI=",
        ),
        (
            KeyTransform::Sha1,
            "",
            "ключ 😀",
            "Hyw6KccAQzgFteFab7n9K+87m0Q=",
        ),
        (
            KeyTransform::Sha1,
            "",
            &long,
            "yGlwMrrVpzwoRAbUjw/qcc0cpTw=",
        ),
        (
            KeyTransform::Tiger,
            "",
            "key",
            "Iq/nV4jbyoXHZU4/OHRJ7SZDUr+Ugiww",
        ),
        (
            KeyTransform::Tiger,
            "app:",
            "key",
            "6rKSaIQ9h65+NB9ANRO57dqDNqZo+egR",
        ),
        (
            KeyTransform::Tiger,
            "",
            "ключ 😀",
            "XEbMZWP+GRyGKzHgxvpetTXHDltJmSnx",
        ),
        (
            KeyTransform::Tiger,
            "",
            &long,
            "dPpZJdT8kMjIlYSvvmyuKfC43YhMmcoA",
        ),
    ] {
        let rules = Rules { transform, ..PLAIN };
        let found = sent(&naming(rules, prefix), &[name.as_bytes()]);
        let expected = Ok((expected.into(), expected.into()));
        assert_eq!(found, [expected], "{transform}: {prefix}, {name}");
    }
    let tiger = Rules {
        transform: KeyTransform::Tiger,
        ..PLAIN
    };
    let refused = sent(&naming(tiger, ""), &[b"\xff"]);
    let expected = "not UTF-8; the key transform tiger hashes text";
    assert_eq!(refused, [Err(expected.to_owned())]);
}

#[test]
fn dalli_shortens() {
    let dalli = Rules {
        rule: KeyRule::NonAscii,
        long: LongKeys::Dalli,
        ..PLAIN
    };
    let (k, e) = ("k", "é");
    for (prefix, name, expected) in [
        ("", k.repeat(250), k.repeat(250)),
        (
            "",
            k.repeat(251),
            format!("{}:md5:f0506ef804c48c4c4a9816dcef0b6091", k.repeat(212)),
        ),
        ("ns:", k.repeat(247), format!("ns:{}", k.repeat(247))),
        (
            "ns:",
            k.repeat(248),
            format!("ns:{}:md5:91e51f8b3d532a6a166cd75a00f4c7ea", k.repeat(210)),
        ),
    ] {
        let found = sent(&naming(dalli, prefix), &[b"other", name.as_bytes()]);
        assert_eq!(found[1], Ok((expected.clone().into(), expected.into())));
    }
    // By characters: the first is not shortened, the second not enough.
    let refused = sent(
        &naming(dalli, ""),
        &[e.repeat(250).as_bytes(), e.repeat(251).as_bytes()],
    );
    let too_long = |own, sent| {
        Err(match sent {
            Some(sent) => format!("{own} bytes long, {sent} as it is sent; 1 to 250 are allowed"),
            None => format!("{own} bytes long; 1 to 250 are allowed"),
        })
    };
    assert_eq!(
        refused,
        [too_long(500, None), too_long(502, Some(212 * 2 + 37))]
    );
    // By bytes, where it is no text.
    let found = sent(&naming(dalli, ""), &[&[0xff; 251]]);
    assert_eq!(found[0].as_ref().unwrap().0.len(), 249);
}

#[test]
fn what_is_refused() {
    let base64 = Rules {
        transform: KeyTransform::Base64,
        ..PLAIN
    };
    let meta = Rules {
        rule: KeyRule::Base64,
        ..PLAIN
    };
    let [long, half] = [247, 187].map(|length| "k".repeat(length));
    let binary = " ".repeat(184);
    for (rules, prefix, name, expected) in [
        (PLAIN, "", "", "empty; 1 to 250 bytes are allowed"),
        (PLAIN, "app:", "", "empty; 1 to 250 bytes are allowed"),
        (
            PLAIN,
            "app:",
            &*long,
            "247 bytes long, 251 with the prefix; 1 to 250 are allowed",
        ),
        (
            PLAIN,
            "app:",
            "a b",
            "byte 0x20 at position 1 is not allowed; allowed are the printable ASCII characters 0x21 \
             to 0x7e",
        ),
        (
            base64,
            "",
            &*half,
            "187 bytes long, 252 as it is sent; 1 to 250 are allowed",
        ),
        (
            base64,
            "app:",
            &*half,
            "187 bytes long, 191 with the prefix, 256 as it is sent; 1 to 250 are allowed",
        ),
        (
            meta,
            "app:",
            &*binary,
            "184 bytes long, 188 with the prefix, and not all of them printable ASCII; 1 to 186 are \
             allowed then, because it is sent in base64",
        ),
    ] {
        let found = sent(&naming(rules, prefix), &[b"ok", name.as_bytes(), b"ok"]);
        assert_eq!(found[1], Err(expected.to_owned()), "{rules:?}");
        assert!(found[0].is_ok() && found[0] == found[2]);
    }
}

#[test]
fn prefixes_are_judged() {
    for (prefix, expected) in [
        ("a b", Some("byte 0x20 at position 1 is not allowed")),
        (&*"p".repeat(249), None),
        (
            &*"p".repeat(250),
            Some("250 bytes long; up to 249 are allowed"),
        ),
    ] {
        match (Naming::new(PLAIN).with_prefix(prefix.as_bytes()), expected) {
            (Ok(naming), None) => assert_eq!(naming.prefix(), prefix.as_bytes()),
            (Err(error), Some(expected)) => {
                let text = error.to_string();
                assert!(text.contains(&format!("prefix: {expected}")), "{text}");
            }
            (found, expected) => panic!("{found:?}, not {expected:?}"),
        }
    }
    let long = naming(PLAIN, &"p".repeat(200));
    let error = long.with_prefix("p".repeat(50).as_bytes()).unwrap_err();
    assert!(
        error.to_string().contains("prefix: 250 bytes long"),
        "{error}"
    );
}

#[test]
fn names_of_a_servers_keys() {
    let base64 = Rules {
        transform: KeyTransform::Base64,
        ..PLAIN
    };
    let pymemcache = Rules {
        empty: EmptyKeys::BehindPrefix,
        ..PLAIN
    };
    for (rules, prefix, key, expected) in [
        (PLAIN, "", "key", Some("key")),
        (PLAIN, "app:", "app:key", Some("key")),
        (PLAIN, "app:", "apps:key", None),
        (PLAIN, "app:", "app", None),
        (PLAIN, "app:", "app:", None),
        (pymemcache, "app:", "app:", Some("")),
        (base64, "", "YSBrZXk=", Some("a key")),
        (base64, "a ", "YSBrZXk=", Some("key")),
        (base64, "a ", "a b", None),
    ] {
        let name = naming(rules, prefix).name_of(key.into());
        assert_eq!(
            name.as_deref(),
            expected.map(str::as_bytes),
            "{prefix}, {key}"
        );
    }
}
