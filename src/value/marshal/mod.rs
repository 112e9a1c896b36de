//! Ruby's Marshal 4.8, as data: nil, true, false, Integer, Float, String, Symbol, Array and Hash.
//! Whatever else is in it is refused by name: no class is looked up, and nothing is called.
//!
//! Source: "Marshal Format" in Ruby's documentation (`doc/marshal.rdoc`), and its `marshal.c`.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub(super) use read::read;

pub(super) const NO_DATE_TIME: &str =
    "Ruby's Time is no plain data: store the seconds of the DateTime, or text";
