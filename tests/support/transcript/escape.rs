//! Bytes as text: `\r`, `\n`, `\t`, `\0`, `\\`, `\x7f`, and `\(k*250)` for repetitions, of bytes or of escapes.

/// From how many equal bytes or lines on they are written as a repetition.
const EQUAL_BYTES: usize = 40;
const EQUAL_LINES: usize = 5;

pub fn read(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let (byte, length) = match escape.as_bytes()[0] {
            b'r' => (b'\r', 1),
            b'n' => (b'\n', 1),
            b't' => (b'\t', 1),
            b'0' => (0, 1),
            b'\\' => (b'\\', 1),
            b'x' => (u8::from_str_radix(&escape[1..3], 16).unwrap(), 3),
            b'(' => {
                let end = escape.find(')').unwrap();
                let (what, times) = escape[1..end].rsplit_once('*').unwrap();
                bytes.extend(read(what).repeat(times.parse().unwrap()));
                rest = &escape[end + 1..];
                continue;
            }
            other => panic!("no such escape: \\{}", char::from(other)),
        };
        bytes.push(byte);
        rest = &escape[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

pub fn write(bytes: &[u8]) -> String {
    let mut text = String::new();
    for run in bytes.chunk_by(|one, other| one == other) {
        let byte = escaped(run[0]);
        if run.len() < EQUAL_BYTES {
            text.push_str(&byte.repeat(run.len()));
        } else {
            text.push_str(&repetition(&byte, run.len()));
        }
    }
    text
}

/// One text for each line, or for several that are equal.
pub fn write_lines(bytes: &[u8]) -> Vec<String> {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
    let mut texts = Vec::new();
    for run in lines.chunk_by(|one, other| one == other) {
        let line = write(run[0]);
        if run.len() < EQUAL_LINES || line.contains(['(', ')']) {
            texts.extend(vec![line; run.len()]);
        } else {
            texts.push(repetition(&line, run.len()));
        }
    }
    texts
}

fn repetition(text: &str, times: usize) -> String {
    format!("\\({text}*{times})")
}

fn escaped(byte: u8) -> String {
    match byte {
        b'\r' => "\\r".to_owned(),
        b'\n' => "\\n".to_owned(),
        b'\t' => "\\t".to_owned(),
        0 => "\\0".to_owned(),
        b'\\' => "\\\\".to_owned(),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    }
}
