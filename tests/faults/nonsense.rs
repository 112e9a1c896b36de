//! Replies that are none: what is outside of a command's grammar, or inside that of another command. A
//! protocol error, and never a miss.

use super::calls::{self, Call, Effect};
use super::malformed::{Reply, packet, play};
use super::pretender::{Asked, Wire};
use super::support::in_each_protocol;
use moecache::Protocol;

in_each_protocol! {
    words_that_mean_nothing
    replies_of_other_commands
}

/// A line, or what looks like one.
fn text(asked: &Asked, wire: Wire, line: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    (asked.wire == wire).then(|| line.as_ref().to_vec())
}

/// The longest excerpt of it that an error shows is 128 bytes, escaped.
fn words_that_mean_nothing(protocol: Protocol) {
    let rows: [(&str, Reply); 12] = [
        ("http", |_| {
            Some(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())
        }),
        ("zeros", |_| {
            Some([b"\0".repeat(200), b"\r\n".to_vec()].concat())
        }),
        ("high bytes", |_| {
            Some([b"\xff".repeat(200), b"\r\n".to_vec()].concat())
        }),
        ("an empty line", |_| Some(b"\r\n".to_vec())),
        ("a line feed alone", |it| text(it, Wire::Text, "END\nEND\n")),
        ("lower case", |it| text(it, Wire::Text, "stored\r\n")),
        ("a word too many", |it| {
            text(it, Wire::Text, "STORED it\r\n")
        }),
        ("an unknown error", |it| {
            text(it, Wire::Text, "OTHER_ERROR\r\n")
        }),
        ("no opaque", |it| text(it, Wire::Meta, "HD\r\n")),
        ("an opaque that is none", |it| {
            text(it, Wire::Meta, "HD Oabc\r\n")
        }),
        ("a flag nobody asked for", |it| {
            let line = format!("HD O{} y\r\n", it.opaque);
            text(it, Wire::Meta, line)
        }),
        ("a request", |it| {
            let mut packet = it.packet();
            packet.magic = 0x80;
            (it.wire == Wire::Binary).then(|| packet.bytes())
        }),
    ];
    play(protocol, &rows, calls::all());
}

/// What would be right for another command.
fn replies_of_other_commands(protocol: Protocol) {
    let reads: [(&str, Reply); 9] = [
        ("STORED", |it| text(it, Wire::Text, "STORED\r\n")),
        ("NOT_FOUND", |it| text(it, Wire::Text, "NOT_FOUND\r\n")),
        ("a number", |it| text(it, Wire::Text, "1\r\n")),
        ("VALUE and no more", |it| text(it, Wire::Text, "VALUE\r\n")),
        ("a key and no more", |it| {
            text(it, Wire::Text, format!("VALUE {}\r\n", it.keys[0]))
        }),
        ("HD", |it| {
            text(it, Wire::Meta, format!("HD O{}\r\n", it.opaque))
        }),
        ("NF", |it| {
            text(it, Wire::Meta, format!("NF O{}\r\n", it.opaque))
        }),
        ("another packet", |it| {
            packet(it, |packet| packet.opcode = 0x05)
        }),
        ("data of another type", |it| {
            packet(it, |packet| packet.data_type = 1)
        }),
    ];
    play(protocol, &reads, calls::reads());
    let writes: [(&str, Reply); 7] = [
        ("END", |it| text(it, Wire::Text, "END\r\n")),
        ("a value", |it| {
            text(
                it,
                Wire::Text,
                format!("VALUE {} 0 1\r\n1\r\nEND\r\n", it.keys[0]),
            )
        }),
        ("negative", |it| text(it, Wire::Text, "-1\r\n")),
        ("over 64 bits", |it| {
            text(it, Wire::Text, "18446744073709551616\r\n")
        }),
        ("no number", |it| text(it, Wire::Text, "1x\r\n")),
        ("EN", |it| {
            // Of a touch it is a miss.
            let line = format!("EN O{}\r\n", it.opaque);
            (it.command != "touch").then(|| text(it, Wire::Meta, line))?
        }),
        ("another packet", |it| {
            packet(it, |packet| packet.opcode = 0x00)
        }),
    ];
    let is_write = |call: &Call| call.effect != Effect::Reads && call.name != "get_and_touch";
    play(protocol, &writes, calls::all().filter(is_write));
}
