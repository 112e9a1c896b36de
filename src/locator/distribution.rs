use super::Node;
use crate::error::Error;
use crate::hash::Hash;
use crate::library::Library;
use std::fmt;

/// How keys are spread over the servers: the rings and rules of each peer, quirks included.
///
/// The names are those of the recorded placements that each is tested against; they parse and
/// print. A [`Scheme`](crate::Scheme) is a distribution with its hash.
///
/// ```
/// use moecache::Distribution;
///
/// let distribution: Distribution = "enyim:DefaultNodeLocator".parse()?;
/// assert_eq!(distribution, Distribution::Enyim);
/// # Ok::<(), moecache::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Distribution {
    /// `moecache:default`, moecache 1.0: the ring of EnyimMemcached's `DefaultNodeLocator`, bugs
    /// included. The ring hashes the host as it was typed, IPv6 without brackets: `::1:11211`.
    /// Weights do not count.
    #[default]
    Moecache,
    /// `enyim:DefaultNodeLocator`, the default of EnyimMemcached 2. The ring hashes the resolved
    /// address, IPv6 in brackets and in its canonical form: `[::1]:11211`. A host name is therefore
    /// refused, unless [`resolve_names`](crate::ClientBuilder::resolve_names) is asked for. Weights
    /// do not count.
    Enyim,
    /// `enyim:ketama`, EnyimMemcached's `KetamaNodeLocator`: 40 digests of a server, unless the hash
    /// is not MD5. Addresses as for [`Enyim`](Self::Enyim). Default hash: MD5.
    EnyimKetama,
    /// `enyimmemcachedcore:DefaultNodeLocator`, the default of EnyimMemcachedCore since 3.0.0, from
    /// 3.4.2 on. Addresses as for [`Enyim`](Self::Enyim).
    EnyimCore,
    /// `enyimmemcachedcore:DefaultNodeLocator/DnsEndPoint`, the same from 3.0.0 to 3.4.1, which
    /// hashed a host name unresolved, as `Unspecified/host:port`.
    EnyimCoreDnsEndPoint,
    /// `enyimmemcachedcore:LegacyNodeLocator`, EnyimMemcachedCore with `UseLegacyNodeLocator`, from
    /// 3.4.2 on. Places as [`Enyim`](Self::Enyim) does.
    EnyimCoreLegacy,
    /// `enyimmemcachedcore:LegacyNodeLocator/DnsEndPoint`, the same up to 3.4.1, which hashed a host
    /// name unresolved, as `Unspecified/host:port`.
    EnyimCoreLegacyDnsEndPoint,
    /// `libmemcached:modula`, the default of libmemcached, pylibmc and php-memcached: the hash modulo
    /// the number of servers. Weights do not count. Default hash: libmemcached's `default`.
    LibmemcachedModula,
    /// `libmemcached:modula_sort_hosts`, the same over the list sorted by host and port
    /// (`SORT_HOSTS`).
    LibmemcachedModulaSortHosts,
    /// `libmemcached:consistent`: 100 points a server, hashed as the keys are. With a weight over 1
    /// the points become those of [`LibmemcachedKetamaWeighted`](Self::LibmemcachedKetamaWeighted);
    /// the hash of the keys stays. Default hash: libmemcached's `default`.
    LibmemcachedConsistent,
    /// `libmemcached:consistent_hash_later`: the same where the hash was set after the servers and
    /// the distribution. libmemcached does not make the ring anew then: its points stay hashed by
    /// the `default`, and only the keys are hashed by the one that was set. Weights do not count.
    LibmemcachedConsistentHashLater,
    /// `libmemcached:ketama_weighted` (`KETAMA_WEIGHTED`): about 160 points a server by its weight,
    /// of MD5, whatever the hash of the keys. Default hash of the keys: MD5.
    LibmemcachedKetamaWeighted,
    /// `libmemcached:ketama_spy`: the same with spymemcached's texts. Default hash of the keys: MD5.
    LibmemcachedKetamaSpy,
    /// `libmemcached:ketama_spy_unweighted`: spymemcached's texts without `KETAMA_WEIGHTED`.
    LibmemcachedKetamaSpyUnweighted,
    /// `python-memcached:crc32`: 15 bits of a CRC-32 modulo the sum of the weights.
    PythonMemcached,
    /// `python-memcached:crc32_old_useOldServerHashFunction`: the same with all 32 bits.
    PythonMemcachedOld,
    /// `pymemcache:rendezvous_murmur3`: the server whose text together with the key has the highest
    /// hash. Weights do not count.
    Pymemcache,
    /// `pyermc:single`: there is one server.
    Pyermc,
    /// `dalli:ring`: points by weight, of SHA-1. Needs the feature `sha1`.
    Dalli,
    /// `gomemcache:crc32_mod`: CRC-32 modulo the number of servers. Weights do not count.
    Gomemcache,
    /// `spymemcached:arraymod`, its default: the hash modulo the number of servers. Weights do not
    /// count. Default hash: Java's `hashCode`.
    SpymemcachedArrayMod,
    /// `spymemcached:ketama_spy_format`, its `KetamaNodeLocator`: 160 points a server. The ring
    /// hashes the name with the address, as Java 14 and later print them: `cache-a/10.0.0.1:11211`,
    /// IPv6 as `[0:0:0:0:0:0:0:1]:11211`. A host name is therefore refused, unless
    /// [`resolve_names`](crate::ClientBuilder::resolve_names) is asked for. Weights do not count.
    /// Default hash: MD5.
    SpymemcachedKetama,
    /// `spymemcached:ketama_libmemcached_format`: the same with libmemcached's texts. Of an address
    /// Java hashes the name that it finds for it, if any: give names as Java has them.
    SpymemcachedKetamaLibmemcached,
    /// `spymemcached:ketama_libmemcached_format_weighted`: the same with weights; the points are of
    /// MD5, whatever the hash of the keys.
    SpymemcachedKetamaLibmemcachedWeighted,
    /// `twemproxy:ketama`, its default: points as libmemcached's by weight. The ring hashes what
    /// stands behind `host:port:weight`, the server's name: give it as
    /// [`ring_name`](crate::Server::ring_name). Default hash: FNV-1a, 64 bits.
    TwemproxyKetama,
    /// `twemproxy:modula`: the hash modulo the sum of the weights, over the servers sorted by name,
    /// shorter ones first. Default hash: FNV-1a, 64 bits.
    TwemproxyModula,
}

/// The hashes that a distribution may be used with, by the names that its owner has for them. The
/// first is the default, but for those that [`Distribution::default_hash`] names.
type Hashes = &'static [(Hash, &'static str)];

const ENYIM: Hashes = &[
    (Hash::Md5, "md5"),
    (Hash::Sha1, "sha1"),
    (Hash::Tiger, "tiger"),
    (Hash::Crc, "crc"),
    (Hash::Fnv1_32, "fnv1_32"),
    (Hash::Fnv1_64, "fnv1_64"),
    (Hash::Fnv1a32, "fnv1a_32"),
    (Hash::Fnv1a64, "fnv1a_64"),
    (Hash::Murmur, "murmur"),
    (Hash::OneAtATime, "oneatatime"),
];

const LIBMEMCACHED: Hashes = &[
    (Hash::OneAtATime, "default"),
    (Hash::Md5, "md5"),
    (Hash::Crc, "crc"),
    (Hash::Fnv1_64, "fnv1_64"),
    (Hash::Fnv1a64, "fnv1a_64"),
    (Hash::Fnv1_32, "fnv1_32"),
    (Hash::Fnv1a32, "fnv1a_32"),
    (Hash::Hsieh, "hsieh"),
    (Hash::Murmur, "murmur"),
    (Hash::Jenkins, "jenkins"),
    (Hash::Murmur3, "murmur3"),
];

const SPYMEMCACHED: Hashes = &[
    (Hash::Native, "NATIVE_HASH"),
    (Hash::Crc, "CRC_HASH"),
    (Hash::Fnv1_64, "FNV1_64_HASH"),
    (Hash::Fnv1a64, "FNV1A_64_HASH"),
    (Hash::Fnv1_32, "FNV1_32_HASH"),
    (Hash::Fnv1a32, "FNV1A_32_HASH"),
    (Hash::Md5, "KETAMA_HASH"),
];

const TWEMPROXY: Hashes = &[
    (Hash::Fnv1a64, "fnv1a_64"),
    (Hash::OneAtATime, "one_at_a_time"),
    (Hash::Md5, "md5"),
    (Hash::Crc16, "crc16"),
    (Hash::Crc, "crc32"),
    (Hash::Crc32a, "crc32a"),
    (Hash::Fnv1_64, "fnv1_64"),
    (Hash::Fnv1_32, "fnv1_32"),
    (Hash::Fnv1a32, "fnv1a_32"),
    (Hash::Hsieh, "hsieh"),
    (Hash::Murmur, "murmur"),
    (Hash::Jenkins, "jenkins"),
];

impl Distribution {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Moecache,
        Self::Enyim,
        Self::EnyimKetama,
        Self::EnyimCore,
        Self::EnyimCoreDnsEndPoint,
        Self::EnyimCoreLegacy,
        Self::EnyimCoreLegacyDnsEndPoint,
        Self::LibmemcachedModula,
        Self::LibmemcachedModulaSortHosts,
        Self::LibmemcachedConsistent,
        Self::LibmemcachedConsistentHashLater,
        Self::LibmemcachedKetamaWeighted,
        Self::LibmemcachedKetamaSpy,
        Self::LibmemcachedKetamaSpyUnweighted,
        Self::PythonMemcached,
        Self::PythonMemcachedOld,
        Self::Pymemcache,
        Self::Pyermc,
        Self::Dalli,
        Self::Gomemcache,
        Self::SpymemcachedArrayMod,
        Self::SpymemcachedKetama,
        Self::SpymemcachedKetamaLibmemcached,
        Self::SpymemcachedKetamaLibmemcachedWeighted,
        Self::TwemproxyKetama,
        Self::TwemproxyModula,
    ];

    /// Whose it is, what it is called there, and the hashes it may be used with.
    fn facts(self) -> (Library, &'static str, Hashes) {
        match self {
            Self::Moecache => (Library::Moecache, "default", &[]),
            Self::Enyim => (Library::Enyim, "DefaultNodeLocator", &[]),
            Self::EnyimKetama => (Library::Enyim, "ketama", ENYIM),
            Self::EnyimCore => (Library::EnyimCore, "DefaultNodeLocator", &[]),
            Self::EnyimCoreDnsEndPoint => {
                (Library::EnyimCore, "DefaultNodeLocator/DnsEndPoint", &[])
            }
            Self::EnyimCoreLegacy => (Library::EnyimCore, "LegacyNodeLocator", &[]),
            Self::EnyimCoreLegacyDnsEndPoint => {
                (Library::EnyimCore, "LegacyNodeLocator/DnsEndPoint", &[])
            }
            Self::LibmemcachedModula => (Library::Libmemcached, "modula", LIBMEMCACHED),
            Self::LibmemcachedModulaSortHosts => {
                (Library::Libmemcached, "modula_sort_hosts", LIBMEMCACHED)
            }
            Self::LibmemcachedConsistent => (Library::Libmemcached, "consistent", LIBMEMCACHED),
            Self::LibmemcachedConsistentHashLater => {
                (Library::Libmemcached, "consistent_hash_later", LIBMEMCACHED)
            }
            Self::LibmemcachedKetamaWeighted => {
                (Library::Libmemcached, "ketama_weighted", LIBMEMCACHED)
            }
            Self::LibmemcachedKetamaSpy => (Library::Libmemcached, "ketama_spy", LIBMEMCACHED),
            Self::LibmemcachedKetamaSpyUnweighted => {
                (Library::Libmemcached, "ketama_spy_unweighted", LIBMEMCACHED)
            }
            Self::PythonMemcached => (Library::PythonMemcached, "crc32", &[]),
            Self::PythonMemcachedOld => (
                Library::PythonMemcached,
                "crc32_old_useOldServerHashFunction",
                &[],
            ),
            Self::Pymemcache => (Library::Pymemcache, "rendezvous_murmur3", &[]),
            Self::Pyermc => (Library::Pyermc, "single", &[]),
            Self::Dalli => (Library::Dalli, "ring", &[]),
            Self::Gomemcache => (Library::Gomemcache, "crc32_mod", &[]),
            Self::SpymemcachedArrayMod => (Library::Spymemcached, "arraymod", SPYMEMCACHED),
            Self::SpymemcachedKetama => (Library::Spymemcached, "ketama_spy_format", SPYMEMCACHED),
            Self::SpymemcachedKetamaLibmemcached => (
                Library::Spymemcached,
                "ketama_libmemcached_format",
                SPYMEMCACHED,
            ),
            Self::SpymemcachedKetamaLibmemcachedWeighted => (
                Library::Spymemcached,
                "ketama_libmemcached_format_weighted",
                SPYMEMCACHED,
            ),
            Self::TwemproxyKetama => (Library::Twemproxy, "ketama", TWEMPROXY),
            Self::TwemproxyModula => (Library::Twemproxy, "modula", TWEMPROXY),
        }
    }

    /// The peer that has it.
    #[must_use]
    pub fn owner(self) -> Library {
        self.facts().0
    }

    /// What its owner calls it.
    pub(super) fn rule(self) -> &'static str {
        self.facts().1
    }

    pub(super) fn hashes(self) -> Hashes {
        self.facts().2
    }

    /// The hash that it has unless another is chosen; `None` where there is no choice.
    #[must_use]
    pub fn default_hash(self) -> Option<Hash> {
        match self {
            // libmemcached's `KETAMA_WEIGHTED` sets it, unless another is set afterwards; spymemcached's
            // `KetamaConnectionFactory` has it, and its `DefaultConnectionFactory` the first.
            Self::LibmemcachedKetamaWeighted
            | Self::LibmemcachedKetamaSpy
            | Self::SpymemcachedKetama
            | Self::SpymemcachedKetamaLibmemcached
            | Self::SpymemcachedKetamaLibmemcachedWeighted => Some(Hash::Md5),
            _ => self.hashes().first().map(|&(hash, _)| hash),
        }
    }

    pub(super) fn name_of(self, hash: Hash) -> &'static str {
        let named = self.hashes().iter().find(|&&(known, _)| known == hash);
        named.map_or("", |&(_, name)| name)
    }

    /// Whether `peer` has it, as its own or because it is built upon the owner.
    pub(super) fn is_of(self, peer: Library) -> bool {
        let owner = match peer {
            Library::EnyimCoreMessagePack => Library::EnyimCore,
            Library::Pylibmc | Library::PhpMemcached => Library::Libmemcached,
            peer => peer,
        };
        self.owner() == owner
    }

    /// Whether it places servers by their addresses, whatever names they were given by.
    pub(crate) fn hashes_addresses(self) -> bool {
        matches!(
            self,
            Self::Enyim
                | Self::EnyimKetama
                | Self::EnyimCore
                | Self::EnyimCoreLegacy
                | Self::SpymemcachedKetama
        )
    }

    /// Whether a weight gives a server more keys.
    pub(crate) fn has_weights(self) -> bool {
        matches!(
            self,
            Self::LibmemcachedConsistent
                | Self::LibmemcachedKetamaWeighted
                | Self::LibmemcachedKetamaSpy
                | Self::PythonMemcached
                | Self::PythonMemcachedOld
                | Self::Dalli
                | Self::SpymemcachedKetamaLibmemcachedWeighted
                | Self::TwemproxyKetama
                | Self::TwemproxyModula
        )
    }

    /// Whether its owner takes a list with one server twice: all but twemproxy, which wants the names
    /// to differ, and pyermc, which has one server. In the default's it is more likely a mistake, and
    /// changes no placement.
    pub(crate) fn may_repeat(self, earlier: &Node, node: &Node) -> bool {
        match self {
            Self::Moecache | Self::Pyermc => false,
            Self::TwemproxyKetama | Self::TwemproxyModula => earlier.ring_name != node.ring_name,
            _ => true,
        }
    }

    /// Says which hashes it has, since it has none of this name.
    pub(super) fn has_no_hash(self, name: &str) -> Error {
        let allowed: Vec<&str> = self.hashes().iter().map(|&(_, name)| name).collect();
        Error::validation(if allowed.is_empty() {
            format!("hash: the distribution {self} has one of its own; leave it out")
        } else {
            let allowed = allowed.join(", ");
            // Enyim hands a name that it does not know to .NET's `HashAlgorithm.Create`.
            let more = match self {
                Self::EnyimKetama => {
                    "; for another HashAlgorithm of .NET's give a locator of yours, \
                     ClientBuilder::locator"
                }
                _ => "",
            };
            format!("hash: the distribution {self} has no {name:?}; allowed are {allowed}{more}")
        })
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.owner(), self.rule())
    }
}
