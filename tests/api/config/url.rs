use super::reason;
use moecache::{Config, KeyBytes, Protocol, Server};
use std::time::Duration;

#[test]
fn servers() {
    let rows: [(&str, Vec<Server>); 13] = [
        ("memcache://a", vec!["a".into()]),
        ("memcached://a:11212/", vec!["a:11212".into()]),
        (
            "memcache://a,b:11212:5?",
            vec!["a".into(), "b:11212:5".into()],
        ),
        (
            "memcache://[::1]:11212/?timeout=1",
            vec![("::1", 11212).into()],
        ),
        (
            "memcache://[fe80::1%25eth0]",
            vec![("fe80::1%eth0", 11211).into()],
        ),
        ("memcache:///run/a.sock", vec!["/run/a.sock".into()]),
        (
            "memcache://%2Frun%2Fa%20b.sock,c",
            vec!["/run/a b.sock".into(), "c".into()],
        ),
        (
            "memcache://unix:/run/a%2cb.sock",
            vec!["/run/a,b.sock".into()],
        ),
        (
            "memcache://unix:///run/a.sock,/run/b.sock",
            vec!["/run/a.sock".into(), "/run/b.sock".into()],
        ),
        (
            "memcache://unix:/run/a.sock?timeout=1",
            vec!["/run/a.sock".into()],
        ),
        (
            "memcache:///run/a.sock:0:5?compatible_with=libmemcached",
            vec!["/run/a.sock:0:5".into()],
        ),
        ("MemCached://a", vec!["a".into()]),
        ("memcache://", vec![]),
    ];
    for (url, expected) in rows {
        assert_eq!(url.parse::<Config>().unwrap().servers, expected, "{url}");
    }
}

#[test]
fn settings_have_the_names_of_the_fields() {
    let url = "memcache://a:11211,b:11211:5?compatible_with=enyim%3Aketama%2Fmd5&timeout=500ms\
               &connect_timeout=0.1&max_read_size=64MiB&max_connections=8&protocol=meta\
               &key_bytes=any&resolve_names=false&&";
    let mut expected = Config::default();
    expected.servers = vec!["a:11211".into(), "b:11211:5".into()];
    expected.compatible_with = Some("enyim:ketama/md5".parse().unwrap());
    expected.timeout = Some(Duration::from_millis(500));
    expected.connect_timeout = Some(Duration::from_millis(100));
    expected.max_read_size = Some(64 << 20);
    expected.max_connections = Some(8);
    expected.protocol = Some(Protocol::Meta);
    expected.key_bytes = Some(KeyBytes::Any);
    assert_eq!(url.parse::<Config>().unwrap(), expected);
}

#[test]
fn tls() {
    let url = "memcaches://a?tls_roots=/etc/roots.pem&tls_server_name=cache.example.com";
    let mut expected = Config::default();
    expected.servers = vec!["a".into()];
    expected.tls = true;
    expected.tls_roots = Some("/etc/roots.pem".into());
    expected.tls_server_name = Some("cache.example.com".to_owned());
    let config: Config = url.parse().unwrap();
    assert_eq!(config, expected);
    let written = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<Config>(&written).unwrap(), config);
    // Nobody who sets any of them gets a connection that is not encrypted.
    for url in [
        "memcaches:///run/a.sock",
        "memcache:///run/a.sock?tls=true",
        "memcache:///run/a.sock?tls_key=/none",
        "memcache:///run/a.sock?tls_server_name=a",
    ] {
        let error = reason(url.parse::<Config>().unwrap().client());
        assert!(error.starts_with("tls: "), "{url}: {error}");
    }
    for scheme in ["memcache+tls", "memcached+tls", "memcacheds", "MEMCACHES"] {
        let config = format!("{scheme}://a").parse::<Config>().unwrap();
        assert!(config.tls && config.servers == ["a".into()], "{scheme}");
    }
    let error = reason("memcaches://a?tls=false".parse::<Config>());
    assert_eq!(error, "url: tls is given twice");
    let built = "memcache://a?tls_roots=/none"
        .parse::<Config>()
        .unwrap()
        .client();
    let expected = if cfg!(feature = "tls") {
        "tls: root certificates: /none cannot be read: "
    } else {
        "tls: it needs the feature tls of this crate, which is off"
    };
    assert!(reason(built).starts_with(expected));
}

#[test]
fn credentials() {
    let rows = [
        ("memcache://ann:s3cret@a:1,b", "ann", "s3cret"),
        (
            "memcached://ann:s3%3Acr%40et%2F%3F%2C@a:1,b",
            "ann",
            "s3:cr@et/?,",
        ),
        (
            "memcache://a:1,b?username=ann&password=s3cret",
            "ann",
            "s3cret",
        ),
    ];
    for (url, username, password) in rows {
        let config: Config = url.parse().unwrap();
        assert_eq!(config.servers, ["a:1", "b"].map(Server::from), "{url}");
        assert_eq!(config.username, Some(username.into()));
        assert_eq!(config.password, Some(password.into()));
        assert!(!format!("{config:?}").contains(username));
        assert!(!format!("{config:?}").contains(password));
        assert!(config.client().is_ok());
        // What is written out is for everybody to read.
        assert_eq!(
            serde_json::to_string(&config).unwrap(),
            r#"{"servers":["a:1","b:11211"]}"#
        );
    }
    for url in ["memcache://a?username=ann", "memcache://a?password=s3cret"] {
        let error = reason(url.parse::<Config>().unwrap().client());
        assert!(
            error.starts_with("credentials: ") && !error.contains("s3cret"),
            "{error}"
        );
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn errors() {
    let rows = [
        (
            "redis://a",
            "url: it must begin with memcache://, memcached:// or memcaches://",
        ),
        (
            "a:11211",
            "url: it must begin with memcache://, memcached:// or memcaches://",
        ),
        (
            "memcache+udp://a",
            "url: memcache+udp:// is not possible: UDP",
        ),
        (
            "unix:///run/a.sock",
            "url: a unix socket is written memcache:///run/memcached.sock",
        ),
        (
            "memcache://run/a.sock",
            "servers: \"run/a.sock\": the path of a unix socket must begin with /",
        ),
        (
            "memcache://me-secret@a",
            "url: before the @ there must be one user:password for all servers",
        ),
        (
            "memcache://me:secret,b@a",
            "url: before the @ there must be one user:password for all servers",
        ),
        (
            "memcache://me:sec/secret@a",
            "url: before the @ there must be one user:password for all servers",
        ),
        (
            "memcache://me:sec@secret@a",
            "url: before the @ there must be one user:password for all servers",
        ),
        (
            "memcache://a?prefix=secret@a",
            "url: before the @ there must be one user:password for all servers",
        ),
        (
            "memcache://a:1?prefix=secret@a",
            "url: before the @ there must be one user:password for all servers",
        ),
        (
            "memcache://a,me:secret@b?timeout=1s",
            "url: before the @ there must be one user:password for all servers",
        ),
        ("memcache://me:secret%40a", "servers: \"...@a\": "),
        (
            "memcache://me:sec?secret@a",
            "url: before the @ there must be one user:password for all servers",
        ),
        (
            "memcache://a?timout=1&password=secret",
            "there is no field \"timout\"; allowed are servers",
        ),
        (
            "memcache://me:secret@a?password=secret",
            "url: password is given twice",
        ),
        (
            "memcache://a?password:secret",
            "url: after the ? there must be settings",
        ),
        (
            "memcache://a?timeout=1&timeout=1",
            "url: timeout is given twice",
        ),
        ("memcache://a?servers=b", "url: servers is given twice"),
        (
            "memcache://a?timeout",
            "url: after the ? there must be settings as in timeout=500ms&hash=md5",
        ),
        (
            "memcache://a?timeout=soon",
            "timeout: \"soon\" is not possible; allowed are a number of seconds",
        ),
        (
            "memcache://a?resolve_names=yes",
            "resolve_names: \"yes\" is not possible; allowed are true and false",
        ),
        (
            "memcache://a?hash=%6g",
            "url: after a % there must be two hexadecimal digits",
        ),
        (
            "memcache://a?hash=%6",
            "url: after a % there must be two hexadecimal digits",
        ),
        (
            "memcache://a?hash=%ff",
            "url: what is percent-encoded must be UTF-8",
        ),
        (
            "memcache://a?hash=md5#top",
            "url: there is no use for what comes after #; in a value write %23",
        ),
        ("memcache://a,,b", "servers: \"\": the host is empty"),
        (
            "memcache://a:11211/0",
            "servers: \"a:11211/0\": behind the port only a weight may follow: host:port:weight",
        ),
        (
            "memcache://a:0",
            "servers: \"a:0\": port 0; 1 to 65535 are allowed",
        ),
    ];
    for (url, expected) in rows {
        let error = reason(url.parse::<Config>());
        assert!(error.starts_with(expected), "{url}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
