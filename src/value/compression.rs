use super::codec;
use super::transcoder::Body;
use crate::error::Error;
use std::fmt;
use std::str::FromStr;

/// When and how values are compressed before they are stored. What is stored compressed is always
/// read, whatever is set here, so long as the feature of its algorithm is there.
///
/// A value that compression does not make smaller is stored as it is.
///
/// | format | knows | unless told otherwise |
/// |---|---|---|
/// | `moecache`, `enyim`, `enyimmemcachedcore:messagepack` | lz4, zstd | off |
/// | `pylibmc`, `python-memcached` | zlib | off |
/// | `pymemcache:compressed_serde` | zlib | `zlib:401` |
/// | `pyermc` | lz4 | off |
/// | `dalli` but `dalli:raw` | zlib | `zlib:4096` |
/// | `php-memcached` | zlib (and reads FastLZ, Zstandard) | `zlib:2000` |
/// | `spymemcached` | gzip | `gzip:16385` |
/// | all others | - | off |
///
/// What a format does unless told otherwise it does only where the feature is there: all clients
/// read what is not compressed. To ask for an algorithm that the format does not know, or whose
/// feature is missing, is an error when the client is built.
///
/// Our own format's compressed items have flags of their own, 0x4d20 for LZ4 and 0x4d60 for
/// Zstandard, which no other client reads: each raises, or gives the bytes as they are.
///
/// ```
/// use moecache::value::Compression;
///
/// let compression = Compression::zlib().threshold(400);
/// assert_eq!(compression.to_string(), "zlib:400");
/// assert_eq!("zlib:400".parse::<Compression>()?, compression);
/// # Ok::<(), moecache::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compression {
    pub(super) algorithm: Option<Algorithm>,
    pub(super) threshold: usize,
}

/// The algorithms that the formats know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Zlib,
    Gzip,
    Lz4,
    Zstd,
}

impl Algorithm {
    const ALL: [Self; 4] = [Self::Zlib, Self::Gzip, Self::Lz4, Self::Zstd];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Zlib => "zlib",
            Self::Gzip => "gzip",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// The feature of the crate that it needs, and whether that is there.
    fn feature(self) -> (&'static str, bool) {
        match self {
            Self::Zlib | Self::Gzip => ("zlib", cfg!(feature = "zlib")),
            Self::Lz4 => ("lz4", cfg!(feature = "lz4")),
            Self::Zstd => ("zstd", cfg!(feature = "zstd")),
        }
    }

    fn compress(self, data: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Zlib => codec::zlib::compress(data),
            Self::Gzip => codec::gzip::compress(data),
            Self::Lz4 => codec::lz4::compress(data),
            Self::Zstd => codec::zstd::compress(data),
        }
    }
}

impl Compression {
    /// The smallest value that is compressed unless [`threshold`](Self::threshold) says otherwise, in
    /// bytes.
    pub const DEFAULT_THRESHOLD: usize = 2048;

    /// None: values are stored as they are.
    #[must_use]
    pub fn off() -> Self {
        Self {
            algorithm: None,
            threshold: 0,
        }
    }

    /// zlib (RFC 1950): pylibmc's, python-memcached's, pymemcache's, dalli's and php-memcached's.
    /// Needs the feature `zlib`.
    #[must_use]
    pub fn zlib() -> Self {
        Self::by(Algorithm::Zlib)
    }

    /// gzip (RFC 1952): spymemcached's. Needs the feature `zlib`.
    #[must_use]
    pub fn gzip() -> Self {
        Self::by(Algorithm::Gzip)
    }

    /// One block of LZ4: pyermc's, and for our own format the fastest. Needs the feature `lz4`.
    #[must_use]
    pub fn lz4() -> Self {
        Self::by(Algorithm::Lz4)
    }

    /// Zstandard (RFC 8878), for our own format. Needs the feature `zstd`.
    #[must_use]
    pub fn zstd() -> Self {
        Self::by(Algorithm::Zstd)
    }

    /// The length in bytes from which on values are compressed. Default: 2,048. (Some peers compress
    /// only what is *longer* than their setting: give one more than theirs.)
    #[must_use]
    pub fn threshold(self, bytes: usize) -> Self {
        Self {
            threshold: bytes,
            ..self
        }
    }

    /// What it is for a format that knows these algorithms.
    ///
    /// # Errors
    ///
    /// A validation error where it is another one, or its feature is not compiled in.
    pub(super) fn allowed(
        self,
        owner: impl fmt::Display,
        known: &[Algorithm],
    ) -> Result<Self, Error> {
        let Some(algorithm) = self.algorithm else {
            return Ok(self);
        };
        let name = algorithm.name();
        if !known.contains(&algorithm) {
            let names: Vec<_> = known.iter().map(|known| known.name()).collect();
            let names = [&["off"], &names[..]].concat().join(", ");
            return Err(Error::validation(format!(
                "compression: {owner} does not know {name}; allowed are {names}"
            )));
        }
        let (feature, is_there) = algorithm.feature();
        if !is_there {
            return Err(Error::validation(format!(
                "compression: {name} needs the feature {feature} of moecache"
            )));
        }
        Ok(self)
    }

    /// Off where the algorithm's feature is not compiled in: for what nobody asked for, since every
    /// peer reads what is not compressed.
    pub(super) fn if_compiled_in(self) -> Self {
        match self.algorithm {
            Some(algorithm) if !algorithm.feature().1 => Self::off(),
            _ => self,
        }
    }

    /// `header` and after it the data, compressed; `None` where the data is below the threshold, or
    /// would not become smaller.
    pub(super) fn shrink(self, header: &[u8], data: &[u8]) -> Option<Vec<u8>> {
        let algorithm = self.algorithm.filter(|_| data.len() >= self.threshold)?;
        let mut body = algorithm.compress(data)?;
        if header.len() + body.len() >= data.len() {
            return None;
        }
        body.splice(..0, header.iter().copied());
        Some(body)
    }

    /// The body, compressed as by [`shrink`](Self::shrink) where that makes it smaller, and then with
    /// these bits in its flags.
    pub(super) fn shrunk<'a>(self, body: Body<'a>, header: &[u8], bits: u32) -> Body<'a> {
        match self.shrink(header, body.data()) {
            Some(smaller) => Body::owned(body.flags() | bits, smaller),
            None => body,
        }
    }

    fn by(algorithm: Algorithm) -> Self {
        Self {
            algorithm: Some(algorithm),
            threshold: Self::DEFAULT_THRESHOLD,
        }
    }
}

/// `off`, or the algorithm and the threshold: `zlib:2048`.
impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.algorithm {
            Some(algorithm) => write!(f, "{}:{}", algorithm.name(), self.threshold),
            None => f.write_str("off"),
        }
    }
}

impl FromStr for Compression {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text == "off" {
            return Ok(Self::off());
        }
        let (name, threshold) = match text.split_once(':') {
            Some((name, threshold)) => (name, threshold.parse().ok()),
            None => (text, Some(Self::DEFAULT_THRESHOLD)),
        };
        let algorithm = Algorithm::ALL
            .into_iter()
            .find(|known| known.name() == name);
        match (algorithm, threshold) {
            (Some(algorithm), Some(threshold)) => Ok(Self::by(algorithm).threshold(threshold)),
            _ => Err(Error::validation(format!(
                "compression: {text:?} is not possible; allowed are off, zlib, gzip, lz4 and zstd, and \
                 after a colon the least length in bytes"
            ))),
        }
    }
}
