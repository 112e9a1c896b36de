use super::modula::Modula;
use super::pymemcache::Rendezvous;
use super::single::Single;
use super::{Distribution, Locator, Node, dalli, enyim, libmemcached, spymemcached, twemproxy};
use crate::error::Error;
use crate::hash::{Hash, KeyHash};
use std::sync::Arc;

impl Distribution {
    /// The locator for these servers, at least one; `hash` is one that the distribution has.
    pub(super) fn build(
        self,
        hash: Option<Hash>,
        servers: &[Node],
    ) -> Result<Arc<dyn Locator>, Error> {
        if servers.is_empty() {
            return Err(Error::validation("servers: none are given"));
        }
        let count = servers.len();
        let named = || self.named(servers);
        let libmemcached_hash = || self.key_hash(hash, KeyHash::of_libmemcached);
        let spymemcached_hash = || self.key_hash(hash, KeyHash::of_spymemcached);
        Ok(match self {
            Self::Moecache
            | Self::Enyim
            | Self::EnyimCoreLegacy
            | Self::EnyimCoreLegacyDnsEndPoint => Arc::new(enyim::default_node_locator(&named()?)),
            Self::EnyimCore | Self::EnyimCoreDnsEndPoint => {
                Arc::new(enyim::core_node_locator(&named()?))
            }
            Self::EnyimKetama => Arc::new(enyim::ketama(self.hash_or_default(hash)?, &named()?)?),
            Self::LibmemcachedModula => Arc::new(Modula::of_equals(libmemcached_hash()?, count)),
            Self::LibmemcachedModulaSortHosts => {
                let hash = libmemcached_hash()?;
                Arc::new(libmemcached::modula_sort_hosts(hash, servers)?)
            }
            Self::LibmemcachedConsistent
            | Self::LibmemcachedConsistentHashLater
            | Self::LibmemcachedKetamaWeighted
            | Self::LibmemcachedKetamaSpy
            | Self::LibmemcachedKetamaSpyUnweighted => {
                libmemcached::ring(self, libmemcached_hash()?, &named()?)
            }
            Self::PythonMemcached => Arc::new(python_memcached(KeyHash::CRC32_15_BITS, servers)),
            Self::PythonMemcachedOld => Arc::new(python_memcached(KeyHash::CRC32, servers)),
            Self::Pymemcache => Arc::new(Rendezvous::new(&named()?)),
            Self::Pyermc if count > 1 => {
                return Err(Error::validation(format!(
                    "servers: pyermc knows one server, and these are {count}; to place keys among \
                     them, choose another distribution"
                )));
            }
            Self::Pyermc => Arc::new(Single),
            Self::Dalli => dalli::ring(&named()?)?,
            Self::Gomemcache => Arc::new(Modula::of_equals(KeyHash::CRC32, count)),
            Self::SpymemcachedArrayMod => Arc::new(Modula::of_equals(spymemcached_hash()?, count)),
            Self::SpymemcachedKetama | Self::SpymemcachedKetamaLibmemcached => {
                let hash = self.hash_or_default(hash)?;
                let key = spymemcached_hash()?;
                Arc::new(spymemcached::ketama(hash, key, &named()?))
            }
            Self::SpymemcachedKetamaLibmemcachedWeighted => {
                Arc::new(spymemcached::weighted(spymemcached_hash()?, &named()?))
            }
            Self::TwemproxyKetama => Arc::new(twemproxy::ketama(libmemcached_hash()?, named()?)),
            Self::TwemproxyModula => Arc::new(twemproxy::modula(libmemcached_hash()?, named()?)),
        })
    }

    fn hash_or_default(self, hash: Option<Hash>) -> Result<Hash, Error> {
        let hash = hash.or(self.default_hash());
        hash.ok_or_else(|| self.has_no_hash(""))
    }

    /// What `owner` computes under the name of the hash.
    fn key_hash(
        self,
        hash: Option<Hash>,
        owner: fn(Hash) -> Option<KeyHash>,
    ) -> Result<KeyHash, Error> {
        let hash = self.hash_or_default(hash)?;
        owner(hash).ok_or_else(|| self.has_no_hash(&hash.to_string()))
    }
}

/// python-memcached has each server in its list of buckets as often as it weighs.
fn python_memcached(hash: KeyHash, servers: &[Node]) -> Modula {
    let weights = servers.iter().map(Node::weight).enumerate();
    let note = if servers.iter().any(|server| server.weight > 1) {
        " in the list with each server as often as it weighs"
    } else {
        ""
    };
    Modula::new(hash, weights, note)
}
