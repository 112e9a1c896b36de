//! A proxy that mixes up the replies to two of its clients, or to two connections of one: each has opaques
//! of its own, which begin somewhere at random, so none is taken for another's.

use super::pretender::value_of;
use super::row::client;
use super::support::scripted::{accept, read_until, scripted};
use moecache::Protocol;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// The next request: its key, and its opaque as it was sent.
fn request(stream: &mut TcpStream, protocol: Protocol) -> (String, Vec<u8>) {
    if protocol == Protocol::Binary {
        let mut header = [0; 24];
        stream.read_exact(&mut header).unwrap();
        let mut key = vec![0; usize::from(u16::from_be_bytes([header[2], header[3]]))];
        stream.read_exact(&mut key).unwrap();
        return (String::from_utf8(key).unwrap(), header[12..16].to_vec());
    }
    let line = read_until(stream, b"\r\n");
    let line = String::from_utf8(line).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    let opaque = words[words.len() - 1];
    assert!(opaque.len() <= 32 && opaque.starts_with('O'), "{line}");
    (words[1].to_owned(), opaque.into())
}

/// The value of `key`, with this opaque.
fn reply(protocol: Protocol, key: &str, opaque: &[u8]) -> Vec<u8> {
    let value = value_of(key);
    let length = value.len();
    if protocol != Protocol::Binary {
        let head = format!("VA {length} f0 ").into_bytes();
        return [&head, opaque, b"\r\n", value.as_bytes(), b"\r\n"].concat();
    }
    let body = u32::try_from(4 + length).unwrap().to_be_bytes();
    let start = [0x81, 0, 0, 0, 4, 0, 0, 0];
    [&start, &body[..], opaque, &[0; 12], value.as_bytes()].concat()
}

/// Two clients ask for two keys at the same time, and each is sent the reply to the other.
#[test]
fn the_replies_of_two_clients() {
    for protocol in [Protocol::Meta, Protocol::Binary] {
        let (address, proxy) = scripted(move |listener| {
            let mut streams = [accept(listener), accept(listener)];
            // In step, so that only where they began tells their opaques apart.
            for _ in 0..3 {
                for stream in &mut streams {
                    let (key, opaque) = request(stream, protocol);
                    stream.write_all(&reply(protocol, &key, &opaque)).unwrap();
                }
            }
            let asked = streams.each_mut().map(|it| request(it, protocol));
            for (stream, (key, opaque)) in streams.iter_mut().zip(asked.iter().rev()) {
                stream.write_all(&reply(protocol, key, opaque)).unwrap();
            }
        });
        let ask = |key: &'static str| {
            move || {
                let client = client(address, protocol);
                for _ in 0..3 {
                    assert_eq!(client.get::<String>(key).unwrap(), Some(value_of(key)));
                }
                client.get::<String>(key).unwrap_err()
            }
        };
        let threads = ["a", "b"].map(|key| std::thread::spawn(ask(key)));
        for thread in threads {
            let error = thread.join().unwrap();
            assert!(error.is_protocol(), "{protocol}: {error:?}");
        }
        proxy.join().unwrap();
    }
}

/// No two connections begin at the same number.
#[test]
fn the_first_opaques() {
    for protocol in [Protocol::Meta, Protocol::Binary] {
        let (address, server) = scripted(move |listener| {
            let mut first = Vec::new();
            for _ in 0..20 {
                let mut stream = accept(listener);
                let (key, opaque) = request(&mut stream, protocol);
                stream.write_all(&reply(protocol, &key, &opaque)).unwrap();
                first.push(opaque);
            }
            first.sort_unstable();
            first.dedup();
            assert_eq!(first.len(), 20);
        });
        let client = client(address, protocol);
        for _ in 0..20 {
            assert_eq!(client.get::<String>("a").unwrap(), Some(value_of("a")));
            client.close();
        }
        server.join().unwrap();
    }
}
