//! `mc set`, `mc add` and `mc replace`.

use crate::outcome::{Failure, Outcome, missing, say};
use crate::time;
use crate::value::Value;
use clap::{Args, ValueEnum};
use moecache::{Client, Expiry};
use serde::Serialize;
use serde_bytes::Bytes;
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

#[derive(Args)]
pub(crate) struct Store {
    /// 1 to 250 bytes, printable ASCII unless --key-bytes says otherwise
    key: String,
    /// The value; read from standard input if it is not given, where the last line end is left
    /// out unless the type is bytes
    #[arg(allow_negative_numbers = true)]
    value: Option<OsString>,
    /// What to store the value as
    #[arg(long = "type", value_enum, default_value = "str")]
    kind: Kind,
    /// When the value expires: 90 (seconds), 15m, 2h, 7d, never; rounded up to a second
    #[arg(
        long,
        default_value = "never",
        value_parser = time::expiry,
        allow_hyphen_values = true
    )]
    expiry: Expiry,
}

/// Under which condition.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Set,
    Add,
    Replace,
}

impl Store {
    pub(crate) fn run(mut self, client: &Client, mode: Mode) -> Result<Outcome, Failure> {
        let bytes = match self.value.take() {
            Some(value) => value.into_encoded_bytes(),
            None => read(self.kind)?,
        };
        let place = Place {
            client,
            mode,
            key: &self.key,
            expiry: self.expiry,
        };
        let is_stored = match self.kind {
            Kind::Bytes => place.store(Bytes::new(&bytes))?,
            Kind::Str => place.parse::<String>(bytes, "str")?,
            Kind::Bool => place.parse::<bool>(bytes, "bool")?,
            Kind::I8 => place.parse::<i8>(bytes, "i8")?,
            Kind::I16 => place.parse::<i16>(bytes, "i16")?,
            Kind::I32 => place.parse::<i32>(bytes, "i32")?,
            Kind::I64 => place.parse::<i64>(bytes, "i64")?,
            Kind::U8 => place.parse::<u8>(bytes, "u8")?,
            Kind::U16 => place.parse::<u16>(bytes, "u16")?,
            Kind::U32 => place.parse::<u32>(bytes, "u32")?,
            Kind::U64 => place.parse::<u64>(bytes, "u64")?,
            Kind::F32 => place.parse::<f32>(bytes, "f32")?,
            Kind::F64 => place.parse::<f64>(bytes, "f64")?,
            Kind::Json => place.parse::<Value>(bytes, "json")?,
        };
        Ok(match mode {
            _ if is_stored => Outcome::Done,
            Mode::Add => {
                say(&format!("{}: is there already", self.key));
                Outcome::Unmet
            }
            Mode::Set | Mode::Replace => missing(&self.key),
        })
    }
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
struct Place<'a> {
    client: &'a Client,
    mode: Mode,
    key: &'a str,
    expiry: Expiry,
}

impl Place<'_> {
    /// The library stores by the Rust type, so a number has to become one first.
    fn parse<T>(&self, bytes: Vec<u8>, name: &str) -> Result<bool, Failure>
    where
        T: FromStr<Err: Display> + Serialize,
    {
        let command = match self.mode {
            Mode::Set => "set",
            Mode::Add => "add",
            Mode::Replace => "replace",
        };
        let refused = |reason: &dyn Display| {
            Failure::Usage(format!("{command}: the value is no {name}: {reason}"))
        };
        let text = String::from_utf8(bytes).map_err(|error| refused(&error.utf8_error()))?;
        let value: T = text.parse().map_err(|error| refused(&error))?;
        Ok(self.store(value)?)
    }

    /// `false` if the condition is not met.
    fn store(&self, value: impl Serialize) -> moecache::Result<bool> {
        match self.mode {
            Mode::Set => self.client.set(self.key, value, self.expiry).map(|()| true),
            Mode::Add => self.client.add(self.key, value, self.expiry),
            Mode::Replace => self.client.replace(self.key, value, self.expiry),
        }
    }
}
