use super::{names, reason};
use moecache::{Config, KeyBytes, PrefixPlacement, Protocol, Server};
use std::path::Path;
use std::time::Duration;

fn read(string: &str) -> (Config, Vec<String>) {
    let (config, notes) = Config::from_libmemcached(string).unwrap();
    (config, notes.iter().map(ToString::to_string).collect())
}

#[test]
fn servers() {
    let rows: [(&str, Vec<Server>); 10] = [
        ("--SERVER=10.0.0.1", vec!["10.0.0.1".into()]),
        (
            "--server=Cache-A.example.com:1",
            vec!["Cache-A.example.com:1".into()],
        ),
        (
            "  --SERVER=a:11211\n\t--SERVER=[::1]:11212 ",
            vec!["a".into(), ("::1", 11212).into()],
        ),
        (
            "--DISTRIBUTION=CONSISTENT --SERVER=a/?5 --SERVER=b:1/?1",
            vec!["a:11211:5".into(), "b:1".into()],
        ),
        (
            r#"--DISTRIBUTION=CONSISTENT --SOCKET="/run/a b.sock" --SOCKET="/run/c.sock"/?5"#,
            vec![
                "/run/a b.sock".into(),
                Server::from("/run/c.sock").weight(5),
            ],
        ),
        (
            "--DISTRIBUTION=CONSISTENT --SERVER=a/?0 --SERVER=b/?2",
            vec!["a".into(), "b:11211:2".into()],
        ),
        // As its parser has it, despite its manual.
        (
            r#"--SOCKET="/run/a/?5""#,
            vec![Path::new("/run/a/?5").into()],
        ),
        (
            r#"--SOCKET="/run/a:0:5""#,
            vec![Path::new("/run/a:0:5").into()],
        ),
        ("--SERVER=a RESET --SERVER=b", vec!["b".into()]),
        ("--SERVER=a END --NONSENSE", vec!["a".into()]),
    ];
    for (string, expected) in rows {
        let (config, notes) = read(string);
        assert_eq!(config.servers, expected, "{string}");
        assert_eq!(notes, Vec::<String>::new(), "{string}");
    }
}

#[test]
fn what_takes_effect() {
    let (config, notes) = read(
        "--SERVER=a --BINARY-PROTOCOL --CONNECT-TIMEOUT=250 --POLL-TIMEOUT=500 --POOL-MAX=10 \
         --TCP-NODELAY --SUPPORT-CAS --RETRY-TIMEOUT=0",
    );
    assert_eq!(config.protocol, Some(Protocol::Binary));
    assert_eq!((config.key_bytes, config.prefix), (None, None));
    assert_eq!(config.connect_timeout, Some(Duration::from_millis(250)));
    assert_eq!(config.timeout, Some(Duration::from_millis(500)));
    assert_eq!(config.max_connections, Some(10));
    assert_eq!(config.tcp_nodelay, Some(true));
    assert_eq!(notes, Vec::<String>::new());
}

#[test]
fn keys() {
    let rows = [
        ("--VERIFY-KEY", Some(KeyBytes::Printable), None, None),
        ("--VERIFY-KEY --BINARY-PROTOCOL", None, None, None),
        ("--NAMESPACE=apps", None, Some("apps"), None),
        (
            r#"--HASH-WITH-NAMESPACE --namespace="App:""#,
            None,
            Some("App:"),
            Some(PrefixPlacement::Hashed),
        ),
        (r#"--NAMESPACE="a\"b""#, None, Some(r#"a\"b"#), None),
    ];
    for (string, bytes, prefix, placement) in rows {
        let (config, notes) = read(string);
        assert_eq!(config.key_bytes, bytes, "{string}");
        assert_eq!(
            config.prefix.as_deref(),
            prefix.map(str::as_bytes),
            "{string}"
        );
        assert_eq!(config.prefix_placement, placement, "{string}");
        assert_eq!(notes, Vec::<String>::new(), "{string}");
    }
}

/// The scheme that a string stands for. That it places as libmemcached does is in `recorded`.
#[test]
fn schemes() {
    let rows = [
        ("--SERVER=a", "modula/default"),
        ("--SERVER=a --HASH=MD5", "modula/md5"),
        ("--SERVER=a --SORT-HOSTS", "modula_sort_hosts/default"),
        ("--DISTRIBUTION=MODULA,MD5", "modula/default"),
        (
            "--HASH=jenkins --DISTRIBUTION=consistent",
            "consistent/jenkins",
        ),
        (
            "--DISTRIBUTION=consistent --HASH=crc",
            "consistent_hash_later/crc",
        ),
        (
            "--DISTRIBUTION=consistent --HASH=crc --SERVER=a",
            "consistent/crc",
        ),
        (
            "--DISTRIBUTION=consistent --HASH=crc --POOL-MIN=1",
            "consistent/crc",
        ),
        (
            "--DISTRIBUTION=consistent --SERVER=a/?2",
            "ketama_weighted/default",
        ),
        (
            "--DISTRIBUTION=consistent --SERVER=a/?2 --HASH=crc",
            "ketama_weighted/crc",
        ),
        (
            "--SERVER=a/?2 --DISTRIBUTION=consistent",
            "consistent/default",
        ),
        (
            "--SERVER=a/?2 --DISTRIBUTION=consistent --POOL-MAX=2",
            "ketama_weighted/default",
        ),
        (
            "--HASH=crc --DISTRIBUTION=consistent RESET --SERVER=a",
            "modula/default",
        ),
    ];
    for (string, expected) in rows {
        let (config, _) = read(string);
        let scheme = config.compatible_with.unwrap().to_string();
        assert_eq!(scheme, format!("libmemcached:{expected}"), "{string}");
    }
}

#[test]
fn what_has_no_effect_is_noted() {
    let numbers = [
        "--RETRY-TIMEOUT",
        "--SND-TIMEOUT",
        "--RCV-TIMEOUT",
        "--NUMBER-OF-REPLICAS",
        "--REMOVE-FAILED-SERVERS",
        "--IO-MSG-WATERMARK",
        "--IO-BYTES-WATERMARK",
        "--IO-KEY-PREFETCH",
        "--SOCKET-SEND-SIZE",
        "--SOCKET-RECV-SIZE",
        "--POOL-MIN",
    ];
    for option in numbers {
        let (_, notes) = Config::from_libmemcached(&format!("{option}=7")).unwrap();
        assert_eq!(names(&notes), [option]);
        assert_eq!(notes[0].value, "7", "{option}");
    }
    let switches = [
        "--TCP-KEEPALIVE",
        "--TCP-KEEPIDLE",
        "--BUFFER-REQUESTS",
        "--NOREPLY",
        "--USE-UDP",
        "--RANDOMIZE-REPLICA-READ",
        "--USER-DATA",
        "--FETCH-VERSION",
        "DEBUG",
    ];
    for option in switches {
        let (_, notes) = Config::from_libmemcached(option).unwrap();
        assert_eq!(names(&notes), [option]);
        assert_eq!(notes[0].value, "", "{option}");
    }
    let (_, notes) = read("--DISTRIBUTION=consistent,MD5");
    assert_eq!(
        notes,
        [
            "--DISTRIBUTION=consistent,MD5 has no effect: libmemcached never uses the hash of the points: \
          they are hashed as keys are, or by MD5 if weighted"
        ]
    );
    for string in ["--SERVER=a/?5", "--SERVER=a/?5 --DISTRIBUTION=consistent"] {
        let (config, notes) = read(string);
        assert_eq!(config.servers, [Server::from("a")], "{string}");
        assert_eq!(
            notes,
            [
                "weight has no effect: libmemcached counts weights only with a consistent \
              distribution, and only those of servers that come after it"
            ]
        );
    }
}

/// A string, and how the error begins.
const ERRORS: &[(&str, &str)] = &[
    (
        "--NONSENSE",
        "configuration: there is no option \"--NONSENSE\"; allowed are --SERVER=, --SOCKET=, --BINARY-PROTOCOL",
    ),
    (
        "nonsense",
        "configuration: there is no option \"NONSENSE\"; allowed are",
    ),
    (
        "--SERVER",
        "configuration: there is no option \"--SERVER\"; allowed are --SERVER=",
    ),
    ("--HASH", "--HASH: it needs a value: --HASH=.."),
    ("--NOREPLY=1", "--NOREPLY: it takes no value"),
    (
        "--HASH=sha1",
        "--HASH: \"sha1\" is not a hash that it knows; allowed are md5, crc",
    ),
    (
        "--HASH=default",
        "--HASH: \"default\" is not a hash that it knows; allowed are md5, crc",
    ),
    ("--HASH=md5 --HASH=crc", "--HASH: it can only be set once"),
    (
        "--HASH=md5 RESET --hash=crc",
        "--HASH: it can only be set once",
    ),
    (
        "--DISTRIBUTION=ketama",
        "--DISTRIBUTION: \"ketama\" is not known; allowed are modula, consistent, random",
    ),
    (
        "--DISTRIBUTION=consistent,sha1",
        "--DISTRIBUTION: \"sha1\" is not a hash that it knows",
    ),
    (
        "--SERVER=a --DISTRIBUTION=random",
        "distribution: random finds no key again; allowed are modula and consistent",
    ),
    (
        "--CONNECT-TIMEOUT=-1",
        "--CONNECT-TIMEOUT: \"-1\" is not a number from 0 on",
    ),
    (
        "--CONNECT-TIMEOUT=",
        "--CONNECT-TIMEOUT: \"\" is not a number from 0 on",
    ),
    (
        "--CONNECT-TIMEOUT=99999999999999999999",
        "--CONNECT-TIMEOUT: \"99999999999999999999\" is not a number from 0 on",
    ),
    (
        "--POLL-TIMEOUT=0",
        "--POLL-TIMEOUT: 0 leaves no time; 1 and more milliseconds are allowed",
    ),
    (
        "--RETRY-TIMEOUT=2s",
        "--RETRY-TIMEOUT: \"2s\" is not a number from 0 on",
    ),
    (
        "--SERVER=a:0",
        "servers: \"a:0\": port 0; 1 to 65535 are allowed",
    ),
    ("--SERVER=a,b", "servers: \"a,b\": this is one server"),
    ("--SERVER=", "servers: \"\": the host is empty"),
    (
        "--SERVER=a/?five",
        "--SERVER: what follows /? must be a weight, a number",
    ),
    ("--SERVER=me:secret@a", "servers: \"...@a\": "),
    (
        "--SOCKET=\"\"",
        "servers: \"\": the path of a unix socket must begin with /",
    ),
    ("--NAMESPACE=\"\"", "--NAMESPACE: it is empty"),
    (
        "--NAMESPACE=apps --NAMESPACE=apps",
        "--NAMESPACE: it can only be set once",
    ),
    (
        "--SOCKET=\"a.sock\"",
        "servers: \"a.sock\": the path of a unix socket must begin with /",
    ),
    (
        "--SOCKET=\"/run/a.sock",
        "configuration: a quote is not closed",
    ),
    (
        "--SOCKET=\"/run/a.sock\\\"",
        "configuration: a quote is not closed",
    ),
    (
        "--CONFIGURE-FILE=\"/etc/shadow\"",
        "--CONFIGURE-FILE: a text must not make a program read files",
    ),
    (
        "INCLUDE \"/etc/shadow\"",
        "INCLUDE: a text must not make a program read files",
    ),
    ("ERROR", "ERROR: the string calls itself an error"),
    ("CSL_ERROR", "CSL_ERROR: the string calls itself an error"),
];

#[test]
fn errors() {
    for (string, expected) in ERRORS {
        let error = reason(Config::from_libmemcached(string));
        assert!(error.starts_with(expected), "{string}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
