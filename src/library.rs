use crate::error::Error;
use crate::names;
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
    pub const ALL: [Self; NAMES.len()] = {
        let mut all = [Self::Moecache; NAMES.len()];
        let mut at = 0;
        while at < all.len() {
            all[at] = NAMES[at].0;
            at += 1;
        }
        all
    };

    /// Returns the name that it parses from and prints to.
    #[must_use]
    pub fn name(self) -> &'static str {
        let row = NAMES.iter().find(|(library, ..)| *library == self);
        row.map_or("", |(_, name, _)| name)
    }

    /// The library that `text` may mean.
    fn called(text: &str) -> Option<Self> {
        let plain = |text: &str| text.replace(|c: char| !c.is_ascii_alphanumeric(), "");
        let text = plain(text).to_ascii_lowercase();
        let mut rows = NAMES.iter();
        let row = rows.find(|(_, name, others)| plain(name) == text || others.contains(&&*text));
        row.map(|&(library, ..)| library)
    }
}

/// The libraries by their names, and, without anything but letters and digits, other names of them: of
/// their packages, their classes, and what is built upon them.
#[rustfmt::skip]
const NAMES: [(Library, &str, &[&str]); 14] = [
    (Library::Moecache, "moecache", &[]),
    (Library::Enyim, "enyim", &["enyimmemcached", "enyimcaching", "dotnet"]),
    (Library::EnyimCore, "enyimmemcachedcore", &["enyimcore", "enyimcachingcore", "dotnetcore"]),
    (Library::EnyimCoreMessagePack, "enyimmemcachedcore-messagepack", &["messagepacktranscoder", "enyimcoremessagepack"]),
    (Library::Libmemcached, "libmemcached", &["libmemcachedawesome", "libmemcache"]),
    (Library::Pylibmc, "pylibmc", &["pylibmccache"]),
    (Library::PhpMemcached, "php-memcached", &["php", "memcached", "phpmemcache", "symfony", "memcachedadapter"]),
    (Library::PythonMemcached, "python-memcached", &["pythonmemcache", "memcachedcache"]),
    (Library::Pymemcache, "pymemcache", &["pymemcached", "pymemcachecache", "hashclient"]),
    (Library::Pyermc, "pyermc", &["pyermemcache"]),
    (Library::Dalli, "dalli", &["ruby", "rails", "memcachestore", "dallistore"]),
    (Library::Gomemcache, "gomemcache", &["go", "gomemcached", "bradfitzgomemcache"]),
    (Library::Spymemcached, "spymemcached", &["spy", "spymemcache", "netspymemcached"]),
    (Library::Twemproxy, "twemproxy", &["nutcracker", "twemproxynutcracker"]),
];

impl fmt::Display for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Library {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|library| library.name() == text);
        known.ok_or_else(|| {
            let meant = Self::called(text)
                .map_or_else(String::new, |meant| format!("; its name here is {meant}"));
            let names = Self::ALL.map(|library| (library, library.name()));
            names::unknown("peer", text, &meant, &names)
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
