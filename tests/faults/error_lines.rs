//! An error line within the reply to a `get` line says nothing about the other keys of the line. More may
//! follow, up to `END`, or nothing: both are told apart, no key that is there is a miss, and what comes
//! behind in a pipeline gets its own reply.
//!
//! The servers: one of a script, which ends such a reply in each of the ways that servers do; memcached's
//! own proxy, where the memcached at hand has it; and twemproxy, where it is installed.

use super::pretender::value_of;
use super::row::{client, eventually};
use super::support::memcached::has_option;
use super::support::{Memcached, reserve, skipped, wait_until};
use moecache::{Client, Error, Protocol, Result};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// How a server answers a line of gets, one of whose keys it cannot reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// An error in place of the value, and `END` after several keys: memcached's own proxy.
    InPlace,
    /// The same, with `END` after one key, too.
    InPlaceWithEnd,
    /// One error in place of everything: memcached, twemproxy, mcrouter.
    Alone,
    /// The same, and then the connection is closed: twemproxy, after several keys.
    AloneAndClosed,
}

/// When the parts of a reply come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    AtOnce,
    /// `END` comes later than the rest.
    LateEnd,
    /// Each of the first lines, and `END`, comes later than the one before it.
    LateLines,
}

const WAYS: [Way; 4] = [
    Way::InPlace,
    Way::InPlaceWithEnd,
    Way::Alone,
    Way::AloneAndClosed,
];

const PACES: [Pace; 3] = [Pace::AtOnce, Pace::LateEnd, Pace::LateLines];

/// Long enough that the client waits for it, whatever else the machine does.
const LATER: Duration = Duration::from_millis(20);

/// A server that has all keys, but those that begin with `none`, and cannot reach those that begin with
/// `bad`. Its threads end with their connections.
fn start(way: Way, pace: Pace) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            stream.set_nodelay(true).unwrap();
            thread::spawn(move || serve(stream, way, pace));
        }
    });
    address
}

const ERROR: &str = "SERVER_ERROR backend failure\r\n";

fn serve(mut stream: TcpStream, way: Way, pace: Pace) {
    let mut input = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    while input.read_line(&mut line).unwrap_or(0) > 0 {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_bad = |key: &str| key.starts_with("bad");
        let (mut reply, mut is_last) = (String::new(), false);
        match words[..] {
            ["get" | "gets", ref keys @ ..] | ["gat" | "gats", _, ref keys @ ..] => {
                let cas = if words[0].ends_with('s') { " 1" } else { "" };
                let has_error = keys.iter().any(|key| is_bad(key));
                let is_alone = matches!(way, Way::Alone | Way::AloneAndClosed);
                for key in keys {
                    if is_bad(key) {
                        reply += ERROR;
                    } else if !key.starts_with("none") {
                        let (value, length) = (value_of(key), value_of(key).len());
                        write!(reply, "VALUE {key} 0 {length}{cas}\r\n{value}\r\n").unwrap();
                    }
                }
                if has_error && is_alone {
                    ERROR.clone_into(&mut reply);
                    is_last = way == Way::AloneAndClosed && keys.len() > 1;
                } else if !has_error || keys.len() > 1 || way == Way::InPlaceWithEnd {
                    reply += "END\r\n";
                }
            }
            ["set", key, _, _, length] | ["ms", key, length, ..] => {
                let mut value = vec![0; length.parse::<usize>().unwrap() + 2];
                input.read_exact(&mut value).unwrap();
                reply = if is_bad(key) {
                    ERROR.to_owned()
                } else if words[0] == "ms" {
                    opaque(&words).map_or_else(String::new, |it| format!("HD {it}\r\n"))
                } else {
                    "STORED\r\n".to_owned()
                };
            }
            ["incr", ..] => "1\r\n".clone_into(&mut reply),
            ["mg", key, ..] if is_bad(key) => ERROR.clone_into(&mut reply),
            ["mg", key, ..] => {
                let (value, opaque) = (value_of(key), opaque(&words).unwrap());
                let cas = if words.contains(&"c") { " c1" } else { "" };
                let length = value.len();
                reply = format!("VA {length} f0{cas} {opaque}\r\n{value}\r\n");
            }
            ["ma", ..] => reply = format!("VA 1 {}\r\n1\r\n", opaque(&words).unwrap()),
            ["mn"] => "MN\r\n".clone_into(&mut reply),
            ["version"] => "VERSION 1.6.45\r\n".clone_into(&mut reply),
            _ => "ERROR\r\n".clone_into(&mut reply),
        }
        let pieces: Vec<&str> = match (pace, reply.strip_suffix("END\r\n")) {
            (Pace::LateEnd, Some(rest)) => vec![rest, "END\r\n"],
            (Pace::LateLines, _) if reply.contains(ERROR) => {
                reply.split_inclusive("\r\n").collect()
            }
            _ => vec![&reply],
        };
        let has_error = reply.contains(ERROR);
        for (number, piece) in pieces.into_iter().enumerate() {
            if has_error && (1..8).contains(&number) || piece.starts_with("END") && number > 0 {
                thread::sleep(LATER);
            }
            if stream.write_all(piece.as_bytes()).is_err() {
                return;
            }
        }
        if is_last {
            return;
        }
        line.clear();
    }
}

fn opaque<'w>(words: &[&'w str]) -> Option<&'w str> {
    let opaque = words.iter().find(|word| word.starts_with('O'));
    opaque.copied()
}

/// What came of a key: its value, a miss, or an error.
type Got = Result<Option<String>>;

fn is_of_server(got: &Got) -> bool {
    got.as_ref().is_err_and(Error::is_server)
}

/// Each key its own: the value, an error; a miss only where there is nothing. `is_exact` if a value has to
/// come wherever there is one.
fn check(row: &str, key: &str, got: &Got, is_exact: bool) {
    match got {
        Ok(Some(value)) => assert_eq!(*value, value_of(key), "{row}: {key}"),
        Ok(None) => assert!(key.starts_with("none"), "{row}: {key} is a miss"),
        Err(error) => {
            let is_it = error.is_server() || !is_exact;
            assert!(is_it && !error.is_timeout(), "{row}: {key}: {error:?}");
            let may_fail = !is_exact || key.starts_with("bad") || key.starts_with("none");
            assert!(may_fail, "{row}: {key}: {error:?}");
        }
    }
    let is_there = !key.starts_with("bad");
    assert!(is_there || got.is_err(), "{row}: {key}: {got:?}");
}

/// So many keys, with these at their places.
fn keys(count: usize, others: &[(usize, &str)]) -> Vec<String> {
    let mut keys: Vec<String> = (0..count).map(|number| format!("key{number}")).collect();
    for (at, key) in others {
        keys[*at] = format!("{key}/{at}");
    }
    keys
}

/// Lines of gets, with errors at every place of them.
fn lines() -> Vec<Vec<String>> {
    vec![
        keys(3, &[(0, "bad")]),
        keys(3, &[(1, "bad")]),
        keys(3, &[(2, "bad")]),
        keys(3, &[(0, "bad"), (1, "bad")]),
        keys(3, &[(0, "bad"), (1, "bad"), (2, "bad")]),
        keys(3, &[(0, "bad"), (1, "none")]),
        keys(3, &[(0, "none"), (2, "bad")]),
        keys(3, &[(0, "bad"), (1, "none"), (2, "none")]),
        keys(2, &[(0, "bad"), (1, "none")]),
        // Two lines, and three.
        keys(200, &[(99, "bad")]),
        keys(200, &[(0, "bad")]),
        keys(200, &[(100, "bad")]),
        keys(250, &[(0, "bad"), (100, "bad"), (249, "bad")]),
        keys(101, &[(100, "bad")]),
        keys(101, &[(99, "bad"), (100, "none")]),
    ]
}

/// Every multi-get, of every form.
fn multi_gets(client: &Client, keys: &[String]) -> Vec<(&'static str, Vec<Got>)> {
    let each = client.get_each::<String, _>(keys);
    let each = each.into_iter().map(|(_, got)| got).collect();
    let mut many = client.get_many::<String, _>(keys);
    let mut of_many = |key: &String| -> Got {
        let failed = many.failed.iter().find(|(it, _)| *it == key);
        match failed {
            Some((_, error)) => Err(error.clone()),
            None => Ok(many.found.remove(key)),
        }
    };
    let many = keys.iter().map(&mut of_many).collect();
    let mut with: Vec<Got> = keys.iter().map(|_| Ok(None)).collect();
    let failed = client.get_many_with(keys, |index, item| {
        let data = item.data.to_vec();
        with[index] = Ok(Some(String::from_utf8(data).unwrap()));
    });
    for (key, error) in failed {
        let at = keys.iter().position(|it| it == key).unwrap();
        assert!(with[at].as_ref().is_ok_and(Option::is_none), "{key} twice");
        with[at] = Err(error);
    }
    let mut pipeline = client.pipeline();
    let pending: Vec<_> = keys.iter().map(|key| pipeline.get::<String>(key)).collect();
    let mut replies = pipeline.run();
    let piped = pending.into_iter().map(|it| replies.take(it)).collect();
    vec![
        ("get_each", each),
        ("get_many", many),
        ("get_many_with", with),
        ("pipeline", piped),
    ]
}

/// In each protocol that has such lines, on a server of each kind, all at the same time.
fn in_every_way(run: impl Fn(&str, Way, &Client) + Sync) {
    thread::scope(|scope| {
        for way in WAYS {
            for pace in PACES {
                for protocol in [Protocol::Text, Protocol::Meta] {
                    let run = &run;
                    let row = format!("{way:?}, {pace:?}, {protocol}");
                    let thread = thread::Builder::new().name(row.clone());
                    let run = move || run(&row, way, &client(start(way, pace), protocol));
                    thread.spawn_scoped(scope, run).unwrap();
                }
            }
        }
    });
}

#[test]
fn each_key_of_a_line_with_an_error_has_its_own_answer() {
    in_every_way(|row, way, client| {
        for keys in lines() {
            for (call, results) in multi_gets(client, &keys) {
                let row = format!("{row}, {call} of {keys:?}");
                for (key, got) in keys.iter().zip(&results) {
                    // Those that answer for the whole line have no values. And two errors that come one
                    // after the other may be all that comes: the second may be about the fence.
                    let has_values = matches!(way, Way::InPlace | Way::InPlaceWithEnd);
                    let is_slow = row.contains("LateLines, text") && keys[1].starts_with("bad");
                    check(&row, key, got, has_values && !is_slow);
                }
                // And the next call its own.
                eventually(client, "after");
            }
        }
    });
}

/// The next call gets its own reply, however late the rest of an error comes.
#[test]
fn an_error_for_one_key_is_followed_by_the_right_answers() {
    in_every_way(|row, _, client| {
        let asks: [fn(&Client, &str) -> Got; 3] = [
            |client, key| client.get(key),
            |client, key| Ok(client.gets(key)?.map(|(value, _)| value)),
            |client, key| client.get_and_touch(key, 0),
        ];
        for ask in asks {
            assert!(is_of_server(&ask(client, "bad")), "{row}");
            for key in ["a", "none", "b"] {
                check(row, key, &ask(client, key), true);
            }
            assert!(is_of_server(&ask(client, "bad")), "{row}");
            client.set("a", "1", 0).unwrap();
            assert!(is_of_server(&ask(client, "bad")), "{row}");
            for (key, got) in client.get_each::<String, _>(["a", "none", "b"]) {
                check(row, key, &got, true);
            }
        }
    });
}

/// What comes behind in a pipeline.
#[test]
fn a_store_behind_an_error_is_told_what_became_of_it() {
    in_every_way(|row, way, client| {
        for keys in [
            &["bad", "a"][..],
            &["a", "bad"],
            &["bad", "bad1", "none"],
            &["bad"],
        ] {
            let mut pipeline = client.pipeline();
            let got: Vec<_> = keys.iter().map(|key| pipeline.get::<String>(key)).collect();
            let stored = pipeline.set("b", "1", 0);
            let refused = pipeline.set("bad", "1", 0);
            let counted = pipeline.incr("count", 1);
            let more: Vec<_> = ["c", "none"].map(|key| pipeline.get::<String>(key)).into();
            let last = pipeline.set("d", "1", 0);
            let mut replies = pipeline.run();
            for (key, got) in keys.iter().zip(got) {
                let got = replies.take(got);
                let is_exact = matches!(way, Way::InPlace | Way::InPlaceWithEnd);
                check(row, key, &got, is_exact);
            }
            let stored = replies.take(stored);
            let refused = replies.take(refused);
            let rest = [stored, replies.take(counted).map(drop), replies.take(last)];
            if way == Way::AloneAndClosed && keys.len() > 1 {
                let is_lost = |it: &Result<()>| it.as_ref().is_err_and(Error::is_io);
                assert!(rest.iter().all(is_lost), "{row}, {keys:?}: {rest:?}");
            } else {
                assert!(rest.iter().all(Result::is_ok), "{row}, {keys:?}: {rest:?}");
                assert!(refused.is_err_and(|it| it.is_server()), "{row}, {keys:?}");
                for (key, got) in ["c", "none"].iter().zip(more) {
                    check(row, key, &replies.take(got), true);
                }
            }
            check(row, "after", &client.get("after"), true);
        }
    });
}

/// A healthy server that is out of memory answers with one line: nobody waits for more, and the
/// connection is kept.
#[test]
fn an_error_alone_is_all_of_a_reply() {
    for protocol in [Protocol::Text, Protocol::Meta] {
        let client = client(start(Way::Alone, Pace::AtOnce), protocol);
        for keys in [&["bad", "a"][..], &["a", "bad", "b"], &["bad", "bad1"]] {
            for (key, got) in client.get_each::<String, _>(keys) {
                assert!(is_of_server(&got), "{protocol}, {key}: {got:?}");
            }
            assert_eq!(client.get::<String>("a").unwrap(), Some(value_of("a")));
        }
        let metrics = client.metrics().remove(0);
        assert_eq!(metrics.connections_made, 1, "{protocol}: {metrics:?}");
    }
}

/// Where keys that begin with `bad/` go to a backend that is down, and all others to one that is up.
const ROUTES: &str = "
function mcp_config_pools()
    mcp.backend_connect_timeout(0.2)
    mcp.backend_read_timeout(5)
    local up = mcp.pool({mcp.backend('up', '127.0.0.1', UP)})
    local down = mcp.pool({mcp.backend('down', '127.0.0.1', DOWN)})
    return { up = up, down = down }
end
local function to(pool)
    local route = mcp.funcgen_new()
    local handle = route:new_handle(pool)
    local function pass(context)
        return function(request) return context:enqueue_and_wait(request, handle) end
    end
    route:ready({ n = 'to', f = pass })
    return route
end
function mcp_config_routes(pools)
    local map = { bad = to(pools.down) }
    local router = mcp.router_new({ map = map, mode = 'prefix', stop = '/', default = to(pools.up) })
    mcp.attach(mcp.CMD_ANY_STORAGE, router)
end
";

/// A file that is removed again.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("moecache-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn memcacheds_own_proxy() {
    if !has_option("proxy_config") {
        return skipped("memcached's own proxy: the memcached at hand has none");
    }
    let backend = Memcached::start();
    let nobody = reserve().unwrap();
    let down = nobody.local_addr().unwrap().as_socket().unwrap().port();
    let routes = ROUTES.replace("UP", &backend.address().port().to_string());
    let routes = File::new("routes.lua", &routes.replace("DOWN", &down.to_string()));
    let config = format!("proxy_config={}", routes.0.display());
    let proxy = Memcached::with_args(&["-o", &config]);
    for protocol in [Protocol::Text, Protocol::Meta] {
        let client = client(proxy.address(), protocol);
        client.set("after", value_of("after"), 0).unwrap();
        for keys in lines() {
            for key in keys.iter().filter(|key| key.starts_with("key")) {
                client.set(key, value_of(key), 0).unwrap();
            }
            for (call, results) in multi_gets(&client, &keys) {
                let row = format!("{protocol}, {call} of {keys:?}");
                for (key, got) in keys.iter().zip(&results) {
                    check(&row, key, got, true);
                }
                check(&row, "after", &client.get("after"), true);
            }
        }
        assert!(is_of_server(&client.get("bad/key")));
        assert!(is_of_server(&client.get_and_touch("bad/key", 0)));
        check("alone", "after", &client.get("after"), true);
        let mut pipeline = client.pipeline();
        let got = ["bad/1", "after", "bad/2"].map(|key| (key, pipeline.get::<String>(key)));
        let stored = pipeline.set("stored", "1", 0);
        let refused = pipeline.set("bad/3", "1", 0);
        let counted = pipeline.incr("none", 1);
        let mut replies = pipeline.run();
        for (key, got) in got {
            check("pipeline", key, &replies.take(got), true);
        }
        replies.take(stored).unwrap();
        assert!(replies.take(refused).unwrap_err().is_server());
        assert_eq!(replies.take(counted).unwrap(), None);
        let metrics = client.metrics().remove(0);
        assert_eq!(metrics.connections_made, 1, "{protocol}: {metrics:?}");
    }
}

/// A nutcracker in front of these, killed when this is dropped.
struct Twemproxy {
    address: SocketAddr,
    process: Child,
    _config: File,
}

impl Twemproxy {
    /// `None` where it is not installed.
    fn start(backends: &[u16]) -> Option<Self> {
        Command::new("nutcracker").arg("--help").output().ok()?;
        let free = || {
            reserve()
                .unwrap()
                .local_addr()
                .unwrap()
                .as_socket()
                .unwrap()
        };
        let address = free();
        let mut config = format!(
            "pool:\n  listen: {address}\n  hash: fnv1a_64\n  distribution: modula\n  timeout: 2000\n  servers:\n"
        );
        for port in backends {
            writeln!(config, "   - 127.0.0.1:{port}:1").unwrap();
        }
        let config = File::new("twemproxy.yml", &config);
        let mut command = Command::new("nutcracker");
        command.arg("-c").arg(&config.0);
        command.args(["-s", &free().port().to_string()]);
        let quiet = command.stdin(Stdio::null()).stderr(Stdio::null());
        let process = quiet.stdout(Stdio::null()).spawn().unwrap();
        let twemproxy = Self {
            address,
            process,
            _config: config,
        };
        wait_until("it accepts", || TcpStream::connect(address).is_ok());
        Some(twemproxy)
    }
}

impl Drop for Twemproxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn twemproxy() {
    let backend = Memcached::start();
    let nobody = reserve().unwrap();
    let down = nobody.local_addr().unwrap().as_socket().unwrap().port();
    let Some(proxy) = Twemproxy::start(&[backend.address().port(), down]) else {
        return skipped("twemproxy: nutcracker is not installed");
    };
    let client = client(proxy.address, Protocol::Text);
    let (mut up, mut bad) = (Vec::new(), Vec::new());
    for number in 0..40 {
        let key = format!("key{number}");
        match client.set(&key, value_of(&key), 0) {
            Ok(()) => up.push(key),
            Err(error) => {
                assert!(error.is_server(), "{error:?}");
                bad.push(key);
            }
        }
    }
    assert!(!up.is_empty() && !bad.is_empty());
    // One line for both backends is refused as a whole.
    let both = [&up[..2], &bad[..2]].concat();
    for (call, results) in multi_gets(&client, &both) {
        for (key, got) in both.iter().zip(&results) {
            assert!(is_of_server(got), "{call}, {key}: {got:?}");
        }
        check(call, &up[0], &client.get(&up[0]), true);
    }
    for (call, results) in multi_gets(&client, &up) {
        for (key, got) in up.iter().zip(&results) {
            check(call, key, got, true);
        }
    }
    for _ in 0..3 {
        assert!(is_of_server(&client.get(&bad[0])));
        check("alone", &up[0], &client.get(&up[0]), true);
        check("alone", "none", &Ok(None), true);
    }
}
