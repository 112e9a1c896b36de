use super::*;

#[test]
fn typed_forms() {
    let rows: [(Server, &str, u16, &str); 14] = [
        ("host".into(), "host", 11211, "host:11211"),
        ("host:1".into(), "host", 1, "host:1"),
        ("unix:1".into(), "unix", 1, "unix:1"),
        ("10.0.0.1:65535".into(), "10.0.0.1", 65535, "10.0.0.1:65535"),
        ("[::1]".into(), "::1", 11211, "[::1]:11211"),
        ("[::1]:11213".into(), "::1", 11213, "[::1]:11213"),
        (
            "[2001:0DB8:0::1]:1".into(),
            "2001:0DB8:0::1",
            1,
            "[2001:0DB8:0::1]:1",
        ),
        (("::1", 11211).into(), "::1", 11211, "[::1]:11211"),
        (("[::1]", 11211).into(), "::1", 11211, "[::1]:11211"),
        (
            ("fe80::1%eth0", 11211).into(),
            "fe80::1%eth0",
            11211,
            "[fe80::1%eth0]:11211",
        ),
        (
            ("Cache-A.example.com", 7).into(),
            "Cache-A.example.com",
            7,
            "Cache-A.example.com:7",
        ),
        (
            SocketAddr::from(([10, 0, 0, 1], 9)).into(),
            "10.0.0.1",
            9,
            "10.0.0.1:9",
        ),
        (String::from("host:1").into(), "host", 1, "host:1"),
        (" host:1\n".into(), "host", 1, "host:1"),
    ];
    for (server, host, port, display) in rows {
        let expected = Address::Tcp {
            host: host.to_owned(),
            port,
        };
        assert_eq!(server.address().as_ref(), Ok(&expected), "{server:?}");
        assert_eq!(server.to_string(), display);
    }
    let path = "/run/memcached.sock";
    for server in [
        Server::from(path),
        "unix:/run/memcached.sock".into(),
        Path::new(path).into(),
    ] {
        assert_eq!(
            server.address(),
            Ok(Address::Unix(path.to_owned())),
            "{server:?}"
        );
        assert_eq!(server.to_string(), path);
    }
}

#[test]
fn refused_forms() {
    let rows: [(Server, &str); 32] = [
        ("".into(), "the host is empty"),
        (":11211".into(), "the host is empty"),
        ("[]:11211".into(), "the host is empty"),
        (("", 11211).into(), "the host is empty"),
        ("host:".into(), "the port must be a number"),
        ("host:0".into(), "port 0"),
        (("host", 0).into(), "port 0"),
        ("host:65536".into(), "the port must be a number"),
        ("host:-1".into(), "the port must be a number"),
        ("host:+1".into(), "the port must be a number"),
        ("host:port".into(), "the port must be a number"),
        ("host: 1".into(), "as a list"),
        ("a b".into(), "as a list"),
        ("a;b".into(), "as a list"),
        ("a\r\nflush_all".into(), "as a list"),
        (
            ("a\r\nflush_all", 1).into(),
            "a character that no host name",
        ),
        ("h@st".into(), "a character that no host name"),
        ("run/memcached.sock".into(), "a character that no host name"),
        ("unix:memcached.sock".into(), "must begin with /"),
        (format!("/{}", "s".repeat(103)).into(), "103 bytes"),
        ("tcp://10.0.0.1:11211".into(), "no scheme is allowed"),
        ("::1".into(), "IPv6 as [::1]:11211"),
        ("::1:11211".into(), "IPv6 as [::1]:11211"),
        ("host:11211:0".into(), "weight 0"),
        (("host", 11211, 0).into(), "weight 0"),
        ("host:11211:x".into(), "more than one colon"),
        ("host:11211:5:5".into(), "more than one colon"),
        ("[x:y%z]:1".into(), "not an IPv6 address"),
        ("[::1".into(), "'[' without ']'"),
        ("[::1]11211".into(), "after ']'"),
        (("a:b", 1).into(), "not an IPv6 address"),
        ("a:11211,b:11211".into(), "as a list"),
    ];
    for (server, reason) in rows {
        let error = server.address().unwrap_err().to_string();
        assert!(error.contains(reason), "{server:?}: {error}");
        assert!(error.starts_with("servers: "), "{error}");
    }
}

#[test]
fn weights() {
    let rows: [(Server, &str, u32); 6] = [
        ("host:1".into(), "host:1", 1),
        ("host:1:5".into(), "host:1", 5),
        (("host", 1, 5).into(), "host:1", 5),
        ("[::1]:1:4294967295".into(), "[::1]:1", u32::MAX),
        (Server::from("host").weight(2), "host:11211", 2),
        (Server::from("/run/a:1:5"), "/run/a:1:5", 1),
    ];
    for (server, display, weight) in rows {
        assert!(server.address().is_ok(), "{server:?}");
        assert_eq!(server.to_string(), display);
        assert_eq!(server.on_the_ring(), (weight, None), "{server}");
    }
}

#[test]
fn a_password_is_not_shown() {
    for text in ["user:hunter2@host:1", "memcache://user:hunter2@host:1"] {
        let server = Server::from(text);
        for shown in [
            format!("{server} {server:?}"),
            server.address().unwrap_err().to_string(),
        ] {
            assert!(
                shown.contains("...@host:1") && !shown.contains("hunter2"),
                "{shown}"
            );
        }
    }
}

#[test]
fn same_servers() {
    let rows = [
        ("host:11211", "host", true),
        ("HOST:1", "host:1", true),
        ("host:1", "host:2", false),
        ("[::1]:1", "[0:0::1]:1", true),
        ("127.0.0.1", "localhost", false),
    ];
    for (one, other, same) in rows {
        let [one, other] = [one, other].map(|text| Server::from(text).address().unwrap());
        assert_eq!(one.is_same_server(&other), same, "{one} {other}");
    }
}
