//! Servers that claim more than they send, and servers that send without an end.

use super::memory::measured;
use super::support::scripted::{accept, scripted};
use super::{LONG, SHORT};
use moecache::{Bytes, Client, Error, Protocol};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

const MIB: usize = 1 << 20;

/// What comes of a call.
type Call = fn(&Client) -> Result<(), Error>;

const GET: Call = |client| client.get_bytes("key").map(drop);
const GET_MANY: Call = |client| client.get_many::<Bytes, _>(["a", "b"]).all().map(drop);
const SET: Call = |client| client.set("key", 1, 0);
const STATS: Call = |client| client.stats()?.remove(0).result.map(drop);
const VERSION: Call = |client| client.version().remove(0).result.map(drop);

/// What a server does once it is asked anything.
enum Script {
    /// It sends this, and then nothing.
    Claims(Vec<u8>),
    /// It sends the first, and then the second over and over.
    Floods(Vec<u8>, Vec<u8>),
}

impl Script {
    /// Until the client closes the connection.
    fn play(&self, listener: &TcpListener) {
        let mut stream = accept(listener);
        let mut request = [0; 4096];
        let asked = stream.read(&mut request).unwrap();
        assert!(asked > 0);
        let request_of = |reply: &[u8]| with_opaque(reply, &request[..asked]);
        match self {
            Self::Claims(reply) => {
                let reply = request_of(reply);
                stream.write_all(&reply).unwrap();
                // An error, where it closes before it has read everything.
                while matches!(stream.read(&mut request), Ok(1..)) {}
            }
            Self::Floods(first, again) => {
                let (first, again) = (request_of(first), request_of(again));
                let again = again.repeat(1 + (16 << 10) / again.len());
                let mut sent = stream.write_all(&first);
                while sent.is_ok() {
                    sent = stream.write_all(&again);
                }
            }
        }
    }

    fn start(self) -> (SocketAddr, JoinHandle<()>) {
        scripted(move |listener| self.play(listener))
    }
}

/// The reply, whose opaque is 0, with that of the request.
fn with_opaque(reply: &[u8], request: &[u8]) -> Vec<u8> {
    const OPAQUE: std::ops::Range<usize> = 12..16;
    let mut reply = reply.to_vec();
    if reply.first() == Some(&0x81) {
        reply[OPAQUE].copy_from_slice(&request[OPAQUE]);
    } else if let Some(at) = reply[..reply.len().min(64)]
        .windows(4)
        .position(|it| it == b" O0\r")
    {
        let words = request.trim_ascii_end().rsplit(|&byte| byte == b' ');
        let opaque = words.into_iter().next().unwrap_or_default();
        reply.splice(at + 1..at + 3, opaque.iter().copied());
    }
    reply
}

fn client(address: SocketAddr, protocol: Protocol, timeout: Duration) -> Client {
    let client = Client::builder().servers(address).protocol(protocol);
    client.timeout(timeout).build().unwrap()
}

/// The call fails by the protocol, with these words, and with less memory than that.
fn is_refused(row: &str, protocol: Protocol, script: Script, call: Call, words: &str, most: usize) {
    let (address, server) = script.start();
    let client = client(address, protocol, LONG);
    let (result, took) = measured(|| call(&client));
    let error = result.unwrap_err();
    assert!(error.is_protocol(), "{row}: {error}");
    assert!(error.to_string().contains(words), "{row}: {error}");
    assert!(took < most, "{row}: {took} bytes");
    server.join().unwrap();
}

/// A reply of the binary protocol to the first request on a connection.
struct Packet {
    opcode: u8,
    key: u16,
    extras: u8,
    status: u16,
    body: u32,
}

impl Packet {
    const GET: Self = Self {
        opcode: 0,
        key: 0,
        extras: 4,
        status: 0,
        body: 4,
    };

    /// With these bytes after its header.
    fn bytes(&self, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x81, self.opcode];
        bytes.extend(self.key.to_be_bytes());
        bytes.extend([self.extras, 0]);
        bytes.extend(self.status.to_be_bytes());
        bytes.extend(self.body.to_be_bytes());
        bytes.extend([0; 12]); // The opaque and the cas id.
        bytes.extend(body);
        bytes
    }
}

/// Up to 1 GiB it is believed, and nothing is taken for it but what has come.
#[test]
fn a_value_that_may_come() {
    const CLAIM: u32 = 1 << 30;
    let part = vec![b'x'; 3 * MIB / 2];
    let with = |head: String| [head.as_bytes(), &part].concat();
    let packet = Packet {
        body: CLAIM + 4,
        ..Packet::GET
    };
    let rows = [
        (Protocol::Text, with(format!("VALUE key 0 {CLAIM}\r\n"))),
        (Protocol::Meta, with(format!("VA {CLAIM} f0 O0\r\n"))),
        (Protocol::Binary, [packet.bytes(&[0; 4]), part].concat()),
    ];
    for (protocol, reply) in rows {
        let (address, server) = Script::Claims(reply).start();
        let client = client(address, protocol, SHORT);
        let (result, took) = measured(|| GET(&client));
        let error = result.unwrap_err();
        assert!(error.is_timeout(), "{protocol}: {error}");
        assert!(took < 6 * MIB, "{protocol}: {took} bytes");
        server.join().unwrap();
    }
}

/// Nothing is waited for that is not allowed anyway.
#[test]
fn a_value_that_may_not_come() {
    let too_large = |length: u64| format!("a value of {length} bytes; the configured maximum is");
    for length in [(1 << 30) + 1, 1 << 32] {
        let text = format!("VALUE key 0 {length}\r\n");
        let meta = format!("VA {length} f0 O0\r\n");
        for (protocol, reply) in [(Protocol::Text, text), (Protocol::Meta, meta)] {
            let script = Script::Claims(reply.into());
            is_refused("value", protocol, script, GET, &too_large(length), MIB);
        }
    }
    for length in [1_u64 << 63, u64::MAX] {
        let text = format!("VALUE key 0 {length}\r\n");
        let meta = format!("VA {length} f0 O0\r\n");
        for (protocol, reply) in [(Protocol::Text, text), (Protocol::Meta, meta)] {
            let script = Script::Claims(reply.into());
            is_refused("value", protocol, script, GET, "unexpected reply", MIB);
        }
    }
    let packet = Packet {
        body: u32::MAX,
        ..Packet::GET
    };
    let script = Script::Claims(packet.bytes(&[]));
    let words = too_large((u32::MAX - 4).into());
    is_refused("packet", Protocol::Binary, script, GET, &words, MIB);
}

/// Packets of which one length belies another, or which are far longer than their like.
#[test]
fn packets_that_cannot_be() {
    let rows: [(&str, Call, Packet); 7] = [
        (
            "the key is longer than the body",
            GET,
            Packet {
                key: u16::MAX,
                ..Packet::GET
            },
        ),
        (
            "the extras are longer than the body",
            GET,
            Packet {
                extras: u8::MAX,
                ..Packet::GET
            },
        ),
        (
            "more extras than flags",
            GET,
            Packet {
                extras: 8,
                body: 8,
                ..Packet::GET
            },
        ),
        (
            "an error of 4 GiB",
            GET,
            Packet {
                extras: 0,
                status: 0x84,
                body: u32::MAX,
                ..Packet::GET
            },
        ),
        (
            "a stored value of 4 GiB",
            SET,
            Packet {
                opcode: 1,
                extras: 0,
                body: u32::MAX,
                ..Packet::GET
            },
        ),
        (
            "a version of 4 GiB",
            VERSION,
            Packet {
                opcode: 0x0b,
                extras: 0,
                body: u32::MAX,
                ..Packet::GET
            },
        ),
        (
            "a statistic of 4 GiB",
            STATS,
            Packet {
                opcode: 0x10,
                key: 4,
                extras: 0,
                body: u32::MAX,
                ..Packet::GET
            },
        ),
    ];
    for (row, call, packet) in rows {
        let script = Script::Floods(packet.bytes(&[]), vec![b'x'; 1000]);
        is_refused(row, Protocol::Binary, script, call, "unexpected reply", MIB);
    }
}

#[test]
fn lines_without_an_end() {
    let starts = [
        "",
        "VALUE key 0 ",
        "SERVER_ERROR ",
        "CLIENT_ERROR ",
        "VA 1 f",
    ];
    for protocol in [Protocol::Text, Protocol::Meta, Protocol::Binary] {
        for start in starts {
            for call in [GET, GET_MANY, SET, STATS, VERSION] {
                let script = Script::Floods(start.into(), vec![b'9'; 1000]);
                let words = "a line of over 2048 bytes";
                is_refused(start, protocol, script, call, words, MIB);
            }
        }
    }
}

/// They are kept, so there is a limit to them, which is far above what servers say.
#[test]
fn stats_without_an_end() {
    const MOST: usize = 128 * MIB;
    let value = "x".repeat(1000);
    let line = format!("STAT name {value}\r\n").into_bytes();
    let packet = Packet {
        opcode: 0x10,
        key: 4,
        extras: 0,
        body: 1004,
        ..Packet::GET
    };
    let packet = packet.bytes(format!("name{value}").as_bytes());
    let rows = [
        (Protocol::Text, line.clone()),
        (Protocol::Meta, line),
        (Protocol::Binary, packet),
    ];
    for (protocol, again) in rows {
        let script = Script::Floods(Vec::new(), again);
        let words = "a reply to stats of over 134217728 bytes";
        // Where it is all in one piece of memory, that is copied to a larger one as it grows.
        is_refused("stats", protocol, script, STATS, words, 3 * MOST);
    }
}

/// They are handed over as they come.
#[test]
fn keys_without_an_end() {
    for protocol in [Protocol::Text, Protocol::Meta] {
        let line = b"key=k exp=-1 la=1795245680 cas=2 fetch=no cls=1 size=68\n";
        let (address, server) = Script::Floods(Vec::new(), line.to_vec()).start();
        let client = client(address, protocol, LONG);
        let (count, took) = measured(|| client.keys().take(50_000).flatten().count());
        assert_eq!(count, 50_000);
        assert!(took < MIB, "{protocol}: {took} bytes");
        server.join().unwrap();
    }
}

/// More values than keys, and one twice.
#[test]
fn values_without_an_end() {
    let value = b"VALUE a 0 1\r\nx\r\n".to_vec();
    let packet = Packet {
        opcode: 0x09, // A quiet get: a reply means that it is there.
        body: 5,
        ..Packet::GET
    };
    let packet = packet.bytes(b"\0\0\0\0x");
    let meta = b"VA 1 f0 O0\r\nx\r\n".to_vec();
    let get: Call = |client| client.get_bytes("a").map(drop);
    let rows = [
        (Protocol::Text, value.clone(), "not asked for"),
        (Protocol::Meta, value, "not asked for"),
        (Protocol::Binary, packet, "not under way"),
    ];
    for (protocol, again, words) in rows {
        let script = Script::Floods(Vec::new(), again);
        is_refused("values", protocol, script, GET_MANY, words, MIB);
    }
    // A second one behind the only one: it is not read, and the connection not used again.
    let (address, server) = Script::Floods(Vec::new(), meta).start();
    let client = client(address, Protocol::Meta, LONG);
    let (result, took) = measured(|| get(&client));
    result.unwrap();
    assert!(took < MIB, "{took} bytes");
    server.join().unwrap();
}
