use super::{names, reason};
use moecache::{Behaviors, Config, Error, KeyBytes, Note, PrefixPlacement, Protocol, Server};
use std::time::Duration;

fn read(behaviors: &str) -> Result<(Config, Vec<Note>), Error> {
    let behaviors: Behaviors = serde_json::from_str(behaviors).unwrap();
    Config::from_pylibmc(["10.0.0.1", "10.0.0.2"], &behaviors)
}

#[test]
fn from_any_format() {
    let toml: Behaviors = toml::from_str("ketama = true\nhash = 'md5'").unwrap();
    let yaml: Behaviors = serde_saphyr::from_str("{hash: md5, ketama: 1}").unwrap();
    for behaviors in [toml, yaml] {
        let servers = ["10.0.0.1:11211:2", "[::1]:11212", "/run/a.sock"];
        let (config, notes) = Config::from_pylibmc(servers, &behaviors).unwrap();
        assert_eq!(config.servers, servers.map(Server::from));
        assert_eq!(notes, []);
    }
    let error = serde_json::from_str::<Behaviors>("[1]").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("behaviors: a list is not possible")
    );
}

#[test]
fn what_takes_effect() {
    let (config, notes) = read(
        r#"{"binary": true, "connect_timeout": 250, "_poll_timeout": -1, "tcp_nodelay": 1,
            "cas": true, "namespace": "app:", "_hash_with_prefix_key": 1, "no_block": false, "remove_failed": 0,
            "username": null, "password": null}"#,
    )
    .unwrap();
    assert_eq!(config.protocol, Some(Protocol::Binary));
    assert_eq!(config.key_bytes, None);
    assert_eq!(config.prefix.as_deref(), Some(&b"app:"[..]));
    assert_eq!(config.prefix_placement, Some(PrefixPlacement::Hashed));
    assert_eq!(config.connect_timeout, Some(Duration::from_millis(250)));
    assert_eq!(config.timeout, Some(Duration::MAX));
    assert_eq!(config.tcp_nodelay, Some(true));
    assert_eq!(notes, []);
    let (config, notes) = read(r#"{"tcp_nodelay": false}"#).unwrap();
    assert_eq!((config.tcp_nodelay, notes), (Some(false), vec![]));
    let (config, _) = read(r#"{"binary": false, "verify_keys": true}"#).unwrap();
    assert_eq!(config.protocol, None);
    assert_eq!(config.key_bytes, Some(KeyBytes::Printable));
}

/// As in libmemcached, which makes the protocol binary then, whatever `binary` says.
#[test]
fn credentials() {
    for behaviors in [
        r#"{"username": "ann", "password": "s3cret"}"#,
        r#"{"binary": false, "password": "s3cret", "username": "ann"}"#,
    ] {
        let (config, notes) = read(behaviors).unwrap();
        assert_eq!(config.protocol, Some(Protocol::Binary));
        assert_eq!(config.username, Some("ann".into()));
        assert_eq!(config.password, Some("s3cret".into()));
        assert_eq!(notes, []);
    }
    let (config, _) = read(r#"{"verify_keys": true, "username": "ann"}"#).unwrap();
    assert_eq!(config.key_bytes, Some(KeyBytes::Printable));
}

/// The scheme that a dictionary stands for. That it places as pylibmc does is in `recorded`.
#[test]
fn schemes() {
    let rows = [
        ("{}", "modula/default"),
        (r#"{"ketama": true}"#, "consistent/default"),
        (r#"{"ketama": false}"#, "modula/default"),
        (r#"{"ketama": true, "hash": "md5"}"#, "consistent/md5"),
        (
            r#"{"ketama": 1, "distribution": "modula"}"#,
            "modula/default",
        ),
        (r#"{"ketama_weighted": true}"#, "ketama_weighted/md5"),
        (
            r#"{"hash": "crc", "ketama_weighted": true}"#,
            "ketama_weighted/md5",
        ),
        (r#"{"ketama_weighted": false}"#, "consistent/default"),
        (
            r#"{"distribution": "consistent weighted", "hash": "crc"}"#,
            "ketama_weighted/crc",
        ),
        (
            r#"{"distribution": "consistent ketama"}"#,
            "consistent/default",
        ),
        (
            r#"{"distribution": "consistent_ketama_spy"}"#,
            "ketama_spy_unweighted/default",
        ),
        (
            r#"{"distribution": "consistent ketama spy", "ketama_weighted": 1}"#,
            "ketama_spy/md5",
        ),
        (r#"{"_sort_hosts": true}"#, "modula_sort_hosts/default"),
    ];
    for (behaviors, expected) in rows {
        let (config, notes) = read(behaviors).unwrap();
        let scheme = config.compatible_with.unwrap().to_string();
        assert_eq!(scheme, format!("pylibmc:{expected}"), "{behaviors}");
        assert_eq!(notes, [], "{behaviors}");
    }
}

#[test]
fn what_has_no_effect_is_noted() {
    let names_of = [
        "no_block",
        "tcp_keepalive",
        "buffer_requests",
        "send_timeout",
        "receive_timeout",
        "num_replicas",
        "auto_eject",
        "retry_timeout",
        "_retry_timeout",
        "remove_failed",
        "failure_limit",
        "dead_timeout",
        "_io_msg_watermark",
        "_io_bytes_watermark",
        "_io_key_prefetch",
        "_noreply",
        "_socket_send_size",
        "_socket_recv_size",
        "pickle_protocol",
        "ketama_hash",
    ];
    for name in names_of {
        let (_, notes) = read(&format!(r#"{{"{name}": 3}}"#)).unwrap();
        assert_eq!(names(&notes), [name]);
        assert_eq!(notes[0].value, "3", "{name}");
    }
    // On, always, if not in the same way.
    for name in ["cas", "verify_keys"] {
        let (_, notes) = read(&format!(r#"{{"{name}": false}}"#)).unwrap();
        assert_eq!(names(&notes), [name]);
        assert_eq!(notes[0].value, "false", "{name}");
    }
    let (_, notes) = read(r#"{"ketama_hash": "md5"}"#).unwrap();
    assert_eq!(names(&notes), ["ketama_hash"]);
    let servers = [("10.0.0.1", 11211, 5)];
    let (config, notes) = Config::from_pylibmc(servers, &Behaviors::default()).unwrap();
    assert_eq!(config.servers, [Server::from("10.0.0.1")]);
    assert_eq!(names(&notes), ["weight"]);
}

#[test]
fn errors() {
    let rows = [
        (
            r#"{"nosuch": 1}"#,
            "behaviors: there is no \"nosuch\"; allowed are binary, username",
        ),
        (r#"{"": 1}"#, "behaviors: there is no \"\"; allowed are"),
        (
            r#"{"TCP_NODELAY": 1}"#,
            "behaviors: there is no \"TCP_NODELAY\"; allowed are",
        ),
        (r#"{"cas": 1, "cas": 2}"#, "cas: it is given twice"),
        (
            r#"{"retry_timeout": 1, "_retry_timeout": 2}"#,
            "_retry_timeout: it is given twice",
        ),
        (
            r#"{"ketama": 1.5}"#,
            "ketama: 1.5 is not possible; it must be a whole number, or true or false",
        ),
        (
            r#"{"ketama": "yes"}"#,
            "ketama: \"yes\" is not possible; it must be a whole number",
        ),
        (
            r#"{"ketama": null}"#,
            "ketama: null is not possible; it must be a whole number",
        ),
        (r#"{"ketama": 99999999999999999999}"#, "ketama: "),
        (
            r#"{"hash": "sha1"}"#,
            "hash: \"sha1\" is not a hash that it knows; allowed are default, md5",
        ),
        (
            r#"{"hash": "MD5"}"#,
            "hash: \"MD5\" is not a hash that it knows; allowed are default, md5",
        ),
        (
            r#"{"hash": 1}"#,
            "hash: 1 is not possible; it must be a text",
        ),
        (
            r#"{"ketama_hash": "sha1"}"#,
            "ketama_hash: \"sha1\" is not a hash that it knows",
        ),
        (
            r#"{"distribution": "ring"}"#,
            "distribution: \"ring\" is not known; allowed are modula, consistent, consistent ketama,",
        ),
        (
            r#"{"distribution": 1}"#,
            "distribution: 1 is not possible; it must be a text",
        ),
        (
            r#"{"distribution": "consistent max"}"#,
            "distribution: \"consistent max\" is not known",
        ),
        (
            r#"{"distribution": "random"}"#,
            "distribution: random finds no key again",
        ),
        (
            r#"{"distribution": "virtual bucket"}"#,
            "distribution: virtual bucket needs a map of buckets",
        ),
        (r#"{"namespace": ""}"#, "namespace: it is empty"),
        (
            r#"{"connect_timeout": 0}"#,
            "connect_timeout: 0 leaves no time",
        ),
        (
            r#"{"username": 7}"#,
            "username: 7 is not possible; it must be a text",
        ),
        (r#"{"password": ["secret"]}"#, "password: it must be a text"),
        (r#"{"password": 5364623}"#, "password: it must be a text"),
    ];
    for (behaviors, expected) in rows {
        let error = reason(read(behaviors));
        assert!(error.starts_with(expected), "{behaviors}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
    let error = reason(Config::from_pylibmc(
        ["udp:10.0.0.1"],
        &Behaviors::default(),
    ));
    assert!(error.starts_with("servers: \"udp:10.0.0.1\": "), "{error}");
}

#[test]
fn a_password_is_not_shown() {
    let behaviors: Behaviors = serde_json::from_str(r#"{"password": "secret"}"#).unwrap();
    assert_eq!(format!("{behaviors:?}"), r#"{"password"}"#);
}
