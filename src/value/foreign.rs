//! Whose flags are these? Names for the formats of other clients, for messages only.

use crate::error::{Error, Kind};

/// The error of flags that a client does not write.
pub(super) fn unknown(client: &str, flags: u32) -> Error {
    let owner = describe(flags).unwrap_or("stored by no client that moecache knows");
    let reason = format!("flags {flags}, which {client} does not know: {owner}");
    Error::new(Kind::Decode, reason)
}

/// The same, of flags that have other bits than `own`, which are those that a client gives a meaning to.
/// It may take such an item for one of its own.
pub(super) fn beyond(flags: u32, own: u32) -> Option<&'static str> {
    (flags & !own != 0).then(|| describe(flags)).flatten()
}

/// What an item with these flags most likely is, where known. Serialised objects that only their
/// own language can read, by running what they say, are refused by name.
///
/// Source: what each client was seen to store; the same flags mean different things to different
/// clients, so a row names all of them.
pub(super) fn describe(flags: u32) -> Option<&'static str> {
    Some(match flags {
        0x100 => {
            "a Python pickle as moecache stores it, or a Boolean of spymemcached; not executed"
        }
        0x101 => {
            "a .NET object of BinaryFormatter (BSON or MessagePack in EnyimMemcachedCore); not \
             executed"
        }
        1 => {
            "a Python pickle of pylibmc, python-memcached, pymemcache or pyermc, a Marshal object \
             of dalli, a Java object of spymemcached, or an integer of php-memcached; not executed"
        }
        2 => {
            "an integer of python-memcached, pymemcache or pyermc, a bool of pylibmc, a float of \
             php-memcached, or compressed data of dalli or spymemcached"
        }
        3 => "a compressed Marshal object of dalli, or a bool of php-memcached; not executed",
        4 => {
            "an integer of pylibmc or pyermc, a string of dalli, or a serialised PHP value of \
             php-memcached; not executed"
        }
        5 => "a PHP value in igbinary of php-memcached",
        6 => "a compressed string of dalli, or JSON of php-memcached",
        8 => {
            "compressed bytes of pylibmc, python-memcached or pymemcache, or a compressed string of pyermc"
        }
        9 => {
            "a compressed Python pickle of pylibmc, python-memcached, pymemcache or pyermc; not \
             executed"
        }
        10 | 12 => "a compressed integer of pylibmc, python-memcached, pymemcache or pyermc",
        16 => "a string of pylibmc, python-memcached or pymemcache",
        24 => "a compressed string of pylibmc, python-memcached or pymemcache",
        0x30..=0x36 | 0x50..=0x56 | 0x90..=0x96 => "compressed data of php-memcached",
        0x4d20 | 0x4d40 | 0x4d60 => "an object or a compressed value of this client's own format",
        0x102 => {
            "a null of this client's own format or of EnyimMemcached, or a compressed Boolean of spymemcached"
        }
        0x103 => "a bool of this client's own format, or a Boolean of EnyimMemcached",
        0x104 => "a char of this client's own format, or a Char of EnyimMemcached",
        0x105 => "an i8 of this client's own format, or an SByte of EnyimMemcached",
        0x106 => "a u8 of this client's own format, or a Byte of EnyimMemcached",
        0x107 => "an i16 of this client's own format, or an Int16 of EnyimMemcached",
        0x108 => "a u16 of this client's own format, or a UInt16 of EnyimMemcached",
        0x109 => "an i32 of this client's own format, or an Int32 of EnyimMemcached",
        0x10a => "a u32 of this client's own format, or a UInt32 of EnyimMemcached",
        0x10b => "an i64 of this client's own format, or an Int64 of EnyimMemcached",
        0x10c => "a u64 of this client's own format, or a UInt64 of EnyimMemcached",
        0x10d => "an f32 of this client's own format, or a Single of EnyimMemcached",
        0x10e => "an f64 of this client's own format, or a Double of EnyimMemcached",
        0x110 => "a DateTime of this client's own format, or a DateTime of EnyimMemcached",
        0x112 => "a string of this client's own format, of moecache or of EnyimMemcached",
        0xfa52 => "bytes of this client's own format or of EnyimMemcached",
        0x200 => "an Integer of spymemcached",
        0x300 => "a Long of spymemcached",
        0x400 => "a Date of spymemcached",
        0x500 => "a Byte of spymemcached",
        0x600 => "a Float of spymemcached",
        0x700 => "a Double of spymemcached",
        0x800 => "bytes of spymemcached",
        0x802 => "compressed bytes of spymemcached",
        _ => return None,
    })
}
