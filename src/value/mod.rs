//! How values are stored: which Rust type becomes which flags and bytes.
//!
//! [`Client::set`](crate::Client::set) looks at the type of the value itself, not at what is inside
//! it. Newtype structs and `Some` stand for what they hold.
//!
//! | Rust | stored as | flags | bytes |
//! |---|---|---|---|
//! | `None`, `()` | .NET null | 258 | none |
//! | `bool` | .NET Boolean | 259 | 1 |
//! | `char` up to U+FFFF | .NET Char | 260 | 2, UTF-16 |
//! | `i8`, `u8` | .NET SByte, Byte | 261, 262 | 1 |
//! | `i16`, `u16` | .NET Int16, UInt16 | 263, 264 | 2 |
//! | `i32`, `u32` | .NET Int32, UInt32 | 265, 266 | 4 |
//! | `i64`, `u64` | .NET Int64, UInt64 | 267, 268 | 8 |
//! | `f32`, `f64` | .NET Single, Double | 269, 270 | 4, 8 |
//! | [`DateTime`] | .NET DateTime | 272 | 8, `ToBinary()` |
//! | `str`, `String` | .NET String, and Python's `str` | 274 | UTF-8 |
//! | bytes; a sequence or tuple of `u8` that is not empty | .NET `byte[]` | 64082 (0xfa52) | as they are |
//! | everything else | MessagePack, structs with named fields | 19776 (0x4d40) | |
//!
//! Numbers are little-endian. Flags and bytes are those of EnyimMemcached's `DefaultTranscoder`,
//! checked against recordings of it; those of strings are also moecache's. The flags of MessagePack
//! are our own: every known client of another language refuses them or returns the bytes untouched.
//!
//! [`Client::get`](crate::Client::get) checks that what is stored is what was asked for. Integers
//! convert where the number fits, `f32` to `f64`, nothing else. Flags 0, as memcached's own counters
//! and many other clients have them, are text: a `String`, or an integer type if it is a number;
//! an empty one is `""`, and for an `Option` `None`, as EnyimMemcached reads it. A string of digits
//! (flags 274), with which EnyimMemcached and Python's moecache start a counter, can be read as an
//! integer, too. Flags 256 without data are a null, as older versions of EnyimMemcached store it.
//!
//! This is the default [`Format`], [`Format::Moecache`]; the others are told about below.
//!
//! # The other formats
//!
//! Each stores what its owner would, byte for byte where it is not compressed, and reads whatever
//! its owner reads, or says what it is. What would need another language's code to be read
//! (BinaryFormatter, Java's serialization, objects in Marshal, `serialize` or a pickle) is refused by
//! name and never run. What a client cannot hold is refused too, by an error of
//! [kind encode](crate::Error::is_encode). Flags that a client ignores and does not write itself are
//! read as bytes, not as text.
//!
//! | Rust | `Dalli` (Ruby) | `Php` | `Spymemcached` (Java) | `Raw` |
//! |---|---|---|---|---|
//! | `None`, `()` | nil | null | - | - |
//! | `bool` | true, false | bool | Boolean | - |
//! | integers | Integer, of any width | integer, up to `i64` | Byte (`i8`), Integer (`u8` to `i32`), Long (to `i64`) | decimal |
//! | `f32`, `f64` | Float | float | Float, Double | - |
//! | `str` | String in UTF-8 | string | String | text |
//! | bytes | String in ASCII-8BIT | string | `byte[]` | bytes |
//! | [`DateTime`] | - | - | Date, whole milliseconds | - |
//! | lists, structs, maps | Array, Hash | array | - | - |
//!
//! * **.NET** ([`Enyim`](Format::Enyim)): as the default, but an item's type is `flags & 0xff`, as
//!   EnyimMemcached has it. [`EnyimCoreMessagePack`](Format::EnyimCoreMessagePack): objects under
//!   flags 257 are MessagePack maps, both ways, as `ContractlessStandardResolver` makes them of
//!   properties:
//!
//!   ```
//!   # fn main() -> moecache::Result<()> {
//!   use moecache::{Client, Library};
//!   use serde::{Deserialize, Serialize};
//!
//!   #[derive(Serialize, Deserialize)]
//!   #[serde(rename_all = "PascalCase")]
//!   struct Person {
//!       first_name: String, // public string FirstName { get; set; }
//!       age: i32,           // public int Age { get; set; }
//!   }
//!
//!   let client = Client::builder()
//!       .servers(["127.0.0.1:11211"])
//!       .compatible_with(Library::EnyimCoreMessagePack)
//!       .build()?;
//!   # let _ = client;
//!   # Ok(())
//!   # }
//!   ```
//! * **Ruby** ([`Dalli`](Format::Dalli) and the three after it): flags 1 is Marshal 4.8, or JSON, 2
//!   zlib, 4 a UTF-8 string that is stored as it is. Symbols are read as strings; strings in other
//!   encodings, and those that are not valid in their own, as bytes; links are followed. Flags 0 are bytes, which are also a string if they are
//!   UTF-8, and a number if they are one.
//! * **PHP** ([`Php`](Format::Php), [`PhpJson`](Format::PhpJson)): the lowest four bits are string,
//!   integer, float, bool, serialised, JSON; then compressed, by zlib, or by FastLZ or (since
//!   php-memcached 3.3) Zstandard, which are read and not written.
//! * **Java** ([`Spymemcached`](Format::Spymemcached)): numbers in big endian without leading zeros;
//!   gzip is 2. Text under flags 0 can also be read as a counter.
//! * **[`Raw`](Format::Raw)**: text and numbers under flags 0, which a type that takes whatever there is
//!   reads as a string where they are UTF-8; under any other flags, which are the
//!   program's own, bytes.
//!
//! JSON ([`DalliJson`](Format::DalliJson), [`PhpJson`](Format::PhpJson)) needs the feature `json`. It
//! holds no bytes, no infinite floats and no map keys but strings. Maps keep their order, and of a key
//! that is there twice the last value counts.
//!
//! PHP has one array for lists and maps and one string for text and bytes; JSON may write a float
//! without a fraction. So what was read from a language's own format ([`Decoded::Tree`]) also reads as
//! the other type: a whole number of at most 64 bits as a float that is the same number (or of which
//! JavaScript makes the same digits), text as bytes, a list as a map of its indices, and a map's integer
//! keys as strings of their digits.
//!
//! # Python's formats
//!
//! What the flags are in the formats of pylibmc, python-memcached, pymemcache with its serdes,
//! pyermc and Python's moecache:
//!
//! | Rust | Python | pylibmc | python-memcached, pymemcache | pyermc | moecache |
//! |---|---|---|---|---|---|
//! | `str`, `String` | `str` | 16 | 16 | 0 | 274 |
//! | bytes | `bytes` | 0 | 0 | 0 | 256, a pickle |
//! | integers, as decimal text | `int` | 4 | 2 | 2, and 4 beyond 64 bits | 256, a pickle |
//! | `bool` | `bool` | 2, `1` or `0` | 1, a pickle | 2, `1` or `0` | 256, a pickle |
//! | everything else | | 1, a pickle | 1, a pickle | 1, a pickle | 256, a pickle |
//! | compressed | | + 8, zlib | + 8, zlib (pymemcache: `compressed_serde`) | + 8, lz4 | none |
//!
//! Other flags mean what they mean to the client, which may not look at all of their bits; where it
//! raises, they are an error. A [`DateTime`] is refused.
//!
//! * Bytes (flags 0) have no stated type: a `Vec<u8>`, a `String` if they are UTF-8, or an integer
//!   type if they are a number, as memcached's counters are. For a type that takes whatever there is
//!   they are bytes; in pyermc and in pymemcache without a serde, whose strings are stored in the same
//!   way, a string if they are UTF-8. Of no
//!   bytes, pyermc makes None, and so does an `Option` in its format.
//! * Where bools are stored as integers, `1` and `0` are read as either.
//! * Integers of more than 128 bits are refused.
//!
//! **Pickles** need the feature `pickle`, and without it are refused by name. Plain data is read of
//! any protocol, 0 to 5, and written as protocol 2, which Python 2 and 3 read: None, bool, int,
//! float, str, bytes, list, tuple and dict; structs are dicts, tuples tuples. bytearray is read as
//! bytes, set and frozenset as sequences, and Python 2's str as a string where it is UTF-8, else as
//! bytes. A float reads as an `f32` if it is one exactly. Nothing in a pickle is looked up or called:
//! an object of a class is an error with the name of the class. With the feature, the default format
//! reads what Python's moecache pickled (flags 256) too; what it writes stays the same.
//!
//! ```
//! # #[cfg(feature = "pickle")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use moecache::Client;
//! use moecache::value::Format;
//!
//! # let server = moecache::testing::Server::start()?;
//! # let address = server.address();
//! let client = Client::builder().servers(address).format(Format::Pylibmc).build()?;
//! client.set("user", ("bob", 7, 1.5), 0)?; // In Python: ('bob', 7, 1.5)
//! let user: (String, u8, f64) = client.get("user")?.expect("it was just stored");
//! assert_eq!(user, ("bob".to_owned(), 7, 1.5));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "pickle"))]
//! # fn main() {}
//! ```
//!
//! # Compression
//!
//! See [`Compression`]. What is compressed is always read, if the feature is there, and never to more
//! than `max_decompressed_size`, which also limits what Ruby's links stand for.
//!
//! # Limits
//!
//! * `Some(None)` reads back as `None`.
//! * A `u128` and an `i128` are stored alike: read each as what it was.
//! * Nesting is limited to 128 levels, in both directions.
//! * Serialisers and deserialisers say that they are not human-readable. serde reads internally
//!   tagged (`tag = ".."`) and untagged enums, and what stands under `flatten`, through a buffer that
//!   says the opposite, and has no 128-bit integers. So types whose binary form differs from their
//!   text (`IpAddr`, `Uuid`) and 128-bit integers are stored in such a place but **cannot be read
//!   back**: a decode error. Give the enum a `content` too, or the default, external tag.

// A transcoder maps values to flags and bytes and back, as one family of clients does; serde types
// are lowered to its values (`lower`), and read from what it decoded (`read`). May use the leaves of
// the crate only.

mod byte;
mod codec;
mod compression;
mod date_time;
mod enyim;
mod fault;
mod float;
mod foreign;
mod format;
mod graph;
mod java;
mod json;
mod lower;
mod marshal;
mod msgpack;
mod php;
mod pickle;
mod python;
mod raw;
mod read;
mod ruby;
#[cfg(test)]
pub(crate) mod tests;
mod to_tree;
mod transcoder;
mod tree;

pub use compression::Compression;
pub use date_time::DateTime;
pub use format::Format;
pub(crate) use lower::{Buffer, encode, encode_item};
pub use msgpack::Document;
pub(crate) use read::{decode, decode_bytes};
pub use transcoder::{Body, Decoded, Object, Transcoder, Value};
pub use tree::Tree;

#[cfg(any(test, fuzzing))]
pub(crate) use enyim::Enyim;
