//! The hash functions that the peers place keys with. Pure, and pinned by the recorded placements
//! in `tests/vectors/`. May use nothing of the crate but the leaves.

mod crc;
mod digest;
mod fnv;
mod hsieh;
mod java;
mod jenkins;
mod key_hash;
mod murmur;
#[cfg(feature = "tiger")]
mod tiger;

pub(crate) use digest::{Digest, MD5, SHA1, md5_words};
pub(crate) use fnv::{FNV_32_INIT, FNV_64_INIT, fnv1_32, fnv1_64, fnv1a_32, fnv1a_64};
pub(crate) use key_hash::KeyHash;
pub(crate) use murmur::{Murmur3, murmur2};

use crate::names::names;

/// The hash function of a [`Distribution`](crate::Distribution) that leaves a choice.
///
/// A name means what the owner of the distribution computes under it, and they differ:
/// EnyimMemcached's `fnv1a_32` is FNV-1 of 64 bits and its `oneatatime` is always 0, and beyond ASCII
/// C's FNV hashes signed bytes, Java's units of UTF-16. Which names a distribution takes,
/// [`Scheme::all`](crate::Scheme::all) lists.
///
/// Parses from and prints to libmemcached's name where it has one; case does not matter. The constants
/// of C, PHP and Java parse too: `MEMCACHED_HASH_MD5`, `Memcached::HASH_MD5`, `KETAMA_HASH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hash {
    /// Jenkins' one-at-a-time: libmemcached's `default`.
    OneAtATime,
    /// The first four bytes of an MD5 digest, little endian; `KETAMA_HASH` in spymemcached.
    Md5,
    /// 15 bits of a CRC-32: twemproxy's `crc32`, spymemcached's `CRC_HASH`.
    Crc,
    /// CRC-32, all of it: twemproxy's `crc32a`.
    Crc32a,
    /// CRC-16: twemproxy's.
    Crc16,
    /// FNV-1, 32 bits.
    Fnv1_32,
    /// FNV-1a, 32 bits.
    Fnv1a32,
    /// FNV-1, the low 32 of 64 bits.
    Fnv1_64,
    /// FNV-1a, the low 32 of 64 bits.
    Fnv1a64,
    /// MurmurHash2.
    Murmur,
    /// MurmurHash3, x86, 32 bits.
    Murmur3,
    /// Jenkins' lookup3.
    Jenkins,
    /// Hsieh's SuperFastHash.
    Hsieh,
    /// SHA-1, in EnyimMemcached's ketama. Needs the feature `sha1`.
    Sha1,
    /// Tiger, in EnyimMemcached's ketama. Needs the feature `tiger`.
    Tiger,
    /// Java's `String.hashCode()`: spymemcached's `NATIVE_HASH`.
    Native,
}

names!(
    Hash, "hash", word;
    OneAtATime "default"
    Md5 "md5"
    Crc "crc"
    Crc32a "crc32a"
    Crc16 "crc16"
    Fnv1_32 "fnv1_32"
    Fnv1a32 "fnv1a_32"
    Fnv1_64 "fnv1_64"
    Fnv1a64 "fnv1a_64"
    Murmur "murmur"
    Murmur3 "murmur3"
    Jenkins "jenkins"
    Hsieh "hsieh"
    Sha1 "sha1"
    Tiger "tiger"
    Native "native"
);

/// `MEMCACHED_HASH_MD5`, `Memcached::HASH_MD5`, `DefaultHashAlgorithm.CRC_HASH` are names, too.
fn word(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let name = lower.rsplit(['.', ':']).next().unwrap_or_default();
    let name = name.strip_prefix("memcached_").unwrap_or(name);
    let name = name.strip_prefix("hash_").unwrap_or(name);
    let name = match name.strip_suffix("_hash").unwrap_or(name) {
        "one_at_a_time" | "oneatatime" => "default",
        "crc32" => "crc",
        "ketama" => "md5",
        name => name,
    };
    name.to_owned()
}

/// Tiger, as EnyimMemcached computes it; `None` without the feature.
#[cfg(feature = "tiger")]
pub(crate) const TIGER: Option<Digest<6>> = Some(tiger::TIGER);
#[cfg(not(feature = "tiger"))]
pub(crate) const TIGER: Option<Digest<6>> = None;

/// The bytes as C has them where `char` is signed, as on x86: those from 0x80 up are negative, and
/// become large numbers when they are widened.
fn sign_extended(byte: u8) -> u32 {
    u32::from(byte) | if byte < 0x80 { 0 } else { 0xffff_ff00 }
}

/// C's `(uint32_t) length`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a key has 250 bytes, and what is hashed beside keys is shorter yet"
)]
fn length(bytes: &[u8]) -> u32 {
    bytes.len() as u32
}
