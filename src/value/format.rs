use super::compression::Compression;
use super::enyim::{Dialect, Enyim};
use super::java::Spymemcached;
use super::php::{Arrays, Php};
use super::python::{self, MoecachePickle, Plain, Python};
use super::raw::Raw;
use super::ruby::{Dalli, Setting};
use super::transcoder::Transcoder;
use crate::error::Error;
use crate::names;
use std::fmt;
use std::str::FromStr;

/// How a client stores values: which flags and bytes a value becomes, and what flags mean.
///
/// The names are those under which the peers' values were recorded; they parse and print:
///
/// ```
/// use moecache::value::Format;
///
/// assert_eq!("pymemcache:pickle_serde".parse::<Format>()?, Format::PymemcachePickle);
/// # Ok::<(), moecache::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Format {
    /// `moecache`, the default: EnyimMemcached's strings, numbers and bytes, flags compared exactly;
    /// objects in MessagePack under flags of our own.
    #[default]
    Moecache,
    /// `moecache:pickle`: as Python's moecache writes, strings and for all else pickles. See
    /// [Python's formats](crate::value#pythons-formats), as for all that follow of Python.
    MoecachePickle,
    /// `enyim`, EnyimMemcached's `DefaultTranscoder`: as [`Moecache`](Self::Moecache), but only the
    /// lowest byte of the flags counts.
    Enyim,
    /// `enyimmemcachedcore:messagepack`, its `MessagePackTranscoder`: objects are maps with named
    /// fields.
    EnyimCoreMessagePack,
    /// `libmemcached`: bytes, strings and decimal numbers under flags 0. For all clients that leave
    /// values to the program: gomemcache, and what is behind twemproxy.
    Raw,
    /// `pylibmc`: bytes, strings, integers and bools as text, pickles.
    Pylibmc,
    /// `python-memcached`: bytes, strings and integers as text, pickles.
    PythonMemcached,
    /// `pymemcache`, without a serde: everything as Python's `str` shows it, and read as bytes,
    /// whatever the flags. Strings have to be ASCII; containers are refused. So `None` is the text
    /// `None`, and reads back as that.
    Pymemcache,
    /// `pymemcache:pickle_serde`: bytes, strings and integers as text, pickles.
    PymemcachePickle,
    /// `pymemcache:compressed_serde`: the same, by default compressed above 400 bytes.
    PymemcacheCompressed,
    /// `pyermc`, of Python 2: bytes and strings alike, integers and bools as text, pickles.
    Pyermc,
    /// `dalli`: everything in Ruby's Marshal.
    Dalli,
    /// `dalli:string_fastpath`: the same, but strings as they are.
    DalliStringFastpath,
    /// `dalli:json`: everything in JSON.
    DalliJson,
    /// `dalli:raw`: strings and bytes.
    DalliRaw,
    /// `php-memcached`: PHP's own serializer for arrays.
    Php,
    /// `php-memcached:json`: JSON for arrays.
    PhpJson,
    /// `spymemcached`, its `SerializingTranscoder`.
    Spymemcached,
}

impl Format {
    const NAMES: [(Self, &'static str); 18] = [
        (Self::Moecache, "moecache"),
        (Self::MoecachePickle, "moecache:pickle"),
        (Self::Enyim, "enyim"),
        (Self::EnyimCoreMessagePack, "enyimmemcachedcore:messagepack"),
        (Self::Raw, "libmemcached"),
        (Self::Pylibmc, "pylibmc"),
        (Self::PythonMemcached, "python-memcached"),
        (Self::Pymemcache, "pymemcache"),
        (Self::PymemcachePickle, "pymemcache:pickle_serde"),
        (Self::PymemcacheCompressed, "pymemcache:compressed_serde"),
        (Self::Pyermc, "pyermc"),
        (Self::Dalli, "dalli"),
        (Self::DalliStringFastpath, "dalli:string_fastpath"),
        (Self::DalliJson, "dalli:json"),
        (Self::DalliRaw, "dalli:raw"),
        (Self::Php, "php-memcached"),
        (Self::PhpJson, "php-memcached:json"),
        (Self::Spymemcached, "spymemcached"),
    ];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::NAMES.iter().map(|&(format, _)| format)
    }

    /// What its owner compresses unless told otherwise.
    pub(crate) fn default_compression(self) -> Compression {
        match self {
            // What is longer than 400 bytes.
            Self::PymemcacheCompressed => Compression::zlib().threshold(401),
            Self::Dalli | Self::DalliStringFastpath | Self::DalliJson => {
                Compression::zlib().threshold(4096)
            }
            // php-memcached itself writes FastLZ, and reads both.
            Self::Php | Self::PhpJson => Compression::zlib().threshold(2000),
            // What is longer than 16,384 bytes.
            Self::Spymemcached => Compression::gzip().threshold(16_385),
            _ => Compression::off(),
        }
        .if_compiled_in()
    }

    /// Why nothing can be put behind or before what it stores, if so: the whole would be unreadable.
    pub(crate) fn refuses_append(self, compression: Compression) -> Option<&'static str> {
        match self {
            Self::Dalli => Some("dalli's strings are stored in Marshal"),
            Self::DalliJson => Some("strings are stored in JSON"),
            _ if compression != Compression::off() => Some("values may be stored compressed"),
            _ => None,
        }
    }

    /// The transcoder. `limit` is the most bytes that a value may have once it is decompressed.
    ///
    /// # Errors
    ///
    /// A validation error where the format does not know the algorithm, or a feature is missing.
    pub(crate) fn transcoder(
        self,
        compression: Compression,
        limit: usize,
    ) -> Result<Box<dyn Transcoder>, Error> {
        if matches!(self, Self::DalliJson | Self::PhpJson) && !cfg!(feature = "json") {
            return Err(Error::validation(format!(
                "format: {self} needs the feature json of moecache"
            )));
        }
        let python = |rules| Python::new(rules, compression, limit);
        let dalli = |setting| Dalli::new(setting, compression, limit);
        let php = |arrays| Php::new(arrays, compression, limit);
        let enyim = |dialect| Enyim::new(dialect, compression, limit);
        Ok(match self {
            Self::Moecache => Box::new(enyim(Dialect::Moecache)?),
            Self::Enyim => Box::new(enyim(Dialect::Enyim)?),
            Self::EnyimCoreMessagePack => Box::new(enyim(Dialect::EnyimCoreMessagePack)?),
            Self::MoecachePickle => {
                compression.allowed(self, &[])?;
                Box::new(MoecachePickle { limit })
            }
            Self::Raw => {
                compression.allowed(self, &[])?;
                Box::new(Raw)
            }
            Self::Pymemcache => {
                compression.allowed(self, &[])?;
                Box::new(Plain)
            }
            Self::Pylibmc => Box::new(python(&python::PYLIBMC)?),
            Self::PythonMemcached => Box::new(python(&python::PYTHON_MEMCACHED)?),
            Self::PymemcachePickle => Box::new(python(&python::PYMEMCACHE)?),
            Self::PymemcacheCompressed => Box::new(python(&python::PYMEMCACHE_COMPRESSED)?),
            Self::Pyermc => Box::new(python(&python::PYERMC)?),
            Self::Dalli => Box::new(dalli(Setting::Marshal)?),
            Self::DalliStringFastpath => Box::new(dalli(Setting::StringFastpath)?),
            Self::DalliJson => Box::new(dalli(Setting::Json)?),
            Self::DalliRaw => Box::new(dalli(Setting::Raw)?),
            Self::Php => Box::new(php(Arrays::Serialized)?),
            Self::PhpJson => Box::new(php(Arrays::Json)?),
            Self::Spymemcached => Box::new(Spymemcached::new(compression, limit)?),
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(names::name(&Self::NAMES, self))
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        names::named(&Self::NAMES, text).ok_or_else(|| {
            let meant = meant(text).map_or_else(String::new, |meant| format!("; {meant}"));
            names::unknown("format", text, &meant, &Self::NAMES)
        })
    }
}

/// What to say to the name that a library has for its serializer, serde or transcoder.
fn meant(text: &str) -> Option<&'static str> {
    let last = text.rsplit([':', '.']).next().unwrap_or_default();
    let letters = last.chars().filter(char::is_ascii_alphanumeric);
    let plain: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    Some(match &*plain {
        "raw" => "it is libmemcached, or dalli:raw",
        "json" => "it is php-memcached:json or dalli:json; elsewhere JSON is a string",
        "pickle" => {
            "it is moecache:pickle or pymemcache:pickle_serde, and pylibmc and python-memcached without more"
        }
        "defaulttranscoder" | "binaryformattertranscoder" => "it is enyim",
        "messagepacktranscoder" => "it is enyimmemcachedcore:messagepack",
        "datacontracttranscoder" | "newtonsoftjsontranscoder" => {
            "nothing here reads its objects; as strings of JSON both read them, in the format enyim"
        }
        "pickleserde" | "pythonmemcacheserializer" => "it is pymemcache:pickle_serde",
        "compressedserde" => "it is pymemcache:compressed_serde",
        "stringfastpath" => "it is dalli:string_fastpath",
        "marshal" => "it is dalli",
        "jsonserializer" => "it is dalli:json",
        "serializerphp" | "php" => "it is php-memcached",
        "serializerjson" | "serializerjsonarray" => "it is php-memcached:json",
        "serializerigbinary" | "igbinary" | "serializermsgpack" | "msgpack" => {
            "it is not read here; php-memcached has php and json too, php-memcached and php-memcached:json"
        }
        "serializingtranscoder" | "whalintranscoder" => "it is spymemcached",
        _ => return None,
    })
}
