//! `mc get`.

use crate::outcome::{Failure, Outcome, each, missing};
use crate::value::Value;
use moecache::{Client, Item};
use std::io::{self, Write};

/// Values, or what is stored as them.
pub(crate) fn get(
    client: &Client,
    keys: &[String],
    item: bool,
    out: &mut impl Write,
) -> Result<Outcome, Failure> {
    if item {
        items(client, keys, out)
    } else {
        values(client, keys, out)
    }
}

/// One value goes out as it is, bytes untouched and anything else with a newline after it. Of
/// several each is a line, `key: value`: bytes are escaped, and so is a string that has control
/// characters.
fn values(client: &Client, keys: &[String], out: &mut impl Write) -> Result<Outcome, Failure> {
    let one = |key: &str, value| {
        let value = match value {
            None => return Ok(missing(key)),
            Some(Value::Array(values)) if values.is_empty() => empty(client, key)?,
            Some(value) => value,
        };
        match value {
            value if keys.len() > 1 => writeln!(out, "{key}: {}", value.on_one_line())?,
            Value::Bytes(bytes) => out.write_all(&bytes)?,
            value => writeln!(out, "{value}")?,
        }
        out.flush()?;
        Ok(Outcome::Done)
    };
    each(client, keys, |pipeline, key| pipeline.get(key), one)
}

/// To a type that takes anything, raw data of no bytes is an empty sequence like any other.
fn empty(client: &Client, key: &str) -> moecache::Result<Value> {
    let item = client.get::<Item>(key)?;
    Ok(match item {
        Some(item) if item.data.is_empty() => Value::Bytes(Vec::new()),
        _ => Value::Array(Vec::new()),
    })
}

/// What is stored, not decoded.
fn items(client: &Client, keys: &[String], out: &mut impl Write) -> Result<Outcome, Failure> {
    let one = |key: &str, item| {
        let Some(item) = item else {
            return Ok(missing(key));
        };
        if keys.len() > 1 {
            write!(out, "{key}: ")?;
        }
        write_item(&item, out)?;
        Ok(Outcome::Done)
    };
    each(client, keys, |pipeline, key| pipeline.get::<Item>(key), one)
}

fn write_item(item: &Item, out: &mut impl Write) -> io::Result<()> {
    let (flags, length) = (item.flags, item.data.len());
    writeln!(out, "flags {flags} (0x{flags:x})  {length} bytes")?;
    for (line, bytes) in item.data.chunks(16).enumerate() {
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let (left, right) = hex.split_at(hex.len().min(8));
        let text: String = bytes.iter().map(|&byte| printable(byte)).collect();
        let (offset, left, right) = (line * 16, left.join(" "), right.join(" "));
        writeln!(out, "{offset:08x}  {left:<23}  {right:<23}  |{text}|")?;
    }
    Ok(())
}

fn printable(byte: u8) -> char {
    match byte {
        b' '..=b'~' => byte.into(),
        _ => '.',
    }
}
