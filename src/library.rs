use crate::error::Error;
use std::fmt;
use std::str::FromStr;

/// A client, or proxy, that fills a deployment: what
/// [`compatible_with`](crate::ClientBuilder::compatible_with) takes.
///
/// The names are those of the projects; they parse and print:
///
/// ```
/// use moecache::Library;
///
/// assert_eq!("python-memcached".parse::<Library>()?, Library::PythonMemcached);
/// # Ok::<(), moecache::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Library {
    /// `moecache`, Python's moecache 1.0, as far as its strings go; numbers and bytes as
    /// EnyimMemcached has them, and objects in MessagePack. The default.
    #[default]
    Moecache,
    /// `enyim`, EnyimMemcached 2 (.NET).
    Enyim,
    /// `enyimmemcachedcore`, EnyimMemcachedCore 3 (.NET) with its `DefaultTranscoder`.
    EnyimCore,
    /// `enyimmemcachedcore-messagepack`, the same with its `MessagePackTranscoder`.
    EnyimCoreMessagePack,
    /// `libmemcached` 1 (C, C++), which leaves values to the program.
    Libmemcached,
    /// `pylibmc` 1.6 (Python), which is libmemcached beneath.
    Pylibmc,
    /// `php-memcached` 3 (PHP), which is libmemcached beneath.
    PhpMemcached,
    /// `python-memcached` 1.6 (Python).
    PythonMemcached,
    /// `pymemcache` 4 (Python): its `HashClient`, without a serde.
    Pymemcache,
    /// `pyermc` 0.0.6 (Python), which knows one server.
    Pyermc,
    /// `dalli` 5 (Ruby).
    Dalli,
    /// `gomemcache` (Go), which leaves values to the program.
    Gomemcache,
    /// `spymemcached` 2.12 (Java).
    Spymemcached,
    /// `twemproxy` 0.5 (nutcracker): the servers behind it, spoken to directly. It passes on values
    /// as they are.
    Twemproxy,
}

impl Library {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Moecache,
        Self::Enyim,
        Self::EnyimCore,
        Self::EnyimCoreMessagePack,
        Self::Libmemcached,
        Self::Pylibmc,
        Self::PhpMemcached,
        Self::PythonMemcached,
        Self::Pymemcache,
        Self::Pyermc,
        Self::Dalli,
        Self::Gomemcache,
        Self::Spymemcached,
        Self::Twemproxy,
    ];

    /// The name that it parses from and prints to.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Moecache => "moecache",
            Self::Enyim => "enyim",
            Self::EnyimCore => "enyimmemcachedcore",
            Self::EnyimCoreMessagePack => "enyimmemcachedcore-messagepack",
            Self::Libmemcached => "libmemcached",
            Self::Pylibmc => "pylibmc",
            Self::PhpMemcached => "php-memcached",
            Self::PythonMemcached => "python-memcached",
            Self::Pymemcache => "pymemcache",
            Self::Pyermc => "pyermc",
            Self::Dalli => "dalli",
            Self::Gomemcache => "gomemcache",
            Self::Spymemcached => "spymemcached",
            Self::Twemproxy => "twemproxy",
        }
    }
}

/// Other names of the libraries: of their packages, their classes, and what is built upon them.
const NAMES: [(Library, &[&str]); 13] = [
    (
        Library::Enyim,
        &["enyimmemcached", "enyimcaching", "dotnet"],
    ),
    (
        Library::EnyimCore,
        &["enyimcore", "enyimcachingcore", "dotnetcore"],
    ),
    (
        Library::EnyimCoreMessagePack,
        &["messagepacktranscoder", "enyimcoremessagepack"],
    ),
    (
        Library::Libmemcached,
        &["libmemcachedawesome", "libmemcache"],
    ),
    (Library::Pylibmc, &["pylibmccache"]),
    (
        Library::PhpMemcached,
        &[
            "php",
            "memcached",
            "phpmemcache",
            "symfony",
            "memcachedadapter",
        ],
    ),
    (
        Library::PythonMemcached,
        &["pythonmemcache", "memcachedcache"],
    ),
    (
        Library::Pymemcache,
        &["pymemcached", "pymemcachecache", "hashclient"],
    ),
    (Library::Pyermc, &["pyermemcache"]),
    (
        Library::Dalli,
        &["ruby", "rails", "memcachestore", "dallistore"],
    ),
    (
        Library::Gomemcache,
        &["go", "gomemcached", "bradfitzgomemcache"],
    ),
    (
        Library::Spymemcached,
        &["spy", "spymemcache", "netspymemcached"],
    ),
    (Library::Twemproxy, &["nutcracker", "twemproxynutcracker"]),
];

impl Library {
    /// The library that `text` may mean.
    fn called(text: &str) -> Option<Self> {
        let plain = |text: &str| {
            let letters = text.chars().filter(char::is_ascii_alphanumeric);
            letters
                .map(|letter| letter.to_ascii_lowercase())
                .collect::<String>()
        };
        let text = plain(text);
        let own = Self::ALL
            .into_iter()
            .find(|peer| plain(peer.name()) == text);
        let other = || NAMES.iter().find(|(_, names)| names.contains(&&*text));
        own.or_else(|| other().map(|&(peer, _)| peer))
    }
}

impl fmt::Display for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Library {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|peer| peer.name() == text);
        known.ok_or_else(|| {
            let meant = Self::called(text)
                .map_or_else(String::new, |meant| format!("; its name here is {meant}"));
            Error::validation(format!(
                "peer: {text:?} is not known{meant}; allowed are {}",
                Self::ALL.map(Self::name).join(", ")
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_names_are_answered_with_the_name_to_use() {
        for (text, name) in [
            ("EnyimMemcached", "enyim"),
            ("EnyimMemcachedCore", "enyimmemcachedcore"),
            ("MessagePackTranscoder", "enyimmemcachedcore-messagepack"),
            ("PyLibMCCache", "pylibmc"),
            ("PyMemcacheCache", "pymemcache"),
            ("python_memcached", "python-memcached"),
            ("php", "php-memcached"),
            ("mem_cache_store", "dalli"),
            ("Dalli", "dalli"),
            ("nutcracker", "twemproxy"),
            ("net.spy.memcached", "spymemcached"),
        ] {
            let error = text.parse::<Library>().unwrap_err().to_string();
            assert!(
                error.contains(&format!("; its name here is {name};")),
                "{error}"
            );
        }
        let error = "redis".parse::<Library>().unwrap_err().to_string();
        assert!(
            error.starts_with("peer: \"redis\" is not known; allowed are moecache, "),
            "{error}"
        );
    }
}
