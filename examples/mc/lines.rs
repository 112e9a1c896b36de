//! A file, or standard input, line by line.

use crate::outcome::Failure;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

pub(crate) struct Lines {
    /// The file's name.
    name: String,
    input: BufReader<Box<dyn Read>>,
    line: Vec<u8>,
    number: u64,
}

/// A line without its end. Shown, it is where it stands and what it says.
#[derive(Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) place: Place<'a>,
}

/// Where a line stands.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) file: &'a str,
    /// From 1.
    pub(crate) line: u64,
}

const STANDARD_INPUT: &str = "-";

impl Lines {
    /// `-` is standard input.
    pub(crate) fn open(file: &str) -> Result<Self, Failure> {
        let input: Box<dyn Read> = if file == STANDARD_INPUT {
            Box::new(io::stdin())
        } else {
            let opened = File::open(file);
            Box::new(opened.map_err(|error| Failure::File(file.to_owned(), error))?)
        };
        Ok(Self {
            name: file.to_owned(),
            input: BufReader::with_capacity(1 << 16, input),
            line: Vec::new(),
            number: 0,
        })
    }

    pub(crate) fn next(&mut self) -> Result<Option<Line<'_>>, Failure> {
        self.line.clear();
        match self.input.read_until(b'\n', &mut self.line) {
            Ok(0) => return Ok(None),
            Ok(_) => self.number += 1,
            Err(error) if self.name == STANDARD_INPUT => return Err(Failure::Input(error)),
            Err(error) => return Err(Failure::File(self.name.clone(), error)),
        }
        Ok(Some(Line {
            bytes: self.line.strip_suffix(b"\n").unwrap_or(&self.line),
            place: Place {
                file: &self.name,
                line: self.number,
            },
        }))
    }

    /// Whether the next line has to be waited for.
    pub(crate) fn is_drained(&self) -> bool {
        self.input.buffer().is_empty()
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: \"{}\"", self.place, self.bytes.escape_ascii())
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.file != STANDARD_INPUT {
            write!(f, "{}: ", self.file)?;
        }
        write!(f, "line {}", self.line)
    }
}
