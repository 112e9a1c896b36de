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
        "unix:///run/memcached.sock".into(),
        "unix:////run/memcached.sock".into(),
        "UNIX:///run/memcached.sock".into(),
        " unix:///run/memcached.sock\n".into(),
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
    let rows: [(Server, &str); 43] = [
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
        ("run/memcached.sock".into(), "must begin with /"),
        ("./memcached.sock".into(), "must begin with /"),
        ("unix:memcached.sock".into(), "must begin with /"),
        ("unix:run/memcached.sock".into(), "must begin with /"),
        ("unix://run/memcached.sock".into(), "must begin with /"),
        ("unix:".into(), "must begin with /"),
        ("unix://".into(), "must begin with /"),
        ("/run/a.sock,/run/b.sock".into(), "as a list"),
        ("10.0.0.1:1,/run/b.sock".into(), "as a list"),
        ("10.0.0.1:11211/?5".into(), "host:port:weight"),
        (format!("/{}", "s".repeat(103)).into(), "103 bytes"),
        ("tcp://10.0.0.1:11211".into(), "no scheme is allowed"),
        ("memcache://10.0.0.1".into(), "parse::<Config>()"),
        ("Memcached://10.0.0.1".into(), "parse::<Config>()"),
        ("memcache+tls://10.0.0.1".into(), "parse::<Config>()"),
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
    let rows: [(Server, &str, u32); 7] = [
        ("host:1".into(), "host:1", 1),
        ("host:1:5".into(), "host:1", 5),
        (("host", 1, 5).into(), "host:1", 5),
        ("[::1]:1:4294967295".into(), "[::1]:1", u32::MAX),
        (Server::from("host").weight(2), "host:11211", 2),
        ("unix:1:5".into(), "unix:1", 5),
        (Path::new("/run/a:1:5").into(), "/run/a:1:5", 1),
    ];
    for (server, display, weight) in rows {
        assert!(server.address().is_ok(), "{server:?}");
        assert_eq!(server.to_string(), display);
        assert_eq!(server.on_the_ring(), (weight, None), "{server}");
    }
}

/// Behind the path of a unix socket, as each library reads it.
#[test]
fn behind_a_path() {
    use Library::{Dalli, Libmemcached, PhpMemcached, Pylibmc, Twemproxy};

    let weighted: [(&str, &[Library], u32); 7] = [
        ("/run/a.sock", &Library::ALL, 1),
        ("/run/memcached-1.5", &Library::ALL, 1),
        ("/run/a:b.sock", &Library::ALL, 1),
        ("/run/a.sock:5", &[Dalli, Twemproxy], 5),
        ("/run/a.sock:0:5", &[Libmemcached, Pylibmc, PhpMemcached], 5),
        (
            "unix:///run/a.sock:0:5",
            &[Libmemcached, Pylibmc, PhpMemcached],
            5,
        ),
        ("/run/a.sock/?5", &[Libmemcached], 5),
    ];
    for (text, libraries, weight) in weighted {
        let server = Server::from(text);
        assert_eq!(server.to_string(), text.trim_start_matches("unix://"));
        for library in Library::ALL {
            let read = server.as_read_by(Some(library));
            if libraries.contains(&library) {
                let read = read.unwrap();
                assert_eq!(read.on_the_ring(), (weight, None), "{library} {text}");
                let (path, _) = split_path(text.trim_start_matches("unix://"));
                assert_eq!(read.address(), Ok(Address::Unix(path.to_owned())));
            } else {
                let error = read.unwrap_err().to_string();
                assert!(error.contains("unix socket"), "{library} {text}: {error}");
            }
        }
    }
    for text in [
        "/run/a.sock:",
        "/run/a.sock:0:5:5",
        "/run/a.sock:-1",
        "/run/a.sock:+5",
        "/run/a.sock:0:",
        "/run/a.sock:99999999999",
        "/run/a.sock:1.5",
    ] {
        for library in Library::ALL.map(Some).into_iter().chain([None]) {
            let error = Server::from(text).as_read_by(library).unwrap_err();
            assert!(error.to_string().contains("unix socket"), "{text}: {error}");
        }
    }
    // libmemcached's port, and dalli's weight.
    let port = Server::from("/run/a.sock:0").as_read_by(Some(Libmemcached));
    assert_eq!(port.unwrap().on_the_ring(), (1, None));
    let zero = Server::from("/run/a.sock:0").as_read_by(Some(Dalli));
    let zero = zero.unwrap().address().unwrap_err().to_string();
    assert!(zero.contains("weight 0"), "{zero}");
    let heavier = Server::from("/run/a.sock:5").weight(7);
    let heavier = heavier.as_read_by(Some(Dalli)).unwrap();
    assert_eq!(heavier.on_the_ring(), (7, None));
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
        ("/run/a.sock", "unix:///run/a.sock", true),
        ("/run/a.sock", "//run/./a.sock", true),
        ("/run/a.sock", "/run/../run/a.sock", false),
        ("/run/a.sock", "/run/b.sock", false),
    ];
    for (one, other, same) in rows {
        let [one, other] = [one, other].map(|text| Server::from(text).address().unwrap());
        assert_eq!(one.is_same_server(&other), same, "{one} {other}");
    }
}
