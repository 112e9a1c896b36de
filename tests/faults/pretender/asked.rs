use super::packet::{self, Packet};
use std::io::{self, BufRead, BufReader, Read};

/// In which protocol a request came. (A client that speaks meta sends classic `get` lines, too.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Text,
    Meta,
    Binary,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Asked {
    pub wire: Wire,
    /// As the text protocol calls it: `get`, `set`, `cas`; `gets` is a `get`, a fence a `noop`.
    pub command: &'static str,
    pub keys: Vec<String>,
    /// Whether only a surprise is answered.
    pub is_quiet: bool,
    pub opaque: u32,
    opcode: u8,
    /// Whether a hit has its cas id.
    with_cas: bool,
}

/// What a value is announced with, and what ends it.
#[derive(Debug, Clone)]
pub struct Line {
    /// In text alone.
    pub key: String,
    pub flags: String,
    pub length: String,
    pub value: String,
    pub end: String,
}

impl Line {
    /// As it should be.
    pub fn of(key: &str) -> Self {
        let value = value_of(key);
        Self {
            key: key.to_owned(),
            flags: "0".to_owned(),
            length: value.len().to_string(),
            value,
            end: "\r\n".to_owned(),
        }
    }
}

/// The value that the key has.
pub fn value_of(key: &str) -> String {
    format!("value of {key}")
}

impl Asked {
    /// The next request; `None` at the end of the stream.
    pub(super) fn read(from: &mut BufReader<impl Read>) -> io::Result<Option<Self>> {
        match from.fill_buf()?.first() {
            None => return Ok(None),
            Some(0x80) => {
                from.consume(1);
                return packet::read(from).map(|packet| Some(Self::of_packet(&packet)));
            }
            Some(_) => {}
        }
        let mut line = String::new();
        from.read_line(&mut line)?;
        let words: Vec<&str> = line.trim_end().split(' ').collect();
        let (asked, body) = match words[0] {
            "mg" | "ms" | "md" | "ma" | "mn" => Self::of_meta(&words),
            _ => Self::of_text(&words),
        };
        if let Some(length) = body {
            let mut body = vec![0; length + 2];
            from.read_exact(&mut body)?;
            assert!(body.ends_with(b"\r\n"), "{line:?} with {body:?}");
        }
        Ok(Some(asked))
    }

    /// Of a line of the text protocol, with the length of the value that follows.
    fn of_text(words: &[&str]) -> (Self, Option<usize>) {
        let (command, keys, body) = match words {
            ["get", keys @ ..] => ("get", keys, None),
            ["gets", keys @ ..] => ("get", keys, None),
            ["gat" | "gats", _, keys @ ..] => ("gat", keys, None),
            ["delete", ..] => ("delete", &words[1..2], None),
            ["touch", ..] => ("touch", &words[1..2], None),
            ["incr", ..] => ("incr", &words[1..2], None),
            ["decr", ..] => ("decr", &words[1..2], None),
            ["version"] => ("version", &[][..], None),
            [store, _, _, _, length, ..] => {
                let all = ["set", "add", "replace", "append", "prepend", "cas"];
                let store = all.iter().find(|name| *name == store).expect("a command");
                (*store, &words[1..2], Some(length.parse().unwrap()))
            }
            _ => panic!("{words:?}"),
        };
        let asked = Self {
            wire: Wire::Text,
            command,
            keys: keys.iter().map(ToString::to_string).collect(),
            is_quiet: false,
            opaque: 0,
            opcode: 0,
            with_cas: ["gets", "gats"].contains(&words[0]),
        };
        (asked, body)
    }

    fn of_meta(words: &[&str]) -> (Self, Option<usize>) {
        let has = |flag: &str| words[1..].iter().skip(1).any(|word| *word == flag);
        let has_token = |letter| words.iter().skip(2).any(|word| word.starts_with(letter));
        let command = match words[0] {
            "mn" => "noop",
            "md" => "delete",
            "ma" if has("MD") => "decr",
            "ma" => "incr",
            "mg" if !has("v") => "touch",
            "mg" if has_token('T') => "gat",
            "mg" => "get",
            _ if has_token('C') => "cas",
            _ if has("ME") => "add",
            _ if has("MR") => "replace",
            _ if has("MA") => "append",
            _ if has("MP") => "prepend",
            _ => "set",
        };
        let opaque = words.iter().find_map(|word| word.strip_prefix('O'));
        let asked = Self {
            wire: Wire::Meta,
            command,
            keys: words[1..].iter().take(1).map(ToString::to_string).collect(),
            is_quiet: words.len() > 1 && has("q"),
            opaque: opaque.map_or(0, |opaque| opaque.parse().unwrap()),
            opcode: 0,
            with_cas: words.len() > 1 && has("c"),
        };
        let body = (words[0] == "ms").then(|| words[2].parse().unwrap());
        (asked, body)
    }

    fn of_packet(packet: &packet::Request) -> Self {
        let command = match packet.opcode {
            0x00 | 0x09 => "get",
            0x01 | 0x11 if packet.cas != 0 => "cas",
            0x01 | 0x11 => "set",
            0x02 | 0x12 => "add",
            0x03 | 0x13 => "replace",
            0x0e | 0x19 => "append",
            0x0f | 0x1a => "prepend",
            0x04 | 0x14 => "delete",
            0x05 => "incr",
            0x06 => "decr",
            0x0a => "noop",
            0x0b => "version",
            0x1c => "touch",
            0x1d => "gat",
            other => panic!("opcode {other:#x}"),
        };
        let key = String::from_utf8(packet.key.clone()).unwrap();
        Self {
            wire: Wire::Binary,
            command,
            keys: [key].into_iter().filter(|key| !key.is_empty()).collect(),
            is_quiet: matches!(packet.opcode, 0x09 | 0x11..=0x14 | 0x19 | 0x1a),
            opaque: packet.opaque,
            opcode: packet.opcode,
            with_cas: true,
        }
    }

    /// What is written down of it: `get key` for each key, or `noop`.
    pub(super) fn lines(&self) -> Vec<String> {
        if self.keys.is_empty() {
            return vec![self.command.to_owned()];
        }
        let line = |key| format!("{} {key}", self.command);
        self.keys.iter().map(line).collect()
    }

    /// What an honest server answers.
    pub fn honest(&self) -> Vec<u8> {
        match self.command {
            "get" | "gat" => {
                let mut bytes: Vec<u8> = self.keys.iter().flat_map(|key| self.hit(key)).collect();
                if self.wire == Wire::Text {
                    bytes.extend(b"END\r\n");
                }
                bytes
            }
            _ if self.is_quiet => Vec::new(),
            "incr" | "decr" => match self.wire {
                Wire::Text => b"1\r\n".to_vec(),
                Wire::Meta => format!("VA 1 O{}\r\n1\r\n", self.opaque).into(),
                Wire::Binary => {
                    let value = &1_u64.to_be_bytes();
                    Packet {
                        value,
                        ..self.packet()
                    }
                    .bytes()
                }
            },
            _ => self.done(),
        }
    }

    /// A value, without what ends a line of gets.
    pub fn hit(&self, key: &str) -> Vec<u8> {
        if self.wire != Wire::Binary {
            return self.line(&Line::of(key));
        }
        Packet {
            cas: 1,
            extras: &[0; 4],
            value: value_of(key).as_bytes(),
            ..self.packet()
        }
        .bytes()
    }

    /// A value in text or meta, with every field free to be wrong.
    pub fn line(&self, line: &Line) -> Vec<u8> {
        let Line {
            key,
            flags,
            length,
            value,
            end,
        } = line;
        let cas = match (self.wire, self.with_cas) {
            (_, false) => "",
            (Wire::Text, true) => " 1",
            (_, true) => " c1",
        };
        let line = match self.wire {
            Wire::Text => format!("VALUE {key} {flags} {length}{cas}\r\n{value}{end}"),
            _ => format!("VA {length} f{flags}{cas} O{}\r\n{value}{end}", self.opaque),
        };
        line.into()
    }

    fn done(&self) -> Vec<u8> {
        match (self.wire, self.command) {
            (Wire::Text, "delete") => b"DELETED\r\n".to_vec(),
            (Wire::Text, "touch") => b"TOUCHED\r\n".to_vec(),
            (_, "version") if self.wire == Wire::Binary => Packet {
                value: b"1.6.18",
                ..self.packet()
            }
            .bytes(),
            (_, "version") => b"VERSION 1.6.18\r\n".to_vec(),
            (Wire::Text, _) => b"STORED\r\n".to_vec(),
            (Wire::Meta, "noop") => b"MN\r\n".to_vec(),
            (Wire::Meta, _) => format!("HD O{}\r\n", self.opaque).into(),
            (Wire::Binary, _) => self.packet().bytes(),
        }
    }

    /// The same request, one before it.
    pub fn earlier(&self) -> Self {
        Self {
            opaque: self.opaque.wrapping_sub(1),
            ..self.clone()
        }
    }

    /// An error: `text` says what kind it is in text and meta, `status` in binary.
    pub fn error(&self, text: &str, status: u16) -> Vec<u8> {
        match self.wire {
            Wire::Text | Wire::Meta => format!("{text}\r\n").into(),
            Wire::Binary => Packet {
                status,
                value: text.as_bytes(),
                ..self.packet()
            }
            .bytes(),
        }
    }

    /// A packet that says that it is done, and nothing else.
    pub fn packet(&self) -> Packet<'static> {
        Packet {
            magic: 0x81,
            opcode: self.opcode,
            data_type: 0,
            status: 0,
            opaque: self.opaque,
            cas: 0,
            extras: &[],
            key: &[],
            value: &[],
            claims: None,
        }
    }
}
