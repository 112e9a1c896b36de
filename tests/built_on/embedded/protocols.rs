//! The embedded server in all its forms: meta commands and binary protocol where a transcript does
//! not reach, old versions, unix sockets, and faults in every protocol.

use crate::support;

use moecache::testing::{Clock, Fault, Server};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, SystemTime};
use support::{RawClient as Client, wait_until};

/// Requests and replies of the binary protocol, with the opaque `good`.
const NOOP: &[u8] = b"\x80\x0a\0\0\0\0\0\0\0\0\0\0good\0\0\0\0\0\0\0\0";
const NOOP_REPLY: &[u8] = b"\x81\x0a\0\0\0\0\0\0\0\0\0\0good\0\0\0\0\0\0\0\0";
const GETK_A: &[u8] = b"\x80\x0c\0\x01\0\0\0\0\0\0\0\x01good\0\0\0\0\0\0\0\0a";
const GETK_A_REPLY: &[u8] = b"\x81\x0c\0\x01\x04\0\0\0\0\0\0\x06good\0\0\0\0\0\0\0\x01\0\0\0\x07a1";
const GETKQ_B: &[u8] = b"\x80\x0d\0\x01\0\0\0\0\0\0\0\x01good\0\0\0\0\0\0\0\0b";

fn server_at(seconds: u64) -> (Server, Client) {
    let clock = Clock::fixed(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    let server = Server::builder().clock(clock).start().unwrap();
    let client = Client::connect(server.address());
    (server, client)
}

#[test]
fn meta_commands_tell_the_time() {
    let (server, mut client) = server_at(1_800_000_000);
    let advance = |seconds| server.clock().advance(Duration::from_secs(seconds));
    client.ask("ms a 1 T100\r\n1\r\nms b 1\r\n1\r\n", "HD\r\nHD\r\n");
    advance(10);
    client.ask("mg a t l h\r\n", "HD t90 l10 h0\r\n");
    advance(10);
    client.ask("mg a t l h\r\n", "HD t80 l20 h1\r\n");
    client.ask("mg a l\r\n", "HD l0\r\n");
    client.ask("mg a T50 t\r\n", "HD t50\r\n");
    client.ask(
        "me a\r\n",
        "ME a exp=-50 la=0 cas=1 fetch=yes cls=1 size=61\r\n",
    );
    client.ask(
        "lru_crawler metadump all\r\n",
        "key=b exp=-1 la=1800000000 cas=2 fetch=no cls=1 size=61\n\
         key=a exp=1800000070 la=1800000020 cas=1 fetch=yes cls=1 size=61\n\
         END\r\n",
    );
    advance(50);
    client.ask("mg a t\r\n", "EN\r\n");
}

#[test]
fn one_client_is_told_to_fetch_again() {
    let (server, mut client) = server_at(1_800_000_000);
    client.ask("ms a 1 T100\r\n1\r\n", "HD\r\n");
    client.ask("mg a v R30\r\n", "VA 1\r\n1\r\n");
    server.clock().advance(Duration::from_secs(71));
    client.ask("mg a v R30\r\n", "VA 1 W\r\n1\r\n");
    client.ask("mg a v R30\r\n", "VA 1 Z\r\n1\r\n");
    client.ask("ms a 1 T100\r\n2\r\n", "HD\r\n");
    client.ask("mg a v R30\r\n", "VA 1\r\n2\r\n");
}

#[test]
fn the_protocols_share_the_items() {
    let server = Server::start().unwrap();
    let mut text = Client::connect(server.address());
    let mut binary = Client::connect(server.address());
    text.ask("set a 7 0 1\r\n1\r\n", "STORED\r\n");
    text.ask("mg a f v\r\n", "VA 1 f7\r\n1\r\n");
    binary.ask(GETK_A, GETK_A_REPLY);
}

#[test]
fn the_crawler_can_be_turned_off() {
    let server = Server::start().unwrap();
    let mut client = Client::connect(server.address());
    let disabled = "CLIENT_ERROR lru crawler disabled\r\n";
    client.ask("lru_crawler crawl all\r\n", "OK\r\n");
    client.ask("lru_crawler disable\r\n", "OK\r\n");
    client.ask("lru_crawler metadump all\r\n", disabled);
    client.ask("lru_crawler crawl all\r\n", disabled);
    client.ask("lru_crawler enable\r\n", "OK\r\n");
    client.ask("lru_crawler metadump all\r\n", "END\r\n");
}

/// The client reads only when it has written everything, but for what the sockets hold.
#[test]
fn long_pipelines() {
    const KEYS: usize = 20_000;
    let server = Server::start().unwrap();
    let mut client = Client::connect(server.address());
    let mut writer = client.try_clone();
    thread::scope(|scope| {
        scope.spawn(move || {
            let sets = (0..KEYS).map(|n| format!("ms key{n} 5 q\r\nvalue\r\n"));
            writer.send(sets.collect::<String>() + "mn\r\n");
            let gets = (0..2 * KEYS).map(|n| format!("mg key{n} q v k\r\n"));
            writer.send(gets.collect::<String>() + "mn\r\n");
            let keys = (0..KEYS).map(|n| format!(" key{n}"));
            writer.send("get".to_owned() + &keys.collect::<String>() + "\r\n");
        });
        client.ask("", "MN\r\n");
        let hits = (0..KEYS).map(|n| format!("VA 5 kkey{n}\r\nvalue\r\n"));
        client.ask("", hits.collect::<String>() + "MN\r\n");
        let values = (0..KEYS).map(|n| format!("VALUE key{n} 0 5\r\nvalue\r\n"));
        client.ask("", values.collect::<String>() + "END\r\n");
    });
}

#[test]
fn old_versions_know_less() {
    const BAD: &str = "BADCLASS invalid class id";
    let rows = [
        ("1.4.7", ["ERROR"; 5]),
        ("1.4.30", ["NOT_FOUND", "ERROR", "ERROR", "ERROR", "ERROR"]),
        ("1.5.2", ["NOT_FOUND", "END", BAD, "ERROR", "ERROR"]),
        ("1.5.22", ["NOT_FOUND", "END", BAD, "END", "ERROR"]),
        ("1.6.0", ["NOT_FOUND", "END", BAD, "END", "MN"]),
        ("1.6.9", ["NOT_FOUND", "END", "END", "END", "MN"]),
    ];
    for (version, replies) in rows {
        let server = Server::builder().version(version).start().unwrap();
        let mut client = Client::connect(server.address());
        client.ask("version\r\n", format!("VERSION {version}\r\n"));
        assert_eq!(client.stat("version"), version);
        let requests = [
            "touch a 0",
            "lru_crawler metadump all",
            "lru_crawler metadump hash",
            "gat 0 a",
            "mn",
        ];
        for (request, reply) in requests.iter().zip(replies) {
            client.ask(format!("{request}\r\n"), format!("{reply}\r\n"));
        }
    }
}

#[test]
fn an_old_version_in_the_binary_protocol() {
    let server = Server::builder().version("1.4.7").start().unwrap();
    let mut client = Client::connect(server.address());
    client.ask(
        b"\x80\x0b\0\0\0\0\0\0\0\0\0\0good\0\0\0\0\0\0\0\0",
        b"\x81\x0b\0\0\0\0\0\0\0\0\0\x05good\0\0\0\0\0\0\0\x001.4.7",
    );
    client.ask(
        b"\x80\x1c\0\x01\x04\0\0\0\0\0\0\x05good\0\0\0\0\0\0\0\0\0\0\0\0a.....",
        b"\x81\x1c\0\0\0\0\0\x81\0\0\0\x0fgood\0\0\0\0\0\0\0\0Unknown command",
    );
    client.ask(NOOP, NOOP_REPLY);
}

#[test]
fn a_server_that_knows_only_the_classic_text() {
    let server = Server::builder().text_only().start().unwrap();
    let mut client = Client::connect(server.address());
    client.version();
    for request in ["mn", "mg a v", "md a", "ma a", "me a"] {
        client.ask(format!("{request}\r\n"), "ERROR\r\n");
    }
    client.ask("ms a 1\r\n1\r\n", "ERROR\r\nERROR\r\n");
    client.ask("gat 0 a\r\n", "END\r\n");
    let mut client = Client::connect(server.address());
    client.send(NOOP);
    client.expect_closed();
}

#[test]
fn too_many_connections() {
    let server = Server::builder().max_connections(2).start().unwrap();
    let mut one = Client::connect(server.address());
    let two = Client::connect(server.address());
    one.version();
    let mut three = Client::connect(server.address());
    three.ask("", "ERROR Too many open connections\r\n");
    three.expect_closed();
    assert_eq!(one.stat("max_connections"), "2");
    assert_eq!(one.stat("rejected_connections"), "1");
    drop(two);
    wait_until("one connection is left", || server.connections() == 1);
    Client::connect(server.address()).version();
}

#[cfg(unix)]
#[test]
fn a_unix_socket() {
    let path = socket_path("socket");
    let server = Server::builder().unix_socket(&path).start().unwrap();
    assert_eq!(server.path(), Some(path.as_path()));
    assert_eq!(server.address().port(), 0);
    assert_eq!(server.to_string(), path.to_str().unwrap());
    let mut client = Client::connect_to_path(&path);
    client.ask("set a 0 0 1\r\n1\r\n", "STORED\r\n");
    client.ask(
        "stats conns\r\n",
        format!(
            "STAT 0:addr unix:{server}\r\n\
             STAT 0:state conn_listening\r\n\
             STAT 0:secs_since_last_cmd 0\r\n\
             STAT 1:addr ?:<AF 0>\r\n\
             STAT 1:listen_addr unix:{server}\r\n\
             STAT 1:state conn_parse_cmd\r\n\
             STAT 1:secs_since_last_cmd 0\r\n\
             END\r\n"
        ),
    );
    server.inject(Fault::Reset { after: 3 });
    client.ask("version\r\n", "VER");
    client.expect_closed();

    server.restart().unwrap();
    Client::connect_to_path(&path).ask("get a\r\n", "END\r\n");
    server.stop();
    assert!(!path.exists());
    server.restart().unwrap();
    Client::connect_to_path(&path).version();
    drop(server);
    assert!(!path.exists());
}

#[cfg(unix)]
#[test]
fn a_path_that_is_taken() {
    let path = socket_path("taken");
    // As a process leaves it behind that was killed.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let server = Server::builder().unix_socket(&path).start().unwrap();
    Client::connect_to_path(&path).version();
    drop(server);

    std::fs::write(&path, "a file").unwrap();
    let error = Server::builder().unix_socket(&path).start().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a file");
    std::fs::remove_file(&path).unwrap();
}

fn socket_path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("moecache-{}-{name}", std::process::id()))
}

#[test]
fn faults_spoil_meta_replies() {
    let server = Server::start().unwrap();
    let mut client = Client::connect(server.address());
    client.ask("ms a 1\r\n1\r\n", "HD\r\n");
    server.inject(Fault::Surplus(b"EN\r\n".to_vec()));
    server.inject(Fault::Swallow);
    // What is quiet uses up no fault.
    client.ask(
        "mg b q v\r\nmg a v\r\nms a 1 q\r\n2\r\nmg a v\r\nmn\r\n",
        "VA 1\r\n1\r\nEN\r\nMN\r\n",
    );
    server.inject(Fault::Cut { after: 5 });
    client.ask("mg a v k\r\n", "VA 1 ");
    client.expect_closed();
}

#[test]
fn faults_spoil_binary_replies() {
    let server = Server::start().unwrap();
    Client::connect(server.address()).ask("set a 7 0 1\r\n1\r\n", "STORED\r\n");
    let mut client = Client::connect(server.address());
    server.inject(Fault::Drip(Duration::ZERO));
    server.inject(Fault::Swallow);
    server.inject(Fault::Garbage(b"GARBAGE".to_vec()));
    client.ask(
        [GETKQ_B, GETK_A, GETKQ_B, GETK_A, NOOP, NOOP].concat(),
        [GETK_A_REPLY, b"GARBAGE", NOOP_REPLY].concat(),
    );
    server.inject(Fault::Cut { after: 30 });
    client.ask(GETK_A, &GETK_A_REPLY[..30]);
    client.expect_closed();
}

#[test]
fn misaddressed_replies() {
    let server = Server::start().unwrap();
    server.inject_always(Fault::Misaddressed);
    let mut client = Client::connect(server.address());
    client.ask("set a 7 0 1\r\n1\r\n", "STORED\r\n");
    client.ask("get a\r\n", "VALUE x 7 1\r\n1\r\nEND\r\n");
    client.ask("mg a v k O123 s\r\n", "VA 1 kx Ox23 s1\r\n1\r\n");
    client.ask("mg a v\r\n", "VA 1\r\n1\r\n");
    client.ask("md b O9\r\n", "NF Ox\r\n");
    client.ask("mn\r\nmg b\r\n", "MN\r\nEN\r\n");
    let mut client = Client::connect(server.address());
    client.ask(
        GETK_A,
        b"\x81\x0c\0\x01\x04\0\0\0\0\0\0\x06xood\0\0\0\0\0\0\0\x01\0\0\0\x07x1",
    );
}
