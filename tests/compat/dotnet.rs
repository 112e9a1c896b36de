//! What the guide says of .NET's types, and of frameworks that put a prefix before keys: the rows of its
//! tables are held to what is stored.

use crate::support;

use moecache::value::DateTime;
use moecache::{Client, Config, Item, Library, Protocol};
use std::collections::BTreeMap;
use std::process::Command;
use std::time::SystemTime;
use support::Memcached;

const GUIDE: &str = include_str!("../../src/guide/joining.md");

fn enyim(server: &Memcached) -> Client {
    let builder = Client::builder().servers(server.address());
    builder.compatible_with(Library::Enyim).build().unwrap()
}

/// The flags of each Rust type, by the table.
fn table() -> BTreeMap<&'static str, u32> {
    let start = GUIDE.find("| C# | Rust | flags |").unwrap();
    let rows = GUIDE[start..].lines().skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let mut table = BTreeMap::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let names = cells[2].split('`').skip(1).step_by(2);
        let flags = cells[3].split(", ").filter_map(|flags| flags.parse().ok());
        let flags: Vec<u32> = flags.collect();
        for (place, name) in names.enumerate() {
            if let Some(&flags) = flags.get(place).or(flags.last()) {
                table.insert(name, flags);
            }
        }
    }
    table
}

#[test]
fn each_type_is_stored_as_the_table_says() {
    let server = Memcached::start();
    let client = enyim(&server);
    let mut table = table();
    let flags = |key: &str| client.get::<Item>(key).unwrap().unwrap().flags;
    macro_rules! rows {
        ($($name:literal $value:expr,)*) => {$(
            client.set("key", $value, 0).unwrap();
            let expected = table.remove($name);
            assert_eq!(Some(flags("key")), expected, $name);
        )*};
    }
    rows! {
        "String" String::from("text"),
        "&str" "text",
        "bool" true,
        "char" 'é',
        "i8" -1_i8,
        "u8" 1_u8,
        "i16" -1_i16,
        "u16" 1_u16,
        "i32" -1_i32,
        "u32" 1_u32,
        "i64" -1_i64,
        "u64" 1_u64,
        "usize" 1_usize,
        "f32" 1.5_f32,
        "f64" 1.5_f64,
        "value::DateTime" DateTime(638_000_000_000_000_000),
    }
    client.set("key", None::<i32>, 0).unwrap();
    assert_eq!(table.remove("None"), Some(flags("key")));
    assert_eq!(client.get::<Option<i32>>("key").unwrap(), Some(None));
    client.set("key", Some(7), 0).unwrap();
    assert_eq!(flags("key"), 265);
    client.set_bytes("key", b"\x00\x01", 0).unwrap();
    assert_eq!(table.remove("set_bytes"), Some(flags("key")));
    // Those that were tried above as something else.
    for name in ["Option<i32>", "null", "get_bytes"] {
        table.remove(name);
    }
    assert_eq!(table, BTreeMap::new(), "rows that are not tried");
}

/// What the guide says that Rust must not store for .NET, is under flags that .NET has no type for, or
/// text that it cannot tell from text.
#[test]
fn what_dot_net_cannot_read() {
    let server = Memcached::start();
    let client = enyim(&server);
    let is_of_dot_net = |key: &str| {
        let flags = client.get::<Item>(key).unwrap().unwrap().flags;
        table().values().any(|known| *known == flags)
    };
    client.set("list", vec![1, 2], 0).unwrap();
    client.set("map", BTreeMap::from([("a", 1)]), 0).unwrap();
    client.set("wide", 1_i128, 0).unwrap();
    client.set("time", SystemTime::UNIX_EPOCH, 0).unwrap();
    client.set("char", '\u{1f600}', 0).unwrap();
    for key in ["list", "map", "wide", "time", "char"] {
        assert!(!is_of_dot_net(key), "{key}");
    }
    for (text, flags) in [("decimal", 271), ("object", 257)] {
        let item = Item::new(flags, vec![0, 1, 0, 0]);
        client.set(text, &item, 0).unwrap();
        assert!(
            client.get::<String>(text).unwrap_err().is_decode(),
            "{text}"
        );
    }
}

/// A counter that .NET began as text, with the flags of a string.
#[test]
fn a_counter_that_began_as_text() {
    let server = Memcached::start();
    let client = enyim(&server);
    client.set("n", "10", 0).unwrap();
    assert_eq!(client.incr("n", 5).unwrap(), Some(15));
    assert_eq!(client.get::<Item>("n").unwrap().unwrap().flags, 274);
}

/// The keys of Enyim's binary protocol, which are UTF-8.
#[test]
fn keys_that_are_not_ascii() {
    let server = Memcached::start();
    let builder = || {
        Client::builder()
            .servers(server.address())
            .compatible_with(Library::Enyim)
    };
    let key = "ключ";
    let binary = builder()
        .protocol(Protocol::Binary)
        .key_bytes(moecache::KeyBytes::Any);
    binary.build().unwrap().set(key, "value", 0).unwrap();
    let text = builder()
        .key_bytes(moecache::KeyBytes::NonAscii)
        .build()
        .unwrap();
    assert_eq!(text.get::<String>(key).unwrap().as_deref(), Some("value"));
    assert!(
        enyim(&server)
            .get::<String>(key)
            .unwrap_err()
            .is_validation()
    );
}

/// Host names and IPv6 addresses need `compatible_with`: the default hashes what was typed.
#[test]
fn the_default_is_enyims_ring_for_ipv4_addresses_only() {
    let placed = |servers: [&str; 3], peer: Library| {
        let client = Client::builder()
            .servers(servers)
            .compatible_with(peer)
            .build()
            .unwrap();
        let places = move |key: String| {
            let server = client.server_for(&key).unwrap();
            client.servers().iter().position(|it| *it == server)
        };
        (0..400)
            .map(|number| places(format!("key:{number}")))
            .collect::<Vec<_>>()
    };
    let v4 = ["10.0.0.1", "10.0.0.2", "10.0.0.3:11212"];
    assert_eq!(placed(v4, Library::Moecache), placed(v4, Library::Enyim));
    let v6 = ["[::1]:5001", "[::1]:5002", "[::1]:5003"];
    assert_ne!(placed(v6, Library::Moecache), placed(v6, Library::Enyim));
}

/// Items as ActiveSupport 6.1.7 with dalli 3.0.6, and Symfony's cache 5.4.53, stored them.
#[test]
fn keys_and_values_of_frameworks() {
    let server = Memcached::start();
    let plain = Client::builder()
        .servers(server.address())
        .compatible_with(Library::Libmemcached);
    let plain = plain.build().unwrap();
    for (key, data) in [
        ("ns:key", "text"),
        ("ns:a%20b%25%C3%BC", "x"),
        ("ns:users/7", "7"),
        (":app:", "s:6:\"XBoOa:\";"),
        ("app:XBoOa:key", "s:4:\"text\";"),
    ] {
        plain.set(key, &Item::new(0, data), 0).unwrap();
    }
    let address = server.address();
    #[cfg(feature = "sha1")]
    {
        let url = format!("memcache://{address}?compatible_with=dalli&format=dalli:raw&prefix=ns:");
        let rails = url.parse::<Config>().unwrap().client().unwrap();
        for (key, value) in [("key", "text"), ("a%20b%25%C3%BC", "x"), ("users/7", "7")] {
            assert_eq!(
                rails.get::<String>(key).unwrap().as_deref(),
                Some(value),
                "{key}"
            );
        }
    }
    let url = format!("memcache://{address}?compatible_with=php-memcached:libketama_compatible");
    let symfony = url.parse::<Config>().unwrap().client().unwrap();
    let version: String = symfony.get(":app:").unwrap().unwrap();
    let key = format!("app:{}key", version.split('"').nth(1).unwrap());
    let value: Option<String> = symfony.get(key).unwrap();
    assert_eq!(value.as_deref(), Some("s:4:\"text\";"));
}

/// The recipes for Django, with Django: each side reads what the other stored, on three servers.
#[test]
fn django() {
    const PROGRAM: &str = r#"
import sys
backend, location, action = sys.argv[1], sys.argv[2].split(","), sys.argv[3]
try:
    from django.conf import settings
    __import__("pymemcache" if "PyMemcache" in backend else "pylibmc")
except ImportError as error:
    print(error)
    sys.exit(77)
settings.configure(CACHES={"default": {
    "BACKEND": "django.core.cache.backends.memcached." + backend, "LOCATION": location}})
from django.core.cache import cache
for number in range(100):
    if action == "store":
        cache.set("text:%d" % number, "text %d" % number)
        cache.set("number:%d" % number, number)
    else:
        assert cache.get("ours:%d" % number) == "ours %d" % number, number
        assert cache.get("count:%d" % number) == number, number
"#;
    let servers = [(); 3].map(|()| Memcached::start());
    let list = servers
        .each_ref()
        .map(|server| server.address().to_string())
        .join(",");
    for backend in ["PyMemcacheCache", "PyLibMCCache"] {
        // The recipe of the guide, which has other servers.
        let row = GUIDE
            .lines()
            .find(|line| line.starts_with(&format!("| `{backend}` |")));
        let url = row.unwrap().split('`').nth(3).unwrap();
        let url = url.replace("10.0.0.1,10.0.0.2", &list);
        let run = |action: &str| {
            let mut python = Command::new("python3");
            python
                .args(["-c", PROGRAM, backend, &list, action])
                .output()
        };
        let output = match run("store") {
            Ok(output) if output.status.code() != Some(77) => output,
            Ok(output) => {
                let reason = String::from_utf8_lossy(&output.stdout).into_owned();
                println!("skipped: {backend}: {reason}");
                continue;
            }
            Err(error) => {
                println!("skipped: {backend}: python3: {error}");
                continue;
            }
        };
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let client = url.parse::<Config>().unwrap().client().unwrap();
        for number in 0..100_i64 {
            let text = client.get::<String>(format!("text:{number}")).unwrap();
            assert_eq!(text, Some(format!("text {number}")), "{backend}");
            let integer = client.get::<i64>(format!("number:{number}")).unwrap();
            assert_eq!(integer, Some(number), "{backend}");
            client
                .set(format!("ours:{number}"), format!("ours {number}"), 0)
                .unwrap();
            client.set(format!("count:{number}"), number, 0).unwrap();
        }
        let output = run("read").unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        client
            .flush_all(0)
            .into_iter()
            .for_each(|it| it.result.unwrap());
    }
}
