use moecache::value::{Compression, Format};
use moecache::{
    Config, Distribution, FailurePolicy, Hash, KeyBytes, KeyTransform, Library, PrefixPlacement,
    Protocol, Server,
};
use std::time::Duration;

/// Every field, each away from its default.
fn all() -> Config {
    let mut config = Config::default();
    config.servers = vec![
        Server::from("10.0.0.1"),
        Server::from("10.0.0.2:11212:5"),
        Server::from(("::1", 11213)).weight(2),
        Server::from("10.0.0.3").weight(2).ring_name("alpha"),
        Server::from("/run/a.sock"),
        Server::from("/run/b.sock").weight(3),
    ];
    config.compatible_with = Some(Library::Pylibmc.into());
    config.distribution = Some(Distribution::LibmemcachedConsistent);
    config.hash = Some(Hash::Fnv1a32);
    config.hash_tag = Some("{}".parse().unwrap());
    config.resolve_names = true;
    config.format = Some(Format::PymemcachePickle);
    config.compression = Some(Compression::zlib().threshold(400));
    config.max_decompressed_size = Some(1 << 20);
    config.timeout = Some(Duration::from_millis(500));
    config.connect_timeout = Some(Duration::MAX);
    config.max_value_size = Some(1 << 10);
    config.max_read_size = Some(64 << 20);
    config.max_line_size = Some(4 << 10);
    config.max_keys_per_get = Some(20);
    config.protocol = Some(Protocol::Meta);
    config.prefix = Some("app:".into());
    config.prefix_placement = Some(PrefixPlacement::Hashed);
    config.key_transform = Some(KeyTransform::Base64);
    config.key_bytes = Some(KeyBytes::NonAscii);
    config.max_key_length = Some(200);
    config.queue_keys = Some(true);
    config.tcp_nodelay = Some(false);
    config.max_connections = Some(8);
    config.max_idle_connections = Some(0);
    config.idle_timeout = Some(Duration::from_secs(90));
    config.failure_policy = Some(FailurePolicy::Miss);
    config.max_back_off = Some(Duration::from_millis(500));
    config
}

const TOML: &str = r#"
compatible_with = "pylibmc:modula/default"
distribution = "libmemcached:consistent"
hash = "FNV1A_32"
hash_tag = "{}"
resolve_names = true
format = "pymemcache:pickle_serde"
compression = "zlib:400"
max_decompressed_size = "1 MiB"
timeout = 0.5
connect_timeout = "forever"
max_value_size = 1024
max_read_size = "64MiB"
max_line_size = "4KiB"
max_keys_per_get = 20
protocol = "meta"
prefix = "app:"
prefix_placement = "hashed"
key_transform = "base64"
key_bytes = "non-ascii"
max_key_length = 200
queue_keys = true
tcp_nodelay = false
max_connections = 8
max_idle_connections = 0
idle_timeout = "1.5m"
failure_policy = "miss"
max_back_off = "500ms"
servers = [
    "10.0.0.1",
    {host = "10.0.0.2", port = 11212, weight = 5},
    "[::1]:11213:2",
    {host = "10.0.0.3", weight = 2, ring_name = "alpha"},
    {path = "/run/a.sock"},
    {path = "/run/b.sock", weight = 3},
]
"#;

const YAML: &str = "
servers:
  - 10.0.0.1
  - 10.0.0.2:11212:5
  - {host: '::1', port: 11213, weight: 2}
  - {host: 10.0.0.3, weight: 2, ring_name: alpha}
  - unix:/run/a.sock
  - {path: /run/b.sock, weight: 3}
compatible_with: pylibmc
distribution: libmemcached:consistent
hash: fnv1a_32
hash_tag: '{}'
resolve_names: true
format: pymemcache:pickle_serde
compression: zlib:400
max_decompressed_size: 1024KiB
timeout: 500ms
connect_timeout: forever
max_value_size: 1KiB
max_read_size: 67108864
max_line_size: 4096
max_keys_per_get: 20
protocol: meta
prefix: 'app:'
prefix_placement: hashed
key_transform: base64
key_bytes: non-ascii
max_key_length: 200
queue_keys: true
tcp_nodelay: false
max_connections: 8
max_idle_connections: 0
idle_timeout: 90
failure_policy: miss
max_back_off: 0.5
";

#[test]
fn every_field_from_every_format() {
    assert_eq!(toml::from_str::<Config>(TOML).unwrap(), all());
    assert_eq!(serde_saphyr::from_str::<Config>(YAML).unwrap(), all());
}

#[test]
fn what_is_written_reads_back() {
    let json = serde_json::to_string(&all()).unwrap();
    assert_eq!(serde_json::from_str::<Config>(&json).unwrap(), all());
    let toml = toml::to_string(&all()).unwrap();
    assert_eq!(toml::from_str::<Config>(&toml).unwrap(), all());
    assert_eq!(serde_json::to_string(&Config::default()).unwrap(), "{}");
    assert_eq!(
        serde_json::to_value(all()).unwrap()["servers"],
        serde_json::json!([
            "10.0.0.1:11211",
            "10.0.0.2:11212:5",
            "[::1]:11213:2",
            {"host": "10.0.0.3", "port": 11211, "weight": 2, "ring_name": "alpha"},
            "/run/a.sock",
            {"path": "/run/b.sock", "weight": 3},
        ])
    );
}

#[test]
fn durations() {
    let rows = [
        ("2", Some(Duration::from_secs(2)), "2s"),
        ("0.25", Some(Duration::from_millis(250)), "250ms"),
        (r#""2""#, Some(Duration::from_secs(2)), "2s"),
        (r#""1.5""#, Some(Duration::from_millis(1500)), "1500ms"),
        (r#""10ns""#, Some(Duration::from_nanos(10)), "10ns"),
        (r#""250us""#, Some(Duration::from_micros(250)), "250us"),
        (r#""500 ms""#, Some(Duration::from_millis(500)), "500ms"),
        (r#""1m""#, Some(Duration::from_secs(60)), "60s"),
        (r#""1h""#, Some(Duration::from_secs(3600)), "3600s"),
        (r#""0s""#, Some(Duration::ZERO), "0s"),
        (r#""forever""#, Some(Duration::MAX), "forever"),
        ("null", None, ""),
    ];
    for (text, expected, printed) in rows {
        let json = format!(r#"{{"idle_timeout": {text}}}"#);
        let config: Config = serde_json::from_str(&json).unwrap();
        assert_eq!(config.idle_timeout, expected, "{text}");
        let written = serde_json::to_value(&config).unwrap();
        let written = written
            .get("idle_timeout")
            .map_or("", |t| t.as_str().unwrap());
        assert_eq!(written, printed, "{text}");
    }
}

const TIMES: &str = "is not possible; allowed are a number of seconds, texts like \"250us\", \
                     \"500ms\", \"2s\", \"1.5m\" and \"1h\", and \"forever\"";
const SIZES: &str = "is not possible; allowed are a number of bytes, and texts like \"64KiB\", \
                     \"64MiB\" and \"1GiB\"";
const SERVER: &str = "a text, or a table of host and port, or of path, and of weight, \
                      ring_name, username and password";

/// A file, and how the error begins, in two parts.
const ERRORS: &[(&str, &str, &str)] = &[
    (
        r#"{"timout": 1}"#,
        "there is no field \"timout\"; allowed are servers, compatible_with",
        "",
    ),
    (
        r#"{"timeout": 1, "timeout": 2}"#,
        "timeout: given twice",
        "",
    ),
    (
        "[]",
        "config: a list is not possible; it must be a table of settings",
        "",
    ),
    (
        r#"{"timeout": "5 parsecs"}"#,
        "timeout: \"5 parsecs\" ",
        TIMES,
    ),
    (r#"{"timeout": -1}"#, "timeout: -1 ", TIMES),
    (r#"{"timeout": -0.5}"#, "timeout: -0.5 ", TIMES),
    (r#"{"timeout": "1e3"}"#, "timeout: \"1e3\" ", TIMES),
    (r#"{"timeout": "ms"}"#, "timeout: \"ms\" ", TIMES),
    (
        r#"{"timeout": "99999999999999999999h"}"#,
        "timeout: \"99999999999999999999h\" ",
        TIMES,
    ),
    (
        r#"{"connect_timeout": true}"#,
        "connect_timeout: true ",
        TIMES,
    ),
    (
        r#"{"max_read_size": "64MB"}"#,
        "max_read_size: \"64MB\" ",
        SIZES,
    ),
    (r#"{"max_read_size": -1}"#, "max_read_size: -1 ", SIZES),
    (r#"{"max_read_size": 1.5}"#, "max_read_size: 1.5 ", SIZES),
    (
        r#"{"max_read_size": "99999999999999GiB"}"#,
        "max_read_size: \"99999999999999GiB\" ",
        SIZES,
    ),
    (
        r#"{"max_connections": "1KiB"}"#,
        "max_connections: \"1KiB\" is not possible; allowed are the numbers from 0 on",
        "",
    ),
    (
        r#"{"resolve_names": 1}"#,
        "resolve_names: 1 is not possible; allowed are true and false",
        "",
    ),
    (
        r#"{"compatible_with": "nobody"}"#,
        "compatible_with: peer: \"nobody\" is not known; allowed are moecache",
        "",
    ),
    (
        r#"{"distribution": "ring"}"#,
        "distribution: \"ring\" is not known; allowed are moecache:default",
        "",
    ),
    (
        r#"{"hash": "md4"}"#,
        "hash: \"md4\" is not known; allowed are default, md5",
        "",
    ),
    (
        r#"{"hash": 5}"#,
        "hash: 5 is not possible; it must be a text",
        "",
    ),
    (
        r#"{"prefix": 5}"#,
        "prefix: 5 is not possible; it must be a text",
        "",
    ),
    (
        r#"{"key_bytes": "all"}"#,
        "key_bytes: \"all\" is not known; allowed are printable, non-ascii, any",
        "",
    ),
    (
        r#"{"key_transform": "rot13"}"#,
        "key_transform: \"rot13\" is not known; allowed are none, base64",
        "",
    ),
    (
        r#"{"prefix_placement": "left"}"#,
        "prefix_placement: \"left\" is not known; allowed are hashed, left-out",
        "",
    ),
    (
        r#"{"format": "xml"}"#,
        "format: \"xml\" is not known; allowed are moecache",
        "",
    ),
    (
        r#"{"compression": "rar"}"#,
        "compression: \"rar\" is not possible; allowed are off",
        "",
    ),
    (
        r#"{"protocol": "http"}"#,
        "protocol: \"http\" is not known; allowed are text",
        "",
    ),
    (
        r#"{"servers": 5}"#,
        "servers: 5 is not possible; it must be a list",
        "",
    ),
    (
        r#"{"servers": [5]}"#,
        "servers: 5 is not a server; allowed is ",
        SERVER,
    ),
    (
        r#"{"servers": ["a:0"]}"#,
        "servers: \"a:0\": port 0; 1 to 65535 are allowed",
        "",
    ),
    (
        r#"{"servers": [{"hots": "a"}]}"#,
        "servers: there is no field \"hots\"; allowed are host, port, path, weight, ring_name, username, ",
        "password",
    ),
    (
        r#"{"servers": [{"weight": 1}]}"#,
        "servers: a server has a host or a path; allowed is ",
        SERVER,
    ),
    (
        r#"{"servers": [{"host": "a", "path": "/a"}]}"#,
        "servers: a server has a host or a path; allowed is ",
        SERVER,
    ),
    (
        r#"{"servers": [{"path": "/a", "port": 1}]}"#,
        "servers: a server has a host or a path; allowed is ",
        SERVER,
    ),
    (
        r#"{"servers": [{"host": 1}]}"#,
        "servers: host: 1 is not possible; it must be a text",
        "",
    ),
    (
        r#"{"servers": [{"host": "a", "port": 65536}]}"#,
        "servers: port: 65536 is not possible; allowed are 1 to 65535",
        "",
    ),
    (
        r#"{"servers": [{"host": "a", "weight": -1}]}"#,
        "servers: weight: -1 is not possible; allowed are 1 and more",
        "",
    ),
    (
        r#"{"servers": [{"host": "a", "weight": 0}]}"#,
        "servers: \"a:11211\": weight 0; it must be at least 1",
        "",
    ),
];

#[test]
fn errors_name_the_field_and_what_is_allowed() {
    for (json, begins, goes_on) in ERRORS {
        let error = serde_json::from_str::<Config>(json)
            .unwrap_err()
            .to_string();
        let expected = format!("{begins}{goes_on}");
        assert!(
            error.starts_with(&expected),
            "{json}: {error}\nnot: {expected}"
        );
    }
}

#[test]
fn a_password_before_a_host_is_not_shown() {
    let error = toml::from_str::<Config>(r#"servers = [{host = "me:secret@a"}]"#).unwrap_err();
    let error = error.message();
    assert_eq!(
        error,
        "servers: \"...@a:11211\": the host holds a character that no host name or address has"
    );
}

#[test]
fn credentials() {
    let config: Config = toml::from_str(
        r#"
        servers = [{host = "a", username = "bob", password = "0ther"}, "b"]
        username = "ann"
        password = "s3cret"
        "#,
    )
    .unwrap();
    let mut expected = Config::default();
    expected.servers = vec![Server::from("a").credentials("bob", "0ther"), "b".into()];
    (expected.username, expected.password) = (Some("ann".into()), Some("s3cret".into()));
    assert_eq!(config, expected);
    let shown = format!("{config:?} {:?} {:?}", config.builder(), config.client());
    assert!(
        !shown.contains("0ther") && !shown.contains("s3cret"),
        "{shown}"
    );
    let written = toml::to_string(&config).unwrap();
    assert_eq!(written, "servers = [\"a:11211\", \"b:11211\"]\n");

    for (text, expected) in [
        ("password = 53", "password: it must be a text"),
        (
            "servers = [{host = 'a', password = 53}]",
            "servers: password: it must be a text",
        ),
        (
            "servers = [{host = 'a', password = '53'}]",
            "servers: a server has a username and a password, or neither",
        ),
    ] {
        let error = toml::from_str::<Config>(text).unwrap_err();
        assert_eq!(error.message(), expected);
    }
}

#[test]
fn a_server_that_is_none_is_not_written() {
    let mut config = Config::default();
    config.servers = vec!["a:0".into()];
    let error = serde_json::to_string(&config).unwrap_err();
    assert!(error.to_string().starts_with("servers: \"a:0\": port 0"));
}

/// What each field sets, where the client can be asked.
#[test]
fn the_builder_has_the_settings() {
    let mut config = all();
    config.servers.truncate(2);
    config.compatible_with = Some(Library::Moecache.into());
    (config.distribution, config.hash) = (Some(Distribution::Enyim), None);
    (config.format, config.compression) = (Some(Format::Moecache), Some(Compression::off()));
    let shown = format!("{:?}", config.builder());
    assert!(shown.contains(&format!("{config:?}")), "{shown}");
    let client = config.client().unwrap();
    assert_eq!(client.scheme().unwrap().distribution(), Distribution::Enyim);
    assert_eq!(client.prefix(), b"app:");
    client.server_for("not a key as it is").unwrap();
    config.key_transform = None;
    let client = config.client().unwrap();
    client.server_for("ключ").unwrap();
    assert!(client.server_for("a key").is_err());
    config.key_bytes = Some(KeyBytes::Any);
    config.client().unwrap().server_for("a key").unwrap();

    let default = format!("{:?}", Config::default().builder());
    assert_eq!(default, format!("{:?}", moecache::Client::builder()));
}

#[test]
fn what_does_not_go_together_is_judged_by_build() {
    let rows = [
        (r#"{"servers": []}"#, "servers: "),
        (r#"{"servers": ["a"], "timeout": 0}"#, "timeout: zero"),
        (
            r#"{"servers": ["a"], "hash": "md5"}"#,
            "hash: the distribution moecache:default has one of its own",
        ),
        (
            r#"{"servers": ["a"], "key_bytes": "any"}"#,
            "key_bytes: any is not possible with the protocol text",
        ),
    ];
    for (json, expected) in rows {
        let config: Config = serde_json::from_str(json).unwrap();
        let error = super::reason(config.client());
        assert!(error.starts_with(expected), "{json}: {error}");
    }
}
