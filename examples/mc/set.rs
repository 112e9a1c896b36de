//! `mc set`.

use crate::outcome::{Failure, Outcome};
use crate::value::Value;
use clap::ValueEnum;
use moecache::{Client, Expiry};
use serde::Serialize;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Read};
use std::str::FromStr;

/// What a value is stored as.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    Str,
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F32,
    F64,
    Bytes,
    Json,
}

pub(crate) fn set(
    client: &Client,
    key: &str,
    value: Option<OsString>,
    kind: Kind,
    expiry: Expiry,
) -> Result<Outcome, Failure> {
    let bytes = match value {
        Some(value) => value.into_encoded_bytes(),
        None => read(kind)?,
    };
    let store = Store {
        client,
        key,
        expiry,
    };
    match kind {
        Kind::Bytes => client.set_bytes(key, bytes, expiry)?,
        Kind::Str => store.parsed::<String>(bytes, "str")?,
        Kind::Bool => store.parsed::<bool>(bytes, "bool")?,
        Kind::I8 => store.parsed::<i8>(bytes, "i8")?,
        Kind::I16 => store.parsed::<i16>(bytes, "i16")?,
        Kind::I32 => store.parsed::<i32>(bytes, "i32")?,
        Kind::I64 => store.parsed::<i64>(bytes, "i64")?,
        Kind::U8 => store.parsed::<u8>(bytes, "u8")?,
        Kind::U16 => store.parsed::<u16>(bytes, "u16")?,
        Kind::U32 => store.parsed::<u32>(bytes, "u32")?,
        Kind::U64 => store.parsed::<u64>(bytes, "u64")?,
        Kind::F32 => store.parsed::<f32>(bytes, "f32")?,
        Kind::F64 => store.parsed::<f64>(bytes, "f64")?,
        Kind::Json => store.parsed::<Value>(bytes, "json")?,
    }
    Ok(Outcome::Done)
}

/// All of standard input. Its last newline, which `echo` and editors put there, belongs to the value
/// only if that is bytes.
fn read(kind: Kind) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let input = &mut io::stdin().lock();
    input.read_to_end(&mut bytes).map_err(Failure::Input)?;
    if !matches!(kind, Kind::Bytes) && bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    Ok(bytes)
}

/// Where a value goes once it is parsed.
struct Store<'a> {
    client: &'a Client,
    key: &'a str,
    expiry: Expiry,
}

impl Store<'_> {
    /// The library stores by the Rust type, so a number has to become one first.
    fn parsed<T>(&self, bytes: Vec<u8>, name: &str) -> Result<(), Failure>
    where
        T: FromStr<Err: Display> + Serialize,
    {
        let refused =
            |reason: &dyn Display| Failure::Usage(format!("set: the value is no {name}: {reason}"));
        let text = String::from_utf8(bytes).map_err(|error| refused(&error.utf8_error()))?;
        let value: T = text.parse().map_err(|error| refused(&error))?;
        Ok(self.client.set(self.key, value, self.expiry)?)
    }
}
