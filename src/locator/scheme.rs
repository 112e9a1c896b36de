use super::{Distribution, Locator, Node};
use crate::error::Error;
use crate::hash::Hash;
use crate::library::Library;
use std::fmt;
use std::sync::Arc;

/// Whose deployment it is and how its keys are placed: a [`Library`], one of its [`Distribution`]s, and
/// the [`Hash`](enum@Hash) where there is a choice.
///
/// The names are those under which the peers' placements were recorded: `moecache:default`,
/// `enyim:ketama/md5`, `libmemcached:consistent/fnv1a_32`, `twemproxy:ketama/fnv1a_64`,
/// `php-memcached:libketama_compatible`. The part behind the `/` may be left out for the
/// distribution's default, and all behind the peer for the peer's. They parse and print:
///
/// ```
/// use moecache::{Distribution, Hash, Library, Scheme};
///
/// let scheme: Scheme = "libmemcached:consistent".parse()?;
/// assert_eq!(scheme.distribution(), Distribution::LibmemcachedConsistent);
/// assert_eq!(scheme.to_string(), "libmemcached:consistent/default");
///
/// let scheme: Scheme = "pylibmc".parse()?;
/// assert_eq!(scheme, Library::Pylibmc.into());
/// assert_eq!(scheme.to_string(), "pylibmc:modula/default");
/// # Ok::<(), moecache::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scheme {
    peer: Library,
    distribution: Distribution,
    /// One that the distribution has; `None` where there is no choice.
    hash: Option<Hash>,
}

/// php-memcached's own names for what libmemcached does beneath.
pub(super) const PHP: [(&str, Distribution, Hash); 3] = [
    (
        "default",
        Distribution::LibmemcachedModula,
        Hash::OneAtATime,
    ),
    (
        "consistent",
        Distribution::LibmemcachedConsistent,
        Hash::OneAtATime,
    ),
    (
        "libketama_compatible",
        Distribution::LibmemcachedKetamaWeighted,
        Hash::Md5,
    ),
];

impl Scheme {
    /// Every scheme that has a name of its own: each peer's distributions with each hash.
    pub fn all() -> impl Iterator<Item = Self> {
        let own = Distribution::ALL.iter().flat_map(|&distribution| {
            let hashes = distribution.hashes().iter().map(|&(hash, _)| Some(hash));
            let none = distribution.hashes().is_empty().then_some(None);
            hashes.chain(none).map(move |hash| Self {
                peer: distribution.owner(),
                distribution,
                hash,
            })
        });
        let php = PHP.into_iter().map(|(_, distribution, hash)| Self {
            peer: Library::PhpMemcached,
            distribution,
            hash: Some(hash),
        });
        own.chain(php)
    }

    /// Whose deployment it is.
    #[must_use]
    pub fn peer(&self) -> Library {
        self.peer
    }

    /// How keys are placed.
    #[must_use]
    pub fn distribution(&self) -> Distribution {
        self.distribution
    }

    /// The hash, where the distribution leaves a choice.
    #[must_use]
    pub fn hash(&self) -> Option<Hash> {
        self.hash
    }

    /// The library whose rules for a list of servers count: the deployment's, or that of a
    /// distribution which is another's.
    pub(crate) fn library(self) -> Library {
        if self.distribution.is_of(self.peer) {
            self.peer
        } else {
            self.distribution.owner()
        }
    }

    /// The same with another distribution, and the hash that it has by default.
    pub(crate) fn with_distribution(self, distribution: Distribution) -> Self {
        Self {
            distribution,
            hash: distribution.default_hash(),
            ..self
        }
    }

    /// The same with another hash.
    pub(crate) fn with_hash(self, hash: Hash) -> Result<Self, Error> {
        let hashes = self.distribution.hashes();
        if hashes.iter().any(|&(known, _)| known == hash) {
            let hash = Some(hash);
            return Ok(Self { hash, ..self });
        }
        Err(self.distribution.has_no_hash(&hash.to_string()))
    }

    /// The locator for these servers.
    pub(crate) fn build(self, servers: &[Node]) -> Result<Arc<dyn Locator>, Error> {
        self.distribution.build(self.hash, servers)
    }
}

impl From<Library> for Scheme {
    fn from(peer: Library) -> Self {
        let distribution = match peer {
            Library::Moecache => Distribution::Moecache,
            Library::Enyim => Distribution::Enyim,
            Library::EnyimCore | Library::EnyimCoreMessagePack => Distribution::EnyimCore,
            Library::Libmemcached | Library::Pylibmc | Library::PhpMemcached => {
                Distribution::LibmemcachedModula
            }
            Library::PythonMemcached => Distribution::PythonMemcached,
            Library::Pymemcache => Distribution::Pymemcache,
            Library::Pyermc => Distribution::Pyermc,
            Library::Dalli => Distribution::Dalli,
            Library::Gomemcache => Distribution::Gomemcache,
            Library::Spymemcached => Distribution::SpymemcachedArrayMod,
            Library::Twemproxy => Distribution::TwemproxyKetama,
        };
        let hash = distribution.default_hash();
        Self {
            peer,
            distribution,
            hash,
        }
    }
}

impl From<Distribution> for Scheme {
    /// Its owner's.
    fn from(distribution: Distribution) -> Self {
        Self::from(distribution.owner()).with_distribution(distribution)
    }
}

impl Default for Scheme {
    fn default() -> Self {
        Self::from(Library::default())
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            peer,
            distribution,
            hash,
        } = *self;
        let php = PHP.iter().find(|&&(_, its, with)| {
            peer == Library::PhpMemcached && its == distribution && Some(with) == hash
        });
        if let Some((name, ..)) = php {
            return write!(f, "{peer}:{name}");
        }
        // Where it is not one of the peer's own, whose it is must be said.
        if distribution.is_of(peer) {
            write!(f, "{peer}:{}", distribution.rule())?;
        } else {
            write!(f, "{peer}:{distribution}")?;
        }
        match hash {
            Some(hash) => write!(f, "/{}", distribution.name_of(hash)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let error = text.parse::<Scheme>().unwrap_err();
        assert!(error.is_validation());
        error.to_string()
    }

    #[test]
    fn every_scheme_prints_and_parses() {
        let mut names: Vec<String> = Scheme::all().map(|scheme| scheme.to_string()).collect();
        for (scheme, name) in Scheme::all().zip(&names) {
            assert_eq!(name.parse::<Scheme>().unwrap(), scheme, "{name}");
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    /// Of any peer with any distribution and hash.
    #[test]
    fn every_mixture_prints_and_parses() {
        for peer in Library::ALL {
            for own in Scheme::all() {
                let mut mixed = Scheme::from(peer).with_distribution(own.distribution);
                if let Some(hash) = own.hash {
                    mixed = mixed.with_hash(hash).unwrap();
                }
                let name = mixed.to_string();
                assert_eq!(name.parse::<Scheme>().unwrap(), mixed, "{name}");
            }
        }
    }

    #[test]
    fn parts_may_be_left_out_and_spelt_otherwise() {
        let rows = [
            ("dalli", "dalli:ring"),
            ("twemproxy:modula", "twemproxy:modula/fnv1a_64"),
            ("twemproxy:ketama/CRC32", "twemproxy:ketama/crc32"),
            ("pylibmc:consistent/md5", "pylibmc:consistent/md5"),
            (
                "libmemcached:modula/FNV1A_32",
                "libmemcached:modula/fnv1a_32",
            ),
            (
                "libmemcached:modula/one_at_a_time",
                "libmemcached:modula/default",
            ),
            (
                "libmemcached:modula_sort_hosts",
                "libmemcached:modula_sort_hosts/default",
            ),
            (
                "spymemcached:arraymod/md5",
                "spymemcached:arraymod/KETAMA_HASH",
            ),
            (
                "spymemcached:arraymod/ketama_hash",
                "spymemcached:arraymod/KETAMA_HASH",
            ),
            ("enyim:ketama/OneAtATime", "enyim:ketama/oneatatime"),
            (
                "enyimmemcachedcore:DefaultNodeLocator/DnsEndPoint",
                "enyimmemcachedcore:DefaultNodeLocator/DnsEndPoint",
            ),
            (
                "enyimmemcachedcore-messagepack:LegacyNodeLocator",
                "enyimmemcachedcore-messagepack:LegacyNodeLocator",
            ),
            ("php-memcached:modula", "php-memcached:default"),
            (
                "php-memcached:consistent/md5",
                "php-memcached:consistent/md5",
            ),
            (
                "pymemcache:libmemcached:consistent/murmur3",
                "pymemcache:libmemcached:consistent/murmur3",
            ),
        ];
        for (text, expected) in rows {
            assert_eq!(text.parse::<Scheme>().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn errors_list_what_is_allowed() {
        let rows = [
            (
                "memcache:ring",
                "peer: \"memcache\" is not known; allowed are moecache, enyim, ",
            ),
            (
                "twemproxy:ring",
                "scheme: twemproxy has no \"ring\"; allowed are ketama, modula, and",
            ),
            (
                "php-memcached:ketama",
                "allowed are default, consistent, libketama_compatible, modula, modula_sort_hosts",
            ),
            (
                "moecache:",
                "scheme: moecache has no \"\"; allowed are default, and",
            ),
            (
                "spymemcached:arraymod/murmur",
                "hash: the distribution spymemcached:arraymod has no \"murmur\"; allowed are \
                 NATIVE_HASH, CRC_HASH, ",
            ),
            (
                "libmemcached:consistent/sha256",
                "hash: the distribution libmemcached:consistent has no \"sha256\"; allowed are \
                 default, md5, crc, ",
            ),
            (
                "libmemcached:consistent/",
                "has no \"\"; allowed are default, md5, ",
            ),
            (
                "enyimmemcachedcore:DefaultNodeLocator/Dns",
                "hash: the distribution enyimmemcachedcore:DefaultNodeLocator has one of its own",
            ),
            (
                "gomemcache:crc32_mod/md5",
                "has one of its own; leave it out",
            ),
        ];
        for (text, expected) in rows {
            assert!(error(text).contains(expected), "{text}: {}", error(text));
        }
    }
}
