//! Numbers and strings as pickles write them, in lines of text (protocol 0) and in binary.

use super::refused::Refused;
use crate::value::tree::Tree;

/// What follows INT: `00` and `01` are the bools of protocol 0 and 1.
pub(super) fn int(line: &[u8]) -> Result<Tree, Refused> {
    match line {
        b"00" => Ok(Tree::Bool(false)),
        b"01" => Ok(Tree::Bool(true)),
        _ => decimal(line),
    }
}

/// What follows LONG: Python 2 ends it with an `L`, and so do Python 3's pickles.
pub(super) fn long(line: &[u8]) -> Result<Tree, Refused> {
    decimal(line.strip_suffix(b"L").unwrap_or(line))
}

fn decimal(digits: &[u8]) -> Result<Tree, Refused> {
    let text = crate::value::transcoder::decimal(digits).ok_or(Refused::Number)?;
    match (text.parse(), text.parse()) {
        (Ok(number), _) => Ok(Tree::Integer(number)),
        (_, Ok(number)) => Ok(Tree::Unsigned(number)),
        _ => Err(Refused::Wide),
    }
}

/// What follows FLOAT: what Python's `repr` shows, `nan` and `-inf` too.
pub(super) fn float(line: &[u8]) -> Result<Tree, Refused> {
    let text = std::str::from_utf8(line).map_err(|_| Refused::Number)?;
    text.parse().map(Tree::Float).map_err(|_| Refused::Number)
}

/// What follows LONG1 and LONG4: two's complement in little endian, of no bytes for 0.
pub(super) fn binary_long(bytes: &[u8]) -> Result<Tree, Refused> {
    let is_negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let sign = if is_negative { 0xff } else { 0 };
    let (low, high) = bytes.split_at(bytes.len().min(16));
    if high.iter().any(|&byte| byte != sign) {
        return Err(Refused::Wide);
    }
    let mut extended = [sign; 16];
    extended[..low.len()].copy_from_slice(low);
    let number = i128::from_le_bytes(extended);
    match (is_negative, number < 0) {
        (false, true) => Ok(Tree::Unsigned(u128::from_le_bytes(extended))),
        (true, false) => Err(Refused::Wide),
        _ => Ok(Tree::Integer(number)),
    }
}

/// Python 2's str, which is bytes and most often text: the one that it can be.
pub(super) fn str_or_bytes(bytes: &[u8]) -> Tree {
    match std::str::from_utf8(bytes) {
        Ok(text) => Tree::String(text.to_owned()),
        Err(_) => Tree::Bytes(bytes.to_owned()),
    }
}

/// What follows STRING: Python 2's `repr` of a str.
pub(super) fn quoted(line: &[u8]) -> Result<Tree, Refused> {
    let ([b'\'', inside @ .., b'\''] | [b'"', inside @ .., b'"']) = line else {
        return Err(Refused::Text);
    };
    let mut bytes = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let (&escaped, after) = rest.split_first().ok_or(Refused::Text)?;
        rest = after;
        bytes.push(match escaped {
            b'\\' | b'\'' | b'"' => escaped,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => {
                let (value, after) = hex(rest, 2)?;
                rest = after;
                u8::try_from(value).map_err(|_| Refused::Text)?
            }
            // `repr` writes no others.
            _ => return Err(Refused::Text),
        });
    }
    Ok(str_or_bytes(&bytes))
}

/// What follows UNICODE: Latin-1, and `\uXXXX` or `\UXXXXXXXX` for all else. Builds of Python 2
/// that are narrow write two of the former for one character.
pub(super) fn raw_unicode(line: &[u8]) -> Result<Tree, Refused> {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    let mut surrogate = None;
    while let Some((&byte, after)) = rest.split_first() {
        let (code, after) = match (byte, after) {
            (b'\\', [b'u', digits @ ..]) => hex(digits, 4)?,
            (b'\\', [b'U', digits @ ..]) => hex(digits, 8)?,
            _ => (u32::from(byte), after),
        };
        rest = after;
        match (surrogate.take(), code) {
            (None, 0xd800..=0xdbff) => surrogate = Some(code),
            (Some(high), 0xdc00..=0xdfff) => {
                let code = 0x10000 + ((high - 0xd800) << 10) + (code - 0xdc00);
                text.push(char::from_u32(code).ok_or(Refused::Text)?);
            }
            (None, _) => text.push(char::from_u32(code).ok_or(Refused::Text)?),
            (Some(_), _) => return Err(Refused::Text),
        }
    }
    match surrogate {
        Some(_) => Err(Refused::Text),
        None => Ok(Tree::String(text)),
    }
}

fn hex(bytes: &[u8], digits: usize) -> Result<(u32, &[u8]), Refused> {
    let (number, rest) = bytes.split_at_checked(digits).ok_or(Refused::Text)?;
    let number = number.iter().try_fold(0, |number: u32, &digit| {
        let digit = char::from(digit).to_digit(16)?;
        Some(number << 4 | digit)
    });
    Ok((number.ok_or(Refused::Text)?, rest))
}

/// Bytes as protocols 0 to 2 write them in Python 3: a character for each.
pub(super) fn latin1(text: &str) -> Option<Vec<u8>> {
    let bytes = text.chars().map(|c| u8::try_from(u32::from(c)).ok());
    bytes.collect()
}
